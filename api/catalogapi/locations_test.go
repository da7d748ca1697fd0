package catalogapi_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func location(id, target string) catalog.Location {
	l := catalog.LocationRef{Type: "url", Target: target}
	return catalog.Location{ID: id, Type: l.Type, Target: l.Target, EntityRef: l.EntityRef()}
}

var shop = location("id-1", "https://x/shop.yaml")

// shopWire is what shop looks like to clients.
func shopWire() string {
	return `{"id":"id-1","type":"url","target":"https://x/shop.yaml","entityRef":"` + shop.EntityRef + `"}`
}

func TestListLocations(t *testing.T) {
	f := &fake{locations: func() ([]catalog.Location, error) { return []catalog.Location{shop}, nil }}
	a := newAPI(t, f)
	assert.JSONEq(t, `[{"data":`+shopWire()+`}]`, ok(t, a.Locations, get("/locations")), "each in an object of its own")
	assert.Equal(t, []string{"user:default/jane catalog.location.read"}, f.asked)
	f.locations = func() ([]catalog.Location, error) { return nil, errors.New("disk") }
	fails(t, a.Locations, get("/locations"), "Error", "disk")
	f.locations = func() ([]catalog.Location, error) { return nil, nil }
	assert.Equal(t, `[]`, ok(t, a.Locations, get("/locations")))
	f.decide, f.locations = deny, nil
	assert.Equal(t, `[]`, ok(t, a.Locations, get("/locations")), "denied: empty, and nobody is asked for them")
	f.decide = ownedByTeam
	assert.Equal(t, `[]`, ok(t, a.Locations, get("/locations")), "a condition cannot hold for what is no resource")
}

func TestOneLocation(t *testing.T) {
	r := request{params: map[string]string{"id": "id%2F1"}}
	f := &fake{location: func(id string) (catalog.Location, error) {
		assert.Equal(t, "id/1", id)
		return shop, nil
	}}
	a := newAPI(t, f)
	assert.JSONEq(t, shopWire(), ok(t, a.Location, r), "without an object around it")
	f.location = func(string) (catalog.Location, error) {
		return catalog.Location{}, fmt.Errorf("x: %w", catalog.NewError(catalog.NameNotFound, "y"))
	}
	fails(t, a.Location, r, "NotFoundError", "Found no location with ID id/1")
	f.location = func(string) (catalog.Location, error) { return catalog.Location{}, errors.New("disk") }
	fails(t, a.Location, r, "Error", "disk")
	f.decide, f.location = deny, nil
	fails(t, a.Location, r, "NotFoundError", "Found no location with ID id/1")
}

func TestLocationByEntity(t *testing.T) {
	r := request{params: map[string]string{"kind": "Component", "namespace": "Default", "name": "Web"}}
	f := &fake{}
	a := newAPI(t, f)
	entity := func(text string) {
		f.byRef = func(ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
			assert.Equal(t, "component:default/web", ref)
			if text == "" {
				return catalogapi.Page{}, nil
			}
			return catalogapi.Page{Body: []byte(text)}, nil
		}
	}
	entity(``)
	fails(t, a.LocationByEntity, r, "NotFoundError", "found no entity for ref component:default/web")
	entity(`{"metadata":{}}`)
	fails(t, a.LocationByEntity, r, "NotFoundError", "found no origin annotation for ref component:default/web")
	entity(`{"metadata":{"annotations":{"backstage.io/managed-by-origin-location":"url:https://x/shop.yaml"}}}`)
	f.locationByRef = func(l catalog.LocationRef) (catalog.Location, bool, error) {
		assert.Equal(t, shop.Ref(), l)
		return shop, true, nil
	}
	assert.JSONEq(t, shopWire(), ok(t, a.LocationByEntity, r))
	f.locationByRef = func(catalog.LocationRef) (catalog.Location, bool, error) { return catalog.Location{}, false, nil }
	fails(t, a.LocationByEntity, r, "NotFoundError", "Found no location with type url and target https://x/shop.yaml")
	f.decide, f.byRef = deny, nil
	fails(t, a.LocationByEntity, r, "NotFoundError", "")
}

