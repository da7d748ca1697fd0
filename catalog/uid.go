package catalog

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
)

// A UID is the identity of an entity as long as it exists. It has the form of
// a version 4 UUID, but uids ascend in the order in which they were given out:
// the order by uid, which breaks ties in every query, is the order of
// creation, and new entities go to the end of the store and of the index.
type UID [16]byte

// String returns the uid as 36 characters in lower case.
func (u UID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseUID reads the form that String writes, in either case.
func ParseUID(s string) (UID, error) {
	var u UID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, fmt.Errorf("%q is not a uid", s)
	}
	if _, err := hex.Decode(u[:], []byte(s[0:8]+s[9:13]+s[14:18]+s[19:23]+s[24:36])); err != nil {
		return UID{}, fmt.Errorf("%q is not a uid", s)
	}
	return u, nil
}

// A UIDSource gives out ascending uids. It is safe for concurrent use.
type UIDSource struct {
	now  func() time.Time
	mu   sync.Mutex
	last uint64 // 48 bits of milliseconds, 12 bits of sequence
}

// NewUIDSource returns a source whose uids come after the given one, the last
// that is in use, even when the clock has gone back since.
func NewUIDSource(now func() time.Time, after UID) *UIDSource {
	return &UIDSource{now: now, last: sequence(after)}
}

// sequence is the part of a uid by which uids ascend: 48 bits, and the 12 bits
// behind the version nibble.
func sequence(u UID) uint64 {
	head := binary.BigEndian.Uint64(u[:8])
	return head>>16<<12 | head&0xfff
}

// Next returns a new uid, above all before it.
func (s *UIDSource) Next() UID {
	s.mu.Lock()
	s.last = max(s.last+1, uint64(s.now().UnixMilli())<<12)
	seq := s.last
	s.mu.Unlock()
	var u UID
	binary.BigEndian.PutUint64(u[:8], seq>>12<<16|4<<12|seq&0xfff)
	_, _ = rand.Read(u[8:]) // never fails
	u[8] = u[8]&0x3f | 0x80
	return u
}
