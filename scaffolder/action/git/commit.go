package git

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// An Identity is who has made a commit.
type Identity struct{ Name, Email string }

// Defaults are what the configuration says of commits.
type Defaults struct {
	// Author is scaffolder.defaultAuthor; empty fields are Scaffolder and
	// scaffolder@backstage.io.
	Author Identity
	// Message is scaffolder.defaultCommitMessage; "": initial commit.
	Message string
	// Signing is who signs; nobody unless a key is set.
	Signing Signing
}

// AuthorOr returns the author that an input names, filled up with the defaults.
func (d Defaults) AuthorOr(name, email string) Identity {
	return Identity{
		Name:  firstOf(name, d.Author.Name, "Scaffolder"),
		Email: firstOf(email, d.Author.Email, "scaffolder@backstage.io"),
	}
}

// MessageOr returns the message that an input has, or the default one.
func (d Defaults) MessageOr(message string) string {
	return firstOf(message, d.Message, "initial commit")
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// Now returns the time of a commit: the same one each time the step runs, since
// the hash of the commit depends on it.
func Now(ctx context.Context, c *action.Context, key string) (time.Time, error) {
	if c.Each != nil {
		key += "." + *c.Each
	}
	seconds, err := action.Checkpoint(ctx, c, "git.commit.time."+key, func(context.Context) (int64, error) {
		return time.Now().Unix(), nil
	})
	return time.Unix(seconds, 0).UTC(), err
}

// A Commit says what to commit.
type Commit struct {
	// Dir is a folder of the workspace, from SourceDir.
	Dir string
	// Branch is what HEAD of a new repository names; required.
	Branch  string
	Message string
	Author  Identity
	// Time is that of Now.
	Time time.Time
	// Key signs the commit; nil: nobody does.
	Key *SigningKey
}

// A Repository holds a commit that can be pushed.
type Repository struct {
	storer *pack
	head   plumbing.Hash
	// onBase: the objects of the pack are all that the remote lacks.
	onBase bool
	there  map[plumbing.Hash]bool // what the base has in the folders that change
}

// Hash is that of the commit.
func (r *Repository) Hash() string { return r.head.String() }

// Save commits a folder into the repository in it, which is made if there is
// none. The commit comes on top of what HEAD names there, unless that has these
// files already.
//
// What it writes below .git is not counted against the quota of the workspace,
// and is not set back with it: it is a packed copy of what was counted, and
// doing all of it again comes to the same end.
func Save(ctx context.Context, ws *workspace.Workspace, c Commit) (*Repository, error) {
	if !validBranch(c.Branch) {
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("%.100q cannot be the name of a branch", c.Branch))
	}
	st, err := open(ws, c.Dir)
	if err != nil {
		return nil, err
	}
	r := &Repository{storer: newPack(st)}
	err = safely(func() error { return r.commit(ctx, ws, c) })
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return r, nil
}

// validBranch keeps to what Git takes, a bit stricter.
func validBranch(name string) bool {
	if strings.HasPrefix(name, "-") || strings.HasPrefix(name, "refs/") {
		return false
	}
	return plumbing.NewBranchReferenceName(name).Validate() == nil
}

// open opens the repository of a folder, or makes it.
func open(ws *workspace.Workspace, dir string) (storer.Storer, error) {
	dot := path.Join(dir, ".git")
	if info, err := ws.Lstat(dot); err == nil && !info.IsDir() {
		return nil, catalog.NewError(catalog.NameInput, dot+" is no folder: only a repository of its own can be published")
	}
	if ws.Exists(path.Join(dot, "objects", "info", "alternates")) {
		return nil, catalog.NewError(catalog.NameNotAllowed, dot+" borrows objects from another repository, which is not allowed")
	}
	isNew := !ws.Exists(path.Join(dot, "HEAD"))
	if err := ws.MkdirAll(dot, 0o755); err != nil {
		return nil, err
	}
	st := filesystem.NewStorage(osfs.New(ws.Abs(dot), osfs.WithBoundOS()), cache.NewObjectLRU(16*cache.MiByte))
	if !isNew {
		return st, nil
	}
	return st, errors.Join(st.Init(), st.SetConfig(config.NewConfig()))
}

