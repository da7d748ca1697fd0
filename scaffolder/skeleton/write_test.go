package skeleton_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/glob"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// files makes a source of texts; a name that ends in a slash is a folder, a
// content that begins with "->" the target of a link.
func files(contents map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, content := range contents {
		switch {
		case strings.HasSuffix(name, "/"):
			m[strings.TrimSuffix(name, "/")] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
		case strings.HasPrefix(content, "->"):
			m[name] = &fstest.MapFile{Mode: fs.ModeSymlink | 0o777, Data: []byte(content[2:])}
		default:
			m[name] = &fstest.MapFile{Mode: 0o644, Data: []byte(content)}
		}
	}
	return m
}

// contents is the inverse of files.
func contents(t testing.TB, ws *workspace.Workspace) map[string]string {
	out := map[string]string{}
	require.NoError(t, ws.Walk(".", func(name string, info fs.FileInfo) error {
		switch {
		case info.IsDir():
			out[name+"/"] = ""
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := ws.Readlink(name)
			require.NoError(t, err)
			out[name] = "->" + target
		default:
			data, err := ws.ReadFile(name, 1<<20)
			require.NoError(t, err)
			out[name] = string(data)
		}
		return nil
	}))
	return out
}

func newWorkspace(t testing.TB, o workspace.Options, before map[string]string) *workspace.Workspace {
	ws, err := workspace.Open(filepath.Join(t.TempDir(), "ws"), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ws.Destroy()) })
	for name, content := range before {
		if strings.HasSuffix(name, "/") {
			require.NoError(t, ws.MkdirAll(name, 0o755))
			continue
		}
		require.NoError(t, ws.WriteFile(name, []byte(content), 0o600))
	}
	return ws
}

func engine() *skeleton.Engine {
	return skeleton.NewEngine(skeleton.EngineOptions{Filters: filters.Funcs(filters.Backstage(nil)), Compatible: filters.Compatible()})
}

func globs(t testing.TB, patterns ...string) func(skeleton.Entry) bool {
	set, err := glob.Compile(patterns)
	require.NoError(t, err)
	return func(e skeleton.Entry) bool {
		return set.Match(e.Name, e.IsFolder()) || e.IsFolder() && set.Holds(e.Name)
	}
}

type job struct {
	name    string
	source  map[string]string
	before  map[string]string
	dialect skeleton.Dialect
	values  map[string]any
	options skeleton.Options
	raw     []string
	untouch []string
	want    map[string]string
	err     string
}

func (j job) run(t *testing.T) (*workspace.Workspace, error) {
	ws := newWorkspace(t, workspace.Options{}, j.before)
	tree, err := skeleton.Read(t.Context(), files(j.source), skeleton.Limits{})
	require.NoError(t, err)
	var values any
	if j.values != nil {
		values = j.values
	}
	j.options.Renderer, err = engine().Renderer(j.dialect, values)
	require.NoError(t, err)
	j.options.Raw, j.options.Untouched = globs(t, j.raw...), globs(t, j.untouch...)
	return ws, tree.Write(t.Context(), ws, j.options)
}

