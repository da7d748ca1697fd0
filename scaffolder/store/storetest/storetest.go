package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// Run asks an implementation for all that store.Store promises. The function
// opens a new and empty store, and sees to its end with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, b := range []struct {
		name string
		run  func(t *testing.T, s store.Store)
	}{
		{"an empty store", empty},
		{"nothing remains of what fails", atomic},
		{"tasks", tasks},
		{"turns", turns},
		{"events", events},
		{"events in pages", pages},
		{"events of several tasks", eventsApart},
		{"the last step", lastStep},
		{"the journal", journal},
		{"checkpoints", checkpoints},
		{"secrets", sealed},
		{"nothing without a task", withoutTask},
		{"what is too large", tooLarge},
	} {
		t.Run(b.name, func(t *testing.T) { b.run(t, open(t)) })
	}
	t.Run("random operations", func(t *testing.T) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		Compare(t, open(t), seed, 400)
	})
}

func view(t *testing.T, s store.Store, fn func(store.ReadTx)) {
	t.Helper()
	require.NoError(t, s.View(func(tx store.ReadTx) error { fn(tx); return nil }))
}

func update(t *testing.T, s store.Store, fn func(store.WriteTx)) {
	t.Helper()
	require.NoError(t, s.Update(func(tx store.WriteTx) error { fn(tx); return nil }))
}

// moment is a time as stores keep it: to the millisecond.
func moment(n int) time.Time { return time.UnixMilli(1_800_000_000_000 + int64(n)).UTC() }

func newTask(n int) scaffolder.Task {
	return scaffolder.Task{ID: uuid.NewString(), Status: scaffolder.Open, CreatedAt: moment(n),
		CreatedBy: "user:default/u", TemplateRef: "template:default/t"}
}

// put stores a task and returns what the store made of it.
func put(t *testing.T, s store.Store, task scaffolder.Task) scaffolder.Task {
	t.Helper()
	update(t, s, func(tx store.WriteTx) {
		var err error
		task, err = tx.PutTask(task)
		require.NoError(t, err)
	})
	return task
}

