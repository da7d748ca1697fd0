package boltstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// A transaction implements both kinds; a reader's is never handed out as a
// store.WriteTx.
type transaction struct{ tx *bbolt.Tx }

func (t *transaction) get(bucket, key []byte) []byte { return t.tx.Bucket(bucket).Get(key) }

func (t *transaction) blob(bucket []byte, ref string) ([]byte, error) {
	v := t.get(bucket, []byte(ref))
	if v == nil {
		return nil, nil
	}
	data, err := unpackBlob(v)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", bucket, ref, err)
	}
	return data, nil
}

func (t *transaction) Revision() uint64 {
	v := t.get(bucketMeta, keyRevision)
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

// checkRevision errs where Revision would take a damaged record for none.
func (t *transaction) checkRevision() error {
	if v := t.get(bucketMeta, keyRevision); v != nil && len(v) != 8 {
		return fmt.Errorf("revision: %w", errDamaged)
	}
	return nil
}

func (t *transaction) Setting(name string) []byte {
	return t.get(bucketMeta, []byte(settingPrefix+name))
}

func (t *transaction) State(ref string) (*store.State, error) {
	v := t.get(bucketStates, []byte(ref))
	if v == nil {
		return nil, nil
	}
	return readState(ref, v)
}

func (t *transaction) States(from string, yield func(*store.State) bool) error {
	c := t.tx.Bucket(bucketStates).Cursor()
	for k, v := c.Seek([]byte(from)); k != nil; k, v = c.Next() {
		s, err := readState(string(k), v)
		if err != nil {
			return err
		}
		if !yield(s) {
			return nil
		}
	}
	return nil
}

func (t *transaction) RefOf(uid catalog.UID) string { return string(t.get(bucketUIDs, uid[:])) }

func (t *transaction) LastUID() (uid catalog.UID) {
	k, _ := t.tx.Bucket(bucketUIDs).Cursor().Last()
	copy(uid[:], k)
	return uid
}

func (t *transaction) Unprocessed(ref string) ([]byte, error) { return t.blob(bucketUnprocessed, ref) }
func (t *transaction) Processed(ref string) ([]byte, error)   { return t.blob(bucketProcessed, ref) }
func (t *transaction) Cache(ref string) ([]byte, error)       { return t.blob(bucketCaches, ref) }

func (t *transaction) Document(uid catalog.UID) ([]byte, uint64) {
	return splitDocument(t.get(bucketDocuments, uid[:]))
}

func splitDocument(v []byte) ([]byte, uint64) {
	if len(v) < 8 {
		return nil, 0
	}
	return v[8:], binary.BigEndian.Uint64(v)
}

func (t *transaction) Documents(yield func(catalog.UID, uint64, []byte) bool) error {
	c := t.tx.Bucket(bucketDocuments).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		doc, revision := splitDocument(v)
		if len(k) != 16 || doc == nil {
			return fmt.Errorf("document %x: %w", k, errDamaged)
		}
		if !yield(catalog.UID(k), revision, doc) {
			return nil
		}
	}
	return nil
}

// under yields, for every key that begins with head and a NUL, what follows.
func (t *transaction) under(bucket, head []byte, yield func(tail string, value []byte) bool) {
	prefix := append(bytes.Clone(head), 0)
	c := t.tx.Bucket(bucket).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if !yield(string(k[len(prefix):]), v) {
			return
		}
	}
}

func (t *transaction) Children(source store.Source, yield func(string) bool) error {
	t.under(bucketChildren, sourceKey(source), func(ref string, _ []byte) bool { return yield(ref) })
	return nil
}

func (t *transaction) Sources(yield func(store.Source) bool) error {
	c := t.tx.Bucket(bucketChildren).Cursor()
	for k, _ := c.First(); k != nil; {
		source, _, found := bytes.Cut(k, []byte{0})
		if !found {
			return fmt.Errorf("child %q: %w", k, errDamaged)
		}
		if !yield(parseSource(string(source))) {
			return nil
		}
		k, _ = c.Seek(append(bytes.Clone(source), 1))
	}
	return nil
}

func (t *transaction) ReverseRelations(source string, yield func(string, []catalog.Relation) bool) error {
	var err error
	t.under(bucketRelations, []byte(source), func(emitter string, v []byte) bool {
		var list []catalog.Relation
		if list, err = readRelations(source, v); err != nil {
			err = fmt.Errorf("relations of %s by %s: %w", source, emitter, err)
			return false
		}
		return yield(emitter, list)
	})
	return err
}

func (t *transaction) RefreshKeyHolders(key string, yield func(string) bool) error {
	t.under(bucketRefreshKeys, []byte(key), func(ref string, _ []byte) bool { return yield(ref) })
	return nil
}

func (t *transaction) Location(id string) (catalog.Location, bool, error) {
	v := t.get(bucketLocations, []byte(id))
	if v == nil {
		return catalog.Location{}, false, nil
	}
	l, err := readLocation(id, v)
	return l, err == nil, err
}

func readLocation(id string, v []byte) (catalog.Location, error) {
	o, err := jsonvalue.ParseObject(v)
	if err != nil {
		return catalog.Location{}, fmt.Errorf("location %s: %w: %w", id, errDamaged, err)
	}
	return catalog.Location{ID: id, Type: o.String("type"), Target: o.String("target"), EntityRef: o.String("entityRef")}, nil
}

func (t *transaction) LocationByRef(ref catalog.LocationRef) (catalog.Location, bool, error) {
	id := t.get(bucketLocationRefs, locationRefKey(ref))
	if id == nil {
		return catalog.Location{}, false, nil
	}
	return t.Location(string(id))
}

// locationRefKey is a digest where the target is too long for a key, or the
// type is one that would make two refs look the same.
func locationRefKey(ref catalog.LocationRef) []byte {
	s := ref.String()
	if len(s) > store.MaxRefreshKeyBytes || ref.Type == digestType || strings.Contains(ref.Type, ":") {
		return []byte(digestType + ":" + catalog.Hash([]any{ref.Type, ref.Target}))
	}
	return []byte(s)
}

const digestType = "sha1"

func (t *transaction) Locations(yield func(catalog.Location) bool) error {
	c := t.tx.Bucket(bucketLocations).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		l, err := readLocation(string(k), v)
		if err != nil {
			return err
		}
		if !yield(l) {
			return nil
		}
	}
	return nil
}

func (t *transaction) Changes(from uint64, yield func(*store.Change) bool) error {
	c := t.tx.Bucket(bucketChanges).Cursor()
	for k, v := c.Seek(binary.BigEndian.AppendUint64(nil, from)); k != nil; k, v = c.Next() {
		change, err := readChange(k, v)
		if err != nil {
			return err
		}
		if !yield(change) {
			return nil
		}
	}
	return nil
}
