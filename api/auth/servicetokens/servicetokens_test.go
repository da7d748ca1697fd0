package servicetokens_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/greenroom-idp/greenroom/api/auth/servicetokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

type world struct {
	t     *testing.T
	db    *bbolt.DB
	mu    sync.Mutex
	now   time.Time
	store servicetokens.Store
	*servicetokens.Registry
}

func newWorld(t *testing.T) *world {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "x.db"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	w := &world{t: t, db: db, now: time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC)}
	w.store, err = boltkeys.Open(db)
	require.NoError(t, err)
	w.restart()
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) restart() {
	var err error
	w.Registry, err = servicetokens.Open(w.t.Context(), servicetokens.Options{Store: w.store, Plugins: []string{"catalog", "search"}, Now: w.clock})
	require.NoError(w.t, err)
}

func (w *world) issue(q servicetokens.Request) (string, servicetokens.Record) {
	w.t.Helper()
	token, record, err := w.Issue(w.t.Context(), q)
	require.NoError(w.t, err)
	return token, record
}

func TestLifeOfAToken(t *testing.T) {
	w := newWorld(t)
	restrictions := []auth.Restriction{{Plugin: "catalog", Permissions: []string{"catalog.entity.read"}, Actions: []string{"read"}}, {Plugin: "search"}}
	token, record := w.issue(servicetokens.Request{Subject: "ci", Lifetime: 24 * time.Hour, Restrictions: restrictions, By: "admin"})
	assert.Regexp(t, `^grm_[0-9a-f]{12}_[0-9a-f]{64}$`, token)
	end := time.Date(2026, 1, 3, 3, 4, 5, 0, time.UTC)
	for range 2 {
		p, ok := w.Match(token)
		require.True(t, ok)
		assert.Equal(t, auth.Principal{Kind: auth.Service, Subject: "ci", Restrictions: restrictions, Expires: end}, p)
		assert.Equal(t, []servicetokens.Record{record}, w.List())
		w.restart() // it is the same after one
	}
	for _, wrong := range []string{"", "grm_", token[:len(token)-1], token + "0", strings.ToUpper(token), "grm_" + record.ID + "_", strings.Replace(token, record.ID, "000000000000", 1)} {
		_, ok := w.Match(wrong)
		assert.False(t, ok, wrong)
	}
	w.pass(24*time.Hour - 601*time.Millisecond)
	_, ok := w.Match(token)
	assert.True(t, ok)
	w.pass(time.Millisecond)
	_, ok = w.Match(token)
	assert.False(t, ok, "it has ended")
	assert.Len(t, w.List(), 1, "and is still shown")
	w.pass(31 * 24 * time.Hour)
	other, kept := w.issue(servicetokens.Request{Subject: "other"})
	assert.Equal(t, []servicetokens.Record{kept}, w.List(), "but not for ever")
	w.pass(9 * 365 * 24 * time.Hour)
	_, ok = w.Match(other)
	assert.True(t, ok, "one without an end has none")
}

func TestRevoke(t *testing.T) {
	w := newWorld(t)
	token, record := w.issue(servicetokens.Request{Subject: "ci"})
	keep, _ := w.issue(servicetokens.Request{Subject: "ci"})
	gone, err := w.Revoke(t.Context(), record.ID)
	require.NoError(t, err)
	assert.Equal(t, record, gone)
	for range 2 {
		_, ok := w.Match(token)
		assert.False(t, ok)
		_, ok = w.Match(keep)
		assert.True(t, ok)
		_, err = w.Revoke(t.Context(), record.ID)
		require.ErrorIs(t, err, servicetokens.ErrUnknown)
		w.restart()
	}
}

// What is in the store is of no use to a thief.
func TestTokensAreNotStored(t *testing.T) {
	w := newWorld(t)
	token, record := w.issue(servicetokens.Request{Subject: "ci"})
	secret := token[strings.LastIndexByte(token, '_')+1:]
	require.NoError(t, w.db.View(func(tx *bbolt.Tx) error {
		data := tx.Bucket([]byte("auth")).Bucket([]byte("tokens")).Get([]byte(record.ID))
		require.NotEmpty(t, data)
		assert.NotContains(t, string(data), secret)
		assert.NotContains(t, string(data), token)
		return nil
	}))
	shown, err := json.Marshal(servicetokens.Describe(record))
	require.NoError(t, err)
	assert.NotContains(t, string(shown), "hash")
}