func empty(t *testing.T, s store.Store) {
	view(t, s, func(tx store.ReadTx) {
		require.NoError(t, tx.Tasks(false, func(scaffolder.Task) bool { t.Fatal("there is none"); return false }))
		require.NoError(t, tx.Unfinished(func(scaffolder.Task) bool { t.Fatal("there is none"); return false }))
		_, err := tx.Task(uuid.NewString())
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}

var errFault = errors.New("fault")

func atomic(t *testing.T, s store.Store) {
	task := put(t, s, newTask(1))
	require.ErrorIs(t, s.Update(func(tx store.WriteTx) error {
		changed := task
		changed.Status = scaffolder.Completed
		_, err := tx.PutTask(changed)
		require.NoError(t, err)
		_, err = tx.Append(scaffolder.Event{TaskID: task.ID, Type: scaffolder.EventLog, Body: []byte("{}")})
		require.NoError(t, err)
		got, _, err := tx.Events(task.ID, 0, 0)
		require.NoError(t, err)
		require.Len(t, got, 1, "a transaction reads what it wrote")
		return errFault
	}), errFault)
	view(t, s, func(tx store.ReadTx) {
		got, err := tx.Task(task.ID)
		require.NoError(t, err)
		require.Equal(t, task, got)
		list, _, err := tx.Events(task.ID, 0, 0)
		require.NoError(t, err)
		require.Empty(t, list)
	})
	require.ErrorIs(t, s.View(func(store.ReadTx) error { return errFault }), errFault)
}

func tasks(t *testing.T, s store.Store) {
	var ids []string
	for i := range 5 {
		task := put(t, s, newTask(i))
		require.EqualValues(t, i+1, task.Number)
		ids = append(ids, task.ID)
	}
	changed := scaffolder.Task{ID: ids[2], Status: scaffolder.Failed, CreatedAt: moment(7), Heartbeat: moment(8), Turn: 3,
		StartsOver: true, Held: true, CreatedBy: "", TemplateRef: ""}
	changed = put(t, s, changed)
	require.EqualValues(t, 3, changed.Number, "a task keeps its number")
	view(t, s, func(tx store.ReadTx) {
		got, err := tx.Task(ids[2])
		require.NoError(t, err)
		require.Equal(t, changed, got)
		for newestFirst, want := range map[bool][]string{false: ids[:3], true: {ids[4], ids[3], ids[2]}} {
			var found []string
			require.NoError(t, tx.Tasks(newestFirst, func(task scaffolder.Task) bool {
				found = append(found, task.ID)
				return len(found) < 3
			}))
			require.Equal(t, want, found)
		}
	})
	update(t, s, func(tx store.WriteTx) { require.NoError(t, tx.PutSpec(ids[0], []byte(`{"a":1}`))) })
	view(t, s, func(tx store.ReadTx) {
		spec, err := tx.Spec(ids[0])
		require.NoError(t, err)
		require.Equal(t, `{"a":1}`, string(spec))
		spec[0] = 'x' // what is handed out is the caller's own
		again, err := tx.Spec(ids[0])
		require.NoError(t, err)
		require.Equal(t, `{"a":1}`, string(again))
	})
}

func turns(t *testing.T, s store.Store) {
	var ids []string
	for i := range 4 {
		ids = append(ids, put(t, s, newTask(i)).ID)
	}
	set := func(id string, status scaffolder.Status, again bool) {
		update(t, s, func(tx store.WriteTx) {
			task, err := tx.Task(id)
			require.NoError(t, err)
			task.Status = status
			if again {
				task.Turn = 0
			}
			_, err = tx.PutTask(task)
			require.NoError(t, err)
		})
	}
	unfinished := func() []string {
		var out []string
		view(t, s, func(tx store.ReadTx) {
			require.NoError(t, tx.Unfinished(func(task scaffolder.Task) bool { out = append(out, task.ID); return true }))
		})
		return out
	}
	require.Equal(t, ids, unfinished())
	set(ids[0], scaffolder.Processing, false)
	require.Equal(t, ids, unfinished(), "one that runs keeps its turn")
	set(ids[0], scaffolder.Completed, false)
	set(ids[2], scaffolder.Failed, false)
	require.Equal(t, []string{ids[1], ids[3]}, unfinished())
	set(ids[0], scaffolder.Open, true)
	require.Equal(t, []string{ids[1], ids[3], ids[0]}, unfinished(), "one that is retried waits behind all others")
}

func add(t *testing.T, s store.Store, id string, kind scaffolder.EventType, body string) int64 {
	t.Helper()
	var e scaffolder.Event
	update(t, s, func(tx store.WriteTx) {
		var err error
		e, err = tx.Append(scaffolder.Event{TaskID: id, Type: kind, CreatedAt: moment(1), Body: []byte(body)})
		require.NoError(t, err)
	})
	return e.ID
}

func idsAfter(t *testing.T, s store.Store, id string, after int64) []int64 {
	t.Helper()
	var out []int64
	view(t, s, func(tx store.ReadTx) {
		list, more, err := tx.Events(id, after, 0)
		require.False(t, more)
		require.NoError(t, err)
		for _, e := range list {
			require.Equal(t, id, e.TaskID)
			require.Equal(t, moment(1), e.CreatedAt)
			out = append(out, e.ID)
		}
	})
	return out
}

func events(t *testing.T, s store.Store) {
	id := put(t, s, newTask(1)).ID
	require.Empty(t, idsAfter(t, s, id, 0))
	a := add(t, s, id, scaffolder.EventLog, `{"message":"a"}`)
	b := add(t, s, id, scaffolder.EventCancelled, `{}`)
	c := add(t, s, id, scaffolder.EventCompletion, `{}`)
	d := add(t, s, id, scaffolder.EventRecovered, `{}`)
	require.Equal(t, []int64{a, b, c, d}, idsAfter(t, s, id, 0))
	require.Equal(t, []int64{a, b, c, d}, idsAfter(t, s, id, -5))
	require.Equal(t, []int64{b, c, d}, idsAfter(t, s, id, a))
	require.Equal(t, []int64{c, d}, idsAfter(t, s, id, c), "the completion comes whatever comes after")
	require.Equal(t, []int64{c}, idsAfter(t, s, id, d+100))
	update(t, s, func(tx store.WriteTx) {
		require.NoError(t, tx.DropEvents(id, scaffolder.EventCompletion, scaffolder.EventCancelled))
	})
	require.Equal(t, []int64{a, d}, idsAfter(t, s, id, 0))
	require.Empty(t, idsAfter(t, s, id, d))
	e := add(t, s, id, scaffolder.EventLog, `{}`)
	require.Greater(t, e, d, "ids are never given out again")
	view(t, s, func(tx store.ReadTx) {
		list, _, err := tx.Events(id, 0, 0)
		require.NoError(t, err)
		require.Equal(t, `{"message":"a"}`, string(list[0].Body))
		require.Equal(t, scaffolder.EventRecovered, list[1].Type)
	})
}

// pages reads the events of a task piece by piece.
func pages(t *testing.T, s store.Store) {
	id := put(t, s, newTask(1)).ID
	var want []int64
	for range 10 {
		want = append(want, add(t, s, id, scaffolder.EventLog, `{"message":"ten bytes or so"}`))
	}
	want = append(want, add(t, s, id, scaffolder.EventCompletion, `{}`))
	for _, limit := range []int{1, 30, 60, 1000} {
		var got []int64
		after, more := int64(0), true
		for more {
			view(t, s, func(tx store.ReadTx) {
				var list []scaffolder.Event
				var err error
				list, more, err = tx.Events(id, after, limit)
				require.NoError(t, err)
				require.NotEmpty(t, list)
				for _, e := range list {
					got = append(got, e.ID)
					after = e.ID
				}
			})
		}
		require.Equal(t, want, got, "limit %d: no event is lost, and the completion comes last", limit)
	}
}

func eventsApart(t *testing.T, s store.Store) {
	a, b := put(t, s, newTask(1)).ID, put(t, s, newTask(2)).ID
	var wantA, wantB []int64
	for range 10 {
		wantA = append(wantA, add(t, s, a, scaffolder.EventLog, `{}`))
		wantB = append(wantB, add(t, s, b, scaffolder.EventLog, `{}`))
	}
	require.Equal(t, wantA, idsAfter(t, s, a, 0))
	require.Equal(t, wantB, idsAfter(t, s, b, 0))
	require.Greater(t, wantB[0], wantA[0], "one sequence for all tasks")
	update(t, s, func(tx store.WriteTx) { require.NoError(t, tx.DropEvents(a, scaffolder.EventLog)) })
	require.Empty(t, idsAfter(t, s, a, 0))
	require.Equal(t, wantB, idsAfter(t, s, b, 0))
}

func lastStep(t *testing.T, s store.Store) {
	id, other := put(t, s, newTask(1)).ID, put(t, s, newTask(2)).ID
	last := func(id string) (step string) {
		view(t, s, func(tx store.ReadTx) {
			var err error
			step, err = tx.LastStep(id)
			require.NoError(t, err)
		})
		return step
	}
	require.Empty(t, last(id))
	add(t, s, id, scaffolder.EventLog, `{"message":"Starting up"}`)
	require.Empty(t, last(id))
	add(t, s, id, scaffolder.EventLog, `{"stepId":"a"}`)
	add(t, s, id, scaffolder.EventLog, `{"stepId":"b"}`)
	add(t, s, id, scaffolder.EventLog, `{"message":"x"}`)
	add(t, s, other, scaffolder.EventLog, `{"stepId":"of another task"}`)
	require.Equal(t, "b", last(id))
	require.Equal(t, "of another task", last(other))
}

func journal(t *testing.T, s store.Store) {
	id, other := put(t, s, newTask(1)).ID, put(t, s, newTask(2)).ID
	records := []store.StepRecord{
		{Index: 0, Status: scaffolder.Completed, Repeatable: true, Output: []byte(`{"a":1}`), At: moment(1)},
		{Index: 1, Status: scaffolder.Skipped, At: moment(2)},
		{Index: 300, Status: scaffolder.Processing, Done: 7, At: moment(3)},
	}
	update(t, s, func(tx store.WriteTx) {
		for _, i := range []int{2, 0, 1} {
			require.NoError(t, tx.PutStep(id, records[i]))
		}
		require.NoError(t, tx.PutStep(other, records[0]))
		records[1].Status = scaffolder.Failed
		require.NoError(t, tx.PutStep(id, records[1]))
	})
	got := func(id string) (list []store.StepRecord) {
		view(t, s, func(tx store.ReadTx) {
			var err error
			list, err = tx.Steps(id)
			require.NoError(t, err)
		})
		return list
	}
	require.Equal(t, records, got(id))
	update(t, s, func(tx store.WriteTx) { require.NoError(t, tx.ClearSteps(id)) })
	require.Empty(t, got(id))
	require.Len(t, got(other), 1)
}

func checkpoints(t *testing.T, s store.Store) {
	id, other := put(t, s, newTask(1)).ID, put(t, s, newTask(2)).ID
	update(t, s, func(tx store.WriteTx) {
		require.NoError(t, tx.PutCheckpoint(id, "k", []byte(`1`)))
		require.NoError(t, tx.PutCheckpoint(id, "k", []byte(`2`)))
		require.NoError(t, tx.PutCheckpoint(id, "", []byte(`null`)))
	})
	view(t, s, func(tx store.ReadTx) {
		for key, want := range map[string]string{"k": "2", "": "null"} {
			v, ok, err := tx.Checkpoint(id, key)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, want, string(v))
		}
		_, ok, err := tx.Checkpoint(id, "gone")
		require.NoError(t, err)
		require.False(t, ok)
		_, ok, err = tx.Checkpoint(other, "k")
		require.NoError(t, err)
		require.False(t, ok)
	})
}

func sealed(t *testing.T, s store.Store) {
	id := put(t, s, newTask(1)).ID
	get := func() (v []byte) {
		view(t, s, func(tx store.ReadTx) {
			var err error
			v, err = tx.Secrets(id)
			require.NoError(t, err)
		})
		return v
	}
	require.Nil(t, get())
	update(t, s, func(tx store.WriteTx) { require.NoError(t, tx.PutSecrets(id, []byte{1, 2})) })
	require.Equal(t, []byte{1, 2}, get())
	update(t, s, func(tx store.WriteTx) { require.NoError(t, tx.PutSecrets(id, nil)) })
	require.Nil(t, get())
	update(t, s, func(tx store.WriteTx) { require.NoError(t, tx.PutSecrets(id, nil), "there is nothing to remove") })
}

func withoutTask(t *testing.T, s store.Store) {
	id := uuid.NewString()
	for name, call := range map[string]func(tx store.WriteTx) error{
		"Task":       func(tx store.WriteTx) error { _, err := tx.Task(id); return err },
		"Spec":       func(tx store.WriteTx) error { _, err := tx.Spec(id); return err },
		"Events":     func(tx store.WriteTx) error { _, _, err := tx.Events(id, 0, 0); return err },
		"LastStep":   func(tx store.WriteTx) error { _, err := tx.LastStep(id); return err },
		"Steps":      func(tx store.WriteTx) error { _, err := tx.Steps(id); return err },
		"Checkpoint": func(tx store.WriteTx) error { _, _, err := tx.Checkpoint(id, "k"); return err },
		"Secrets":    func(tx store.WriteTx) error { _, err := tx.Secrets(id); return err },
		"PutSpec":    func(tx store.WriteTx) error { return tx.PutSpec(id, []byte("{}")) },
		"Append": func(tx store.WriteTx) error {
			_, err := tx.Append(scaffolder.Event{TaskID: id, Type: scaffolder.EventLog, Body: []byte("{}")})
			return err
		},
		"DropEvents":    func(tx store.WriteTx) error { return tx.DropEvents(id, scaffolder.EventLog) },
		"PutStep":       func(tx store.WriteTx) error { return tx.PutStep(id, store.StepRecord{Status: scaffolder.Completed}) },
		"ClearSteps":    func(tx store.WriteTx) error { return tx.ClearSteps(id) },
		"PutCheckpoint": func(tx store.WriteTx) error { return tx.PutCheckpoint(id, "k", []byte("1")) },
		"PutSecrets":    func(tx store.WriteTx) error { return tx.PutSecrets(id, []byte{1}) },
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, s.Update(call), store.ErrNotFound)
		})
	}
	for _, odd := range []string{"", "nope", "00000000-0000-0000-0000-00000000000g", "{" + id + "}", "urn:uuid:" + id} {
		view(t, s, func(tx store.ReadTx) {
			_, err := tx.Task(odd)
			require.ErrorIs(t, err, store.ErrNotFound, odd)
		})
	}
}

