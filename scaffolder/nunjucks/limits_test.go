package nunjucks_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

func render(t testing.TB, o nunjucks.Options, source string, vars any) (string, error) {
	t.Helper()
	tmpl, err := nunjucks.New(o).Compile("test.njk", source)
	if err != nil {
		return "", err
	}
	return tmpl.Render(context.Background(), vars)
}

// tight are limits that keep the tests short.
var tight = nunjucks.Limits{Output: 1 << 16, Steps: 200_000, Loops: 10_000, Memory: 1 << 22, Depth: 50,
	Time: 3 * time.Second, Regexp: 100 * time.Millisecond}

// Whatever a template does ends within the limits, and in an error that says
// so.
func TestHostileTemplates(t *testing.T) {
	deep := strings.Repeat
	selfish := nunjucks.MapLoader{
		"self":  `{% include "self" %}`,
		"ping":  `{% extends "pong" %}`,
		"pong":  `{% extends "ping" %}`,
		"im":    `{% import "im" as x %}`,
		"wide":  `{% for i in range(100) %}{% include "wide" %}{% endfor %}`,
		"super": `{% extends "super" %}{% block a %}${{ super() }}{% endblock %}`,
	}
	for _, c := range []struct{ name, source string }{
		{"long range", "${{ range(1e9) | length }}${{ range(1000000000) | length }}"},
		{"range that never arrives", "${{ range(0, 1, 0.0000001) | length }}"},
		{"range of infinity", "${{ range(1 / 0) | length }}"},
		{"loops in loops", deep("{% for i in range(1000) %}", 5) + "x" + deep("{% endfor %}", 5)},
		{"doubling text", "{% set s = 'x' %}{% for i in range(64) %}{% set s = s ~ s %}{% endfor %}"},
		{"doubling arrays", "{% set a = [1] %}{% for i in range(64) %}{% set a = a.concat(a) %}{% endfor %}"},
		{"growing while looping", "{% set a = [1] %}{% for i in a %}{% set n = a.push(1) %}{% endfor %}"},
		{"repeat", "${{ 'abc'.repeat(1000000000) }}"},
		{"padding", "${{ 'abc'.padStart(2000000000, 'xy') }}"},
		{"center", "${{ 'abc' | center(2000000000) }}"},
		{"indent", "${{ '\n\n\n' | indent(1000000000) }}"},
		{"batch with padding", "${{ [1] | batch(1000000000, 'x') }}"},
		{"many columns", "${{ [1] | slice(1000000000) }}"},
		{"replace that explodes", "{% set s = 'a'.repeat(2000) %}${{ s | replace('a', s) | replace('a', s) }}"},
		{"replace between", "{% set s = 'a'.repeat(2000) %}${{ s | replace('', s) | replace('', s) }}"},
		{"join", "{% set s = 'a'.repeat(60000) %}${{ s.split('').join(s) | length }}"},
		{"array like with a huge length", "{% for x in {length: 1000000000} %}{% endfor %}"},
		{"reverse of an array like", "${{ {length: 1000000000} | reverse | length }}"},
		{"recursive macro", "{% macro m() %}${{ m() }}{% endmacro %}${{ m() }}"},
		{"macro that calls itself twice", "{% macro m(n) %}${{ m(n) }}${{ m(n) }}{% endmacro %}${{ m(1) }}"},
		{"macro fan out", "{% macro m(n) %}{% if n %}${{ m(n - 1) }}${{ m(n - 1) }}{% endif %}{% endmacro %}${{ m(40) }}"},
		{"endless map", "{% set a = [1] %}{% macro m(x) %}${{ a.push(1) }}{% endmacro %}${{ a.map(m) }}"},
		{"sorting a lot", "{% set a = range(30000) %}{% for i in range(1000) %}${{ a | sort | length }}{% endfor %}"},
		{"includes itself", `{% include "self" %}`},
		{"includes itself often", `{% include "wide" %}`},
		{"extends itself", `{% extends "ping" %}`},
		{"imports itself", `{% import "im" as x %}`},
		{"super of itself", `{% include "super" %}`},
		{"exponential regular expression", "${{ r/^(a+)+$/.test('a'.repeat(60) ~ '!') }}"},
		{"exponential replace", "${{ 'a'.repeat(60) | replace(r/(a|aa)+$/g, 'x') ~ r/(x+x+)+y/.test('x'.repeat(60)) }}"},
		{"quadratic split", "{% for i in range(9999) %}${{ 'ab'.repeat(9000).split(r/a(?=b*c)/) | length }}{% endfor %}"},
		{"deep parentheses", "${{ " + deep("(", 100000) + "1" + deep(")", 100000) + " }}"},
		{"deep arrays", "${{ " + deep("[", 100000) + deep("]", 100000) + " }}"},
		{"deep objects", "${{ " + deep("{a:", 100000) + " }}"},
		{"deep keys", "${{ " + deep("{a(", 100000) + " }}"},
		{"many nots", "${{ " + deep("not ", 100000) + "1 }}"},
		{"many signs", "${{ " + deep("-+", 100000) + "1 }}"},
		{"deep tags", deep("{% if a %}", 100000)},
		{"many filters", "${{ a" + deep("|upper", 100000) + " }}"},
		{"many members", "${{ a" + deep(".b", 100000) + " }}"},
		{"many powers", "${{ 1" + deep(" ** 1", 100000) + " }}"},
		{"many memberships", "${{ 1" + deep(" in a", 100000) + " }}"},
		{"much output", deep("x", 1<<17)},
		{"nested array to text", "{% set a = [] %}{% for i in range(5000) %}{% set a = [a] %}{% endfor %}${{ a }}"},
		{"nested array to JSON", "{% set a = [] %}{% for i in range(5000) %}{% set a = [a] %}{% endfor %}${{ a | dump }}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			_, err := render(t, nunjucks.Options{Tags: nunjucks.ScaffolderTags(), Limits: tight, Loader: selfish}, c.source, nil)
			require.ErrorIs(t, err, nunjucks.ErrLimit)
			require.Less(t, time.Since(start), 10*time.Second)
		})
	}
}

