package templatetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
)

// A Case is what goes into a run.
type Case struct {
	Description string
	// Template is the file that is run where a folder has several, "" for the
	// only one or else template.yaml.
	Template string
	Values   *jsonvalue.Object
	Secrets  map[string]string
	// User is the entity ref of who runs it, "" for nobody.
	User string
	// DryRun: steps run without effects, as in a dry-run.
	DryRun bool
	// Entities are what is in the catalog.
	Entities []*jsonvalue.Object
	// Integrations are those of the configuration, nil for GitHub and GitLab
	// with a token.
	Integrations any
}

// ParseCase reads a case. An error says what to change.
func ParseCase(o *jsonvalue.Object) (c Case, err error) {
	if err := known(o, "description", "template", "values", "secrets", "user", "dryRun", "entities", "integrations"); err != nil {
		return c, err
	}
	c.Values, c.Integrations, c.DryRun = jsonvalue.NewObject(), o.Value("integrations"), o.Value("dryRun") == true
	for name, to := range map[string]*string{"description": &c.Description, "template": &c.Template, "user": &c.User} {
		if v, there := o.Get(name); there {
			text, ok := v.(string)
			if !ok {
				return c, fmt.Errorf("%s is no text", name)
			}
			*to = text
		}
	}
	if v, there := o.Get("values"); there {
		var ok bool
		if c.Values, ok = v.(*jsonvalue.Object); !ok {
			return c, errors.New("values is no object of parameters")
		}
	}
	if c.Secrets, err = Texts(o.Value("secrets")); err != nil {
		return c, fmt.Errorf("secrets: %w", err)
	}
	list, ok := o.Value("entities").([]any)
	if o.Has("entities") && !ok {
		return c, errors.New("entities is no list of entities")
	}
	for i, v := range list {
		entity, ok := v.(*jsonvalue.Object)
		if !ok {
			return c, fmt.Errorf("entities[%d] is no entity", i)
		}
		c.Entities = append(c.Entities, entity)
	}
	return c, nil
}

// Texts reads an object whose values are texts, nil for none. The error names
// no values: they may be secrets.
func Texts(v any) (map[string]string, error) {
	if v == nil {
		return nil, nil
	}
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return nil, errors.New("an object of names and texts is needed")
	}
	out := map[string]string{}
	for name, v := range o.All() {
		text, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("the value of %s is no text; put it into quotes", name)
		}
		out[name] = text
	}
	return out, nil
}

// known checks that an object has no other keys.
func known(o *jsonvalue.Object, keys ...string) error {
	for key := range o.All() {
		if slices.Contains(keys, key) {
			continue
		}
		if near := spelling.Nearest(key, keys); near != "" {
			return fmt.Errorf("%s is not known; did you mean %s?", key, near)
		}
		return fmt.Errorf("%s is not known; there are %s", key, strings.Join(keys, ", "))
	}
	return nil
}

// An Expectation is what should come out of a run. What it does not name is not
// compared.
type Expectation struct {
	// Failure is part of the error with which the run ends, "" if it succeeds.
	Failure string
	// Steps are how steps end, by their ids; nil: any way.
	Steps map[string]string
	// Output is what the template puts out; OutputSet tells whether it counts.
	Output    any
	OutputSet bool
	// Log are parts of lines, in the order in which they come.
	Log []string
	// Registered are the URLs that are registered in the catalog; nil: any.
	Registered []string
	// Files are what is in the workspace at the end; nil: anything.
	Files []once.File
}

// ParseExpectation reads an expectation but for its files.
func ParseExpectation(o *jsonvalue.Object) (e Expectation, err error) {
	if err := known(o, "failure", "steps", "output", "log", "registered"); err != nil {
		return e, err
	}
	if v, there := o.Get("failure"); there {
		var ok bool
		if e.Failure, ok = v.(string); !ok || e.Failure == "" {
			return e, errors.New("failure is no text; leave it out where the run succeeds")
		}
	}
	if e.Steps, err = Texts(o.Value("steps")); err != nil {
		return e, fmt.Errorf("steps: %w", err)
	}
	for id, status := range e.Steps {
		if !slices.Contains([]string{string(scaffolder.Completed), string(scaffolder.Skipped), string(scaffolder.Failed)}, status) {
			return e, fmt.Errorf("steps.%s is %q; a step is completed, skipped or failed", id, status)
		}
	}
	e.Output, e.OutputSet = o.Get("output")
	if e.Log, err = list(o, "log"); err != nil {
		return e, err
	}
	e.Registered, err = list(o, "registered")
	return e, err
}

func list(o *jsonvalue.Object, key string) ([]string, error) {
	v, there := o.Get(key)
	if !there {
		return nil, nil
	}
	items, ok := v.([]any)
	out := []string{}
	for _, item := range items {
		text, isText := item.(string)
		ok = ok && isText
		out = append(out, text)
	}
	if !ok {
		return nil, fmt.Errorf("%s is no list of texts", key)
	}
	return out, nil
}

// Object returns the expectation in the form that ParseExpectation reads, with
// the steps in this order.
func (e Expectation) Object(order []string) *jsonvalue.Object {
	o := jsonvalue.NewObject()
	if e.Failure != "" {
		o.Set("failure", e.Failure)
	}
	if e.Steps != nil {
		steps := jsonvalue.NewObject()
		for _, id := range order {
			if status, ok := e.Steps[id]; ok {
				steps.Set(id, status)
			}
		}
		o.Set("steps", steps)
	}
	if e.OutputSet {
		o.Set("output", e.Output)
	}
	if e.Log != nil {
		o.Set("log", values(e.Log))
	}
	if e.Registered != nil {
		o.Set("registered", values(e.Registered))
	}
	return o
}

func values(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}
