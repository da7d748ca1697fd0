package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/require"
)

func logger(b *bytes.Buffer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: level}))
}

// words returns those of a key, in the order of the lines.
func words(t *testing.T, b *bytes.Buffer, key string) (out []string) {
	for line := range bytes.Lines(b.Bytes()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal(line, &fields))
		word, _ := fields[key].(string)
		out = append(out, word)
	}
	return out
}

func TestWhereEventsGo(t *testing.T) {
	for _, tc := range []struct {
		name     string
		severity audit.Severity
		level    slog.Level // of the log
		levels   map[audit.Severity]slog.Level
		from     audit.Severity
		log      string // the level of the lines; "" for none
		own      bool
	}{
		{"low is not seen at info", audit.Low, slog.LevelInfo, nil, audit.Low, "", true},
		{"low is seen at debug", audit.Low, slog.LevelDebug, nil, audit.Low, "DEBUG", true},
		{"medium is info", audit.Medium, slog.LevelInfo, nil, audit.Low, "INFO", true},
		{"so is high", audit.High, slog.LevelInfo, nil, audit.Low, "INFO", true},
		{"and critical", audit.Critical, slog.LevelInfo, nil, audit.Low, "INFO", true},
		{"unless it is said otherwise", audit.Critical, slog.LevelInfo, map[audit.Severity]slog.Level{audit.Critical: slog.LevelError}, audit.Low, "ERROR", true},
		{"also for low", audit.Low, slog.LevelInfo, map[audit.Severity]slog.Level{audit.Low: slog.LevelInfo}, audit.Low, "INFO", true},
		{"their own log has a threshold", audit.Medium, slog.LevelInfo, nil, audit.High, "INFO", false},
		{"and takes what reaches it", audit.High, slog.LevelError, nil, audit.High, "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var log, own bytes.Buffer
			a := audit.New(audit.Options{Log: logger(&log, tc.level), Levels: tc.levels, Own: logger(&own, slog.LevelInfo), OwnFrom: tc.from})
			require.Equal(t, tc.log != "" || tc.own, a.Enabled(tc.severity))
			e := a.Event(audit.Kind{Plugin: "p", ID: "e", Severity: tc.severity}, audit.Actor{ID: "plugin:p"}, nil)
			e.Begin(t.Context())
			e.Begin(t.Context())
			e.End(t.Context(), nil)
			require.Equal(t, tc.own, own.Len() > 0)
			if tc.own {
				require.Equal(t, []string{"initiated", "succeeded"}, words(t, &own, "status"))
			}
			require.Equal(t, tc.log != "", log.Len() > 0)
			if tc.log != "" {
				require.Equal(t, []string{tc.log, tc.log}, words(t, &log, "level"))
			}
		})
	}
}

func TestFormOfEvents(t *testing.T) {
	var b bytes.Buffer
	a := audit.New(audit.Options{Own: logger(&b, slog.LevelInfo)})
	e := a.Event(audit.Kind{Plugin: "scaffolder", ID: "task", Severity: audit.Medium}, audit.Actor{ID: "user:default/ada", IP: "::1"},
		&audit.Request{Method: "POST", URL: "/x"}, slog.String("actionType", "create"))
	ctx := context.WithValue(t.Context(), audit.Key, e)
	audit.About(ctx, slog.String("taskId", "1"))
	e.End(ctx, catalog.NewError(catalog.NameConflict, "busy"))
	first, second, _ := strings.Cut(b.String(), "\n")
	const common = `"msg":"scaffolder.task","isAuditEvent":true,"plugin":"scaffolder","eventId":"task","severityLevel":"medium",`
	const rest = `"actor":{"actorId":"user:default/ada","ip":"::1"},"request":{"url":"/x","method":"POST"},"meta":{"actionType":"create","taskId":"1"}`
	require.Contains(t, first, common+`"status":"initiated",`+rest+"}")
	require.Contains(t, second, common+`"status":"failed",`+rest+`,"error":"ConflictError: busy"}`)
}

func TestNothingToWrite(t *testing.T) {
	var none *audit.Auditor
	require.False(t, none.Enabled(audit.Critical))
	e := none.Event(audit.Kind{Plugin: "p", ID: "e"}, audit.Actor{}, nil)
	require.Nil(t, e)
	e.Begin(t.Context())
	e.About(slog.String("a", "b"))
	e.End(t.Context(), errors.New("x"))
	audit.About(t.Context(), slog.String("a", "b"))
	audit.About(context.WithValue(t.Context(), audit.Key, e))
}

func TestSeverities(t *testing.T) {
	for _, s := range []audit.Severity{audit.Low, audit.Medium, audit.High, audit.Critical} {
		got, err := audit.ParseSeverity(strings.ToUpper(s.String()))
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
	_, err := audit.ParseSeverity("loud")
	require.ErrorContains(t, err, "low, medium, high, critical")
}
