package index

import (
	"encoding/binary"
	"fmt"
	"iter"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Document is an entity as it is stored.
type Document struct {
	UID catalog.UID
	// JSON must stay unchanged until the call that it is given to returns.
	JSON []byte
}

// loadBatch is how many documents a worker takes at a time.
const loadBatch = 256

// Load makes the index one of these documents and nothing else, at a revision.
// Their uids differ; where they ascend it is quicker. The error names a
// document that cannot be indexed; the index is then as it was.
func (x *Index) Load(revision uint64, documents iter.Seq[Document]) error {
	workers := make([]*loader, min(runtime.GOMAXPROCS(0), 8))
	batches := make(chan batch, len(workers))
	var g errgroup.Group
	for i := range workers {
		l := newLoader()
		workers[i] = l
		g.Go(func() error {
			for b := range batches {
				l.add(b)
			}
			return l.failed
		})
	}
	feed(documents, batches)
	if err := g.Wait(); err != nil {
		return err
	}
	x.Commit(build(x.Snapshot(), revision, workers))
	return nil
}

type batch struct {
	number    int
	documents []Document
}

func feed(documents iter.Seq[Document], to chan<- batch) {
	defer close(to)
	b := batch{}
	for d := range documents {
		if b.documents = append(b.documents, d); len(b.documents) == loadBatch {
			to <- b
			b = batch{number: b.number + 1}
		}
	}
	to <- b
}

// A loader flattens its share of the documents, with numbers of its own for
// fields and terms.
type loader struct {
	flat  *flattener
	terms *dict // of field, and value with original; see term

	entities []loaded
	rows     []uint32 // the terms of the entities, one entity after the other
	scratch  []byte
	failed   error
}

type loaded struct {
	batch, place int
	uid          catalog.UID
	ref          string
	from, to     int // in rows
	loader       *loader
}

func newLoader() *loader { return &loader{flat: newFlattener(), terms: newDict(1024)} }

func (l *loader) add(b batch) {
	for i, d := range b.documents {
		if l.failed != nil {
			return
		}
		if err := l.flat.flatten(d.JSON); err != nil {
			l.failed = fmt.Errorf("index document %s: %w", d.UID, err)
			return
		}
		e := loaded{batch: b.number, place: i, uid: d.UID, ref: l.flat.ref(), from: len(l.rows), loader: l}
		for _, r := range l.flat.rows {
			l.rows = append(roomFor(l.rows, 1), l.term(r))
		}
		e.to = len(l.rows)
		l.entities = append(roomFor(l.entities, 1), e)
	}
}

// term numbers the term of a row. The key in the dict is the field in four
// bytes, the length of the value in two, 1 more than it is and 0 for NULL, the
// value, and the original where it differs.
func (l *loader) term(r flatRow) uint32 {
	n := r.value + 1
	if r.null {
		n = 0
	}
	key := append(l.scratch[:0], byte(r.field>>24), byte(r.field>>16), byte(r.field>>8), byte(r.field), byte(n>>8), byte(n))
	key = append(key, l.flat.text[r.at:r.at+r.value+r.original]...)
	l.scratch = key
	i, _ := l.terms.number(key)
	return i
}

// termHead is the length of what stands before the value in a term's key.
const termHead = 6

// field returns the field, in the loader's numbers, of a term.
func (l *loader) field(term uint32) uint32 { return binary.BigEndian.Uint32(l.terms.at(term)) }

// text returns the value of a term and, nil if it equals it, the original.
func (l *loader) text(term uint32) (value, original []byte, null bool) {
	key := l.terms.at(term)
	n := int(binary.BigEndian.Uint16(key[4:]))
	if n == 0 {
		return nil, nil, true
	}
	value = key[termHead : termHead+n-1]
	if rest := key[termHead+n-1:]; len(rest) > 0 {
		original = rest
	}
	return value, original, false
}
