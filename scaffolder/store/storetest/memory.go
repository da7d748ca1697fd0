package storetest

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
)

// A Memory keeps tasks as long as it is there. An Update works on a copy of
// everything, so it is for small numbers of tasks.
type Memory struct {
	mu    sync.RWMutex
	state *memory
}

var _ store.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{state: &memory{tasks: map[string]*memoryTask{}}} }

type memory struct {
	tasks               map[string]*memoryTask
	number, turn, event uint64
}

type memoryTask struct {
	scaffolder.Task
	spec, secrets []byte
	events        []scaffolder.Event
	steps         map[int]store.StepRecord
	checkpoints   map[string][]byte
}

// View implements store.Store.
func (m *Memory) View(fn func(store.ReadTx) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return fn(m.state)
}

// Update implements store.Store.
func (m *Memory) Update(fn func(store.WriteTx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := m.state.clone()
	if err := fn(next); err != nil {
		return err
	}
	m.state = next
	return nil
}

func (m *memory) clone() *memory {
	out := *m
	out.tasks = make(map[string]*memoryTask, len(m.tasks))
	for id, t := range m.tasks {
		c := *t
		c.events, c.steps, c.checkpoints = slices.Clone(t.events), maps.Clone(t.steps), maps.Clone(t.checkpoints)
		out.tasks[id] = &c
	}
	return &out
}

func (m *memory) task(id string) (*memoryTask, error) {
	if t, ok := m.tasks[id]; ok {
		return t, nil
	}
	return nil, store.ErrNotFound
}

// Task implements store.ReadTx.
func (m *memory) Task(id string) (scaffolder.Task, error) {
	t, err := m.task(id)
	if err != nil {
		return scaffolder.Task{}, err
	}
	return t.Task, nil
}

// Spec implements store.ReadTx.
func (m *memory) Spec(id string) ([]byte, error) {
	t, err := m.task(id)
	if err != nil || t.spec == nil {
		return nil, store.ErrNotFound
	}
	return bytes.Clone(t.spec), nil
}

func (m *memory) sorted(by func(a, b scaffolder.Task) int) []scaffolder.Task {
	var out []scaffolder.Task
	for _, t := range m.tasks {
		out = append(out, t.Task)
	}
	slices.SortFunc(out, by)
	return out
}

// Tasks implements store.ReadTx.
func (m *memory) Tasks(newestFirst bool, yield func(scaffolder.Task) bool) error {
	list := m.sorted(func(a, b scaffolder.Task) int { return cmp.Compare(a.Number, b.Number) })
	if newestFirst {
		slices.Reverse(list)
	}
	for _, t := range list {
		if !yield(t) {
			break
		}
	}
	return nil
}

// Unfinished implements store.ReadTx.
func (m *memory) Unfinished(yield func(scaffolder.Task) bool) error {
	for _, t := range m.sorted(func(a, b scaffolder.Task) int { return cmp.Compare(a.Turn, b.Turn) }) {
		if !t.Status.Ended() && !yield(t) {
			break
		}
	}
	return nil
}

// Events implements store.ReadTx.
func (m *memory) Events(id string, after int64, limit int) (out []scaffolder.Event, more bool, err error) {
	t, err := m.task(id)
	if err != nil {
		return nil, false, err
	}
	size := 0
	for _, e := range t.events {
		if e.ID <= after && e.Type != scaffolder.EventCompletion {
			continue
		}
		if limit > 0 && size >= limit {
			return out, true, nil
		}
		if e.ID > after {
			size += len(e.Body)
		}
		e.Body = bytes.Clone(e.Body)
		out = append(out, e)
	}
	return out, false, nil
}

// LastStep implements store.ReadTx.
func (m *memory) LastStep(id string) (string, error) {
	t, err := m.task(id)
	if err != nil {
		return "", err
	}
	for _, e := range slices.Backward(t.events) {
		body, err := jsonvalue.ParseObject(e.Body)
		if err != nil {
			return "", err
		}
		if step := body.String("stepId"); step != "" {
			return step, nil
		}
	}
	return "", nil
}

// Steps implements store.ReadTx.
func (m *memory) Steps(id string) ([]store.StepRecord, error) {
	t, err := m.task(id)
	if err != nil {
		return nil, err
	}
	var out []store.StepRecord
	for _, i := range slices.Sorted(maps.Keys(t.steps)) {
		out = append(out, t.steps[i])
	}
	return out, nil
}

// Checkpoint implements store.ReadTx.
func (m *memory) Checkpoint(id, key string) ([]byte, bool, error) {
	t, err := m.task(id)
	if err != nil {
		return nil, false, err
	}
	v, ok := t.checkpoints[key]
	return bytes.Clone(v), ok, nil
}

// Secrets implements store.ReadTx.
func (m *memory) Secrets(id string) ([]byte, error) {
	t, err := m.task(id)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(t.secrets), nil
}

// PutTask implements store.WriteTx.
func (m *memory) PutTask(task scaffolder.Task) (scaffolder.Task, error) {
	t, known := m.tasks[task.ID]
	if !known {
		m.number++
		t = &memoryTask{Task: scaffolder.Task{Number: m.number}, steps: map[int]store.StepRecord{}, checkpoints: map[string][]byte{}}
		m.tasks[task.ID] = t
	}
	task.Number = t.Number
	if task.Turn == 0 {
		m.turn++
		task.Turn = m.turn
	}
	t.Task = task
	return task, nil
}

// PutSpec implements store.WriteTx.
func (m *memory) PutSpec(id string, spec []byte) error {
	t, err := m.task(id)
	if err == nil {
		err = fits(spec)
	}
	if err == nil {
		t.spec = bytes.Clone(spec)
	}
	return err
}

func fits(value []byte) error {
	if len(value) > store.MaxBlob {
		return store.ErrTooLarge
	}
	return nil
}

// Append implements store.WriteTx.
func (m *memory) Append(e scaffolder.Event) (scaffolder.Event, error) {
	t, err := m.task(e.TaskID)
	if err == nil {
		err = fits(e.Body)
	}
	if err != nil {
		return e, err
	}
	m.event++
	e.ID = int64(m.event)
	stored := e
	stored.Body = bytes.Clone(e.Body)
	t.events = append(t.events, stored)
	return e, nil
}

// DropEvents implements store.WriteTx.
func (m *memory) DropEvents(id string, types ...scaffolder.EventType) error {
	t, err := m.task(id)
	if err == nil {
		t.events = slices.DeleteFunc(t.events, func(e scaffolder.Event) bool { return slices.Contains(types, e.Type) })
	}
	return err
}

// PutStep implements store.WriteTx.
func (m *memory) PutStep(id string, r store.StepRecord) error {
	t, err := m.task(id)
	if err == nil {
		err = fits(r.Output)
	}
	if err == nil {
		r.Output = bytes.Clone(r.Output)
		t.steps[r.Index] = r
	}
	return err
}

// ClearSteps implements store.WriteTx.
func (m *memory) ClearSteps(id string) error {
	t, err := m.task(id)
	if err == nil {
		clear(t.steps)
	}
	return err
}

// PutCheckpoint implements store.WriteTx.
func (m *memory) PutCheckpoint(id, key string, value []byte) error {
	t, err := m.task(id)
	if err == nil {
		err = fits(value)
	}
	if err == nil {
		t.checkpoints[key] = bytes.Clone(value)
	}
	return err
}

// PutSecrets implements store.WriteTx.
func (m *memory) PutSecrets(id string, sealed []byte) error {
	t, err := m.task(id)
	if err == nil {
		t.secrets = bytes.Clone(sealed)
	}
	return err
}
