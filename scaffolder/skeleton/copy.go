package skeleton

import (
	"context"
	"io/fs"
	"path"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// WithoutLinksOut returns the tree without the links that lead out of it, or
// that name a path of this machine.
func (t *Tree) WithoutLinksOut() (*Tree, error) {
	out := &Tree{source: t.source, limits: t.limits, entries: make([]Entry, 0, len(t.entries))}
	for _, e := range t.entries {
		if e.Mode&fs.ModeSymlink != 0 {
			target, err := fs.ReadLink(t.source, e.Name)
			if err != nil {
				return nil, err
			}
			if LeadsOut(e.Name, target) {
				continue
			}
		}
		out.entries = append(out.entries, e)
	}
	return out, nil
}

// LeadsOut tells whether a link of this name in a tree says a target outside of
// the tree, without a look at where other links lead.
func LeadsOut(name, target string) bool {
	if target == "" || path.IsAbs(target) {
		return true
	}
	to := path.Join(path.Dir(name), target)
	return to == ".." || strings.HasPrefix(to, "../")
}

// Copy writes the tree as it is below a folder of the workspace. Files and
// links that are there are replaced, folders kept. It ends with the cause of
// ctx when that ends.
func (t *Tree) Copy(ctx context.Context, ws *workspace.Workspace, target string) error {
	w := writer{tree: t, ws: ws}
	for _, e := range t.entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name := path.Join(target, e.Name)
		var err error
		switch {
		case e.IsFolder():
			err = ws.MkdirAll(name, 0o755)
		case e.Mode&fs.ModeSymlink != 0:
			err = w.link(e, name)
		default:
			err = w.copyFile(ctx, e, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) copyFile(ctx context.Context, e Entry, name string) error {
	f, err := w.tree.source.Open(e.Name)
	if err != nil {
		return err
	}
	defer f.Close()
	return w.copy(ctx, f, name, e.Mode)
}