func TestRequestsAreChecked(t *testing.T) {
	w := newWorld(t)
	for name, tc := range map[string]struct {
		q    servicetokens.Request
		says string
	}{
		"no subject":        {servicetokens.Request{}, "the subject needs"},
		"a blank":           {servicetokens.Request{Subject: "c i"}, "the subject needs"},
		"a control":         {servicetokens.Request{Subject: "c\x1b[31m"}, "the subject needs"},
		"a long one":        {servicetokens.Request{Subject: strings.Repeat("x", 201)}, "the subject needs"},
		"a plugin":          {servicetokens.Request{Subject: "plugin:catalog"}, "take another"},
		"a user":            {servicetokens.Request{Subject: "user:default/jane"}, "take another"},
		"before now":        {servicetokens.Request{Subject: "x", Lifetime: -1}, "within 10 years"},
		"for ages":          {servicetokens.Request{Subject: "x", Lifetime: servicetokens.MaxLifetime + 1}, "within 10 years"},
		"nothing":           {servicetokens.Request{Subject: "x", Restrictions: []auth.Restriction{}}, "could do nothing"},
		"no such plugin":    {servicetokens.Request{Subject: "x", Restrictions: []auth.Restriction{{Plugin: "catlog"}}}, `no plugin "catlog": there are catalog, search`},
		"a plugin twice":    {servicetokens.Request{Subject: "x", Restrictions: []auth.Restriction{{Plugin: "search"}, {Plugin: "search"}}}, "once each"},
		"an unknown action": {servicetokens.Request{Subject: "x", Restrictions: []auth.Restriction{{Plugin: "search", Actions: []string{"use"}}}}, "not one of create"},
	} {
		token, _, err := w.Issue(t.Context(), tc.q)
		assert.ErrorIs(t, err, servicetokens.ErrRequest, name)
		assert.ErrorContains(t, err, tc.says, name)
		assert.Empty(t, token, name)
	}
	assert.Empty(t, w.List())
}

// A fault of the store is no token, and no revocation.
type faulty struct {
	servicetokens.Store
	err error
}

func (f faulty) PutToken(context.Context, servicetokens.Record) error { return f.err }
func (f faulty) DeleteToken(context.Context, string) error            { return f.err }

func TestStoreThatFails(t *testing.T) {
	w := newWorld(t)
	token, record := w.issue(servicetokens.Request{Subject: "ci"})
	r, err := servicetokens.Open(t.Context(), servicetokens.Options{Store: faulty{w.store, errors.New("disk full")}, Now: w.clock})
	require.NoError(t, err)
	_, _, err = r.Issue(t.Context(), servicetokens.Request{Subject: "x"})
	require.ErrorContains(t, err, "disk full")
	assert.Len(t, r.List(), 1)
	_, err = r.Revoke(t.Context(), record.ID)
	require.ErrorContains(t, err, "disk full")
	_, ok := r.Match(token)
	assert.True(t, ok, "what is not revoked in the store is not revoked")
}

func TestDamagedRecords(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":                      `{`,
		"no hash":                      `{"id":"a","subject":"x"}`,
		"another id":                   `{"id":"b","subject":"x","hash":"` + strings.Repeat("AAAA", 11) + `"}`,
		"a restriction of another day": `{"id":"a","subject":"x","hash":"` + strings.Repeat("A", 43) + `=","accessRestrictions":[{"plugin":"catalog","kinds":["API"]}]}`,
		"a restriction to nothing":     `{"id":"a","subject":"x","hash":"` + strings.Repeat("A", 43) + `=","accessRestrictions":[{"plugin":"catalog","permission":[]}]}`,
	} {
		w := newWorld(t)
		require.NoError(t, w.db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("auth")).Bucket([]byte("tokens")).Put([]byte("a"), []byte(text))
		}))
		_, err := servicetokens.Open(t.Context(), servicetokens.Options{Store: w.store})
		assert.ErrorContains(t, err, "service token", name)
	}
}

