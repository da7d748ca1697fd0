package providerapi_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/providerapi"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

type loop struct {
	held      map[string]provider.Held
	triggered []string
}

var at = time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)

func (l *loop) Statuses() []provider.Status {
	held := l.held["github-provider:default"]
	return []provider.Status{{
		ID: "github-provider:default", Schedule: "every 3h0m0s", Held: &held, Record: provider.Record{
			LastRun: &provider.Run{Started: at, Millis: 1500, Result: provider.ResultHeld, Listed: 3, Entities: 100}, LastSuccess: at, NextRun: at.Add(3 * time.Hour),
			Failures: 1, LastError: &provider.Failure{At: at, Message: "the host is down"},
		},
	}, {ID: "git-provider:a", Running: true, Schedule: "by hand"}}
}

func (l *loop) take(name string) (provider.Held, error) {
	if name == "git-provider:a" {
		return provider.Held{}, fmt.Errorf("%w: %s", provider.ErrNothingHeld, name)
	}
	h, ok := l.held[name]
	if !ok {
		return h, fmt.Errorf("%w: %s", provider.ErrUnknown, name)
	}
	delete(l.held, name)
	return h, nil
}

func (l *loop) Release(_ context.Context, name string) (provider.Held, error) { return l.take(name) }
func (l *loop) Discard(name string) (provider.Held, error)                    { return l.take(name) }

func (l *loop) Trigger(name string) error {
	if name != "git-provider:a" {
		return provider.ErrUnknown
	}
	l.triggered = append(l.triggered, name)
	return nil
}

// decider allows what it names.
type decider map[string]bool

func (d decider) Decide(_ context.Context, _ auth.Principal, p permission.Permission, _ string) (permission.Decision, error) {
	if d[p.Name] {
		return permission.Decision{Result: permission.Allow}, nil
	}
	return permission.Decision{}, nil
}

func newAPI(t *testing.T, allowed ...string) (*providerapi.API, *loop) {
	t.Helper()
	l := &loop{held: map[string]provider.Held{"github-provider:default": {Since: at, Seen: at, Before: 100, Listed: 3, Removals: []string{"location:default/a"}}}}
	d := decider{}
	for _, name := range allowed {
		d[name] = true
	}
	a, err := providerapi.New(providerapi.Options{Loop: l, Decider: d})
	require.NoError(t, err)
	return a, l
}

func call(h func(*gin.Context) (any, error), id string) (any, error) {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest("POST", "/", nil)
	c.Params = gin.Params{{Key: "id", Value: id}}
	return h(c)
}

func body(t *testing.T, answer any) string {
	t.Helper()
	text, err := wire.AppendJSON(nil, answer)
	require.NoError(t, err)
	return string(text)
}

func TestList(t *testing.T) {
	a, _ := newAPI(t, "catalog.ingestion.read")
	answer, err := call(a.List, "")
	require.NoError(t, err)
	require.JSONEq(t, `{"providers":[
		{"id":"github-provider:default","running":false,"schedule":"every 3h0m0s",
			"lastRun":{"startedAt":"2026-03-14T15:00:00Z","durationMs":1500,"result":"held","listed":3,"added":0,"removed":0,"entities":100},
			"lastSuccessAt":"2026-03-14T15:00:00Z","nextRunAt":"2026-03-14T18:00:00Z","failures":1,
			"lastError":{"at":"2026-03-14T15:00:00Z","message":"the host is down"},
			"held":{"since":"2026-03-14T15:00:00Z","seen":"2026-03-14T15:00:00Z","before":100,"listed":3,"removals":["location:default/a"]}},
		{"id":"git-provider:a","running":true,"schedule":"by hand"}]}`, body(t, answer))
}

func TestDecisions(t *testing.T) {
	a, l := newAPI(t, "catalog.ingestion.manage")
	for _, h := range []func(*gin.Context) (any, error){a.Release, a.Discard} {
		l.held["github-provider:default"] = provider.Held{Removals: []string{"location:default/a"}}
		answer, err := call(h, "github-provider%3Adefault")
		require.NoError(t, err)
		require.Contains(t, body(t, answer), `"removals":["location:default/a"]`)
		_, err = call(h, "nobody")
		require.ErrorIs(t, err, catalog.ErrNotFound)
		_, err = call(h, "git-provider:a")
		require.ErrorIs(t, err, catalog.ErrConflict)
	}
}

func TestPermissions(t *testing.T) {
	a, l := newAPI(t)
	for _, h := range []func(*gin.Context) (any, error){a.List, a.Release, a.Discard} {
		_, err := call(h, "github-provider:default")
		require.ErrorIs(t, err, catalog.ErrNotAllowed)
	}
	require.Len(t, l.held, 1)
}

func TestTasks(t *testing.T) {
	a, l := newAPI(t)
	answer, err := call(a.Tasks, "")
	require.NoError(t, err)
	require.JSONEq(t, `{"tasks":[
		{"taskId":"github-provider:default:refresh","pluginId":"catalog","scope":"global","settings":{"version":2,"cadence":"every 3h0m0s"},
			"taskState":{"status":"idle","startsAt":"2026-03-14T18:00:00Z","lastRunEndedAt":"2026-03-14T15:00:01.5Z","lastRunError":"the host is down"},
			"workerState":{"status":"idle"}},
		{"taskId":"git-provider:a:refresh","pluginId":"catalog","scope":"global","settings":{"version":2,"cadence":"by hand"},
			"taskState":{"status":"running"},"workerState":{"status":"running"}}]}`, body(t, answer))
	_, err = call(a.TriggerTask, "git-provider:a:refresh")
	require.NoError(t, err)
	require.Equal(t, []string{"git-provider:a"}, l.triggered)
	for _, id := range []string{"git-provider:b:refresh", "git-provider:a", ""} {
		_, err = call(a.TriggerTask, id)
		require.ErrorIs(t, err, catalog.ErrNotFound)
	}
}
