package providerapi

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// A Loop polls providers.
type Loop interface {
	Statuses() []provider.Status
	// Release, Discard and Trigger return provider.ErrUnknown for a name that
	// no provider has, and the first two provider.ErrNothingHeld.
	Release(ctx context.Context, name string) (provider.Held, error)
	Discard(name string) (provider.Held, error)
	Trigger(name string) error
}

// Options are what an API needs.
type Options struct {
	Loop    Loop
	Decider permission.Decider
}

// An API answers for providers.
type API struct{ o Options }

// New checks the options.
func New(o Options) (*API, error) {
	if o.Loop == nil || o.Decider == nil {
		return nil, errors.New("provider API needs a loop and a decider")
	}
	return &API{o}, nil
}

// The permissions that are asked for.
var (
	mayRead   = permission.Permission{Plugin: "catalog", Name: "catalog.ingestion.read", Action: "read"}
	mayManage = permission.Permission{Plugin: "catalog", Name: "catalog.ingestion.manage", Action: "update"}
)

func (a *API) require(c *gin.Context, p permission.Permission) error {
	ctx := c.Request.Context()
	d, err := a.o.Decider.Decide(ctx, auth.PrincipalFrom(ctx), p, "")
	if err != nil {
		return err
	}
	if d.Result != permission.Allow {
		return wire.NotAllowed("")
	}
	return nil
}

// List answers GET /providers.
func (a *API) List(c *gin.Context) (any, error) {
	if err := a.require(c, mayRead); err != nil {
		return nil, err
	}
	return struct {
		Providers []provider.Status `json:"providers"`
	}{a.o.Loop.Statuses()}, nil
}

// A decision is what became of a held listing.
type decision struct {
	ID       string        `json:"id"`
	Decision string        `json:"decision"`
	Held     provider.Held `json:"held"`
}

// Release answers POST /providers/:id/release.
func (a *API) Release(c *gin.Context) (any, error) {
	return a.decide(c, "released", func(name string) (provider.Held, error) { return a.o.Loop.Release(c.Request.Context(), name) })
}

// Discard answers POST /providers/:id/discard.
func (a *API) Discard(c *gin.Context) (any, error) { return a.decide(c, "discarded", a.o.Loop.Discard) }

func (a *API) decide(c *gin.Context, word string, do func(name string) (provider.Held, error)) (any, error) {
	if err := a.require(c, mayManage); err != nil {
		return nil, err
	}
	name, ok := wire.Param(c, "id")
	if !ok {
		return nil, noProvider(name)
	}
	held, err := do(name)
	if err != nil {
		return nil, named(name, err)
	}
	return decision{ID: name, Decision: word, Held: held}, nil
}

func noProvider(name string) error { return wire.NotFound("There is no provider " + name) }

// named gives errors of the loop the names that clients know.
func named(name string, err error) error {
	switch {
	case errors.Is(err, provider.ErrUnknown):
		return noProvider(name)
	case errors.Is(err, provider.ErrNothingHeld):
		return catalog.NewError(catalog.NameConflict, "The provider "+name+" holds no listing")
	}
	return err
}

// A task is a provider as the scheduler of the reference shows one.
type task struct {
	ID       string         `json:"taskId"`
	Plugin   string         `json:"pluginId"`
	Scope    string         `json:"scope"`
	Settings map[string]any `json:"settings"`
	State    taskState      `json:"taskState"`
	Worker   map[string]any `json:"workerState"`
}

type taskState struct {
	Status    string    `json:"status"`
	StartsAt  time.Time `json:"startsAt,omitzero"`
	EndedAt   time.Time `json:"lastRunEndedAt,omitzero"`
	LastError string    `json:"lastRunError,omitempty"`
}

const taskSuffix = ":refresh"

// Tasks answers GET /.backstage/scheduler/v1/tasks.
func (a *API) Tasks(*gin.Context) (any, error) {
	tasks := []task{}
	for _, s := range a.o.Loop.Statuses() {
		t := task{
			ID: s.ID + taskSuffix, Plugin: "catalog", Scope: "global", Settings: map[string]any{"version": 2, "cadence": s.Schedule},
			State: taskState{Status: "idle", StartsAt: s.NextRun}, Worker: map[string]any{"status": "idle"},
		}
		if s.Running {
			t.State.Status, t.Worker["status"] = "running", "running"
		}
		if s.LastRun != nil {
			t.State.EndedAt = s.LastRun.Started.Add(time.Duration(s.LastRun.Millis) * time.Millisecond)
		}
		if s.Failures > 0 && s.LastError != nil {
			t.State.LastError = s.LastError.Message
		}
		tasks = append(tasks, t)
	}
	return struct {
		Tasks []task `json:"tasks"`
	}{tasks}, nil
}

// TriggerTask answers POST /.backstage/scheduler/v1/tasks/:id/trigger.
func (a *API) TriggerTask(c *gin.Context) (any, error) {
	id, _ := wire.Param(c, "id")
	name, ok := strings.CutSuffix(id, taskSuffix)
	if !ok {
		return nil, wire.NotFound("Task " + id + " does not exist")
	}
	if err := a.o.Loop.Trigger(name); err != nil {
		return nil, wire.NotFound("Task " + id + " does not exist")
	}
	return wire.OK(), nil
}
