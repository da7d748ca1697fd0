package workspace_test

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// Writing takes other ways for files that are new, that are there, and that
// links lead to.
func TestWriteFile(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(t *testing.T, w *workspace.Workspace)
		write  string
		lands  string // where the content is then
		err    error
	}{
		{"a new file", nil, "a", "a", nil},
		{"in folders that are made", nil, "x/y/a", "x/y/a", nil},
		{"by its absolute path", nil, "/a", "", catalog.ErrNotAllowed},
		{"over a file", func(t *testing.T, w *workspace.Workspace) {
			require.NoError(t, w.WriteFile("a", []byte("longer"), 0o600))
		}, "a", "a", nil},
		{"through a link to a file", func(t *testing.T, w *workspace.Workspace) {
			require.NoError(t, w.WriteFile("d/to", nil, 0o600))
			require.NoError(t, w.Symlink("d/to", "a"))
		}, "a", "d/to", nil},
		{"through a broken link", func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Symlink("d/to", "a")) }, "a", "d/to", nil},
		{"through a link to a folder", func(t *testing.T, w *workspace.Workspace) {
			require.NoError(t, w.MkdirAll("d", 0o755))
			require.NoError(t, w.Symlink("d", "l"))
		}, "l/a", "d/a", nil},
		{"through a link that leads out", func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Symlink("..", "l")) }, "l/a", "", catalog.ErrNotAllowed},
		{"onto a link that leads out", func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Symlink("../a", "a")) }, "a", "", catalog.ErrNotAllowed},
		{"onto an absolute link", func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Symlink(w.Abs("b"), "a")) }, "a", "", catalog.ErrNotAllowed},
		{"onto a link to itself", func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Symlink("a", "a")) }, "a", "", catalog.ErrInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := workspace.Open(filepath.Join(t.TempDir(), "w"), workspace.Options{})
			require.NoError(t, err)
			defer w.Destroy()
			if c.before != nil {
				c.before(t, w)
			}
			err = w.WriteFile(c.write, []byte("new"), 0o755)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				return
			}
			require.NoError(t, err)
			data, err := w.ReadFile(c.lands, 10)
			require.NoError(t, err)
			require.Equal(t, "new", string(data))
			info, err := w.Lstat(c.lands)
			require.NoError(t, err)
			wasThere := c.name == "over a file" || c.name == "through a link to a file"
			require.Equal(t, !wasThere, info.Mode()&0o100 != 0, "a file that is there keeps its mode")
			requireUsed(t, w)
		})
	}
}

func TestWriteFileOverAFolder(t *testing.T) {
	w, err := workspace.Open(filepath.Join(t.TempDir(), "w"), workspace.Options{})
	require.NoError(t, err)
	defer w.Destroy()
	require.NoError(t, w.MkdirAll("a", 0o755))
	require.ErrorContains(t, w.WriteFile("a", nil, 0o644), "is a directory")
	require.ErrorContains(t, w.WriteFile(".", nil, 0o644), "is a directory")
	requireUsed(t, w)
}

func TestWriteFileKeepsTheQuota(t *testing.T) {
	w, err := workspace.Open(filepath.Join(t.TempDir(), "w"), workspace.Options{Quota: 3 * workspace.EntryCost})
	require.NoError(t, err)
	defer w.Destroy()
	require.NoError(t, w.WriteFile("a", []byte("x"), 0o644))
	for range 10 {
		require.NoError(t, w.WriteFile("a", []byte("yy"), 0o644), "what is replaced is given back")
	}
	require.ErrorIs(t, w.WriteFile("x/y/z", nil, 0o644), catalog.ErrNotAllowed)
	requireUsed(t, w)
}

// requireUsed compares what the workspace has counted with what is there.
func requireUsed(t *testing.T, w *workspace.Workspace) {
	t.Helper()
	var used int64
	require.NoError(t, w.Walk(".", func(_ string, info fs.FileInfo) error {
		used += workspace.EntryCost
		if !info.IsDir() {
			used += info.Size()
		}
		return nil
	}))
	require.Equal(t, used, w.Used())
}
