package catalogapi_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/require"
)

// A fake stands for the catalog. A function that a test does not set must not
// be called.
type fake struct {
	entities func(catalogapi.Listing) (catalogapi.Page, error)
	query    func(catalogapi.Search) (catalogapi.Page, error)
	byRefs   func(catalogapi.Lookup) (catalogapi.Page, error)
	facets   func(catalogapi.FacetCount) (catalogapi.Page, error)
	byRef    func(ref string, only *jsonvalue.Object) (catalogapi.Page, error)
	byUID    func(uid string, only *jsonvalue.Object) (catalogapi.Page, error)
	ancestry func(ref string, only *jsonvalue.Object) (catalogapi.Page, error)
	matching func(refs []string, predicate *jsonvalue.Object) ([]bool, error)

	register          func(l catalog.LocationRef, onConflict string) (catalog.Location, error)
	update            func(id string, l catalog.LocationRef) (catalog.Location, error)
	deleteLocation    func(id string) error
	dryRun            func(catalog.LocationRef) (engine.DryRun, error)
	location          func(id string) (catalog.Location, error)
	locations         func() ([]catalog.Location, error)
	locationByRef     func(catalog.LocationRef) (catalog.Location, bool, error)
	refresh           func(ref string) error
	deleteEntity      func(catalog.UID) error
	unprocessed       func(state, owner string) ([]engine.Unprocessed, error)
	deleteUnprocessed func(catalog.UID) error

	validate     func(e catalog.Entity, location string) []error
	decide       func(p permission.Permission, ref string) (permission.Decision, error)
	authenticate func(token, plugin string) (auth.Principal, error)

	asked []string // permissions that were asked for, with who and about what
}

func (f *fake) Entities(_ context.Context, l catalogapi.Listing) (catalogapi.Page, error) {
	return f.entities(l)
}
func (f *fake) Query(_ context.Context, s catalogapi.Search) (catalogapi.Page, error) {
	return f.query(s)
}
func (f *fake) ByRefs(_ context.Context, l catalogapi.Lookup) (catalogapi.Page, error) {
	return f.byRefs(l)
}
func (f *fake) Facets(_ context.Context, c catalogapi.FacetCount) (catalogapi.Page, error) {
	return f.facets(c)
}
func (f *fake) ByRef(_ context.Context, ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return f.byRef(ref, only)
}
func (f *fake) ByUID(_ context.Context, uid string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return f.byUID(uid, only)
}
func (f *fake) Ancestry(_ context.Context, ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return f.ancestry(ref, only)
}
func (f *fake) Matching(_ context.Context, refs []string, p *jsonvalue.Object) ([]bool, error) {
	return f.matching(refs, p)
}
func (f *fake) RegisterLocation(_ context.Context, l catalog.LocationRef, onConflict string) (catalog.Location, error) {
	return f.register(l, onConflict)
}
func (f *fake) UpdateLocation(_ context.Context, id string, l catalog.LocationRef) (catalog.Location, error) {
	return f.update(id, l)
}
func (f *fake) DeleteLocation(_ context.Context, id string) error { return f.deleteLocation(id) }
func (f *fake) DryRunLocation(_ context.Context, l catalog.LocationRef) (engine.DryRun, error) {
	return f.dryRun(l)
}
func (f *fake) Location(_ context.Context, id string) (catalog.Location, error) {
	return f.location(id)
}
func (f *fake) Locations(context.Context) ([]catalog.Location, error) { return f.locations() }
func (f *fake) LocationByRef(_ context.Context, l catalog.LocationRef) (catalog.Location, bool, error) {
	return f.locationByRef(l)
}
func (f *fake) Refresh(_ context.Context, ref string) error           { return f.refresh(ref) }
func (f *fake) DeleteEntity(_ context.Context, uid catalog.UID) error { return f.deleteEntity(uid) }
func (f *fake) Unprocessed(_ context.Context, state, owner string) ([]engine.Unprocessed, error) {
	return f.unprocessed(state, owner)
}
func (f *fake) DeleteUnprocessed(_ context.Context, uid catalog.UID) error {
	return f.deleteUnprocessed(uid)
}
func (f *fake) Validate(_ context.Context, e catalog.Entity, location string) []error {
	return f.validate(e, location)
}
func (f *fake) Authenticate(token, plugin string) (auth.Principal, error) {
	return f.authenticate(token, plugin)
}
func (f *fake) Decide(_ context.Context, who auth.Principal, p permission.Permission, ref string) (permission.Decision, error) {
	f.asked = append(f.asked, strings.TrimSpace(who.Subject+" "+p.Name+" "+ref))
	if f.decide == nil {
		return permission.Decision{Result: permission.Allow}, nil
	}
	return f.decide(p, ref)
}

