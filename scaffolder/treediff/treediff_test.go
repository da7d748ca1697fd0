package treediff_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/treediff"
)

func file(path, content string) once.File { return once.File{Path: path, Content: []byte(content)} }

func TestDiff(t *testing.T) {
	run := file("run.sh", "x\n")
	run.Executable = true
	from := []once.File{file("a", "one\ntwo\n"), file("gone", "x\n"), file("same", "s"), file("run.sh", "x\n"), file("bin", "\x00"), file("empty", "")}
	to := []once.File{file("a", "one\nthree\n"), file("new", "n\n"), file("same", "s"), run, file("bin", "\x00\x01")}
	var text strings.Builder
	for _, c := range treediff.Diff(from, to, "expected", "got") {
		text.WriteString(c.Diff)
	}
	require.Equal(t, `--- expected/a
+++ got/a
@@ -1,2 +1,2 @@
 one
-two
+three
--- expected/bin
+++ got/bin
the contents differ: 1 bytes, then 2 bytes
--- expected/empty
+++ /dev/null
--- expected/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
--- /dev/null
+++ got/new
@@ -0,0 +1 @@
+n
--- expected/run.sh
+++ got/run.sh
the file is not executable, then executable
`, text.String())
	require.Empty(t, treediff.Diff(to, to, "a", "b"))
	require.Contains(t, treediff.Diff(nil, []once.File{file("large", strings.Repeat("x", 2<<20))}, "a", "b")[0].Diff, "no file, then 2097152 bytes")
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]fs.FileMode{"b/run": 0o755, "a": 0o644, ".git/x": 0o644} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), mode))
	}
	require.NoError(t, os.Symlink("a", filepath.Join(dir, "link")))
	files, err := treediff.Read(os.DirFS(dir))
	require.NoError(t, err)
	require.Equal(t, []once.File{file("a", "x"), {Path: "b/run", Content: []byte("x"), Executable: true}}, files)
	_, err = treediff.Read(os.DirFS(filepath.Join(dir, "no")))
	require.ErrorIs(t, err, fs.ErrNotExist)
	many := fstest.MapFS{}
	for i := range 50_001 {
		many[strconv.Itoa(i)] = &fstest.MapFile{}
	}
	_, err = treediff.Read(many)
	require.ErrorContains(t, err, "more than 50000 files")
}
