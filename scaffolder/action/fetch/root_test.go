package fetch_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fetch"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

// Where a root is given, a template in it reads all of the repository, and
// nothing else.
func TestRoot(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"repo/shared/a", "repo/t/own/b", "outside/c", "elsewhere/own/d"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	registry, err := action.NewRegistry(fetch.Actions(fetch.Options{Reader: &reader{}, Engine: skeleton.NewEngine(skeleton.EngineOptions{}), Root: filepath.Join(dir, "repo")})...)
	require.NoError(t, err)
	plain, err := registry.Lookup("fetch:plain")
	require.NoError(t, err)
	for _, c := range []struct{ template, url, want string }{
		{"repo/t/template.yaml", "./own", "b"},
		{"repo/t/template.yaml", "../shared", "a"},
		{"repo/t/template.yaml", "/shared", "a"},
		{"repo/t/template.yaml", "../../outside", ""},
		{"repo/t/template.yaml", "/../outside", ""},
		{"elsewhere/template.yaml", "./own", "d"},
		{"elsewhere/template.yaml", "../outside", ""},
	} {
		ctx, r := actiontest.NewContext(t)
		ctx.Template.BaseURL = "file://" + filepath.Join(dir, c.template)
		err := r.Run(t.Context(), plain, ctx, `{"url":"`+c.url+`"}`)
		if c.want == "" {
			require.ErrorIs(t, err, catalog.ErrNotAllowed, c.url)
			continue
		}
		require.NoError(t, err, c.url)
		require.Equal(t, map[string]string{c.want: ""}, contents(t, ctx))
	}
}
