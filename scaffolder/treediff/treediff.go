package treediff

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"github.com/greenroom-idp/greenroom/scaffolder/once"
)

const (
	maxFiles = 50_000
	maxBytes = 1 << 30
	// maxShown is how large a file may be whose lines are compared.
	maxShown = 1 << 20
)

// Read reads the files of a tree, ordered by path. A tree that is not there is
// fs.ErrNotExist.
func Read(tree fs.FS) ([]once.File, error) {
	var out []once.File
	total := int64(0)
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if total += info.Size(); total > maxBytes || len(out) == maxFiles {
			return fmt.Errorf("the tree has more than %d files or %d bytes", maxFiles, maxBytes)
		}
		data, err := readFile(tree, path, info.Size())
		if err != nil {
			return err
		}
		out = append(out, once.File{Path: path, Content: data, Executable: info.Mode().Perm()&0o111 != 0})
		return nil
	})
	return out, err
}

func readFile(tree fs.FS, path string, size int64) ([]byte, error) {
	f, err := tree.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, size+1))
	return data, errors.Join(err, f.Close())
}

// A Change is one file that differs.
type Change struct {
	Path string
	// Diff shows how, with a line end; it begins with the names of the file in
	// both trees.
	Diff string
}

// Diff returns how the second tree differs from the first, by path. The labels
// stand before the paths, as in a/README.md.
func Diff(from, to []once.File, fromLabel, toLabel string) []Change {
	before, after := byPath(from), byPath(to)
	all := maps.Clone(before)
	maps.Copy(all, after)
	var out []Change
	for _, path := range slices.Sorted(maps.Keys(all)) {
		b, had := before[path]
		a, has := after[path]
		if had && has && bytes.Equal(b.Content, a.Content) && b.Executable == a.Executable {
			continue
		}
		out = append(out, Change{path, diff(b, a, had, has, label(fromLabel, path, had), label(toLabel, path, has))})
	}
	return out
}

func byPath(files []once.File) map[string]once.File {
	out := make(map[string]once.File, len(files))
	for _, f := range files {
		out[f.Path] = f
	}
	return out
}

func label(tree, path string, there bool) string {
	if !there {
		return "/dev/null"
	}
	return tree + "/" + path
}

func diff(before, after once.File, had, has bool, from, to string) string {
	var b strings.Builder
	if had && has && before.Executable != after.Executable {
		fmt.Fprintf(&b, "--- %s\n+++ %s\n%s\n", from, to, modes(before.Executable, after.Executable))
	}
	if had && has && bytes.Equal(before.Content, after.Content) {
		return b.String()
	}
	if !isText(before.Content) || !isText(after.Content) {
		fmt.Fprintf(&b, "--- %s\n+++ %s\nthe contents differ: %s, then %s\n", from, to, size(before, had), size(after, has))
		return b.String()
	}
	text := udiff.Unified(from, to, string(before.Content), string(after.Content))
	if text == "" { // both are empty, and one is not there
		text = fmt.Sprintf("--- %s\n+++ %s\n", from, to)
	}
	b.WriteString(text)
	return b.String()
}

func modes(before, after bool) string {
	name := map[bool]string{true: "executable", false: "not executable"}
	return "the file is " + name[before] + ", then " + name[after]
}

func size(f once.File, there bool) string {
	if !there {
		return "no file"
	}
	return fmt.Sprintf("%d bytes", len(f.Content))
}

func isText(b []byte) bool {
	return len(b) <= maxShown && utf8.Valid(b) && !bytes.ContainsRune(b, 0)
}