func TestWrite(t *testing.T) {
	v := map[string]any{"name": "shop", "yes": true, "no": false, "up": "../x", "ports": []any{80.0, 443.0}}
	for _, j := range []job{
		{
			name:   "names and contents are templates",
			source: map[string]string{"${{ values.name }}/${{ values.name }}.md": "# ${{ values.name }}\n{% for p in values.ports %}${{ p }} {% endfor %}", "b.txt": "{{ name }}"},
			want:   map[string]string{"shop/": "", "shop/shop.md": "# shop\n80 443 ", "b.txt": "{{ name }}"},
		}, {
			name:   "nothing but the values is known",
			source: map[string]string{"a": "${{ parameters.x }}${{ secrets }}${{ user }}${{ values.nothing }}!"},
			want:   map[string]string{"a": "!"},
		}, {
			name:   "a folder whose name is empty vanishes with all below",
			source: map[string]string{"${{ 'x' if values.no }}/deep/a": "a", "${{ 'x' if values.yes }}/deep/a": "a"},
			want:   map[string]string{"x/": "", "x/deep/": "", "x/deep/a": "a"},
		}, {
			name:   "and so does one further down",
			source: map[string]string{"top/{% if values.no %}x{% endif %}/a": "a"},
			want:   map[string]string{"top/": ""},
		}, {
			name:   "a file whose name is empty is left out, at the root and below",
			source: map[string]string{"${{ 'a' if values.no }}": "a", "sub/${{ 'a' if values.no }}": "a", "sub/b": "b"},
			want:   map[string]string{"sub/": "", "sub/b": "b"},
		}, {
			name:    "also where files are replaced",
			source:  map[string]string{"sub/${{ 'a' if values.no }}": "a", "sub/b": "b"},
			options: skeleton.Options{Replace: true},
			want:    map[string]string{"sub/": "", "sub/b": "b"},
		}, {
			name:   "empty folders survive",
			source: map[string]string{"empty/": "", "a/b/": ""},
			want:   map[string]string{"empty/": "", "a/": "", "a/b/": ""},
		}, {
			name:   "names that begin with a dot are like others",
			source: map[string]string{".github/workflows/ci.yaml": "${{ values.name }}", ".env": "x"},
			want:   map[string]string{".github/": "", ".github/workflows/": "", ".github/workflows/ci.yaml": "shop", ".env": "x"},
		}, {
			name:   "what is there stays",
			source: map[string]string{"a": "new", "b": "new"}, before: map[string]string{"a": "old"},
			want: map[string]string{"a": "old", "b": "new"},
		}, {
			name:   "unless it is to be replaced",
			source: map[string]string{"a": "new", "l": "->a"}, before: map[string]string{"a": "old", "l": "old"},
			options: skeleton.Options{Replace: true},
			want:    map[string]string{"a": "new", "l": "->a"},
		}, {
			name:   "the first of two entries with one name stays",
			source: map[string]string{"${{ values.name }}": "first", "shop": "second"},
			want:   map[string]string{"shop": "first"},
		}, {
			name:   "a target folder",
			source: map[string]string{"a": "a"}, options: skeleton.Options{Target: "x/y"},
			want: map[string]string{"x/": "", "x/y/": "", "x/y/a": "a"},
		}, {
			name:   "raw contents, rendered names",
			source: map[string]string{"${{ values.name }}.txt": "${{ values.name }}", "raw/${{ values.name }}": "{% if %}", "c": "${{ values.name }}"},
			raw:    []string{"*.txt", "raw"},
			want:   map[string]string{"shop.txt": "${{ values.name }}", "raw/": "", "raw/shop": "{% if %}", "c": "shop"},
		}, {
			name:    "untouched names and contents",
			source:  map[string]string{"${{ values.name }}/a": "${{ values.name }}", "b": "${{ values.name }}"},
			untouch: []string{"$*"},
			want:    map[string]string{"${{ values.name }}/": "", "shop/": "", "shop/a": "shop", "b": "shop"},
		}, {
			name:    "an untouched folder keeps its name with all below",
			source:  map[string]string{"{% x/{% a": "{% b", "b": "${{ values.name }}"},
			untouch: []string{"{% x"},
			want:    map[string]string{"{% x/": "", "{% x/{% a": "{% b", "b": "shop"},
		}, {
			name:    "an extension marks the files that are rendered",
			source:  map[string]string{"a.txt.njk": "${{ values.name }}", "b.txt": "${{ values.name }}", "${{ values.name }}.njk": "x", ".njk": "${{ 1 }}", "d.njk/e.njk": "${{ 1 }}", "f.html.njk": "1"},
			options: skeleton.Options{Extension: ".njk"},
			want:    map[string]string{"a.txt": "shop", "b.txt": "${{ values.name }}", "shop": "x", ".njk": "${{ 1 }}", "d.njk/": "", "d.njk/e": "1", "f.html": "1"},
		}, {
			name:    "an extension with two dots never matches",
			source:  map[string]string{"a.html.njk": "${{ values.name }}"},
			options: skeleton.Options{Extension: ".html.njk"},
			want:    map[string]string{"a.html.njk": "${{ values.name }}"},
		}, {
			name:    "the compatible dialect",
			source:  map[string]string{"{{ cookiecutter.name }}": "{{ cookiecutter.ports | jsonify }} {{ True }} ${{ values.name }} ${{ cookiecutter.name }}"},
			dialect: skeleton.Dialect{Compatible: true},
			want:    map[string]string{"shop": "[80,443] true $ $shop"},
		}, {
			name:    "trimmed blocks",
			source:  map[string]string{"a": "x\n  {% if values.yes %}\ny\n  {% endif %}\nz"},
			dialect: skeleton.Dialect{TrimBlocks: true, LstripBlocks: true},
			want:    map[string]string{"a": "x\ny\nz"},
		}, {
			name:   "links are copied, whatever they say, and their names rendered",
			source: map[string]string{"${{ values.name }}": "->../../etc/passwd", "broken": "->none", "ok": "->a", "a": "${{ 1 }}"},
			want:   map[string]string{"shop": "->../../etc/passwd", "broken": "->none", "ok": "->a", "a": "1"},
		}, {
			name:   "nothing is written through a link that leads out",
			source: map[string]string{"$0": "->/etc", "${{ '$0' }}/x": "x"},
			err:    "Relative path is not allowed to refer to a directory outside its parent",
		}, {
			name:   "binary files are copied",
			source: map[string]string{"a": "\x00${{ values.name }}", "b.pdf": "%PDF-${{ values.name }}", "u16": "\xff\xfea\x00${{"},
			want:   map[string]string{"a": "\x00${{ values.name }}", "b.pdf": "%PDF-${{ values.name }}", "u16": "\xff\xfea\x00${{"},
		}, {
			name:   "in texts broken bytes are replaced, rendered or not",
			source: map[string]string{"a": "caf\xe9 ${{ values.name }} and some more text", "b": "caf\xe9 and some more text that nobody renders", "c": "\xef\xbb\xbfmark"},
			raw:    []string{"b"},
			want:   map[string]string{"a": "caf\ufffd shop and some more text", "b": "caf\ufffd and some more text that nobody renders", "c": "\ufeffmark"},
		}, {
			name:   "line ends stay",
			source: map[string]string{"a": "x\r\n${{ values.name }}\r\n"},
			want:   map[string]string{"a": "x\r\nshop\r\n"},
		}, {
			name:   "no values at all",
			source: map[string]string{"a${{ values }}": "${{ values.name }}${{ values is undefined }}"},
			want:   map[string]string{"a": "true"},
		}, {
			name:   "a name that leads out",
			source: map[string]string{"${{ values.up }}": "x"}, options: skeleton.Options{Target: "sub"},
			err: "Relative path is not allowed to refer to a directory outside its parent",
		}, {
			name:   "an error in a content",
			source: map[string]string{"deep/a.txt": "ok\n${{ values.name | nosuch }}"},
			err:    `Template error in deep/a.txt at line 2, column`,
		}, {
			name:   "an error in a name",
			source: map[string]string{"${{ values.name | nosuch }}.txt": ""},
			err:    `Template error in the name of ${{ values.name | nosuch }}.txt at line 1, column`,
		}, {
			name:   "a file where a folder is",
			source: map[string]string{"a": "x"}, before: map[string]string{"a/": ""}, options: skeleton.Options{Replace: true},
			err: "is a directory",
		},
	} {
		t.Run(j.name, func(t *testing.T) {
			if j.values == nil && j.name != "no values at all" {
				j.values = v
			}
			ws, err := j.run(t)
			if j.err != "" {
				require.ErrorContains(t, err, j.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, j.want, contents(t, ws))
		})
	}
}

func TestModesAreKept(t *testing.T) {
	source := fstest.MapFS{
		"run.sh": {Data: []byte("#!/bin/sh\n${{ values.name }}"), Mode: 0o755},
		"tool":   {Data: []byte("\x00binary"), Mode: 0o755},
		"a":      {Data: []byte("new"), Mode: 0o755},
	}
	ws := newWorkspace(t, workspace.Options{}, map[string]string{"a": "old"})
	tree, err := skeleton.Read(t.Context(), source, skeleton.Limits{})
	require.NoError(t, err)
	r, err := engine().Renderer(skeleton.Dialect{}, nil)
	require.NoError(t, err)
	require.NoError(t, tree.Write(t.Context(), ws, skeleton.Options{Renderer: r, Replace: true}))
	for name, executable := range map[string]bool{"run.sh": true, "tool": true, "a": false} {
		info, err := ws.Stat(name)
		require.NoError(t, err)
		require.Equal(t, executable, info.Mode()&0o100 != 0, "%s: a file that is replaced keeps its mode", name)
	}
}

func TestLogLines(t *testing.T) {
	source := files(map[string]string{"${{ values.name }}/main.go": "x", "logo.png": "\x00", "raw.txt": "x", "there": "x"})
	source["run.sh"] = &fstest.MapFile{Data: []byte("x"), Mode: 0o755}
	ws := newWorkspace(t, workspace.Options{}, map[string]string{"there": "old"})
	tree, err := skeleton.Read(t.Context(), source, skeleton.Limits{})
	require.NoError(t, err)
	require.Len(t, tree.Entries(), 6)
	r, err := engine().Renderer(skeleton.Dialect{}, map[string]any{"name": "shop"})
	require.NoError(t, err)
	var lines []string
	require.NoError(t, tree.Write(t.Context(), ws, skeleton.Options{Renderer: r, Raw: globs(t, "raw.txt"),
		Log: func(line string) { lines = append(lines, line) }}))
	require.Equal(t, []string{
		"Writing directory ${{ values.name }}/ to template output path.",
		"Copying file binary or symbolic link at logo.png, to template output path.",
		"Copying file/directory raw.txt without processing.",
		"Writing file raw.txt to template output path with mode 33188.",
		"Writing file run.sh to template output path with mode 33261.",
		"Writing file ${{ values.name }}/main.go to template output path with mode 33188.",
	}, lines)
}

func TestLimits(t *testing.T) {
	source := files(map[string]string{"a/b/c/d": "x", "e": "x", "f": strings.Repeat("x", 100) + "${{ 1 }}"})
	for _, c := range []struct {
		limits skeleton.Limits
		quota  int64
		want   string
	}{
		{skeleton.Limits{Entries: 5}, 0, "the template has more than 5 files and folders"},
		{skeleton.Limits{Depth: 2}, 0, "nested deeper than 2 levels"},
		{skeleton.Limits{Text: 50}, 0, "f is larger than the 50 bytes that a template may have; list it in copyWithoutTemplating"},
		{skeleton.Limits{}, 3 << 10, "The workspace of this task is full"},
	} {
		ws := newWorkspace(t, workspace.Options{Quota: c.quota}, nil)
		tree, err := skeleton.Read(t.Context(), source, c.limits)
		if err == nil {
			r, rendererErr := engine().Renderer(skeleton.Dialect{}, nil)
			require.NoError(t, rendererErr)
			err = tree.Write(t.Context(), ws, skeleton.Options{Renderer: r})
		}
		require.ErrorContains(t, err, c.want)
	}
}

// A text that is no template may be larger than one.
func TestLargeTextsAreCopied(t *testing.T) {
	big := strings.Repeat("0123456789\n", 1<<19)
	ws := newWorkspace(t, workspace.Options{}, nil)
	tree, err := skeleton.Read(t.Context(), files(map[string]string{"plain": big, "raw": "${{" + big}), skeleton.Limits{Text: 3 << 20})
	require.NoError(t, err)
	r, err := engine().Renderer(skeleton.Dialect{}, nil)
	require.NoError(t, err)
	err = tree.Write(t.Context(), ws, skeleton.Options{Renderer: r, Raw: globs(t, "*")})
	require.NoError(t, err)
	data, err := ws.ReadFile("raw", 16<<20)
	require.NoError(t, err)
	require.Equal(t, len(big)+3, len(data))
}

func TestTemplatesAreBounded(t *testing.T) {
	e := skeleton.NewEngine(skeleton.EngineOptions{Limits: nunjucks.Limits{Loops: 100}})
	r, err := e.Renderer(skeleton.Dialect{}, nil)
	require.NoError(t, err)
	_, err = r.Text(t.Context(), "bomb", "{% for i in range(1000) %}x{% endfor %}")
	var named *catalog.Error
	require.ErrorAs(t, err, &named)
	require.Equal(t, skeleton.NameTemplateError, named.Name)
	require.Contains(t, err.Error(), "Template error in bomb at line 1")
}

func TestCancel(t *testing.T) {
	cause := errors.New("cancelled by its user")
	ctx, cancel := context.WithCancelCause(t.Context())
	ws := newWorkspace(t, workspace.Options{}, nil)
	tree, err := skeleton.Read(ctx, files(map[string]string{"a": "a", "b": "b"}), skeleton.Limits{})
	require.NoError(t, err)
	r, err := engine().Renderer(skeleton.Dialect{}, nil)
	require.NoError(t, err)
	err = tree.Write(ctx, ws, skeleton.Options{Renderer: r, Log: func(string) { cancel(cause) }})
	require.ErrorIs(t, err, cause)
	require.Len(t, contents(t, ws), 1, "the file that was being written is the last")
	_, err = skeleton.Read(ctx, files(nil), skeleton.Limits{})
	require.ErrorIs(t, err, cause)
	_, err = r.Text(ctx, "a", "{% for i in range(100000) %}${{ i }}{% endfor %}")
	require.ErrorIs(t, err, cause)
}

func TestNamesAreTexts(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "caf\xe9"), nil, 0o644); err != nil {
		t.Skip("SKIPPED: this file system only has names that are UTF-8")
	}
	_, err := skeleton.Read(t.Context(), os.DirFS(dir), skeleton.Limits{})
	require.ErrorIs(t, err, catalog.ErrInput)
	require.ErrorContains(t, err, `"caf\xe9"`)
}

