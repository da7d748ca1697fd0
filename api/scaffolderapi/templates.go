package scaffolderapi

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

// template returns the template of a ref, with what the caller may see of it.
func (a *API) template(ctx context.Context, ref catalog.EntityRef) (*scaffolder.Template, error) {
	if !scaffolder.IsTemplateKind(ref.Kind) {
		return nil, wire.InputError("Invalid kind, only 'Template' kind is supported")
	}
	e, ok, err := a.Catalog.Lookup(ctx, auth.PrincipalFrom(ctx), ref.String())
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, wire.NotFound("Template " + ref.String() + " not found")
	}
	t, err := scaffolder.NewTemplate(e)
	if err != nil {
		return nil, err
	}
	return a.visible(ctx, t)
}

// ParameterSchema answers GET /v2/templates/{namespace}/{kind}/{name}/parameter-schema.
func (a *API) ParameterSchema(c *gin.Context) (any, error) {
	if _, err := opSchema.Read(c); err != nil {
		return nil, err
	}
	kind, _ := wire.Param(c, "kind")
	namespace, _ := wire.Param(c, "namespace")
	name, _ := wire.Param(c, "name")
	ref := catalog.EntityRef{Kind: kind, Namespace: namespace, Name: name}
	t, err := a.template(c.Request.Context(), ref)
	if err != nil {
		return nil, err
	}
	return describeTemplate(t), nil
}

// untitled is the title of a page that has none.
const untitled = "Please enter the following information"

// describeTemplate writes what a form needs to know of a template.
func describeTemplate(t *scaffolder.Template) *jsonvalue.Object {
	metadata, spec := t.Entity.Metadata(), t.Entity.Spec()
	out := jsonvalue.NewObject()
	title := metadata.Value("title")
	if title == nil || title == "" {
		title = metadata.Value("name")
	}
	out.Set("title", title)
	setPresent(out, "description", metadata.Value("description"))
	setPresent(out, "presentation", spec.Value("presentation"))
	setPresent(out, "ui:options", metadata.Value("ui:options"))
	steps := []any{}
	for _, page := range t.Pages {
		step := jsonvalue.NewObject(jsonvalue.Member{Key: "title", Value: untitled})
		if title := page.Value("title"); title != nil {
			step.Set("title", title)
		}
		setPresent(step, "description", page.Value("description"))
		step.Set("schema", page)
		steps = append(steps, step)
	}
	out.Set("steps", steps)
	decorators := spec.Value("formDecorators")
	if decorators == nil {
		decorators = spec.Value("EXPERIMENTAL_formDecorators")
	}
	setPresent(out, "formDecorators", decorators)
	return out
}

func setPresent(o *jsonvalue.Object, key string, value any) {
	if value != nil {
		o.Set(key, value)
	}
}

// ListActions answers GET /v2/actions.
func (a *API) ListActions(c *gin.Context) (any, error) {
	if _, err := opActions.Read(c); err != nil {
		return nil, err
	}
	return a.actions, nil
}

func describeActions(r *action.Registry) []any {
	out := []any{}
	for _, act := range r.Actions() {
		o := jsonvalue.NewObject(jsonvalue.Member{Key: "id", Value: act.ID()})
		if text := act.Description(); text != "" {
			o.Set("description", text)
		}
		if list := act.Examples(); len(list) > 0 {
			examples := make([]any, len(list))
			for i, e := range list {
				examples[i] = wire.Obj("description", e.Description, "example", e.Example)
			}
			o.Set("examples", examples)
		}
		schema := wire.Obj("input", act.InputSchema())
		if output := act.OutputSchema(); output != nil {
			schema.Set("output", output)
		}
		o.Set("schema", schema)
		out = append(out, o)
	}
	return out
}

// TemplatingExtensions answers GET /v2/templating-extensions.
func (a *API) TemplatingExtensions(c *gin.Context) (any, error) {
	if _, err := opExtensions.Read(c); err != nil {
		return nil, err
	}
	return a.extensions, nil
}

func describeExtensions(list []filters.Filter) *jsonvalue.Object {
	out := jsonvalue.NewObject()
	for _, f := range list {
		o := jsonvalue.NewObject()
		if f.Description != "" {
			o.Set("description", f.Description)
		}
		schema := jsonvalue.NewObject()
		if f.Input != nil {
			schema.Set("input", f.Input)
		}
		if f.Arguments != nil {
			schema.Set("arguments", f.Arguments)
		}
		if f.Output != nil {
			schema.Set("output", f.Output)
		}
		o.Set("schema", schema)
		examples := []any{}
		for _, e := range f.Examples {
			x := jsonvalue.NewObject()
			if e.Description != "" {
				x.Set("description", e.Description)
			}
			x.Set("example", e.Example)
			if e.Notes != "" {
				x.Set("notes", e.Notes)
			}
			examples = append(examples, x)
		}
		o.Set("examples", examples)
		out.Set(f.Name, o)
	}
	return wire.Obj("filters", out, "globals", wire.Obj("functions", jsonvalue.NewObject(), "values", jsonvalue.NewObject()))
}

// Autocomplete answers POST /v2/autocomplete/{provider}/{resource}.
func (a *API) Autocomplete(c *gin.Context) (any, error) {
	in, err := opAutocomplete.Read(c)
	if err != nil {
		return nil, err
	}
	token := in.Body.String("token")
	if token == "" {
		return nil, wire.InputError("Missing token query parameter")
	}
	provider, _ := wire.Param(c, "provider")
	resource, _ := wire.Param(c, "resource")
	completer, ok := a.Completers[provider]
	if !ok {
		return nil, wire.InputError("Unsupported provider: " + provider)
	}
	found, err := completer.Complete(c.Request.Context(), resource, token, textsOf(in.Body.Object("context")))
	if err != nil {
		return nil, err
	}
	results := make([]any, len(found))
	for i, f := range found {
		o := wire.Obj("id", f.ID)
		if f.Title != "" {
			o.Set("title", f.Title)
		}
		results[i] = o
	}
	return wire.Obj("results", results), nil
}

// textsOf returns an object of texts as a map, nil for none.
func textsOf(o *jsonvalue.Object) map[string]string {
	if o == nil {
		return nil
	}
	out := make(map[string]string, o.Len())
	for k, v := range o.All() {
		out[k], _ = v.(string)
	}
	return out
}

// faults answers with what does not fit the template.
func faults(e *scaffolder.ParameterError) any {
	list := make([]any, len(e.Faults))
	for i, f := range e.Faults {
		list[i] = f.Object()
	}
	return wire.Status{Code: http.StatusBadRequest, Body: wire.Obj("errors", list)}
}
