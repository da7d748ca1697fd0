package boltstore_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/catalog/store/storetest"
)

func TestStoreKeepsThePromisesOfStores(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return newStore(t) })
}

func TestReopenedFileHoldsEverything(t *testing.T) {
	memory := storetest.NewMemory()
	require.NoError(t, memory.Update(func(tx store.WriteTx) error { return fill(tx, 200) }))
	path := filledFile(t, 200)
	for range 2 {
		db, err := boltstore.OpenFile(path, false)
		require.NoError(t, err)
		s := storeIn(t, db)
		require.Equal(t, contents(t, memory), contents(t, s))
		require.Empty(t, violations(t, s))
		require.NoError(t, db.Close())
	}
}

func TestClosedFile(t *testing.T) {
	db, err := boltstore.OpenFile(filePath(t), false)
	require.NoError(t, err)
	s := storeIn(t, db)
	require.NoError(t, db.Close())
	require.ErrorIs(t, s.View(func(store.ReadTx) error { return nil }), bolterrors.ErrDatabaseNotOpen)
	require.ErrorIs(t, s.Update(func(store.WriteTx) error { return nil }), bolterrors.ErrDatabaseNotOpen)
	require.ErrorIs(t, s.Check(t.Context(), func(string) {}), bolterrors.ErrDatabaseNotOpen)
}

// holdFile is where a child process finds the file that it is to hold open.
const holdFile = "BOLTSTORE_TEST_HOLD"

// TestHoldChild is no test: it is what TestLockedFile runs in another process.
func TestHoldChild(t *testing.T) {
	path := os.Getenv(holdFile)
	if path == "" {
		t.Skip("run by TestLockedFile")
	}
	openDB(t, path)
	_, _ = os.Stdout.WriteString("open\n")
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent closes it
}

func TestLockedFile(t *testing.T) {
	path := filledFile(t, 3)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldChild$")
	child.Env = append(os.Environ(), holdFile+"="+path)
	in, err := child.StdinPipe()
	require.NoError(t, err)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	_, err = out.Read(make([]byte, 5))
	require.NoError(t, err, "the child has opened the file")

	for _, readOnly := range []bool{false, true} {
		_, err = boltstore.OpenFile(path, readOnly)
		require.ErrorIs(t, err, boltstore.ErrLocked, "read only: %t", readOnly)
		require.ErrorContains(t, err, path)
	}
	require.NoError(t, in.Close())
	require.NoError(t, child.Wait())
	require.Empty(t, violations(t, storeIn(t, openDB(t, path))), "it is free again")
}

func TestReadOnly(t *testing.T) {
	path := filledFile(t, 20)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	first, err := boltstore.OpenFile(path, true)
	require.NoError(t, err)
	second, err := boltstore.OpenFile(path, true)
	require.NoError(t, err, "readers do not exclude one another")
	for _, db := range []*bbolt.DB{first, second} {
		s := storeIn(t, db)
		require.Len(t, contents(t, s).Documents, 20)
		require.Empty(t, violations(t, s))
		require.ErrorIs(t, s.Update(func(store.WriteTx) error { return nil }), bolterrors.ErrDatabaseReadOnly)
	}
	_, err = boltstore.OpenFile(path, false)
	require.ErrorIs(t, err, boltstore.ErrLocked, "a writer waits for readers")
	require.NoError(t, errors.Join(first.Close(), second.Close()))
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.True(t, bytes.Equal(before, after))
}

func TestReadOnlyWantsAFileThatIsThere(t *testing.T) {
	path := filePath(t)
	_, err := boltstore.OpenFile(path, true)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoFileExists(t, path, "nothing is made by looking")

	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = boltstore.OpenFile(path, true)
	require.Error(t, err, "an empty file is no store yet, and a reader cannot make one of it")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Size())
}

func TestOpeningMakesThePrivateFile(t *testing.T) {
	for _, empty := range []bool{false, true} { // as a start that was killed leaves it
		path := filePath(t)
		if empty {
			require.NoError(t, os.WriteFile(path, nil, 0o600))
		}
		require.Empty(t, violations(t, storeIn(t, openDB(t, path))))
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "entities may be secret")
	}
	_, err := boltstore.OpenFile(filepath.Join(t.TempDir(), "none", "store.db"), false)
	require.ErrorIs(t, err, fs.ErrNotExist, "folders are the caller's to make")
}

// open opens a file as a program does.
func open(path string, readOnly bool) error {
	db, err := boltstore.OpenFile(path, readOnly)
	if err != nil {
		return err
	}
	_, err = boltstore.New(db)
	return errors.Join(err, db.Close())
}

func boltFile(t *testing.T, path string, write func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(write))
	require.NoError(t, db.Close())
}

