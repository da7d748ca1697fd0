package cookiecutter_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/cookiecutter"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

func read(t *testing.T, files map[string]string) (*cookiecutter.Template, error) {
	source := fstest.MapFS{}
	for name, content := range files {
		source[name] = &fstest.MapFile{Data: []byte(content), Mode: 0o644}
	}
	tree, err := skeleton.Read(t.Context(), source, skeleton.Limits{})
	require.NoError(t, err)
	return cookiecutter.Read(tree)
}

func object(t *testing.T, text string) *jsonvalue.Object {
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func TestContext(t *testing.T) {
	for _, c := range []struct{ name, defaults, values, want string }{
		{"values go over defaults", `{"a":"x","b":"y"}`, `{"b":"z","c":"w"}`, `{"a":"x","b":"z","c":"w"}`},
		{"variables see those before them", `{"name":"My App","slug":"{{ cookiecutter.name.lower().replace(' ', '-') }}","twice":"{{ cookiecutter.slug }}{{ cookiecutter.slug }}"}`, `{"name":"A B C"}`,
			`{"name":"A B C","slug":"a-b-c","twice":"a-b-ca-b-c"}`},
		{"not those after them", `{"a":"{{ cookiecutter.b }}","b":"x"}`, `{}`, `{"a":"","b":"x"}`},
		{"the first choice", `{"licence":["MIT","{{ cookiecutter.x }}"]}`, `{}`, `{"licence":"MIT"}`},
		{"a value for a choice", `{"licence":["MIT","BSD"]}`, `{"licence":"BSD"}`, `{"licence":"BSD"}`},
		{"numbers are texts, booleans not", `{"n":8080,"f":1.50,"t":true,"z":null}`, `{}`, `{"n":"8080","f":"1.5","t":true,"z":null}`},
		{"private variables are left alone, with two underscores they are rendered", `{"a":"x","_raw":"{{ cookiecutter.a }}","__made":"{{ cookiecutter.a }}"}`, `{}`,
			`{"a":"x","_raw":"{{ cookiecutter.a }}","__made":"x"}`},
		{"dictionaries are rendered throughout", `{"a":"x","d":{"{{ cookiecutter.a }}":["{{ cookiecutter.a }}",{"n":1}]}}`, `{}`, `{"a":"x","d":{"x":["x",{"n":"1"}]}}`},
		{"JSON", `{"d":{"b":[1],"a":"x"},"j":"{{ cookiecutter.d | jsonify }}","k":"{{ cookiecutter.d | tojson }}"}`, `{}`,
			`{"d":{"b":["1"],"a":"x"},"j":"{\n    \"a\": \"x\",\n    \"b\": [\n        \"1\"\n    ]\n}","k":"{\"a\":\"x\",\"b\":[\"1\"]}"}`},
		{"slugs", `{"a":"{{ 'Hello, World! 2' | slugify }}"}`, `{}`, `{"a":"hello-world-2"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			template, err := read(t, map[string]string{"cookiecutter.json": c.defaults, "{{cookiecutter.a}}/x": ""})
			require.NoError(t, err)
			got, err := template.Context(t.Context(), cookiecutter.NewEngine(nunjucks.Limits{}), object(t, c.values))
			require.NoError(t, err)
			require.Equal(t, c.want, string(jsonvalue.Append(nil, got)))
		})
	}
}

func TestContextErrors(t *testing.T) {
	many := map[string]string{}
	for i := range 1001 {
		many[fmt.Sprint("k", i)] = ""
	}
	for _, c := range []struct{ defaults, want string }{
		{`{"a":[]}`, "cookiecutter.json: the variable a has no choices"},
		{`{"a":"{{ x | nosuch }}"}`, "Template error in the variable a at line 1, column"},
		{`{"a":{"b":"{% if %}"}}`, "Template error in the variable a at line 1, column"},
		{string(jsonvalue.Append(nil, plain(many))), "the template has more than 1000 variables"},
	} {
		template, err := read(t, map[string]string{"cookiecutter.json": c.defaults, "{{cookiecutter.a}}/x": ""})
		require.NoError(t, err)
		_, err = template.Context(t.Context(), cookiecutter.NewEngine(nunjucks.Limits{}), nil)
		require.ErrorContains(t, err, c.want)
	}
}

func plain(m map[string]string) any {
	o := jsonvalue.NewObject()
	for k, v := range m {
		o.Set(k, v)
	}
	return o
}

func TestRead(t *testing.T) {
	template, err := read(t, map[string]string{
		"cookiecutter.json": `{"_extensions":["cookiecutter.extensions.SlugifyExtension","jinja2_time.TimeExtension"],"_jinja2_env_vars":{"trim_blocks":true}}`,
		"README.md":         "", "hooks/post_gen_project.py": "", "docs/{{cookiecutter.x}}/y": "", "{{ cookiecutter.name }}/a/b": "",
	})
	require.NoError(t, err)
	require.True(t, template.Hooks)
	require.Equal(t, []string{"jinja2_time.TimeExtension"}, template.Extensions(nil))
	require.Equal(t, []string{"own.Extension"}, template.Extensions(object(t, `{"_extensions":["own.Extension"]}`)))
	require.Equal(t, skeleton.Dialect{Compatible: true, TrimBlocks: true}, template.Dialect())
	require.Len(t, template.Folder().Entries(), 2)
	require.Equal(t, "a/b", template.Folder().Entries()[1].Name)

	for _, c := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"{{cookiecutter.a}}/x": ""}, "the template has no cookiecutter.json in its root folder"},
		{map[string]string{"cookiecutter.json": "{", "{{cookiecutter.a}}/x": ""}, "cookiecutter.json: Unexpected end of JSON input"},
		{map[string]string{"cookiecutter.json": "[]", "{{cookiecutter.a}}/x": ""}, "cookiecutter.json: not a JSON object"},
		{map[string]string{"cookiecutter.json": "{}", "cookiecutter/x": ""}, "the template has no folder with a name like {{cookiecutter.name}}"},
		{map[string]string{"cookiecutter.json": "{}", "{{cookiecutter.a}}": ""}, "the template has no folder with a name like {{cookiecutter.name}}"},
	} {
		_, err := read(t, c.files)
		require.ErrorIs(t, err, catalog.ErrInput)
		require.ErrorContains(t, err, c.want)
	}
}

func TestRaw(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
		why           string
	}{
		{"*.html", "a.html", true, ""},
		{"*.html", "deep/er/a.html", true, "a star also matches slashes"},
		{"*.html", "a.htmlx", false, "the whole name is matched"},
		{"docs", "docs/a/b", true, "and all below a folder"},
		{"docs/[ab]?", "docs/ax", true, ""},
		{"docs/[!ab]?", "docs/ax", false, ""},
		{"[", "[", true, "a bracket that is not closed is a character"},
		{"[]]", "]", true, ""},
		{"ä*", "äx", true, ""},
		{"a.b", "axb", false, "a dot is a dot"},
	} {
		raw, err := cookiecutter.Raw(object(t, `{"_copy_without_render":[`+string(jsonvalue.AppendString(nil, c.pattern))+`,1]}`))
		require.NoError(t, err)
		require.Equal(t, c.want, raw(skeleton.Entry{Name: c.name}), "%s %s %s", c.pattern, c.name, c.why)
	}
	_, err := cookiecutter.Raw(object(t, `{"_copy_without_render":["[z-a]"]}`))
	require.EqualError(t, err, `_copy_without_render: the pattern "[z-a]" is not valid`)
	_, err = cookiecutter.Raw(object(t, `{"_copy_without_render":["`+strings.Repeat("x", 2000)+`"]}`))
	require.ErrorContains(t, err, "longer than 1000 bytes")
	raw, err := cookiecutter.Raw(object(t, `{}`))
	require.NoError(t, err)
	require.False(t, raw(skeleton.Entry{Name: "a"}))
}

func TestMethodsOfStrings(t *testing.T) {
	for expression, want := range map[string]string{
		`'My App'.lower()`: "my app", `'a'.upper()`: "A", `"it's a-b 2c".title()`: "It'S A-B 2C", `'éA'.capitalize()`: "Éa", `''.capitalize()`: "",
		`'aB'.swapcase()`: "Ab", `' x '.strip()`: "x", `'--x-'.strip('-')`: "x", `' x '.lstrip() ~ '|'`: "x |", `' x '.rstrip()`: " x", `'xxa'.lstrip('x')`: "a",
		`'a-b-c'.replace('-', '_')`: "a_b_c", `'a-b-c'.replace('-', '_', 1)`: "a_b-c", `'a-b-c'.split('-')[1]`: "b", `'a-b-c'.split('-', 1)[1]`: "b-c",
		`' a  b '.split() | join('|')`: "a|b", `"a\nb\n".splitlines() | length`: "2", `','.join(['a', 'b'])`: "a,b", `'abab'.count('ab')`: "2", `'äb'.find('b')`: "1",
		`'a'.find('b')`: "-1", `'a'.startswith('a')`: "true", `'a'.endswith('b')`: "false", `'12'.isdigit()`: "true", `''.isdigit()`: "false", `'a1'.isalnum()`: "true",
		`'a1'.isalpha()`: "false", `' '.isspace()`: "true", `'7'.zfill(3)`: "007", `'-7'.zfill(4)`: "-007", `'777'.zfill(2)`: "777", `'lib-x'.removeprefix('lib-')`: "x",
		`'x.py'.removesuffix('.py')`: "x", `cookiecutter.name.lower()`: "shop", `'abc'.length`: "3", `('a' | safe).upper()`: "A",
	} {
		r, err := cookiecutter.NewEngine(nunjucks.Limits{}).Renderer(skeleton.Dialect{Compatible: true}, map[string]any{"name": "Shop"})
		require.NoError(t, err)
		got, err := r.Text(t.Context(), "x", "{{ "+expression+" }}")
		require.NoError(t, err, expression)
		require.Equal(t, want, got, expression)
	}
	for expression, want := range map[string]string{
		`'a'.replace('a')`: "replace needs what to replace", `'a'.join()`: "join needs a list",
		`'` + strings.Repeat("a", 2000) + `'.replace('a', '` + strings.Repeat("b", 2000) + `')`: "is larger than",
	} {
		r, err := cookiecutter.NewEngine(nunjucks.Limits{}).Renderer(skeleton.Dialect{Compatible: true}, nil)
		require.NoError(t, err)
		_, err = r.Text(t.Context(), "x", "{{ "+expression+" }}")
		require.ErrorContains(t, err, want)
	}
}

func FuzzRaw(f *testing.F) {
	f.Add("[!a-z]*[", "x/y")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		raw, err := cookiecutter.Raw(jsonvalue.NewObject(jsonvalue.Member{Key: "_copy_without_render", Value: []any{pattern}}))
		if err == nil {
			raw(skeleton.Entry{Name: strings.Trim(name, "/")})
		}
	})
}
