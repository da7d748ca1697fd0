package workspace_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, o workspace.Options) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Open(filepath.Join(t.TempDir(), "task"), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Destroy()) })
	return w
}

func write(t *testing.T, w *workspace.Workspace, name, text string) {
	t.Helper()
	require.NoError(t, w.WriteFile(name, []byte(text), 0o644))
}

func read(t *testing.T, w *workspace.Workspace, name string) string {
	t.Helper()
	data, err := w.ReadFile(name, 1<<20)
	require.NoError(t, err)
	return string(data)
}

// list names everything in a workspace, folders with a slash.
func list(t *testing.T, w *workspace.Workspace) []string {
	t.Helper()
	out := []string{}
	require.NoError(t, w.Walk(".", func(name string, info fs.FileInfo) error {
		if info.IsDir() {
			name += "/"
		}
		out = append(out, name)
		return nil
	}))
	return out
}

func TestResolve(t *testing.T) {
	w := open(t, workspace.Options{})
	out := t.TempDir()
	require.NoError(t, w.MkdirAll("dir/sub", 0o755))
	require.NoError(t, w.Symlink("dir", "inside"))
	require.NoError(t, w.Symlink("../dir/sub", "dir/up-and-down"))
	require.NoError(t, w.Symlink(out, "absolute"))
	require.NoError(t, w.Symlink("../..", "dir/parents"))
	require.NoError(t, w.Symlink("dir/parents", "by-way-of"))
	require.NoError(t, w.Symlink("loop", "loop"))
	for _, c := range []struct{ name, path, want string }{
		{"the workspace", ".", "."},
		{"nothing", "", "."},
		{"a file", "a.txt", "a.txt"},
		{"with a dot", "./a/./b", "a/b"},
		{"up and down", "a/../b", "b"},
		{"absolute in it", filepath.Join(w.Path(), "a"), "a"},
		{"through a link inside", "inside/new", "inside/new"},
		{"through a link up and down", "dir/up-and-down/x", "dir/up-and-down/x"},
		{"a name with dots", "..a/b..", "..a/b.."},
		{"the parent", "..", ""},
		{"outside", "../x", ""},
		{"outside after all", "a/../../x", ""},
		{"absolute outside", "/etc/passwd", ""},
		{"a sibling with the same beginning", w.Path() + "2/x", ""},
		{"through an absolute link", "absolute/x", ""},
		{"the link itself", "absolute", ""},
		{"through parents", "dir/parents/x", ""},
		{"through two links", "by-way-of/x", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := w.Resolve(c.path)
			if c.want == "" {
				require.ErrorIs(t, err, catalog.ErrNotAllowed)
				require.EqualError(t, err, "Relative path is not allowed to refer to a directory outside its parent")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
	_, err := w.Resolve("loop/x")
	require.ErrorIs(t, err, catalog.ErrInput)
	_, err = w.Resolve("a\x00b")
	require.ErrorIs(t, err, catalog.ErrInput)
}

// No method follows a link out, or takes a path that leads there.
func TestEveryMethodStaysInside(t *testing.T) {
	out := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(out, "kept"), []byte("kept"), 0o600))
	for name, call := range map[string]func(w *workspace.Workspace, path string) error{
		"Open":        func(w *workspace.Workspace, p string) error { _, err := w.Open(p); return err },
		"ReadFile":    func(w *workspace.Workspace, p string) error { _, err := w.ReadFile(p, 100); return err },
		"Stat":        func(w *workspace.Workspace, p string) error { _, err := w.Stat(p); return err },
		"Lstat":       func(w *workspace.Workspace, p string) error { _, err := w.Lstat(p); return err },
		"ReadDir":     func(w *workspace.Workspace, p string) error { _, err := w.ReadDir(filepath.Dir(p)); return err },
		"Readlink":    func(w *workspace.Workspace, p string) error { _, err := w.Readlink(p); return err },
		"WriteFile":   func(w *workspace.Workspace, p string) error { return w.WriteFile(p, []byte("x"), 0o644) },
		"MkdirAll":    func(w *workspace.Workspace, p string) error { return w.MkdirAll(p, 0o755) },
		"Symlink":     func(w *workspace.Workspace, p string) error { return w.Symlink("x", p) },
		"Chmod":       func(w *workspace.Workspace, p string) error { return w.Chmod(p, 0o777) },
		"Remove":      func(w *workspace.Workspace, p string) error { return w.Remove(p) },
		"RemoveAll":   func(w *workspace.Workspace, p string) error { return w.RemoveAll(p) },
		"Rename from": func(w *workspace.Workspace, p string) error { return w.Rename(p, "here", true) },
		"Rename to":   func(w *workspace.Workspace, p string) error { return w.Rename("file", p, true) },
		"Walk": func(w *workspace.Workspace, p string) error {
			return w.Walk(p, func(string, fs.FileInfo) error { return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, workspace.Options{})
			write(t, w, "file", "x")
			require.NoError(t, w.Symlink(out, "way-out"))
			for _, path := range []string{filepath.Join(out, "kept"), "way-out/kept", "../" + filepath.Base(out) + "/kept"} {
				require.ErrorIs(t, call(w, path), catalog.ErrNotAllowed, path)
			}
			data, err := os.ReadFile(filepath.Join(out, "kept"))
			require.NoError(t, err)
			require.Equal(t, "kept", string(data))
			entries, err := os.ReadDir(out)
			require.NoError(t, err)
			require.Len(t, entries, 1)
		})
	}
}

// A link that is put in the way between the check and the use is no way out
// either: os.Root holds.
func TestALinkThatComesLate(t *testing.T) {
	w := open(t, workspace.Options{})
	out := t.TempDir()
	require.NoError(t, w.MkdirAll("dir", 0o755))
	require.NoError(t, os.Remove(filepath.Join(w.Path(), "dir")))
	require.NoError(t, os.Symlink(out, filepath.Join(w.Path(), "dir")))
	_, err := w.FS().Open("dir/x")
	require.Error(t, err)
	require.ErrorIs(t, w.WriteFile("dir/x", nil, 0o644), catalog.ErrNotAllowed)
	entries, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestFiles(t *testing.T) {
	w := open(t, workspace.Options{})
	require.NoError(t, w.WriteFile("a/b/run.sh", []byte("one"), 0o755))
	info, err := w.Stat("a/b/run.sh")
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100)
	require.NoError(t, w.WriteFile("a/b/run.sh", []byte("two"), 0o644))
	info, err = w.Stat("a/b/run.sh")
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100, "a file that is replaced keeps its mode")
	require.Equal(t, "two", read(t, w, "a/b/run.sh"))

	require.NoError(t, w.Symlink("b/run.sh", "a/link"))
	write(t, w, "a/link", "three")
	require.Equal(t, "three", read(t, w, "a/b/run.sh"), "writing follows a link")
	target, err := w.Readlink("a/link")
	require.NoError(t, err)
	require.Equal(t, "b/run.sh", target)

	require.NoError(t, w.Rename("a/b", "c/d/e", false))
	require.ErrorIs(t, w.Rename("c/d/e", "a", false), fs.ErrExist)
	require.NoError(t, w.Rename("c/d/e", "a", true))
	require.Equal(t, []string{"a/", "a/run.sh", "c/", "c/d/"}, list(t, w))
	require.NoError(t, w.Chmod("a/run.sh", 0o600))
	require.ErrorIs(t, w.Remove("gone"), fs.ErrNotExist)
	require.NoError(t, w.RemoveAll("gone"))
	require.Error(t, w.Remove("a"), "it is not empty")
	require.ErrorIs(t, w.RemoveAll("."), catalog.ErrNotAllowed, "the workspace itself stays")
	require.Error(t, w.WriteFile("a", nil, 0o644), "it is a folder")
	require.Error(t, w.WriteFile("a/run.sh/x", nil, 0o644), "it is below a file")
	_, err = w.ReadFile("a/run.sh", 2)
	require.ErrorIs(t, err, catalog.ErrInput, "larger than the caller takes")
	require.True(t, w.Exists("a"))
	require.False(t, w.Exists("b"))
}

