package boltnotices

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/greenroom-idp/greenroom/api/notifications"
)

// First bytes of keys.
const (
	noticeKey = 'n'
	scopeMark = 's'
)

const (
	keyLength  = 1 + 8 + 16
	stateBytes = 3 * 8
)

// An entry is a stored notification whose text has not been decoded.
type entry struct {
	user                 string
	key                  []byte
	read, saved, updated int64 // ms, 0 for not
	rest                 []byte
}

// content is the JSON of an entry.
type content struct {
	Origin  string                `json:"origin"`
	Payload notifications.Payload `json:"payload"`
}

func decode(user string, key, value []byte) (entry, error) {
	if len(key) != keyLength || len(value) < stateBytes {
		return entry{}, fmt.Errorf("stored notification %x is cut short", key)
	}
	return entry{user, key, number(value), number(value[8:]), number(value[16:]), value[stateBytes:]}, nil
}

func encode(n *notifications.Notification) (entry, error) {
	id, err := uuid.Parse(n.ID)
	if err != nil {
		return entry{}, fmt.Errorf("notification id: %w", err)
	}
	rest, err := json.Marshal(content{n.Origin, n.Payload})
	if err != nil {
		return entry{}, fmt.Errorf("encode notification %s: %w", n.ID, err)
	}
	key := appendNumber(append(make([]byte, 0, keyLength), noticeKey), millis(n.Created))
	return entry{n.User, append(key, id[:]...), millis(n.Read), millis(n.Saved), millis(n.Updated), rest}, nil
}

func (e entry) id() []byte     { return e.key[9:] }
func (e entry) created() int64 { return number(e.key[1:]) }

func (e entry) value() []byte {
	out := appendNumber(make([]byte, 0, stateBytes+len(e.rest)), e.read)
	return append(appendNumber(appendNumber(out, e.saved), e.updated), e.rest...)
}

func (e entry) notification() (notifications.Notification, error) {
	var c content
	if err := json.Unmarshal(e.rest, &c); err != nil {
		return notifications.Notification{}, fmt.Errorf("stored notification %x: %w", e.id(), err)
	}
	return notifications.Notification{
		ID: uuid.UUID(e.id()).String(), User: e.user, Origin: c.Origin, Payload: c.Payload,
		Created: moment(e.created()), Updated: moment(e.updated), Read: moment(e.read), Saved: moment(e.saved),
	}, nil
}

func (e *entry) mark(m notifications.Mark) {
	if m.Read != nil {
		e.read = millis(*m.Read)
	}
	if m.Saved != nil {
		e.saved = millis(*m.Saved)
	}
}

func scopeKey(origin, scope string) []byte {
	sum := sha256.Sum256([]byte(origin + "\x00" + scope))
	return append([]byte{scopeMark}, sum[:16]...)
}

func number(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

func appendNumber(dst []byte, n int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(n)) }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