func noise(n int) []byte {
	random, b := rand.New(rand.NewPCG(1, 1)), make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func TestForeignFiles(t *testing.T) {
	write := func(content []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) { require.NoError(t, os.WriteFile(path, content, 0o600)) }
	}
	bolt := func(fn func(tx *bbolt.Tx) error) func(*testing.T, string) {
		return func(t *testing.T, path string) { boltFile(t, path, fn) }
	}
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		why  string
	}{
		{"one byte", write([]byte{'x'}), "bbolt reads two pages whatever the size"},
		{"a line of text", write([]byte("kind: Component\n")), "a descriptor named by mistake"},
		{"half a page", write(noise(2048)), "shorter than any store"},
		{"a page and a half", write(noise(6144)), "one page could be there, two not"},
		{"a long text", write(bytes.Repeat([]byte("kind: Component\n"), 10_000)), "long enough, but no store"},
		{"random bytes", write(noise(1 << 20)), "long enough, but no store"},
		{"zeros", write(make([]byte, 1<<20)), "what some file systems leave after a crash"},
		{"a folder", func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, "the data folder itself"},
		{"a device", func(t *testing.T, path string) { require.NoError(t, os.Symlink(os.DevNull, path)) }, "nothing written there is kept"},
		{"another program's buckets", bolt(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("members"))
			return err
		}), "bbolt is common"},
		{"no format version", bolt(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("catalog/meta"))
			return err
		}), "a bucket of our name is not enough"},
		{"a format version of another size", bolt(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte("catalog/meta"))
			return errors.Join(err, b.Put([]byte("format"), []byte{1}))
		}), "a bucket of our name is not enough"},
		{"a bucket is missing", func(t *testing.T, path string) {
			require.NoError(t, open(path, false))
			boltFile(t, path, func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("catalog/states")) })
		}, "reading from it would panic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filePath(t)
			c.make(t, path)
			before, _ := os.ReadFile(path)
			for _, readOnly := range []bool{false, true} {
				err := open(path, readOnly)
				require.ErrorIs(t, err, boltstore.ErrForeign, c.why)
				require.NotErrorIs(t, err, boltstore.ErrFormat)
			}
			after, _ := os.ReadFile(path)
			require.True(t, bytes.Equal(before, after), "what is not ours is left as it is")
		})
	}
}

func TestEmptyBoltFileOfOthersBecomesAStore(t *testing.T) {
	path := filePath(t)
	boltFile(t, path, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("tasks/log")) // the program's other stores share the file
		return err
	})
	require.ErrorIs(t, open(path, true), boltstore.ErrForeign, "a reader makes nothing")
	require.NoError(t, open(path, false))
	require.NoError(t, open(path, true))
}

func TestOtherFormat(t *testing.T) {
	for _, version := range []uint32{0, 2, 1 << 31} {
		path := filledFile(t, 1)
		boltFile(t, path, func(tx *bbolt.Tx) error {
			return errors.Join(
				tx.Bucket([]byte("catalog/meta")).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, version)),
				tx.DeleteBucket([]byte("catalog/caches")), // a format may have other buckets
			)
		})
		for _, readOnly := range []bool{false, true} {
			err := open(path, readOnly)
			require.ErrorIs(t, err, boltstore.ErrFormat)
			require.NotErrorIs(t, err, boltstore.ErrForeign)
		}
	}
}

// A copy that was broken off is noticed; bbolt would map what is not there.
func TestCutShort(t *testing.T) {
	whole := filledFile(t, 500)
	content, err := os.ReadFile(whole)
	require.NoError(t, err)
	var used int
	db, err := boltstore.OpenFile(whole, true)
	require.NoError(t, err)
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		used = int(tx.Size())
		return nil
	}))
	require.NoError(t, db.Close())

	path := filePath(t)
	page := os.Getpagesize()
	for _, size := range []int{2 * page, 2*page + 1, used / 2, used - page, used - 1} {
		require.NoError(t, os.WriteFile(path, content[:size], 0o600))
		for _, readOnly := range []bool{false, true} {
			require.ErrorIs(t, open(path, readOnly), boltstore.ErrCutShort, "%d of %d bytes", size, used)
		}
	}
	require.NoError(t, os.WriteFile(path, content[:used], 0o600))
	require.Empty(t, violations(t, storeIn(t, openDB(t, path))), "what is behind the last page is room")
}

// Everything runs in one goroutine: were the writer to wait for the reader
// here, or the second reader for the writer, the test would never end.
func TestReadersDoNotWaitWhileTheFileGrows(t *testing.T) {
	s := newStore(t)
	value := noise(8 << 20)
	for i := range 12 {
		require.NoError(t, s.View(func(reader store.ReadTx) error {
			require.Equal(t, uint64(i), reader.Revision())
			require.NoError(t, s.Update(func(tx store.WriteTx) error {
				return errors.Join(tx.SetRevision(uint64(i+1)), tx.PutProcessed(componentRef(i), value))
			}))
			return s.View(func(later store.ReadTx) error {
				require.Equal(t, uint64(i+1), later.Revision())
				require.Equal(t, uint64(i), reader.Revision())
				return nil
			})
		}))
	}
}
