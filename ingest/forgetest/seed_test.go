package forgetest_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

func TestSeedMakesWhatGitTakes(t *testing.T) {
	g := forgetest.NewGitHub(t)
	files := map[string]string{"catalog-info.yaml": "kind: A\n", "a.b": "1", "a/b/c.yaml": "2", "a-c/d": "3"}
	c, err := g.Seed(forgetest.Repository{FullName: "acme/shop"}, files)
	require.NoError(t, err)
	require.Equal(t, []string{"a-c/d", "a.b", "a/b/c.yaml", "catalog-info.yaml"}, c.Added)
	out, err := exec.Command("git", "-C", g.GitDir("acme/shop"), "fsck", "--strict").CombinedOutput()
	require.NoError(t, err, string(out))
	for name, content := range files {
		out, err := exec.Command("git", "-C", g.GitDir("acme/shop"), "show", "main:"+name).Output()
		require.NoError(t, err)
		require.Equal(t, content, string(out))
	}
	_, err = g.Commit("acme/shop", "main", "more", map[string]string{"x": "y"})
	require.NoError(t, err, "and what can be built upon")
}
