package greenroom_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/greenroom-idp/greenroom"

// A source is one Go file, with its package as a path from the root.
type source struct {
	path, dir string
	test      bool
	file      *ast.File
}

// imports returns what the file imports, ours as paths from the root with a
// leading "./".
func (s source) imports() []string {
	var out []string
	for _, spec := range s.file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		if ours, ok := strings.CutPrefix(name, module+"/"); ok {
			name = "./" + ours
		}
		out = append(out, name)
	}
	return out
}

// sources returns every Go file of the module, parsed once for all tests.
func sources(t *testing.T) []source {
	t.Helper()
	out, err := parsed()
	require.NoError(t, err)
	require.Greater(t, len(out), 50, "the walk has found the module")
	return out
}

var parsed = sync.OnceValues(func() (out []source, _ error) {
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			if name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "bin" || base == "data") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		out = append(out, source{path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), file: file})
		return nil
	})
	return out, err
})

// room is the top folder of a package.
func room(dir string) string {
	top, _, _ := strings.Cut(dir, "/")
	return top
}

// below tells whether dir is root or lies in it.
func below(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

// The rooms from the bottom to the top, with those that each may import beside
// itself.
func TestImportsGoDown(t *testing.T) {
	mayImport := map[string]struct {
		rooms []string
		why   string
	}{
		"schemas":    {nil, "what an entity looks like depends on nothing: it is checked before anything is known of it"},
		"catalog":    {[]string{"schemas"}, "the domain must not know how it is fed or asked; it declares interfaces, and cmd plugs in"},
		"ingest":     {[]string{"catalog"}, "readers bring descriptors in; who processes and serves them is not their business"},
		"scaffolder": {[]string{"catalog", "schemas"}, "templates are entities; how tasks are asked for over HTTP is not their business"},
		"api":        {[]string{"catalog", "scaffolder", "ingest", "schemas"}, "the edge may know all domains, and no domain knows the edge"},
		"cmd":        {[]string{"schemas", "catalog", "ingest", "scaffolder", "api"}, "wiring is the one place that knows everything"},
	}
	for _, s := range sources(t) {
		if s.dir == "." || s.test {
			continue // tests may reach for what makes them honest
		}
		own, known := mayImport[room(s.dir)]
		require.True(t, known, "%s: there is no room for %s; DESIGN.md says which there are", s.path, s.dir)
		for _, name := range s.imports() {
			ours, ok := strings.CutPrefix(name, "./")
			if !ok || room(ours) == room(s.dir) {
				continue
			}
			require.Contains(t, own.rooms, room(ours), "%s imports %s: %s", s.path, ours, own.why)
		}
	}
}

func TestWhatOnlySomeMayImport(t *testing.T) {
	const (
		gin   = "github.com/gin-gonic/gin"
		bbolt = "go.etcd.io/bbolt"
	)
	rules := []struct {
		prefix string   // of the import
		in     []string // folders that may
		why    string
	}{
		{"net/http", []string{"api", "ingest", "cmd", "scaffolder/action"},
			"the domain knows nothing of HTTP: what it says must make sense to a command line too"},
		{gin, []string{"api"}, "the router is a detail of the edge; a handler elsewhere would fix it for good"},
		{bbolt, []string{"catalog/boltstore", "api/auth/boltkeys", "api/auth/oauthserver/boltgrants", "api/signin/boltflows",
			"api/eventbus/boltevents", "api/usersettings/boltsettings", "api/notifications/boltnotices", "api/app/boltassets",
			"scaffolder/boltstore", "ingest/boltstore", "cmd"},
			"the file is behind the store's interfaces, so that another store can stand in"},
		{"github.com/golang-jwt", []string{"api/auth", "ingest/github", "ingest/forgetest"},
			"our own tokens are made and checked in one place; the others are how an app signs in at GitHub"},
		{"github.com/go-jose/go-jose", []string{"api/auth"},
			"keys of others are read in one place, which says what they are good for"},
		{"github.com/prometheus/client_golang", []string{"api", "catalog/engine", "ingest", "scaffolder", "cmd"},
			"values and their parsing do not count themselves"},
		{"github.com/modelcontextprotocol/go-sdk", []string{"api/mcpactions"},
			"what can be done here is said in our own words; MCP is one way to ask for it"},
		{"go.opentelemetry.io", []string{"api", "cmd"},
			"the domain marks where something begins and ends with functions, and does not know who listens"},
		{"github.com/fsnotify/fsnotify", []string{"ingest"}, "watching files is reading the outside"},
		{"github.com/dop251/goja", nil, "a JavaScript engine is there to test the template language; in the program templates could reach it"},
		{"github.com/aymanbagabas/go-udiff", []string{"scaffolder/treediff", "scaffolder/templatetest"},
			"what differs is shown in one form"},
		{"./ingest/forgetest", []string{"ingest/forgetest"}, "doubles of Git hosts are for tests and demonstrations"},
		{"database/sql", nil, "there is no SQL in this release"},
		{"./catalog/boltstore", []string{"cmd"}, "everyone else asks for an interface"},
		{"./ingest/boltstore", []string{"cmd"}, "everyone else asks for an interface"},
		{"./api/auth/boltkeys", []string{"cmd"}, "everyone else asks for an interface"},
		{"./api/signin/boltflows", []string{"cmd"}, "everyone else asks for an interface"},
		{"./api/auth/oauthserver/boltgrants", []string{"cmd"}, "everyone else asks for an interface"},
		{"./api/usersettings/boltsettings", []string{"cmd"}, "everyone else asks for an interface"},
		{"./api/notifications/boltnotices", []string{"cmd"}, "everyone else asks for an interface"},
		{"./api/app/boltassets", []string{"cmd"}, "everyone else asks for an interface"},
		{"./api/eventbus/boltevents", []string{"cmd"}, "everyone else asks for an interface"},
		{"./api/apitest", nil, "it is for tests alone"},
		{"./api/signin/signintest", nil, "whoever reaches a double can be anybody: it is for tests and trying alone"},
		{"github.com/zitadel/oidc", []string{"api/signin/signintest"}, "the program is no provider of OpenID Connect; tests sign in at one"},
		{"github.com/coreos/go-oidc", []string{"api/signin/oidc"}, "what a provider's tokens mean is settled in one place"},
		{"./cmd/platform/tracing/tracingtest", nil, "it is for tests alone"},
		{"./api/eventbus/bustest", nil, "it is for tests alone"},
	}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, name := range s.imports() {
			for _, r := range rules {
				if !below(name, r.prefix) || below("./"+s.dir, r.prefix) {
					continue
				}
				allowed := slices.ContainsFunc(r.in, func(dir string) bool { return below(s.dir, dir) })
				require.True(t, allowed, "%s imports %s: %s", s.path, name, r.why)
			}
		}
	}
}

