package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// DryRunRef is the ref that templates have in a dry-run.
const DryRunRef = "template:default/dry-run"

// A DryRun is a template that somebody wants to see run without effects.
type DryRun struct {
	Template *scaffolder.Template
	// Submission has no TemplateRef and BaseURL: they are those of dry-runs.
	Submission  scaffolder.Submission
	Secrets     map[string]string
	Credentials string
	// Files are those beside the template.
	Files []DryRunFile
}

// A DryRunFile is a file with its path below the template.
type DryRunFile struct {
	Path       string
	Content    []byte
	Executable bool
}

// A DryRunResult is what a dry-run has done.
type DryRunResult struct {
	// Log holds the bodies of the log's events.
	Log [][]byte
	// Files are what is in the workspace.
	Files  []DryRunFile
	Output any
	Steps  []any
}

// A StepError says that a step of a dry-run failed: the template is to blame, or
// what it was given.
type StepError struct{ Err error }

func (e *StepError) Error() string { return e.Err.Error() }

// Unwrap returns the error of the step.
func (e *StepError) Unwrap() error { return e.Err }

// DryRun runs a template without effects outside of a workspace of its own,
// while the caller waits. That of a step is a *StepError.
func (e *Engine) DryRun(ctx context.Context, d DryRun) (r *DryRunResult, err error) {
	select { // as many at once as tasks
	case e.dryRuns <- struct{}{}:
		defer func() { <-e.dryRuns }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-e.stopping:
		return nil, errClosed
	}
	id := "dry-run-" + uuid.NewString()
	dir := filepath.Join(e.Workspaces, id)
	content, err := workspace.Open(dir+"-content", workspace.Options{Quota: e.Quota})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, content.Destroy()) }()
	if err := writeFiles(content, d.Files); err != nil {
		return nil, err
	}
	ws, err := workspace.Open(dir, workspace.Options{Quota: e.Quota})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ws.Destroy()) }()
	d.Submission.TemplateRef = DryRunRef
	d.Submission.BaseURL = "file://" + filepath.ToSlash(content.Abs("template.yaml"))
	return e.dryRun(ctx, d, id, ws)
}

func writeFiles(w *workspace.Workspace, files []DryRunFile) error {
	for _, f := range files {
		if err := w.WriteFile(f.Path, f.Content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) dryRun(ctx context.Context, d DryRun, id string, ws *workspace.Workspace) (*DryRunResult, error) {
	spec := scaffolder.NewSpec(d.Template, d.Submission)
	notes := &notes{checkpoints: map[string][]byte{}}
	result, err := e.runner.Run(ctx, runner.Task{ID: id, Spec: spec, Secrets: d.Secrets, Credentials: d.Credentials,
		DryRun: true, HiddenSteps: 1, Workspace: ws, Journal: notes, Stopping: e.stopping})
	switch {
	case err != nil:
		return nil, err
	case result.Stopped:
		return nil, errClosed
	case result.Err != nil:
		return nil, &StepError{result.Err}
	}
	files, err := collect(ws)
	if err != nil {
		return nil, err
	}
	steps, _ := spec.Value("steps").([]any)
	return &DryRunResult{Log: notes.log, Files: files, Output: result.Output, Steps: steps}, nil
}

// collect reads what is in a workspace: regular files but those of Git, and of
// links those that lead nowhere, as what they say.
func collect(w *workspace.Workspace) ([]DryRunFile, error) {
	out := []DryRunFile{}
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
				out = append(out, DryRunFile{Path: name, Content: []byte(target)})
			}
		case info.Mode().IsRegular():
			data, err := w.ReadFile(name, info.Size())
			if err != nil {
				return err
			}
			out = append(out, DryRunFile{Path: name, Content: data, Executable: info.Mode().Perm()&0o111 != 0})
		}
		return nil
	})
	return out, err
}

// Object returns a file in its wire form.
func (f DryRunFile) Object() *jsonvalue.Object {
	return jsonvalue.NewObject(
		jsonvalue.Member{Key: "path", Value: f.Path},
		jsonvalue.Member{Key: "executable", Value: f.Executable},
		jsonvalue.Member{Key: "base64Content", Value: base64.StdEncoding.EncodeToString(f.Content)},
	)
}

// ParseDryRunFile reads the form that clients send.
func ParseDryRunFile(o *jsonvalue.Object) (DryRunFile, error) {
	name, ok := o.Value("path").(string)
	text, okContent := o.Value("base64Content").(string)
	if !ok || !okContent || name == "" {
		return DryRunFile{}, catalog.NewError(catalog.NameInput,
			"Malformed request: every item of directoryContents needs a path and its base64Content")
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		if data, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "=")); err != nil {
			return DryRunFile{}, catalog.NewError(catalog.NameInput, fmt.Sprintf("Malformed request: the content of %s is not base64", name))
		}
	}
	return DryRunFile{Path: name, Content: data}, nil
}

// notes is the journal of a dry-run: nothing of it remains.
type notes struct {
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
	v, ok := n.checkpoints[key]
	return v, ok, nil
}

// PutCheckpoint implements runner.Journal.
func (n *notes) PutCheckpoint(_ context.Context, key string, value []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.checkpoints[key] = value
	return nil
}
