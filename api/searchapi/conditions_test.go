package searchapi_test

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

const entityType = "catalog-entity"

func oneOf(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }

// someEntities makes up a small catalog in which conditions tell things apart.
func someEntities(t testing.TB, r *rand.Rand, n int) []catalog.Entity {
	out := make([]catalog.Entity, n)
	for i := range out {
		owner := oneOf(r, "shop", "rentals", "platform")
		out[i] = entity(t, fmt.Sprintf(`{"apiVersion":"backstage.io/v1alpha1","kind":%q,
			"metadata":{"name":"%s-%d","description":"The %s of the %s","annotations":{"tier":%q},"labels":{"zone":%q},"tags":[%q]},
			"spec":{"type":%q,"owner":%q},"relations":[{"type":"ownedBy","targetRef":"group:default/%s"}]}`,
			oneOf(r, "Component", "API", "System"), oneOf(r, "cart", "booking", "fleet"), i, oneOf(r, "cart", "heart", "part"), owner,
			oneOf(r, "1", "2"), oneOf(r, "eu", "us"), oneOf(r, "java", "go"), oneOf(r, "service", "library"), owner, owner))
	}
	return out
}

// someCriteria makes up a condition.
func someCriteria(r *rand.Rand, depth int) *permission.Criteria {
	if depth > 0 && r.IntN(3) > 0 {
		list := []*permission.Criteria{someCriteria(r, depth-1), someCriteria(r, depth-1)}
		switch r.IntN(3) {
		case 0:
			return &permission.Criteria{AllOf: list}
		case 1:
			return &permission.Criteria{AnyOf: list}
		}
		return &permission.Criteria{Not: list[0]}
	}
	rule := func(name string, params ...any) *permission.Criteria {
		return &permission.Criteria{Rule: &permission.Rule{Name: name, ResourceType: entityType, Params: wire.Obj(params...)}}
	}
	switch r.IntN(6) {
	case 0:
		return rule("IS_ENTITY_KIND", "kinds", []any{oneOf(r, "component", "API", "Nope")})
	case 1:
		return rule("IS_ENTITY_OWNER", "claims", []any{"group:default/" + oneOf(r, "shop", "rentals"), "user:default/guest"})
	case 2:
		return rule("HAS_ANNOTATION", "annotation", "tier", "value", oneOf(r, "1", "2", "3"))
	case 3:
		return rule("HAS_LABEL", "label", oneOf(r, "zone", "nope"))
	case 4:
		return rule("HAS_METADATA", "key", "tags."+oneOf(r, "java", "go"))
	}
	return rule("HAS_SPEC", "key", "type", "value", oneOf(r, "service", "library"))
}

// found returns all results of a query, page by page, without the ranks.
func (s *server) found(rawQuery string, pageLimit int) (out []string, total float64) {
	next := ""
	for {
		body := s.query(fmt.Sprintf("%s&pageLimit=%d&pageCursor=%s", rawQuery, pageLimit, url.QueryEscape(next)))
		total = body.Value("numberOfResults").(float64)
		for _, v := range body.Value("results").([]any) {
			o := v.(*jsonvalue.Object)
			o.Delete("rank")
			out = append(out, string(jsonvalue.Append(nil, o)))
		}
		if next = body.String("nextPageCursor"); next == "" {
			return out, total
		}
	}
}

// refOf reads the ref of a result out of its location.
func refOf(t *testing.T, result string) string {
	o, err := jsonvalue.ParseObject([]byte(result))
	require.NoError(t, err)
	segments := strings.Split(o.Object("document").String("location"), "/")
	return segments[3] + ":" + segments[2] + "/" + segments[4]
}

// A search under a condition finds what a search without one finds, less that
// of which the catalog says that it does not meet the condition; page by page,
// in the same order, with the same marks.
func TestConditionsFilterAndDoNothingElse(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	s := newServer(t, nil, someEntities(t, r, 120)...)
	some := 0
	for range 60 {
		rawQuery := "types=software-catalog&term=" + oneOf(r, "", "cart", "car", "heart+rentals", "bokoing", "component", "xyz")
		if r.IntN(3) == 0 {
			rawQuery += "&filters[kind]=" + oneOf(r, "Component", "API")
		}
		s.policy.decide = nil
		all, _ := s.found(rawQuery, 100)

		criteria := someCriteria(r, 3)
		refs := []any{}
		for _, result := range all {
			refs = append(refs, refOf(t, result))
		}
		status, body := s.ask("POST", "/api/catalog/.well-known/backstage/permissions/apply-conditions", serviceToken,
			string(jsonvalue.Append(nil, wire.Obj("items", []any{
				wire.Obj("id", "1", "resourceRef", refs, "resourceType", entityType, "conditions", criteria.JSON())}))))
		require.Equal(t, 200, status, body)
		var want []string
		for i, verdict := range body.Value("items").([]any)[0].(*jsonvalue.Object).Value("result").([]any) {
			if verdict == "ALLOW" {
				want = append(want, all[i])
			}
		}
		s.policy.decide = func(p permission.Permission) (permission.Decision, error) {
			require.Equal(t, "catalog.entity.read", p.Name)
			return permission.Decision{Result: permission.Conditional, Criteria: criteria}, nil
		}
		got, total := s.found(rawQuery, 1+r.IntN(20))
		require.Equal(t, want, got, "%s under %s", rawQuery, jsonvalue.Append(nil, criteria.JSON()))
		require.EqualValues(t, len(want), total)
		if len(want) > 0 && len(want) < len(all) {
			some++
		}
	}
	require.Greater(t, some, 10, "the conditions have told things apart")
}

// Whatever a query string holds, it is answered or refused.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"term=cart&pageLimit=0&pageCursor=", "types%5B0%5D=software-catalog", "filters%5Bkind%5D%5B0%5D=API&filters[kind][1]=x",
		"filters=abc", "filters[a", "filters[]=1&filters[a][b][c]=1", "pageCursor=MQ%3D%3D", "pageCursor=%00", "term=%ff%fe", "term=a&term=b",
		"pageLimit=0x10", "pageLimit=-1", "term[0]=a", "&&=&=a&[]=b", "types=&types=software-catalog",
	} {
		f.Add(seed)
	}
	s := newServer(f, nil, component(f, "cart", "shop"), component(f, "booking", "rentals"))
	f.Fuzz(func(t *testing.T, rawQuery string) {
		r := httptest.NewRequest("GET", "/api/search/query", nil)
		r.URL.RawQuery = rawQuery
		r.Header.Set("Authorization", "Bearer "+s.token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Contains(t, []int{200, 400}, w.Code, w.Body)
		o, err := jsonvalue.ParseObject(w.Body.Bytes())
		require.NoError(t, err)
		require.NotEqual(t, o.Has("results"), o.Has("error"))
	})
}
