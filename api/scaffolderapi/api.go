package scaffolderapi

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

// An Engine keeps tasks; see engine.Engine.
type Engine interface {
	Create(ctx context.Context, r engine.Request) (id string, err error)
	Cancel(ctx context.Context, id string) error
	Retry(ctx context.Context, id string, r engine.Request) error
	DryRun(ctx context.Context, d engine.DryRun) (*engine.DryRunResult, error)
	Task(id string) (t scaffolder.Task, spec []byte, err error)
	Tasks(q engine.Query) (page []engine.Listed, total int, err error)
	Events(id string, after int64) ([]scaffolder.Event, error)
	Page(t scaffolder.Task, after int64) (events []scaffolder.Event, more bool, err error)
	Watch(id string) *engine.Watch
}

// A Catalog finds entities, as far as who asks may read them.
type Catalog interface {
	Lookup(ctx context.Context, who auth.Principal, ref string) (e catalog.Entity, ok bool, err error)
}

// A Completer answers POST /v2/autocomplete of one provider. An unknown resource
// is an InputError.
type Completer interface {
	Complete(ctx context.Context, resource, token string, context map[string]string) ([]Completion, error)
}

// A Completion is something that a form can offer.
type Completion struct {
	ID    string
	Title string // "" for none
}

// Options are what an API needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Engine, Catalog, Actions, Decider and Validate. Required.
	Engine  Engine
	Catalog Catalog
	Actions *action.Registry
	Decider permission.Decider
	// Validate returns what makes an entity no template, nil if nothing does.
	Validate func(template *jsonvalue.Object) error
	// Filters are those that templates can use, for templating-extensions.
	Filters []filters.Filter
	// Completers by provider; nil: there are none.
	Completers map[string]Completer
	// Log takes what operators want to know; nil: it is lost.
	Log *slog.Logger
	// BasePath is the path of the mount in openapi.json; "": /api/scaffolder.
	BasePath string
	// PollTimeout is how long a request for events waits for one; 0: 30
	// seconds.
	PollTimeout time.Duration
	// KeepAlive is how often a silent stream says that it is alive; 0: 15
	// seconds.
	KeepAlive time.Duration
}

// API answers for the scaffolder.
type API struct {
	Options
	description         any
	actions, extensions []byte

	stopOnce sync.Once
	stop     chan struct{}
}

// New checks the options.
func New(o Options) (*API, error) {
	if o.Engine == nil || o.Catalog == nil || o.Actions == nil || o.Decider == nil || o.Validate == nil {
		return nil, errors.New("scaffolder API needs engine, catalog, actions, decider and a validator of templates")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.BasePath == "" {
		o.BasePath = "/api/scaffolder"
	}
	if o.PollTimeout == 0 {
		o.PollTimeout = 30 * time.Second
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 15 * time.Second
	}
	return &API{Options: o, stop: make(chan struct{}),
		description: operation.Describe("scaffolder", "Templates, the actions that they are made of, and the tasks that run them.",
			o.BasePath, operations()),
		actions:    jsonvalue.Append(nil, describeActions(o.Actions)),
		extensions: jsonvalue.Append(nil, describeExtensions(o.Filters)),
	}, nil
}

// Stop ends requests that wait for events, so that the server can stop.
func (a *API) Stop() { a.stopOnce.Do(func() { close(a.stop) }) }

// OpenAPI answers GET /openapi.json.
func (a *API) OpenAPI(*gin.Context) (any, error) { return a.description, nil }

// isStopped tells whether Stop was called.
func (a *API) isStopped() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}
