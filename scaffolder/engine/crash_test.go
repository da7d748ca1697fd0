package engine_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// TestKill kills the process at random moments, over tasks with all kinds of
// steps, until all tasks have ended.
func TestKill(t *testing.T) {
	kills := defaultKills
	if s := os.Getenv(killsVariable); s != "" {
		var err error
		kills, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d kills", seed, kills)
	k := &killer{t: t, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 1)), seen: map[string][]int64{}, finished: map[string]bool{}}
	tasks := 0
	for n := range kills {
		if n%5 == 0 {
			tasks += 6
		}
		k.round(tasks, true)
	}
	k.round(tasks, false)
	k.check(tasks)
}

// A killer runs children one after the other, and keeps what it learned.
type killer struct {
	t      *testing.T
	dir    string
	random *rand.Rand
	// seen are the events of each task that a child has told of, in order.
	seen map[string][]int64
	// finished are the steps, as task and step, whose end was recorded.
	finished map[string]bool
	effects  int // lines that were looked at
}

// round runs one child, which is killed or may come to its end.
func (k *killer) round(tasks int, kill bool) {
	k.t.Helper()
	last := map[string]int64{}
	for id, events := range k.seen {
		last[id] = events[len(events)-1]
	}
	encoded, err := json.Marshal(last)
	require.NoError(k.t, err)
	executable, err := os.Executable()
	require.NoError(k.t, err)
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), childDir+"="+k.dir, childTasks+"="+strconv.Itoa(tasks), childSeen+"="+string(encoded))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	require.NoError(k.t, err)
	require.NoError(k.t, cmd.Start())
	if kill {
		time.AfterFunc(time.Duration(10+k.random.IntN(120))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	} else {
		defer time.AfterFunc(patience, func() { _ = cmd.Process.Kill() }).Stop()
	}
	k.read(out)
	err = cmd.Wait()
	if !kill {
		require.NoError(k.t, err, complaints.String())
	}
	require.NotContains(k.t, complaints.String(), "panic")
	k.inspect()
}

// read takes what a child tells, up to where it was killed.
func (k *killer) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var id, kind string
		var event int64
		if n, _ := fmt.Sscanf(lines.Text(), "event %s %d %s", &id, &event, &kind); n == 3 {
			k.seen[id] = append(k.seen[id], event)
		}
	}
}

// inspect looks at the store and at what was done since the last time: nothing
// that had a recorded end, and nothing that may run once only without a retry.
func (k *killer) inspect() {
	k.t.Helper()
	data, err := os.ReadFile(filepath.Join(k.dir, "effects"))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	require.NoError(k.t, err)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for _, line := range lines[k.effects:] {
		if step, ok := strings.CutPrefix(line, "start "); ok {
			task, rest, _ := strings.Cut(step, " ")
			id, _, _ := strings.Cut(rest, "/")
			require.False(k.t, k.finished[task+" "+id], "a step with a recorded end ran again: %s", line)
		}
	}
	k.effects = len(lines)
	k.view(func(tx store.ReadTx) error {
		return tx.Tasks(false, func(task scaffolder.Task) bool {
			events, _, err := tx.Events(task.ID, 0, 0)
			require.NoError(k.t, err)
			known := map[int64]bool{}
			for _, e := range events {
				known[e.ID] = true
				body := mustObject(string(e.Body))
				if body.String("status") == "completed" && e.Type == scaffolder.EventLog {
					k.finished[task.ID+" "+body.String("stepId")] = true
				}
			}
			if task.Status != scaffolder.Open { // a retry drops the completion
				return true
			}
			for _, id := range k.seen[task.ID] {
				if !known[id] {
					k.t.Logf("event %d of %s was dropped by a retry", id, task.ID)
				}
			}
			return true
		})
	})
}

func (k *killer) view(fn func(store.ReadTx) error) {
	db, err := bbolt.Open(filepath.Join(k.dir, "tasks.db"), 0o600, &bbolt.Options{Timeout: 10 * time.Second})
	require.NoError(k.t, err)
	s, err := boltstore.New(db)
	require.NoError(k.t, err)
	found, err := s.Check()
	require.NoError(k.t, err)
	require.Empty(k.t, found, "the store is sound")
	require.NoError(k.t, s.View(fn))
	require.NoError(k.t, db.Close())
}

// check looks at the end of all tasks.
func (k *killer) check(tasks int) {
	data, err := os.ReadFile(filepath.Join(k.dir, "effects"))
	require.NoError(k.t, err)
	starts, retries, checkpoints := map[string]int{}, map[string]int{}, map[string]int{}
	for line := range strings.Lines(string(data)) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch kind {
		case "start":
			starts[rest]++
		case "retry":
			retries[rest]++
		case "checkpoint":
			checkpoints[rest]++
		}
	}
	count := 0
	k.view(func(tx store.ReadTx) error {
		return tx.Tasks(false, func(task scaffolder.Task) bool {
			count++
			events, _, err := tx.Events(task.ID, 0, 0)
			require.NoError(k.t, err)
			last := events[len(events)-1]
			require.Equal(k.t, scaffolder.Completed, task.Status, string(last.Body))
			require.JSONEq(k.t, `{"message":"Run completed with status: completed","output":{"count":"5","files":5,"grown":[2,3,4]}}`, string(last.Body),
				"every step took effect once, on the workspace as it was")
			k.checkStream(task.ID, events)
			for _, step := range []string{"once/", "eachOnce/x", "eachOnce/y"} {
				require.LessOrEqual(k.t, starts[task.ID+" "+step], 1+retries[task.ID], "a step that must not run twice needs a retry to do so")
			}
			require.Positive(k.t, checkpoints[task.ID])
			secrets, err := tx.Secrets(task.ID)
			require.NoError(k.t, err)
			require.Nil(k.t, secrets, "erased with the end of the task")
			return true
		})
	})
	require.Equal(k.t, tasks, count)
	left, err := os.ReadDir(filepath.Join(k.dir, "workspaces"))
	require.NoError(k.t, err)
	require.Empty(k.t, left)
	k.t.Logf("%d tasks, %d starts of actions, %d retries", count, len(starts), len(retries))
}

// checkStream: who followed a task over all restarts has seen every event once.
// Completions of attempts that were interrupted are gone by now.
func (k *killer) checkStream(id string, events []scaffolder.Event) {
	var stored []int64
	for _, e := range events {
		stored = append(stored, e.ID)
	}
	seen := k.seen[id]
	require.True(k.t, slices.IsSorted(seen))
	require.Len(k.t, slices.Compact(slices.Clone(seen)), len(seen), "no event twice")
	for _, e := range stored {
		require.Contains(k.t, seen, e, "no event is lost")
	}
	dropped := len(seen) - len(stored)
	require.GreaterOrEqual(k.t, dropped, 0)
	recovered := 0
	for _, e := range events {
		if e.Type == scaffolder.EventRecovered {
			recovered++
		}
	}
	require.LessOrEqual(k.t, dropped, recovered, "only completions of interrupted attempts are dropped, as there is a retry after each")
}
