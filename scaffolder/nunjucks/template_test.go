package nunjucks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

func scaffolder() nunjucks.Options { return nunjucks.Options{Tags: nunjucks.ScaffolderTags()} }

func TestErrorsSayWhereAndWhatToDo(t *testing.T) {
	for _, c := range []struct{ name, source, want, text string }{
		{"unknown filter", "a\n  ${{ x | lowercase }}", `test.njk:2:11: unknown filter "lowercase"; did you mean lower?`, "lowercase"},
		{"misspelt filter", "${{ x | captialize }}", `test.njk:1:9: unknown filter "captialize"; did you mean capitalize?`, "captialize"},
		{"python's split", "${{ x | split }}", `test.njk:1:9: unknown filter "split"; there is no such filter; write value.split(",")`, "split"},
		{"unknown test", "${{ x is defind }}", `test.njk:1:10: unknown test "defind"; did you mean defined?`, "defind"},
		{"columns count characters", "é😀${{ x | nope }}", `test.njk:1:11: unknown filter "nope"`, "nope"},
		{"call of nothing", "${{ x.y.z() }}", "test.njk:1:5: unable to call x.y.z, which is undefined or falsy; the value before the dot is undefined", "x.y.z("},
		{"misspelt method", "${{ 'a'.toUppercase() }}", "test.njk:1:5: unable to call a.toUppercase, which is undefined or falsy; did you mean toUpperCase?", "'a'.toUppercase("},
		{"filter called", "${{ upper('a') }}", "test.njk:1:5: unable to call upper, which is undefined or falsy; upper is a filter; write value | upper", "upper("},
		{"wrong kind", "${{ 5 | upper }}", "test.njk:1:9: filter upper: needs a string, not a number; put | string before it", "upper"},
		{"unknown tag", "{% iff x %}", "test.njk:1:4: unknown block tag: iff; did you mean if?", "iff"},
		{"stray end", "{% endif %}", "test.njk:1:4: unknown block tag: endif; nothing that it could end or continue is open here", "endif"},
		{"never closed", "x\n{% if a %}\ny", "test.njk:2:4: if is never closed; add {% endif %}", "if"},
		{"JavaScript's and", "${{ a && b }}", "test.njk:1:7: unexpected \"&&\", expected end of variable; write and", "&&"},
		{"braces too near", `${{ {"a":{"b":1}} }}`, "test.njk:1:16: unexpected end of tag, expected", "}}"},
		{"end of the source", "${{ a", "test.njk:1:6: unexpected end of template, expected end of variable", ""},
		{"bad regular expression", "${{ r/(/ }}", "test.njk:1:5: invalid regular expression /(/: unterminated group", "r/(/"},
		{"no loader", "{% include 'x' %}", "test.njk:1:4: template not found: x; this environment has no loader, so templates cannot refer to each other", "include"},
		{"stray comment end", "a #}", "test.njk:1:3: unexpected end of comment; ", "#}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := render(t, scaffolder(), c.source, nil)
			var e *nunjucks.Error
			require.ErrorAs(t, err, &e)
			require.True(t, strings.HasPrefix(err.Error(), c.want), err.Error())
			require.Equal(t, c.text, e.Text)
			require.Equal(t, "test.njk", e.Template)
		})
	}
}

func TestErrorKinds(t *testing.T) {
	_, err := render(t, scaffolder(), "${{ ", nil)
	require.ErrorIs(t, err, nunjucks.ErrSyntax)
	o := scaffolder()
	o.Loader = nunjucks.MapLoader{"bad": "\n${{ nope() }}"}
	_, err = render(t, o, "{% include 'missing' %}", nil)
	require.ErrorIs(t, err, nunjucks.ErrTemplateNotFound)
	_, err = render(t, o, "{% include 'bad' %}", nil)
	var e *nunjucks.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "bad", e.Template, "an error is placed where it is, not where its template is included")
	require.Equal(t, 2, e.Line)
	own := errors.New("no such host")
	o.Filters = map[string]nunjucks.Func{"fails": func(context.Context, nunjucks.Args) (nunjucks.Value, error) {
		return nunjucks.Value{}, fmt.Errorf("look up: %w", own)
	}}
	_, err = render(t, o, "${{ 1 | fails }}", nil)
	require.ErrorIs(t, err, own)
	_, err = render(t, o, "x", 5)
	require.Error(t, err, "variables are an object")
	_, err = render(t, o, "x", make(chan int))
	require.Error(t, err)
}

