package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// A child process runs tasks until it is killed, and another one goes on. What
// its actions do outside of the process is in a file that only grows; what its
// watchers are told is on its standard output.

const (
	childDir   = "SCAFFOLDER_TEST_DIR"
	childTasks = "SCAFFOLDER_TEST_TASKS"
	childSeen  = "SCAFFOLDER_TEST_SEEN"
	// killsVariable says how often to kill; the default suits every run of the
	// tests.
	killsVariable = "SCAFFOLDER_KILLS"
	defaultKills  = 15
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A childProcess is what the child works with.
type childProcess struct {
	effects *os.File
	engine  *engine.Engine
	out     sync.Mutex
	seen    map[string]int64 // the last event of each task that the parent has
}

// child takes up the tasks in a folder, creates those that are missing, follows
// their events, and ends when all have.
func child(dir string) error {
	c := &childProcess{seen: map[string]int64{}}
	var err error
	if c.effects, err = os.OpenFile(filepath.Join(dir, "effects"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(os.Getenv(childSeen)), &c.seen); err != nil {
		return err
	}
	db, err := bbolt.Open(filepath.Join(dir, "tasks.db"), 0o600, &bbolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		return err
	}
	s, err := boltstore.New(db)
	if err != nil {
		return err
	}
	actions, err := action.NewRegistry(c.actions()...)
	if err != nil {
		return err
	}
	c.engine, err = engine.New(engine.Options{Store: s, Runner: runner.Options{Actions: actions}, Concurrency: 4,
		Workspaces: filepath.Join(dir, "workspaces"), Key: bytes.Repeat([]byte{9}, engine.KeySize),
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	if err := c.engine.Start(context.Background()); err != nil {
		return err
	}
	ids, err := c.tasks()
	if err != nil {
		return err
	}
	var followers sync.WaitGroup
	for _, id := range ids {
		followers.Add(1)
		go func() {
			defer followers.Done()
			if err := c.follow(id); err != nil {
				fmt.Fprintln(os.Stderr, "follow:", err)
				os.Exit(1)
			}
		}()
	}
	followers.Wait()
	if err := c.engine.Shutdown(context.Background()); err != nil {
		return err
	}
	return db.Close()
}

// tasks retries what waits for that, and creates what is missing.
func (c *childProcess) tasks() ([]string, error) {
	want, err := strconv.Atoi(os.Getenv(childTasks))
	if err != nil {
		return nil, err
	}
	listed, _, err := c.engine.Tasks(engine.Query{Limit: -1})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, t := range listed {
		ids = append(ids, t.ID)
		if t.Held {
			c.effect("retry " + t.ID)
			if err := c.engine.Retry(context.Background(), t.ID, engine.Request{}); err != nil {
				return nil, err
			}
		}
	}
	for len(ids) < want {
		id, err := c.engine.Create(context.Background(), engine.Request{Spec: crashSpec(), Secrets: map[string]string{"token": "a-secret-of-the-task"}})
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// follow tells the parent of every event after the last that it has.
func (c *childProcess) follow(id string) error {
	w := c.engine.Watch(id)
	defer w.Close()
	after := c.seen[id]
	for {
		events, err := c.engine.Events(id, after)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.ID > after {
				c.out.Lock()
				fmt.Printf("event %s %d %s\n", id, e.ID, e.Type)
				c.out.Unlock()
				after = e.ID
			}
			if e.Type == scaffolder.EventCompletion {
				t, _, err := c.engine.Task(id)
				if err != nil || !t.Held {
					return err
				}
			}
		}
		<-w.C()
	}
}

// effect writes something down that no crash takes back.
func (c *childProcess) effect(line string) {
	if _, err := c.effects.WriteString(line + "\n"); err != nil {
		panic(err)
	}
}

func crashSpec() scaffolder.Spec {
	steps := []any{}
	for _, s := range []string{
		`{"id":"write","action":"crash:write","input":{"name":"a.txt"}}`,
		`{"id":"grow1","action":"crash:grow"}`,
		`{"id":"skipped","action":"crash:grow","if":"${{ parameters.nothing }}"}`,
		`{"id":"once","action":"crash:once"}`,
		`{"id":"each","action":"crash:grow","each":["a","b","c"]}`,
		`{"id":"wait","action":"crash:wait"}`,
		`{"id":"checkpoint","action":"crash:checkpoint"}`,
		`{"id":"eachOnce","action":"crash:once","each":{"x":1,"y":2}}`,
		`{"id":"grow2","action":"crash:grow"}`,
		`{"id":"always","action":"crash:wait","if":"${{ always() }}"}`,
		`{"id":"verify","action":"crash:verify"}`,
	} {
		steps = append(steps, mustObject(s))
	}
	return scaffolder.Spec{Object: jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: scaffolder.APIVersion},
		jsonvalue.Member{Key: "steps", Value: scaffolder.NamedSteps(objectsOf(steps))},
		jsonvalue.Member{Key: "output", Value: mustObject(`{"count":"${{ steps.verify.output.count }}","files":"${{ steps.verify.output.files }}","grown":"${{ steps.each.output.count }}"}`)},
		jsonvalue.Member{Key: "parameters", Value: jsonvalue.NewObject()},
	)}
}

func objectsOf(list []any) []*jsonvalue.Object {
	out := make([]*jsonvalue.Object, len(list))
	for i, x := range list {
		out[i] = x.(*jsonvalue.Object)
	}
	return out
}

// pause takes a moment, in which the process may be killed.
func pause() { time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) }

func (c *childProcess) actions() []action.Action {
	type none struct {
		Name string `json:"name,omitempty"`
	}
	start := func(ctx *action.Context) {
		each := ""
		if ctx.Each != nil {
			each = *ctx.Each
		}
		c.effect(fmt.Sprintf("start %s %s/%s", ctx.TaskID, ctx.Step.ID, each))
		pause()
	}
	of := func(id string, repeatable bool, run func(context.Context, *action.Context, none) error) action.Action {
		return action.New(action.Spec{ID: id, Repeatable: repeatable}, func(ctx context.Context, a *action.Context, in none) error {
			start(a)
			return run(ctx, a, in)
		})
	}
	return []action.Action{
		of("crash:write", true, func(_ context.Context, a *action.Context, in none) error {
			return a.Workspace.WriteFile(in.Name, []byte("0"), 0o644)
		}),
		// grow is not idempotent: it only comes out right if a second run finds
		// the workspace as the first one did.
		of("crash:grow", true, func(_ context.Context, a *action.Context, _ none) error {
			data, err := a.Workspace.ReadFile("a.txt", 100)
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(string(data))
			if err != nil {
				return fmt.Errorf("half of a file: %q", data)
			}
			if err := a.Workspace.WriteFile("dir/"+strconv.Itoa(n), data, 0o644); err != nil {
				return err
			}
			pause()
			if err := a.Workspace.WriteFile("a.txt", []byte(strconv.Itoa(n+1)), 0o644); err != nil {
				return err
			}
			pause()
			if err := a.Workspace.Rename("dir/"+strconv.Itoa(n), "done/"+strconv.Itoa(n), false); err != nil {
				return err
			}
			a.Infof("grown to %d", n+1)
			a.Output("count", float64(n+1))
			return nil
		}),
		of("crash:once", false, func(_ context.Context, a *action.Context, _ none) error {
			pause()
			return nil
		}),
		of("crash:wait", true, func(ctx context.Context, _ *action.Context, _ none) error {
			select {
			case <-time.After(time.Duration(rand.IntN(5)) * time.Millisecond):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}),
		of("crash:checkpoint", true, func(ctx context.Context, a *action.Context, _ none) error {
			_, err := action.Checkpoint(ctx, a, "k", func(context.Context) (string, error) {
				c.effect("checkpoint " + a.TaskID)
				return "x", nil
			})
			pause()
			return err
		}),
		of("crash:verify", true, func(_ context.Context, a *action.Context, _ none) error {
			if a.Secrets["token"] != "a-secret-of-the-task" && a.Secrets["token"] != "" {
				return errors.New("the secrets are not those of the task")
			}
			data, err := a.Workspace.ReadFile("a.txt", 100)
			if err != nil {
				return err
			}
			entries, err := a.Workspace.ReadDir("done")
			if err != nil {
				return err
			}
			a.Output("count", string(data))
			a.Output("files", float64(len(entries)))
			return nil
		}),
	}
}

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
			events, err := tx.Events(task.ID, 0)
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
			events, err := tx.Events(task.ID, 0)
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