func TestQuota(t *testing.T) {
	w := open(t, workspace.Options{Quota: 10 << 10})
	write(t, w, "a", strings.Repeat("x", 4<<10))
	require.EqualValues(t, 5<<10, w.Used())
	err := w.WriteFile("b", make([]byte, 5<<10), 0o644)
	require.ErrorIs(t, err, catalog.ErrNotAllowed)
	require.Contains(t, err.Error(), "it may hold 10240 bytes")
	require.NoError(t, w.RemoveAll("b"))
	write(t, w, "a", "short")
	require.EqualValues(t, 1<<10+5, w.Used(), "what is replaced counts no more")
	require.NoError(t, w.Remove("a"))
	require.Zero(t, w.Used())
	// Names cost something too.
	err = nil
	for i := 0; err == nil && i < 100; i++ {
		err = w.MkdirAll("d/"+strings.Repeat("d/", i), 0o755)
	}
	require.ErrorIs(t, err, catalog.ErrNotAllowed)
	require.NoError(t, w.RemoveAll("d"))
	for i := 0; err == nil && i < 100; i++ {
		err = w.Symlink(strings.Repeat("x", 500), "l"+strings.Repeat("l", i))
	}
	require.ErrorIs(t, err, catalog.ErrNotAllowed)

	again, err := workspace.Open(w.Path(), workspace.Options{Quota: 10 << 10})
	require.NoError(t, err)
	require.Equal(t, w.Used(), again.Used(), "what is there counts when it is opened again")
	require.NoError(t, again.Close())
	sibling, err := w.Sibling(w.Path() + "_step-1")
	require.NoError(t, err)
	require.Error(t, sibling.WriteFile("big", make([]byte, 10<<10), 0o644), "a folder beside it has what is left")
	require.NoError(t, sibling.Destroy())
}

