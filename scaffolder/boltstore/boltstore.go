package boltstore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// Why a file cannot be used; the errors of New wrap them.
var (
	// ErrFormat: the tasks were written by a release whose format this one
	// does not know.
	ErrFormat = errors.New("the tasks in the store have another format")
	// ErrDamaged: a record is not what the layout says.
	ErrDamaged = errors.New("the tasks in the store are damaged")
)

const formatVersion = 1

var (
	bucketMeta        = []byte("scaffolder/meta")
	bucketIDs         = []byte("scaffolder/ids")
	bucketTasks       = []byte("scaffolder/tasks")
	bucketSpecs       = []byte("scaffolder/specs")
	bucketUnfinished  = []byte("scaffolder/unfinished")
	bucketEvents      = []byte("scaffolder/events")
	bucketSteps       = []byte("scaffolder/steps")
	bucketCheckpoints = []byte("scaffolder/checkpoints")
	bucketSecrets     = []byte("scaffolder/secrets")

	keyFormat = []byte("format")
	keyTurn   = []byte("turn")
	keyEvent  = []byte("event")
)

func buckets() [][]byte {
	return [][]byte{bucketMeta, bucketIDs, bucketTasks, bucketSpecs, bucketUnfinished, bucketEvents, bucketSteps,
		bucketCheckpoints, bucketSecrets}
}

// A Store keeps tasks in a bbolt file that others may share.
type Store struct{ db *bbolt.DB }

var _ store.Store = (*Store)(nil)

// New returns the store in db, and makes its buckets where they are missing,
// unless db is read-only: then there may be none, and only Check works. The
// errors wrap ErrFormat and ErrDamaged. The caller closes db, after all
// transactions have ended.
func New(db *bbolt.DB) (*Store, error) {
	s := &Store{db}
	if db.IsReadOnly() {
		return s, nil
	}
	return s, db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketMeta) != nil {
			return checkFormat(tx)
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
	v := tx.Bucket(bucketMeta).Get(keyFormat)
	if len(v) != 4 {
		return fmt.Errorf("%w: no format version", ErrDamaged)
	}
	if n := binary.BigEndian.Uint32(v); n != formatVersion {
		return fmt.Errorf("%w: version %d, this release reads version %d", ErrFormat, n, formatVersion)
	}
	for _, name := range buckets() {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	return nil
}

// View runs fn on the state that is committed now.
func (s *Store) View(fn func(store.ReadTx) error) error {
	return s.db.View(func(tx *bbolt.Tx) error { return fn(&transaction{tx}) })
}

// Update runs fn and commits what it wrote, unless it returns an error.
func (s *Store) Update(fn func(store.WriteTx) error) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return fn(&transaction{tx}) })
}