// serve starts the edge with tokens, and the services of apitest, of which cron
// is restricted to the plugin auth.
func serve(t *testing.T, w *world) *apitest.Server {
	return apitest.New(t, func(o *api.Options, a *auth.Options) {
		a.Now, a.Issued = w.clock, w.Registry
		a.External[1].Restrictions = []auth.Restriction{{Plugin: "auth"}}
		authority, err := auth.New(t.Context(), *a)
		require.NoError(t, err)
		o.Auth, o.ServiceTokens = authority, servicetokens.NewAPI(w.Registry, authority, slog.New(slog.DiscardHandler))
	})
}

const path = "/api/auth/v1/service-tokens"

func create(t *testing.T, s *apitest.Server, body string, as string) servicetokens.Created {
	t.Helper()
	res := s.Do("POST", path, body, apitest.As(as))
	require.Equal(t, 201, res.Status, res.Text())
	var made servicetokens.Created
	require.NoError(t, json.Unmarshal(res.Body, &made))
	return made
}

func TestAPI(t *testing.T) {
	w := newWorld(t)
	s := serve(t, w)
	made := create(t, s, `{"subject":"ci","expiresInSeconds":3600,"accessRestrictions":[{"plugin":"catalog","permissionAttribute":{"action":["read"]}}]}`, apitest.ServiceToken)
	res := s.Do("GET", path, "", apitest.As(apitest.ServiceToken))
	assert.JSONEq(t, `{"tokens":[{"id":"`+made.ID+`","subject":"ci","createdAt":"2026-01-02T03:04:05Z","expiresAt":"2026-01-02T04:04:05Z","createdBy":"ci",
		"accessRestrictions":[{"plugin":"catalog","permissionAttribute":{"action":["read"]}}]}]}`, res.Text())

	assert.Equal(t, 404, s.Do("GET", "/api/catalog/nowhere", "", apitest.As(made.Token)).Status)
	res = s.Do("GET", "/api/search/query", "", apitest.As(made.Token))
	assert.Equal(t, 403, res.Status)
	assert.Contains(t, res.Text(), "This token's access is restricted to plugin(s) 'catalog'")
	res = s.Do("GET", "/api/auth/v1/whoami", "", apitest.As(made.Token))
	assert.JSONEq(t, `{"type":"service","subject":"ci","expiresAt":"2026-01-02T04:04:05Z","accessRestrictions":[{"plugin":"catalog","permissionAttribute":{"action":["read"]}}]}`, res.Text())

	assert.Equal(t, 204, s.Do("DELETE", path+"/"+made.ID, "", apitest.As(apitest.ServiceToken)).Status)
	res = s.Do("GET", "/api/catalog/nowhere", "", apitest.As(made.Token))
	assert.Equal(t, 401, res.Status, "the very next request is refused")
	assert.Contains(t, res.Text(), "Illegal token")
	assert.Equal(t, 404, s.Do("DELETE", path+"/"+made.ID, "", apitest.As(apitest.ServiceToken)).Status)
	assert.Equal(t, 404, s.Do("DELETE", path+"/x", "", apitest.As(apitest.ServiceToken)).Status)
	assert.NotContains(t, s.Log(), made.Token)
}

func TestAPIOnlyForAdmins(t *testing.T) {
	w := newWorld(t)
	s := serve(t, w)
	narrow, _ := w.issue(servicetokens.Request{Subject: "narrow", Restrictions: []auth.Restriction{{Plugin: "catalog"}}})
	plugin, err := s.Auth.PluginToken(t.Context(), "catalog", "auth", auth.OwnService("catalog"))
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		option apitest.RequestOption
		status int
		says   string
	}{
		"nobody":                        {apitest.Anonymous, 401, "Missing credentials"},
		"a user":                        {apitest.As(s.Token), 403, "does not allow 'user' credentials"},
		"a service with restrictions":   {apitest.As(apitest.OtherServiceToken), 403, "no access restrictions"},
		"a service of another plugin":   {apitest.As(narrow), 403, "restricted to plugin(s) 'catalog'"},
		"a plugin":                      {apitest.As(plugin), 403, "a token from outside"},
		"a token that nobody has given": {apitest.As("grm_000000000000_0"), 401, "Illegal token"},
	} {
		for method, at := range map[string]string{"GET": path, "POST": path, "DELETE": path + "/x"} {
			res := s.Do(method, at, map[string]string{"POST": `{"subject":"x","neverExpires":true}`}[method], tc.option)
			assert.Equal(t, tc.status, res.Status, "%s: %s: %s", name, method, res.Text())
			assert.Contains(t, res.Text(), tc.says, name)
		}
	}
	assert.Len(t, w.List(), 1)
}

