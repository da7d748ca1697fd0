package workspace

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// beforeMark stands between the folder of a workspace and the key under which
// a copy of it was kept.
const beforeMark = "_before-"

// Guard makes Restore able to set the workspace back to how it is now, however
// the program ends. The first change after it copies the folder, with hard
// links; without a change it costs nothing. The key names the moment, and
// takes the place of every one before it. Settle forgets it.
func (w *Workspace) Guard(key string) error {
	if err := w.Settle(); err != nil {
		return err
	}
	w.mu.Lock()
	w.before = w.dir + beforeMark + key
	w.mu.Unlock()
	return nil
}

// Settle keeps the workspace as it is, and forgets how it was.
func (w *Workspace) Settle() error {
	w.mu.Lock()
	w.before = ""
	w.mu.Unlock()
	copies, err := filepath.Glob(escapeGlob(w.dir) + beforeMark + "*")
	for _, c := range copies {
		err = errors.Join(err, removeAll(c))
	}
	return err
}

// guarded tells whether a copy shares files with the workspace.
func (w *Workspace) guarded() bool {
	copies, err := filepath.Glob(escapeGlob(w.dir) + beforeMark + "*")
	return err != nil || len(copies) > 0
}

// changing is called before every change. The copy has its name only once it
// is whole.
func (w *Workspace) changing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.before == "" {
		return nil
	}
	unfinished := w.before + ".part"
	if err := removeAll(unfinished); err != nil {
		return err
	}
	if err := linkTree(w.dir, unfinished); err != nil {
		return err
	}
	if err := os.Rename(unfinished, w.before); err != nil {
		return err
	}
	w.before = ""
	return nil
}

// Restore sets the closed workspace in dir back to where Guard was called with
// that key, if it was changed since. Copies of other moments are removed.
func Restore(dir, key string) error {
	copies, err := filepath.Glob(escapeGlob(dir) + beforeMark + "*")
	if err != nil {
		return err
	}
	want := dir + beforeMark + key
	for _, c := range copies {
		if c != want {
			err = errors.Join(err, removeAll(c))
			continue
		}
		// Removing and renaming are two steps; ended between them, the next
		// Restore finds the copy and goes on.
		err = errors.Join(err, removeAll(dir))
		if err == nil {
			err = os.Rename(c, dir)
		}
	}
	return err
}

// linkTree makes a second name for every file of a tree, in folders of its
// own. Where there are no hard links the files are copied.
func linkTree(from, to string) error {
	type mode struct {
		name string
		perm fs.FileMode
	}
	var closed []mode // folders that may not be written to, until they are full
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := to + strings.TrimPrefix(name, from)
		switch {
		case d.IsDir():
			info, err := d.Info()
			if err != nil {
				return err
			}
			closed = append(closed, mode{target, info.Mode().Perm()})
			return os.Mkdir(target, 0o700)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(name)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		if err := os.Link(name, target); err != nil {
			return copyFile(name, target)
		}
		return nil
	})
	for i := len(closed) - 1; i >= 0; i-- {
		err = errors.Join(err, os.Chmod(closed[i].name, closed[i].perm))
	}
	return err
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
