package integration_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

func splitSlash(s string) []string { return strings.Split(s, "/") }

func hosts(t testing.TB) *integration.Set {
	s, _, err := integration.Parse(map[string]any{
		"gitlab": []any{map[string]any{"host": "code.acme.com", "baseUrl": "https://code.acme.com/gitlab", "apiBaseUrl": "https://code.acme.com/gitlab/api/v4"}},
		"git":    []any{map[string]any{"host": "git.acme.com"}, map[string]any{"host": "git.acme.com:2222"}},
	})
	require.NoError(t, err)
	return s
}

func TestPlace(t *testing.T) {
	for _, c := range []struct{ why, url, repository, ref, path string }{
		{"a file", "https://github.com/acme/shop/blob/main/a/b.yaml", "acme/shop", "main", "a/b.yaml"},
		{"a folder, with a slash behind", "https://github.com/acme/shop/tree/main/a/", "acme/shop", "main", "a"},
		{"an encoded branch", "https://github.com/acme/shop/tree/feature%2Fx/a%20b.yaml", "acme/shop", "feature/x", "a b.yaml"},
		{"the first segment is the ref", "https://github.com/acme/shop/tree/feature/x/a.yaml", "acme/shop", "feature", "x/a.yaml"},
		{"a repository", "https://github.com/acme/shop.git", "acme/shop", "", ""},
		{"a repository called tree", "https://github.com/acme/tree/tree/main/x", "acme/tree", "main", "x"},
		{"a pattern", "https://github.com/acme/shop/blob/main/**/catalog-*.yaml", "acme/shop", "main", "**/catalog-*.yaml"},
		{"subgroups", "https://gitlab.com/a/b/c/-/blob/main/d/x.yaml", "a/b/c", "main", "d/x.yaml"},
		{"the old form", "https://gitlab.com/a/b/blob/main/x.yaml", "a/b", "main", "x.yaml"},
		{"a base path", "https://code.acme.com/gitlab/a/b/-/tree/main", "a/b", "main", ""},
		{"a plain server", "https://git.acme.com/team/shop.git/blob/main/x.yaml", "team/shop.git", "main", "x.yaml"},
		{"of one segment", "https://git.acme.com/shop.git/blob/main/x.yaml", "shop.git", "main", "x.yaml"},
		{"a folder called blob", "https://git.acme.com/a/blob/shop.git/blob/main/x.yaml", "a", "shop.git", "blob/main/x.yaml"},
		{"Gitea", "https://git.acme.com/team/shop/src/branch/main/x.yaml", "team/shop", "main", "x.yaml"},
		{"over SSH", "ssh://git@git.acme.com:2222/team/shop.git/-/blob/main/x.yaml", "team/shop.git", "main", "x.yaml"},
	} {
		t.Run(c.why, func(t *testing.T) {
			h, ok := hosts(t).ByURL(c.url)
			require.True(t, ok)
			place, err := h.Place(c.url)
			require.NoError(t, err)
			require.Equal(t, integration.Place{Repository: c.repository, Ref: c.ref, Path: c.path}, place)
		})
	}
}

func TestPlaceRefuses(t *testing.T) {
	for _, c := range []struct {
		why, url string
		is       error
	}{
		{"dots", "https://github.com/acme/shop/blob/main/../../x", catalog.ErrNotAllowed},
		{"encoded dots", "https://github.com/acme/shop/blob/main/%2e%2E/x", catalog.ErrNotAllowed},
		{"a dot", "https://gitlab.com/acme/shop/-/blob/main/./x", catalog.ErrNotAllowed},
		{"an encoded slash in a path", "https://github.com/acme/shop/blob/main/a%2F..%2Fb", catalog.ErrInput},
		{"an encoded slash in a name", "https://github.com/acme/..%2Fshop/blob/main/a", catalog.ErrInput},
		{"a ref that is an option", "https://github.com/acme/shop/blob/--upload-pack=x/a", catalog.ErrInput},
		{"a range", "https://github.com/acme/shop/blob/a..b/c", catalog.ErrInput},
		{"a line break", "https://github.com/acme/shop/blob/main/a%0Ab", catalog.ErrInput},
		{"a NUL", "https://github.com/acme/shop/blob/ma%00in/a", catalog.ErrInput},
		{"not UTF-8", "https://github.com/acme/shop/blob/main/%ff", catalog.ErrInput},
		{"no repository", "https://github.com/acme", catalog.ErrInput},
		{"a page", "https://github.com/acme/shop/settings/hooks", catalog.ErrInput},
		{"no ref", "https://github.com/acme/shop/blob", catalog.ErrInput},
		{"nothing", "https://git.acme.com/", catalog.ErrInput},
	} {
		t.Run(c.why, func(t *testing.T) {
			h, ok := hosts(t).ByURL(c.url)
			require.True(t, ok)
			_, err := h.Place(c.url)
			require.ErrorIs(t, err, c.is)
		})
	}
}

func TestArtifact(t *testing.T) {
	h, _ := hosts(t).ByURL("https://code.acme.com/")
	place, job, ok := h.ProjectOfArtifact("https://code.acme.com/gitlab/a/b/-/jobs/artifacts/main/raw/out/x.yaml?job=build")
	require.True(t, ok)
	require.Equal(t, integration.Place{Repository: "a/b", Ref: "main", Path: "out/x.yaml"}, place)
	require.Equal(t, "build", job)
	_, _, ok = h.ProjectOfArtifact("https://code.acme.com/gitlab/a/b/-/blob/main/x.yaml")
	require.False(t, ok)
}

func FuzzPlace(f *testing.F) {
	for _, seed := range []string{
		"https://github.com/acme/shop/blob/main/a/b.yaml", "https://gitlab.com/a/b/c/-/blob/main/%2e%2e/x", "https://git.acme.com/a.git/src/branch/x/y",
		"https://code.acme.com/gitlab/a/b/-/jobs/artifacts/main/raw/x?job=y", "https://github.com/%2F/a/blob/..%2F/x",
	} {
		f.Add(seed)
	}
	s := hosts(f)
	f.Fuzz(func(t *testing.T, raw string) {
		h, ok := s.ByURL(raw)
		if !ok {
			return
		}
		place, err := h.Place(raw)
		if err != nil {
			return
		}
		for _, part := range []string{place.Repository, place.Ref, place.Path} {
			for _, segment := range splitSlash(part) {
				if segment == ".." || segment == "." {
					t.Fatalf("%q: %+v leads out", raw, place)
				}
			}
		}
		if place.Repository == "" || len(place.Ref) > 0 && place.Ref[0] == '-' {
			t.Fatalf("%q: %+v", raw, place)
		}
		h.ProjectOfArtifact(raw)
	})
}
