package forgetest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// A graph answers GraphQL queries: they are checked against a schema, which is
// a part of the host's own, and then read from maps. A value of a map is a
// scalar, a list, a map, or a function of the arguments that returns one.
type graph struct {
	schema *ast.Schema
	root   func(r *http.Request) map[string]any
}

func newGraph(schema string, root func(r *http.Request) map[string]any) *graph {
	return &graph{schema: gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: schema}), root: root}
}

// A graphError is an error of one field, with the type that GitHub gives it.
type graphError struct{ kind, message string }

func (e *graphError) Error() string { return e.message }

const maxQuery = 1 << 20

// serve answers a query, with status 200 whatever is wrong with it, as hosts
// do.
func (g *graph) serve(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxQuery))
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"message": "Problems parsing JSON"})
		return
	}
	query, errs := gqlparser.LoadQueryWithRules(g.schema, request.Query, rules.NewDefaultRules())
	if len(errs) > 0 {
		writeJSON(w, http.StatusOK, map[string]any{"errors": wireErrors(errs)})
		return
	}
	x := &execution{graph: g, variables: request.Variables, fragments: query.Fragments}
	data := x.object(query.Operations[0].SelectionSet, g.root(r), nil)
	out := map[string]any{"data": data}
	if len(x.errors) > 0 {
		out["errors"] = x.errors
	}
	writeJSON(w, http.StatusOK, out)
}

func wireErrors(list gqlerror.List) []any {
	var out []any
	for _, e := range list {
		out = append(out, map[string]any{"message": e.Message})
	}
	return out
}

// An execution is one query that is being answered.
type execution struct {
	graph     *graph
	variables map[string]any
	fragments ast.FragmentDefinitionList
	errors    []any
}

// object reads what is selected of a value.
func (x *execution) object(set ast.SelectionSet, value map[string]any, path []any) map[string]any {
	out := map[string]any{}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if x.included(s.Directives) {
				out[s.Alias] = x.field(s, value, append(path[:len(path):len(path)], s.Alias))
			}
		case *ast.InlineFragment:
			if x.included(s.Directives) && x.is(value, s.TypeCondition) {
				x.merge(out, x.object(s.SelectionSet, value, path))
			}
		case *ast.FragmentSpread:
			f := x.fragments.ForName(s.Name)
			if x.included(s.Directives) && x.is(value, f.TypeCondition) {
				x.merge(out, x.object(f.SelectionSet, value, path))
			}
		}
	}
	return out
}

func (x *execution) merge(into, from map[string]any) {
	for k, v := range from {
		into[k] = v
	}
}

func (x *execution) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		on, _ := d.ArgumentMap(x.variables)["if"].(bool)
		if d.Name == "include" && !on || d.Name == "skip" && on {
			return false
		}
	}
	return true
}

// is tells whether a value is of a type, or of one that implements it.
func (x *execution) is(value map[string]any, name string) bool {
	typename, _ := value["__typename"].(string)
	if typename == name {
		return true
	}
	for _, possible := range x.graph.schema.PossibleTypes[name] {
		if possible.Name == typename {
			return true
		}
	}
	return false
}

func (x *execution) field(f *ast.Field, value map[string]any, path []any) any {
	v := value[f.Name]
	if resolve, ok := v.(func(args map[string]any) (any, error)); ok {
		var err error
		if v, err = resolve(f.ArgumentMap(x.variables)); err != nil {
			x.fail(err, path)
			return nil
		}
	}
	return x.value(f, v, path)
}

func (x *execution) value(f *ast.Field, v any, path []any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return nil
		}
		return x.object(f.SelectionSet, v, path)
	case []map[string]any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = x.value(f, v[i], append(path[:len(path):len(path)], i))
		}
		return out
	}
	return v
}

func (x *execution) fail(err error, path []any) {
	e := map[string]any{"message": err.Error(), "path": path}
	var typed *graphError
	if errors.As(err, &typed) && typed.kind != "" {
		e["type"] = typed.kind
	}
	x.errors = append(x.errors, e)
}

// connection is a page of a list, as the arguments first and after cut it. The
// nodes of other pages are not made.
func connection[V any](args map[string]any, name string, all []V, node func(V) map[string]any) (any, error) {
	first, err := firstOf(args, name)
	if err != nil {
		return nil, err
	}
	from := 0
	if after, ok := args["after"].(string); ok && after != "" {
		text, err := base64.StdEncoding.DecodeString(after)
		if err == nil {
			from, err = strconv.Atoi(strings.TrimPrefix(string(text), "cursor:v2:"))
		}
		if err != nil || from < 0 {
			return nil, &graphError{"INVALID_CURSOR_ARGUMENTS", fmt.Sprintf("`%s` does not appear to be a valid cursor.", after)}
		}
	}
	from = min(from, len(all))
	to := min(from+first, len(all))
	nodes := make([]map[string]any, 0, to-from)
	for _, v := range all[from:to] {
		nodes = append(nodes, node(v))
	}
	info := map[string]any{"hasNextPage": to < len(all), "hasPreviousPage": from > 0, "endCursor": nil, "startCursor": nil}
	if to > from {
		info["endCursor"], info["startCursor"] = cursor(to), cursor(from+1)
	}
	return map[string]any{"nodes": nodes, "totalCount": len(all), "pageInfo": info}, nil
}

func cursor(n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Append(nil, "cursor:v2:", n))
}

// maxFirst is how many nodes a connection gives at once.
const maxFirst = 100

func firstOf(args map[string]any, name string) (int, error) {
	n, ok := toInt(args["first"])
	switch {
	case !ok:
		return 0, &graphError{"MISSING_PAGINATION_BOUNDARIES", fmt.Sprintf("You must provide a `first` or `last` value to properly paginate the `%s` connection.", name)}
	case n < 0 || n > maxFirst:
		return 0, &graphError{"EXCESSIVE_PAGINATION", fmt.Sprintf("Requesting %d records on the `%s` connection exceeds the `first` limit of %d records.", n, name, maxFirst)}
	}
	return n, nil
}

func toInt(v any) (int, bool) {
	switch v := v.(type) {
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	case json.Number:
		n, err := strconv.Atoi(v.String())
		return n, err == nil
	}
	return 0, false
}
