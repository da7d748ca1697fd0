package engine

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
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
	d.Submission.TemplateRef = DryRunRef
	d.Submission.BaseURL = "file://" + filepath.ToSlash(content.Abs("template.yaml"))
	return e.dryRun(ctx, d, id, dir)
}

func writeFiles(w *workspace.Workspace, files []DryRunFile) error {
	for _, f := range files {
		if err := w.WriteFile(f.Path, f.Content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) dryRun(ctx context.Context, d DryRun, id, dir string) (*DryRunResult, error) {
	spec := scaffolder.NewSpec(d.Template, d.Submission)
	result, err := once.Run(ctx, e.runner, once.Task{ID: id, Spec: spec, Secrets: d.Secrets, Credentials: d.Credentials,
		DryRun: true, HiddenSteps: 1, Workspace: dir, Quota: e.Quota, Stopping: e.stopping})
	switch {
	case err != nil:
		return nil, err
	case result.Stopped:
		return nil, errClosed
	case result.Err != nil:
		return nil, &StepError{result.Err}
	}
	files := make([]DryRunFile, len(result.Files))
	for i, f := range result.Files {
		files[i] = DryRunFile(f)
	}
	steps, _ := spec.Value("steps").([]any)
	return &DryRunResult{Log: result.Log, Files: files, Output: result.Output, Steps: steps}, nil
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
