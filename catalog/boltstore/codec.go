package boltstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// errDamaged is wrapped by every error about a record that cannot be read.
var errDamaged = errors.New("damaged record")

// A state is, in this order: the byte 1; a byte of flags (1 keyless, 2 due,
// 4 processed, 8 repeated); the uid; the digests of unprocessed entity, result and
// content; varints of last discovery, last processing and failures; strings
// for parent, location key and errors; a count and the strings source, type
// and target of each relation, where an empty source is the entity itself; a
// count and the strings of the refresh keys; and, if it is repeated, a varint of
// the repeats. A string is a uvarint of its length and its bytes.
const stateVersion = 1

const (
	flagKeyless = 1 << iota
	flagDue
	flagProcessed
	flagRepeated
)

func appendState(b []byte, s *store.State) []byte {
	var flags byte
	if s.Keyless {
		flags |= flagKeyless
	}
	if s.Due {
		flags |= flagDue
	}
	if s.Processed {
		flags |= flagProcessed
	}
	if s.Repeats > 0 {
		flags |= flagRepeated
	}
	b = append(b, stateVersion, flags)
	b = append(b, s.UID[:]...)
	b = append(b, s.UnprocessedHash[:]...)
	b = append(b, s.ResultHash[:]...)
	b = append(b, s.ContentHash[:]...)
	b = binary.AppendVarint(b, s.LastDiscovery)
	b = binary.AppendVarint(b, s.LastProcessed)
	b = binary.AppendVarint(b, int64(s.Failures))
	b = appendString(b, string(sourceKey(s.Parent)))
	b = appendString(b, s.LocationKey)
	b = appendString(b, string(s.Errors))
	b = appendRelations(b, s.Relations, s.Ref)
	b = binary.AppendUvarint(b, uint64(len(s.RefreshKeys)))
	for _, k := range s.RefreshKeys {
		b = appendString(b, k)
	}
	if s.Repeats > 0 {
		b = binary.AppendVarint(b, int64(s.Repeats))
	}
	return b
}

func readState(ref string, b []byte) (*store.State, error) {
	r := reader{b: b}
	if v := r.byte(); v != stateVersion {
		return nil, fmt.Errorf("state of %s: %w: version %d", ref, errDamaged, v)
	}
	flags := r.byte()
	s := &store.State{Ref: ref, Keyless: flags&flagKeyless != 0, Due: flags&flagDue != 0, Processed: flags&flagProcessed != 0}
	copy(s.UID[:], r.take(len(s.UID)))
	copy(s.UnprocessedHash[:], r.take(len(s.UnprocessedHash)))
	copy(s.ResultHash[:], r.take(len(s.ResultHash)))
	copy(s.ContentHash[:], r.take(len(s.ContentHash)))
	s.LastDiscovery, s.LastProcessed, s.Failures = r.varint(), r.varint(), int(r.varint())
	s.Parent = parseSource(r.string())
	s.LocationKey = r.string()
	if e := r.string(); e != "" {
		s.Errors = []byte(e)
	}
	s.Relations = r.relations(ref)
	for n := r.count(); n > 0; n-- {
		s.RefreshKeys = append(s.RefreshKeys, r.string())
	}
	if flags&flagRepeated != 0 {
		s.Repeats = int(r.varint())
	}
	if r.bad || len(r.b) > 0 {
		return nil, fmt.Errorf("state of %s: %w", ref, errDamaged)
	}
	return s, nil
}

// appendRelations writes relations; a source equal to self is left empty.
func appendRelations(b []byte, list []catalog.Relation, self string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, r := range list {
		source := r.Source
		if source == self {
			source = ""
		}
		b = appendString(appendString(appendString(b, source), r.Type), r.Target)
	}
	return b
}

// readRelations reads a row of the bucket of relations.
func readRelations(source string, b []byte) ([]catalog.Relation, error) {
	r := reader{b: b}
	list := r.relations(source)
	if r.bad || len(r.b) > 0 {
		return nil, errDamaged
	}
	return list, nil
}

