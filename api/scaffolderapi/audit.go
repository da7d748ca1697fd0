package scaffolderapi

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// An audit is what the log tells of a request: what was asked for, by whom,
// about what, and how it ended.
type audit struct {
	eventID, actionType, severity string
	attrs                         []slog.Attr
}

// about adds something that the request is about.
func (e *audit) about(key, value string) { e.attrs = append(e.attrs, slog.String(key, value)) }

// audited runs a handler and writes its line.
func (a *API) audited(ctx context.Context, e audit, h func(*audit) (any, error)) (any, error) {
	answer, err := h(&e)
	who := auth.PrincipalFrom(ctx)
	attrs := append([]slog.Attr{
		slog.String("plugin", "scaffolder"), slog.String("event_id", e.eventID), slog.String("severity", e.severity),
		slog.String("actor", who.Subject), slog.String("actor_kind", who.Kind.String()),
	}, e.attrs...)
	if e.actionType != "" {
		attrs = append(attrs, slog.String("action_type", e.actionType))
	}
	status := "succeeded"
	if refused, ok := answer.(wire.Status); ok && refused.Code >= http.StatusBadRequest {
		status = "failed"
	}
	if err != nil {
		status = "failed"
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	a.Log.LogAttrs(ctx, slog.LevelInfo, "audit", append(attrs, slog.String("status", status))...)
	return answer, err
}

// taskAudit is about a task.
func taskAudit(actionType, severity string) audit {
	return audit{eventID: "task", actionType: actionType, severity: severity}
}
