package github_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	files "github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
)

func TestSearch(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	c, err := b.Add(forgetest.Repository{FullName: "acme/shop"}, map[string]string{
		"catalog-info.yaml": "root", "a/catalog-info.yaml": "a", "a/b/catalog-info.yaml": "b", "a/b/other.yaml": "o", ".github/catalog-info.yaml": "hidden",
		"ü x/catalog-info.yaml": "u",
	})
	require.NoError(t, err)
	_, err = b.Push("acme/shop", "main", "Link", map[string]forgetest.Change{"l/catalog-info.yaml": {Content: "../a/catalog-info.yaml", Mode: forgetest.ModeSymlink}})
	require.NoError(t, err)
	for _, c := range []struct {
		why, path string
		want      []string
	}{
		{"all", "**/catalog-info.yaml", []string{
			"acme/shop/blob/main/%C3%BC%20x/catalog-info.yaml u", "acme/shop/blob/main/a/b/catalog-info.yaml b", "acme/shop/blob/main/a/catalog-info.yaml a", "acme/shop/blob/main/catalog-info.yaml root",
		}},
		{"one level", "*/catalog-info.yaml", []string{"acme/shop/blob/main/%C3%BC%20x/catalog-info.yaml u", "acme/shop/blob/main/a/catalog-info.yaml a"}},
		{"in a folder", "a/**/*.yaml", []string{"acme/shop/blob/main/a/b/catalog-info.yaml b", "acme/shop/blob/main/a/b/other.yaml o", "acme/shop/blob/main/a/catalog-info.yaml a"}},
		{"a hidden folder that is asked for", ".*/catalog-info.yaml", []string{"acme/shop/blob/main/.github/catalog-info.yaml hidden"}},
		{"none", "**/nothing.yaml", nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			got, _, notModified := b.search(b.file(c.path), "")
			require.Equal(t, c.want, got)
			require.False(t, notModified)
		})
	}

	url := b.URL() + "/acme/shop/tree/main/**/catalog-info.yaml"
	_, etag, _ := b.search(url, "")
	b.cycle()
	_, _, notModified := b.search(url, etag)
	require.True(t, notModified)
	require.Equal(t, forgetest.Count{Total: 1, NotModified: 1}, b.TotalRequests())
	c = b.push("acme/shop", map[string]string{"a/catalog-info.yaml": "A"})
	b.cycle()
	got, etag, _ := b.search(url, etag)
	require.Contains(t, got, "acme/shop/tree/main/a/catalog-info.yaml A")
	require.Equal(t, c.SHA, etag)
	require.Equal(t, 1, b.Requests()["blob"].Total, "what has not changed is at hand")

	for _, missing := range []string{"/acme/nothing/blob/main/*.yaml", "/acme/shop/blob/dev/*.yaml"} {
		got, _, _ = b.search(b.URL()+missing, "")
		require.Empty(t, got, "what is not there has no files")
	}
}

func TestSearchByArchive(t *testing.T) {
	for _, c := range []struct {
		why   string
		files int
		limit int // of a tree
	}{
		{"a truncated tree", 20, 10},
		{"many files", 150, 1000},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBench(t, signedIn(), github.ReaderOptions{})
			files := map[string]string{"README.md": "x", ".hidden/catalog-info.yaml": "x"}
			for i := range c.files {
				files[fmt.Sprintf("%03d/catalog-info.yaml", i)] = fmt.Sprint(i)
			}
			b.add("acme/shop", files)
			b.SetTreeLimit(c.limit)
			got, _, _ := b.search(b.file("**/catalog-info.yaml"), "")
			require.Len(t, got, c.files)
			require.Equal(t, "acme/shop/blob/main/007/catalog-info.yaml 7", got[7])
			require.Zero(t, b.Requests()["blob"])
			require.Equal(t, 1, b.Requests()["tarball"].Total)
		})
	}
}

