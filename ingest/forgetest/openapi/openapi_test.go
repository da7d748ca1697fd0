package openapi_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest/openapi"
)

const small = `{"openapi":"3.0.3","paths":{
 "/pets":{"get":{"parameters":[{"$ref":"#/components/parameters/page"}]},
  "post":{"requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/pet"}}}}}},
 "/pets/mine":{"get":{}},
 "/pets/{name}":{"get":{},"put":{"requestBody":{"content":{"application/json":{"schema":{"oneOf":[
   {"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"type":"object","properties":{"b":{"type":"integer"}},"required":["b"]}]}}}}}},
 "/files/{path}":{"get":{"parameters":[{"name":"path","in":"path","x-multi-segment":true}]}}},
 "components":{"parameters":{"page":{"name":"page","in":"query"}},
 "schemas":{"pet":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"age":{"type":"integer","nullable":true,"minimum":0,"exclusiveMinimum":true},
  "parent":{"$ref":"#/components/schemas/pet"},"tags":{"type":"object","additionalProperties":{"type":"string"}},"friends":{"type":"array","items":{"$ref":"#/components/schemas/pet"}},
  "kind":{"type":"string","enum":["cat","dog"]}}}}}}`

func TestCheck(t *testing.T) {
	d, err := openapi.Parse([]byte(small))
	require.NoError(t, err)
	for _, c := range []struct{ method, path, query, body, want string }{
		{"GET", "/pets", "page=2", "", ""},
		{"GET", "/pets/x", "", "", ""},
		{"GET", "/pets/mine", "", "", ""},
		{"GET", "/files/a/b/c", "", "", ""},
		{"POST", "/pets", "", `{"name":"a","age":null,"parent":{"name":"b"},"tags":{"any":"x"},"friends":[{"name":"c"}],"kind":"cat"}`, ""},
		{"PUT", "/pets/x", "", `{"b":1}`, ""},
		{"PUT", "/pets/x", "", ``, ""},
		{"GET", "/cats", "", "", "the path is not described"},
		{"GET", "/pets/a/b", "", "", "the path is not described"},
		{"DELETE", "/pets/x", "", "", "the method DELETE is not described for it, but "},
		{"GET", "/pets", "per=2", "", "the query parameter per is not described"},
		{"POST", "/pets", "", "", "a body is required"},
		{"POST", "/pets", "", "{", "the body is no JSON"},
		{"POST", "/pets", "", `{}`, "missing properties: 'name'"},
		{"POST", "/pets", "", `{"name":"a","age":0}`, "must be > 0"},
		{"POST", "/pets", "", `{"name":"a","age":"1"}`, "expected integer"},
		{"POST", "/pets", "", `{"name":"a","kind":"cow"}`, "value must be one of"},
		{"POST", "/pets", "", `{"name":"a","nane":"a"}`, "the field nane is not described"},
		{"POST", "/pets", "", `{"name":"a","parent":{"name":"b","nane":"x"}}`, "the field parent.nane is not described"},
		{"POST", "/pets", "", `{"name":"a","friends":[{"name":"b","nane":"x"}]}`, "the field friends[0].nane is not described"},
		{"POST", "/pets", "", `{"name":"a","tags":{"any":1}}`, "expected string"},
		{"PUT", "/pets/x", "", `{"c":1}`, "the field c is not described"},
		{"GET", "/pets/x", "", `{"c":1}`, "none is described"},
	} {
		query, err := url.ParseQuery(c.query)
		require.NoError(t, err)
		err = d.Check(c.method, c.path, query, []byte(c.body))
		if c.want == "" {
			require.NoError(t, err, "%s %s %s", c.method, c.path, c.body)
			continue
		}
		require.ErrorContains(t, err, c.want, "%s %s %s", c.method, c.path, c.body)
	}
	_, err = openapi.Parse([]byte(`{}`))
	require.Error(t, err)
}

// The real one is read and knows what is known of GitHub.
func TestGitHub(t *testing.T) {
	d, err := openapi.GitHub()
	if errors.Is(err, openapi.ErrMissing) {
		t.Skip(err)
	}
	require.NoError(t, err)
	require.NoError(t, d.Check("POST", "/repos/acme/shop/actions/workflows/ci.yaml/dispatches", nil, []byte(`{"ref":"main","return_run_details":true}`)))
	require.ErrorContains(t, d.Check("POST", "/repos/acme/shop/actions/workflows/ci.yaml/dispatches", nil, []byte(`{"ref":"main","returnRunDetails":true}`)), "the field returnRunDetails is not described")
	require.NoError(t, d.Check("GET", "/repos/acme/shop/contents/a/b.txt", url.Values{"ref": {"main"}}, nil))
}

func TestGitea(t *testing.T) {
	d, err := openapi.Gitea()
	if errors.Is(err, openapi.ErrMissing) {
		t.Skip(err)
	}
	require.NoError(t, err)
	require.NoError(t, d.Check("POST", "/orgs/acme/repos", nil, []byte(`{"name":"shop","default_branch":"main"}`)))
	require.ErrorContains(t, d.Check("POST", "/orgs/acme/repos", nil, []byte(`{"name":"shop","defaultBranch":"main"}`)), "the field defaultBranch is not described")
	require.ErrorContains(t, d.Check("POST", "/orgs/acme/repos", nil, []byte(`{}`)), "missing properties: 'name'")
}
