package boltstore

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// appendFill is how full pages of buckets become whose keys ascend.
const appendFill = 0.95

func newWriteTx(tx *bbolt.Tx) *transaction {
	for _, name := range [][]byte{bucketUIDs, bucketDocuments, bucketChanges} {
		tx.Bucket(name).FillPercent = appendFill
	}
	return &transaction{tx: tx}
}

func (t *transaction) put(bucket, key, value []byte) error {
	if err := t.tx.Bucket(bucket).Put(key, value); err != nil {
		return fmt.Errorf("put in %s: %w", bucket, err)
	}
	return nil
}

func (t *transaction) delete(bucket, key []byte) error {
	if err := t.tx.Bucket(bucket).Delete(key); err != nil {
		return fmt.Errorf("delete from %s: %w", bucket, err)
	}
	return nil
}

func (t *transaction) SetRevision(n uint64) error {
	return t.put(bucketMeta, keyRevision, binary.BigEndian.AppendUint64(nil, n))
}

func (t *transaction) PutSetting(name string, value []byte) error {
	return t.put(bucketMeta, []byte(settingPrefix+name), value)
}

func (t *transaction) PutState(s *store.State) error {
	if string(t.get(bucketUIDs, s.UID[:])) != s.Ref {
		if err := t.moveUID(s); err != nil {
			return err
		}
	}
	return t.put(bucketStates, []byte(s.Ref), appendState(nil, s))
}

// moveUID makes the uid of s lead to it, and the one it had before to nobody.
func (t *transaction) moveUID(s *store.State) error {
	old, err := t.State(s.Ref)
	if err != nil {
		return err
	}
	if old != nil {
		if err := t.deleteOwn(bucketUIDs, old.UID[:], s.Ref); err != nil {
			return err
		}
	}
	return t.put(bucketUIDs, s.UID[:], []byte(s.Ref))
}

// deleteOwn deletes a row that leads to owner; by now it may lead to another.
func (t *transaction) deleteOwn(bucket, key []byte, owner string) error {
	if string(t.get(bucket, key)) != owner {
		return nil
	}
	return t.delete(bucket, key)
}

func (t *transaction) DeleteState(s *store.State) error {
	for _, name := range [][]byte{bucketStates, bucketUnprocessed, bucketProcessed, bucketCaches} {
		if err := t.delete(name, []byte(s.Ref)); err != nil {
			return err
		}
	}
	return t.deleteOwn(bucketUIDs, s.UID[:], s.Ref)
}

func (t *transaction) putBlob(bucket []byte, ref string, json []byte) error {
	if len(json) > maxBlob {
		return fmt.Errorf("put %s in %s: %d bytes: %w", ref, bucket, len(json), store.ErrTooLarge)
	}
	return t.put(bucket, []byte(ref), packBlob(json))
}

func (t *transaction) PutUnprocessed(ref string, json []byte) error {
	return t.putBlob(bucketUnprocessed, ref, json)
}

func (t *transaction) PutProcessed(ref string, json []byte) error {
	return t.putBlob(bucketProcessed, ref, json)
}

func (t *transaction) PutCache(ref string, json []byte) error {
	if json == nil {
		return t.delete(bucketCaches, []byte(ref))
	}
	return t.putBlob(bucketCaches, ref, json)
}

func (t *transaction) PutDocument(uid catalog.UID, revision uint64, doc []byte) error {
	if len(doc) > maxBlob {
		return fmt.Errorf("put document %s: %d bytes: %w", uid, len(doc), store.ErrTooLarge)
	}
	v := make([]byte, 0, 8+len(doc))
	return t.put(bucketDocuments, uid[:], append(binary.BigEndian.AppendUint64(v, revision), doc...))
}

func (t *transaction) DeleteDocument(uid catalog.UID) error { return t.delete(bucketDocuments, uid[:]) }

// pair joins two parts of a key by a NUL.
func pair(head []byte, tail string) []byte {
	return append(append(append(make([]byte, 0, len(head)+1+len(tail)), head...), 0), tail...)
}

func (t *transaction) PutChild(source store.Source, ref string) error {
	return t.put(bucketChildren, pair(sourceKey(source), ref), nil)
}

func (t *transaction) DeleteChild(source store.Source, ref string) error {
	return t.delete(bucketChildren, pair(sourceKey(source), ref))
}

func (t *transaction) PutReverseRelations(source, emitter string, r []catalog.Relation) error {
	key := pair([]byte(source), emitter)
	if len(r) == 0 {
		return t.delete(bucketRelations, key)
	}
	return t.put(bucketRelations, key, appendRelations(nil, r, source))
}

func (t *transaction) PutRefreshKey(key, ref string) error {
	return t.put(bucketRefreshKeys, pair([]byte(key), ref), nil)
}

func (t *transaction) DeleteRefreshKey(key, ref string) error {
	return t.delete(bucketRefreshKeys, pair([]byte(key), ref))
}

func (t *transaction) PutLocation(l catalog.Location) error {
	if err := t.DeleteLocation(l); err != nil {
		return err
	}
	if err := t.put(bucketLocationRefs, locationRefKey(l.Ref()), []byte(l.ID)); err != nil {
		return err
	}
	return t.put(bucketLocations, []byte(l.ID), jsonvalue.Append(nil, jsonvalue.NewObject(
		jsonvalue.Member{Key: "type", Value: l.Type},
		jsonvalue.Member{Key: "target", Value: l.Target},
		jsonvalue.Member{Key: "entityRef", Value: l.EntityRef},
	)))
}

func (t *transaction) DeleteLocation(l catalog.Location) error {
	old, found, err := t.Location(l.ID)
	if err != nil || !found {
		return err
	}
	if err := t.deleteOwn(bucketLocationRefs, locationRefKey(old.Ref()), l.ID); err != nil {
		return err
	}
	return t.delete(bucketLocations, []byte(l.ID))
}

func (t *transaction) AppendChange(c *store.Change) error {
	if len(c.Before) > maxBlob {
		return fmt.Errorf("append change of %s: %d bytes: %w", c.Ref, len(c.Before), store.ErrTooLarge)
	}
	return t.put(bucketChanges, binary.BigEndian.AppendUint64(nil, c.Revision), appendChange(nil, c))
}

func (t *transaction) TrimChanges(through uint64, limit int) (int, error) {
	c := t.tx.Bucket(bucketChanges).Cursor()
	var keys [][]byte
	for k, _ := c.First(); len(k) == 8 && binary.BigEndian.Uint64(k) <= through && len(keys) < limit; k, _ = c.Next() {
		keys = append(keys, append([]byte(nil), k...))
	}
	for i, k := range keys {
		if err := t.delete(bucketChanges, k); err != nil {
			return i, err
		}
	}
	return len(keys), nil
}
