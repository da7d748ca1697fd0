package nunjucks_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// FuzzRender renders any bytes as a template. Beyond not failing in ways that
// are none, rendering must be repeatable, its output UTF-8, its errors in the
// source, and the native result of an interpolation its text.
func FuzzRender(f *testing.F) {
	for _, s := range []string{
		"", "plain", smallTemplate, "{% for k, v in o %}${{ k }}{% else %}{% endfor %}", "{% raw %}${{ x }}{% endraw %}",
		"{% macro m(a, b=1) %}${{ a }}{% endmacro %}${{ m(1, b=2) }}", "${{- a | sort | join(',') -}}", "${{ s | replace(r/(a+)+$/g, '$1') }}",
		"{% switch s %}{% case 'a' %}{% default %}{% endswitch %}", "{% set x %}\xff{% endset %}${{ x[1:] }}", "{#- c -#}",
		"${{ 'é😀'[2] ~ '\U0001F600'[0] }}", "${{ (1.005).toFixed(2) }}${{ 5 // 0 }}", "{% call(x) m() %}{% endcall %}{% filter upper %}a{% endfilter %}",
	} {
		f.Add(s)
	}
	for i := range 40 {
		f.Add(generate(chooser{rng: rand.New(rand.NewPCG(uint64(i), 3))}).Source)
	}
	limits := nunjucks.Limits{Output: 1 << 16, Steps: 20_000, Loops: 2_000, Memory: 1 << 20, Depth: 30, Time: 2 * time.Second, Regexp: 50 * time.Millisecond}
	fixed := func(int) int { return 0 }
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags(), Limits: limits, CacheTemplates: -1, Random: fixed})
	compat := nunjucks.New(nunjucks.Options{TrimBlocks: true, LstripBlocks: true, Autoescape: true, Compat: true, Limits: limits, Random: fixed,
		Loader: nunjucks.MapLoader{"a": "{% block a %}${{ x }}{% endblock %}"}})
	vars, err := nunjucks.ParseJSON([]byte(grammarContext))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, source string) {
		checkRendering(t, env, source, vars)
		checkRendering(t, compat, source, vars)
	})
}

func checkRendering(t *testing.T, env *nunjucks.Env, source string, vars nunjucks.Value) {
	ctx := context.Background()
	before, err := vars.MarshalJSON()
	require.NoError(t, err)
	tmpl, err := env.Compile("t", source)
	if err != nil {
		checkError(t, err, source)
		return
	}
	for _, issue := range tmpl.Lint(nil) {
		require.Positive(t, issue.Line)
	}
	out, err := tmpl.Render(ctx, vars)
	again, errAgain := tmpl.Render(ctx, vars)
	if !errors.Is(err, nunjucks.ErrLimit) && !errors.Is(errAgain, nunjucks.ErrLimit) {
		require.Equal(t, err == nil, errAgain == nil)
		require.Equal(t, out, again)
	}
	after, errJSON := vars.MarshalJSON()
	require.NoError(t, errJSON)
	require.Equal(t, string(before), string(after), "the variables have changed")
	if err != nil {
		checkError(t, err, source)
		return
	}
	require.True(t, utf8.ValidString(out))
	if !strings.ContainsAny(source, "{#") && utf8.ValidString(source) {
		require.Equal(t, source, out)
	}
	native, err := tmpl.RenderNative(ctx, vars)
	if text, ok := native.Text(); ok && err == nil && !strings.ContainsAny(out, "&") {
		require.Equal(t, out, text)
	}
}

func checkError(t *testing.T, err error, source string) {
	var e *nunjucks.Error
	require.ErrorAs(t, err, &e)
	require.NotEmpty(t, e.Message)
	if e.Line > 0 {
		require.LessOrEqual(t, e.Line, strings.Count(source, "\n")+1)
		require.Positive(t, e.Column)
	}
}
