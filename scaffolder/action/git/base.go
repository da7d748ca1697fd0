package git

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// A Base is the last commit of a branch of a remote, without the commits before
// it and, where the server can leave them out, without the content of files.
type Base struct {
	storer storer.Storer
	commit *object.Commit
}

// Hash is that of the commit.
func (b *Base) Hash() string { return b.commit.Hash.String() }

// maxBase bounds what is fetched of a branch in bytes.
const maxBase = 2 << 30

// Fetch gets a branch of a remote into a folder, which must be empty and stay
// while the base is used. It is tried again a few times when that may help. That
// there is no such branch is catalog.ErrNotFound.
func Fetch(ctx context.Context, remote Remote, branch string, into *workspace.Workspace) (b *Base, err error) {
	err = remote.again(ctx, func() (err error) {
		b, err = fetch(ctx, remote, branch, into)
		return err
	})
	if err != nil && context.Cause(ctx) != nil {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("fetch branch %s of %s: %w", branch, remote.URL, explained(err))
	}
	return b, nil
}

func fetch(ctx context.Context, remote Remote, branch string, into *workspace.Workspace) (_ *Base, err error) {
	w, err := remote.open(ctx, uploadPack)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	hash := w.refs().References[plumbing.NewBranchReferenceName(branch).String()]
	if hash.IsZero() {
		return nil, catalog.NewError(catalog.NameNotFound, "there is no such branch")
	}
	st := filesystem.NewStorage(osfs.New(into.Abs("."), osfs.WithBoundOS()), cache.NewObjectLRU(16*cache.MiByte))
	if err := errors.Join(st.Init(), st.SetConfig(config.NewConfig())); err != nil {
		return nil, err
	}
	pack, err := os.CreateTemp(into.Path(), "pack-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pack.Close(), os.Remove(pack.Name())) }()
	if err := receive(ctx, w, hash, pack); err != nil {
		return nil, err
	}
	if err := packfile.UpdateObjectStorage(st, pack); err != nil {
		return nil, err
	}
	commit, err := object.GetCommit(st, hash)
	if err != nil {
		return nil, err
	}
	return &Base{storer: st, commit: commit}, nil
}

// receive asks for a commit and writes the pack that comes into a file.
func receive(ctx context.Context, w wire, hash plumbing.Hash, into *os.File) error {
	there := w.refs().Capabilities
	req := packp.NewUploadPackRequestFromCapabilities(there)
	req.Wants = []plumbing.Hash{hash}
	if there.Supports(capability.Shallow) {
		req.Depth = packp.DepthCommits(1)
		if err := req.Capabilities.Set(capability.Shallow); err != nil {
			return err
		}
	}
	if there.Supports(capability.Filter) {
		req.Filter = packp.FilterBlobNone()
		if err := req.Capabilities.Set(capability.Filter); err != nil {
			return err
		}
	}
	answer, err := w.ask(ctx, func(to io.Writer) error { return encodeRequest(to, req) })
	if answer == nil {
		return err
	}
	defer answer.Close()
	if err != nil {
		return err
	}
	res := packp.NewUploadPackResponse(req)
	if err := res.Decode(answer); err != nil {
		return err
	}
	n, err := io.Copy(into, io.LimitReader(aside(req.Capabilities, res), maxBase+1))
	if err != nil {
		return err
	}
	if n > maxBase {
		return fmt.Errorf("%w: the branch has more than %d bytes", errTooLarge, int64(maxBase))
	}
	return checkPack(into)
}

// errTooLarge is wrapped where another attempt would find as much.
var errTooLarge = errors.New("what the server sends is too large")

const (
	// maxObjects and maxObject bound a pack: the library that unpacks it holds
	// each object in memory.
	maxObjects = 4_000_000
	maxObject  = 512 << 20
)

// checkPack reads a pack through, without keeping any of it, and goes back to
// its beginning.
func checkPack(file *os.File) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	scanner := packfile.NewScanner(file)
	_, count, err := scanner.Header()
	if err != nil {
		return err
	}
	if count > maxObjects {
		return fmt.Errorf("%w: %d files and folders", errTooLarge, count)
	}
	for range count {
		if err := checkObject(scanner); err != nil {
			return err
		}
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

// checkObject looks at the next object: its size and, where it is the difference
// to another, those of both.
func checkObject(scanner *packfile.Scanner) error {
	header, err := scanner.NextObjectHeader()
	if err != nil {
		return err
	}
	tooLarge := fmt.Errorf("%w: a file of more than %d bytes", errTooLarge, int64(maxObject))
	if header.Length > maxObject {
		return tooLarge
	}
	seen := &beginning{}
	if _, _, err := scanner.NextObject(seen); err != nil {
		return err
	}
	if !header.Type.IsDelta() {
		return nil
	}
	sizes := bytes.NewReader(seen.bytes)
	for range 2 {
		size, err := binary.ReadUvarint(sizes)
		if err != nil {
			return fmt.Errorf("a difference without its sizes: %w", err)
		}
		if size > maxObject {
			return tooLarge
		}
	}
	return nil
}

// A beginning keeps the first bytes that are written.
type beginning struct{ bytes []byte }

func (b *beginning) Write(p []byte) (int, error) {
	const enough = 2 * binary.MaxVarintLen64
	if missing := enough - len(b.bytes); missing > 0 {
		b.bytes = append(b.bytes, p[:min(missing, len(p))]...)
	}
	return len(p), nil
}

// aside drops what a server says beside its answer.
func aside(asked *capability.List, r io.Reader) io.Reader {
	switch {
	case asked.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, r)
	case asked.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, r)
	}
	return r
}

