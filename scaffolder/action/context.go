package action

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// A Context is what an action gets of its task, for one run: of the step, or of
// one iteration of it.
type Context struct {
	// TaskID is the task's id; in a dry-run it begins with "dry-run-".
	TaskID string
	// Step is the step that runs.
	Step Step
	// Each is the key of the iteration, nil for a step without each.
	Each *string
	// DryRun: there must be no effect outside of the workspace. It is only set
	// for actions that say they can.
	DryRun bool
	// Log writes lines into the task's log, where the user sees them; secrets
	// are masked there. Attributes are added to the line as a JSON object.
	Log *slog.Logger
	// Workspace is the folder that all steps of the task share.
	Workspace *workspace.Workspace
	// Secrets are those of the task. The map must not be changed.
	Secrets map[string]string
	// Initiator is who started the task.
	Initiator Initiator
	// Template is where the task's steps come from.
	Template TemplateInfo
	// Host is what the engine does for the action. Required.
	Host Host
}

// A Step names a step of a template.
type Step struct{ ID, Name string }

// An Initiator is who started a task.
type Initiator struct {
	// UserRef is the entity ref of a user, "" if a service started the task.
	UserRef string
	// User is the user's entity, with a nil Object if there is none.
	User catalog.Entity
	// Credentials stand for the initiator towards those who decide what may be
	// read and done. Only who made them understands them.
	Credentials string
}

// A TemplateInfo says where a task's template comes from.
type TemplateInfo struct {
	// EntityRef is the canonical ref of the template.
	EntityRef string
	// BaseURL is what relative URLs in the template are relative to; "" if it
	// is not known. In a dry-run it is a file:// URL.
	BaseURL string
	// Metadata is the template's, nil in a dry-run.
	Metadata *jsonvalue.Object
}

// A Host is what the engine does for an action that runs.
type Host interface {
	// Output sets an output of the step, a JSON value.
	Output(name string, value any)
	// Checkpoint returns what it has stored for the key, or what fn returns,
	// which it stores before it returns: once fn has succeeded it is never
	// called again for this key of this step, however often the task runs.
	Checkpoint(ctx context.Context, key string, fn func(context.Context) (any, error)) (any, error)
	// TempDir makes a folder beside the workspace, on the same quota. It is
	// removed after the step.
	TempDir() (*workspace.Workspace, error)
	// Redact masks a text in the task's log from now on, for secrets that an
	// action makes or learns.
	Redact(secret string)
}

// Output sets an output of the step, a value of package jsonvalue.
func (c *Context) Output(name string, value any) { c.Host.Output(name, value) }

// TempDir makes an empty folder that is removed after the step.
func (c *Context) TempDir() (*workspace.Workspace, error) { return c.Host.TempDir() }

// Redact masks a secret that the action learned in the task's log.
func (c *Context) Redact(secret string) { c.Host.Redact(secret) }

// Infof writes a line into the task's log.
func (c *Context) Infof(format string, args ...any) { c.Log.Info(fmt.Sprintf(format, args...)) }

// Warnf writes a warning into the task's log.
func (c *Context) Warnf(format string, args ...any) { c.Log.Warn(fmt.Sprintf(format, args...)) }

// Checkpoint runs fn unless an earlier run of the task has done so with
// success, and returns what fn returned at that time. What cannot be undone
// goes into a checkpoint, with a key that names it and its subject. The result
// goes through encoding/json.
func Checkpoint[T any](ctx context.Context, c *Context, key string, fn func(context.Context) (T, error)) (T, error) {
	var out T
	v, err := c.Host.Checkpoint(ctx, key, func(ctx context.Context) (any, error) {
		v, err := fn(ctx)
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("checkpoint %s: %w", key, err)
		}
		return jsonvalue.Parse(data)
	})
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(jsonvalue.Append(nil, v), &out); err != nil {
		return out, fmt.Errorf("checkpoint %s: %w", key, err)
	}
	return out, nil
}
