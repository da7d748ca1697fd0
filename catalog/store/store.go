package store

import (
	"errors"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Store runs transactions. Both methods return the error of fn, after which
// nothing of an Update remains.
type Store interface {
	View(fn func(ReadTx) error) error
	Update(fn func(WriteTx) error) error
}

// A ReadTx reads one committed state. Sequences are in ascending order of
// their keys' bytes; yield returning false ends them, and must not write.
type ReadTx interface {
	// Revision is that of the newest change of a served entity, 0 for none.
	Revision() uint64
	// Setting returns a value that the engine keeps beside the entities.
	Setting(name string) []byte

	// State returns the record of a ref, nil if there is none.
	State(ref string) (*State, error)
	// States yields every record from the ref on.
	States(from string, yield func(*State) bool) error
	// RefOf returns the ref of the record with this uid, "" if there is none.
	RefOf(uid catalog.UID) string
	// LastUID returns the highest uid in use.
	LastUID() catalog.UID

	// Unprocessed and Processed return forms of the entity as JSON, nil if
	// there is none. Cache returns what its processing keeps between runs.
	Unprocessed(ref string) ([]byte, error)
	Processed(ref string) ([]byte, error)
	Cache(ref string) ([]byte, error)

	// Document returns the stitched entity as the JSON that is served and the
	// revision that brought it, nil if the entity is not served.
	Document(uid catalog.UID) (doc []byte, revision uint64)
	// Documents yields all stitched entities in ascending order of uid.
	Documents(yield func(uid catalog.UID, revision uint64, doc []byte) bool) error

	// Children yields the refs of the records whose parent is source.
	Children(source Source, yield func(ref string) bool) error
	// Sources yields every source that has children.
	Sources(yield func(Source) bool) error
	// ReverseRelations yields what other entities than source emit for it.
	ReverseRelations(source string, yield func(emitter string, r []catalog.Relation) bool) error
	// RefreshKeyHolders yields the refs of the records that hold a refresh key.
	RefreshKeyHolders(key string, yield func(ref string) bool) error

	// Location returns a registered location by id, ok false if there is none.
	Location(id string) (l catalog.Location, ok bool, err error)
	// LocationByRef finds a registered location by exact type and target.
	LocationByRef(ref catalog.LocationRef) (l catalog.Location, ok bool, err error)
	// Locations yields all registered locations in order of id.
	Locations(yield func(catalog.Location) bool) error

	// Changes yields the change log from a revision on.
	Changes(from uint64, yield func(*Change) bool) error
}

// A WriteTx reads its own writes. Puts replace what is there; deletes of what
// is not there do nothing. Byte slices given to it must stay unchanged until
// the transaction ends.
type WriteTx interface {
	ReadTx

	SetRevision(uint64) error
	PutSetting(name string, value []byte) error

	PutState(*State) error
	// DeleteState removes the record with both its forms and its cache. The
	// document, children, relations and refresh keys are removed by their own
	// methods.
	DeleteState(*State) error
	PutUnprocessed(ref string, json []byte) error
	PutProcessed(ref string, json []byte) error
	// PutCache stores the cache; nil deletes it.
	PutCache(ref string, json []byte) error

	PutDocument(uid catalog.UID, revision uint64, doc []byte) error
	DeleteDocument(catalog.UID) error

	PutChild(source Source, ref string) error
	DeleteChild(source Source, ref string) error
	// PutReverseRelations stores what emitter emits for another entity,
	// source; an empty list deletes the row.
	PutReverseRelations(source, emitter string, r []catalog.Relation) error
	PutRefreshKey(key, ref string) error
	DeleteRefreshKey(key, ref string) error

	PutLocation(catalog.Location) error
	DeleteLocation(catalog.Location) error

	AppendChange(*Change) error
	// TrimChanges removes the log up to and including a revision, at most
	// limit entries in one call, and returns how many it removed.
	TrimChanges(through uint64, limit int) (int, error)
}

// Limits of what can be a key. Refs beyond them cannot name a valid entity.
const (
	MaxRefBytes        = 1024
	MaxRefreshKeyBytes = 1024
)

// MaxFormBytes is how large one form of an entity can be.
const MaxFormBytes = 64 << 20

// ErrTooLarge is returned for puts of more than MaxFormBytes.
var ErrTooLarge = errors.New("larger than a store takes")

// ValidRef tells whether a canonical entity ref can be the key of a record.
func ValidRef(ref string) bool {
	if ref == "" || len(ref) > MaxRefBytes {
		return false
	}
	for i := range len(ref) {
		if ref[i] == 0 {
			return false
		}
	}
	return true
}

// A Source is who emits an entity: another entity by its ref, or a provider by
// its name. The zero Source is nobody: the entity is an orphan.
type Source struct{ Entity, Provider string }

// IsZero tells whether s is nobody.
func (s Source) IsZero() bool { return s == Source{} }

// A State is the record of one ref: what the engine knows of it besides the
// forms of the entity. Times are in milliseconds since 1970.
type State struct {
	Ref string
	UID catalog.UID
	// Parent emits this entity. There is never more than one.
	Parent Source
	// Repeats is how many times more than once the parent emits it in one run:
	// the reference counts each of them as a parent.
	Repeats int
	// LocationKey says which location may change this record. Keyless records
	// may be taken over by anyone.
	LocationKey string
	Keyless     bool

	UnprocessedHash Digest
	ResultHash      Digest // of the last run that was stored
	ContentHash     Digest // of the document, zero if the entity is not served

	// Due marks work that must be done even if the process ends before.
	Due bool
	// Processed tells that a run has succeeded at least once.
	Processed bool

	LastDiscovery int64
	LastProcessed int64

	// Failures counts the failed runs since the last good one.
	Failures int
	// Errors is the JSON list of the errors of the last run, nil for none.
	Errors []byte
	// Relations are what the last good run emitted, in order of source, type
	// and target.
	Relations []catalog.Relation
	// RefreshKeys are those of the last good run, and of failed ones since.
	RefreshKeys []string
}

// A Digest is a SHA-1 sum.
type Digest [20]byte

// LastSeen returns the time of the last discovery.
func (s *State) LastSeen() time.Time { return time.UnixMilli(s.LastDiscovery) }

// A Change is one entry of the change log.
type Change struct {
	Revision uint64
	At       int64 // milliseconds since 1970
	UID      catalog.UID
	Ref      string
	// Deleted tells that the entity is no longer served.
	Deleted bool
	// Before is the document that was replaced or deleted, nil if the entity
	// was new.
	Before []byte
}
