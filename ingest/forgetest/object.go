package forgetest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Reading is done in process: a git process for every request of an API would
// make a thousand repositories slow.

var isHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

// commitOf returns the commit that a branch, tag or hash names.
func commitOf(dir, ref string) (*object.Commit, error) {
	repo, err := git.PlainOpen(dir)
	if err != nil {
		return nil, err
	}
	if isHash.MatchString(ref) {
		return found(repo.CommitObject(plumbing.NewHash(ref)))
	}
	for _, name := range []string{"refs/heads/" + ref, "refs/tags/" + ref, ref} {
		if r, err := repo.Reference(plumbing.ReferenceName(name), true); err == nil {
			return found(repo.CommitObject(r.Hash()))
		}
	}
	return nil, fmt.Errorf("%s: %w", ref, errNoRef)
}

func found[V any](v V, err error) (V, error) {
	if errors.Is(err, plumbing.ErrObjectNotFound) || errors.Is(err, object.ErrEntryNotFound) || errors.Is(err, object.ErrDirectoryNotFound) || errors.Is(err, object.ErrFileNotFound) {
		return v, errNoRef
	}
	return v, err
}

// readBlob returns the content of a file in a commit.
func readBlob(dir, ref, name string) ([]byte, error) {
	c, err := commitOf(dir, ref)
	if err != nil {
		return nil, err
	}
	file, err := found(c.File(name))
	if err != nil {
		return nil, err
	}
	return readAll(file.Reader())
}

func readAll(r io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// readObject returns the content of a blob by its hash.
func readObject(dir, hash string) ([]byte, error) {
	repo, err := git.PlainOpen(dir)
	if err != nil {
		return nil, err
	}
	blob, err := found(repo.BlobObject(plumbing.NewHash(hash)))
	if err != nil {
		return nil, err
	}
	return readAll(blob.Reader())
}

// An entry is a file or folder of a tree.
type entry struct {
	path, mode, kind, hash string
	size                   int64
}

// readTree lists a folder, whose path is "" for the root, with all below it if
// recursive is set.
func readTree(dir, ref, folder string, recursive bool) ([]entry, string, error) {
	c, err := commitOf(dir, ref)
	if err != nil {
		return nil, "", err
	}
	tree, err := c.Tree()
	if err == nil && folder != "" {
		tree, err = tree.Tree(folder)
	}
	if tree, err = found(tree, err); err != nil {
		return nil, "", err
	}
	var out []entry
	walker := object.NewTreeWalker(tree, recursive, nil)
	defer walker.Close()
	for {
		name, e, err := walker.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", err
		}
		out = append(out, treeEntry(tree, path.Join(folder, name), name, e))
	}
	slices.SortStableFunc(out, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return out, tree.Hash.String(), nil
}

func treeEntry(tree *object.Tree, full, name string, e object.TreeEntry) entry {
	out := entry{path: full, mode: fmt.Sprintf("%06o", uint32(e.Mode)), hash: e.Hash.String(), kind: "blob"}
	switch e.Mode {
	case filemode.Dir:
		out.kind = "tree"
	case filemode.Submodule:
		out.kind = "commit"
	default:
		out.size, _ = tree.Size(name)
	}
	return out
}

// branchesOf returns the names of all branches with their commits, sorted.
func branchesOf(dir string) ([]entry, error) {
	repo, err := git.PlainOpen(dir)
	if err != nil {
		return nil, err
	}
	refs, err := repo.Branches()
	if err != nil {
		return nil, err
	}
	var out []entry
	err = refs.ForEach(func(r *plumbing.Reference) error {
		out = append(out, entry{path: r.Name().Short(), hash: r.Hash().String()})
		return nil
	})
	slices.SortFunc(out, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	return out, err
}