// A workspace can be set back to the moment of Guard, whatever was done since.
func TestRestore(t *testing.T) {
	changes := map[string]func(t *testing.T, w *workspace.Workspace){
		"nothing":          func(*testing.T, *workspace.Workspace) {},
		"a new file":       func(t *testing.T, w *workspace.Workspace) { write(t, w, "new", "x") },
		"a changed file":   func(t *testing.T, w *workspace.Workspace) { write(t, w, "dir/a", "changed") },
		"a file by a link": func(t *testing.T, w *workspace.Workspace) { write(t, w, "link", "changed") },
		"a removed file":   func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Remove("dir/a")) },
		"a removed folder": func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.RemoveAll("dir")) },
		"a moved folder":   func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Rename("dir", "dir2", false)) },
		"a new folder":     func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.MkdirAll("x/y", 0o755)) },
		"another mode":     func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Chmod("dir/a", 0o600)) },
		"another link":     func(t *testing.T, w *workspace.Workspace) { require.NoError(t, w.Symlink("x", "link2")) },
		"several of these": func(t *testing.T, w *workspace.Workspace) {
			write(t, w, "dir/a", "1")
			write(t, w, "dir/a", "2")
			write(t, w, "b", "3")
		},
		"written by pieces": func(t *testing.T, w *workspace.Workspace) {
			f, err := w.Create("dir/a", 0o644)
			require.NoError(t, err)
			_, err = f.Write([]byte("half"))
			require.NoError(t, err)
			require.NoError(t, f.Close())
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := open(t, workspace.Options{})
			write(t, w, "dir/a", "before")
			require.NoError(t, w.Chmod("dir/a", 0o755))
			require.NoError(t, w.Symlink("dir/a", "link"))
			require.NoError(t, w.MkdirAll("empty", 0o755))
			before := list(t, w)
			require.NoError(t, w.Guard("000001"))
			change(t, w)
			require.Equal(t, name != "nothing", w.Changed())
			require.NoError(t, w.Close())

			require.NoError(t, workspace.Restore(w.Path(), "000001"))
			again, err := workspace.Open(w.Path(), workspace.Options{})
			require.NoError(t, err)
			defer again.Close()
			require.Equal(t, before, list(t, again))
			require.Equal(t, "before", read(t, again, "dir/a"))
			info, err := again.Stat("dir/a")
			require.NoError(t, err)
			require.Equal(t, fs.FileMode(0o755), info.Mode().Perm())
			require.Empty(t, beside(t, w.Path()))
		})
	}
}

// beside names what lies beside a workspace.
func beside(t *testing.T, dir string) []string {
	entries, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	var out []string
	for _, e := range entries {
		if e.Name() != filepath.Base(dir) {
			out = append(out, e.Name())
		}
	}
	return out
}

