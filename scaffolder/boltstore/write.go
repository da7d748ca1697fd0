package boltstore

import (
	"bytes"
	"slices"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// maxCheckpointKey is how many bytes bbolt leaves for the key of a checkpoint.
const maxCheckpointKey = bbolt.MaxKeySize - 8

// next returns the next of the integers that are given out under a key.
func (t *transaction) next(key []byte) (uint64, error) {
	meta := t.tx.Bucket(bucketMeta)
	var n uint64
	if v := meta.Get(key); len(v) == 8 {
		n = order.Uint64(v)
	}
	n++
	return n, meta.Put(key, order.AppendUint64(nil, n))
}

// PutTask implements store.WriteTx.
func (t *transaction) PutTask(task scaffolder.Task) (scaffolder.Task, error) {
	before, err := t.row(task.ID)
	switch {
	case err == nil:
		task.Number = before.task.Number
		if !before.task.Status.Ended() {
			if err := t.tx.Bucket(bucketUnfinished).Delete(order.AppendUint64(nil, before.task.Turn)); err != nil {
				return task, err
			}
		}
	case err != store.ErrNotFound:
		return task, err
	default:
		if task.Number, err = t.newNumber(task.ID); err != nil {
			return task, err
		}
	}
	if task.Turn == 0 {
		if task.Turn, err = t.next(keyTurn); err != nil {
			return task, err
		}
	}
	return task, t.putRow(row{task, before.completion})
}

// newNumber gives a task a number.
func (t *transaction) newNumber(id string) (uint64, error) {
	n, err := t.tx.Bucket(bucketTasks).NextSequence()
	if err != nil {
		return 0, err
	}
	u, err := uuid.Parse(id)
	if err != nil {
		return 0, err
	}
	return n, t.tx.Bucket(bucketIDs).Put(u[:], order.AppendUint64(nil, n))
}

func (t *transaction) putRow(r row) error {
	data, err := r.encode()
	if err != nil {
		return err
	}
	number := order.AppendUint64(nil, r.task.Number)
	if err := t.tx.Bucket(bucketTasks).Put(number, data); err != nil {
		return err
	}
	if r.task.Status.Ended() {
		return nil
	}
	return t.tx.Bucket(bucketUnfinished).Put(order.AppendUint64(nil, r.task.Turn), number)
}

// put stores what belongs to a task under its number and the rest of the key.
func (t *transaction) put(bucket []byte, id string, rest, value []byte) error {
	if len(value) > store.MaxBlob {
		return store.ErrTooLarge
	}
	number, err := t.number(id)
	if err != nil {
		return err
	}
	return t.tx.Bucket(bucket).Put(append(number, rest...), value)
}

// PutSpec implements store.WriteTx.
func (t *transaction) PutSpec(id string, spec []byte) error { return t.put(bucketSpecs, id, nil, spec) }

// Append implements store.WriteTx.
func (t *transaction) Append(e scaffolder.Event) (scaffolder.Event, error) {
	r, err := t.row(e.TaskID)
	if err != nil {
		return e, err
	}
	data, err := encodeEvent(e)
	if err != nil {
		return e, err
	}
	n, err := t.next(keyEvent)
	if err != nil {
		return e, err
	}
	e.ID = int64(n)
	if err := t.put(bucketEvents, e.TaskID, order.AppendUint64(nil, n), data); err != nil {
		return e, err
	}
	if e.Type == scaffolder.EventCompletion {
		r.completion = n
		return e, t.putRow(r)
	}
	return e, nil
}

// DropEvents implements store.WriteTx.
func (t *transaction) DropEvents(id string, types ...scaffolder.EventType) error {
	r, err := t.row(id)
	if err != nil {
		return err
	}
	prefix := order.AppendUint64(nil, r.task.Number)
	bucket := t.tx.Bucket(bucketEvents)
	var drop [][]byte
	c := bucket.Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		e, err := decodeEvent(id, k, v)
		if err != nil {
			return err
		}
		if slices.Contains(types, e.Type) {
			drop = append(drop, slices.Clone(k))
		}
	}
	for _, k := range drop {
		if err := bucket.Delete(k); err != nil {
			return err
		}
	}
	if slices.Contains(types, scaffolder.EventCompletion) && r.completion != 0 {
		r.completion = 0
		return t.putRow(r)
	}
	return nil
}

// PutStep implements store.WriteTx.
func (t *transaction) PutStep(id string, r store.StepRecord) error {
	data, err := encodeStep(r)
	if err != nil {
		return err
	}
	return t.put(bucketSteps, id, order.AppendUint32(nil, uint32(r.Index)), data)
}

// ClearSteps implements store.WriteTx.
func (t *transaction) ClearSteps(id string) error {
	number, err := t.number(id)
	if err != nil {
		return err
	}
	bucket := t.tx.Bucket(bucketSteps)
	var drop [][]byte
	c := bucket.Cursor()
	for k, _ := c.Seek(number); bytes.HasPrefix(k, number); k, _ = c.Next() {
		drop = append(drop, slices.Clone(k))
	}
	for _, k := range drop {
		if err := bucket.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// PutCheckpoint implements store.WriteTx.
func (t *transaction) PutCheckpoint(id, key string, value []byte) error {
	if len(key) > maxCheckpointKey {
		return store.ErrTooLarge
	}
	return t.put(bucketCheckpoints, id, []byte(key), value)
}

// PutSecrets implements store.WriteTx.
func (t *transaction) PutSecrets(id string, sealed []byte) error {
	if sealed != nil {
		return t.put(bucketSecrets, id, nil, sealed)
	}
	number, err := t.number(id)
	if err != nil {
		return err
	}
	return t.tx.Bucket(bucketSecrets).Delete(number)
}
