package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
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
	defaultKills  = 12
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

type crashInput struct {
	Name string `json:"name,omitempty"`
}

// of makes an action that writes down that it was begun.
func (c *childProcess) of(id string, repeatable bool, run func(context.Context, *action.Context, crashInput) error) action.Action {
	return action.New(action.Spec{ID: id, Repeatable: repeatable}, func(ctx context.Context, a *action.Context, in crashInput) error {
		each := ""
		if a.Each != nil {
			each = *a.Each
		}
		c.effect(fmt.Sprintf("start %s %s/%s", a.TaskID, a.Step.ID, each))
		pause()
		return run(ctx, a, in)
	})
}

func (c *childProcess) actions() []action.Action {
	return []action.Action{
		c.of("crash:write", true, func(_ context.Context, a *action.Context, in crashInput) error {
			return a.Workspace.WriteFile(in.Name, []byte("0"), 0o644)
		}),
		c.of("crash:grow", true, crashGrow),
		c.of("crash:once", false, func(context.Context, *action.Context, crashInput) error {
			pause()
			return nil
		}),
		c.of("crash:wait", true, func(ctx context.Context, _ *action.Context, _ crashInput) error {
			select {
			case <-time.After(time.Duration(rand.IntN(5)) * time.Millisecond):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}),
		c.of("crash:checkpoint", true, func(ctx context.Context, a *action.Context, _ crashInput) error {
			_, err := action.Checkpoint(ctx, a, "k", func(context.Context) (string, error) {
				c.effect("checkpoint " + a.TaskID)
				return "x", nil
			})
			pause()
			return err
		}),
		c.of("crash:verify", true, crashVerify),
	}
}

// crashGrow is not idempotent: it only comes out right if a second run finds
// the workspace as the first one did.
func crashGrow(_ context.Context, a *action.Context, _ crashInput) error {
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
}

func crashVerify(_ context.Context, a *action.Context, _ crashInput) error {
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
}
