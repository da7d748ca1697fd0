package searchapi_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/searchapi"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/search"
)

func encoded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestResults(t *testing.T) {
	s := newServer(t, nil, component(t, "cart", "shop"), component(t, "cart-api", "shop"), component(t, "booking", "rentals"))
	body := s.query("term=cart")
	first := body.Value("results").([]any)[0].(*jsonvalue.Object)
	highlight := first.Object("highlight")
	pre, post := highlight.String("preTag"), highlight.String("postTag")
	require.Regexp(t, `^<[0-9a-f-]{36}>$`, pre, "no characters that mean something in a regular expression")
	require.Equal(t, "</"+pre[1:], post)
	require.Equal(t, pre+"cart"+post, highlight.Object("fields").String("title"))
	first.Delete("highlight")
	require.JSONEq(t, `{"type":"software-catalog","rank":1,"document":{"title":"cart","text":"","componentType":"service","type":"service",
		"namespace":"default","kind":"Component","lifecycle":"production","owner":"shop","location":"/catalog/default/component/cart"}}`,
		string(jsonvalue.Append(nil, first)))
	require.Equal(t, []string{"cart", "cart-api"}, titles(body))
	require.EqualValues(t, 2, body.Value("numberOfResults"))
	require.False(t, body.Has("nextPageCursor") || body.Has("previousPageCursor"))

	again := s.query("term=booking").Value("results").([]any)[0].(*jsonvalue.Object)
	require.Equal(t, pre, again.Object("highlight").String("preTag"), "the tags are those of the process")
	none := s.query("").Value("results").([]any)[0].(*jsonvalue.Object)
	require.Equal(t, 0, none.Object("highlight").Object("fields").Len(), "without a term nothing is marked")
}

func TestParameters(t *testing.T) {
	s := newServer(t, nil, component(t, "cart", "shop"), component(t, "booking", "rentals"),
		entity(t, `{"kind":"API","metadata":{"name":"cart-rest"},"spec":{"type":"openapi"}}`))
	s.docs.Replace([]search.Document{{Key: "n", Body: wire.Obj("title", "note on carts", "text", "", "location", "/n")}})
	everything := []string{"booking", "cart", "cart-rest", "note on carts"}
	for _, tc := range []struct {
		name, query string
		want        []string
	}{
		{"nothing finds everything, by title", "", everything},
		{"the empty cursor is the first page, and 0 the default limit", "term=&pageCursor=&pageLimit=0", everything},
		{"what is not known is ignored", "nope=1&term=booking&filter=x", []string{"booking"}},
		{"a type", "types=notes", []string{"note on carts"}},
		{"types as lists are written", "types[]=notes&types%5B%5D=software-catalog", everything},
		{"types with indexes", "types%5B0%5D=notes", []string{"note on carts"}},
		{"a filter, whatever its case", "filters[kind]=component", []string{"booking", "cart"}},
		{"a filter with a list, as qs writes it", "filters%5Bkind%5D%5B0%5D=API&filters%5Bkind%5D%5B1%5D=Component", []string{"booking", "cart", "cart-rest"}},
		{"a filter that is repeated", "filters[kind]=API&filters[kind]=Component", []string{"booking", "cart", "cart-rest"}},
		{"a list of one", "filters[kind][]=API", []string{"cart-rest"}},
		{"filters hold together", "filters[kind]=Component&filters[owner]=shop", []string{"cart"}},
		{"a type without the field is left out", "filters[owner]=shop", []string{"cart"}},
		{"a filter that is deeper means nothing", "filters[kind][a][b]=x", everything},
		{"an empty value is no filter", "filters[kind]=", []string{"booking", "cart", "cart-rest", "note on carts"}},
		{"a plus is a blank", "term=note+carts&types=notes", []string{"note on carts"}},
		{"the longest term", "term=" + strings.Repeat("x", 100), []string{}},
		{"the largest page", "pageLimit=100", everything},
		{"a number as JavaScript reads it", "pageLimit=1e1", everything},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, titles(s.query(tc.query))) })
	}
}