// commit writes blobs, trees and the commit, in one pack, and moves HEAD.
func (r *Repository) commit(ctx context.Context, ws *workspace.Workspace, c Commit) error {
	root, err := r.visit(ctx, ws, c.Dir)
	if err != nil {
		return err
	}
	hash, err := r.tree(root)
	if err != nil {
		return err
	}
	branch, parents, done, err := r.base(c.Branch, hash)
	if err != nil || done {
		return err
	}
	if err := r.finish(c, hash, parents); err != nil {
		return err
	}
	if err := r.storer.keep(); err != nil {
		return err
	}
	return errors.Join(r.storer.SetReference(plumbing.NewHashReference(branch, r.head)),
		r.storer.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, branch)))
}

// visit takes the files of a folder into the pack.
func (r *Repository) visit(ctx context.Context, ws *workspace.Workspace, dir string) (*tree, error) {
	root := &tree{}
	err := Visit(ctx, ws, dir, func(f File) error {
		o, err := objectOf(f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		root.add(strings.Split(f.Path, "/"), object.TreeEntry{Mode: f.Mode, Hash: r.storer.add(o)})
		return nil
	})
	return root, err
}

// finish makes the commit of a tree.
func (r *Repository) finish(c Commit, tree plumbing.Hash, parents []plumbing.Hash) (err error) {
	who := object.Signature{Name: c.Author.Name, Email: c.Author.Email, When: c.Time}
	made := &object.Commit{Author: who, Committer: who, Message: c.Message, TreeHash: tree, ParentHashes: parents}
	if c.Key != nil {
		if made.PGPSignature, err = c.Key.sign(made); err != nil {
			return err
		}
	}
	r.head, err = r.store(made)
	return err
}

// base returns on what the commit comes; done says that there is nothing to
// commit.
func (r *Repository) base(branch string, tree plumbing.Hash) (name plumbing.ReferenceName, parents []plumbing.Hash, done bool, err error) {
	head, err := storer.ResolveReference(r.storer, plumbing.HEAD)
	if errors.Is(err, plumbing.ErrReferenceNotFound) {
		return plumbing.NewBranchReferenceName(branch), nil, false, nil
	}
	if err != nil {
		return "", nil, false, err
	}
	last, err := object.GetCommit(r.storer, head.Hash())
	if err != nil {
		return "", nil, false, err
	}
	r.head = head.Hash()
	name = head.Name()
	if name == plumbing.HEAD { // detached
		name = plumbing.NewBranchReferenceName(branch)
	}
	return name, []plumbing.Hash{head.Hash()}, last.TreeHash == tree, nil
}

// A tree is a folder of the commit.
type tree struct {
	entries []object.TreeEntry
	folders map[string]*tree
}

func (t *tree) add(at []string, e object.TreeEntry) {
	if len(at) == 1 {
		e.Name = at[0]
		t.entries = append(t.entries, e)
		return
	}
	inner := t.folders[at[0]]
	if inner == nil {
		if t.folders == nil {
			t.folders = map[string]*tree{}
		}
		inner = &tree{}
		t.folders[at[0]] = inner
	}
	inner.add(at[1:], e)
}

// tree stores a folder and all below it.
func (r *Repository) tree(t *tree) (plumbing.Hash, error) {
	entries := slices.Clone(t.entries)
	for name, inner := range t.folders {
		hash, err := r.tree(inner)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		entries = append(entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash})
	}
	return r.storeTree(entries)
}

func (r *Repository) storeTree(entries []object.TreeEntry) (plumbing.Hash, error) {
	slices.SortFunc(entries, func(a, b object.TreeEntry) int { return strings.Compare(sortKey(a), sortKey(b)) })
	return r.store(&object.Tree{Entries: entries})
}

// sortKey is how Git orders the entries of a tree.
func sortKey(e object.TreeEntry) string {
	if e.Mode == filemode.Dir {
		return e.Name + "/"
	}
	return e.Name
}

func (r *Repository) store(v interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	o := r.storer.NewEncodedObject()
	if err := v.Encode(o); err != nil {
		return plumbing.ZeroHash, err
	}
	return r.storer.add(o), nil
}

// safely turns a panic of the library over a repository that it cannot read
// into an error.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the repository is damaged: %v", p)
		}
	}()
	return f()
}
