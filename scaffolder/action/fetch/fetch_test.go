package fetch_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fetch"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

// A reader serves trees and files from memory.
type reader struct {
	trees map[string][]fetch.Entry
	files map[string]string
	// body replaces the content of files; nil: there is none.
	body  func(ctx context.Context) io.Reader
	asked []fetch.Request
}

func (r *reader) ResolveURL(path, base string) (string, bool, error) {
	if !strings.HasPrefix(base, "https://github.com/") {
		return "", false, nil
	}
	if path == "%" {
		return "", false, errors.New("invalid URL: %")
	}
	return strings.TrimSuffix(base, "template.yaml") + strings.TrimPrefix(path, "./"), true, nil
}

func (r *reader) ReadFile(ctx context.Context, q fetch.Request) (io.ReadCloser, error) {
	r.asked = append(r.asked, q)
	if r.body != nil {
		return io.NopCloser(r.body(ctx)), nil
	}
	content, ok := r.files[q.URL]
	if !ok {
		return nil, catalog.NewError(catalog.NameNotFound, "404 Not Found")
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

func (r *reader) ReadTree(ctx context.Context, q fetch.Request, visit func(fetch.Entry) error) error {
	r.asked = append(r.asked, q)
	entries, ok := r.trees[q.URL]
	if !ok {
		return catalog.NewError(catalog.NameNotFound, "404 Not Found")
	}
	for _, e := range entries {
		if r.body != nil && e.Mode.IsRegular() {
			e.Content = r.body(ctx)
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

func file(path, content string) fetch.Entry {
	return fetch.Entry{Path: path, Mode: 0o644, Content: strings.NewReader(content)}
}

func link(path, target string) fetch.Entry {
	return fetch.Entry{Path: path, Mode: fs.ModeSymlink | 0o777, Link: target}
}

func with(t *testing.T, r *reader, id string, change ...func(*fetch.Options)) action.Action {
	o := fetch.Options{Reader: r, Engine: skeleton.NewEngine(skeleton.EngineOptions{
		Filters: filters.Funcs(filters.Backstage(nil)), Compatible: filters.Compatible()})}
	for _, f := range change {
		f(&o)
	}
	registry, err := action.NewRegistry(fetch.Actions(o)...)
	require.NoError(t, err)
	a, err := registry.Lookup(id)
	require.NoError(t, err)
	return a
}

// beside writes files beside a template of this machine, and makes it the
// template of the task. A content that begins with "->" is the target of a
// link.
func beside(files map[string]string) func(t *testing.T, c *action.Context) {
	return func(t *testing.T, c *action.Context) {
		dir := filepath.Join(t.TempDir(), "template")
		for name, content := range files {
			full := filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
			if target, isLink := strings.CutPrefix(content, "->"); isLink {
				require.NoError(t, os.Symlink(target, full))
				continue
			}
			require.NoError(t, os.WriteFile(full, []byte(content), 0o644))
		}
		c.Template.BaseURL = "file://" + dir + "/template.yaml"
	}
}

func at(url string) func(t *testing.T, c *action.Context) {
	return func(_ *testing.T, c *action.Context) { c.Template.BaseURL = url }
}

// contents lists the workspace: files with their contents, links with "->",
// folders that are empty with a slash.
func contents(t *testing.T, c *action.Context) map[string]string {
	out := map[string]string{}
	require.NoError(t, c.Workspace.Walk(".", func(name string, info fs.FileInfo) error {
		switch {
		case info.IsDir():
			entries, err := c.Workspace.ReadDir(name)
			require.NoError(t, err)
			if len(entries) == 0 {
				out[name+"/"] = ""
			}
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := c.Workspace.Readlink(name)
			require.NoError(t, err)
			out[name] = "->" + target
		default:
			data, err := c.Workspace.ReadFile(name, 1<<20)
			require.NoError(t, err)
			out[name] = string(data)
		}
		return nil
	}))
	return out
}

const base = "https://github.com/acme/shop/tree/main/t/"

func trees() *reader {
	return &reader{
		trees: map[string][]fetch.Entry{
			base + "skeleton": {
				{Path: ".", Mode: fs.ModeDir | 0o755}, {Path: "empty", Mode: fs.ModeDir | 0o755},
				file("a.txt", "${{ values.x }}"), file("deep/${{ values.x }}.txt", "b"), link("link", "a.txt"), link("out", "../../x"), link("abs", "/etc"),
				{Path: "run", Mode: 0o755, Content: strings.NewReader("#!")}, {Path: "pipe", Mode: fs.ModeNamedPipe},
			},
			base + "baker": {file("cookiecutter.json", `{"name":"x"}`), file("{{cookiecutter.name}}/a.txt", "{{ cookiecutter.name }}")},
		},
		files: map[string]string{base + "f.txt": "${{ values.x }}"},
	}
}

// slowReader waits for ctx in the middle of a body.
func slowReader(waiting chan struct{}) *reader {
	r := trees()
	r.body = func(ctx context.Context) io.Reader {
		return io.MultiReader(strings.NewReader("x"), readerFunc(func([]byte) (int, error) {
			close(waiting)
			<-ctx.Done()
			return 0, ctx.Err()
		}))
	}
	return r
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestConformance(t *testing.T) {
	target := func(id, url string) func(string) string {
		values := `,"values":{}`
		if strings.HasPrefix(id, "fetch:plain") {
			values = ""
		}
		return func(p string) string {
			return `{"url":"` + url + `"` + values + `,"targetPath":` + string(jsonvalue.AppendString(nil, p)) + `}`
		}
	}
	for _, c := range []struct {
		id, url string
		cases   []actiontest.Case
	}{
		{"fetch:plain", "./skeleton", []actiontest.Case{{Name: "all", Input: `{"url":"./skeleton","targetPath":"x","token":"t"}`}}},
		{"fetch:plain:file", "./f.txt", []actiontest.Case{{Name: "all", Input: `{"url":"./f.txt","targetPath":"x/y","token":"t"}`}}},
		{"fetch:template", "./skeleton", []actiontest.Case{
			{Name: "most", Input: `{"url":"./skeleton","targetPath":"x","values":{"x":1},"copyWithoutRender":["a"],"copyWithoutTemplating":["b"],
				"cookiecutterCompat":true,"replace":true,"trimBlocks":true,"lstripBlocks":true,"token":"t"}`},
			{Name: "extension", Input: `{"url":"./skeleton","templateFileExtension":true}`},
		}},
		{"fetch:cookiecutter", "./baker", []actiontest.Case{{Name: "all", Input: `{"url":"./baker","targetPath":"x","values":{"name":"shop"},
			"copyWithoutRender":["a"],"extensions":["b"],"imageName":"c"}`}}},
		{"fetch:template:file", "./f.txt", []actiontest.Case{{Name: "all", Input: `{"url":"./f.txt","targetPath":"x","values":{"x":1},
			"cookiecutterCompat":true,"replace":true,"trimBlocks":true,"lstripBlocks":true,"token":"t"}`}}},
	} {
		t.Run(c.id, func(t *testing.T) {
			for i := range c.cases {
				c.cases[i].Setup = at(base)
			}
			waiting := make(chan struct{})
			actiontest.Run(t, with(t, trees(), c.id), actiontest.Options{
				Cases: c.cases,
				Paths: []actiontest.Path{{Name: "targetPath", Input: target(c.id, c.url), Setup: at(base)}},
			})
			// The same once more, with a reader that waits in the middle of a file.
			slow := c.cases[0]
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				<-waiting
				cancel(errCancelled)
			}()
			ac, r := actiontest.NewContext(t)
			slow.Setup(t, ac)
			require.ErrorIs(t, r.Run(ctx, with(t, slowReader(waiting), c.id), ac, slow.Input), errCancelled)
		})
	}
}

var errCancelled = errors.New("cancelled by its user")

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		name, input string
		setup       func(t *testing.T, c *action.Context)
		want        map[string]string
	}{
		{"a folder of a repository", `{"url":"./skeleton"}`, at(base),
			map[string]string{"a.txt": "${{ values.x }}", "deep/${{ values.x }}.txt": "b", "link": "->a.txt", "run": "#!", "empty/": ""}},
		{"an absolute URL, into a folder", `{"url":"` + base + `skeleton","targetPath":"./to/"}`, nil,
			map[string]string{"to/a.txt": "${{ values.x }}", "to/deep/${{ values.x }}.txt": "b", "to/link": "->a.txt", "to/run": "#!", "to/empty/": ""}},
		{"a folder beside a template of this machine", `{"url":"./skeleton"}`, beside(map[string]string{
			"skeleton/a": "a", "skeleton/.dot/b": "b", "skeleton/in": "->a", "skeleton/out": "->../other", "skeleton/abs": "->/etc/passwd", "other": "x"}),
			map[string]string{"a": "a", ".dot/b": "b", "in": "->a"}},
		{"the folder of the template itself", `{"url":".","targetPath":"to"}`, beside(map[string]string{"a": "a"}), map[string]string{"to/a": "a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			if c.setup != nil {
				c.setup(t, ctx)
			}
			require.NoError(t, r.Run(t.Context(), with(t, trees(), "fetch:plain"), ctx, c.input))
			require.Equal(t, c.want, contents(t, ctx))
			require.Equal(t, []string{"info: Fetching plain content from remote URL"}, r.Lines())
		})
	}
}

func TestPlainWritesOverWhatIsThere(t *testing.T) {
	for _, setup := range []func(*testing.T, *action.Context){at(base), beside(map[string]string{"skeleton/a.txt": "new", "skeleton/link": "->a.txt"})} {
		ctx, r := actiontest.NewContext(t)
		setup(t, ctx)
		require.NoError(t, ctx.Workspace.WriteFile("a.txt", []byte("old"), 0o644))
		require.NoError(t, ctx.Workspace.WriteFile("link", []byte("old"), 0o644))
		require.NoError(t, ctx.Workspace.WriteFile("kept", []byte("old"), 0o644))
		require.NoError(t, r.Run(t.Context(), with(t, trees(), "fetch:plain"), ctx, `{"url":"./skeleton"}`))
		got := contents(t, ctx)
		require.NotEqual(t, "old", got["a.txt"])
		require.Equal(t, "->a.txt", got["link"])
		require.Equal(t, "old", got["kept"])
	}
}

func TestPlainFile(t *testing.T) {
	for _, c := range []struct {
		name, input string
		setup       func(t *testing.T, c *action.Context)
		want        map[string]string
	}{
		{"of a repository", `{"url":"./f.txt","targetPath":"x/y.txt"}`, at(base), map[string]string{"x/y.txt": "${{ values.x }}"}},
		{"beside a template of this machine", `{"url":"sub/f","targetPath":"x/y"}`, beside(map[string]string{"sub/f": "f"}), map[string]string{"x/y": "f"}},
		{"through a link beside it", `{"url":"l","targetPath":"y"}`, beside(map[string]string{"sub/f": "f", "l": "->sub/f"}), map[string]string{"y": "f"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			c.setup(t, ctx)
			require.NoError(t, r.Run(t.Context(), with(t, trees(), "fetch:plain:file"), ctx, c.input))
			require.Equal(t, c.want, contents(t, ctx))
		})
	}
}

func TestTemplate(t *testing.T) {
	source := beside(map[string]string{
		"skeleton/a.txt": "${{ values.x }}", "skeleton/b.txt.njk": "${{ values.x }}", "skeleton/${{ values.x }}/c": "{{ cookiecutter.x }}",
	})
	for _, c := range []struct {
		name, input string
		want        map[string]string
	}{
		{"rendered", `{"url":"./skeleton","values":{"x":"v"}}`, map[string]string{"a.txt": "v", "b.txt.njk": "v", "v/c": "{{ cookiecutter.x }}"}},
		{"into a folder", `{"url":"./skeleton","targetPath":"to","values":{"x":"v"}}`, map[string]string{"to/a.txt": "v", "to/b.txt.njk": "v", "to/v/c": "{{ cookiecutter.x }}"}},
		{"partly raw", `{"url":"./skeleton","values":{"x":"v"},"copyWithoutTemplating":["*.txt"]}`,
			map[string]string{"a.txt": "${{ values.x }}", "b.txt.njk": "v", "v/c": "{{ cookiecutter.x }}"}},
		{"partly untouched", `{"url":"./skeleton","values":{"x":"v"},"copyWithoutRender":["${{ values.x }}","a.txt"]}`,
			map[string]string{"a.txt": "${{ values.x }}", "b.txt.njk": "v", "${{ values.x }}/c": "{{ cookiecutter.x }}"}},
		{"by extension", `{"url":"./skeleton","values":{"x":"v"},"templateFileExtension":true}`,
			map[string]string{"a.txt": "${{ values.x }}", "b.txt": "v", "v/c": "{{ cookiecutter.x }}"}},
		{"by an extension without its dot", `{"url":"./skeleton","values":{"x":"v"},"templateFileExtension":"txt"}`,
			map[string]string{"a": "v", "b.txt.njk": "${{ values.x }}", "v/c": "{{ cookiecutter.x }}"}},
		{"not by extension", `{"url":"./skeleton","values":{"x":"v"},"templateFileExtension":false,"copyWithoutTemplating":[]}`,
			map[string]string{"a.txt": "v", "b.txt.njk": "v", "v/c": "{{ cookiecutter.x }}"}},
		{"compatible", `{"url":"./skeleton","values":{"x":"v"},"cookiecutterCompat":true}`,
			map[string]string{"a.txt": "$", "b.txt.njk": "$", "$/c": "v"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			source(t, ctx)
			require.NoError(t, r.Run(t.Context(), with(t, trees(), "fetch:template"), ctx, c.input))
			require.Equal(t, c.want, contents(t, ctx))
		})
	}
}

func TestTemplateFromARepository(t *testing.T) {
	ctx, r := actiontest.NewContext(t)
	ctx.Template.BaseURL = base
	remote := trees()
	require.NoError(t, r.Run(t.Context(), with(t, remote, "fetch:template"), ctx, `{"url":"./skeleton","values":{"x":"v","b":{"z":1,"a":2}},"token":"secret"}`))
	require.Equal(t, map[string]string{"a.txt": "v", "deep/v.txt": "b", "link": "->a.txt", "run": "#!", "empty/": ""}, contents(t, ctx))
	require.Equal(t, []fetch.Request{{URL: base + "skeleton", Token: "secret"}}, remote.asked)
	require.Equal(t, []string{
		"info: Fetching template content from remote URL",
		"info: Listing files and directories in template",
		`info: Processing 6 template files/directories with input values {"b":{"a":2,"z":1},"x":"v"}`,
		"info: Writing file a.txt to template output path with mode 33188.",
		"info: Writing directory deep/ to template output path.",
		"info: Writing directory empty/ to template output path.",
		"info: Copying file binary or symbolic link at link, to template output path.",
		"info: Writing file run to template output path with mode 33261.",
		"info: Writing file deep/${{ values.x }}.txt to template output path with mode 33188.",
		"info: Template result written to " + ctx.Workspace.Path(),
	}, r.Lines())
}

func TestTemplateFile(t *testing.T) {
	a := with(t, trees(), "fetch:template:file")
	ctx, r := actiontest.NewContext(t)
	ctx.Template.BaseURL = base
	require.NoError(t, r.Run(t.Context(), a, ctx, `{"url":"./f.txt","targetPath":"./x/y.txt","values":{"x":"one"}}`))
	require.NoError(t, r.Run(t.Context(), a, ctx, `{"url":"./none.txt","targetPath":"x/y.txt","values":{"x":"two"}}`), "it is not even fetched")
	require.Equal(t, map[string]string{"x/y.txt": "one"}, contents(t, ctx))
	require.NoError(t, r.Run(t.Context(), a, ctx, `{"url":"./f.txt","targetPath":"x/y.txt","values":{"x":"three"},"replace":true}`))
	require.Equal(t, map[string]string{"x/y.txt": "three"}, contents(t, ctx))
	require.Equal(t, []string{
		"info: Fetching template file content from remote URL",
		`info: Processing template file with input values {"x":"one"}`,
		"info: Template file has been written to " + ctx.Workspace.Abs("x/y.txt"),
		"info: File x/y.txt already exists in workspace, not replacing.",
	}, r.Lines()[:4])
}

func TestCookiecutter(t *testing.T) {
	a := with(t, trees(), "fetch:cookiecutter")
	ctx, r := actiontest.NewContext(t)
	beside(map[string]string{
		"baker/cookiecutter.json":                                       `{"project_name":"My App","slug":"{{ cookiecutter.project_name.lower().replace(' ', '_') }}","licence":["MIT","BSD"]}`,
		"baker/hooks/post_gen_project.py":                               "print('never')",
		"baker/{{cookiecutter.slug}}/README.md":                         "# {{ cookiecutter.project_name }}\n{% if cookiecutter.licence == 'MIT' %}MIT{% endif %}\n${{ github.sha }}",
		"baker/{{cookiecutter.slug}}/raw.html":                          "{{ raw }}",
		"baker/{{cookiecutter.slug}}/{{cookiecutter.slug}}/__init__.py": "",
	})(t, ctx)
	require.NoError(t, ctx.Workspace.WriteFile("raw.html", []byte("old"), 0o644))
	require.NoError(t, r.Run(t.Context(), a, ctx, `{"url":"./baker","values":{"project_name":"The Shop"},"copyWithoutRender":["*.html"],"extensions":["own.X"],"imageName":"x"}`))
	require.Equal(t, map[string]string{"README.md": "# The Shop\nMIT\n$", "raw.html": "{{ raw }}", "the_shop/__init__.py": ""}, contents(t, ctx))
	require.Equal(t, []string{
		"info: Fetching the template of cookiecutter",
		"warn: The template has hooks, which are not run",
		"warn: The template asks for extensions that are not available: own.X",
		"warn: The input imageName has no effect",
		"info: The result has been written to " + ctx.Workspace.Path(),
	}, r.Lines())
	require.False(t, a.DryRun(), "as in the reference")
}

func TestErrors(t *testing.T) {
	local := beside(map[string]string{"skeleton/a": "${{ values.x | nosuch }}", "f": "f", "way-out": "->/etc", "skeleton/deep/b": "b"})
	for _, c := range []struct {
		name, id, input string
		setup           func(t *testing.T, c *action.Context)
		want            string
		is              error
	}{
		{"a relative path, and no template", "fetch:plain", `{"url":"./x"}`, at(""),
			"Failed to fetch, template location could not be determined and the fetch URL is relative, ./x", catalog.ErrInput},
		{"a host that nobody knows", "fetch:plain", `{"url":"./x"}`, at("https://example.com/t.yaml"),
			"No integration found for location https://example.com/t.yaml", catalog.ErrInput},
		{"a path that is none", "fetch:plain", `{"url":"%"}`, at(base), "url: invalid URL: %", catalog.ErrInput},
		{"another scheme", "fetch:plain:file", `{"url":"file:///etc/passwd","targetPath":"x"}`, local, "url: only http and https URLs", catalog.ErrInput},
		{"another scheme, in a repository", "fetch:template", `{"url":"ssh://github.com/a/b"}`, at(base), "url: only http and https URLs", catalog.ErrInput},
		{"above the folder of the template", "fetch:template", `{"url":"../../../etc"}`, local, "Relative path is not allowed to refer to a directory outside its parent", catalog.ErrNotAllowed},
		{"an absolute path", "fetch:plain:file", `{"url":"/etc/passwd","targetPath":"x"}`, local, "Relative path is not allowed", catalog.ErrNotAllowed},
		{"through a link", "fetch:plain", `{"url":"./way-out"}`, local, "Relative path is not allowed", catalog.ErrNotAllowed},
		{"a file through a link", "fetch:plain:file", `{"url":"./way-out/passwd","targetPath":"x"}`, local, "Relative path is not allowed", catalog.ErrNotAllowed},
		{"what is not there", "fetch:template", `{"url":"./none"}`, local, "url: there is no none in the folder of the template", catalog.ErrInput},
		{"a file that is not there", "fetch:plain:file", `{"url":"./none","targetPath":"x"}`, local, "url: there is no none in the folder of the template", catalog.ErrInput},
		{"a file for a folder", "fetch:plain", `{"url":"./f"}`, local, "url: f is a file, not a folder", catalog.ErrInput},
		{"a folder for a file", "fetch:plain:file", `{"url":"./skeleton","targetPath":"x"}`, local, "url: skeleton is a folder, not a file", catalog.ErrInput},
		{"a template with a fault", "fetch:template", `{"url":"./skeleton"}`, local, "Template error in a at line 1, column", nil},
		{"a file with a fault", "fetch:template:file", `{"url":"./skeleton/a","targetPath":"x"}`, local, "Template error in ./skeleton/a at line 1, column", nil},
		{"an extension and raw files", "fetch:template", `{"url":"./skeleton","templateFileExtension":".x","copyWithoutTemplating":["a"]}`, local,
			"Fetch action input extension incompatible with copyWithoutTemplating and cookiecutterCompat", catalog.ErrInput},
		{"an extension in the other dialect", "fetch:template", `{"url":"./skeleton","templateFileExtension":true,"cookiecutterCompat":true}`, local,
			"Fetch action input extension incompatible", catalog.ErrInput},
		{"patterns that are no list", "fetch:template", `{"url":"./skeleton","copyWithoutTemplating":"a"}`, local,
			"Invalid input passed to action fetch:template, instance.copyWithoutTemplating is not of a type(s) array", catalog.ErrInput},
		{"a pattern that is none", "fetch:template", `{"url":"./skeleton","copyWithoutTemplating":["+(a)"]}`, local, `copyWithoutTemplating: pattern "+(a)"`, catalog.ErrInput},
		{"no template of cookiecutter", "fetch:cookiecutter", `{"url":"./skeleton","values":{}}`, local, "the template has no cookiecutter.json in its root folder", catalog.ErrInput},
		{"a tree that cannot be read", "fetch:plain", `{"url":"./none"}`, at(base), "fetching " + base + "none: 404 Not Found", catalog.ErrNotFound},
		{"a file that cannot be read", "fetch:template:file", `{"url":"https://me:pw@github.com/x?token=secret#y","targetPath":"x"}`, at(base),
			"fetching https://github.com/x: 404 Not Found", catalog.ErrNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			c.setup(t, ctx)
			err := r.Run(t.Context(), with(t, trees(), c.id), ctx, c.input)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "secret")
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
}

func TestSchemas(t *testing.T) {
	text := `{"type":"string"}`
	flag := `{"type":"boolean"}`
	list := `{"type":"array","items":{"type":"string"}}`
	object := `{"type":"object","additionalProperties":{}}`
	for id, c := range map[string]struct {
		required   []string
		properties map[string]string
	}{
		"fetch:plain":      {[]string{"url"}, map[string]string{"url": text, "targetPath": text, "token": text}},
		"fetch:plain:file": {[]string{"url", "targetPath"}, map[string]string{"url": text, "targetPath": text, "token": text}},
		"fetch:template": {[]string{"url"}, map[string]string{"url": text, "targetPath": text, "token": text, "values": object, "copyWithoutRender": list,
			"copyWithoutTemplating": list, "cookiecutterCompat": flag, "templateFileExtension": `{"type":["string","boolean"]}`,
			"replace": flag, "trimBlocks": flag, "lstripBlocks": flag}},
		"fetch:cookiecutter": {[]string{"url", "values"}, map[string]string{"url": text, "targetPath": text, "values": object, "copyWithoutRender": list,
			"extensions": list, "imageName": text}},
		"fetch:template:file": {[]string{"url", "targetPath"}, map[string]string{"url": text, "targetPath": text, "token": text, "values": object,
			"cookiecutterCompat": flag, "replace": flag, "trimBlocks": flag, "lstripBlocks": flag}},
	} {
		schema := with(t, nil, id).InputSchema()
		require.Equal(t, c.required, strs(schema.Value("required")), id)
		require.Equal(t, false, schema.Value("additionalProperties"))
		var names []string
		for name, s := range schema.Object("properties").All() {
			names = append(names, name)
			require.JSONEq(t, c.properties[name], actiontest.Undescribed(s.(*jsonvalue.Object)), "%s %s", id, name)
		}
		require.Len(t, names, len(c.properties), id)
		require.True(t, with(t, nil, id).Repeatable(), id)
		require.Equal(t, id != "fetch:cookiecutter", with(t, nil, id).DryRun(), id)
	}
}

func strs(v any) []string {
	var out []string
	for _, s := range v.([]any) {
		out = append(out, s.(string))
	}
	return slices.Clip(out)
}