func TestRestoreKeys(t *testing.T) {
	for _, c := range []struct{ name, key, want string }{
		{"that moment", "000002", "before"},
		{"an earlier one, since when nothing else changed", "000001", "before"},
		{"a later one, when this was done", "000003", "after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t, workspace.Options{})
			write(t, w, "a", "before")
			require.NoError(t, w.Guard("000001"))
			require.NoError(t, w.Guard("000002"))
			write(t, w, "a", "after")
			require.NoError(t, w.Close())
			require.NoError(t, workspace.Restore(w.Path(), c.key))
			data, err := os.ReadFile(filepath.Join(w.Path(), "a"))
			require.NoError(t, err)
			require.Equal(t, c.want, string(data))
			require.Empty(t, beside(t, w.Path()))
		})
	}
}

// A copy that was being made when the program ended is none.
func TestRestoreWithHalfACopy(t *testing.T) {
	w := open(t, workspace.Options{})
	write(t, w, "a", "as it is")
	require.NoError(t, w.Close())
	half := w.Path() + "_before-000001.part"
	require.NoError(t, os.Mkdir(half, 0o700))
	require.NoError(t, workspace.Restore(w.Path(), "000001"))
	data, err := os.ReadFile(filepath.Join(w.Path(), "a"))
	require.NoError(t, err)
	require.Equal(t, "as it is", string(data))
	require.NoDirExists(t, half)
}

func TestDestroy(t *testing.T) {
	w := open(t, workspace.Options{})
	write(t, w, "closed/a", "x")
	require.NoError(t, w.Guard("000001"))
	write(t, w, "b", "x")
	require.NoError(t, w.Chmod("closed", 0o500))
	require.NoError(t, w.Destroy())
	require.NoDirExists(t, w.Path())
	require.Empty(t, beside(t, w.Path()))
}

func TestWalk(t *testing.T) {
	w := open(t, workspace.Options{})
	for _, name := range []string{"b/2", "b/1", "a", "c/deep/x", ".git/config"} {
		write(t, w, name, "x")
	}
	require.Equal(t, []string{".git/", ".git/config", "a", "b/", "b/1", "b/2", "c/", "c/deep/", "c/deep/x"}, list(t, w))
	var got []string
	require.NoError(t, w.Walk(".", func(name string, info fs.FileInfo) error {
		if name == ".git" {
			return fs.SkipDir
		}
		got = append(got, name)
		if name == "b/1" {
			return fs.SkipAll
		}
		return nil
	}))
	require.Equal(t, []string{"a", "b", "b/1"}, got)
	fault := errors.New("fault")
	require.ErrorIs(t, w.Walk("b", func(string, fs.FileInfo) error { return fault }), fault)
	require.Error(t, w.Walk("gone", func(string, fs.FileInfo) error { return nil }))
}

// Whatever a path is, what it resolves to lies in the workspace, and resolving
// that again changes nothing.
func FuzzResolve(f *testing.F) {
	for _, seed := range []string{"a", "../a", "/a", "a/../..", "in/../../x", "out/x", "./..//..", "a\\..\\b", "...", "a\xff"} {
		f.Add(seed)
	}
	dir := f.TempDir()
	w, err := workspace.Open(filepath.Join(dir, "w"), workspace.Options{})
	require.NoError(f, err)
	require.NoError(f, w.MkdirAll("in", 0o755))
	require.NoError(f, w.Symlink("..", "out"))
	require.NoError(f, w.Symlink("in", "in2"))
	f.Fuzz(func(t *testing.T, name string) {
		clean, err := w.Resolve(name)
		if err != nil {
			return
		}
		require.True(t, fs.ValidPath(clean), clean)
		require.False(t, slices.Contains(strings.Split(clean, "/"), ".."))
		require.False(t, strings.HasPrefix(clean+"/", "out/"))
		again, err := w.Resolve(clean)
		require.NoError(t, err)
		require.Equal(t, clean, again)
	})
}

func BenchmarkWrite1000Files(b *testing.B) {
	data := []byte(strings.Repeat("x", 1000))
	for b.Loop() {
		w, err := workspace.Open(filepath.Join(b.TempDir(), "w"), workspace.Options{})
		require.NoError(b, err)
		require.NoError(b, w.Guard("1"))
		for i := range 1000 {
			if err := w.WriteFile("dir"+string(rune('a'+i%20))+"/file"+string(rune('a'+i/20)), data, 0o644); err != nil {
				b.Fatal(err)
			}
		}
		require.NoError(b, w.Destroy())
	}
}
