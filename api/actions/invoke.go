package actions

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

var errAnonymous = wire.NotAllowed("Actions must be invoked by an authenticated principal, not an anonymous request")

// errTooLong is the cause of a context that ends because an action takes too
// long.
var errTooLong = errors.New("the action took too long")

// Invoke runs an action for somebody, and returns its output as JSON. Input is
// nil for none. An action that is not there for the caller is a NotFoundError,
// input that does not fit an InputError; what else there is comes from the
// action.
func (r *Registry) Invoke(ctx context.Context, by Caller, id string, input any) ([]byte, error) {
	if by.Kind == auth.None {
		return nil, errAnonymous
	}
	a := r.find(id)
	if a == nil {
		return nil, noAction(id)
	}
	sees, err := r.sees(ctx, by.Principal, a)
	if err != nil {
		return nil, err
	}
	if !sees {
		return nil, noAction(id)
	}
	fitting, err := a.check(input)
	if err != nil {
		return nil, err
	}
	return r.run(ctx, a, Call{Caller: by, Input: fitting})
}

func noAction(id string) error { return wire.NotFound(`Action "` + id + `" not found`) }

// run runs an action within the limits of time and size.
func (r *Registry) run(ctx context.Context, a *registered, c Call) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Timeout, errTooLong)
	defer cancel()
	output, err := r.audited(auth.WithPrincipal(ctx, c.Principal), a, c)
	if err != nil {
		var named *catalog.Error
		if context.Cause(ctx) == errTooLong && !errors.As(err, &named) {
			return nil, catalog.NewError(catalog.NameUnavailable, fmt.Sprintf(
				"Action %q did not end within %s and was stopped: ask for less, or try again later", a.id, r.o.Timeout))
		}
		return nil, err
	}
	encoded, err := wire.AppendJSON(nil, output)
	if err != nil {
		return nil, err
	}
	if len(encoded) > r.o.MaxOutput {
		return nil, wire.InputError(fmt.Sprintf("The output of action %q has %d bytes, and no more than %d are passed on: "+
			"ask for less at once", a.id, len(encoded), r.o.MaxOutput))
	}
	return encoded, nil
}

// audited runs an action, and writes that it did.
func (r *Registry) audited(ctx context.Context, a *registered, c Call) (output any, err error) {
	if a.Audit == nil {
		return a.Run(ctx, c)
	}
	event := r.o.Auditor.Event(audit.Kind{Plugin: a.Plugin, ID: a.Audit.ID, Severity: a.Audit.Severity}, audit.Actor{ID: c.Subject}, nil, a.Audit.Meta...)
	ctx = context.WithValue(ctx, audit.Key, event)
	err = errAborted // unless the action returns
	defer func() { event.End(ctx, err) }()
	return a.Run(ctx, c)
}

// errAborted is how an event ends whose action did not come to its end.
var errAborted = errors.New("the action did not return")

// check returns input that fits the schema.
func (a *registered) check(input any) (*jsonvalue.Object, error) {
	if err := a.input.Validate(jsonvalue.Plain(input)); err != nil {
		return nil, catalog.WrapError(catalog.NameInput, `Invalid input to action "`+a.id+`"`, errors.New(reason(err)))
	}
	o, ok := input.(*jsonvalue.Object)
	if !ok {
		return nil, wire.InputError(`Invalid input to action "` + a.id + `": it must be an object`)
	}
	return o, nil
}

// maxReasons is how many faults of an input are named.
const maxReasons = 10

// reason returns the innermost faults of a validation, one after the other.
func reason(err error) string {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	var parts []string
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 && len(parts) < maxReasons {
			parts = append(parts, strings.TrimPrefix(e.InstanceLocation+" "+e.Message, " "))
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(invalid)
	return strings.Join(parts, "; ")
}