// newAPI returns an API over fakes, with options that change may have altered.
func newAPI(t testing.TB, f *fake, change ...func(*catalogapi.Options)) *catalogapi.API {
	t.Helper()
	o := catalogapi.Options{Reader: f, Engine: f, Validator: f, Decider: f, Authenticator: f}
	for _, c := range change {
		c(&o)
	}
	a, err := catalogapi.New(o)
	require.NoError(t, err)
	return a
}

// A request is one to a handler: its target with the query, the values of the
// parameters in its path as they were sent, and the body, sent as JSON unless
// it has another type.
type request struct {
	method, target string
	params         map[string]string
	body           string
	contentType    string
	who            auth.Principal
}

var jane = auth.Principal{Kind: auth.User, Subject: "user:default/jane"}

// call runs a handler, as jane unless the request says who.
func call(t testing.TB, h wire.Handler, r request) (any, error) {
	t.Helper()
	if r.method == "" {
		r.method = "GET"
	}
	if r.target == "" {
		r.target = "/"
	}
	if r.who.Kind == auth.None && r.who.Subject == "" {
		r.who = jane
	}
	req := httptest.NewRequestWithContext(auth.WithPrincipal(t.Context(), r.who), r.method, r.target, strings.NewReader(r.body))
	switch {
	case r.contentType == "-":
	case r.contentType != "":
		req.Header.Set("Content-Type", r.contentType)
	case r.body != "":
		req.Header.Set("Content-Type", "application/json")
	}
	c := &gin.Context{Request: req}
	for key, value := range r.params {
		c.Params = append(c.Params, gin.Param{Key: key, Value: value})
	}
	return h(c)
}

// post is a request with a JSON body.
func post(body string) request { return request{method: "POST", body: body} }

func get(target string) request { return request{target: target} }

// body returns an answer as JSON.
func body(t testing.TB, answer any) string {
	t.Helper()
	switch a := answer.(type) {
	case wire.Raw:
		return string(a.Body)
	case wire.Linked:
		answer = a.Body
	case wire.Status:
		if a.Body == nil {
			return ""
		}
		answer = a.Body
	}
	text, err := wire.AppendJSON(nil, answer)
	require.NoError(t, err)
	return string(text)
}

// ok runs a handler that must succeed and returns the answer as JSON.
func ok(t testing.TB, h wire.Handler, r request) string {
	t.Helper()
	answer, err := call(t, h, r)
	require.NoError(t, err)
	return body(t, answer)
}

// fails runs a handler that must fail with an error of that name and message.
func fails(t testing.TB, h wire.Handler, r request, name, message string) {
	t.Helper()
	answer, err := call(t, h, r)
	require.EqualError(t, err, message, "answer %v", answer)
	require.Equal(t, name, catalog.ErrorName(err), "%v", err)
	require.Nil(t, answer)
}

func object(t testing.TB, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func toJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// conditional is a decision under a rule on entities.
func conditional(rule string, params *jsonvalue.Object) permission.Decision {
	return permission.Decision{Result: permission.Conditional, Criteria: &permission.Criteria{
		Rule: &permission.Rule{Name: rule, ResourceType: catalogapi.EntityType, Params: params},
	}}
}

func deny(permission.Permission, string) (permission.Decision, error) {
	return permission.Decision{}, nil
}

// ownedByTeam is the condition that a team owns the entity, and the predicate
// that it stands for.
func ownedByTeam(permission.Permission, string) (permission.Decision, error) {
	return conditional("IS_ENTITY_OWNER", wire.Obj("claims", []any{"group:default/Team"})), nil
}

const ownedByTeamPredicate = `{"relations.ownedBy":{"$in":["group:default/Team"]}}`

func githubHost(u *url.URL) string {
	switch u.Host {
	case "github.com", "ghe.example.com":
		return "github"
	case "gitlab.com":
		return "gitlab"
	case "dev.azure.com":
		return "azure"
	}
	return ""
}