func TestCreateLocation(t *testing.T) {
	const body = `{"type":"url","target":"https://x/shop.yaml","presence":"optional"}`
	var onConflict []string
	f := &fake{register: func(l catalog.LocationRef, conflict string) (catalog.Location, error) {
		assert.Equal(t, shop.Ref(), l)
		onConflict = append(onConflict, conflict)
		return shop, nil
	}}
	a := newAPI(t, f)
	for _, query := range []string{"", "?onConflict=refresh", "?onConflict=reject", "?dryRun=no", "?dryRun=whatever"} {
		r := post(body)
		r.target = "/locations" + query
		code, text := status(t, a.CreateLocation, r)
		assert.Equal(t, 201, code)
		assert.JSONEq(t, `{"location":`+shopWire()+`,"entities":[]}`, text)
	}
	assert.Equal(t, []string{"reject", "refresh", "reject", "reject", "reject"}, onConflict)
	assert.Equal(t, "user:default/jane catalog.location.create", f.asked[0])
	status(t, newAPI(t, f, func(o *catalogapi.Options) { o.OnConflict = "refresh" }).CreateLocation, post(body))
	assert.Equal(t, "refresh", onConflict[5], "the configured strategy")

	f.register = func(catalog.LocationRef, string) (catalog.Location, error) {
		return catalog.Location{}, catalog.NewError(catalog.NameConflict, "Location url:https://x/shop.yaml already exists")
	}
	fails(t, a.CreateLocation, post(body), "ConflictError", "Location url:https://x/shop.yaml already exists")
}

func TestLocationsThatAreRefused(t *testing.T) {
	f := &fake{}
	plain := newAPI(t, f)
	for _, tc := range []struct{ name, body, message string }{
		{"a type that may not be registered", `{"type":"file","target":"/etc/passwd"}`, `Registered locations must be of an allowed type ["url"]`},
		{"nothing", `{"type":"url","target":" "}`, "request/body/target must not be empty"},
		{"a script", `{"type":"url","target":"java\nscript:alert(1)"}`, "request/body/target must not be a javascript: URL"},
	} {
		for target, h := range map[string]wire.Handler{"/": plain.CreateLocation, "/?dryRun=true": plain.CreateLocation, "/locations/x": plain.UpdateLocation} {
			r := post(tc.body)
			r.target = target
			fails(t, h, r, "InputError", tc.message)
		}
	}
	for body, message := range map[string]string{
		`{"type":"url","target":"x","b":1,"a'":2}`:     "Malformed request: [\n  {\n    \"code\": \"unrecognized_keys\",\n    \"keys\": [\n      \"b\",\n      \"a'\"\n    ],\n    \"path\": [],\n    \"message\": \"Unrecognized key(s) in object: 'b', 'a''\"\n  }\n]",
		`{"type":"url","target":"x","presence":"may"}`: "Malformed request: [\n  {\n    \"received\": \"may\",\n    \"code\": \"invalid_enum_value\",\n    \"options\": [\n      \"required\",\n      \"optional\"\n    ],\n    \"path\": [\n      \"presence\"\n    ],\n    \"message\": \"Invalid enum value. Expected 'required' | 'optional', received 'may'\"\n  }\n]",
		`{"type":"url","target":"x","presence":null}`:  "Malformed request: [\n  {\n    \"expected\": \"'required' | 'optional'\",\n    \"received\": \"null\",\n    \"code\": \"invalid_type\",\n    \"path\": [\n      \"presence\"\n    ],\n    \"message\": \"Expected 'required' | 'optional', received null\"\n  }\n]",
	} {
		fails(t, plain.CreateLocation, post(body), "InputError", message)
	}
	assert.NotContains(t, f.asked, "catalog.location.delete")

	more := newAPI(t, &fake{register: func(l catalog.LocationRef, _ string) (catalog.Location, error) {
		return catalog.Location{Type: l.Type}, nil
	}},
		func(o *catalogapi.Options) { o.LocationTypes = []string{"url", "directory"} })
	ok(t, more.CreateLocation, post(`{"type":"directory","target":"./x"}`))
	fails(t, more.CreateLocation, post(`{"type":"file","target":"./x"}`), "InputError", `Registered locations must be of an allowed type ["url","directory"]`)
}

