package once

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"sync"

	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// A Task is what is run.
type Task struct {
	// ID is what expressions and log lines call it.
	ID   string
	Spec scaffolder.Spec
	// Secrets are the caller's, Credentials stand for who runs the task.
	Secrets     map[string]string
	Credentials string
	// DryRun: without effects outside of the workspace.
	DryRun bool
	// HiddenSteps is how many steps the log counts that are none of the spec.
	HiddenSteps int
	// Workspace is the folder to work in, which is made and removed; Quota is
	// how many bytes it may hold, 0 for the default.
	Workspace string
	Quota     int64
	// Event is told each line of the log as it is written, one at a time: the
	// body of an event; nil: nobody is.
	Event func(body []byte)
	// Fault is told of each string that could not be rendered and stays as it
	// is, with the id of its step, "" for the output; nil: nobody is.
	Fault func(stepID string, f nunjucks.Fault)
	// Known returns what a checkpoint is to hold before it was reached; nil:
	// nothing.
	Known func(key string) (value []byte, ok bool)
	// Stopping is closed when no further step is to begin; nil: never.
	Stopping <-chan struct{}
}

// A Result is what a run has done.
type Result struct {
	// Output, Err and Stopped say how it ended.
	runner.Result
	// Log holds the bodies of the log's events.
	Log [][]byte
	// Files are what is in the workspace, also after a failure.
	Files []File
}

// Run runs a task. That a step failed is in the Result; the error is that
// nobody knows how the task ended, or what it left.
func Run(ctx context.Context, r *runner.Runner, t Task) (result *Result, err error) {
	ws, err := workspace.Open(t.Workspace, workspace.Options{Quota: t.Quota})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ws.Destroy()) }()
	n := &notes{event: t.Event, known: t.Known, checkpoints: map[string][]byte{}}
	ended, err := r.Run(ctx, runner.Task{ID: t.ID, Spec: t.Spec, Secrets: t.Secrets, Credentials: t.Credentials,
		DryRun: t.DryRun, HiddenSteps: t.HiddenSteps, Workspace: ws, Journal: n, Fault: t.Fault, Stopping: t.Stopping})
	if err != nil {
		return nil, err
	}
	result = &Result{Result: ended, Log: n.log}
	if ended.Stopped {
		return result, nil
	}
	result.Files, err = collect(ws)
	return result, err
}

// A File is a file of a workspace, with its path below it.
type File struct {
	Path       string
	Content    []byte
	Executable bool
}

// collect reads what is in a workspace: regular files but those of Git, and of
// links those that lead nowhere, as what they say.
func collect(w *workspace.Workspace) ([]File, error) {
	out := []File{}
	err := w.Walk(".", func(name string, info fs.FileInfo) error {
		switch {
		case info.IsDir() && path.Base(name) == ".git":
			return fs.SkipDir
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := w.Readlink(name)
			if err != nil {
				return err
			}
			if _, err := w.Stat(name); errors.Is(err, fs.ErrNotExist) {
				out = append(out, File{Path: name, Content: []byte(target)})
			}
		case info.Mode().IsRegular():
			data, err := w.ReadFile(name, info.Size())
			if err != nil {
				return err
			}
			out = append(out, File{Path: name, Content: data, Executable: info.Mode().Perm()&0o111 != 0})
		}
		return nil
	})
	return out, err
}

// notes is the journal of a run: nothing of it remains.
type notes struct {
	event       func([]byte)
	known       func(string) ([]byte, bool)
	mu          sync.Mutex
	log         [][]byte
	checkpoints map[string][]byte
}

var _ runner.Journal = (*notes)(nil)

// Log implements runner.Journal.
func (n *notes) Log(body []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, body)
	if n.event != nil {
		n.event(body)
	}
}

// Step implements runner.Journal.
func (n *notes) Step(_ store.StepRecord, body []byte) {
	if body != nil {
		n.Log(body)
	}
}

// Sync implements runner.Journal.
func (n *notes) Sync(context.Context) error { return nil }

// Checkpoint implements runner.Journal.
func (n *notes) Checkpoint(key string) ([]byte, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if v, ok := n.checkpoints[key]; ok || n.known == nil {
		return v, ok, nil
	}
	v, ok := n.known(key)
	return v, ok, nil
}

// PutCheckpoint implements runner.Journal.
func (n *notes) PutCheckpoint(_ context.Context, key string, value []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.checkpoints[key] = value
	return nil
}
