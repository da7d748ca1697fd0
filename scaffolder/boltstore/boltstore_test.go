package boltstore_test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/greenroom-idp/greenroom/scaffolder/store/storetest"
)

func openDB(t testing.TB, path string) *bbolt.DB {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, Timeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func open(t testing.TB) (*boltstore.Store, *bbolt.DB) {
	t.Helper()
	db := openDB(t, filepath.Join(t.TempDir(), "tasks.db"))
	s, err := boltstore.New(db)
	require.NoError(t, err)
	return s, db
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s, _ := open(t)
		return s
	})
}

var update = flag.Bool("update", false, "write the golden file anew")

// The bytes of each record, as doc.go says: a change of them is another format.
func TestLayout(t *testing.T) {
	s, db := open(t)
	const id = "8b2d1a5e-7a44-4a3f-9d55-0d6a7c1c9a11"
	at := time.UnixMilli(1_800_000_000_123)
	require.NoError(t, s.Update(func(tx store.WriteTx) error {
		_, err := tx.PutTask(scaffolder.Task{ID: id, Status: scaffolder.Processing, CreatedAt: at, Heartbeat: at.Add(time.Second),
			CreatedBy: "user:default/guest", TemplateRef: "template:default/t", StartsOver: true})
		require.NoError(t, err)
		require.NoError(t, tx.PutSpec(id, []byte(`{"steps":[]}`)))
		for _, kind := range []scaffolder.EventType{scaffolder.EventLog, scaffolder.EventRecovered, scaffolder.EventCancelled, scaffolder.EventCompletion} {
			_, err := tx.Append(scaffolder.Event{TaskID: id, Type: kind, CreatedAt: at, Body: []byte(`{"message":"m"}`)})
			require.NoError(t, err)
		}
		require.NoError(t, tx.PutStep(id, store.StepRecord{Index: 2, Status: scaffolder.Completed, Done: 3, Repeatable: true, Output: []byte(`{"a":1}`), At: at}))
		require.NoError(t, tx.PutCheckpoint(id, "v1.task.checkpoint.a.b", []byte(`"x"`)))
		return tx.PutSecrets(id, []byte{1, 2, 3})
	}))
	var got strings.Builder
	dump(t, db, &got)
	const golden = "testdata/layout-1.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}

func dump(t *testing.T, db *bbolt.DB, w io.Writer) {
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			fmt.Fprintf(w, "%s\n", name)
			return b.ForEach(func(k, v []byte) error {
				_, err := fmt.Fprintf(w, "\t%q\n\t\t%q\n", k, v)
				return err
			})
		})
	}))
}

// A file that a release wrote in format 1 opens, and says what it said.
func TestFileOfFormat1(t *testing.T) {
	const golden = "testdata/format-1.db"
	if *update {
		require.NoError(t, os.RemoveAll(golden))
		db, err := bbolt.Open(golden, 0o644, &bbolt.Options{PageSize: 4096, InitialMmapSize: 1})
		require.NoError(t, err)
		s, err := boltstore.New(db)
		require.NoError(t, err)
		storetest.Compare(t, s, 1, 60)
		require.NoError(t, s.Update(func(tx store.WriteTx) error {
			_, err := tx.PutTask(scaffolder.Task{ID: "8b2d1a5e-7a44-4a3f-9d55-0d6a7c1c9a11", Status: scaffolder.Failed, Held: true, CreatedBy: "user:default/golden"})
			return err
		}))
		require.NoError(t, db.Close())
	}
	data, err := os.ReadFile(golden)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "tasks.db")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	s, err := boltstore.New(openDB(t, path))
	require.NoError(t, err)
	require.NoError(t, s.View(func(tx store.ReadTx) error {
		task, err := tx.Task("8b2d1a5e-7a44-4a3f-9d55-0d6a7c1c9a11")
		require.NoError(t, err)
		require.Equal(t, "user:default/golden", task.CreatedBy)
		require.True(t, task.Held)
		tasks, events := 0, 0
		require.NoError(t, tx.Tasks(false, func(task scaffolder.Task) bool {
			tasks++
			list, _, err := tx.Events(task.ID, 0, 0)
			require.NoError(t, err)
			events += len(list)
			return true
		}))
		require.Greater(t, tasks, 1)
		require.Positive(t, events)
		return nil
	}))
}

func TestFilesThatAreNotOurs(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(tx *bbolt.Tx) error
		want   error
	}{
		{"another format", func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte("scaffolder/meta")).Put([]byte("format"), []byte{0, 0, 0, 9})
		}, boltstore.ErrFormat},
		{"no format", func(tx *bbolt.Tx) error { return tx.Bucket([]byte("scaffolder/meta")).Delete([]byte("format")) }, boltstore.ErrDamaged},
		{"a bucket is missing", func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("scaffolder/events")) }, boltstore.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, db := open(t)
			require.NoError(t, db.Update(c.change))
			_, err := boltstore.New(db)
			require.ErrorIs(t, err, c.want)
		})
	}
}

