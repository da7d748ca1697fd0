package nunjucks_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

func TestIterators(t *testing.T) {
	vars := map[string]any{"a": []any{"x", "y", "z"}, "s": "a1b22"}
	for _, c := range []struct{ name, source, want string }{
		{"loop", "{% for i, v in a.entries() %}${{ i }}${{ v }} {% endfor %}", "0x 1y 2z "},
		{"matches", "{% for m in s.matchAll(r/[a-z](\\d+)/g) %}${{ m.index }}:${{ m[1] }} {% endfor %}", "0:1 2:22 "},
		{"used up", "{% set k = a.keys() %}{% for i in k %}${{ i }}{% endfor %}|{% for i in k %}x{% else %}empty{% endfor %}", "012|empty"},
		{"step by step", "{% set v = a.values() %}${{ v.next().value }}${{ v.next() | dump }}{% for r in v %}${{ r }}{% endfor %}${{ v.next().done }}",
			`x{"value":"y","done":false}ztrue`},
		{"no object to filters", "${{ a.keys() | length }}|${{ a.keys() | dump }}|${{ a.keys() }}|${{ s.matchAll('1') }}",
			"|{}|[object Array Iterator]|[object RegExp String Iterator]"},
		{"but to tests", "${{ a.keys() is mapping }}${{ a.keys() is iterable }}${{ {} is iterable }}", "truetruefalse"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := render(t, scaffolder(), c.source, vars)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for _, source := range []string{"${{ a.keys() | list }}", "${{ 1 in a.keys() }}", "${{ a.keys() | dictsort }}"} {
		_, err := render(t, scaffolder(), source, vars)
		require.Error(t, err, source)
	}
}

func TestTextBeyondASCII(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"letters before accents before case", "${{ 'a'.localeCompare('b') }}${{ 'é'.localeCompare('f') }}${{ 'a'.localeCompare('A') }}${{ 'e'.localeCompare('é') }}", "-1-1-1-1"},
		{"punctuation before digits before letters", "${{ '_'.localeCompare('1') }}${{ '1'.localeCompare('a') }}", "-1-1"},
		{"same in another normal form", "${{ 'é'.localeCompare('e\u0301') }}", "0"},
		{"normal forms", "${{ 'é'.normalize('NFD').length }}${{ 'e\u0301'.normalize().length }}${{ 'ﬁ'.normalize('NFKC') }}", "21fi"},
		{"half a pair", "${{ '😀'[0] | striptags | dump }}", `"\ud83d"`},
		{"sigma at the end of a word", "${{ 'ΟΔΟΣ ΣΑΣ' | lower }}", "οδος σας"},
		{"one becomes two", "${{ 'straße' | upper }}${{ 'ﬁx' | capitalize }}", "STRASSEFIx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := render(t, scaffolder(), c.source, nil)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	for _, source := range []string{"${{ 'a'.localeCompare('b', 'sv') }}", "${{ 'a'.localeCompare('b', undefined, {numeric: true}) }}",
		"${{ 'I'.toLocaleLowerCase('tr') }}", "${{ 'a'.normalize('NFX') }}"} {
		_, err := render(t, scaffolder(), source, nil)
		require.Error(t, err, source)
	}
}

func TestSlices(t *testing.T) {
	vars := map[string]any{"a": []any{1, 2, 3, 4}, "s": "héllo", "o": map[string]any{"length": 2, "0": "p", "1": "q"}}
	compat := nunjucks.Options{Tags: nunjucks.ScaffolderTags(), Compat: true}
	for _, c := range []struct{ name, source, want string }{
		{"from the end", "${{ a[-2:] }}", "3,4"},
		{"backwards", "${{ a[::-1] }}", "4,3,2,1"},
		{"steps", "${{ a[::2] }}", "1,3"},
		{"text becomes characters", "${{ s[1:3] | join }}", "él"},
		{"nothing has no elements", "${{ missing[1:] }}", ""},
		{"what has a length", "${{ o[0:2] }}", "p,q"},
		{"one past the end", "${{ a[3:9] | dump }}", "[4,null]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, o := range []nunjucks.Options{scaffolder(), compat} {
				got, err := render(t, o, c.source, vars)
				require.NoError(t, err)
				require.Equal(t, c.want, got)
			}
		})
	}
	for _, source := range []string{"${{ a[::0] }}", "${{ a[missing:] }}", "${{ a[1:2:3:4] }}", "${{ a[1:2) }}"} {
		_, err := render(t, scaffolder(), source, vars)
		require.Error(t, err, source)
	}
	_, err := render(t, scaffolder(), "${{ {}[1:] }}", vars)
	require.ErrorContains(t, err, "never ends")
}

// Only its own delimiter ends a tag.
func TestBracesInBlocks(t *testing.T) {
	got, err := render(t, scaffolder(), "{% set x = {a: {b: 1}} %}{% if {a: {b: 1}}.a.b == x.a.b %}${{ x | dump }}{% endif %}", nil)
	require.NoError(t, err)
	require.Equal(t, `{"a":{"b":1}}`, got)
}

// A block that the parent renders leaves "undefined" where it stands, which
// shows where the child's own text is kept.
func TestBlocksOfAParentInCaptures(t *testing.T) {
	o := scaffolder()
	o.Loader = nunjucks.MapLoader{"p": "{% block two %}{% endblock %}|{% block one %}{% endblock %}"}
	for source, want := range map[string]string{
		"{% extends 'p' %}{% macro m() %}[{% block one %}x{% endblock %}]{% endmacro %}{% block two %}${{ m() }}{% endblock %}": "[undefined]|x",
		"{% extends 'p' %}{% set x %}({% block three %}x{% endblock %}){% endset %}{% block two %}${{ x }}{% endblock %}":       "(undefined)|",
		"{% macro m() %}[{% block one %}x{% endblock %}]{% endmacro %}${{ m() }}":                                               "[x]",
	} {
		got, err := render(t, o, source, nil)
		require.NoError(t, err)
		require.Equal(t, want, got, source)
	}
}