func TestDryRun(t *testing.T) {
	f := &fake{dryRun: func(l catalog.LocationRef) (engine.DryRun, error) {
		assert.Equal(t, shop.Ref(), l)
		return engine.DryRun{Exists: true, Location: catalog.Location{ID: l.String(), Type: l.Type, Target: l.Target, EntityRef: "r"},
			Entities: []catalog.Entity{{Object: object(t, `{"kind":"Location"}`)}, {Object: object(t, `{"kind":"Component"}`)}}}, nil
	}}
	for _, a := range []*catalogapi.API{newAPI(t, f), newAPI(t, f, func(o *catalogapi.Options) { o.Readonly = true })} {
		for _, yes := range []string{"y", "YES", "true", "1", "On", "%20true%20"} {
			r := post(`{"type":"url","target":"https://x/shop.yaml"}`)
			r.target = "/locations?dryRun=" + yes
			code, text := status(t, a.CreateLocation, r)
			assert.Equal(t, 201, code)
			assert.JSONEq(t, `{"exists":true,"location":{"id":"url:https://x/shop.yaml","type":"url","target":"https://x/shop.yaml","entityRef":"r"},"entities":[{"kind":"Location"},{"kind":"Component"}]}`, text)
		}
	}
	r := post(`{"type":"url","target":"https://x/shop.yaml"}`)
	r.target = "/locations?dryRun=true"
	f.decide, f.dryRun = deny, nil
	fails(t, newAPI(t, f).CreateLocation, r, "NotAllowedError", "")
}

func TestChangingLocations(t *testing.T) {
	put := request{method: "PUT", params: map[string]string{"id": "id-1"}, body: `{"type":"url","target":"https://x/shop.yaml"}`}
	del := request{method: "DELETE", params: map[string]string{"id": "id-1"}}
	var did []string
	f := &fake{
		update: func(id string, l catalog.LocationRef) (catalog.Location, error) {
			did = append(did, "update "+id+" "+l.String())
			return shop, nil
		},
		deleteLocation: func(id string) error { did = append(did, "delete "+id); return nil },
	}
	a := newAPI(t, f)
	assert.JSONEq(t, shopWire(), ok(t, a.UpdateLocation, put))
	code, _ := status(t, a.DeleteLocation, del)
	assert.Equal(t, 204, code)
	assert.Equal(t, []string{"update id-1 url:https://x/shop.yaml", "delete id-1"}, did)
	assert.Equal(t, []string{"user:default/jane catalog.location.create", "user:default/jane catalog.location.delete"}, f.asked)

	missing := catalog.NewError(catalog.NameNotFound, "in the words of the domain")
	f.update = func(string, catalog.LocationRef) (catalog.Location, error) { return catalog.Location{}, missing }
	f.deleteLocation = func(string) error { return missing }
	fails(t, a.UpdateLocation, put, "NotFoundError", "Found no location with ID id-1")
	fails(t, a.DeleteLocation, del, "NotFoundError", "Found no location with ID id-1")
}

// Read-only mode comes before permissions, and those before the engine.
func TestWhoMayChangeLocations(t *testing.T) {
	f := &fake{}
	f.decide = func(permission.Permission, string) (permission.Decision, error) {
		t.Error("asked in read-only mode")
		return permission.Decision{}, nil
	}
	const notAllowed = "This operation not allowed in readonly mode"
	a := newAPI(t, f, func(o *catalogapi.Options) { o.Readonly = true })
	create := post(`{"type":"url","target":"x"}`)
	update, remove := create, request{method: "DELETE", params: map[string]string{"id": "x"}}
	update.method, update.params = "PUT", remove.params
	fails(t, a.CreateLocation, create, "NotAllowedError", notAllowed)
	fails(t, a.UpdateLocation, update, "NotAllowedError", notAllowed)
	fails(t, a.DeleteLocation, remove, "NotAllowedError", notAllowed)
	for _, decide := range []func(permission.Permission, string) (permission.Decision, error){deny, ownedByTeam} {
		a := newAPI(t, &fake{decide: decide})
		fails(t, a.CreateLocation, create, "NotAllowedError", "")
		fails(t, a.UpdateLocation, update, "NotAllowedError", "")
		fails(t, a.DeleteLocation, remove, "NotAllowedError", "")
	}
}

// tenLocations are id-0 to id-9, with targets that tell odd from even.
func tenLocations() ([]catalog.Location, error) {
	var list []catalog.Location
	for i := range 10 {
		parity := "Even"
		if i%2 == 1 {
			parity = "odd"
		}
		list = append(list, location(fmt.Sprintf("id-%d", i), fmt.Sprintf("https://x/%s/%d", parity, i)))
	}
	return list, nil
}