func TestSearchLimits(t *testing.T) {
	for _, c := range []struct {
		why    string
		limits forge.Limits
		tree   int
	}{
		{"too many", forge.Limits{Matches: 2}, 1000},
		{"too many in an archive", forge.Limits{Matches: 2}, 1},
		{"a large file", forge.Limits{File: 5}, 1000},
		{"a large file in an archive", forge.Limits{File: 5}, 1},
		{"too much", forge.Limits{Search: 29}, 1000},
		{"too much in an archive", forge.Limits{Search: 29}, 1},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBench(t, signedIn(), github.ReaderOptions{Limits: c.limits})
			b.add("acme/shop", map[string]string{"a.yaml": "0123456789", "b.yaml": "0123456789", "c.yaml": "0123456789"})
			b.SetTreeLimit(c.tree)
			_, _, _, err := b.reader.Search(context.Background(), b.file("*.yaml"), "")
			require.ErrorIs(t, err, catalog.ErrInput)
		})
	}
}

// tree lists what is below a URL but for folders, a line each.
func (b *bench) tree(url, token string) (out []string, err error) {
	err = b.reader.Tree(context.Background(), b.URL()+url, token, func(e files.Entry) error {
		data, err := io.ReadAll(e.Content)
		if !e.Mode.IsDir() {
			out = append(out, fmt.Sprintf("%v %s %s%s", e.Mode, e.Path, data, e.Link))
		}
		return err
	})
	return out, err
}

// addSecret makes a private repository, and tokens that see it.
func (b *bench) addSecret() {
	_, err := b.Add(forgetest.Repository{FullName: "acme/secret", Visibility: forgetest.Private}, map[string]string{"a": "b"})
	require.NoError(b.t, err)
	b.AddToken("secret")
	b.AddToken("mine")
}

func TestReadAs(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	b.addSecret()
	secret := b.URL() + "/acme/secret/blob/main/a"
	data, err := b.reader.ReadAs(context.Background(), secret, "mine")
	require.NoError(t, err)
	require.Equal(t, "b", string(data))
	_, err = b.reader.ReadAs(context.Background(), secret, "stolen")
	require.ErrorContains(t, err, "401")
	data, err = b.reader.ReadAs(context.Background(), secret, "")
	require.NoError(t, err)
	require.Equal(t, "b", string(data))
}

func TestTree(t *testing.T) {
	b := newBench(t, signedIn(), github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"README.md": "hello", "src/main.go": "package main"})
	_, err := b.Push("acme/shop", "main", "More", map[string]forgetest.Change{
		"src/run.sh": {Content: "#!", Mode: forgetest.ModeExecutable}, "src/link": {Content: "main.go", Mode: forgetest.ModeSymlink},
		"src/out": {Content: "/etc/passwd", Mode: forgetest.ModeSymlink},
	})
	require.NoError(t, err)
	b.addSecret()
	src := []string{"Lrwxrwxrwx link main.go", "-rw-r--r-- main.go package main", "-rwxr-xr-x run.sh #!"}
	all := []string{"-rw-r--r-- README.md hello", "Lrwxrwxrwx src/link main.go", "-rw-r--r-- src/main.go package main", "-rwxr-xr-x src/run.sh #!"}
	for _, c := range []struct {
		why, url, token string
		want            []string
		is              error
	}{
		{"a repository", "/acme/shop", "", all, nil},
		{"a branch", "/acme/shop/tree/main", "", all, nil},
		{"a folder", "/acme/shop/tree/main/src/", "", src, nil},
		{"a file", "/acme/shop/blob/main/README.md", "", all[:1], nil},
		{"with the token of a user", "/acme/secret", "mine", []string{"-rw-r--r-- a b"}, nil},
		{"with a token that is refused", "/acme/secret", "stolen", nil, errStatus},
		{"no folder", "/acme/shop/tree/main/nothing", "", nil, catalog.ErrNotFound},
		{"no repository", "/acme/nothing", "", nil, catalog.ErrNotFound},
	} {
		t.Run(c.why, func(t *testing.T) {
			got, err := b.tree(c.url, c.token)
			if c.is == errStatus {
				var status *forge.StatusError
				require.ErrorAs(t, err, &status)
				require.Equal(t, http.StatusUnauthorized, status.Status)
				require.NotContains(t, err.Error(), "stolen")
				return
			}
			require.ErrorIs(t, err, c.is)
			require.Equal(t, c.want, got)
		})
	}
	enough := errors.New("enough")
	err = b.reader.Tree(context.Background(), b.URL()+"/acme/shop", "", func(files.Entry) error { return enough })
	require.ErrorIs(t, err, enough)
	for _, s := range b.client.Budgets() {
		require.NotEqual(t, "other", s.Credential, "tokens of users have no figures")
	}
}

var errStatus = errors.New("a status")