// Nobody can make a token that lives longer than the own one.
func TestTokensDoNotOutliveTheirMaker(t *testing.T) {
	w := newWorld(t)
	s := serve(t, w)
	mother := create(t, s, `{"subject":"mother","expiresInSeconds":3600}`, apitest.ServiceToken)
	for _, body := range []string{`{"subject":"x","neverExpires":true}`, `{"subject":"x","expiresInSeconds":3601}`} {
		res := s.Do("POST", path, body, apitest.As(mother.Token))
		assert.Equal(t, 400, res.Status, body)
		assert.Contains(t, res.Text(), "must not outlive it")
	}
	child := create(t, s, `{"subject":"child","expiresInSeconds":3000}`, mother.Token)
	assert.Equal(t, "mother", child.CreatedBy)
}

func TestBodiesAreChecked(t *testing.T) {
	w := newWorld(t)
	s := serve(t, w)
	for _, body := range []string{
		``, `{`, `[]`, `{}`, `{"subject":"x"}`, `{"subject":"x","expiresInSeconds":0}`, `{"subject":"x","expiresInSeconds":-5}`,
		`{"subject":"x","expiresInSeconds":1.5}`, `{"subject":"x","expiresInSeconds":1e300}`, `{"subject":"x","expiresInSeconds":315360001}`,
		`{"subject":"x","expiresInSeconds":5,"neverExpires":true}`, `{"subject":5,"neverExpires":true}`, `{"subject":"x","neverExpires":true,"restrictions":[]}`,
		`{"subject":"x","neverExpires":true,"accessRestrictions":[]}`, `{"subject":"x","neverExpires":true,"accessRestrictions":[{}]}`,
		`{"subject":"x","neverExpires":true,"accessRestrictions":[{"plugin":"catalog","permissions":["a"]}]}`,
		`{"subject":"x","neverExpires":true,"accessRestrictions":[{"plugin":"catalog","permission":[]}]}`,
		`{"subject":"x","neverExpires":true,"accessRestrictions":[{"plugin":"catalog","permission":"a"}]}`,
		`{"subject":"x","neverExpires":true,"accessRestrictions":[{"plugin":"catalog","permissionAttribute":{"kind":["a"]}}]}`,
		`{"subject":"` + strings.Repeat("x", 300) + `","neverExpires":true}`,
	} {
		res := s.Do("POST", path, body, apitest.As(apitest.ServiceToken))
		assert.Equal(t, 400, res.Status, "%s: %s", body, res.Text())
	}
	res := s.Do("POST", path, `{"subject":"`+strings.Repeat("x", 200<<10)+`"}`, apitest.As(apitest.ServiceToken))
	assert.Equal(t, 413, res.Status)
	assert.Empty(t, w.List())
}

// Issuing, using and revoking at once: a token holds from its answer to that
// of its revocation.
func TestRegistryIsShared(t *testing.T) {
	w := newWorld(t)
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 10 {
				token, record, err := w.Issue(t.Context(), servicetokens.Request{Subject: fmt.Sprintf("s%d-%d", g, i)})
				assert.NoError(t, err)
				_, ok := w.Match(token)
				assert.True(t, ok)
				_, err = w.Revoke(t.Context(), record.ID)
				assert.NoError(t, err)
				_, ok = w.Match(token)
				assert.False(t, ok)
				w.List()
			}
		})
	}
	all.Wait()
	assert.Empty(t, w.List())
}

func BenchmarkMatch(b *testing.B) {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "x.db"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(b, err)
	defer db.Close()
	store, err := boltkeys.Open(db)
	require.NoError(b, err)
	r, err := servicetokens.Open(b.Context(), servicetokens.Options{Store: store})
	require.NoError(b, err)
	var token string
	for i := range 1000 {
		token, _, err = r.Issue(b.Context(), servicetokens.Request{Subject: fmt.Sprint("s", i)})
		require.NoError(b, err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.Match(token); !ok {
			b.Fatal("it does not match")
		}
	}
}
