package git

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// A pack is a store with the objects of a new commit beside it, until they are
// kept as one file: thousands of small ones would take seconds. Files are read
// from the workspace when they are written.
type pack struct {
	storer.Storer
	objects map[plumbing.Hash]plumbing.EncodedObject
	order   []plumbing.Hash
}

func newPack(under storer.Storer) *pack {
	return &pack{Storer: under, objects: map[plumbing.Hash]plumbing.EncodedObject{}}
}

// add takes an object into the pack.
func (p *pack) add(o plumbing.EncodedObject) plumbing.Hash {
	hash := o.Hash()
	if _, there := p.objects[hash]; !there {
		p.objects[hash] = o
		p.order = append(p.order, hash)
	}
	return hash
}

// EncodedObject implements storer.EncodedObjectStorer.
func (p *pack) EncodedObject(t plumbing.ObjectType, hash plumbing.Hash) (plumbing.EncodedObject, error) {
	if o, ok := p.objects[hash]; ok && (t == plumbing.AnyObject || t == o.Type()) {
		return o, nil
	}
	return p.Storer.EncodedObject(t, hash)
}

// HasEncodedObject implements storer.EncodedObjectStorer.
func (p *pack) HasEncodedObject(hash plumbing.Hash) error {
	if _, ok := p.objects[hash]; ok {
		return nil
	}
	return p.Storer.HasEncodedObject(hash)
}

// keep writes the objects into the store below.
func (p *pack) keep() error {
	below, ok := p.Storer.(storer.PackfileWriter)
	if !ok {
		return errors.New("the repository takes no packs")
	}
	w, err := below.PackfileWriter()
	if err != nil {
		return err
	}
	_, err = packfile.NewEncoder(w, p, false).Encode(p.order, 0)
	return errors.Join(err, w.Close())
}

// A fileObject is a file of the workspace as an object of Git.
type fileObject struct {
	file File
	hash plumbing.Hash
	size int64
}

const maxLink = 4 << 10

// objectOf reads a file once, for its hash.
func objectOf(f File) (plumbing.EncodedObject, error) {
	if f.Mode == filemode.Symlink {
		target, err := f.Content(maxLink)
		if err != nil {
			return nil, err
		}
		o := &plumbing.MemoryObject{}
		o.SetType(plumbing.BlobObject)
		_, err = o.Write(target)
		return o, err
	}
	in, err := f.ws.Open(f.Name)
	if err != nil {
		return nil, err
	}
	hasher := plumbing.NewHasher(plumbing.BlobObject, f.Size)
	n, err := io.Copy(hasher, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	if n != f.Size {
		return nil, fmt.Errorf("%s changes while it is published", f.Path)
	}
	return &fileObject{file: f, hash: hasher.Sum(), size: f.Size}, nil
}

// Hash implements plumbing.EncodedObject.
func (o *fileObject) Hash() plumbing.Hash { return o.hash }

// Type implements plumbing.EncodedObject.
func (o *fileObject) Type() plumbing.ObjectType { return plumbing.BlobObject }

// Size implements plumbing.EncodedObject.
func (o *fileObject) Size() int64 { return o.size }

// Reader implements plumbing.EncodedObject.
func (o *fileObject) Reader() (io.ReadCloser, error) { return o.file.ws.Open(o.file.Name) }

// SetType implements plumbing.EncodedObject; a file stays what it is.
func (o *fileObject) SetType(plumbing.ObjectType) {}

// SetSize implements plumbing.EncodedObject; a file stays what it is.
func (o *fileObject) SetSize(int64) {}

// Writer implements plumbing.EncodedObject; a file stays what it is.
func (o *fileObject) Writer() (io.WriteCloser, error) {
	return nil, errors.New("a file that is published cannot be written")
}

var _ plumbing.EncodedObject = (*fileObject)(nil)
