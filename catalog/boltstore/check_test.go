package boltstore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

func TestCheckOfConsistentStores(t *testing.T) {
	require.Empty(t, violations(t, newStore(t)), "empty")
	for _, n := range []int{0, 1, 300} {
		s := newStore(t)
		require.NoError(t, s.Update(func(tx store.WriteTx) error { return fill(tx, n) }))
		require.Empty(t, violations(t, s), "%d components", n)
	}
}

// raw changes a bucket behind the store's back.
type raw struct {
	t      *testing.T
	bucket *bbolt.Bucket
}

func (r raw) value(key string) []byte {
	r.t.Helper()
	v := r.bucket.Get([]byte(key))
	require.NotNil(r.t, v, "the test is wrong: there is no %q", key)
	return append([]byte(nil), v...)
}

func (r raw) delete(key string) {
	r.t.Helper()
	r.value(key)
	require.NoError(r.t, r.bucket.Delete([]byte(key)))
}

func (r raw) put(key string, value []byte) {
	r.t.Helper()
	require.NoError(r.t, r.bucket.Put([]byte(key), value))
}

// alter changes the byte at an offset, from the end where it is negative.
func (r raw) alter(key string, at int) {
	r.t.Helper()
	v := r.value(key)
	v[(at+len(v))%len(v)] ^= 0x01
	r.put(key, v)
}

// change stores a state that fn has changed.
func change(fn func(s *store.State)) func(t *testing.T, s *boltstore.Store) {
	return func(t *testing.T, s *boltstore.Store) {
		require.NoError(t, s.Update(func(tx store.WriteTx) error {
			state, err := tx.State(componentRef(1))
			require.NoError(t, err)
			fn(state)
			return tx.PutState(state)
		}))
	}
}

// write does what the engine would never do.
func write(fn func(tx store.WriteTx) error) func(t *testing.T, s *boltstore.Store) {
	return func(t *testing.T, s *boltstore.Store) { require.NoError(t, s.Update(fn)) }
}

