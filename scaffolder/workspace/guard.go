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

// unfinishedMark ends the name of a copy that is being made.
const unfinishedMark = ".part"

// Guard makes Restore able to set the workspace back to how it is now, however
// the program ends. The first change after it copies the folder, with hard
// links; without a change it costs nothing. The key names the moment, with
// later ones being greater, and takes the place of every one before it: what
// was done until now is known to be done. Settle forgets it.
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
	defer w.mu.Unlock()
	w.before = ""
	if w.copied == "" {
		return nil
	}
	if err := removeAll(w.copied); err != nil {
		return err
	}
	w.copied = ""
	return nil
}

// guarded tells whether a copy shares files with the workspace, or may do so.
func (w *Workspace) guarded() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.before != "" || w.copied != ""
}

// changing is called before every change. The copy has its name only once it
// is whole.
func (w *Workspace) changing() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.before == "" {
		return nil
	}
	unfinished := w.before + unfinishedMark
	if err := removeAll(unfinished); err != nil {
		return err
	}
	if err := linkTree(w.dir, unfinished); err != nil {
		return err
	}
	if err := os.Rename(unfinished, w.before); err != nil {
		return err
	}
	w.before, w.copied = "", w.before
	return nil
}

// Restore sets the closed workspace in dir back for whoever goes on at the
// moment of that key. A copy of that moment or a later one is how it was then:
// nothing that changed it can have ended in between, as Guard is called after
// its end was stored. Copies of earlier moments are removed.
func Restore(dir, key string) error {
	copies, err := filepath.Glob(escapeGlob(dir) + beforeMark + "*")
	if err != nil {
		return err
	}
	for _, c := range copies {
		at := strings.TrimPrefix(c, dir+beforeMark)
		if at < key || strings.HasSuffix(at, unfinishedMark) {
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

// Changed tells whether the workspace was changed since Guard was called.
func (w *Workspace) Changed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.copied != ""
}