func tooLarge(t *testing.T, s store.Store) {
	id := put(t, s, newTask(1)).ID
	big := make([]byte, store.MaxBlob+1)
	for name, call := range map[string]func(tx store.WriteTx) error{
		"spec": func(tx store.WriteTx) error { return tx.PutSpec(id, big) },
		"event": func(tx store.WriteTx) error {
			_, err := tx.Append(scaffolder.Event{TaskID: id, Type: scaffolder.EventLog, Body: big})
			return err
		},
		"step": func(tx store.WriteTx) error {
			return tx.PutStep(id, store.StepRecord{Status: scaffolder.Completed, Output: big})
		},
		"checkpoint": func(tx store.WriteTx) error { return tx.PutCheckpoint(id, "k", big) },
	} {
		require.ErrorIs(t, s.Update(call), store.ErrTooLarge, name)
	}
}

// Compare does the same random operations with a store and with one in memory,
// and asks both for everything from time to time.
func Compare(t *testing.T, s store.Store, seed uint64, operations int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	model := NewMemory()
	var ids []string
	for n := range operations {
		if len(ids) == 0 || r.IntN(10) == 0 {
			ids = append(ids, uuid.NewString())
		}
		id := ids[r.IntN(len(ids))]
		op := randomOperation(r, n, id)
		require.Equal(t, fmt.Sprint(model.Update(op)), fmt.Sprint(s.Update(op)), "operation %d", n)
		if n%20 == 0 || n == operations-1 {
			require.Equal(t, dump(t, model, ids), dump(t, s, ids), "after operation %d", n)
		}
	}
}

