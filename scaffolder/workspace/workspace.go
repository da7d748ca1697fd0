package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/catalog"
)

// Options bound a workspace.
type Options struct {
	// Quota is how many bytes its files may have in all, each file, folder and
	// link counting EntryCost on top; 0: 1 GiB.
	Quota int64
}

// EntryCost is what every file, folder and link adds to what a workspace
// holds, so that empty ones cannot be made without end.
const EntryCost = 1 << 10

const defaultQuota = 1 << 30

// A Workspace is a folder that only its task uses.
type Workspace struct {
	dir  string // absolute, links resolved
	root *os.Root

	mu    sync.Mutex
	used  int64
	quota int64
	// before is where the copy goes at the first change; "" when there is
	// nothing to guard, or the copy is there already: in copied, "" for none.
	before, copied string
}

// Open opens the workspace in dir, and makes the folder, private to the user
// that runs the program, if it is missing.
func Open(dir string, o Options) (*Workspace, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	w := &Workspace{dir: dir, root: root, quota: o.Quota}
	if w.quota <= 0 {
		w.quota = defaultQuota
	}
	if w.used, err = measure(root); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return w, nil
}

// Close lets go of the folder, which stays.
func (w *Workspace) Close() error { return w.root.Close() }

// Destroy closes the workspace and removes its folder with all that is in it,
// and what was kept to set it back.
func (w *Workspace) Destroy() error {
	return errors.Join(w.root.Close(), Remove(w.dir))
}

// Remove removes the folder of a workspace that is not open.
func Remove(dir string) error {
	err := removeAll(dir)
	copies, globErr := filepath.Glob(escapeGlob(dir) + beforeMark + "*")
	for _, c := range copies {
		err = errors.Join(err, removeAll(c))
	}
	return errors.Join(err, globErr)
}

// removeAll also removes what lies in folders that must not be written to.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}

func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// Path returns the absolute path of the folder, for log lines and for programs
// that need one. Files are reached through the methods.
func (w *Workspace) Path() string { return w.dir }

// Abs returns the absolute path of a name that Resolve returned, for log lines
// and outputs.
func (w *Workspace) Abs(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

// Used returns how much the workspace holds, as the quota counts it.
func (w *Workspace) Used() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.used
}

// NotAllowed is the error for every path that leads out of a workspace.
func NotAllowed() error {
	return catalog.NewError(catalog.NameNotAllowed, "Relative path is not allowed to refer to a directory outside its parent")
}

// Resolve returns the name, from the root of the workspace and with slashes,
// of what a path names: one relative to the workspace or an absolute one in
// it. The workspace itself is ".". Nothing needs to be there; but where a part
// of the path is a link that leads out, or the path itself does, the error is
// NotAllowed. All methods that take a name take such a path.
func (w *Workspace) Resolve(name string) (string, error) {
	clean, err := w.lexical(name)
	if err != nil {
		return "", err
	}
	if _, err := w.follow(clean, true); err != nil {
		return "", err
	}
	return clean, nil
}

// lexical is Resolve without a look at links.
func (w *Workspace) lexical(name string) (string, error) {
	if strings.ContainsRune(name, 0) {
		return "", catalog.NewError(catalog.NameInput, "a path must not contain a NUL character")
	}
	if !utf8.ValidString(name) {
		return "", catalog.NewError(catalog.NameInput, "a path must be UTF-8")
	}
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(w.dir, filepath.Clean(name))
		if err != nil {
			return "", NotAllowed()
		}
		name = rel
	}
	clean := path.Clean(filepath.ToSlash(name))
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", NotAllowed()
	}
	return clean, nil
}

// maxLinks is how many links a path may lead through.
const maxLinks = 40

// follow returns the name with the links in its folders resolved, and with
// last also a link at its end. What is not there is taken as it is.
func (w *Workspace) follow(name string, last bool) (string, error) {
	done, rest, links := ".", name, 0
	for rest != "" && rest != "." {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		if part == "" || part == "." {
			continue
		}
		done = path.Join(done, part)
		if done == ".." || strings.HasPrefix(done, "../") {
			return "", NotAllowed()
		}
		if rest == "" && !last {
			break
		}
		target, err := w.root.Readlink(done)
		if err != nil {
			continue // no link, or nothing at all
		}
		if links++; links > maxLinks {
			return "", catalog.NewError(catalog.NameInput, fmt.Sprintf("%s leads through too many links", name))
		}
		if filepath.IsAbs(target) {
			return "", NotAllowed()
		}
		// What the link says is walked part by part as well: a link in it may
		// lead elsewhere than a path without links would.
		rest = strings.TrimSuffix(filepath.ToSlash(target)+"/"+rest, "/")
		done = path.Dir(done)
	}
	return done, nil
}

// errEscapes is what os.Root says of a path that leads out.
const errEscapes = "path escapes from parent"

// refuse turns what os.Root says into our words, and leaves the rest alone.
func refuse(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) && p.Err.Error() == errEscapes {
		return NotAllowed()
	}
	var l *os.LinkError
	if errors.As(err, &l) && l.Err.Error() == errEscapes {
		return NotAllowed()
	}
	return err
}

// Sibling makes an empty folder beside the workspace, with what the quota of
// the workspace has left. It is the caller's to destroy.
func (w *Workspace) Sibling(dir string) (*Workspace, error) {
	w.mu.Lock()
	left := max(w.quota-w.used, EntryCost)
	w.mu.Unlock()
	if err := removeAll(dir); err != nil {
		return nil, err
	}
	return Open(dir, Options{Quota: left})
}
