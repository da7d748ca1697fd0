package skeleton_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

func lint(t *testing.T, limits skeleton.Limits, o skeleton.LintOptions, files ...string) string {
	t.Helper()
	source := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		source[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	tree, err := skeleton.Read(t.Context(), source, limits)
	require.NoError(t, err)
	faults, err := tree.Lint(t.Context(), skeleton.NewEngine(skeleton.EngineOptions{}), o)
	require.NoError(t, err)
	var out []string
	for _, f := range faults {
		out = append(out, fmt.Sprintf("%s name=%t %s %d:%d %s", f.Entry, f.InName, f.Rule, f.Line, f.Column, f.Message))
	}
	return strings.Join(out, "\n")
}

func TestLint(t *testing.T) {
	name := nunjucks.Shape{"name": nil}
	for _, c := range []struct {
		name  string
		o     skeleton.LintOptions
		files []string
		want  string
	}{
		{"nothing wrong", skeleton.LintOptions{Values: name}, []string{"a/${{ values.name }}", "${{ values.name | upper }}"}, ""},
		{"a value that nobody gives", skeleton.LintOptions{Values: name}, []string{"a", "x\n ${{ values.nmae }}"}, "a name=false undefined-variable 2:6 nothing provides values.nmae"},
		{"any values", skeleton.LintOptions{}, []string{"a", "${{ values.x }}"}, ""},
		{"a name", skeleton.LintOptions{Values: name}, []string{"d/${{ values.x }}/f", "x"}, "d/${{ values.x }} name=true undefined-variable 1:5 nothing provides values.x"},
		{"no template", skeleton.LintOptions{}, []string{"a", "${{ bad"}, "a name=false  1:8 unexpected end of template, expected end of variable"},
		{"raw files", skeleton.LintOptions{Raw: func(e skeleton.Entry) bool { return true }}, []string{"${{ x }}", "${{ bad"}, "${{ x }} name=true undefined-variable 1:5 nothing provides x"},
		{"untouched names", skeleton.LintOptions{Untouched: func(e skeleton.Entry) bool { return true }}, []string{"${{ x }}", "${{ bad"}, ""},
		{"an extension", skeleton.LintOptions{Extension: ".njk"}, []string{"a", "${{ bad", "b.njk", "${{ x }}"}, "b.njk name=false undefined-variable 1:5 nothing provides x"},
		{"cookiecutter", skeleton.LintOptions{Dialect: skeleton.Dialect{Compatible: true}, Values: name}, []string{"a", "{{ cookiecutter.name }}{{ cookiecutter.x }}"},
			"a name=false undefined-variable 1:27 nothing provides cookiecutter.x"},
		{"binary files", skeleton.LintOptions{}, []string{"a", "\x00${{ bad"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, lint(t, skeleton.Limits{}, c.o, c.files...))
		})
	}
	require.Contains(t, lint(t, skeleton.Limits{Text: 10}, skeleton.LintOptions{}, "a", strings.Repeat("x", 2000)), "larger than the 10 bytes")
	tree, err := skeleton.Read(t.Context(), fstest.MapFS{"a": {}}, skeleton.Limits{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = tree.Lint(ctx, skeleton.NewEngine(skeleton.EngineOptions{}), skeleton.LintOptions{})
	require.ErrorIs(t, err, context.Canceled)
}
