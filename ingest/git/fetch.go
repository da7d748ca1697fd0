package git

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forge"
)

// Limits bound what a server can make us keep; zero values mean what is said
// beside them.
type Limits struct {
	Pack    int64 // bytes that one commit takes as it is sent; 256 MiB
	Object  int64 // bytes of one file or folder; 64 MiB
	Objects int   // of one commit; 500,000
	Disk    int64 // bytes of all commits that are kept; 2 GiB
}

func (l Limits) complete() Limits {
	if l.Pack == 0 {
		l.Pack = 256 << 20
	}
	if l.Object == 0 {
		l.Object = 64 << 20
	}
	if l.Objects == 0 {
		l.Objects = 500_000
	}
	if l.Disk == 0 {
		l.Disk = 2 << 30
	}
	return l
}

// resolve returns the commit of a branch, tag or full hash; "" and HEAD are the
// default branch. It is false where the server has no such ref.
func resolve(refs *packp.AdvRefs, ref string) (string, bool) {
	if forge.IsCommit(ref) {
		return ref, true
	}
	if ref == "" || ref == "HEAD" {
		if refs.Head == nil {
			return "", false
		}
		return refs.Head.String(), true
	}
	for _, name := range []string{"refs/heads/" + ref, "refs/tags/" + ref} {
		if peeled, ok := refs.Peeled[name]; ok { // a tag with a message names itself first
			return peeled.String(), true
		}
		if hash, ok := refs.References[name]; ok {
			return hash.String(), true
		}
	}
	return "", false
}

// fetch gets a commit, alone, and writes it as a pack to a file.
func fetch(ctx context.Context, s session, commit string, l Limits, to *os.File) error {
	req := packp.NewUploadPackRequestFromCapabilities(s.refs().Capabilities)
	req.Wants = []plumbing.Hash{plumbing.NewHash(commit)}
	if s.refs().Capabilities.Supports(capability.Shallow) {
		req.Depth = packp.DepthCommits(1)
		if err := req.Capabilities.Set(capability.Shallow); err != nil {
			return err
		}
	}
	if s.refs().Capabilities.Supports(capability.Filter) {
		// One more byte than may be read: then what is too large is not here.
		req.Filter = packp.FilterBlobLimit(uint64(l.Object)+1, packp.BlobLimitPrefixNone)
		if err := req.Capabilities.Set(capability.Filter); err != nil {
			return err
		}
	}
	pack, err := s.pack(ctx, req)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, io.LimitReader(pack, l.Pack+1))
	if err = errors.Join(err, pack.Close()); err != nil {
		return cause(ctx, err)
	}
	if n > l.Pack {
		return forge.TooLarge("the repository", l.Pack)
	}
	return checkPack(to, l)
}

// checkPack reads a pack through, without keeping any of it, and fails if it
// holds more or larger objects than allowed. The library that unpacks it holds
// each in memory, so this comes first.
func checkPack(file *os.File, l Limits) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	err := safely(func() error {
		scanner := packfile.NewScanner(file)
		_, count, err := scanner.Header()
		if err != nil {
			return err
		}
		if int64(count) > int64(l.Objects) {
			return catalog.NewError(catalog.NameInput, fmt.Sprintf("the repository has %d files and folders, more than %d", count, l.Objects))
		}
		for range count {
			if err := checkObject(scanner, l); err != nil {
				return err
			}
		}
		return nil
	})
	_, seekErr := file.Seek(0, io.SeekStart)
	return errors.Join(err, seekErr)
}

// checkObject looks at the next object of a pack: its own size and, if it is
// the difference to another, that of what comes out.
func checkObject(scanner *packfile.Scanner, l Limits) error {
	header, err := scanner.NextObjectHeader()
	if err != nil {
		return err
	}
	tooLarge := forge.TooLarge("a file of the repository", l.Object)
	if header.Length > l.Object {
		return tooLarge
	}
	seen := &beginning{}
	if _, _, err := scanner.NextObject(seen); err != nil { // also where there is more than it says
		return fmt.Errorf("%w: %w", errNotGit, err)
	}
	if !header.Type.IsDelta() {
		return nil
	}
	head := bytes.NewReader(seen.bytes)
	for range 2 { // the sizes before and after
		size, err := binary.ReadUvarint(head)
		if err != nil {
			return fmt.Errorf("%w: a delta without its sizes", errNotGit)
		}
		if size > uint64(l.Object) {
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
