package actions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// An Action is something that a plugin can do.
type Action struct {
	// Plugin and Name make its id. Required.
	Plugin, Name       string
	Title, Description string
	// What those who choose should know: whether it only reads, may be
	// repeated, or takes something away.
	ReadOnly, Idempotent, Destructive bool
	// Input and Output are JSON Schemas of objects; see Schema. Required.
	Input, Output *jsonvalue.Object
	// Visibility is what callers must be allowed for the action to be there for
	// them; nil: it is there for everybody.
	Visibility *permission.Permission
	// Audit is what the audit log tells of an invocation; nil: nothing.
	Audit *Event
	// Run does it, for a caller, with input that fits the schema. The output is
	// what wire.AppendJSON writes. It ends when its context does. Required.
	Run func(ctx context.Context, c Call) (output any, err error)
}

// An Event is what an action writes to the audit log, as one of its plugin.
type Event struct {
	ID       string
	Severity audit.Severity
	Meta     []slog.Attr
}

// ID returns <plugin>:<name>.
func (a *Action) ID() string { return a.Plugin + ":" + a.Name }

// A Caller is who invokes an action.
type Caller struct {
	auth.Principal
	// Token is the credential that was sent, for what the caller starts that
	// goes on to act for it; "" if it is not known.
	Token string
}

// A Call is one invocation.
type Call struct {
	Caller
	// Input fits the schema, save for properties that it does not have.
	Input *jsonvalue.Object
}

// An Authenticator finds out who sent a request.
type Authenticator interface {
	Identify(r *http.Request, plugin string) (auth.Principal, error)
}

// Options are what a Registry needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Authenticator and Decider. Required.
	Authenticator Authenticator
	Decider       permission.Decider
	// Sources are the plugins whose actions are offered; nil: all.
	Sources []string
	// Filter says which actions are offered; zero: all.
	Filter Filter
	// Auditor writes the events of actions; nil: they are not written.
	Auditor *audit.Auditor
	// Timeout is how long an action may run; 0: a minute.
	Timeout time.Duration
	// MaxOutput is the largest output that is passed on, in bytes; 0: 2 MiB.
	MaxOutput int
}

// A Registry holds the actions of all plugins.
type Registry struct {
	o       Options
	actions []registered
}

type registered struct {
	Action
	id    string
	input *jsonschema.Schema
}

// New returns an empty Registry.
func New(o Options) (*Registry, error) {
	if o.Authenticator == nil || o.Decider == nil {
		return nil, errors.New("actions need an authenticator and a decider")
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.MaxOutput == 0 {
		o.MaxOutput = 2 << 20
	}
	if err := o.Filter.check(); err != nil {
		return nil, err
	}
	return &Registry{o: o}, nil
}

// Add adds actions, before the routes are built.
func (r *Registry) Add(list ...Action) error {
	for _, a := range list {
		if err := r.add(a); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) add(a Action) error {
	id := a.ID()
	switch {
	case a.Plugin == "" || a.Name == "" || a.Input == nil || a.Output == nil || a.Run == nil:
		return fmt.Errorf("action %q needs a plugin, a name, schemas and something to do", id)
	case r.find(id) != nil:
		return fmt.Errorf("action %q is there twice", id)
	}
	input, err := jsonschema.CompileString(id, string(jsonvalue.Append(nil, opened(a.Input))))
	if err != nil {
		return fmt.Errorf("action %q: input: %w", id, err)
	}
	r.actions = append(r.actions, registered{a, id, input})
	return nil
}

// Plugins returns the plugins that have actions.
func (r *Registry) Plugins() (out []string) {
	for i := range r.actions {
		if plugin := r.actions[i].Plugin; !slices.Contains(out, plugin) {
			out = append(out, plugin)
		}
	}
	return out
}

func (r *Registry) find(id string) *registered {
	for i := range r.actions {
		if a := &r.actions[i]; a.id == id {
			return a
		}
	}
	return nil
}

// offered tells whether the operator lets an action be shown.
func (r *Registry) offered(a *registered) bool {
	return (r.o.Sources == nil || slices.Contains(r.o.Sources, a.Plugin)) && r.o.Filter.Takes(&a.Action)
}

// For returns the actions that there are for somebody, in the order in which
// they were added. They must not be changed.
func (r *Registry) For(ctx context.Context, who auth.Principal) ([]*Action, error) {
	return r.those(ctx, who, func(*Action) bool { return true })
}

func (r *Registry) those(ctx context.Context, who auth.Principal, wanted func(*Action) bool) ([]*Action, error) {
	var out []*Action
	for i := range r.actions {
		a := &r.actions[i]
		if !wanted(&a.Action) {
			continue
		}
		sees, err := r.sees(ctx, who, a)
		if err != nil {
			return nil, err
		}
		if sees {
			out = append(out, &a.Action)
		}
	}
	return out, nil
}

// sees tells whether an action is there for somebody.
func (r *Registry) sees(ctx context.Context, who auth.Principal, a *registered) (bool, error) {
	if _, open := who.RestrictionFor(a.Plugin); !open || !r.offered(a) {
		return false, nil
	}
	if a.Visibility == nil {
		return true, nil
	}
	d, err := r.o.Decider.Decide(ctx, who, *a.Visibility, "")
	return d.Result == permission.Allow, err
}
