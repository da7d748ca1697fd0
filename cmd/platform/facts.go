package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// lazyFacts are what is known of users and entities, from the store, or where
// a server has that to itself from the server. Nothing is opened before it is
// needed.
type lazyFacts struct {
	settings *config.Settings
	data     string

	db     *bbolt.DB
	store  *boltstore.Store
	server *serverFacts
}

// Close gives the store back.
func (f *lazyFacts) Close() error {
	if f.db == nil {
		return nil
	}
	return f.db.Close()
}

func (f *lazyFacts) open() error {
	if f.db != nil || f.server != nil {
		return nil
	}
	db, s, err := openData(f.data, true)
	if err == nil {
		f.db, f.store = db, s
		return nil
	}
	if !errors.Is(err, boltstore.ErrLocked) {
		return err
	}
	f.server = newServerFacts(f.settings)
	if f.server == nil {
		return fmt.Errorf("%w; or add a static token to backend.auth.externalAccess, with which a running server can be asked; or say with --owns what the user acts for, and name no entity", err)
	}
	return nil
}

// entity returns the entity of a canonical ref.
func (f *lazyFacts) entity(ctx context.Context, ref string) (e catalog.Entity, ok bool, err error) {
	if err := f.open(); err != nil {
		return e, false, err
	}
	var json []byte
	if f.server != nil {
		json, err = f.server.entity(ctx, ref)
	} else {
		err = f.store.View(func(tx store.ReadTx) error {
			s, err := tx.State(ref)
			if err != nil || s == nil {
				return err
			}
			doc, _ := tx.Document(s.UID)
			json = slices.Clone(doc)
			return nil
		})
	}
	if err != nil || json == nil {
		return e, false, err
	}
	e.Object, err = jsonvalue.ParseObject(json)
	return e, err == nil, err
}

// ownership returns what a user acts for, and where that is from.
func (f *lazyFacts) ownership(ctx context.Context, user string) (owns []string, from string, err error) {
	if err := f.open(); err != nil {
		return nil, "", err
	}
	if f.db != nil {
		if info, ok, err := boltkeys.ReadUser(f.db, user); err != nil || ok {
			return info.Ownership, "as at the last sign-in", err
		}
	}
	entity, ok, err := f.entity(ctx, user)
	if err != nil {
		return nil, "", err
	}
	if !ok {
		return []string{user}, "there is no such user in the catalog", nil
	}
	return ownershipOf(entity, user), "as the catalog says", nil
}

// meetsOf returns a function that tells whether an entity meets criteria.
func meetsOf(entity catalog.Entity) func(*permission.Criteria) (bool, error) {
	return func(c *permission.Criteria) (bool, error) {
		predicate, err := catalogapi.Predicate(c)
		if err != nil {
			return false, err
		}
		filter, err := query.ParsePredicate(predicate)
		if err != nil {
			return false, err
		}
		x := index.New()
		err = x.Load(1, func(yield func(index.Document) bool) {
			yield(index.Document{UID: catalog.UID{1}, JSON: jsonvalue.Append(nil, entity.Object)})
		})
		return err == nil && x.Snapshot().Select(filter).Len() == 1, err
	}
}

// serverFacts asks a running server.
type serverFacts struct {
	base, token string
	client      *http.Client
}

// newServerFacts returns nil if the configuration has no token that may read
// the catalog.
func newServerFacts(s *config.Settings) *serverFacts {
	for _, e := range s.Auth.External {
		open := e.Restrictions == nil || slices.ContainsFunc(e.Restrictions, func(r config.AccessRestriction) bool {
			return r.Plugin == "catalog" && r.Permissions == nil && (r.Actions == nil || slices.Contains(r.Actions, "read"))
		})
		if e.Type != "static" || !open {
			continue
		}
		host, port, err := net.SplitHostPort(s.Backend.Listen)
		if err != nil {
			return nil
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		return &serverFacts{"http://" + net.JoinHostPort(host, port), e.Token, &http.Client{Timeout: 10 * time.Second}}
	}
	return nil
}

// maxEntityBytes bounds what a server may answer.
const maxEntityBytes = 64 << 20

// entity returns the JSON of an entity, nil if there is none.
func (f *serverFacts) entity(ctx context.Context, ref string) ([]byte, error) {
	kind, rest, _ := strings.Cut(ref, ":")
	namespace, name, _ := strings.Cut(rest, "/")
	path := "/api/catalog/entities/by-name/" + url.PathEscape(kind) + "/" + url.PathEscape(namespace) + "/" + url.PathEscape(name)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	res, err := f.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the store is in use, and the server at %s does not answer: %w", f.base, err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(res.Body, maxEntityBytes))
	case http.StatusNotFound:
		return nil, nil
	}
	return nil, fmt.Errorf("the store is in use, and the server at %s answers %s for %s", f.base, res.Status, ref)
}
