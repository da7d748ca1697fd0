package boltstore

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/scaffolder"
)

// Check walks all tasks and returns every violation of the layout that it
// finds: records that cannot be read or belong to nobody, and records that
// contradict each other.
func (s *Store) Check() ([]string, error) {
	c := &checker{rows: map[uint64]row{}}
	err := s.db.View(func(tx *bbolt.Tx) error {
		c.tx = tx
		if tx.Bucket(bucketMeta) == nil {
			return nil // there were never any tasks
		}
		if err := checkFormat(tx); err != nil {
			c.note("%v", err)
			return nil
		}
		c.tasks()
		c.ids()
		c.unfinished()
		c.events()
		c.parts()
		return nil
	})
	return c.found, err
}

type checker struct {
	tx    *bbolt.Tx
	rows  map[uint64]row
	found []string
}

func (c *checker) note(format string, args ...any) {
	c.found = append(c.found, "scaffolder: "+fmt.Sprintf(format, args...))
}

// each visits the records of a bucket whose key begins with a number.
func (c *checker) each(bucket []byte, visit func(number uint64, k, v []byte)) {
	_ = c.tx.Bucket(bucket).ForEach(func(k, v []byte) error {
		if len(k) < 8 {
			c.note("%s has the key %x", bucket, k)
			return nil
		}
		visit(order.Uint64(k), k, v)
		return nil
	})
}

func (c *checker) tasks() {
	c.each(bucketTasks, func(number uint64, k, v []byte) {
		r, err := decodeRow(number, v)
		if err != nil || len(k) != 8 {
			c.note("task %d cannot be read", number)
			return
		}
		c.rows[number] = r
		if r.task.Turn == 0 || r.task.Turn > c.last(keyTurn) {
			c.note("task %s has the turn %d, which was not given out", r.task.ID, r.task.Turn)
		}
		if !json.Valid(c.tx.Bucket(bucketSpecs).Get(k)) {
			c.note("task %s has no spec", r.task.ID)
		}
	})
}

// last returns the last integer that was given out under a key.
func (c *checker) last(key []byte) uint64 {
	if v := c.tx.Bucket(bucketMeta).Get(key); len(v) == 8 {
		return order.Uint64(v)
	}
	return 0
}

func (c *checker) ids() {
	seen := 0
	_ = c.tx.Bucket(bucketIDs).ForEach(func(k, v []byte) error {
		id, err := uuid.FromBytes(k)
		if err != nil || len(v) != 8 || c.rows[order.Uint64(v)].task.ID != id.String() {
			c.note("the id %x leads to no task of that id", k)
			return nil
		}
		seen++
		return nil
	})
	if seen != len(c.rows) {
		c.note("%d of %d tasks are not found by their id", len(c.rows)-seen, len(c.rows))
	}
}

func (c *checker) unfinished() {
	waiting := map[uint64]bool{}
	c.each(bucketUnfinished, func(turn uint64, _, v []byte) {
		if len(v) != 8 {
			c.note("turn %d leads nowhere", turn)
			return
		}
		number := order.Uint64(v)
		r, ok := c.rows[number]
		if !ok || r.task.Turn != turn || r.task.Status.Ended() {
			c.note("turn %d leads to task %d, which does not wait for it", turn, number)
		}
		waiting[number] = true
	})
	for number, r := range c.rows {
		if !r.task.Status.Ended() && !waiting[number] {
			c.note("task %s has not ended and would never go on", r.task.ID)
		}
	}
}

func (c *checker) events() {
	completions := map[uint64]uint64{}
	c.each(bucketEvents, func(number uint64, k, v []byte) {
		e, err := decodeEvent(c.rows[number].task.ID, k, v)
		switch {
		case err != nil:
			c.note("an event of task %d cannot be read", number)
		case !json.Valid(e.Body):
			c.note("event %d has no body", e.ID)
		case uint64(e.ID) > c.last(keyEvent):
			c.note("event %d has an id that was not given out", e.ID)
		}
		if err == nil && e.Type == scaffolder.EventCompletion {
			completions[number] = uint64(e.ID)
		}
	})
	for number, r := range c.rows {
		if completions[number] != r.completion {
			c.note("task %s names event %d as its completion, and has %d", r.task.ID, r.completion, completions[number])
		}
	}
}

// parts looks whether everything else belongs to a task and can be read.
func (c *checker) parts() {
	for _, bucket := range [][]byte{bucketSpecs, bucketEvents, bucketSteps, bucketCheckpoints, bucketSecrets} {
		c.each(bucket, func(number uint64, _, _ []byte) {
			if _, ok := c.rows[number]; !ok {
				c.note("%s has a record of task %d, which there is not", bucket, number)
			}
		})
	}
	c.each(bucketSteps, func(number uint64, k, v []byte) {
		if len(k) != 12 {
			c.note("a step of task %d has the key %x", number, k)
			return
		}
		if r, err := decodeStep("", k, v); err != nil || r.Output != nil && !json.Valid(r.Output) {
			c.note("step %d of task %d cannot be read", order.Uint32(k[8:]), number)
		}
	})
	c.each(bucketCheckpoints, func(number uint64, k, v []byte) {
		if !json.Valid(v) {
			c.note("checkpoint %q of task %d is no JSON", k[8:], number)
		}
	})
}
