package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/greenroom-idp/greenroom/catalog/store"
)

// Why a file cannot be opened; the errors of OpenFile and New wrap them.
var (
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("the store file is in use by another process")
	// ErrForeign: the file is not one of ours.
	ErrForeign = errors.New("the file is not a store of this program")
	// ErrFormat: the file was written by another release whose format this
	// one does not know.
	ErrFormat = errors.New("the store file has another format")
	// ErrCutShort: the end of the file is missing.
	ErrCutShort = errors.New("the store file has been cut short")
)

const formatVersion = 1

var (
	bucketMeta         = []byte("catalog/meta")
	bucketStates       = []byte("catalog/states")
	bucketUnprocessed  = []byte("catalog/unprocessed")
	bucketProcessed    = []byte("catalog/processed")
	bucketCaches       = []byte("catalog/caches")
	bucketUIDs         = []byte("catalog/uids")
	bucketDocuments    = []byte("catalog/documents")
	bucketChildren     = []byte("catalog/children")
	bucketRelations    = []byte("catalog/relations")
	bucketRefreshKeys  = []byte("catalog/refreshkeys")
	bucketLocations    = []byte("catalog/locations")
	bucketLocationRefs = []byte("catalog/locationrefs")
	bucketChanges      = []byte("catalog/changes")

	keyFormat   = []byte("format")
	keyRevision = []byte("revision")
)

const settingPrefix = "setting/"

func buckets() [][]byte {
	return [][]byte{bucketMeta, bucketStates, bucketUnprocessed, bucketProcessed, bucketCaches, bucketUIDs,
		bucketDocuments, bucketChildren, bucketRelations, bucketRefreshKeys, bucketLocations, bucketLocationRefs, bucketChanges}
}

// lockWait is how long OpenFile waits for another process to let go.
const lockWait = time.Second

// OpenFile opens or creates the bbolt file that the whole program shares, with
// the options that suit it. With readOnly the file must exist, and other
// readers may have it open too. The caller closes it.
func OpenFile(path string, readOnly bool) (*bbolt.DB, error) {
	if err := refuseForeign(path); err != nil {
		return nil, err
	}
	if err := refuseCutShort(path); err != nil {
		return nil, err
	}
	return openBolt(path, readOnly)
}

func openBolt(path string, readOnly bool) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      lockWait,
		ReadOnly:     readOnly,
		FreelistType: bbolt.FreelistMapType,
		// The list of free pages is rebuilt on opening: every commit is
		// smaller for it.
		NoFreelistSync:  true,
		InitialMmapSize: mapSize(),
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrChecksum):
		return nil, fmt.Errorf("%s: %w (%w)", path, ErrForeign, err)
	case err != nil:
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return db, nil
}

// refuseForeign looks at a file before bbolt does, which may not survive the
// sight of a short one.
func refuseForeign(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("open store: %w", err)
	case info.IsDir():
		return fmt.Errorf("%s: %w: it is a folder", path, ErrForeign)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: %w: it is no regular file", path, ErrForeign)
	case info.Size() > 0 && info.Size() < int64(2*os.Getpagesize()):
		return fmt.Errorf("%s: %w: it is too short", path, ErrForeign)
	}
	return nil
}

// refuseCutShort looks whether all pages that the file says it has are there,
// as they are not in half a copy: bbolt looks for free pages on opening to
// write, and the process would not survive the sight of a missing one.
func refuseCutShort(path string) (err error) {
	if info, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || (err == nil && info.Size() == 0) {
		return nil // a new one
	}
	db, err := openBolt(path, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(path) // now that nobody writes
		if err != nil {
			return fmt.Errorf("open store: %w", err)
		}
		if info.Size() < tx.Size() {
			return fmt.Errorf("%s: %w: %d of %d bytes are there", path, ErrCutShort, info.Size(), tx.Size())
		}
		return nil
	})
}

// mapSize is how much of the file is mapped from the beginning, in bytes. A
// map that grows waits for all readers and stops new ones meanwhile, so there
// is room for any catalog where room costs nothing: on Windows the file itself
// would become as large, and 32 bits have no room.
func mapSize() int {
	if strconv.IntSize < 64 || runtime.GOOS == "windows" {
		return 64 << 20
	}
	var room int64 = 16 << 30 // no constant: it would not compile for 32 bits
	return int(room)
}

// A Store keeps the catalog's records in a bbolt file that others may share.
type Store struct{ db *bbolt.DB }

var _ store.Store = (*Store)(nil)

// New returns the store in db, and makes its buckets where they are missing.
// The errors wrap ErrForeign for a file with other contents, and ErrFormat.
func New(db *bbolt.DB) (*Store, error) {
	s := &Store{db}
	if db.IsReadOnly() {
		return s, db.View(checkFormat)
	}
	return s, db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketMeta) != nil {
			return checkFormat(tx)
		}
		if err := refuseOthers(tx); err != nil {
			return err
		}
		for _, name := range buckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return fmt.Errorf("create bucket %s: %w", name, err)
			}
		}
		return tx.Bucket(bucketMeta).Put(keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion))
	})
}

func checkFormat(tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return ErrForeign
	}
	v := meta.Get(keyFormat)
	if len(v) != 4 {
		return fmt.Errorf("%w: no format version", ErrForeign)
	}
	if n := binary.BigEndian.Uint32(v); n != formatVersion {
		return fmt.Errorf("%w: version %d, this release reads version %d", ErrFormat, n, formatVersion)
	}
	for _, name := range buckets() {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrForeign, name)
		}
	}
	return (&transaction{tx}).checkRevision()
}

// refuseOthers errs for a bbolt file that holds what nobody of ours writes:
// all our buckets have a folder-like name.
func refuseOthers(tx *bbolt.Tx) error {
	return tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
		if !strings.Contains(string(name), "/") {
			return fmt.Errorf("%w: it has a bucket %q", ErrForeign, name)
		}
		return nil
	})
}

// View runs fn on the state that is committed now.
func (s *Store) View(fn func(store.ReadTx) error) error {
	return s.db.View(func(tx *bbolt.Tx) error { return fn(&transaction{tx: tx}) })
}

// Update runs fn and commits what it wrote, unless it returns an error.
func (s *Store) Update(fn func(store.WriteTx) error) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return fn(newWriteTx(tx)) })
}