func TestCheckNamesEveryKindOfViolation(t *testing.T) {
	const ref, other = "component:default/c0001", "component:default/c0002"
	id := func(n int) string {
		u := uid(n)
		return string(u[:])
	}
	revision := func(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
	for _, c := range []struct {
		name   string
		bucket string // damaged by raw
		raw    func(r raw)
		write  func(t *testing.T, s *boltstore.Store)
		want   string
	}{
		{name: "a state of an unknown version", bucket: "states", raw: func(r raw) { r.alter(ref, 0) }, want: "state of " + ref + ": damaged record"},
		{name: "a state is gone: its uid", bucket: "states", raw: func(r raw) { r.delete(ref) }, want: "has another uid, or no state"},
		{name: "a state is gone: its document", bucket: "states", raw: func(r raw) { r.delete(ref) }, want: "no state has its uid"},
		{name: "a state is gone: its parent's list", bucket: "states", raw: func(r raw) { r.delete(ref) }, want: "child " + ref + " of e" + parentRef},
		{name: "a state is gone: what it emits", bucket: "states", raw: func(r raw) { r.delete(ref) }, want: "relations of " + ownerRef + " by " + ref},
		{name: "a state is gone: its refresh keys", bucket: "states", raw: func(r raw) { r.delete(ref) }, want: `refresh key "` + sharedKey + `": ` + ref},
		{name: "a state is gone: its unprocessed form", bucket: "states", raw: func(r raw) { r.delete(ref) }, want: "catalog/unprocessed: " + ref + " has no state"},
		{name: "a state is gone: its processed form", bucket: "states", raw: func(r raw) { r.delete(ref) }, want: "catalog/processed: " + ref + " has no state"},
		{name: "a state is gone: its cache", bucket: "states", raw: func(r raw) { r.delete(ref) }, want: "catalog/caches: " + ref + " has no state"},
		{name: "a parent's state is gone", bucket: "states", raw: func(r raw) { r.delete(parentRef) }, want: "state " + ref + ": its parent " + parentRef + " does not exist"},

		{name: "a uid is gone", bucket: "uids", raw: func(r raw) { r.delete(id(101)) }, want: "state " + ref + ": its uid"},
		{name: "a uid leads elsewhere", bucket: "uids", raw: func(r raw) { r.put(id(101), []byte(other)) }, want: "state " + ref + ": its uid"},
		{name: "a uid of nobody", bucket: "uids", raw: func(r raw) { r.put(id(9000), []byte("a:b/c")) }, want: "a:b/c has another uid, or no state"},
		{name: "two uids of one state", bucket: "uids", raw: func(r raw) { r.put(id(9000), []byte(ref)) }, want: ref + " has another uid, or no state"},

		{name: "an unprocessed form is gone", bucket: "unprocessed", raw: func(r raw) { r.delete(ref) }, want: "state " + ref + ": no readable unprocessed form"},
		{name: "an unprocessed form is another", bucket: "unprocessed", raw: func(r raw) { r.put(ref, append([]byte{0}, "{}"...)) },
			want: "the unprocessed form is not the one of its hash"},
		{name: "an unprocessed form of an unknown packing", bucket: "unprocessed", raw: func(r raw) { r.put(ref, []byte{7, 1}) },
			want: "catalog/unprocessed of " + ref + ": damaged record: blob of kind 7"},
		{name: "a processed form is gone", bucket: "processed", raw: func(r raw) { r.delete(ref) }, want: "state " + ref + ": processed is true"},
		{name: "a processed form nobody made", bucket: "processed", raw: func(r raw) { r.put(parentRef, append([]byte{0}, "{}"...)) },
			want: "state " + parentRef + ": processed is false"},
		{name: "a processed form is no JSON", bucket: "processed", raw: func(r raw) { r.put(ref, append([]byte{0}, `{"a`...)) },
			want: "catalog/processed of " + ref + ": "},
		{name: "a cache is empty", bucket: "caches", raw: func(r raw) { r.put(ref, nil) }, want: "catalog/caches of " + ref + ": damaged record: empty blob"},
		{name: "a cache is no JSON", bucket: "caches", raw: func(r raw) { r.put(ref, append([]byte{0}, `{"a`...)) }, want: "catalog/caches of " + ref + ": "},

		{name: "a document is gone", bucket: "documents", raw: func(r raw) { r.delete(id(101)) }, want: "state " + ref + ": served is true, but its document has 0 bytes"},
		{name: "a document nobody serves", bucket: "documents", raw: func(r raw) { r.put(id(1), r.value(id(101))) },
			want: "state " + parentRef + ": served is false"},
		{name: "a document is another", bucket: "documents", raw: func(r raw) { r.put(id(101), r.value(id(102))) },
			want: "state " + ref + ": the document is not the one of its hash"},
		{name: "a document of another entity", bucket: "documents", raw: func(r raw) { r.put(id(101), r.value(id(102))) },
			want: "document of " + ref + ": it says that it is " + other},
		{name: "a document is no JSON", bucket: "documents", raw: func(r raw) { r.put(id(101), append(r.value(id(101)), '{')) }, want: "document of " + ref + ": "},
		{name: "a document of no uid", bucket: "documents", raw: func(r raw) { r.put("short", r.value(id(101))) }, want: "document 73686f7274: no state has its uid"},
		{name: "a document without a revision", bucket: "documents", raw: func(r raw) { r.put(id(101), append([]byte(revision(0)), r.value(id(101))[8:]...)) },
			want: ": revision 0, the newest is 7"},
		{name: "a document of the future", bucket: "documents", raw: func(r raw) { r.put(id(101), append([]byte(revision(8)), r.value(id(101))[8:]...)) },
			want: ": revision 8, the newest is 7"},
		{name: "a document of another change", bucket: "documents", raw: func(r raw) { r.put(id(101), append([]byte(revision(1)), r.value(id(101))[8:]...)) },
			want: ": revision 1 is a change of something else"},
		{name: "a document of a deletion", bucket: "documents", raw: func(r raw) { r.put(id(101), append([]byte(revision(7)), r.value(id(101))[8:]...)) },
			want: ": revision 7 is a change of something else"},
		{name: "the revision is gone", bucket: "meta", raw: func(r raw) { r.delete("revision") }, want: "the newest is 0"},
		{name: "the revision is cut", bucket: "meta", raw: func(r raw) { r.put("revision", []byte{1}) }, want: "revision: damaged record"},

		{name: "a parent forgets a child", bucket: "children", raw: func(r raw) { r.delete("e" + parentRef + "\x00" + ref) },
			want: "state " + ref + ": its parent does not list it as a child"},
		{name: "a child of another parent", bucket: "children", raw: func(r raw) { r.put("pother\x00"+ref, nil) }, want: "child " + ref + " of pother: "},
		{name: "a child of a source of no kind", bucket: "children", raw: func(r raw) { r.put("xother\x00"+ref, nil) }, want: "child " + ref + " of xother: "},
		{name: "a child of no source", bucket: "children", raw: func(r raw) { r.put("ewhatever", nil) }, want: "child "},
		{name: "a child that is nobody", bucket: "children", raw: func(r raw) { r.put("e"+ref+"\x00a:b/c", nil) }, want: "child a:b/c of e" + ref},

		{name: "what it emits is gone", bucket: "relations", raw: func(r raw) { r.delete(ownerRef + "\x00" + ref) },
			want: "state " + ref + ": the relations it emits for " + ownerRef + " are not stored there"},
		{name: "what it emits is cut", bucket: "relations", raw: func(r raw) {
			v := r.value(ownerRef + "\x00" + ref)
			r.put(ownerRef+"\x00"+ref, v[:len(v)-1])
		}, want: "state " + ref + ": the relations it emits for " + ownerRef + " are not stored there"},
		{name: "what it emits is more", bucket: "relations", raw: func(r raw) {
			r.put(ownerRef+"\x00"+ref, append(r.value(ownerRef+"\x00"+ref), 0))
		}, want: "state " + ref + ": the relations it emits for " + ownerRef + " are not stored there"},
		{name: "relations nobody emits", bucket: "relations", raw: func(r raw) { r.put("a:b/c\x00"+ref, []byte{1, 0, 1, 't', 1, 'x'}) },
			want: "relations of a:b/c by " + ref + ": the emitter has none"},

		{name: "a refresh key is gone", bucket: "refreshkeys", raw: func(r raw) { r.delete(sharedKey + "\x00" + ref) },
			want: "state " + ref + `: refresh key "` + sharedKey + `" does not lead to it`},
		{name: "a refresh key that it does not hold", bucket: "refreshkeys", raw: func(r raw) { r.put("k\x00"+ref, nil) }, want: `refresh key "k": ` + ref + " does not hold it"},
		{name: "a refresh key of nobody", bucket: "refreshkeys", raw: func(r raw) { r.put("k", nil) }, want: `refresh key "k": malformed`},

		{name: "a location's ref is gone", bucket: "locationrefs", raw: func(r raw) { r.delete("url:https://host/catalog-info.yaml") },
			want: `location 1: url:https://host/catalog-info.yaml leads to location ""`},
		{name: "a location's ref leads elsewhere", bucket: "locationrefs", raw: func(r raw) { r.put("url:https://host/catalog-info.yaml", []byte("2")) },
			want: `location 1: url:https://host/catalog-info.yaml leads to location "2"`},
		{name: "a ref that the location does not have", bucket: "locationrefs", raw: func(r raw) { r.put("url:x", []byte("1")) }, want: "location url:x: "},
		{name: "a location is gone", bucket: "locations", raw: func(r raw) { r.delete("1") }, want: "there is none with id 1"},
		{name: "a location is no JSON", bucket: "locations", raw: func(r raw) { r.put("1", []byte("{")) }, want: "location 1: damaged record"},
		{name: "a location lacks its target", bucket: "locations", raw: func(r raw) { r.put("1", []byte(`{"type":"url"}`)) }, want: "location 1: "},

		{name: "a change is cut", bucket: "changes", raw: func(r raw) { r.put(revision(3), r.value(revision(3))[:10]) }, want: "change 3: damaged record"},
		{name: "a change of no revision", bucket: "changes", raw: func(r raw) { r.put("x", r.value(revision(3))) }, want: "change 78: damaged record"},
		{name: "a change of the future", bucket: "changes", raw: func(r raw) { r.put(revision(8), r.value(revision(3))) }, want: "newer than the newest revision"},
		{name: "a deletion without what was deleted", write: write(func(tx store.WriteTx) error {
			return tx.AppendChange(&store.Change{Revision: 7, UID: uid(1), Ref: ref, Deleted: true})
		}), want: "change 7: "},
		{name: "a change that replaced no JSON", write: write(func(tx store.WriteTx) error {
			return tx.AppendChange(&store.Change{Revision: 7, UID: uid(1), Ref: ref, Before: []byte("{")})
		}), want: "change 7: "},

		{name: "another unprocessed hash", write: change(func(s *store.State) { s.UnprocessedHash[3]++ }), want: "the unprocessed form is not the one of its hash"},
		{name: "another content hash", write: change(func(s *store.State) { s.ContentHash[3]++ }), want: "the document is not the one of its hash"},
		{name: "no content hash", write: change(func(s *store.State) { s.ContentHash = store.Digest{} }), want: "served is false"},
		{name: "never processed", write: change(func(s *store.State) { s.Processed = false }), want: "processed is false"},
		{name: "another parent", write: change(func(s *store.State) { s.Parent.Entity = other }), want: "its parent does not list it as a child"},
		{name: "an orphan that has a parent", write: change(func(s *store.State) { s.Parent = store.Source{} }), want: "child " + ref + " of e" + parentRef},
		{name: "one relation more", write: change(func(s *store.State) {
			s.Relations = append(s.Relations, catalog.Relation{Source: ownerRef, Type: "x", Target: ref})
		}), want: "the relations it emits for " + ownerRef + " are not stored there"},
		{name: "no relations", write: change(func(s *store.State) { s.Relations = nil }), want: "relations of " + ownerRef + " by " + ref},
		{name: "one refresh key more", write: change(func(s *store.State) { s.RefreshKeys = append(s.RefreshKeys, "k") }), want: `refresh key "k" does not lead to it`},
		{name: "no refresh keys", write: change(func(s *store.State) { s.RefreshKeys = nil }), want: ref + " does not hold it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openDB(t, filePath(t))
			s := storeIn(t, db)
			require.NoError(t, s.Update(func(tx store.WriteTx) error { return fill(tx, 5) }))
			require.Empty(t, violations(t, s))
			if c.write != nil {
				c.write(t, s)
			} else {
				require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
					c.raw(raw{t, tx.Bucket([]byte("catalog/" + c.bucket))})
					return nil
				}))
			}
			found := violations(t, s)
			require.Contains(t, strings.Join(found, "\n")+"\n", c.want)
		})
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	s := newStore(t)
	require.NoError(t, s.Update(func(tx store.WriteTx) error { return fill(tx, 50) }))
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	require.NoError(t, s.Update(func(tx store.WriteTx) error { return tx.SetRevision(1) }))
	reports := 0
	err := s.Check(ctx, func(string) {
		reports++
		cancel(enough)
	})
	require.ErrorIs(t, err, enough)
	require.Equal(t, 1, reports)
}

// The file may be in use while it is checked.
func TestCheckBesideAWriter(t *testing.T) {
	s := newStore(t)
	require.NoError(t, s.Update(func(tx store.WriteTx) error { return fill(tx, 100) }))
	ctx, cancel := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	var failed error
	started := make(chan struct{})
	writer.Go(func() {
		for i := 0; ctx.Err() == nil && failed == nil; i++ {
			failed = s.Update(func(tx store.WriteTx) error { return putComponent(tx, i%100, tx.Revision()+1) })
			if i == 0 {
				close(started)
			}
		}
	})
	<-started
	for range 5 {
		require.Empty(t, violations(t, s))
	}
	cancel()
	writer.Wait()
	require.NoError(t, failed)
}
