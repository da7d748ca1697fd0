package boltstore

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// A transaction implements both kinds; a read-only one of bbolt refuses what
// writes.
type transaction struct{ tx *bbolt.Tx }

var _ store.WriteTx = (*transaction)(nil)

// number returns the number of a task as the key of its records.
func (t *transaction) number(id string) ([]byte, error) {
	u, err := uuid.Parse(id)
	if err != nil || u.String() != id { // other spellings of a UUID name no task
		return nil, store.ErrNotFound
	}
	number := t.tx.Bucket(bucketIDs).Get(u[:])
	if number == nil {
		return nil, store.ErrNotFound
	}
	if len(number) != 8 {
		return nil, fmt.Errorf("%w: id %s", ErrDamaged, id)
	}
	return slices.Clone(number), nil
}

func (t *transaction) row(id string) (row, error) {
	number, err := t.number(id)
	if err != nil {
		return row{}, err
	}
	return t.rowOf(number)
}

func (t *transaction) rowOf(number []byte) (row, error) {
	data := t.tx.Bucket(bucketTasks).Get(number)
	if data == nil || len(number) != 8 {
		return row{}, fmt.Errorf("%w: no task %x", ErrDamaged, number)
	}
	return decodeRow(order.Uint64(number), data)
}

// Task implements store.ReadTx.
func (t *transaction) Task(id string) (scaffolder.Task, error) {
	r, err := t.row(id)
	return r.task, err
}

// Spec implements store.ReadTx.
func (t *transaction) Spec(id string) ([]byte, error) {
	number, err := t.number(id)
	if err != nil {
		return nil, err
	}
	spec := t.tx.Bucket(bucketSpecs).Get(number)
	if spec == nil {
		return nil, store.ErrNotFound
	}
	return slices.Clone(spec), nil
}

// Tasks implements store.ReadTx.
func (t *transaction) Tasks(newestFirst bool, yield func(scaffolder.Task) bool) error {
	c := t.tx.Bucket(bucketTasks).Cursor()
	first, next := c.First, c.Next
	if newestFirst {
		first, next = c.Last, c.Prev
	}
	for k, v := first(); k != nil; k, v = next() {
		r, err := decodeRow(order.Uint64(k), v)
		if err != nil {
			return err
		}
		if !yield(r.task) {
			return nil
		}
	}
	return nil
}

// Unfinished implements store.ReadTx.
func (t *transaction) Unfinished(yield func(scaffolder.Task) bool) error {
	c := t.tx.Bucket(bucketUnfinished).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		r, err := t.rowOf(v)
		if err != nil {
			return err
		}
		if !yield(r.task) {
			return nil
		}
	}
	return nil
}

// Events implements store.ReadTx.
func (t *transaction) Events(id string, after int64, limit int) (out []scaffolder.Event, more bool, err error) {
	r, err := t.row(id)
	if err != nil {
		return nil, false, err
	}
	after = max(after, 0)
	prefix := order.AppendUint64(nil, r.task.Number)
	bucket := t.tx.Bucket(bucketEvents)
	if r.completion != 0 && r.completion <= uint64(after) {
		key := order.AppendUint64(slices.Clone(prefix), r.completion)
		e, err := decodeEvent(id, key, bucket.Get(key))
		if err != nil {
			return nil, false, err
		}
		out = append(out, e)
	}
	size := 0
	c := bucket.Cursor()
	for k, v := c.Seek(order.AppendUint64(slices.Clone(prefix), uint64(after)+1)); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if limit > 0 && size >= limit {
			return out, true, nil
		}
		e, err := decodeEvent(id, k, v)
		if err != nil {
			return nil, false, err
		}
		out = append(out, e)
		size += len(e.Body)
	}
	return out, false, nil
}

// LastStep implements store.ReadTx.
func (t *transaction) LastStep(id string) (string, error) {
	number, err := t.number(id)
	if err != nil {
		return "", err
	}
	c := t.tx.Bucket(bucketEvents).Cursor()
	before := c.Prev
	if beyond, _ := c.Seek(order.AppendUint64(nil, order.Uint64(number)+1)); beyond == nil {
		before = c.Last
	}
	for k, v := before(); bytes.HasPrefix(k, number); k, v = c.Prev() {
		e, err := decodeEvent(id, k, v)
		if err != nil {
			return "", err
		}
		body, err := jsonvalue.ParseObject(e.Body)
		if err != nil {
			return "", fmt.Errorf("%w: event %d: %w", ErrDamaged, e.ID, err)
		}
		if step := body.String("stepId"); step != "" {
			return step, nil
		}
	}
	return "", nil
}

// Steps implements store.ReadTx.
func (t *transaction) Steps(id string) ([]store.StepRecord, error) {
	number, err := t.number(id)
	if err != nil {
		return nil, err
	}
	var out []store.StepRecord
	c := t.tx.Bucket(bucketSteps).Cursor()
	for k, v := c.Seek(number); bytes.HasPrefix(k, number); k, v = c.Next() {
		if len(k) != 12 {
			return nil, fmt.Errorf("%w: a step of task %s", ErrDamaged, id)
		}
		r, err := decodeStep(id, k, v)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// Checkpoint implements store.ReadTx.
func (t *transaction) Checkpoint(id, key string) ([]byte, bool, error) {
	number, err := t.number(id)
	if err != nil {
		return nil, false, err
	}
	v := t.tx.Bucket(bucketCheckpoints).Get(append(number, key...))
	return slices.Clone(v), v != nil, nil
}

// Secrets implements store.ReadTx.
func (t *transaction) Secrets(id string) ([]byte, error) {
	number, err := t.number(id)
	if err != nil {
		return nil, err
	}
	return slices.Clone(t.tx.Bucket(bucketSecrets).Get(number)), nil
}