// Each refusal, with the words that the reference has for it.
func TestRefusals(t *testing.T) {
	s := newServer(t, nil, component(t, "cart", "shop"))
	for _, tc := range []struct {
		name, query string
		message     string // all of it, or the part that is given
	}{
		{"a limit that is none", "pageLimit=x", "request/query/pageLimit must be integer"},
		{"an empty limit", "pageLimit=", "request/query/pageLimit must be integer"},
		{"half a result", "pageLimit=1.5", "request/query/pageLimit must be integer"},
		{"two limits", "pageLimit=1&pageLimit=2", "request/query/pageLimit must be integer"},
		{"two terms", "term=a&term=b", "request/query/term must be string"},
		{"a term that is an object", "term[a]=b", "request/query/term must be string"},
		{"two cursors", "pageCursor=a&pageCursor=b", "request/query/pageCursor must be string"},
		{"filters that are a text", "filters=abc", "request/query/filters must be object"},
		{"filters that are a list", "filters[0]=abc", "request/query/filters must be object"},
		{"types that are an object", "types[a]=b", "request/query/types must be array"},
		{"a page that is too large", "pageLimit=101", `The page limit \"101\" is greater than \"100\"`},
		{"a page that is endless", "pageLimit=1e300", `is greater than \"100\"`},
		{"less than nothing", "pageLimit=-1", `The page limit \"-1\" is less than \"0\"`},
		{"a term that is too long", "term=" + strings.Repeat("x", 101), `The term length \"101\" is greater than \"100\"`},
		{"lengths are counted as JavaScript counts them", "term=" + strings.Repeat("%F0%9F%9A%80", 51), `The term length \"102\" is greater than \"100\"`},
		{"a type that is none", "types=nope", `There is no type \"nope\"`},
		{"an empty type", "types=", `There is no type \"\"`},
		{"more filters than anybody needs", strings.Repeat("filters[kind]=a&", 101), `The number of filter values \"101\"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, body := s.ask("GET", "/api/search/query?"+tc.query, s.token, "")
			require.Equal(t, 400, status)
			require.Equal(t, "InputError", body.Object("error").String("name"))
			message := body.Object("error").String("message")
			require.Contains(t, message, tc.message)
			if !strings.HasPrefix(tc.message, "request/") {
				require.True(t, strings.HasPrefix(message, "Invalid query string: ["), message)
				_, err := jsonvalue.Parse([]byte(strings.TrimPrefix(message, "Invalid query string: ")))
				require.NoError(t, err, "what follows is a list of issues")
			}
			require.Equal(t, "/query?"+tc.query, body.Object("request").String("url"))
		})
	}
	status, body := s.ask("GET", "/api/search/query?term="+strings.Repeat("x", 101)+"&pageLimit=101&types=nope", s.token, "")
	require.Equal(t, 400, status)
	require.Equal(t, 3, strings.Count(body.Object("error").String("message"), `"code": "custom"`), "all issues at once")
}

func TestPaging(t *testing.T) {
	s := newServer(t, nil)
	var documents []search.Document
	for i := range 60 {
		documents = append(documents, search.Document{Key: fmt.Sprint(i), Body: wire.Obj("title", fmt.Sprintf("%02d", i), "location", "/x")})
	}
	s.docs.Replace(documents)
	var all []string
	next := ""
	for number := 0; ; number++ {
		body := s.query("pageCursor=" + url.QueryEscape(next))
		for i, v := range body.Value("results").([]any) {
			require.EqualValues(t, number*25+i+1, v.(*jsonvalue.Object).Value("rank"), "ranks count from the first page on")
		}
		require.EqualValues(t, 60, body.Value("numberOfResults"))
		require.Equal(t, number > 0, body.Has("previousPageCursor"))
		all = append(all, titles(body)...)
		if next = body.String("nextPageCursor"); next == "" {
			break
		}
		require.Equal(t, encoded(fmt.Sprint(number+1)), next)
	}
	require.Len(t, all, 60)
	require.True(t, slices.IsSorted(all))

	for _, tc := range []struct{ name, cursor, previous string }{
		{"beyond the end", encoded("7"), encoded("6")},
		{"garbage", "garbage!", ""},
		{"no number", encoded("abc"), ""},
		{"a negative page", encoded("-1"), ""},
		{"half a page", encoded("1.5"), ""},
		{"a page that no result has", encoded("99999999999999999999"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			body := s.query("pageCursor=" + url.QueryEscape(tc.cursor))
			require.Empty(t, titles(body))
			require.EqualValues(t, 60, body.Value("numberOfResults"))
			require.Equal(t, tc.previous, body.String("previousPageCursor"))
			require.False(t, body.Has("nextPageCursor"))
		})
	}
	require.Len(t, titles(s.query("pageCursor="+strings.TrimRight(encoded("1"), "="))), 25, "padding can be left out")
}

func TestWhoMayAsk(t *testing.T) {
	s := newServer(t, nil, component(t, "cart", "shop"))
	for _, tc := range []struct {
		name, token string
		status      int
		want        []string
	}{
		{"nobody", "", 401, nil},
		{"a token that is none", "nope", 401, nil},
		{"a user", s.token, 200, []string{"cart"}},
		{"a service", serviceToken, 200, []string{"cart"}},
		{"a service for search alone", searchToken, 200, []string{"cart"}},
		{"a service that may read nothing", actionToken, 200, []string{}},
		{"a service of another plugin", scaffoldToken, 403, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, body := s.ask("GET", "/api/search/query?types=software-catalog", tc.token, "")
			require.Equal(t, tc.status, status)
			if tc.want != nil {
				require.Equal(t, tc.want, titles(body))
			}
		})
	}
}

func TestPermissionRoutes(t *testing.T) {
	s := newServer(t, nil)
	const base = "/api/search/.well-known/backstage/permissions/"
	status, body := s.ask("GET", base+"metadata", s.token, "")
	require.Equal(t, 200, status)
	require.Equal(t, `{"permissions":[],"rules":[]}`, string(jsonvalue.Append(nil, body)))
	status, body = s.ask("POST", base+"apply-conditions", serviceToken, `{"items":[]}`)
	require.Equal(t, 200, status)
	require.Equal(t, `{"items":[]}`, string(jsonvalue.Append(nil, body)))
	status, body = s.ask("POST", base+"apply-conditions", serviceToken,
		`{"items":[{"id":"1","resourceRef":"a","resourceType":"catalog-entity","conditions":{"rule":"R","resourceType":"catalog-entity"}}]}`)
	require.Equal(t, 400, status)
	require.Equal(t, "Unexpected resource types: catalog-entity.", body.Object("error").String("message"))
	status, _ = s.ask("POST", base+"apply-conditions", s.token, `{"items":[]}`)
	require.Equal(t, 403, status)
	status, _ = s.ask("GET", "/api/search/nope", s.token, "")
	require.Equal(t, 404, status)
	status, body = s.ask("GET", "/api/search/openapi.json", s.token, "")
	require.Equal(t, 200, status)
	require.NotNil(t, body.Object("paths").Object("/api/search/query").Object("get"))
}

func TestDeniedTypesAreLeftOut(t *testing.T) {
	s := newServer(t, nil, component(t, "cart", "shop"))
	s.docs.Replace([]search.Document{{Key: "n", Body: wire.Obj("title", "note", "location", "/n")}})
	s.policy.decide = func(permission.Permission) (permission.Decision, error) {
		return permission.Decision{Result: permission.Deny}, nil
	}
	require.Equal(t, []string{"note"}, titles(s.query("")), "a type without a permission is for everybody")
	require.Equal(t, `{"results":[]}`, string(jsonvalue.Append(nil, s.query("types=software-catalog"))))
	s.policy.decide = func(permission.Permission) (permission.Decision, error) {
		return permission.Decision{}, errors.New("no answer")
	}
	status, body := s.ask("GET", "/api/search/query", s.token, "")
	require.Equal(t, 500, status)
	require.NotContains(t, body.Object("error").String("message"), "no answer")
	require.Contains(t, s.log.String(), "no answer")
}

// Nothing that an entity says can be more than text: not in a document, not in
// a highlight, not in a location.
func TestInjection(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>cart"'</script>`
	e := entity(t, string(jsonvalue.Append(nil, wire.Obj(
		"kind", evil, "metadata", wire.Obj("name", "../"+evil, "namespace", evil, "title", evil+" title", "description", evil),
		"spec", wire.Obj("type", evil, "lifecycle", evil, "owner", evil, "profile", wire.Obj("displayName", evil, "email", evil))))))
	s := newServer(t, nil, e)
	body := s.query("term=cart")
	result := body.Value("results").([]any)[0].(*jsonvalue.Object)
	document, highlight := result.Object("document"), result.Object("highlight")
	pre, post := highlight.String("preTag"), highlight.String("postTag")
	for field, v := range document.All() {
		if field == "location" {
			require.NotContains(t, v, "<", "a location is encoded")
			require.NotContains(t, v, `"`)
			continue
		}
		require.Contains(t, v, evil, "the text of %s is what the entity says; who shows it shows text", field)
		marked := highlight.Object("fields").String(field)
		require.Equal(t, v, strings.NewReplacer(pre, "", post, "").Replace(marked), "marks are all that %s has more", field)
		require.Equal(t, strings.Count(marked, pre), strings.Count(marked, post))
	}

	forged := entity(t, string(jsonvalue.Append(nil, wire.Obj("kind", "Component", "metadata",
		wire.Obj("name", "forged", "description", "cart "+pre+"trust me"+post)))))
	s.fill([]catalog.Entity{forged})
	result = s.query("term=cart").Value("results").([]any)[0].(*jsonvalue.Object)
	require.False(t, result.Object("highlight").Object("fields").Has("text"), "a text that brings the marks itself is not marked")
}

func TestLocationsOfOtherSchemesAreNotShown(t *testing.T) {
	s := newServer(t, nil)
	s.docs.Replace([]search.Document{
		{Key: "1", Body: wire.Obj("title", "good", "location", "https://x/y")},
		{Key: "2", Body: wire.Obj("title", "bad", "location", "javascript:alert(1)")},
	})
	require.Equal(t, []string{"good"}, titles(s.query("")))
}

func TestQueriesWaitForTheFirstFill(t *testing.T) {
	late := search.New()
	s := newServer(t, func(o *searchapi.Options) { o.Types[1].Index, o.FillWait = late, time.Hour })
	go func() {
		late.Replace([]search.Document{{Key: "n", Body: wire.Obj("title", "note", "location", "/n")}})
		late.MarkFilled()
	}()
	require.Equal(t, []string{"note"}, titles(s.query("types=notes")))

	s = newServer(t, func(o *searchapi.Options) { o.Types[1].Index, o.FillWait = search.New(), time.Nanosecond })
	require.Equal(t, `{"results":[],"numberOfResults":0}`, string(jsonvalue.Append(nil, s.query("types=notes"))), "but not for ever")
}

func TestOptions(t *testing.T) {
	x := search.New()
	for name, o := range map[string]searchapi.Options{
		"no types":          {Permissions: permission.NewEngine(permission.Options{})},
		"nobody to ask":     {Types: []searchapi.DocumentType{{Name: "a", Index: x}}},
		"two types alike":   {Permissions: permission.NewEngine(permission.Options{}), Types: []searchapi.DocumentType{{Name: "a", Index: x}, {Name: "a", Index: x}}},
		"a type of nothing": {Permissions: permission.NewEngine(permission.Options{}), Types: []searchapi.DocumentType{{Name: "a"}}},
	} {
		_, err := searchapi.New(o)
		require.Error(t, err, name)
	}
	s := newServer(t, func(o *searchapi.Options) { o.MaxTermLength, o.MaxPageLimit = 3, 2 }, component(t, "a", "x"), component(t, "b", "x"), component(t, "c", "x"))
	require.Len(t, titles(s.query("pageLimit=0")), 2, "the default is not above the limit")
	for _, query := range []string{"term=abcd", "pageLimit=3"} {
		status, _ := s.ask("GET", "/api/search/query?"+query, s.token, "")
		require.Equal(t, 400, status)
	}
}
