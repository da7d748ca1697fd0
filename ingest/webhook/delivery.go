package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// A Delivery is one message of a Git host.
type Delivery struct {
	// Source is the kind of host, such as github; Event what the host calls the
	// event, such as push.
	Source, Event string
	// ID is what the host calls this delivery. It is the same when the host
	// sends it again, and unique within the source.
	ID string
	// Instance is the URL of the host, where the delivery says so beside its
	// body; "" otherwise.
	Instance string
	// Lane names what the delivery is about, such as a repository. Deliveries
	// of one lane are worked off in order.
	Lane     string
	Received time.Time
	Body     []byte
}

// MaxID is the longest ID, in bytes, that is kept as it is.
const MaxID = 128

// SetID gives the delivery the ID that the host sent. One that is missing or
// too long is replaced by a digest of the event.
func (d *Delivery) SetID(id string) {
	if id != "" && len(id) <= MaxID {
		d.ID = id
		return
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\x00%s\x00", id, d.Event)
	sum.Write(d.Body)
	d.ID = "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// A Handler acts upon a delivery. An error that is ErrUnusable means that it
// makes no sense to try again. It may be called more than once for the same
// delivery, and for several at once.
type Handler func(ctx context.Context, d Delivery) error

// A Stored is the place of a delivery in the store, in ascending order.
type Stored struct {
	Sequence uint64
	Lane     string
	Bytes    int
}

// A Store keeps deliveries. What a method has answered is stored.
type Store interface {
	// Append keeps a delivery behind all others; known tells that it is, or
	// recently was, there already, and nothing was done.
	Append(d Delivery) (s Stored, known bool, err error)
	// Pending yields all deliveries that have not been removed, in order.
	Pending(yield func(Stored) bool) error
	// Delivery returns one of them.
	Delivery(sequence uint64) (d Delivery, found bool, err error)
	// Remove drops deliveries and remembers their IDs.
	Remove(sequences []uint64) error
	// Reject drops a delivery and its ID, so that it may be sent again.
	Reject(sequence uint64) error
}

var (
	// ErrFull: there is no room for another delivery at the moment.
	ErrFull = errors.New("the queue of webhooks is full")
	// ErrUnusable: a delivery is not what its event is supposed to be.
	ErrUnusable = errors.New("the delivery cannot be used")
)

// A RefusedError is a delivery whose sender could not prove who it is.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }
