package site

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// A File is one file of a Tree.
type File struct {
	Path   string // with slashes, valid for io/fs
	Size   int64
	Digest [sha256.Size]byte // SHA-256 of the content
}

// A Tree is a folder of files that do not change. It is safe for concurrent
// use.
type Tree interface {
	// Files are all files, in order of their paths. Folders have no entry.
	Files() []File
	// Open opens a file. The error of one that is not there is fs.ErrNotExist.
	Open(path string) (io.ReadSeekCloser, error)
}

// readFile reads a whole file that is not larger than a limit.
func readFile(t Tree, path string, limit int64) (data []byte, err error) {
	r, err := t.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if data, err = io.ReadAll(io.LimitReader(r, limit+1)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: %w: it is larger than %d bytes", path, ErrLimit, limit)
	}
	return data, nil
}

// Memory is a Tree in memory, by path.
type Memory map[string]string

var _ Tree = Memory{}

// Files returns the files.
func (m Memory) Files() []File {
	out := make([]File, 0, len(m))
	for path, content := range m {
		out = append(out, File{path, int64(len(content)), sha256.Sum256([]byte(content))})
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// Open opens a file.
func (m Memory) Open(path string) (io.ReadSeekCloser, error) {
	content, ok := m[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return inMemory{bytes.NewReader([]byte(content))}, nil
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }
