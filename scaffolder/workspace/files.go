package workspace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
)

// FS returns the workspace as a file system to read from; links are followed
// as far as they stay inside.
func (w *Workspace) FS() fs.FS { return w.root.FS() }

// Open opens a file or folder for reading.
func (w *Workspace) Open(name string) (*os.File, error) {
	clean, err := w.Resolve(name)
	if err != nil {
		return nil, err
	}
	f, err := w.root.Open(clean)
	return f, refuse(err)
}

// ReadFile returns the content of a file of at most limit bytes; a larger one
// is an error.
func (w *Workspace) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := w.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("%s is larger than %d bytes", name, limit))
	}
	return data, nil
}

// Lstat describes what a path names, a link as a link.
func (w *Workspace) Lstat(name string) (fs.FileInfo, error) {
	clean, err := w.parentResolved(name)
	if err != nil {
		return nil, err
	}
	info, err := w.root.Lstat(clean)
	return info, refuse(err)
}

// Stat describes what a path names, following links.
func (w *Workspace) Stat(name string) (fs.FileInfo, error) {
	clean, err := w.Resolve(name)
	if err != nil {
		return nil, err
	}
	info, err := w.root.Stat(clean)
	return info, refuse(err)
}

// Exists tells whether there is something of that name, be it a broken link.
func (w *Workspace) Exists(name string) bool {
	_, err := w.Lstat(name)
	return err == nil
}

// Readlink returns what a link says.
func (w *Workspace) Readlink(name string) (string, error) {
	clean, err := w.parentResolved(name)
	if err != nil {
		return "", err
	}
	target, err := w.root.Readlink(clean)
	return target, refuse(err)
}

// ReadDir returns the entries of a folder by name.
func (w *Workspace) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := w.Open(name)
	if err != nil {
		return nil, err
	}
	entries, err := f.ReadDir(-1)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// Walk calls visit for everything below a folder, parents first, names in
// order, with names from the root of the workspace. Links are not followed.
// visit may return fs.SkipDir and fs.SkipAll.
func (w *Workspace) Walk(name string, visit func(name string, info fs.FileInfo) error) error {
	clean, err := w.Resolve(name)
	if err != nil {
		return err
	}
	err = w.walk(clean, visit)
	if errors.Is(err, fs.SkipAll) {
		return nil
	}
	return err
}

func (w *Workspace) walk(dir string, visit func(string, fs.FileInfo) error) error {
	entries, err := w.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed while we looked
		}
		if err != nil {
			return err
		}
		name := path.Join(dir, e.Name())
		err = visit(name, info)
		if err == nil && info.IsDir() {
			err = w.walk(name, visit)
		} else if errors.Is(err, fs.SkipDir) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parentResolved resolves a path whose last part may be any link.
func (w *Workspace) parentResolved(name string) (string, error) {
	clean, err := w.lexical(name)
	if err != nil {
		return "", err
	}
	if _, err := w.follow(clean, false); err != nil {
		return "", err
	}
	return clean, nil
}
