package boltstore_test

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/catalog/store/storetest"
)

// openDB opens a file for the length of a test.
func openDB(t testing.TB, path string) *bbolt.DB {
	t.Helper()
	db, err := boltstore.OpenFile(path, false)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func storeIn(t testing.TB, db *bbolt.DB) *boltstore.Store {
	t.Helper()
	s, err := boltstore.New(db)
	require.NoError(t, err)
	return s
}

func filePath(t testing.TB) string { return filepath.Join(t.TempDir(), "store.db") }

func newStore(t testing.TB) *boltstore.Store { return storeIn(t, openDB(t, filePath(t))) }

// filledFile is a closed file with what fill writes.
func filledFile(t testing.TB, n int) string {
	t.Helper()
	path := filePath(t)
	db, err := boltstore.OpenFile(path, false)
	require.NoError(t, err)
	require.NoError(t, storeIn(t, db).Update(func(tx store.WriteTx) error { return fill(tx, n) }))
	require.NoError(t, db.Close())
	return path
}

// violations lists what Check finds.
func violations(t testing.TB, s *boltstore.Store) (list []string) {
	t.Helper()
	require.NoError(t, s.Check(context.WithoutCancel(t.Context()), func(v string) { list = append(list, v) }))
	return list
}

func contents(t testing.TB, s store.Store) (c *storetest.Contents) {
	t.Helper()
	require.NoError(t, s.View(func(tx store.ReadTx) (err error) {
		c, err = storetest.Read(tx, storetest.Names{Settings: []string{"fingerprint", "count"}})
		return err
	}))
	return c
}

const (
	parentRef = "location:default/l"
	ownerRef  = "group:default/team"
	sharedKey = "url:https://host/catalog-info.yaml"
)

func uid(n int) (u catalog.UID) {
	u[6], u[8] = 0x40, 0x80
	u[3], u[4], u[5] = byte(n>>16), byte(n>>8), byte(n)
	return u
}

func componentRef(n int) string { return fmt.Sprintf("component:default/c%04d", n) }

// component is the record of the n-th component; its neighbours do not know
// its version.
func component(n int) *store.State {
	ref := componentRef(n)
	return &store.State{
		Ref: ref, UID: uid(100 + n), Parent: store.Source{Entity: parentRef}, LocationKey: sharedKey, Processed: true,
		LastDiscovery: 1_700_000_000_000, LastProcessed: 1_700_000_000_000 + int64(n),
		Relations: []catalog.Relation{
			{Source: ref, Type: "ownedBy", Target: ownerRef},
			{Source: ownerRef, Type: "ownerOf", Target: ref},
		},
		RefreshKeys: []string{sharedKey, "url:https://host/" + ref},
	}
}

// componentJSON grows with n, so that some are kept packed.
func componentJSON(n int, version uint64) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":"c%04d","description":%q},"spec":{"version":%d}}`,
		n, strings.Repeat("text ", n%100*5), version)
}

// putComponent makes or changes a component, as the change of that revision.
func putComponent(tx store.WriteTx, n int, revision uint64) error {
	s, json := component(n), componentJSON(n, revision)
	s.UnprocessedHash, s.ContentHash, s.ResultHash = sha1.Sum(json), sha1.Sum(json), sha1.Sum([]byte("result"))
	before, _ := tx.Document(s.UID)
	errs := []error{
		tx.AppendChange(&store.Change{Revision: revision, At: 1_700_000_000_000, UID: s.UID, Ref: s.Ref, Before: before}),
		tx.SetRevision(revision),
		tx.PutState(s),
		tx.PutUnprocessed(s.Ref, json),
		tx.PutProcessed(s.Ref, json),
		tx.PutCache(s.Ref, fmt.Appendf(nil, `{"etag":"%d"}`, revision)),
		tx.PutDocument(s.UID, revision, json),
		tx.PutChild(s.Parent, s.Ref),
		tx.PutReverseRelations(ownerRef, s.Ref, s.Relations[1:]),
	}
	for _, key := range s.RefreshKeys {
		errs = append(errs, tx.PutRefreshKey(key, s.Ref))
	}
	return errors.Join(errs...)
}

func deleteComponent(tx store.WriteTx, n int, revision uint64) error {
	s := component(n)
	before, _ := tx.Document(s.UID)
	errs := []error{
		tx.AppendChange(&store.Change{Revision: revision, At: 1_700_000_000_000, UID: s.UID, Ref: s.Ref, Deleted: true, Before: before}),
		tx.SetRevision(revision),
		tx.DeleteDocument(s.UID),
		tx.DeleteChild(s.Parent, s.Ref),
		tx.PutReverseRelations(ownerRef, s.Ref, nil),
		tx.DeleteState(s),
	}
	for _, key := range s.RefreshKeys {
		errs = append(errs, tx.DeleteRefreshKey(key, s.Ref))
	}
	return errors.Join(errs...)
}

// putParent makes the location that emits the components: it is not processed
// yet, so nothing is served of it.
func putParent(tx store.WriteTx) error {
	json := []byte(`{"apiVersion":"backstage.io/v1alpha1","kind":"Location","metadata":{"name":"l"}}`)
	provider := store.Source{Provider: "files"}
	return errors.Join(
		tx.PutState(&store.State{Ref: parentRef, UID: uid(1), Parent: provider, Keyless: true, Due: true, UnprocessedHash: sha1.Sum(json),
			Failures: 2, Errors: []byte(`[{"name":"InputError","message":"x"}]`)}),
		tx.PutUnprocessed(parentRef, json),
		tx.PutChild(provider, parentRef),
	)
}

// fill writes n components and a record of every other type, all of which
// agree.
func fill(tx store.WriteTx, n int) error {
	errs := []error{
		putParent(tx),
		tx.PutSetting("fingerprint", []byte("release 1")),
		tx.PutLocation(catalog.Location{ID: "1", Type: "url", Target: "https://host/catalog-info.yaml", EntityRef: parentRef}),
		tx.PutLocation(catalog.Location{ID: "2", Type: "url", Target: "https://host/" + strings.Repeat("long", 500), EntityRef: parentRef}),
	}
	for i := range n {
		errs = append(errs, putComponent(tx, i, uint64(i+1)))
	}
	errs = append(errs, putComponent(tx, n, uint64(n+1)), deleteComponent(tx, n, uint64(n+2)))
	return errors.Join(errs...)
}
