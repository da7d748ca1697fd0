package fetch

import (
	"context"
	"io"
	"io/fs"
	"path"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// fetchTree writes a tree as it is below a folder of a workspace.
func (f *fetcher) fetchTree(ctx context.Context, p place, ws *workspace.Workspace, target string) error {
	if p.holds(ws) {
		return input("url: the folder %s must not hold the workspace", p.name)
	}
	if !p.isLocal() {
		s := storer{fetcher: f, ws: ws, target: target}
		return failed(ctx, p.request, f.Reader.ReadTree(ctx, p.request, func(e Entry) error { return s.visit(ctx, e) }))
	}
	return f.withTree(ctx, p, func(t *skeleton.Tree) error { return t.Copy(ctx, ws, target) })
}

// withTree lists a local folder, and calls use with what is in it.
func (f *fetcher) withTree(ctx context.Context, p place, use func(*skeleton.Tree) error) error {
	folder, err := p.openFolder()
	if err != nil {
		return err
	}
	defer folder.Close() //nolint:errcheck // only read
	tree, err := skeleton.Read(ctx, folder.FS(), f.Limits)
	if err != nil {
		return err
	}
	if tree, err = tree.WithoutLinksOut(); err != nil {
		return err
	}
	return use(tree)
}

// withTemplate makes a tree readable, wherever it comes from, and calls use
// with it. What is remote is unpacked into a folder beside the workspace first,
// since it may only be known whole.
func (f *fetcher) withTemplate(ctx context.Context, c *action.Context, p place, use func(*skeleton.Tree) error) error {
	switch {
	case p.holds(c.Workspace):
		return input("targetPath must not be within template path")
	case p.isLocal():
		return f.withTree(ctx, p, use)
	}
	temp, err := c.TempDir()
	if err != nil {
		return err
	}
	if err := f.fetchTree(ctx, p, temp, "."); err != nil {
		return err
	}
	tree, err := skeleton.Read(ctx, temp.FS(), f.Limits)
	if err != nil {
		return err
	}
	return use(tree)
}

// withFile opens a file, wherever it comes from, and calls use with its content
// and mode.
func (f *fetcher) withFile(ctx context.Context, p place, use func(content io.Reader, mode fs.FileMode) error) error {
	if !p.isLocal() {
		body, err := f.Reader.ReadFile(ctx, p.request)
		if err != nil {
			return failed(ctx, p.request, err)
		}
		defer body.Close() //nolint:errcheck // only read
		return failed(ctx, p.request, use(f.bounded(ctx, body), 0o644))
	}
	file, err := p.openFile()
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return use(f.bounded(ctx, file), info.Mode())
}

// A storer writes what a Reader visits.
type storer struct {
	*fetcher
	ws      *workspace.Workspace
	target  string
	entries int
}

func (s *storer) visit(ctx context.Context, e Entry) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !fs.ValidPath(e.Path):
		return input("the tree has an entry whose name leads out of it or is not UTF-8")
	case e.Path == ".":
		return nil
	}
	if s.entries++; s.entries > s.Limits.Entries {
		return input("the tree has more than %d files and folders", s.Limits.Entries)
	}
	name := path.Join(s.target, e.Path)
	switch e.Mode.Type() {
	case fs.ModeDir:
		return s.ws.MkdirAll(name, 0o755)
	case fs.ModeSymlink:
		return s.link(e, name)
	case 0:
		return s.write(s.bounded(ctx, e.Content), name, e.Mode)
	}
	return nil // devices and the like
}

func (s *storer) link(e Entry, name string) error {
	if skeleton.LeadsOut(e.Path, e.Link) {
		return nil
	}
	if info, err := s.ws.Lstat(name); err == nil && !info.IsDir() {
		if err := s.ws.Remove(name); err != nil {
			return err
		}
	}
	return s.ws.Symlink(e.Link, name)
}

func (s *storer) write(content io.Reader, name string, mode fs.FileMode) error {
	return writeFile(s.ws, content, name, mode)
}

// writeFile writes a file piece by piece.
func writeFile(ws *workspace.Workspace, content io.Reader, name string, mode fs.FileMode) (err error) {
	w, err := ws.Create(name, mode.Perm())
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := w.Close(); err == nil {
			err = closeErr
		}
	}()
	_, err = io.Copy(w, content)
	return err
}

// bounded returns a reader that fails after MaxFile bytes, and once ctx has
// ended.
func (f *fetcher) bounded(ctx context.Context, r io.Reader) io.Reader {
	return &boundedReader{ctx: ctx, r: r, left: f.MaxFile, most: f.MaxFile}
}

type boundedReader struct {
	ctx        context.Context // of the one copy this reader is made for
	r          io.Reader
	left, most int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, input("a file is larger than %d bytes", b.most)
	}
	return n, err
}