type locationPage struct {
	Items      []struct{ ID string }
	TotalItems int
	PageInfo   struct{ NextCursor string }
}

func queryLocations(t testing.TB, a *catalogapi.API, text string) (p locationPage) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(ok(t, a.QueryLocations, post(text))), &p))
	return p
}

func (p locationPage) ids() (s string) {
	for _, i := range p.Items {
		s += strings.TrimPrefix(i.ID, "id-")
	}
	return s
}

func TestLocationPredicates(t *testing.T) {
	a := newAPI(t, &fake{locations: tenLocations})
	for query, want := range map[string]string{
		`{}`: "0123456789", `{"id":"id-3"}`: "3", `{"ID":"ID-3"}`: "3", `{"type":"URL"}`: "0123456789", `{"type":"file"}`: "",
		`{"target":"https://X/even/2"}`: "2", `{"target":{"$hasPrefix":"HTTPS://x/EVEN/"}}`: "02468", `{"target":{"$hasPrefix":""}}`: "0123456789",
		`{"target":{"$hasPrefix":"https://x/even/"},"id":{"$in":["id-1","id-2"]}}`: "2",
		`{"id":{"$in":["ID-1","id-2"]}}`:                                           "2", `{"type":{"$in":["URL"]}}`: "0123456789", `{"id":{"$in":[]}}`: "", `{"id":{"$in":[1,true]}}`: "",
		`{"id":{"$exists":true}}`: "0123456789", `{"id":{"$exists":false}}`: "", `{"target":{"$contains":"x"}}`: "", `{"target":{"$contains":{"a":1}}}`: "",
		`{"$all":[]}`: "", `{"$any":[]}`: "", `{"$all":[{"id":"id-1"},{"type":"url"}]}`: "1", `{"$any":[{"id":"id-1"},{"id":"id-5"}]}`: "15",
		`{"$not":{"target":{"$hasPrefix":"https://x/even/"}}}`: "13579", `{"$not":{}}`: "", `{"$not":{"$any":[]}}`: "0123456789",
		`{"id":{"$in":["id-1"],"$exists":false}}`: "", `{"entityRef":{"$hasPrefix":"location:default/generated-"}}`: "0123456789",
	} {
		assert.Equal(t, want, queryLocations(t, a, `{"query":`+query+`}`).ids(), query)
	}
	for query, message := range map[string]string{
		`{"kind":"x"}`:             "Invalid filter predicate, expected key to be 'id', 'type', 'target', or 'entityRef', got 'kind'",
		`{"$not":"x"}`:             `Invalid filter predicate: top-level primitive values are not supported. Wrap the value in a field expression, e.g. { "kind": "component" }`,
		`{"$all":["x"]}`:           `Invalid filter predicate: top-level primitive values are not supported. Wrap the value in a field expression, e.g. { "kind": "component" }`,
		`{"$all":{}}`:              "Invalid query: $all must be a list",
		`{"$any":[{"kind":1}]}`:    "Invalid filter predicate, expected key to be 'id', 'type', 'target', or 'entityRef', got 'kind'",
		`{"$all":[],"id":"x"}`:     `Invalid query: Validation error: Invalid at "$all"`,
		`{"$nope":[]}`:             `Invalid query: Validation error: Invalid at "$nope"`,
		`{"id":null}`:              `Invalid query: Validation error: Invalid at "id"`,
		`{"id":["a"]}`:             `Invalid query: Validation error: Invalid at "id"`,
		`{"id":{}}`:                `Invalid query: Validation error: Invalid at "id"`,
		`{"id":{"$in":"a"}}`:       `Invalid query: Validation error: Invalid at "id"`,
		`{"id":{"$in":[null]}}`:    `Invalid query: Validation error: Invalid at "id"`,
		`{"id":{"$exists":"yes"}}`: `Invalid query: Validation error: Invalid at "id"`,
		`{"id":{"$hasPrefix":1}}`:  `Invalid query: Validation error: Invalid at "id"`,
		strings.Repeat(`{"$not":`, 200) + `{}` + strings.Repeat(`}`, 200): "Invalid query: nested too deep",
	} {
		fails(t, a.QueryLocations, post(`{"query":`+query+`}`), "InputError", message)
	}
}