func manyMacros(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{%% macro m%d() %%}{%% endmacro %%}", i)
	}
	return b.String()
}

func manyBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{%% block b%d %%}{%% endblock %%}", i)
	}
	return b.String()
}

// Long but harmless templates are within the default limits.
func TestGenerousTemplates(t *testing.T) {
	var falling strings.Builder // keys that each belong before all others
	for i := 100_000; i > 0; i-- {
		fmt.Fprintf(&falling, "'%d':1,", i)
	}
	for _, c := range []struct{ name, source, want string }{
		{"long sum", "${{ 0" + strings.Repeat(" + 1", 50000) + " }}", "50000"},
		{"long concatenation", "${{ ''" + strings.Repeat(" ~ 'x'", 20000) + " }}", strings.Repeat("x", 20000)},
		{"many alternatives", "{% if a == 0 %}" + strings.Repeat("{% elif a == 1 %}", 5000) + "{% else %}e{% endif %}", "e"},
		{"many ors", "${{ a" + strings.Repeat(" or b", 20000) + " or 1 }}", "1"},
		{"text that nearly matches", "{% set n = 'a'.repeat(100000) ~ 'b' %}{% set s = 'é' ~ 'a'.repeat(300000) %}" +
			"${{ s.indexOf(n) }}${{ s.lastIndexOf(n) }}${{ n in s }}${{ s.split(n).length }}${{ s.replace(n, '') === s }}${{ s.replaceAll(n, '') === s }}", "-1-1false1truetrue"},
		{"many matches in a long text", "{% set s = 'some words and a line end\n'.repeat(10000) %}${{ (s | replace(r/\n/g, '')).length }}${{ s.split(r/ /) | length }}", "25000050001"},
		{"many macros and names", manyMacros(20_000) + strings.Repeat("${{ x }}", 50_000), ""},
		{"many blocks", manyBlocks(50_000), ""},
		{"falling keys", "{% for k, v in {" + falling.String() + "z: 1} %}${{ k if loop.index < 3 or loop.last }}{% endfor %}", "12z"},
		{"loop", "{% for i in range(20000) %}x{% endfor %}", strings.Repeat("x", 20000)},
		{"array that contains itself", "{% set a = [1] %}{% set n = a.push(a) %}${{ a }}", "1,"},
		{"recursion", "{% macro m(n) %}${{ n }}{% if n %}${{ m(n - 1) }}{% endif %}{% endmacro %}${{ m(100) | length }}", "193"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := render(t, nunjucks.Options{Tags: nunjucks.ScaffolderTags()}, c.source, nil)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestContextEndsRendering(t *testing.T) {
	cause := fmt.Errorf("the task was cancelled")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags()})
	tmpl, err := env.Compile("", "{% for i in range(100000) %}x{% endfor %}")
	require.NoError(t, err)
	_, err = tmpl.Render(ctx, nil)
	require.ErrorIs(t, err, cause)
	_, _, err = env.RenderValue(ctx, []any{"{% for i in range(100000) %}x{% endfor %}"}, nil)
	require.Error(t, err)
}

// There is no way from a template to what is behind its values.
func TestNothingBehindValues(t *testing.T) {
	for _, source := range []string{
		"${{ this }}", "${{ global }}", "${{ process }}", "${{ ''['constr' ~ 'uctor'] }}", "${{ {}['__proto__'] }}",
		"${{ range['prototype'] }}", "${{ s | groupby('constructor') | length if false }}", "${{ env }}", "${{ caller }}",
		"${{ [{}] | join('', 'constructor') }}", "${{ missing.constructor }}",
	} {
		t.Run(source, func(t *testing.T) {
			got, err := render(t, nunjucks.Options{Tags: nunjucks.ScaffolderTags()}, source, map[string]any{"s": "x"})
			require.NoError(t, err)
			require.Empty(t, got)
		})
	}
	for _, source := range []string{
		"${{ ''.constructor }}", "${{ [].constructor.constructor }}", "${{ {}.__proto__ }}", "${{ range.constructor }}",
		"${{ range.prototype }}", "${{ constructor }}", "${{ __proto__ }}", "${{ range.call.constructor }}",
		"${{ cycler().next.constructor }}", "${{ r/a/.constructor }}", "${{ (1).constructor }}", "${{ [].values().constructor }}",
		"${{ ''.constructor('return 1')() }}", "${{ require('fs') }}", "${{ eval('1') }}", "${{ Function('1') }}",
		"${{ [].map.constructor('x')() }}", "${{ range.bind(1) }}", "{% include '/etc/passwd' %}",
	} {
		t.Run(source, func(t *testing.T) {
			_, err := render(t, nunjucks.Options{Tags: nunjucks.ScaffolderTags()}, source, nil)
			require.Error(t, err)
		})
	}
}