func TestReadingDevicesIsNoBusinessOfOurs(t *testing.T) {
	source := fstest.MapFS{"pipe": {Mode: fs.ModeNamedPipe}, "a": {Data: []byte("a")}}
	tree, err := skeleton.Read(t.Context(), source, skeleton.Limits{})
	require.NoError(t, err)
	require.Len(t, tree.Entries(), 1)
}

// FuzzWrite renders one file of any name and content: nothing is ever written
// beside the workspace.
func FuzzWrite(f *testing.F) {
	f.Add("${{ values.a }}/x", "${{ values.b | dump }}", "../../x")
	f.Add("a/b", "{% raw %}", "\x00")
	f.Fuzz(func(t *testing.T, name, content, value string) {
		if !fs.ValidPath(name) || name == "." || len(name) > 200 {
			return
		}
		dir := t.TempDir()
		ws, err := workspace.Open(filepath.Join(dir, "ws"), workspace.Options{Quota: 1 << 20})
		require.NoError(t, err)
		defer ws.Destroy()
		tree, err := skeleton.Read(t.Context(), files(map[string]string{name: content}), skeleton.Limits{})
		require.NoError(t, err)
		r, err := engine().Renderer(skeleton.Dialect{}, map[string]any{"a": value, "b": value})
		require.NoError(t, err)
		_ = tree.Write(t.Context(), ws, skeleton.Options{Renderer: r, Target: "t"})
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		entries, err = os.ReadDir(filepath.Join(dir, "ws"))
		require.NoError(t, err)
		require.LessOrEqual(t, len(entries), 1, "all is below the target")
	})
}

