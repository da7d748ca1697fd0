package engine

import (
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
)

// News hears what becomes of tasks, once it is stored. Its methods are called
// by several at once, must not call the engine, and should not take long.
type News interface {
	// Wanted tells whether anybody listens; if not, nothing is told.
	Wanted() bool
	// Tell gets an object in the form that the topic scaffolder.task has in the
	// reference. Secrets are never in it.
	Tell(*jsonvalue.Object)
}

// tell tells the news, if anybody wants to hear it.
func (e *Engine) tell(object func() *jsonvalue.Object) {
	if e.News != nil && e.News.Wanted() {
		e.News.Tell(object())
	}
}

func (e *Engine) tellCreated(t scaffolder.Task, spec *jsonvalue.Object) {
	e.tell(func() *jsonvalue.Object {
		return withCreator(t, jsonvalue.NewObject(
			jsonvalue.Member{Key: "id", Value: t.ID}, jsonvalue.Member{Key: "spec", Value: spec},
			jsonvalue.Member{Key: "status", Value: string(scaffolder.Open)}))
	})
}

// tellRun tells that a run of a task begins, with the spec, or how it ended.
func (e *Engine) tellRun(t scaffolder.Task, spec *jsonvalue.Object) {
	e.tell(func() *jsonvalue.Object {
		o := jsonvalue.NewObject(jsonvalue.Member{Key: "id", Value: t.ID})
		if spec != nil {
			o.Set("spec", spec)
		}
		o.Set("status", string(t.Status))
		o.Set("lastHeartbeatAt", timestamp(t.Heartbeat))
		o.Set("createdAt", timestamp(t.CreatedAt))
		return withCreator(t, o)
	})
}

// tellEvent tells of an event in the log of a task that changes it: that it is
// cancelled, or recovered.
func (e *Engine) tellEvent(ev scaffolder.Event, status string) {
	e.tell(func() *jsonvalue.Object {
		o := jsonvalue.NewObject(jsonvalue.Member{Key: "id", Value: float64(ev.ID)},
			jsonvalue.Member{Key: "taskId", Value: ev.TaskID}, jsonvalue.Member{Key: "status", Value: status})
		if body, err := jsonvalue.Parse(ev.Body); err == nil {
			o.Set("body", body)
		}
		return o
	})
}

func withCreator(t scaffolder.Task, o *jsonvalue.Object) *jsonvalue.Object {
	if t.CreatedBy != "" {
		o.Set("createdBy", t.CreatedBy)
	}
	return o
}

func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
