package forgetest

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage"
)

// Seed is Add without a git process, for when thousands of repositories are
// wanted.
func (f *Forge) Seed(r Repository, files map[string]string) (Commit, error) {
	r, err := f.CreateRepository(r)
	if err != nil {
		return Commit{}, err
	}
	repo, err := git.PlainOpen(f.repositories.path(r.FullName))
	if err != nil {
		return Commit{}, err
	}
	when := time.Unix(1_700_000_000, 0).UTC()
	tree, err := seedTree(repo.Storer, files)
	if err != nil {
		return Commit{}, err
	}
	person := object.Signature{Name: "Ada Example", Email: "ada@example.com", When: when}
	sha, err := store(repo.Storer, &object.Commit{Author: person, Committer: person, Message: "Add files", TreeHash: tree})
	if err != nil {
		return Commit{}, err
	}
	err = repo.Storer.SetReference(plumbing.NewHashReference(plumbing.NewBranchReferenceName(r.DefaultBranch), sha))
	return Commit{
		Repository: r.FullName, Branch: r.DefaultBranch, SHA: sha.String(), Message: "Add files", Added: slices.Sorted(maps.Keys(files)), Time: when,
	}, err
}

// seedTree stores the files below a folder, and returns its tree.
func seedTree(to storage.Storer, files map[string]string) (plumbing.Hash, error) {
	tree, folders := &object.Tree{}, map[string]map[string]string{}
	for name, content := range files {
		if folder, rest, ok := strings.Cut(name, "/"); ok {
			if folders[folder] == nil {
				folders[folder] = map[string]string{}
			}
			folders[folder][rest] = content
			continue
		}
		blob := to.NewEncodedObject()
		blob.SetType(plumbing.BlobObject)
		w, err := blob.Writer()
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if _, err := w.Write([]byte(content)); err != nil {
			return plumbing.ZeroHash, err
		}
		hash, err := to.SetEncodedObject(blob)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		tree.Entries = append(tree.Entries, object.TreeEntry{Name: name, Mode: filemode.Regular, Hash: hash})
	}
	for name, content := range folders {
		hash, err := seedTree(to, content)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		tree.Entries = append(tree.Entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash})
	}
	slices.SortFunc(tree.Entries, func(a, b object.TreeEntry) int { return strings.Compare(sortName(a), sortName(b)) })
	return store(to, tree)
}

// sortName is what Git sorts an entry by: folders as if they ended in a slash.
func sortName(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

// store writes an object and returns its hash.
func store(to storage.Storer, o interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	encoded := to.NewEncodedObject()
	if err := o.Encode(encoded); err != nil {
		return plumbing.ZeroHash, err
	}
	return to.SetEncodedObject(encoded)
}
