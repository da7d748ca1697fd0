package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/redact"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// maxOutput is how many bytes the outputs of a step may have as JSON.
const maxOutput = 16 << 20

// A host does for the action of a step what only the runner can.
type host struct {
	*execution

	mu      sync.Mutex
	outputs *jsonvalue.Object
	size    int
	faults  []error
	temps   []*workspace.Workspace
	stream  *redact.Stream
}

var _ action.Host = (*host)(nil)

// Output implements action.Host. Of a step with each every value is kept.
func (h *host) Output(name string, value any) {
	encoded := jsonvalue.Append(nil, value)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.size += len(name) + len(encoded); h.size > maxOutput {
		h.faults = append(h.faults, catalog.NewError(catalog.NameError,
			fmt.Sprintf("The outputs of the step are larger than %d bytes", maxOutput)))
		return
	}
	// What is put out is what JSON can say of it, as later steps see it.
	value, err := jsonvalue.Parse(encoded)
	if err != nil {
		h.faults = append(h.faults, fmt.Errorf("output %s: %w", name, err))
		return
	}
	if h.each {
		list, _ := h.outputs.Value(name).([]any)
		value = append(list, value)
	}
	h.outputs.Set(name, value)
}

// json returns the outputs, nil if there are none.
func (h *host) json() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.outputs.Len() == 0 {
		return nil
	}
	return jsonvalue.Append(nil, h.outputs)
}

// err returns what went wrong beside the action.
func (h *host) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return errors.Join(h.faults...)
}

// Checkpoint implements action.Host.
func (h *host) Checkpoint(ctx context.Context, key string, fn func(context.Context) (any, error)) (any, error) {
	stored := "v1.task.checkpoint." + h.step.ID() + "." + key
	value, ok, err := h.task.Journal.Checkpoint(stored)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", key, err)
	}
	if ok {
		return jsonvalue.Parse(value)
	}
	v, err := fn(ctx)
	if err != nil {
		return nil, err
	}
	// It has happened, so it is stored, whether or not somebody cancels now.
	encoded := jsonvalue.Append(nil, v)
	if err := h.task.Journal.PutCheckpoint(context.WithoutCancel(ctx), stored, encoded); err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", key, err)
	}
	return jsonvalue.Parse(encoded)
}

// TempDir implements action.Host.
func (h *host) TempDir() (*workspace.Workspace, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, h.step.ID())
	if len(name) > 64 {
		name = name[:64]
	}
	w, err := h.task.Workspace.Sibling(fmt.Sprintf("%s_step-%s-%06d", h.task.Workspace.Path(), name, len(h.temps)))
	if err == nil {
		h.temps = append(h.temps, w)
	}
	return w, err
}

// close hands on what is left of the log and removes temporary folders.
func (h *host) close() {
	h.flush()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.temps {
		if err := w.Destroy(); err != nil {
			h.Log.Warn("a temporary folder remains", "task_id", h.task.ID, "error", err.Error())
		}
	}
	h.temps = nil
}

// Redact implements action.Host.
func (h *host) Redact(secret string) { h.masker.Add(secret) }

// write takes a line that the action logs.
func (h *host) write(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stream == nil {
		h.stream = redact.NewStream(h.masker, h.emit)
	}
	h.stream.Line(line)
}

func (h *host) flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stream != nil {
		h.stream.Flush()
	}
}
