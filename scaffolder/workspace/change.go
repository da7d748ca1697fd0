package workspace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/greenroom-idp/greenroom/catalog"
)

// spend takes n bytes from the quota, or gives -n back.
func (w *Workspace) spend(n int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n > 0 && w.used+n > w.quota {
		return catalog.NewError(catalog.NameNotAllowed, fmt.Sprintf(
			"The workspace of this task is full: it may hold %d bytes. Fetch less, or raise scaffolder.workspaceQuota", w.quota))
	}
	w.used += n
	return nil
}

// WriteFile writes a file, making its folders. A file that is there is
// replaced and its mode kept; a link to a file is followed.
func (w *Workspace) WriteFile(name string, data []byte, perm fs.FileMode) error {
	f, err := w.Create(name, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// Create is WriteFile for what is written piece by piece. The file is there
// from the start; its writer must be closed.
func (w *Workspace) Create(name string, perm fs.FileMode) (io.WriteCloser, error) {
	clean, err := w.lexical(name)
	if err != nil {
		return nil, err
	}
	if err := w.changing(); err != nil {
		return nil, err
	}
	if err := w.spend(EntryCost); err != nil {
		return nil, err
	}
	f, err := w.createNew(clean, perm)
	if errors.Is(err, fs.ErrExist) {
		f, err = w.createOver(clean, perm)
	}
	if err != nil {
		_ = w.spend(-EntryCost)
		return nil, err
	}
	return &writer{w: w, f: f}, nil
}

// createNew makes a file, and its folders if they are missing. Most files are
// new, and cost one call.
func (w *Workspace) createNew(clean string, perm fs.FileMode) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := w.root.OpenFile(clean, flags, perm.Perm())
	if !errors.Is(err, fs.ErrNotExist) {
		return f, refuse(err)
	}
	if err := w.MkdirAll(path.Dir(clean), 0o755); err != nil {
		return nil, err
	}
	f, err = w.root.OpenFile(clean, flags, perm.Perm())
	return f, refuse(err)
}

// createOver makes a file in the place of one that is there, with its mode. It
// is never changed in place: see Guard.
func (w *Workspace) createOver(clean string, perm fs.FileMode) (*os.File, error) {
	clean, err := w.follow(clean, true)
	if err != nil {
		return nil, err
	}
	info, err := w.root.Lstat(clean)
	switch {
	case errors.Is(err, fs.ErrNotExist): // a link to what is not there yet
		return w.createNew(clean, perm)
	case err != nil:
		return nil, refuse(err)
	case info.IsDir():
		return nil, &fs.PathError{Op: "open", Path: w.Abs(clean), Err: errIsDir}
	}
	if err := w.root.Remove(clean); err != nil {
		return nil, refuse(err)
	}
	_ = w.spend(-cost(info))
	f, err := w.createNew(clean, info.Mode())
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(info.Mode().Perm()); err != nil { // not subject to the umask
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

var errIsDir = errors.New("is a directory")

// A writer counts what it writes against the quota.
type writer struct {
	w *Workspace
	f *os.File
}

func (x *writer) Write(data []byte) (int, error) {
	if err := x.w.spend(int64(len(data))); err != nil {
		return 0, err
	}
	n, err := x.f.Write(data)
	if n < len(data) {
		_ = x.w.spend(int64(n - len(data)))
	}
	return n, err
}

func (x *writer) Close() error { return x.f.Close() }

// MkdirAll makes a folder and those above it.
func (w *Workspace) MkdirAll(name string, perm fs.FileMode) error {
	clean, err := w.lexical(name)
	if err != nil || clean == "." {
		return err
	}
	if err := w.changing(); err != nil {
		return err
	}
	if err := w.spend(EntryCost); err != nil {
		return err
	}
	err = w.root.Mkdir(clean, perm.Perm())
	if errors.Is(err, fs.ErrNotExist) {
		if err = w.MkdirAll(path.Dir(clean), perm); err == nil {
			err = w.root.Mkdir(clean, perm.Perm())
		}
	}
	if err == nil {
		return nil
	}
	_ = w.spend(-EntryCost)
	if !errors.Is(err, fs.ErrExist) {
		return refuse(err)
	}
	if info, err := w.root.Stat(clean); err != nil || !info.IsDir() {
		if err != nil {
			return refuse(err)
		}
		return &fs.PathError{Op: "mkdir", Path: w.Abs(clean), Err: errNotDir}
	}
	return nil
}

var errNotDir = errors.New("not a directory")

// Symlink makes a link with any target, as links come in trees that are
// copied. One that leads out of the workspace is never followed here.
func (w *Workspace) Symlink(target, name string) error {
	clean, err := w.parentResolved(name)
	if err != nil {
		return err
	}
	if err := w.MkdirAll(path.Dir(clean), 0o755); err != nil {
		return err
	}
	if err := w.changing(); err != nil {
		return err
	}
	size := EntryCost + int64(len(target))
	if err := w.spend(size); err != nil {
		return err
	}
	if err := w.root.Symlink(target, clean); err != nil {
		_ = w.spend(-size)
		return refuse(err)
	}
	return nil
}

// Chmod sets the permission bits of a file or folder.
func (w *Workspace) Chmod(name string, perm fs.FileMode) error {
	info, err := w.Stat(name)
	if err != nil || info.Mode().Perm() == perm.Perm() {
		return err
	}
	clean, err := w.lexical(name)
	if err != nil {
		return err
	}
	if clean, err = w.follow(clean, true); err != nil {
		return err
	}
	if !info.Mode().IsRegular() || !w.guarded() {
		if err := w.changing(); err != nil {
			return err
		}
		return refuse(w.root.Chmod(clean, perm.Perm()))
	}
	return w.replaceWithMode(clean, perm)
}

// replaceWithMode writes a file anew, since its mode is shared with the copy
// that Guard keeps.
func (w *Workspace) replaceWithMode(name string, perm fs.FileMode) error {
	from, err := w.root.Open(name)
	if err != nil {
		return refuse(err)
	}
	to, err := w.Create(name, perm)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close(), from.Close(), refuse(w.root.Chmod(name, perm.Perm())))
}

// Remove removes a file, a link, or a folder that is empty.
func (w *Workspace) Remove(name string) error {
	clean, err := w.parentResolved(name)
	if err != nil {
		return err
	}
	if clean == "." {
		return NotAllowed()
	}
	info, err := w.root.Lstat(clean)
	if err != nil {
		return refuse(err)
	}
	if err := w.changing(); err != nil {
		return err
	}
	if err := w.root.Remove(clean); err != nil {
		return refuse(err)
	}
	return w.spend(-cost(info))
}

// RemoveAll removes a path and all below it. Nothing being there is no error.
func (w *Workspace) RemoveAll(name string) error {
	clean, err := w.parentResolved(name)
	if err != nil {
		return err
	}
	if clean == "." {
		return NotAllowed()
	}
	if err := w.changing(); err != nil {
		return err
	}
	if err := w.root.RemoveAll(clean); err != nil {
		return refuse(err)
	}
	return w.recount()
}

// Rename moves a file, link or folder; the folders above its new place are
// made. What is there is an error that is fs.ErrExist, unless overwrite says
// to remove it.
func (w *Workspace) Rename(from, to string, overwrite bool) error {
	from, err := w.parentResolved(from)
	if err != nil {
		return err
	}
	if to, err = w.parentResolved(to); err != nil {
		return err
	}
	if from == "." || to == "." {
		return NotAllowed()
	}
	if _, err := w.root.Lstat(from); err != nil {
		return refuse(err)
	}
	if from == to {
		return nil
	}
	if w.Exists(to) {
		if !overwrite {
			return &fs.PathError{Op: "rename", Path: w.Abs(to), Err: fs.ErrExist}
		}
		if err := w.RemoveAll(to); err != nil {
			return err
		}
	}
	if err := w.changing(); err != nil {
		return err
	}
	if err := w.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	return refuse(w.root.Rename(from, to))
}

// recount measures the workspace anew.
func (w *Workspace) recount() error {
	used, err := measure(w.root)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.used = used
	w.mu.Unlock()
	return nil
}

func cost(info fs.FileInfo) int64 {
	if info.IsDir() {
		return EntryCost
	}
	return EntryCost + info.Size()
}

// measure adds up what a folder holds.
func measure(root *os.Root) (int64, error) {
	var used int64
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			used += cost(info)
		}
		return err
	})
	return used, err
}
