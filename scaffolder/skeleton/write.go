package skeleton

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// Options say how a tree is rendered.
type Options struct {
	// Renderer renders names and contents. Required.
	Renderer *Renderer
	// Target is the folder of the workspace that the tree is written to; "" is
	// its root.
	Target string
	// Replace: what is there already is replaced, instead of left as it is.
	Replace bool
	// Raw tells which entries have contents that are not rendered, Untouched
	// those whose names are not rendered either; nil: none.
	Raw, Untouched func(e Entry) bool
	// Extension, such as ".njk": only contents of files whose names end in it
	// are rendered, and it is taken off their names. "": all are.
	Extension string
	// Log gets a line for everything that is written; nil: nobody wants it.
	Log func(line string)
}

// Write renders the tree into the workspace, entry by entry: of two with one
// name the first stays, unless Replace is set. After an error what was written
// stays. It ends with the cause of ctx when that ends.
func (t *Tree) Write(ctx context.Context, ws *workspace.Workspace, o Options) error {
	w := writer{tree: t, ws: ws, Options: o}
	none := func(Entry) bool { return false }
	if w.Log == nil {
		w.Log = func(string) {}
	}
	if w.Raw == nil {
		w.Raw = none
	}
	if w.Untouched == nil {
		w.Untouched = none
	}
	for _, e := range t.entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := w.entry(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

type writer struct {
	Options
	tree *Tree
	ws   *workspace.Workspace
}

// entry writes one entry, if it is to be written at all.
func (w *writer) entry(ctx context.Context, e Entry) error {
	name, render, err := w.plan(ctx, e)
	if err != nil || name == "" {
		return err
	}
	if !w.Replace && w.ws.Exists(name) {
		return nil
	}
	if !render && w.Extension == "" {
		w.logf("Copying file/directory %s without processing.", shown(e))
	}
	switch {
	case e.IsFolder():
		w.logf("Writing directory %s to template output path.", shown(e))
		return w.ws.MkdirAll(name, 0o755)
	case e.Mode&fs.ModeSymlink != 0:
		w.logf("Copying file binary or symbolic link at %s, to template output path.", e.Name)
		return w.link(e, name)
	}
	return w.file(ctx, e, name, render)
}

// plan returns the name in the workspace that an entry gets, "" for one that
// is left out, and whether its content is rendered.
func (w *writer) plan(ctx context.Context, e Entry) (name string, render bool, err error) {
	if w.Untouched(e) {
		name, err = w.place(e, e.Name)
		return name, false, err
	}
	source := e.Name
	if w.Extension == "" {
		render = !w.Raw(e)
	} else if render = w.hasExtension(e); render {
		source = strings.TrimSuffix(source, w.Extension)
	}
	rendered, err := w.Renderer.Name(ctx, source)
	if err != nil {
		return "", false, err
	}
	name, err = w.place(e, rendered)
	return name, render, err
}

func (w *writer) hasExtension(e Entry) bool {
	return !e.IsFolder() && path.Ext(e.Name) == w.Extension && path.Base(e.Name) != w.Extension
}

// place returns where in the workspace a rendered name is, "" for an entry
// that is left out: its name, or that of a folder above it, is empty.
func (w *writer) place(e Entry, rendered string) (string, error) {
	if rendered == "" || strings.HasPrefix(rendered, "/") || strings.HasSuffix(rendered, "/") || strings.Contains(rendered, "//") {
		return "", nil
	}
	clean := path.Clean(rendered)
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", workspace.NotAllowed()
	}
	if clean == "." && !e.IsFolder() {
		return "", nil
	}
	return path.Join(w.Target, clean), nil
}

// link makes a link like that in the tree, whatever it says: the workspace
// follows none that leads out.
func (w *writer) link(e Entry, name string) error {
	target, err := fs.ReadLink(w.tree.source, e.Name)
	if err != nil {
		return err
	}
	if err := w.makeWay(name); err != nil {
		return err
	}
	return w.ws.Symlink(target, name)
}

// makeWay removes the file or link that is to be replaced.
func (w *writer) makeWay(name string) error {
	info, err := w.ws.Lstat(name)
	if err != nil || info.IsDir() {
		return nil // the next call says what is wrong
	}
	return w.ws.Remove(name)
}

func (w *writer) file(ctx context.Context, e Entry, name string, render bool) error {
	f, err := w.tree.source.Open(e.Name)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	head = head[:n]
	rest := io.MultiReader(bytes.NewReader(head), f)
	if isBinary(head) {
		w.logf("Copying file binary or symbolic link at %s, to template output path.", e.Name)
		return w.copy(ctx, rest, name, e.Mode)
	}
	w.logf("Writing file %s to template output path with mode %d.", e.Name, statMode(e.Mode))
	text, err := io.ReadAll(io.LimitReader(rest, w.tree.limits.Text+1))
	switch {
	case err != nil:
		return err
	case int64(len(text)) <= w.tree.limits.Text:
		return w.text(ctx, e, name, render, text)
	case render:
		return unfit("%s is larger than the %d bytes that a template may have; list it in copyWithoutTemplating", e.Name, w.tree.limits.Text)
	}
	return w.copy(ctx, io.MultiReader(bytes.NewReader(text), f), name, e.Mode)
}

// text writes a file that was read. Bytes that are no UTF-8 become U+FFFD,
// rendered or not, as in the reference.
func (w *writer) text(ctx context.Context, e Entry, name string, render bool, content []byte) error {
	text := Decode(content)
	if render {
		var err error
		if text, err = w.Renderer.Text(ctx, e.Name, text); err != nil {
			return err
		}
	}
	return w.ws.WriteFile(name, []byte(text), e.Mode.Perm())
}

// copy writes a file piece by piece, so that it may be as large as the
// workspace allows, and ends soon after ctx does.
func (w *writer) copy(ctx context.Context, from io.Reader, name string, mode fs.FileMode) (err error) {
	to, err := w.ws.Create(name, mode.Perm())
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := to.Close(); err == nil {
			err = closeErr
		}
	}()
	_, err = io.Copy(to, readerFunc(func(p []byte) (int, error) {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return from.Read(p)
	}))
	return err
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (w *writer) logf(format string, args ...any) { w.Log(fmt.Sprintf(format, args...)) }

// shown is how log lines write the name of an entry.
func shown(e Entry) string {
	if e.IsFolder() {
		return e.Name + "/"
	}
	return e.Name
}

// statMode is the mode of a regular file as stat has it.
func statMode(m fs.FileMode) uint32 {
	const regular = 0o100000
	bits := uint32(m.Perm()) | regular
	for _, special := range []struct {
		mode fs.FileMode
		bit  uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&special.mode != 0 {
			bits |= special.bit
		}
	}
	return bits
}
