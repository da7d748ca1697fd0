package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forge"
)

const (
	// maxLinks is how many symbolic links are followed to a file.
	maxLinks = 5
	// maxLink bounds what a link says.
	maxLink = 4096
)

// A walk goes through the files of a commit.
type walk struct {
	address
	storage *filesystem.Storage
	commit  string
	// wanted tells by the path from the root which files are opened at all; nil
	// is all.
	wanted func(path string) bool
}

// root returns the folder of the commit itself.
func (w *walk) root() (*object.Tree, error) {
	hash := plumbing.NewHash(w.commit)
	tag, err := object.GetTag(w.storage, hash)
	if err == nil { // a full hash may be that of a tag
		hash = tag.Target
	}
	commit, err := object.GetCommit(w.storage, hash)
	if err != nil {
		return nil, w.unavailable(fmt.Errorf("commit %s: %w", w.commit, err))
	}
	tree, err := commit.Tree()
	if err != nil {
		return nil, w.unavailable(err)
	}
	return tree, nil
}

// file returns the content of a file and its hash; no content if that is known.
// A link to another file of the repository is followed.
func (w *walk) file(name, known string, limit int64) (data []byte, hash string, err error) {
	root, err := w.root()
	if err != nil {
		return nil, "", err
	}
	for range maxLinks {
		entry, err := root.FindEntry(name)
		switch {
		case err != nil:
			return nil, "", w.entryError(err)
		case entry.Mode == filemode.Dir:
			return nil, "", catalog.NewError(catalog.NameInput, w.target+" is a folder, not a file")
		case entry.Mode == filemode.Submodule:
			return nil, "", w.missing("file")
		case entry.Mode != filemode.Symlink && entry.Hash.String() == known:
			return nil, known, nil
		case entry.Mode != filemode.Symlink:
			data, err := w.content(entry.Hash, limit)
			return data, entry.Hash.String(), err
		}
		to, err := w.content(entry.Hash, maxLink)
		if err != nil {
			return nil, "", err
		}
		if name = path.Join(path.Dir(name), string(to)); !fs.ValidPath(name) || path.IsAbs(string(to)) {
			break
		}
	}
	return nil, "", w.missing("file: it is a link that leads to none")
}

// entryError tells what is missing from what cannot be read.
func (w *walk) entryError(err error) error {
	if errors.Is(err, object.ErrEntryNotFound) || errors.Is(err, object.ErrDirectoryNotFound) || errors.Is(err, object.ErrFileNotFound) {
		return w.missing("file")
	}
	return w.unavailable(err)
}

// content reads a file into memory.
func (w *walk) content(hash plumbing.Hash, limit int64) ([]byte, error) {
	blob, err := w.blob(hash)
	if err != nil {
		return nil, err
	}
	if blob.Size > limit {
		return nil, forge.TooLarge(w.target, limit)
	}
	r, err := blob.Reader()
	if err != nil {
		return nil, w.unavailable(err)
	}
	data, err := forge.ReadBounded(r, w.target, limit)
	return data, errors.Join(err, r.Close())
}

// blob returns a file, which is not here if the server was told to leave it out.
func (w *walk) blob(hash plumbing.Hash) (*object.Blob, error) {
	blob, err := object.GetBlob(w.storage, hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, catalog.NewError(catalog.NameInput, "a file of "+w.target+" is too large to be read")
	}
	if err != nil {
		return nil, w.unavailable(err)
	}
	return blob, nil
}

// below calls yield for all that is in a folder, or for the one file that is
// called so, checked as the entries of an archive are.
func (w *walk) below(ctx context.Context, folder string, o archive.Options, yield func(archive.Entry) error) error {
	root, err := w.root()
	if err != nil {
		return err
	}
	v := &visit{walk: w, checker: archive.NewChecker(o), yield: yield}
	if folder == "" {
		return v.tree(ctx, root, "")
	}
	entry, err := root.FindEntry(folder)
	if err != nil {
		return w.entryError(err)
	}
	if entry.Mode != filemode.Dir {
		return v.entry(ctx, entry, folder)
	}
	tree, err := object.GetTree(w.storage, entry.Hash)
	if err != nil {
		return w.unavailable(err)
	}
	return v.tree(ctx, tree, folder)
}

// A visit is one way through a tree.
type visit struct {
	*walk
	checker *archive.Checker
	yield   func(archive.Entry) error
}

func (v *visit) tree(ctx context.Context, tree *object.Tree, folder string) error {
	for i := range tree.Entries {
		entry := &tree.Entries[i]
		if !isName(entry.Name) {
			return v.unavailable(fmt.Errorf("%w: a file is called %.100q", archive.ErrUnsafe, entry.Name))
		}
		if err := v.entry(ctx, entry, path.Join(folder, entry.Name)); err != nil {
			return err
		}
	}
	return nil
}

// isName refuses names that Git does not allow in a tree.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.EqualFold(name, ".git") && !strings.ContainsAny(name, "/\x00")
}

// entry passes on what is at a path from the root, and all below it.
func (v *visit) entry(ctx context.Context, entry *object.TreeEntry, name string) error {
	e := archive.Entry{Path: name, Mode: modeOf(entry.Mode)}
	switch {
	case entry.Mode == filemode.Submodule:
		return nil // its files are in another repository
	case e.Mode.IsDir():
		if ok, err := v.checker.Admit(ctx, &e); err != nil {
			return v.unavailable(err)
		} else if ok && v.wanted == nil {
			if err := v.yield(withContent(e, strings.NewReader(""))); err != nil {
				return err
			}
		}
		below, err := object.GetTree(v.storage, entry.Hash)
		if err != nil {
			return v.unavailable(err)
		}
		return v.tree(ctx, below, name)
	case v.wanted != nil && !v.wanted(name):
		return nil
	}
	return v.blobEntry(ctx, entry, e)
}

func withContent(e archive.Entry, r io.Reader) archive.Entry {
	e.Content = r
	return e
}

// blobEntry passes on a file or link.
func (v *visit) blobEntry(ctx context.Context, entry *object.TreeEntry, e archive.Entry) error {
	if e.Mode.Type() == fs.ModeSymlink {
		to, err := v.content(entry.Hash, maxLink)
		if err != nil {
			return err
		}
		e.Link = string(to)
	}
	blob, err := v.blob(entry.Hash)
	if err != nil {
		return err
	}
	e.Size = blob.Size
	ok, err := v.checker.Admit(ctx, &e)
	switch {
	case err != nil:
		return v.unavailable(err)
	case !ok:
		return nil
	case !e.Mode.IsRegular():
		return v.yield(withContent(e, strings.NewReader("")))
	}
	r, err := blob.Reader()
	if err != nil {
		return v.unavailable(err)
	}
	return errors.Join(v.yield(withContent(e, r)), r.Close())
}

func modeOf(m filemode.FileMode) fs.FileMode {
	switch m {
	case filemode.Dir:
		return fs.ModeDir | 0o755
	case filemode.Symlink:
		return fs.ModeSymlink | 0o777
	case filemode.Executable:
		return 0o755
	case filemode.Regular, filemode.Deprecated:
		return 0o644
	}
	return fs.ModeIrregular
}