// ordered is a type of some other package that keeps its members in order.
type ordered [][2]any

func (o ordered) Len() int { return len(o) }

func (o ordered) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o {
			if !yield(m[0].(string), m[1]) {
				return
			}
		}
	}
}

func TestValuesFromGo(t *testing.T) {
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"maps by key", map[string]any{"b": 1, "a": []any{nil, true, "x", 1.5}, "C": map[string]string{}}, `{"C":{},"a":[null,true,"x",1.5],"b":1}`},
		{"indexes first", ordered{{"z", 1}, {"10", 2}, {"2", 3}, {"01", 4}, {"a", nil}}, `{"2":3,"10":2,"z":1,"01":4,"a":null}`},
		{"numbers", []any{int8(1), uint64(2), float32(0.5), json.Number("1e21"), math.Copysign(0, -1)}, `[1,2,0.5,1e+21,0]`},
		{"strings that are no UTF-8", "a\xffb", `"a` + "\ufffd" + `b"`},
		{"values", nunjucks.ArrayValue(nunjucks.StringValue("x"), nunjucks.UndefinedValue(), nunjucks.NullValue()), `["x",null,null]`},
		{"text", []string{"a", "b"}, `["a","b"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := nunjucks.ValueOf(c.in)
			require.NoError(t, err)
			out, err := json.Marshal(v)
			require.NoError(t, err)
			require.Equal(t, c.want, string(out))
		})
	}
	_, err := nunjucks.ValueOf(struct{}{})
	require.Error(t, err)
	falling := make(ordered, 0, 100_000) // takes hours if each key is moved to its place
	for i := cap(falling); i > 0; i-- {
		falling = append(falling, [2]any{strconv.Itoa(i), i})
	}
	many, err := nunjucks.ValueOf(falling)
	require.NoError(t, err)
	for k, v := range many.Members() {
		require.Equal(t, "1", k)
		require.Equal(t, "1", v.String())
		break
	}
	loop := map[string]any{}
	loop["self"] = loop
	_, err = nunjucks.ValueOf(loop)
	require.Error(t, err)
	v, err := nunjucks.ParseJSON([]byte(`{"b":[1,{"x":null}],"1":"s"}`))
	require.NoError(t, err)
	require.Equal(t, map[string]any{"b": []any{1.0, map[string]any{"x": nil}}, "1": "s"}, v.Plain())
	var keys []string
	v.Export(func(int) (any, func(string, any)) {
		return nil, func(k string, _ any) { keys = append(keys, k) }
	})
	require.Equal(t, []string{"1", "x", "b"}, keys)
	for _, bad := range []string{"", "{", "1 2", `{"a":}`} {
		_, err := nunjucks.ParseJSON([]byte(bad))
		require.Error(t, err, bad)
	}
}

func TestReadingValues(t *testing.T) {
	v, err := nunjucks.ParseJSON([]byte(`{"a":[1,"é😀",null],"o":{"k":true}}`))
	require.NoError(t, err)
	require.Equal(t, nunjucks.KindObject, v.Kind())
	require.Equal(t, 2, v.Len())
	require.True(t, v.Has("a"))
	require.False(t, v.Has("b"))
	require.True(t, v.Get("o").Get("k").Bool())
	n, ok := v.Get("a").Index(0).Number()
	require.True(t, ok)
	require.Equal(t, 1.0, n)
	require.True(t, v.Get("a").Index(2).IsNullish())
	require.True(t, v.Get("a").Index(9).IsUndefined())
	require.True(t, v.Get("a").Index(0).Get("x").IsUndefined())
	require.Equal(t, "3", v.Get("a").Index(1).Member("length").String())
	require.Equal(t, "é", v.Get("a").Member("1").Member("0").String())
	require.Equal(t, `[1,"é😀",null]`, v.Get("a").String())
	require.True(t, nunjucks.StrictEqual(v.Get("a"), v.Get("a")))
	require.False(t, nunjucks.StrictEqual(nunjucks.NumberValue(1), nunjucks.StringValue("1")))
	require.False(t, nunjucks.StringValue("").Truthy())
	require.True(t, nunjucks.ArrayValue().Truthy())
}

func TestHostFunctions(t *testing.T) {
	var seen []string
	o := scaffolder()
	o.Filters = map[string]nunjucks.Func{
		"show": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
			seen = append(seen, fmt.Sprint(args.Len(), args.At(0), args.At(1), args.At(7).IsUndefined(), args.Keyword("k")))
			return args.At(0), nil
		},
		"upper": func(context.Context, nunjucks.Args) (nunjucks.Value, error) { return nunjucks.StringValue("mine"), nil },
	}
	o.Tests = map[string]nunjucks.Func{"big": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
		n, _ := args.At(0).Number()
		return nunjucks.BoolValue(n > 10), nil
	}}
	o.Globals = map[string]nunjucks.Value{
		"version": nunjucks.StringValue("1.2"),
		"list":    nunjucks.ArrayValue(nunjucks.NumberValue(1)),
		"now": nunjucks.FuncValue("now", func(context.Context, nunjucks.Args) (nunjucks.Value, error) {
			return nunjucks.NumberValue(42), nil
		}),
	}
	for range 2 { // what a template does to a global is gone afterwards
		out, err := render(t, o, "${{ [1] | show('x', k=2) }}|${{ 's' | upper }}|${{ 11 is big }}${{ 1 is big }}|${{ version }}${{ now() }}|"+
			"{% set n = list.push(2) %}${{ list }}${{ [5, 11] | select('big') }}", nil)
		require.NoError(t, err)
		require.Equal(t, "1|mine|truefalse|1.242|1,211", out)
	}
	require.Equal(t, "2 [1] x true 2", seen[0])
}

// What a host is given it can keep and share, so it gets nothing that belongs
// to a rendering.
func TestHostsGetPlainValues(t *testing.T) {
	var kept []string
	o := scaffolder()
	own := nunjucks.FuncValue("own", func(context.Context, nunjucks.Args) (nunjucks.Value, error) { return nunjucks.NumberValue(7), nil })
	o.Globals = map[string]nunjucks.Value{"own": own}
	o.Filters = map[string]nunjucks.Func{"keep": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
		kept = append(kept, args.At(0).Kind().String()+" "+args.At(0).String())
		return args.At(0), nil
	}}
	out, err := render(t, o, "{% macro m() %}x{% endmacro %}${{ m | keep }}${{ [m, r/a/g, 'b'.repeat] | keep }}${{ range | keep }}"+
		"${{ r/a/g | keep }}${{ ['x'].values() | keep }}${{ (own | keep)() }}", nil)
	require.NoError(t, err)
	require.Equal(t, ",/a/g,/a/g[object Object]7", out)
	require.Equal(t, []string{"null null", `array [null,"/a/g",null]`, "null null", "string /a/g", "object {}", "function function own"}, kept)
}

func TestVariablesStayAsTheyAre(t *testing.T) {
	vars, err := nunjucks.ParseJSON([]byte(`{"a":[3,1,2],"o":{"l":[]},"m":"push"}`))
	require.NoError(t, err)
	for _, source := range []string{
		"${{ a.push(4) }}${{ a }}${{ a === a }}",
		"${{ a[m](4) }}${{ a }}${{ a === a }}", // only a run can tell that this changes something
		"{% set f = a[m] %}${{ f(4) }}${{ a }}${{ a === a }}",
	} {
		out, err := render(t, scaffolder(), source, vars)
		require.NoError(t, err, source)
		require.Equal(t, "43,1,2,4true", out, source)
	}
	out, err := render(t, scaffolder(), "${{ a.sort() }}|${{ a }}|${{ o.l.push(1) }}${{ o.l }}", vars)
	require.NoError(t, err)
	require.Equal(t, "1,2,3|1,2,3|11", out)
	after, err := json.Marshal(vars)
	require.NoError(t, err)
	require.JSONEq(t, `{"a":[3,1,2],"o":{"l":[]},"m":"push"}`, string(after))
}

func TestConcurrentRendering(t *testing.T) {
	source, vars := skeleton(t)
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags(), CacheTemplates: 4,
		Loader: nunjucks.MapLoader{"part": "{% set y = values.tags.push(1) %}${{ values.tags }}"}})
	tmpl, err := env.Compile("skeleton", source+"{% include 'part' %}${{ 'aXbX' | replace(r/x/gi, '-') }}")
	require.NoError(t, err)
	want, err := tmpl.Render(context.Background(), vars)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 50 {
				got, err := tmpl.Render(context.Background(), vars)
				if err != nil || got != want {
					t.Errorf("goroutine %d got %q, %v", i, got, err)
				}
				if _, err := env.Compile("", fmt.Sprintf("${{ %d }}", k%9)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCacheKeepsWhatWasUsedLast(t *testing.T) {
	env := nunjucks.New(nunjucks.Options{CacheTemplates: 2, CacheBytes: 100})
	compile := func(source string) *nunjucks.Template {
		tmpl, err := env.Compile("", source)
		require.NoError(t, err)
		return tmpl
	}
	a := compile("a")
	compile("b")
	require.Same(t, a, compile("a"))
	compile("c") // drops b
	require.Same(t, a, compile("a"))
	compile(strings.Repeat("d", 100)) // drops all others
	require.NotSame(t, a, compile("a"))
	big := strings.Repeat("e", 101)
	require.NotSame(t, compile(big), compile(big), "larger than the cache")
	other, err := env.Compile("name", "a")
	require.NoError(t, err)
	require.Equal(t, "name", other.Name(), "the name is part of the key")
}

func TestAutoescape(t *testing.T) {
	out, err := render(t, nunjucks.Options{Autoescape: true},
		"{{ s }}{{ s | safe }}{{ s | escape }}{% macro m() %}<i>{% endmacro %}{{ m() }}{{ ['<'] }}{{ none }}", map[string]any{"s": "<b>&'\""})
	require.NoError(t, err)
	require.Equal(t, "&lt;b&gt;&amp;&#39;&quot;<b>&'\"&lt;b&gt;&amp;&#39;&quot;<i>&lt;", out)
}

func TestDelimiters(t *testing.T) {
	out, err := render(t, nunjucks.Options{Tags: nunjucks.Tags{BlockStart: "<%", BlockEnd: "%>", VariableStart: "<$", VariableEnd: "$>",
		CommentStart: "<#", CommentEnd: "#>"}}, "<% if x %><$- x -$><# no #>{{ x }}<% endif -%>  .", map[string]any{"x": "v"})
	require.NoError(t, err)
	require.Equal(t, "v{{ x }}.", out)
}

// relative resolves names against the folder of the template they stand in.
type relative struct{ nunjucks.MapLoader }

func (relative) Resolve(from, name string) string {
	if rest, ok := strings.CutPrefix(name, "./"); ok {
		return from[:strings.LastIndex(from, "/")+1] + rest
	}
	return name
}

func TestRelativeNames(t *testing.T) {
	env := nunjucks.New(nunjucks.Options{Loader: relative{nunjucks.MapLoader{
		"a/b": `{% include "./c" %}`, "a/c": "[{{ x }}]", "c": "wrong",
	}}})
	tmpl, err := env.Compile("main", `{% include "a/b" %}`)
	require.NoError(t, err)
	out, err := tmpl.Render(context.Background(), map[string]any{"x": 1})
	require.NoError(t, err)
	require.Equal(t, "[1]", out)
}

func TestLint(t *testing.T) {
	shape := nunjucks.Shape{"values": {"name": nil, "repo": {"owner": nil}}, "user": nil}
	for _, c := range []struct {
		name, source string
		want         []string
	}{
		{"nothing wrong", "${{ values.name | upper }}{% for x in user.list %}${{ x.y }}${{ loop.index }}{% endfor %}${{ values.repo.owner.x }}{% set v = 1 %}${{ v }}${{ range(3).length }}", nil},
		{"filter", "${{ values.name | lowercase }}", []string{`1:19: unknown filter "lowercase"; did you mean lower? (unknown-filter)`}},
		{"test", "${{ values.name is strng }}", []string{`1:20: unknown test "strng"; did you mean string? (unknown-test)`}},
		{"function", "${{ length(values.name) }}", []string{"1:5: there is no function length; length is a filter; write value | length (unknown-function)"}},
		{"variable", "${{ value.name }}", []string{"1:5: nothing provides value; did you mean values? (undefined-variable)"}},
		{"member", "${{ values.nmae }}\n${{ values.repo.own }}", []string{
			"1:5: nothing provides values.nmae; did you mean name? (undefined-variable)",
			"2:5: nothing provides values.repo.own; did you mean owner? (undefined-variable)"}},
		{"loop outside of a loop", "${{ loop.index }}", []string{"1:5: nothing provides loop (undefined-variable)"}},
		{"never true", "{% if false and values.name %}a{% endif %}", []string{"1:7: the condition is never true (unreachable)"}},
		{"always true", "{% if true %}a{% elif user %}b{% endif %}{% if 1 %}a{% else %}b{% endif %}", []string{
			"1:23: a condition before this one is always true (unreachable)", "1:63: the condition is always true (unreachable)"}},
		{"inline if", "${{ 'a' if not '' else 'b' }}", []string{"1:24: the condition is always true (unreachable)"}},
		{"case twice", "{% switch user %}{% case 1 %}a{% case 1 %}b{% endswitch %}", []string{"1:39: there is a case for this value before (unreachable)"}},
		{"default first", "{% switch user %}{% default %}a{% case 1 %}b{% endswitch %}", []string{
			"1:21: default before the first case is compared with a variable called default; move it to the end (unreachable)",
			"1:21: nothing provides default (undefined-variable)"}},
		{"negated operand", "${{ not user == 1 }}", []string{"1:5: not applies to the first operand only, not to the comparison or sum; put what it is meant to negate in parentheses (precedence)"}},
		{"ignored argument", "${{ user.list | selectattr('a', 'equalto', 1) }}", []string{
			"1:33: selectattr ignores this argument; it only tells whether the attribute is true; use an if inside of a for loop (ignored-argument)"}},
		{"old loop", "{% asyncEach x in user.list %}a{% endeach %}", []string{"1:4: asyncEach and asyncAll are gone; write for (deprecated)"}},
		{"method that is gone", "${{ values.name.replaceAll('a', 'b').split('b').map(user) }}", []string{
			"1:5: release 4.2.0 has no method map (deprecated)",
			"1:5: release 4.2.0 has no method replaceAll; write value | replace(old, new) (deprecated)"}},
		{"method of the compatible mode", "${{ user.items() }}${{ user.name.trim() }}", nil},
		{"no loader", "{% include 'x' %}", []string{"1:4: include cannot work here, as there is no loader for other templates (deprecated)"}},
		{"below extends", "{% extends 'x' %}a{% block b %}c{% endblock %}", []string{
			"1:4: extends cannot work here, as there is no loader for other templates (deprecated)",
			"1:18: text outside of blocks is not rendered below extends; put it into a block (unreachable)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tmpl, err := nunjucks.New(scaffolder()).Compile("", c.source)
			require.NoError(t, err)
			var got []string
			for _, issue := range tmpl.Lint(shape) {
				got = append(got, issue.String())
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestRenderValue(t *testing.T) {
	input, err := nunjucks.ParseJSON([]byte(`{"z":"${{ n }}","gone":"${{ nope }}","list":["${{ nope }}","a${{ n }}",true],
		"${{ key }}":{"bad":"${{ x | nosuch }}"},"fn":"${{ range }}","nan":"${{ 0 / 0 }}","o":"${{ o }}","m":"{% if n %}5{% endif %}"}`))
	require.NoError(t, err)
	vars, err := nunjucks.ParseJSON([]byte(`{"n":5,"o":{"b":1,"a":[null]}}`))
	require.NoError(t, err)
	v, faults, err := nunjucks.New(scaffolder()).RenderValue(context.Background(), input, vars)
	require.NoError(t, err)
	out, err := json.Marshal(v)
	require.NoError(t, err)
	require.Equal(t, `{"z":5,"list":[null,"a5",true],"${{ key }}":{"bad":"${{ x | nosuch }}"},"fn":"${{ range }}","nan":null,"o":{"b":1,"a":[null]},"m":"5"}`, string(out))
	paths := []string{}
	for _, f := range faults {
		paths = append(paths, f.Path)
		require.Error(t, f.Err)
	}
	require.Equal(t, []string{"${{ key }}.bad", "fn"}, paths)
}

func TestLegacyCoercion(t *testing.T) {
	o := scaffolder()
	o.LegacyCoercion = true
	env := nunjucks.New(o)
	vars := map[string]any{"t": true, "f": false, "o": map[string]any{"a": 1}, "n": 5, "s": "x"}
	for _, c := range []struct{ source, want string }{
		{"${{ n }}", "5"}, {"${{ s }}", `"x"`}, {"{% if t %}true{% endif %}", "true"}, {"{% if t %}5{% endif %}", "5"},
		{"{% if t %}${{ o }}{% endif %}", `{"a":1}`}, {"{% if f %}x{% endif %}", "nothing"}, {"{% for x in [1,2] %}${{ x }}{% endfor %}", "12"},
		{"{% set a = 1 %}${{ a }}", `"1"`}, {"", "nothing"}, {"${{ nope }}${{ nope }}", "nothing"}, {"{% if t %}a b{% endif %}", `"a b"`}, {"text", `"text"`},
	} {
		t.Run(c.source, func(t *testing.T) {
			v, faults, err := env.RenderValue(context.Background(), c.source, vars)
			require.NoError(t, err)
			require.Empty(t, faults)
			out, err := json.Marshal(v)
			require.NoError(t, err)
			if v.IsUndefined() {
				out = []byte("nothing")
			}
			require.Equal(t, c.want, string(out))
		})
	}
}

func TestRandomIsTheOptions(t *testing.T) {
	o := scaffolder()
	o.Random = func(n int) int { return n - 1 }
	out, err := render(t, o, "${{ [1, 2, 3] | random }}${{ 'abc' | random }}${{ [] | random }}", nil)
	require.NoError(t, err)
	require.Equal(t, "3c", out)
	out, err = render(t, scaffolder(), "${{ [1, 2, 3] | random }}", nil)
	require.NoError(t, err)
	require.True(t, slices.Contains([]string{"1", "2", "3"}, out))
}

func TestMethodsOfTheHost(t *testing.T) {
	env := nunjucks.New(nunjucks.Options{StringMethods: map[string]nunjucks.Func{
		"shout": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
			mark, _ := args.At(1).Text()
			end, _ := args.Keyword("end").Text()
			return nunjucks.StringValue(strings.ToUpper(args.At(0).String()) + mark + end), nil
		},
		"trim": func(context.Context, nunjucks.Args) (nunjucks.Value, error) { return nunjucks.StringValue("ours"), nil },
		"fail": func(context.Context, nunjucks.Args) (nunjucks.Value, error) {
			return nunjucks.UndefinedValue(), errors.New("not so loud")
		},
	}})
	for source, want := range map[string]string{
		`{{ 'a'.shout('!', end='?') }}`: "A!?", `{{ s.shout() }}`: "B", `{{ s.trim() }}`: "ours", `{{ s['trim']() }}`: "ours",
		`{{ ('c' | safe).shout('') }}`: "C", `{% set f = s.shout %}{{ f('.') }}`: "B.", `{{ s.length }}`: "1", `{{ o.shout }}`: "own",
	} {
		template, err := env.Compile("", source)
		require.NoError(t, err, source)
		out, err := template.Render(context.Background(), map[string]any{"s": "b", "o": map[string]any{"shout": "own"}})
		require.NoError(t, err, source)
		require.Equal(t, want, out, source)
	}
	template, err := env.Compile("", "\n{{ s.fail() }}")
	require.NoError(t, err)
	_, err = template.Render(context.Background(), map[string]any{"s": "b"})
	require.ErrorContains(t, err, "2:")
	require.ErrorContains(t, err, "not so loud")
}

// A literal's word after a dot is a name, as it is to release 4.2.0.
func TestMembersNamedLikeLiterals(t *testing.T) {
	env := nunjucks.New(scaffolder())
	for source, want := range map[string]string{
		"${{ o.none }}": "a", "${{ o.true }}": "b", "${{ o.null.x }}": "", "${{ (o.none if o.true else o.false) | upper }}": "A", "${{ none }}": "",
	} {
		template, err := env.Compile("", source)
		require.NoError(t, err, source)
		out, err := template.Render(context.Background(), map[string]any{"o": map[string]any{"none": "a", "true": "b"}})
		require.NoError(t, err, source)
		require.Equal(t, want, out, source)
	}
}

func TestConstantAndFixed(t *testing.T) {
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags()})
	for _, c := range []struct {
		source   string
		constant any
		fixed    bool
	}{
		{"${{ false }}", false, false},
		{"${{ not 1 }}", false, false},
		{"${{ a }}", nil, false},
		{" ${{ false }}", nil, true},
		{"${{ a }} && ${{ b }}", nil, true},
		{"{% if a %}true{% endif %}", nil, false},
		{"{# nothing #}", nil, false},
		{"text", nil, true},
	} {
		tmpl, err := env.Compile("", c.source)
		require.NoError(t, err)
		v, ok := tmpl.Constant()
		require.Equal(t, c.constant != nil, ok, c.source)
		if ok {
			require.Equal(t, c.constant, v.Plain(), c.source)
		}
		require.Equal(t, c.fixed, tmpl.Fixed(), c.source)
	}
}

func TestIssuesSayWhatTheyAreAbout(t *testing.T) {
	tmpl, err := nunjucks.New(nunjucks.Options{}).Compile("", `{{ a.b["c d"] }}{{ e }}`)
	require.NoError(t, err)
	issues := tmpl.Lint(nunjucks.Shape{"a": {"b": {}}})
	require.Len(t, issues, 2)
	require.Equal(t, []string{"a", "b", "c d"}, issues[0].Path)
	require.Equal(t, []string{"e"}, issues[1].Path)
}
