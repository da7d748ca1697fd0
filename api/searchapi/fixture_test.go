package searchapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/searchapi"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/search"
	"github.com/greenroom-idp/greenroom/catalog/view"
)

// keys is an auth.Store without a file.
type keys struct {
	mu   sync.Mutex
	list []auth.PublicKey
}

func (k *keys) PutKey(_ context.Context, key auth.PublicKey, _ time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, key)
	return nil
}
func (k *keys) Keys(context.Context) ([]auth.PublicKey, error) { return k.list, nil }
func (*keys) PutUser(context.Context, auth.UserInfo) error     { return nil }
func (*keys) User(context.Context, string) (auth.UserInfo, bool, error) {
	return auth.UserInfo{}, false, nil
}

// policy is a permission.Policy that a test changes as it likes.
type policy struct {
	decide func(permission.Permission) (permission.Decision, error)
}

func (p *policy) Handle(_ context.Context, _ auth.Principal, asked permission.Permission) (permission.Decision, error) {
	if p.decide == nil {
		return permission.Decision{Result: permission.Allow}, nil
	}
	return p.decide(asked)
}

// catalogReader is the part of the catalog that conditions need.
type catalogReader struct {
	catalogapi.Reader
	view *view.View
}

func (r catalogReader) Matching(ctx context.Context, refs []string, only *jsonvalue.Object) ([]bool, error) {
	return r.view.Matching(ctx, refs, only)
}

// nobody stands for what the catalog's API needs and these tests do not.
type nobody struct {
	catalogapi.Reader
	catalogapi.Engine
	catalogapi.Validator
}

const (
	serviceToken  = "a-service-token"
	searchToken   = "a-token-for-search-alone"
	actionToken   = "a-token-for-deleting"
	scaffoldToken = "a-token-for-the-scaffolder"
)

// A server is the edge over some entities, signed in to.
type server struct {
	*api.Server
	t       testing.TB
	policy  *policy
	catalog *search.Index
	docs    *search.Index
	rows    *index.Index
	token   string
	log     *strings.Builder
}

func newServer(t testing.TB, change func(*searchapi.Options), entities ...catalog.Entity) *server {
	t.Helper()
	s := &server{t: t, policy: &policy{}, catalog: search.New(), docs: search.New(), rows: index.New(), log: &strings.Builder{}}
	s.fill(entities)
	s.catalog.MarkFilled()
	s.docs.MarkFilled()
	authority, err := auth.New(t.Context(), auth.Options{
		BaseURL: "http://localhost:7007", Store: &keys{}, Guest: &auth.Guest{Allowed: true},
		External: []auth.ExternalAccess{
			{Type: "static", Token: serviceToken, Subject: "ci"},
			{Type: "static", Token: searchToken, Subject: "finder", Restrictions: []auth.Restriction{{Plugin: "search"}}},
			{Type: "static", Token: actionToken, Subject: "reaper", Restrictions: []auth.Restriction{{Plugin: "search", Actions: []string{"delete"}}}},
			{Type: "static", Token: scaffoldToken, Subject: "bot", Restrictions: []auth.Restriction{{Plugin: "scaffolder"}}},
		},
	})
	require.NoError(t, err)
	decider := permission.NewEngine(permission.Options{Policy: s.policy, Enabled: true})
	catalogAPI, err := catalogapi.New(catalogapi.Options{
		Reader: catalogReader{view: view.New(s.rows, nil)}, Engine: nobody{}, Validator: nobody{}, Decider: decider, Authenticator: authority,
	})
	require.NoError(t, err)
	read := catalogapi.EntityRead()
	o := searchapi.Options{Permissions: decider, Types: []searchapi.DocumentType{
		{Name: search.TypeCatalog, Index: s.catalog, Visibility: &read}, {Name: "notes", Index: s.docs},
	}}
	if change != nil {
		change(&o)
	}
	searchAPI, err := searchapi.New(o)
	require.NoError(t, err)
	s.Server, err = api.New(api.Options{
		Auth: authority, Permission: decider, Catalog: catalogAPI, Search: searchAPI, Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	require.NoError(t, err)
	s.Started()
	_, session := s.ask("GET", "/api/auth/guest/refresh", "", "")
	s.token = session.Object("backstageIdentity").String("token")
	return s
}

// fill makes both indexes those of the entities.
func (s *server) fill(entities []catalog.Entity) {
	var documents []search.Document
	require.NoError(s.t, s.rows.Load(1, func(yield func(index.Document) bool) {
		for i, e := range entities {
			var uid catalog.UID
			uid[0], uid[13], uid[14], uid[15] = 1, byte(i>>16), byte(i>>8), byte(i)
			documents = append(documents, search.FromEntity(e, search.DefaultLocation))
			if !yield(index.Document{UID: uid, JSON: jsonvalue.Append(nil, e.Object)}) {
				return
			}
		}
	}))
	s.catalog.Replace(documents)
}

// ask sends a request with a token and returns status and body.
func (s *server) ask(method, target, token, body string) (int, *jsonvalue.Object) {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Body.Len() == 0 {
		return w.Code, nil
	}
	require.Equal(s.t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
	require.True(s.t, json.Valid(w.Body.Bytes()), w.Body)
	o, err := jsonvalue.ParseObject(w.Body.Bytes())
	require.NoError(s.t, err)
	return w.Code, o
}

// query asks as the guest, and expects an answer.
func (s *server) query(rawQuery string) *jsonvalue.Object {
	s.t.Helper()
	status, body := s.ask("GET", "/api/search/query?"+rawQuery, s.token, "")
	require.Equal(s.t, 200, status, body)
	return body
}

// titles returns the titles of results.
func titles(body *jsonvalue.Object) []string {
	out := []string{}
	list, _ := body.Value("results").([]any)
	for _, v := range list {
		out = append(out, v.(*jsonvalue.Object).Object("document").String("title"))
	}
	return out
}

// entity makes an entity of JSON.
func entity(t testing.TB, text string) catalog.Entity {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return catalog.Entity{Object: o}
}

// component makes one that somebody owns.
func component(t testing.TB, name, owner string) catalog.Entity {
	return entity(t, `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":"`+name+`"},
		"spec":{"type":"service","lifecycle":"production","owner":"`+owner+`"},"relations":[{"type":"ownedBy","targetRef":"group:default/`+owner+`"}]}`)
}
