package action

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/jsonschema"
)

// A Spec says what an action is called and what it can do.
type Spec struct {
	// ID is how templates name the action, like fetch:plain. Required.
	ID string
	// Description says in Markdown what the action does.
	Description string
	// Examples show it at work.
	Examples []Example
	// DryRun: the action can run without an effect outside of its workspace,
	// and does so when Context.DryRun is set. Others are skipped in a dry-run.
	DryRun bool
	// Repeatable: when the program ended while the action ran, it may be run
	// once more without asking. The workspace is then as it was before.
	Repeatable bool
	// Retired are input keys of earlier releases that mean nothing any more,
	// each with what to tell the author of the template ("" for nothing). They
	// are dropped, with a warning in the task's log.
	Retired map[string]string
	// Input and Output replace the schema that comes from the types, where
	// these cannot say it; nil: the schema of the type.
	Input, Output *jsonvalue.Object
}

// An Example shows how a template calls the action.
type Example struct {
	Description string
	Example     string // YAML that starts with "steps:"
}

// An Action is an operation that steps can call. It is made by New or
// NewWithOutput and does not change.
type Action struct {
	spec          Spec
	input, output *jsonvalue.Object
	checker       *jsonschema.Schema
	run           func(context.Context, *Context, *jsonvalue.Object) error
	err           error
}

// New returns an action whose outputs, if it has any, are set by
// Context.Output. In is the struct of its input; the fields' tags are
// described with Schema. What is wrong with the types is reported by
// NewRegistry.
//
// run gets an input that meets the schema. It ends soon after ctx does, and
// returns the context's cause then. Its errors reach the user as they are: they
// say what to do, and hold no secrets.
func New[In any](spec Spec, run func(ctx context.Context, c *Context, in In) error) Action {
	a := Action{spec: spec, input: spec.Input, output: spec.Output}
	schema, err := schemaOf[In]()
	if err != nil {
		a.err = fmt.Errorf("input of %s: %w", spec.ID, err)
		return a
	}
	if a.input == nil {
		a.input = schema
	}
	if a.checker, err = jsonschema.Compile(a.input); err != nil {
		a.err = fmt.Errorf("input schema of %s: %w", spec.ID, err)
		return a
	}
	a.run = func(ctx context.Context, c *Context, input *jsonvalue.Object) error {
		in, err := decode[In](input)
		if err != nil {
			return err
		}
		return run(ctx, c, in)
	}
	return a
}

// NewWithOutput returns an action whose outputs are the fields of what run
// returns, and their schema that of its type. Fields that are left out of JSON
// are no outputs.
func NewWithOutput[In, Out any](spec Spec, run func(ctx context.Context, c *Context, in In) (Out, error)) Action {
	schema, err := schemaOf[Out]()
	if spec.Output == nil {
		spec.Output = schema
	}
	a := New(spec, func(ctx context.Context, c *Context, in In) error {
		out, err := run(ctx, c, in)
		if err != nil {
			return err
		}
		data, err := json.Marshal(out)
		if err != nil {
			return fmt.Errorf("output of %s: %w", spec.ID, err)
		}
		o, err := jsonvalue.ParseObject(data)
		if err != nil {
			return fmt.Errorf("output of %s: %w", spec.ID, err)
		}
		for name, value := range o.All() {
			c.Output(name, value)
		}
		return nil
	})
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("output of %s: %w", spec.ID, err)
	}
	return a
}

// ID returns the action's name.
func (a Action) ID() string { return a.spec.ID }

// Description returns what the action does.
func (a Action) Description() string { return a.spec.Description }

// Examples returns examples. The caller must not change them.
func (a Action) Examples() []Example { return a.spec.Examples }

// DryRun tells whether the action can run without an effect.
func (a Action) DryRun() bool { return a.spec.DryRun }

// Repeatable tells whether the action may run again after an interruption.
func (a Action) Repeatable() bool { return a.spec.Repeatable }

// InputSchema returns the schema of the input. The caller must not change it.
func (a Action) InputSchema() *jsonvalue.Object { return a.input }

// OutputSchema returns the schema of the output, nil if the action declares
// none. The caller must not change it.
func (a Action) OutputSchema() *jsonvalue.Object { return a.output }

// Retired returns the input keys that mean nothing any more, in order.
func (a Action) Retired() []string {
	var keys []string
	for k := range a.spec.Retired {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// WithoutRetired returns the input without keys that mean nothing any more,
// and a warning for each that was there.
func (a Action) WithoutRetired(input *jsonvalue.Object) (*jsonvalue.Object, []string) {
	var warnings []string
	for _, key := range a.Retired() {
		if !input.Has(key) {
			continue
		}
		if warnings == nil {
			input = jsonvalue.NewObject(input.Members()...)
		}
		input.Delete(key)
		warning := fmt.Sprintf("The input %q of %s has no effect any more and is ignored", key, a.spec.ID)
		if advice := a.spec.Retired[key]; advice != "" {
			warning += ": " + advice
		}
		warnings = append(warnings, warning)
	}
	return input, warnings
}

// Check returns an InputError in the words of the reference if the input does
// not meet the schema. each is the key of the iteration, nil outside of one.
func (a Action) Check(input *jsonvalue.Object, each *string) error {
	faults := a.checker.Validate(input)
	if len(faults) == 0 {
		return nil
	}
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = f.Stack()
	}
	name := a.spec.ID
	if each != nil {
		name += "[" + *each + "]"
	}
	return catalog.NewError(catalog.NameInput, "Invalid input passed to action "+name+", "+strings.Join(texts, ", "))
}

// Run runs the action. The input has passed Check and has no retired keys.
func (a Action) Run(ctx context.Context, c *Context, input *jsonvalue.Object) error {
	return a.run(ctx, c, input)
}