func TestLocationPages(t *testing.T) {
	f := &fake{locations: tenLocations}
	a := newAPI(t, f)
	const odd = `{"target":{"$hasPrefix":"https://x/odd"}}`
	text, seen := `{"limit":2,"query":`+odd+`}`, ""
	for pages := 0; ; pages++ {
		p := queryLocations(t, a, text)
		assert.Equal(t, 5, p.TotalItems, "the total is that of the query, on every page")
		seen += p.ids() + " "
		if p.PageInfo.NextCursor == "" {
			break
		}
		require.Less(t, pages, 5)
		text = `{"limit":9,"query":{"type":"file"},"cursor":"` + p.PageInfo.NextCursor + `"}`
	}
	assert.Equal(t, "13 57 9 ", seen, "a cursor decides everything, the limit too")

	assert.Equal(t, "0123456789", queryLocations(t, a, `{}`).ids())
	p := queryLocations(t, a, `{"limit":10}`)
	assert.Empty(t, p.PageInfo.NextCursor, "no more rows, no cursor")
	for _, limit := range []string{`0`, `-1`, `1.5`} {
		fails(t, a.QueryLocations, post(`{"limit":`+limit+`}`), "InputError", "Limit must be a positive integer >= 1")
	}
	f.decide, f.locations = deny, nil
	assert.JSONEq(t, `{"items":[],"totalItems":0,"pageInfo":{}}`, ok(t, a.QueryLocations, post(`{}`)))
}

func TestLocationCursorsMadeByHand(t *testing.T) {
	a := newAPI(t, &fake{locations: tenLocations})
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, cursor := range []string{"", "x", "%%%", encode("x"), encode(`[]`), encode(`{}`), encode(`{"limit":1}`), encode(`{"limit":1,"afterId":""}`),
		encode(`{"limit":1,"afterId":5}`), encode(`{"afterId":"x"}`), encode(`{"limit":1,"afterId":"x","query":"y"}`), encode(`{"limit":1,"afterId":"x","query":null}`),
		encode(strings.Repeat("[", 10_000))} {
		fails(t, a.QueryLocations, post(toJSON(t, map[string]any{"cursor": cursor})), "InputError", "Malformed cursor, could not be parsed")
	}
	fails(t, a.QueryLocations, post(toJSON(t, map[string]any{"cursor": encode(`{"limit":0,"afterId":"x"}`)})), "InputError", "Limit must be a positive integer >= 1")
	fails(t, a.QueryLocations, post(toJSON(t, map[string]any{"cursor": encode(`{"limit":1,"afterId":"x","query":{"kind":1}}`)})), "InputError",
		"Invalid filter predicate, expected key to be 'id', 'type', 'target', or 'entityRef', got 'kind'")
	p := queryLocations(t, a, toJSON(t, map[string]any{"cursor": encode(`{"limit":1e300,"afterId":"id-7"}`)}))
	assert.Equal(t, "89", p.ids())
}

// FuzzLocationQuery: a body is refused in known words, or its pages put together
// are the one page that holds all.
func FuzzLocationQuery(f *testing.F) {
	for _, s := range []string{`{"query":{"$not":{"id":"id-1"}},"limit":2}`, `{"query":{"$any":[{"target":{"$hasPrefix":"https://x/e"}},{"id":{"$in":["id-1",5]}}]},"limit":1}`,
		`{"cursor":"eyJsaW1pdCI6MSwiYWZ0ZXJJZCI6ImlkLTcifQ=="}`, `{"query":{"ID":{"$contains":1}}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := newAPI(t, &fake{locations: tenLocations})
		answer, err := call(t, a.QueryLocations, post(text))
		if err != nil {
			require.ErrorIs(t, err, catalog.ErrInput)
			return
		}
		var first locationPage
		require.NoError(t, json.Unmarshal([]byte(body(t, answer)), &first))
		o, err := jsonvalue.ParseObject([]byte(text))
		if err != nil || o.Has("cursor") {
			return
		}
		o.Set("limit", 10.0)
		all := queryLocations(t, a, string(jsonvalue.Append(nil, o)))
		require.Equal(t, all.TotalItems, first.TotalItems)
		require.Len(t, all.Items, all.TotalItems)
		ids := first.ids()
		for pages := 0; first.PageInfo.NextCursor != ""; pages++ {
			require.Less(t, pages, 10)
			first = queryLocations(t, a, toJSON(t, map[string]any{"cursor": first.PageInfo.NextCursor}))
			ids += first.ids()
		}
		require.Equal(t, all.ids(), ids)
	})
}
