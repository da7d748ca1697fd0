package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// ErrMissing is returned where the description was not fetched.
var ErrMissing = errors.New("the description is not here: `make descriptions` fetches it")

// GitHub is the description of the REST API of GitHub Enterprise Cloud, which is
// that of github.com and more, read once.
var GitHub = sync.OnceValues(func() (*Description, error) {
	return read("@octokit/openapi")
})

// Gitea is the description of Gitea's REST API, read once.
var Gitea = sync.OnceValues(func() (*Description, error) { return read("code.gitea.io/gitea") })

// A Description is what a host publishes of its API, in the form of OpenAPI 3.0.
type Description struct {
	document map[string]any
	routes   []route // those with more fixed segments come first

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema
}

// A route is a path with one method.
type route struct {
	method, template string
	matches          *regexp.Regexp
	fixed            int
	operation        map[string]any
}

// read finds the description of a package from wherever in the module a test
// runs.
func read(name string) (*Description, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return nil, errors.New("there is no go.mod above this folder")
		}
		dir = filepath.Dir(dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, "ingest", "forgetest", "openapi", "node_modules", filepath.FromSlash(name), "description.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

// Parse reads a description.
func Parse(data []byte) (*Description, error) {
	d := &Description{schemas: map[string]*jsonschema.Schema{}}
	if err := json.Unmarshal(data, &d.document); err != nil {
		return nil, err
	}
	paths, ok := d.document["paths"].(map[string]any)
	if !ok {
		return nil, errors.New("the description has no paths")
	}
	for template, item := range paths {
		of, _ := item.(map[string]any)
		for method, operation := range of {
			if o, ok := operation.(map[string]any); ok && slices.Contains([]string{"get", "put", "post", "patch", "delete", "head"}, method) {
				d.routes = append(d.routes, d.route(strings.ToUpper(method), template, o))
			}
		}
	}
	slices.SortFunc(d.routes, func(a, b route) int {
		if a.fixed != b.fixed {
			return b.fixed - a.fixed
		}
		return strings.Compare(a.template, b.template)
	})
	return d, nil
}

// route makes a route that requests can be compared with.
func (d *Description) route(method, template string, operation map[string]any) route {
	long := map[string]bool{} // parameters that may hold slashes
	for _, p := range d.parameters(operation) {
		if p["x-multi-segment"] == true {
			long[text(p["name"])] = true
		}
	}
	r := route{method: method, template: template, operation: operation}
	pattern := "^"
	for _, segment := range strings.Split(strings.Trim(template, "/"), "/") {
		name, isParameter := strings.CutPrefix(segment, "{")
		switch {
		case isParameter && long[strings.TrimSuffix(name, "}")]:
			pattern += "/.+"
		case strings.Contains(segment, "{"):
			pattern += "/[^/]+"
		default:
			pattern += "/" + regexp.QuoteMeta(segment)
			r.fixed++
		}
	}
	r.matches = regexp.MustCompile(pattern + "$")
	return r
}

// parameters are those of an operation, with references followed.
func (d *Description) parameters(operation map[string]any) (out []map[string]any) {
	list, _ := operation["parameters"].([]any)
	for _, p := range list {
		if m, ok := p.(map[string]any); ok {
			out = append(out, d.follow(m))
		}
	}
	return out
}

// follow returns what a reference refers to, and what is none itself.
func (d *Description) follow(m map[string]any) map[string]any {
	for range 20 {
		ref, ok := m["$ref"].(string)
		if !ok {
			return m
		}
		var at any = d.document
		for _, segment := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			inner, _ := at.(map[string]any)
			at = inner[strings.NewReplacer("~1", "/", "~0", "~").Replace(segment)]
		}
		if m, ok = at.(map[string]any); !ok {
			return nil
		}
	}
	return nil
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// find returns the route of a request; the path is below the base of the API.
func (d *Description) find(method, path string) (route, error) {
	var others []string
	for _, r := range d.routes {
		if !r.matches.MatchString(path) {
			continue
		}
		if r.method == method {
			return r, nil
		}
		others = append(others, r.method)
	}
	if others != nil {
		return route{}, fmt.Errorf("the method %s is not described for it, but %s", method, strings.Join(others, ", "))
	}
	return route{}, errors.New("the path is not described")
}
