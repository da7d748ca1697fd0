package boltstore

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

var order = binary.BigEndian

// A row is a task as it is stored.
type row struct {
	task       scaffolder.Task
	completion uint64 // id of the event, 0 for none
}

var statuses = [...]scaffolder.Status{1: scaffolder.Open, 2: scaffolder.Processing, 3: scaffolder.Completed,
	4: scaffolder.Failed, 5: scaffolder.Cancelled, 6: scaffolder.Skipped}

var eventTypes = [...]scaffolder.EventType{1: scaffolder.EventLog, 2: scaffolder.EventCompletion,
	3: scaffolder.EventCancelled, 4: scaffolder.EventRecovered}

// codeOf returns the place of a word in its table, 0 for one that is not there.
func codeOf[T comparable](table []T, word T) byte {
	for i := 1; i < len(table); i++ {
		if table[i] == word {
			return byte(i)
		}
	}
	return 0
}

const (
	flagStartsOver = 1 << iota
	flagHeld
)

const flagRepeatable = 1

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return order.AppendUint64(dst, 0)
	}
	return order.AppendUint64(dst, uint64(t.UnixMilli()))
}

func appendText(dst []byte, s string) []byte {
	return append(order.AppendUint16(dst, uint16(len(s))), s...)
}

func (r row) encode() ([]byte, error) {
	t := r.task
	id, err := uuid.Parse(t.ID)
	if err != nil || id.String() != t.ID {
		return nil, fmt.Errorf("%q is not the id of a task", t.ID)
	}
	status := codeOf(statuses[:], t.Status)
	if status == 0 {
		return nil, fmt.Errorf("a task has no status %q", t.Status)
	}
	if len(t.CreatedBy) > math.MaxUint16 || len(t.TemplateRef) > math.MaxUint16 {
		return nil, store.ErrTooLarge
	}
	var flags byte
	if t.StartsOver {
		flags |= flagStartsOver
	}
	if t.Held {
		flags |= flagHeld
	}
	out := append(id[:], status, flags)
	out = order.AppendUint64(out, t.Turn)
	out = order.AppendUint64(out, r.completion)
	out = appendTime(out, t.CreatedAt)
	out = appendTime(out, t.Heartbeat)
	out = appendText(out, t.CreatedBy)
	return appendText(out, t.TemplateRef), nil
}

// A cursor reads a record from its beginning; once it is short, it stays so.
type cursor struct {
	data  []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if c.short || len(c.data) < n {
		c.short = true
		return make([]byte, n)
	}
	var out []byte
	out, c.data = c.data[:n], c.data[n:]
	return out
}

func (c *cursor) byte() byte     { return c.take(1)[0] }
func (c *cursor) uint32() uint32 { return order.Uint32(c.take(4)) }
func (c *cursor) uint64() uint64 { return order.Uint64(c.take(8)) }
func (c *cursor) text() string   { return string(c.take(int(order.Uint16(c.take(2))))) }

func (c *cursor) time() time.Time {
	ms := int64(c.uint64())
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// word looks a code up; an unknown one makes the record a bad one.
func word[T any](c *cursor, table []T) (out T) {
	code := int(c.byte())
	if code == 0 || code >= len(table) {
		c.short = true
		return out
	}
	return table[code]
}

func decodeRow(number uint64, data []byte) (row, error) {
	c := &cursor{data: data}
	id, _ := uuid.FromBytes(c.take(16))
	r := row{task: scaffolder.Task{ID: id.String(), Number: number, Status: word(c, statuses[:])}}
	flags := c.byte()
	r.task.StartsOver, r.task.Held = flags&flagStartsOver != 0, flags&flagHeld != 0
	r.task.Turn = c.uint64()
	r.completion = c.uint64()
	r.task.CreatedAt, r.task.Heartbeat = c.time(), c.time()
	r.task.CreatedBy, r.task.TemplateRef = c.text(), c.text()
	if c.short || len(c.data) > 0 {
		return row{}, fmt.Errorf("%w: task %d", ErrDamaged, number)
	}
	return r, nil
}

func encodeEvent(e scaffolder.Event) ([]byte, error) {
	code := codeOf(eventTypes[:], e.Type)
	if code == 0 {
		return nil, fmt.Errorf("there is no type of event %q", e.Type)
	}
	return append(appendTime([]byte{code}, e.CreatedAt), e.Body...), nil
}

func decodeEvent(id string, key, data []byte) (scaffolder.Event, error) {
	if len(key) != 16 {
		return scaffolder.Event{}, fmt.Errorf("%w: an event of task %s", ErrDamaged, id)
	}
	c := &cursor{data: data}
	e := scaffolder.Event{ID: int64(order.Uint64(key[8:])), TaskID: id, Type: word(c, eventTypes[:]), CreatedAt: c.time()}
	if c.short {
		return e, fmt.Errorf("%w: event %d of task %s", ErrDamaged, e.ID, id)
	}
	e.Body = append([]byte(nil), c.data...)
	return e, nil
}

func encodeStep(r store.StepRecord) ([]byte, error) {
	status := codeOf(statuses[:], r.Status)
	if status == 0 {
		return nil, fmt.Errorf("a step has no status %q", r.Status)
	}
	var flags byte
	if r.Repeatable {
		flags |= flagRepeatable
	}
	out := order.AppendUint32([]byte{status, flags}, uint32(r.Done))
	return append(appendTime(out, r.At), r.Output...), nil
}

func decodeStep(id string, key, data []byte) (store.StepRecord, error) {
	c := &cursor{data: data}
	r := store.StepRecord{Index: int(order.Uint32(key[8:])), Status: word(c, statuses[:])}
	r.Repeatable = c.byte()&flagRepeatable != 0
	r.Done = int(c.uint32())
	r.At = c.time()
	if c.short {
		return r, fmt.Errorf("%w: step %d of task %s", ErrDamaged, r.Index, id)
	}
	if len(c.data) > 0 {
		r.Output = append([]byte(nil), c.data...)
	}
	return r, nil
}
