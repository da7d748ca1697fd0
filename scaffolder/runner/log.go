package runner

import (
	"context"
	"log/slog"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
)

// Limits of what the actions of one run may write into the log of its task.
// What is too much is left out, with a line that says so.
const (
	maxLine  = 1 << 20
	maxLines = 100_000
	maxBytes = 64 << 20
)

// logger returns what writes lines of the step into the log.
func (e *execution) logger() *slog.Logger { return slog.New(&handler{execution: e}) }

// A handler turns log records into lines, in the form of the reference: the
// level in its colour, the message, and attributes as JSON.
type handler struct {
	*execution
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.Level }

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	line := levelText(r.Level) + ": " + r.Message
	attrs := jsonvalue.NewObject()
	for _, a := range h.attrs {
		setAttr(attrs, a)
	}
	r.Attrs(func(a slog.Attr) bool {
		setAttr(attrs, a)
		return true
	})
	if attrs.Len() > 0 {
		line += " " + string(jsonvalue.Append(nil, attrs))
	}
	if h.host != nil {
		h.host.write(line)
	} else {
		h.emit(h.masker.Text(line))
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{execution: h.execution, attrs: append(slices.Clip(h.attrs), attrs...)}
}

// WithGroup implements slog.Handler; the lines have no groups.
func (h *handler) WithGroup(string) slog.Handler { return h }

func setAttr(o *jsonvalue.Object, a slog.Attr) {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindBool:
		o.Set(a.Key, v.Bool())
	case slog.KindInt64:
		o.Set(a.Key, float64(v.Int64()))
	case slog.KindFloat64:
		o.Set(a.Key, v.Float64())
	default:
		o.Set(a.Key, v.String())
	}
}

func levelText(l slog.Level) string {
	const escape, reset = "\x1b[", "\x1b[39m"
	switch {
	case l >= slog.LevelError:
		return escape + "31merror" + reset
	case l >= slog.LevelWarn:
		return escape + "33mwarn" + reset
	case l >= slog.LevelInfo:
		return escape + "32minfo" + reset
	}
	return escape + "34mdebug" + reset
}

// emit hands a masked line to the journal, as long as the actions have not
// written too much.
func (e *execution) emit(line string) {
	if len(line) > maxLine {
		line = line[:maxLine] + " … (the rest of the line is left out)"
	}
	switch e.lines++; {
	case e.lines > maxLines || e.bytes+len(line) > maxBytes:
		if e.muted {
			return
		}
		e.muted = true
		line = levelText(slog.LevelWarn) + ": The task has written too much into the log. What follows of its actions is left out"
	}
	e.bytes += len(line)
	e.task.Journal.Log(scaffolder.LogBody(line, e.step.ID(), ""))
}