// Whatever stands in a record, reading it is an error or an answer, and no
// panic.
func TestDamagedRecords(t *testing.T) {
	const id = "8b2d1a5e-7a44-4a3f-9d55-0d6a7c1c9a11"
	for _, bucket := range []string{"ids", "tasks", "events", "steps", "unfinished"} {
		for _, value := range [][]byte{{}, {0}, {9, 9, 9}, []byte(strings.Repeat("\xff", 60))} {
			t.Run(fmt.Sprintf("%s %x", bucket, value), func(t *testing.T) {
				s, db := open(t)
				require.NoError(t, s.Update(func(tx store.WriteTx) error {
					_, err := tx.PutTask(scaffolder.Task{ID: id, Status: scaffolder.Open})
					require.NoError(t, err)
					_, err = tx.Append(scaffolder.Event{TaskID: id, Type: scaffolder.EventLog, Body: []byte("{}")})
					require.NoError(t, err)
					return tx.PutStep(id, store.StepRecord{Status: scaffolder.Completed})
				}))
				require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
					b := tx.Bucket([]byte("scaffolder/" + bucket))
					k, _ := b.Cursor().First()
					return b.Put(append([]byte(nil), k...), value)
				}))
				failed := false
				note := func(err error) { failed = failed || err != nil }
				require.NoError(t, s.View(func(tx store.ReadTx) error {
					_, err := tx.Task(id)
					note(err)
					_, _, err = tx.Events(id, 0, 0)
					note(err)
					_, err = tx.LastStep(id)
					note(err)
					_, err = tx.Steps(id)
					note(err)
					note(tx.Tasks(true, func(scaffolder.Task) bool { return true }))
					note(tx.Unfinished(func(scaffolder.Task) bool { return true }))
					return nil
				}))
				require.True(t, failed, "somebody notices")
			})
		}
	}
}

// Every kind of damage is found, and a sound store has none.
func TestCheck(t *testing.T) {
	const id = "8b2d1a5e-7a44-4a3f-9d55-0d6a7c1c9a11"
	key := []byte{0, 0, 0, 0, 0, 0, 0, 1}
	for _, c := range []struct{ name, bucket, want string }{
		{"sound", "", ""},
		{"a task", "tasks", "cannot be read"},
		{"an id", "ids", "leads to no task"},
		{"a spec", "specs", "has no spec"},
		{"a turn", "unfinished", "would never go on"},
		{"an event", "events", "an event of task 1"},
		{"a step", "steps", "step 0 of task 1"},
		{"a checkpoint", "checkpoints", "is no JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, db := open(t)
			require.NoError(t, s.Update(func(tx store.WriteTx) error {
				_, err := tx.PutTask(scaffolder.Task{ID: id, Status: scaffolder.Open})
				require.NoError(t, err)
				require.NoError(t, tx.PutSpec(id, []byte(`{}`)))
				_, err = tx.Append(scaffolder.Event{TaskID: id, Type: scaffolder.EventCompletion, Body: []byte("{}")})
				require.NoError(t, err)
				require.NoError(t, tx.PutStep(id, store.StepRecord{Status: scaffolder.Completed, Output: []byte(`{}`)}))
				require.NoError(t, tx.PutCheckpoint(id, "k", []byte(`1`)))
				return tx.PutSecrets(id, []byte{1})
			}))
			if c.bucket != "" {
				require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
					b := tx.Bucket([]byte("scaffolder/" + c.bucket))
					k, _ := b.Cursor().First()
					return b.Put(append([]byte(nil), k...), []byte{9})
				}))
			}
			found, err := s.Check()
			require.NoError(t, err)
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.Contains(t, strings.Join(found, "\n"), c.want)
		})
	}
	s, db := open(t)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("scaffolder/secrets")).Put(key, []byte("of nobody"))
	}))
	found, err := s.Check()
	require.NoError(t, err)
	require.Equal(t, []string{"scaffolder: scaffolder/secrets has a record of task 1, which there is not"}, found)
}

func BenchmarkAppend(b *testing.B) {
	s, _ := open(b)
	const id = "8b2d1a5e-7a44-4a3f-9d55-0d6a7c1c9a11"
	require.NoError(b, s.Update(func(tx store.WriteTx) error {
		_, err := tx.PutTask(scaffolder.Task{ID: id, Status: scaffolder.Processing})
		return err
	}))
	body := []byte(`{"message":"a line of the log, as long as they usually are","stepId":"fetch"}`)
	for b.Loop() {
		err := s.Update(func(tx store.WriteTx) error {
			for range 100 {
				if _, err := tx.Append(scaffolder.Event{TaskID: id, Type: scaffolder.EventLog, Body: body}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/event")
}