// The scaffolder takes entities for plain values: it may not reach into how
// they are kept.
func TestScaffolderKnowsPlainTypesOfTheCatalog(t *testing.T) {
	for _, s := range sources(t) {
		if room(s.dir) != "scaffolder" || s.test {
			continue
		}
		for _, name := range s.imports() {
			if below(name, "./catalog") {
				require.Contains(t, []string{"./catalog", "./catalog/jsonvalue", "./catalog/jsonvalue/yamltext"}, name,
					"%s imports %s: a task must not depend on how the catalog is stored or processed", s.path, name)
			}
		}
	}
}

// Every package says what it owns and what it does not, in doc.go.
func TestEveryPackageHasADoc(t *testing.T) {
	docs := map[string]string{}
	packages := map[string]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		packages[s.dir] = s.file.Name.Name
		if path.Base(s.path) == "doc.go" && s.file.Doc != nil {
			docs[s.dir] = s.file.Doc.Text()
		}
	}
	for dir, name := range packages {
		start := "Package " + name + " "
		if name == "main" {
			start = "Command " + path.Base(dir) + " "
		}
		require.True(t, strings.HasPrefix(docs[dir], start), "%s: doc.go must begin with %q", dir, start)
		require.Greater(t, strings.Count(docs[dir], "\n"), 2, "%s: doc.go says too little: what does the package own, what not?", dir)
	}
}

func TestNamesThatSayNothing(t *testing.T) {
	empty := []string{"util", "utils", "common", "helper", "helpers", "types", "manager", "misc", "shared", "base", "lib", "models"}
	for _, s := range sources(t) {
		require.NotContains(t, empty, strings.TrimSuffix(s.file.Name.Name, "_test"), "%s: a package is named for what it owns", s.path)
	}
}

// Registries are values built in cmd: what happens before main cannot be
// tested, ordered or left out.
func TestNothingRunsBeforeMain(t *testing.T) {
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			require.False(t, ok && f.Recv == nil && f.Name.Name == "init", "%s has an init function", s.path)
		}
	}
}

func TestDataHoldsNoCode(t *testing.T) {
	for _, s := range sources(t) {
		require.NotEqual(t, "testdata", room(s.dir), "%s: testdata is for data", s.path)
	}
}