// Save makes a commit on top of the base that puts the files of a folder over
// those that are there; nothing is removed. It is false where all of them are
// there already. Nothing is written into the folder.
func (b *Base) Save(ctx context.Context, ws *workspace.Workspace, c Commit) (r *Repository, changed bool, err error) {
	r = &Repository{storer: newPack(b.storer), onBase: true, there: map[plumbing.Hash]bool{}}
	err = safely(func() error {
		changed, err = b.save(ctx, r, ws, c)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("commit: %w", err)
	}
	return r, changed, nil
}

func (b *Base) save(ctx context.Context, r *Repository, ws *workspace.Workspace, c Commit) (bool, error) {
	root, err := r.visit(ctx, ws, c.Dir)
	if err != nil {
		return false, err
	}
	hash, err := r.over(root, b.commit.TreeHash)
	if err != nil {
		return false, err
	}
	if hash == b.commit.TreeHash {
		r.head = b.commit.Hash
		return false, nil
	}
	r.drop(b)
	return true, r.finish(c, hash, []plumbing.Hash{b.commit.Hash})
}

// over stores a folder with what is in the folder of the base below it.
func (r *Repository) over(t *tree, base plumbing.Hash) (plumbing.Hash, error) {
	below, err := object.GetTree(r.storer, base)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	entries, own := slices.Clone(t.entries), map[string]bool{}
	for _, e := range entries {
		own[e.Name] = true
	}
	named := map[string]plumbing.Hash{}
	for _, e := range below.Entries {
		_, isFolder := t.folders[e.Name]
		if e.Mode == filemode.Dir && isFolder {
			named[e.Name] = e.Hash
		} else if !isFolder && !own[e.Name] {
			entries = append(entries, e)
		}
		r.there[e.Hash] = true
	}
	for name, inner := range t.folders {
		hash, err := r.overOrNew(inner, named[name])
		if err != nil {
			return plumbing.ZeroHash, err
		}
		entries = append(entries, object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: hash})
	}
	return r.storeTree(entries)
}

func (r *Repository) overOrNew(t *tree, base plumbing.Hash) (plumbing.Hash, error) {
	if base.IsZero() {
		return r.tree(t)
	}
	return r.over(t, base)
}

// drop leaves out of the pack what the base is known to have.
func (r *Repository) drop(b *Base) {
	r.storer.order = slices.DeleteFunc(r.storer.order, func(hash plumbing.Hash) bool {
		return r.there[hash] || b.storer.HasEncodedObject(hash) == nil
	})
}

// encodeRequest writes a request for objects, after which the server sends them.
func encodeRequest(to io.Writer, req *packp.UploadPackRequest) error {
	if err := req.UploadRequest.Encode(to); err != nil {
		return err
	}
	if err := req.UploadHaves.Encode(to, false); err != nil {
		return err
	}
	return pktline.NewEncoder(to).EncodeString("done\n")
}
