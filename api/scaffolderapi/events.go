package scaffolderapi

import (
	"context"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
)

// appendEvent writes an event as clients see it.
func appendEvent(dst []byte, e scaffolder.Event, recoverable bool) []byte {
	dst = strconv.AppendInt(append(dst, `{"id":`...), e.ID, 10)
	dst = strconv.AppendBool(append(dst, `,"isTaskRecoverable":`...), recoverable)
	dst = jsonvalue.AppendString(append(dst, `,"taskId":`...), e.TaskID)
	dst = append(append(dst, `,"body":`...), e.Body...)
	dst = jsonvalue.AppendString(append(dst, `,"type":`...), string(e.Type))
	dst = appendTime(append(dst, `,"createdAt":`...), e.CreatedAt)
	return append(dst, '}')
}

// Events answers GET /v2/tasks/{taskId}/events: at once if there are events, or
// when one comes, or with none after a while.
func (a *API) Events(c *gin.Context) (any, error) {
	in, err := opEvents.Read(c)
	if err != nil {
		return nil, err
	}
	t, _, err := a.readable(c)
	if err != nil {
		return nil, err
	}
	events, err := a.wait(c.Request.Context(), t.ID, in.Integer("after"))
	if err != nil {
		return nil, err
	}
	out := []byte{'['}
	for i, event := range events {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendEvent(out, event, t.StartsOver)
	}
	return append(out, ']'), nil
}

// wait returns the events after one, as soon as there are some.
func (a *API) wait(ctx context.Context, id string, after int64) ([]scaffolder.Event, error) {
	watch := a.Engine.Watch(id)
	defer watch.Close()
	timeout := time.NewTimer(a.PollTimeout)
	defer timeout.Stop()
	for {
		events, err := a.Engine.Events(id, after)
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-watch.C():
		case <-timeout.C:
			return nil, nil
		case <-a.stop:
			return nil, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// EventStream answers GET /v2/tasks/{taskId}/eventstream with server-sent
// events. Its query is not checked, as in the reference.
func (a *API) EventStream(c *gin.Context) (any, error) {
	after, err := strconv.ParseInt(c.Query("after"), 10, 64)
	if err != nil {
		after = 0
	}
	t, _, err := a.readable(c)
	if err != nil {
		return nil, err
	}
	s := &stream{API: a, task: t, after: after}
	return wire.Stream{ContentType: "text/event-stream", Run: s.run}, nil
}

// A stream sends the events of a task to one client.
type stream struct {
	*API
	task      scaffolder.Task
	after     int64
	completed int64 // the id of the completion that was sent, 0 for none
}

// run sends what there is and what comes, until the task is at its end or the
// client is gone.
func (s *stream) run(ctx context.Context, send func([]byte) error) error {
	watch := s.Engine.Watch(s.task.ID)
	defer watch.Close()
	alive := time.NewTicker(s.KeepAlive)
	defer alive.Stop()
	frame := []byte(":\n\n") // so that the client knows at once that it is connected
	for {
		events, more, err := s.Engine.Page(s.task, s.after)
		if err != nil {
			return err
		}
		frame = s.frames(frame, events)
		if len(frame) > 0 {
			if err := send(frame); err != nil {
				return err
			}
		}
		if s.completed != 0 && !more && !s.task.StartsOver || s.isStopped() {
			return nil
		}
		frame = frame[:0]
		if more {
			continue
		}
		select {
		case <-watch.C():
		case <-alive.C:
			frame = append(frame, ":\n\n"...)
		case <-s.stop:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// frames writes events that were not sent yet. The store returns the completion
// every time.
func (s *stream) frames(dst []byte, events []scaffolder.Event) []byte {
	for _, e := range events {
		if e.Type == scaffolder.EventCompletion {
			if e.ID == s.completed {
				continue
			}
			s.completed = e.ID
		}
		dst = append(append(dst, "event: "...), e.Type...)
		dst = append(dst, "\ndata: "...)
		dst = append(appendEvent(dst, e, s.task.StartsOver), "\n\n"...)
		s.after = max(s.after, e.ID)
	}
	return dst
}
