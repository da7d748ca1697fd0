package git_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/git"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

func newList(t *testing.T, change func(o *git.ListOptions)) *git.List {
	t.Helper()
	set, _, err := integration.Parse(nil)
	require.NoError(t, err)
	o := git.ListOptions{ID: "default", CatalogPath: git.DefaultCatalogPath, Schedule: provider.Schedule{Every: time.Hour, Timeout: time.Minute}}
	change(&o)
	return git.NewList(o, set.Kind)
}

func targets(t *testing.T, l *git.List) (out []string) {
	t.Helper()
	listing, err := l.Provider().Poll(t.Context())
	require.NoError(t, err)
	for _, d := range listing.Added {
		require.Equal(t, "git-provider:default", d.LocationKey)
		require.Equal(t, "optional", d.Entity.Spec().String("presence"))
		out = append(out, d.Entity.Spec().String("target"))
	}
	return out
}

func TestListOptions(t *testing.T) {
	cases := []struct {
		name   string
		change func(o *git.ListOptions)
		want   []string
	}{
		{"URLs", func(o *git.ListOptions) {
			o.Repositories = []string{"https://git.example.com/team/a.git", "http://git.example.com:8080/b/", "https://git.example.com/team/a.git"}
		}, []string{"https://git.example.com/team/a.git/blob/HEAD/catalog-info.yaml", "http://git.example.com:8080/b/blob/HEAD/catalog-info.yaml"}},
		{"SSH in both forms", func(o *git.ListOptions) {
			o.Repositories = []string{"ssh://git@git.example.com:2222/team/a.git", "git@git.example.com:team/b.git"}
		}, []string{"ssh://git@git.example.com:2222/team/a.git/blob/HEAD/catalog-info.yaml", "ssh://git@git.example.com/team/b.git/blob/HEAD/catalog-info.yaml"}},
		{"hosts that have pages of their own", func(o *git.ListOptions) {
			o.Repositories = []string{"https://github.com/acme/a.git", "https://gitlab.com/acme/b.git"}
		}, []string{"https://github.com/acme/a/blob/HEAD/catalog-info.yaml", "https://gitlab.com/acme/b/-/blob/HEAD/catalog-info.yaml"}},
		{"branch", func(o *git.ListOptions) {
			o.Repositories, o.Branch = []string{"https://git.example.com/a.git"}, "release/1"
		},
			[]string{"https://git.example.com/a.git/blob/release%2F1/catalog-info.yaml"}},
		{"catalogPath", func(o *git.ListOptions) {
			o.Repositories, o.CatalogPath = []string{"https://git.example.com/a.git"}, "**/info.yaml"
		},
			[]string{"https://git.example.com/a.git/blob/HEAD/**/info.yaml"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, targets(t, newList(t, c.change))) })
	}
}

func TestListFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "repositories.txt")
	l := newList(t, func(o *git.ListOptions) {
		o.ListFile, o.Repositories = file, []string{"https://git.example.com/first.git"}
	})
	_, err := l.Provider().Poll(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist, "a list that is not there is no empty list")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("# ours\r\n\r\n  https://git.example.com/a.git  \nhttps://git.example.com/b.git")
	require.Equal(t, []string{
		"https://git.example.com/first.git/blob/HEAD/catalog-info.yaml",
		"https://git.example.com/a.git/blob/HEAD/catalog-info.yaml", "https://git.example.com/b.git/blob/HEAD/catalog-info.yaml",
	}, targets(t, l))
	write("https://git.example.com/b.git\n")
	require.Len(t, targets(t, l), 2, "it is read anew")
	write("https://git.example.com/b.git\nnonsense\n")
	_, err = l.Provider().Poll(t.Context())
	require.ErrorContains(t, err, "line 2", "a list with a fault is no shorter list")
	write(strings.Repeat("# much\n", 1<<20))
	_, err = l.Provider().Poll(t.Context())
	require.ErrorContains(t, err, "larger than")
}

func TestAddress(t *testing.T) {
	for _, good := range []string{"https://h/a", "http://h:1/a/b.git", "ssh://git@h/a", "git@h:a", "h:a/b"} {
		_, err := git.Address(good)
		require.NoError(t, err, good)
	}
	for _, bad := range []string{
		"", "a", "/srv/git/a.git", "file:///srv/git/a.git", "git://h/a", "https://h", "https://h/", "https://h/a?b", "https://h/a#b",
		"https://user:hush@h/a", "https://user@h/a", "ssh://git:hush@h/a", "ext::sh -c id", "-oProxyCommand=id:a", "https://h/a b\x00",
	} {
		u, err := git.Address(bad)
		require.Error(t, err, "%q became %v", bad, u)
		require.NotContains(t, err.Error(), "hush")
	}
}

func TestAFaultTellsNoSecret(t *testing.T) {
	l := newList(t, func(o *git.ListOptions) { o.Repositories = []string{"https://user:hush@git.example.com/a.git"} })
	_, err := l.Provider().Poll(t.Context())
	require.ErrorContains(t, err, "git.example.com/a.git")
	require.NotContains(t, err.Error(), "hush")
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"https://h/a", "git@h:a", "ssh://git@h:22/a b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := git.Address(raw)
		if err != nil {
			return
		}
		again, err := git.Address(u.String())
		require.NoError(t, err)
		require.Equal(t, u.String(), again.String())
	})
}
