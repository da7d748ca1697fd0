package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/require"
)

type fakeReader struct {
	entities func(catalogapi.Listing) (catalogapi.Page, error)
	query    func(catalogapi.Search) (catalogapi.Page, error)
	byRefs   func(catalogapi.Lookup) (catalogapi.Page, error)
	facets   func(catalogapi.FacetCount) (catalogapi.Page, error)
	byRef    func(ref string, only *jsonvalue.Object) (catalogapi.Page, error)
	byUID    func(uid string, only *jsonvalue.Object) (catalogapi.Page, error)
	ancestry func(ref string, only *jsonvalue.Object) (catalogapi.Page, error)
	matching func(refs []string, predicate *jsonvalue.Object) ([]bool, error)
}

func (f *fakeReader) Entities(_ context.Context, l catalogapi.Listing) (catalogapi.Page, error) {
	return f.entities(l)
}
func (f *fakeReader) Query(_ context.Context, s catalogapi.Search) (catalogapi.Page, error) {
	return f.query(s)
}
func (f *fakeReader) ByRefs(_ context.Context, l catalogapi.Lookup) (catalogapi.Page, error) {
	return f.byRefs(l)
}
func (f *fakeReader) Facets(_ context.Context, c catalogapi.FacetCount) (catalogapi.Page, error) {
	return f.facets(c)
}
func (f *fakeReader) ByRef(_ context.Context, ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return f.byRef(ref, only)
}
func (f *fakeReader) ByUID(_ context.Context, uid string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return f.byUID(uid, only)
}
func (f *fakeReader) Ancestry(_ context.Context, ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return f.ancestry(ref, only)
}
func (f *fakeReader) Matching(_ context.Context, refs []string, p *jsonvalue.Object) ([]bool, error) {
	return f.matching(refs, p)
}

type fakeEngine struct {
	catalogapi.Engine // what a test does not set must not be called
	locations         func() ([]catalog.Location, error)
	refresh           func(ref string) error
	register          func(l catalog.LocationRef, onConflict string) (catalog.Location, error)
	unprocessed       func(state, owner string) ([]engine.Unprocessed, error)
}

func (f *fakeEngine) Locations(context.Context) ([]catalog.Location, error) { return f.locations() }
func (f *fakeEngine) Refresh(_ context.Context, ref string) error           { return f.refresh(ref) }
func (f *fakeEngine) RegisterLocation(_ context.Context, l catalog.LocationRef, onConflict string) (catalog.Location, error) {
	return f.register(l, onConflict)
}
func (f *fakeEngine) Unprocessed(_ context.Context, state, owner string) ([]engine.Unprocessed, error) {
	return f.unprocessed(state, owner)
}

type fakeValidator func(catalog.Entity, string) []error

func (f fakeValidator) Validate(_ context.Context, e catalog.Entity, location string) []error {
	return f(e, location)
}

// fixture is a server over fakes, signed in to.
type fixture struct {
	t      testing.TB
	server *api.Server
	reader *fakeReader
	engine *fakeEngine
	auth   *auth.Authority
	logged *lockedBuffer
	token  string

	options api.Options
}

// unstarted returns another server of the same options, before its start.
func (f *fixture) unstarted() *api.Server {
	o := f.options
	o.Registry = nil
	s, err := api.New(o)
	require.NoError(f.t, err)
	return s
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const staticToken = "a-static-token-for-tests"

// newFixture starts a server that change may have altered before.
func newFixture(t testing.TB, change func(*api.Options, *auth.Options)) *fixture {
	f := &fixture{t: t, reader: &fakeReader{}, engine: &fakeEngine{}, logged: &lockedBuffer{}}
	o := api.Options{Logger: slog.New(api.LogHandler(slog.NewTextHandler(f.logged, nil)))}
	ao := auth.Options{
		BaseURL: "http://localhost:7007", Store: &apitest.Users{}, Guest: &auth.Guest{Allowed: true},
		External: []auth.ExternalAccess{
			{Type: "static", Token: staticToken, Subject: "ci"},
			{Type: "static", Token: "scaffolder-only-token", Subject: "bot", Restrictions: []auth.Restriction{{Plugin: "scaffolder"}}},
			{Type: "static", Token: "read-only-token", Subject: "reader", Restrictions: []auth.Restriction{{Plugin: "catalog", Actions: []string{"read"}}}},
		},
	}
	if change != nil {
		change(&o, &ao)
	}
	var err error
	f.auth, err = auth.New(t.Context(), ao)
	require.NoError(t, err)
	if o.Permission == nil {
		o.Permission = permission.NewEngine(permission.Options{})
	}
	o.Auth = f.auth
	o.Catalog, err = catalogapi.New(catalogapi.Options{
		Reader: f.reader, Engine: f.engine, Decider: o.Permission, Authenticator: f.auth,
		Validator: fakeValidator(func(catalog.Entity, string) []error { return nil }),
	})
	require.NoError(t, err)
	f.server, err = api.New(o)
	require.NoError(t, err)
	f.options = o
	f.server.Started()
	if ao.Guest != nil && ao.Guest.Allowed {
		f.token = f.signIn()
	}
	return f
}

func (f *fixture) signIn() string {
	res := f.do("GET", "/api/auth/guest/refresh", "", anonymous)
	var s struct {
		BackstageIdentity struct{ Token string } `json:"backstageIdentity"`
	}
	require.NoError(f.t, json.Unmarshal(res.body, &s))
	require.NotEmpty(f.t, s.BackstageIdentity.Token)
	return s.BackstageIdentity.Token
}

type response struct {
	status int
	header http.Header
	body   []byte
}

func (r response) text() string { return string(r.body) }

type requestOption func(*http.Request)

func anonymous(r *http.Request) { r.Header.Del("Authorization") }

func with(key, value string) requestOption {
	return func(r *http.Request) { r.Header.Set(key, value) }
}

func bearer(token string) requestOption { return with("Authorization", "Bearer "+token) }

// do sends a request as the guest; a body is sent as JSON.
func (f *fixture) do(method, target, body string, options ...requestOption) response {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(f.t.Context(), method, target, reader)
	r.Header.Set("Authorization", "Bearer "+f.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		o(r)
	}
	w := httptest.NewRecorder()
	f.server.ServeHTTP(w, r)
	return response{w.Code, w.Header(), w.Body.Bytes()}
}

func envelope(t testing.TB, name, message, method, path string, status int) string {
	data, err := json.Marshal(map[string]any{
		"error":    map[string]any{"name": name, "message": message},
		"request":  map[string]any{"method": method, "url": path},
		"response": map[string]any{"statusCode": status},
	})
	require.NoError(t, err)
	return string(data)
}
