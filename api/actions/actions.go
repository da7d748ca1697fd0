package actions

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

// An Action is something that a plugin can do.
type Action struct {
	// Plugin and Name make its id. Required.
	Plugin, Name       string
	Title, Description string
	// What those who choose should know: whether it only reads, may be
	// repeated, or takes something away.
	ReadOnly, Idempotent, Destructive bool
	// Input and Output are JSON Schemas of objects. Required.
	Input, Output *jsonvalue.Object
	// Run does it, for a caller, with input that fits the schema. Required.
	Run func(ctx context.Context, who auth.Principal, input *jsonvalue.Object) (output any, err error)
}

// An Authenticator finds out who sent a request.
type Authenticator interface {
	Identify(r *http.Request, plugin string) (auth.Principal, error)
}

// A Registry holds the actions of all plugins.
type Registry struct {
	authenticator Authenticator
	sources       []string
	actions       []registered
}

type registered struct {
	Action
	id    string
	input *jsonschema.Schema
}

// New returns an empty Registry. Sources are the plugins whose actions are
// shown; nil: all.
func New(a Authenticator, sources []string) *Registry {
	return &Registry{authenticator: a, sources: sources}
}

// Add adds an action, before the routes are built.
func (r *Registry) Add(a Action) error {
	id := a.Plugin + ":" + a.Name
	switch {
	case a.Plugin == "" || a.Name == "" || a.Input == nil || a.Output == nil || a.Run == nil:
		return fmt.Errorf("action %q needs a plugin, a name, schemas and something to do", id)
	case r.find(a.Plugin, id) != nil:
		return fmt.Errorf("action %q is there twice", id)
	}
	// What an action does not know of is passed over, though its schema says
	// to clients that there is nothing else.
	open := a.Input.Clone()
	open.Delete("additionalProperties")
	input, err := jsonschema.CompileString(id, string(jsonvalue.Append(nil, open)))
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

func (r *Registry) find(plugin, id string) *registered {
	for i := range r.actions {
		if a := &r.actions[i]; a.id == id && a.Plugin == plugin {
			return a
		}
	}
	return nil
}

func (r *Registry) shows(plugin string) bool {
	return r.sources == nil || slices.Contains(r.sources, plugin)
}

// List answers GET /.backstage/actions/v1/actions of a plugin.
func (r *Registry) List(plugin string) wire.Handler {
	return func(c *gin.Context) (any, error) {
		if _, err := r.authenticator.Identify(c.Request, plugin); err != nil {
			return nil, err
		}
		list := []any{}
		for i := range r.actions {
			if a := &r.actions[i]; a.Plugin == plugin && r.shows(plugin) {
				list = append(list, a.object())
			}
		}
		return wire.Obj("actions", list), nil
	}
}

func (a *registered) object() *jsonvalue.Object {
	return wire.Obj("id", a.id, "name", a.Name, "title", a.Title, "description", a.Description, "pluginId", a.Plugin,
		"attributes", wire.Obj("destructive", a.Destructive, "idempotent", a.Idempotent, "readOnly", a.ReadOnly),
		"schema", wire.Obj("input", a.Input, "output", a.Output))
}

// Invoke answers POST /.backstage/actions/v1/actions/:id/invoke of a plugin,
// whose body is the input, and with wrapped that of v2, whose body holds it.
func (r *Registry) Invoke(plugin string, wrapped bool) wire.Handler {
	return func(c *gin.Context) (any, error) {
		who, err := r.authenticator.Identify(c.Request, plugin)
		if err != nil {
			return nil, err
		}
		id, ok := wire.Param(c, "id")
		if !ok {
			return nil, wire.MalformedPath()
		}
		a := r.find(plugin, id)
		if a == nil || !r.shows(plugin) {
			return nil, wire.NotFound(`Action "` + id + `" not found`)
		}
		input, err := a.readInput(c.Request, wrapped)
		if err != nil {
			return nil, err
		}
		output, err := a.Run(c.Request.Context(), who, input)
		if err != nil {
			return nil, err
		}
		return wire.Obj("output", output), nil
	}
}

func (a *registered) readInput(r *http.Request, wrapped bool) (*jsonvalue.Object, error) {
	body, ok, err := wire.ReadJSON(r, wire.BodyLimit)
	if err != nil {
		return nil, err
	}
	if !ok {
		body = jsonvalue.NewObject()
	}
	if wrapped {
		o, _ := body.(*jsonvalue.Object)
		if o.Value("secrets") != nil {
			return nil, wire.InputError(`Action "` + a.id + `" does not accept secrets`)
		}
		body = o.Value("input")
	}
	if err := a.input.Validate(jsonvalue.Plain(body)); err != nil {
		return nil, catalog.WrapError(catalog.NameInput, `Invalid input to action "`+a.id+`"`, errors.New(reason(err)))
	}
	input, ok := body.(*jsonvalue.Object)
	if !ok {
		return nil, wire.InputError(`Invalid input to action "` + a.id + `": it must be an object`)
	}
	return input, nil
}

// reason returns the innermost faults of a validation, one after the other.
func reason(err error) string {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	var parts []string
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 {
			parts = append(parts, strings.TrimPrefix(e.InstanceLocation+" "+e.Message, " "))
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(invalid)
	return strings.Join(parts, "; ")
}