// BenchmarkWrite renders a skeleton of 1,000 files in 100 folders, of the size
// and with as many expressions as public ones have.
func BenchmarkWrite(b *testing.B) {
	source := map[string]string{}
	for i := range 1000 {
		source[fmt.Sprintf("${{ values.name }}-%d/src/file-%d.txt", i/10, i)] = strings.Repeat("line of text that has no expression in it at all\n", 30) +
			fmt.Sprintf("name: ${{ values.name }} # %d\n{%% if values.ci %%}ci: ${{ values.ports | dump }}{%% endif %%}\nowner: ${{ values.owner | parseEntityRef | pick('name') }}\n", i)
	}
	dir := b.TempDir()
	for name, content := range source {
		full := filepath.Join(dir, name)
		require.NoError(b, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(b, os.WriteFile(full, []byte(content), 0o644))
	}
	e := engine()
	b.ResetTimer()
	for b.Loop() {
		ws, err := workspace.Open(filepath.Join(b.TempDir(), "ws"), workspace.Options{})
		require.NoError(b, err)
		tree, err := skeleton.Read(b.Context(), os.DirFS(dir), skeleton.Limits{})
		require.NoError(b, err)
		r, err := e.Renderer(skeleton.Dialect{}, map[string]any{"name": "shop", "ci": true, "ports": []any{80.0}, "owner": "group:default/team-a"})
		require.NoError(b, err)
		require.NoError(b, tree.Write(b.Context(), ws, skeleton.Options{Renderer: r}))
		b.StopTimer()
		require.NoError(b, ws.Destroy())
		b.StartTimer()
	}
}

func TestCopy(t *testing.T) {
	source := files(map[string]string{"${{ a }}/x": "${{ a }}", "a": "new", "empty/": "", "in/l": "->../a", "out": "->../../x", "abs": "->/etc", "deep/l": "->../../x", "over": "->a"})
	source["run"] = &fstest.MapFile{Data: []byte("caf\xe9"), Mode: 0o755}
	ws := newWorkspace(t, workspace.Options{}, map[string]string{"t/a": "old", "t/over": "old", "t/kept": "old"})
	tree, err := skeleton.Read(t.Context(), source, skeleton.Limits{})
	require.NoError(t, err)
	tree, err = tree.WithoutLinksOut()
	require.NoError(t, err)
	require.NoError(t, tree.Copy(t.Context(), ws, "t"))
	require.Equal(t, map[string]string{"t/": "", "t/${{ a }}/": "", "t/${{ a }}/x": "${{ a }}", "t/a": "new", "t/empty/": "", "t/in/": "", "t/in/l": "->../a",
		"t/deep/": "", "t/over": "->a", "t/kept": "old", "t/run": "caf\xe9"}, contents(t, ws), "bytes stay as they are, and links that lead out are left out")
	info, err := ws.Stat("t/run")
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100)

	cause := errors.New("cancelled by its user")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	require.ErrorIs(t, tree.Copy(ctx, ws, "t"), cause)
}
