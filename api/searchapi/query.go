package searchapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog/search"
)

// opQuery is the one operation. Parameters that it does not know are ignored,
// as the reference does.
var opQuery = &operation.Operation{
	Method: http.MethodGet, Path: "/query", ID: "Query", OK: http.StatusOK, Lenient: true,
	About: "Find documents by words, beginnings of words and words with typos, the best first.",
	Query: []operation.Parameter{
		{Name: "term", About: "What to look for; nothing finds everything."},
		{Name: "filters", Kind: operation.Deep, About: "Fields and the words that their values must have, such as filters[kind]=Component."},
		{Name: "types", Kind: operation.List, About: "Types of documents to look in; all, if left out."},
		{Name: "pageCursor", About: "A cursor of the page before."},
		{Name: "pageLimit", Kind: operation.Integer, About: "How many documents to return at most; 0 is the default."},
	},
}

// A query is a request that makes sense.
type query struct {
	term    string
	filters []search.Filter
	types   []DocumentType
	page    page
	limit   int
}

// read checks a request.
func (a *API) read(c *gin.Context) (query, error) {
	in, err := opQuery.Read(c)
	if err != nil {
		return query{}, err
	}
	q := query{term: in.Text("term"), page: parseCursor(in.Text("pageCursor"))}
	var faults issues
	if n := len(utf16.Encode([]rune(q.term))); n > a.MaxTermLength {
		faults.add(fmt.Sprintf(`The term length "%d" is greater than "%d"`, n, a.MaxTermLength), "term")
	}
	q.filters = filters(in, &faults)
	q.types = a.typesOf(in.List("types"), &faults)
	q.limit = a.limit(in.Integer("pageLimit"), &faults)
	return q, faults.err()
}

// limit returns the length of a page. The search page asks for 0 where all it
// wants is the count.
func (a *API) limit(n int64, faults *issues) int {
	switch {
	case n > int64(a.MaxPageLimit):
		faults.add(fmt.Sprintf(`The page limit "%d" is greater than "%d"`, n, a.MaxPageLimit), "pageLimit")
	case n < 0:
		faults.add(fmt.Sprintf(`The page limit "%d" is less than "0"`, n), "pageLimit")
	case n == 0:
		return min(defaultPageLimit, a.MaxPageLimit)
	}
	return int(n)
}

// typesOf returns the types of some names, all for none, in the order in which
// they are registered.
func (a *API) typesOf(names []string, faults *issues) []DocumentType {
	if len(names) == 0 {
		return a.Types
	}
	for i, name := range names {
		if !slices.ContainsFunc(a.Types, func(t DocumentType) bool { return t.Name == name }) {
			faults.add(fmt.Sprintf(`There is no type "%s"`, name), "types", float64(i))
		}
	}
	var out []DocumentType
	for _, t := range a.Types {
		if slices.Contains(names, t.Name) {
			out = append(out, t)
		}
	}
	return out
}

// maxFilterValues is how many values all filters may have together.
const maxFilterValues = 100

func filters(in *operation.Input, faults *issues) []search.Filter {
	var out []search.Filter
	n := 0
	for _, m := range in.Members("filters") {
		out = append(out, search.Filter{Field: m.Name, Values: m.Values})
		n += len(m.Values)
	}
	if n > maxFilterValues {
		faults.add(fmt.Sprintf(`The number of filter values "%d" is greater than "%d"`, n, maxFilterValues), "filters")
	}
	return out
}

// issues are what is wrong with a query, in the form of the validator of the
// reference.
type issues struct{ list []string }

func (is *issues) add(message string, path ...any) {
	var b strings.Builder
	for i, p := range path {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n      ")
		b.Write(mustJSON(p))
	}
	is.list = append(is.list, fmt.Sprintf("  {\n    \"code\": \"custom\",\n    \"message\": %s,\n    \"path\": [%s\n    ]\n  }",
		mustJSON(message), b.String()))
}

func (is *issues) err() error {
	if len(is.list) == 0 {
		return nil
	}
	return wire.InputError("Invalid query string: [\n" + strings.Join(is.list, ",\n") + "\n]")
}

// mustJSON writes a string or number.
func mustJSON(v any) []byte {
	out, _ := wire.AppendJSON(nil, v) // cannot fail for these
	return out
}