// A change is, in this order: the byte 1; a byte that is 1 for a deletion; the
// uid; a varint of the time; the string of the ref; the blob of the document
// that was replaced, nothing at all for none.
const changeVersion = 1

func appendChange(b []byte, c *store.Change) []byte {
	b = append(b, changeVersion, 0)
	if c.Deleted {
		b[len(b)-1] = 1
	}
	b = append(b, c.UID[:]...)
	b = binary.AppendVarint(b, c.At)
	b = appendString(b, c.Ref)
	if c.Before == nil {
		return b
	}
	return append(b, packBlob(c.Before)...)
}

func readChange(key, b []byte) (*store.Change, error) {
	r := reader{b: b}
	if len(key) != 8 || r.byte() != changeVersion {
		return nil, fmt.Errorf("change %x: %w", key, errDamaged)
	}
	c := &store.Change{Revision: binary.BigEndian.Uint64(key), Deleted: r.byte() == 1}
	copy(c.UID[:], r.take(len(c.UID)))
	c.At, c.Ref = r.varint(), r.string()
	if r.bad {
		return nil, fmt.Errorf("change %d: %w", c.Revision, errDamaged)
	}
	if len(r.b) > 0 {
		before, err := unpackBlob(r.b)
		if err != nil {
			return nil, fmt.Errorf("change %d: %w", c.Revision, err)
		}
		c.Before = before
	}
	return c, nil
}

const (
	blobPlain = 0
	blobS2    = 1
	// packedFrom is the size below which compression saves too little.
	packedFrom = 256
	// maxBlob bounds what a damaged length can make us allocate, in bytes.
	maxBlob = store.MaxFormBytes
)

// packBlob needs data of at most maxBlob bytes.
func packBlob(data []byte) []byte {
	if len(data) < packedFrom {
		return append([]byte{blobPlain}, data...)
	}
	out := make([]byte, 1+s2.MaxEncodedLen(len(data)))
	out[0] = blobS2
	n := len(s2.Encode(out[1:], data))
	return append(make([]byte, 0, 1+n), out[:1+n]...)
}

// unpackBlob returns the data; it may share memory with blob.
func unpackBlob(blob []byte) ([]byte, error) {
	switch {
	case len(blob) == 0:
		return nil, fmt.Errorf("%w: empty blob", errDamaged)
	case blob[0] == blobPlain:
		return blob[1:], nil
	case blob[0] == blobS2:
		if n, err := s2.DecodedLen(blob[1:]); err != nil || n > maxBlob {
			return nil, fmt.Errorf("%w: blob of %d bytes: %w", errDamaged, n, cmp.Or(err, s2.ErrTooLarge))
		}
		data, err := s2.Decode(nil, blob[1:])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDamaged, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("%w: blob of kind %d", errDamaged, blob[0])
}

func sourceKey(s store.Source) []byte {
	switch {
	case s.Entity != "":
		return append([]byte{'e'}, s.Entity...)
	case s.Provider != "":
		return append([]byte{'p'}, s.Provider...)
	}
	return nil
}

func parseSource(s string) store.Source {
	switch {
	case s == "":
		return store.Source{}
	case s[0] == 'e':
		return store.Source{Entity: s[1:]}
	}
	return store.Source{Provider: s[1:]}
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A reader takes fields off a record; after damage it answers with zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.take(n)
	return v
}

// count reads a number of things that follow, each of at least one byte.
func (r *reader) count() int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > uint64(len(r.b)) {
		r.bad = true
		return 0
	}
	r.take(n)
	return int(v)
}

func (r *reader) string() string { return string(r.take(r.count())) }

func (r *reader) relations(self string) []catalog.Relation {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]catalog.Relation, 0, n)
	for ; n > 0 && !r.bad; n-- {
		rel := catalog.Relation{Source: r.string(), Type: r.string(), Target: r.string()}
		if rel.Source == "" {
			rel.Source = self
		}
		list = append(list, rel)
	}
	return list
}
