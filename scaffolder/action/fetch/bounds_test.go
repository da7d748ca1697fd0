package fetch_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fetch"
)

// What a reader delivers is checked, whatever it has checked itself.
func TestHostileTrees(t *testing.T) {
	many := []fetch.Entry{}
	for range 20 {
		many = append(many, fetch.Entry{Path: "d", Mode: fs.ModeDir})
	}
	for _, c := range []struct {
		name    string
		entries []fetch.Entry
		want    string
	}{
		{"a path that leads out", []fetch.Entry{file("../x", "x")}, "name leads out of it"},
		{"an absolute path", []fetch.Entry{file("/tmp/x", "x")}, "name leads out of it"},
		{"a path with dots in it", []fetch.Entry{file("a/../../x", "x")}, "name leads out of it"},
		{"a path that is no text", []fetch.Entry{file("a\xff", "x")}, "name leads out of it"},
		{"too many", many, "the tree has more than 10 files and folders"},
		{"too large", []fetch.Entry{file("a", strings.Repeat("x", 200))}, "a file is larger than 100 bytes"},
		{"a file below a link that is left out", []fetch.Entry{link("l", "/etc"), file("l/x", "x")}, ""},
		{"a file over a folder", []fetch.Entry{file("a/b", "x"), file("a", "x")}, "is a directory"},
		{"a link over a folder", []fetch.Entry{file("a/b", "x"), link("a", "c")}, "exists"},
		{"a link that leads out through another", []fetch.Entry{
			link("here", "."), link("up", "here/.."), file("up/x", "x")}, "Relative path is not allowed"},
	} {
		for _, id := range []string{"fetch:plain", "fetch:template"} {
			t.Run(c.name+" "+id, func(t *testing.T) {
				for i := range c.entries {
					if s, ok := c.entries[i].Content.(*strings.Reader); ok {
						_, err := s.Seek(0, io.SeekStart)
						require.NoError(t, err)
					}
				}
				r := &reader{trees: map[string][]fetch.Entry{base: c.entries}}
				a := with(t, r, id, func(o *fetch.Options) { o.Limits.Entries, o.MaxFile = 10, 100 })
				ctx, recorder := actiontest.NewContext(t)
				err := recorder.Run(t.Context(), a, ctx, `{"url":"`+base+`"}`)
				if c.want == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, c.want)
				}
				above, err := os.ReadDir(filepath.Dir(ctx.Workspace.Path()))
				require.NoError(t, err)
				for _, e := range above {
					require.True(t, strings.HasPrefix(e.Name(), filepath.Base(ctx.Workspace.Path())), "%s lies beside the workspace", e.Name())
				}
			})
		}
	}
}

func TestATemplateThatHoldsTheWorkspace(t *testing.T) {
	for id, want := range map[string]string{"fetch:plain": "url: the folder . must not hold the workspace", "fetch:template": "targetPath must not be within template path"} {
		ctx, r := actiontest.NewContext(t)
		ctx.Template.BaseURL = "file://" + filepath.Dir(ctx.Workspace.Path()) + "/template.yaml"
		require.EqualError(t, r.Run(t.Context(), with(t, trees(), id), ctx, `{"url":"."}`), want)
	}
}

func TestTokensOfUsers(t *testing.T) {
	for _, id := range []string{"fetch:plain", "fetch:plain:file", "fetch:template", "fetch:template:file"} {
		a := with(t, trees(), id, func(o *fetch.Options) { o.RequireUserCredentials = true })
		ctx, r := actiontest.NewContext(t)
		ctx.Template.BaseURL = base
		err := r.Run(t.Context(), a, ctx, `{"url":"./skeleton","targetPath":"x"}`)
		require.ErrorContains(t, err, "No user credentials provided for host github.com, but scaffolder.requireScmUserCredentials is enabled")
		beside(map[string]string{"skeleton/a": "a"})(t, ctx)
		if id == "fetch:plain" || id == "fetch:template" {
			require.NoError(t, r.Run(t.Context(), a, ctx, `{"url":"./skeleton","targetPath":"x"}`), "nothing is read from a host")
		}
	}
}

func TestTemplatesAreBounded(t *testing.T) {
	a := with(t, &reader{files: map[string]string{base: strings.Repeat("x", 200)}}, "fetch:template:file", func(o *fetch.Options) { o.Limits.Text = 100 })
	ctx, r := actiontest.NewContext(t)
	require.ErrorContains(t, r.Run(t.Context(), a, ctx, `{"url":"`+base+`","targetPath":"x"}`), "the file is larger than the 100 bytes that a template may have")
}