func randomOperation(r *rand.Rand, n int, id string) func(store.WriteTx) error {
	statuses := []scaffolder.Status{scaffolder.Open, scaffolder.Processing, scaffolder.Completed, scaffolder.Failed}
	kinds := []scaffolder.EventType{scaffolder.EventLog, scaffolder.EventLog, scaffolder.EventCancelled, scaffolder.EventRecovered}
	kind, status, pick, flag := kinds[r.IntN(len(kinds))], statuses[r.IntN(len(statuses))], r.IntN(12), r.IntN(2) == 0
	return func(tx store.WriteTx) error {
		var err error
		switch pick {
		case 0, 1:
			task, known := tx.Task(id)
			if known != nil {
				task = scaffolder.Task{ID: id, CreatedAt: moment(n), CreatedBy: "user:default/u"}
			}
			task.Status, task.Held, task.Heartbeat = status, flag, moment(n)
			if flag {
				task.Turn = 0
			}
			_, err = tx.PutTask(task)
		case 2, 3, 4:
			_, err = tx.Append(scaffolder.Event{TaskID: id, Type: kind, CreatedAt: moment(n), Body: fmt.Appendf(nil, `{"stepId":"s%d"}`, n)})
		case 5:
			if err = tx.DropEvents(id, scaffolder.EventCompletion); err == nil && flag {
				_, err = tx.Append(scaffolder.Event{TaskID: id, Type: scaffolder.EventCompletion, CreatedAt: moment(n), Body: []byte("{}")})
			}
		case 6:
			err = tx.DropEvents(id, kind)
		case 7:
			err = tx.PutStep(id, store.StepRecord{Index: n % 5, Status: status, Done: n, Repeatable: flag, At: moment(n)})
		case 8:
			err = tx.ClearSteps(id)
		case 9:
			err = tx.PutCheckpoint(id, fmt.Sprint(n%3), fmt.Append(nil, n))
		case 10:
			err = tx.PutSecrets(id, fmt.Append(nil, n))
		case 11:
			err = errors.Join(tx.PutSecrets(id, nil))
		}
		if err == nil && n%13 == 0 {
			return errFault // and nothing of it remains
		}
		return err
	}
}

// dump writes down all that a store says.
func dump(t *testing.T, s store.Store, ids []string) []string {
	t.Helper()
	var out []string
	view(t, s, func(tx store.ReadTx) {
		note := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
		require.NoError(t, tx.Tasks(true, func(task scaffolder.Task) bool { note("task %+v", task); return true }))
		require.NoError(t, tx.Unfinished(func(task scaffolder.Task) bool { note("unfinished %s", task.ID); return true }))
		for _, id := range ids {
			for _, after := range []int64{0, 20, 1 << 40} {
				list, more, err := tx.Events(id, after, int(after%50))
				note("events %d %v %v", after, more, err)
				for _, e := range list {
					note("  %d %s %s %s", e.ID, e.Type, e.CreatedAt, e.Body)
				}
			}
			step, err := tx.LastStep(id)
			note("last %s %v", step, err)
			records, err := tx.Steps(id)
			note("steps %+v %v", records, err)
			for k := range 3 {
				v, ok, err := tx.Checkpoint(id, fmt.Sprint(k))
				note("checkpoint %d %s %v %v", k, v, ok, err)
			}
			v, err := tx.Secrets(id)
			note("secrets %s %v", v, err)
		}
	})
	return out
}
