package boltstore_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// With -update, TestFormat1 writes its golden files anew:
//
//	go test ./catalog/boltstore -run TestFormat1 -update
//
// Once a release has written files of format 1, these stay as they are: a new
// layout is a new format, with golden files of its own.
var updateGolden = flag.Bool("update", false, "write the golden files of format 1")

const (
	goldenStore    = "format-1.db.gz"
	goldenContents = "format-1.json"
)

// goldenFill makes a file with every bucket and every field in use.
func goldenFill(tx store.WriteTx) error {
	if err := fill(tx, 3); err != nil {
		return err
	}
	s, err := tx.State(componentRef(1))
	if err != nil {
		return err
	}
	s.Due, s.Keyless, s.Failures, s.Errors = true, true, 2, []byte(`[{"name":"InputError"}]`)
	s.Relations = append(s.Relations, catalog.Relation{Source: ownerRef, Type: "x", Target: "user:default/ü"})
	if err := tx.PutReverseRelations(ownerRef, s.Ref, s.Relations[1:]); err != nil {
		return err
	}
	return tx.PutState(s)
}

func writeGolden(t *testing.T) {
	t.Helper()
	db := openDB(t, filePath(t))
	s := storeIn(t, db)
	require.NoError(t, s.Update(goldenFill))
	require.Empty(t, violations(t, s))
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	require.NoError(t, err)
	require.NoError(t, db.View(func(tx *bbolt.Tx) error { // without the room behind the last page
		_, err := tx.WriteTo(z)
		return err
	}))
	require.NoError(t, z.Close())
	require.NoError(t, os.MkdirAll("testdata", 0o755))
	require.NoError(t, os.WriteFile(filepath.Join("testdata", goldenStore), packed.Bytes(), 0o644))
	text, err := json.MarshalIndent(contents(t, s), "", " ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join("testdata", goldenContents), append(text, '\n'), 0o644))
}

func TestFormat1(t *testing.T) {
	if *updateGolden {
		writeGolden(t)
	}
	packed, err := os.Open(filepath.Join("testdata", goldenStore))
	require.NoError(t, err)
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	require.NoError(t, err)
	file, err := io.ReadAll(io.LimitReader(z, 16<<20))
	require.NoError(t, err)
	path := filePath(t)
	require.NoError(t, os.WriteFile(path, file, 0o600))

	want, err := os.ReadFile(filepath.Join("testdata", goldenContents))
	require.NoError(t, err)
	db := openDB(t, path)
	s := storeIn(t, db)
	got, err := json.Marshal(contents(t, s))
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
	require.Empty(t, violations(t, s))

	require.NoError(t, s.Update(func(tx store.WriteTx) error { return putComponent(tx, 1, tx.Revision()+1) }))
	require.Empty(t, violations(t, s), "it can be written on")

	memory := newStore(t)
	require.NoError(t, memory.Update(goldenFill))
	now, err := json.Marshal(contents(t, memory))
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(now), "what is written today reads the same")
}
