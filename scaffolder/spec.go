package scaffolder

import (
	"strconv"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Spec is what a task does, as it is stored and shown: see NewSpec.
type Spec struct{ *jsonvalue.Object }

// A Submission is what someone asks for who wants a template to run.
type Submission struct {
	// Values are the parameters.
	Values *jsonvalue.Object
	// UserRef is the entity ref of the user, "" for a service; User is the
	// user's entity, with a nil Object if there is none.
	UserRef string
	User    catalog.Entity
	// TemplateRef and BaseURL say where the template comes from.
	TemplateRef, BaseURL string
}

// NewSpec returns the spec of a task. Steps get ids and names where they have
// none; everything else is as the template and the submission have it.
func NewSpec(t *Template, s Submission) Spec {
	values := s.Values
	if values == nil {
		values = jsonvalue.NewObject()
	}
	spec := jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: t.Entity.APIVersion()},
		jsonvalue.Member{Key: "steps", Value: NamedSteps(t.Steps)},
	)
	if recovery, ok := t.Entity.Spec().Get("EXPERIMENTAL_recovery"); ok {
		spec.Set("EXPERIMENTAL_recovery", recovery)
	}
	output, ok := t.Entity.Spec().Get("output")
	if !ok || output == nil {
		output = jsonvalue.NewObject()
	}
	spec.Set("output", output)
	spec.Set("parameters", values)
	user := jsonvalue.NewObject()
	if s.User.Object != nil {
		user.Set("entity", s.User.Object)
	}
	if s.UserRef != "" {
		user.Set("ref", s.UserRef)
	}
	spec.Set("user", user)
	info := jsonvalue.NewObject(jsonvalue.Member{Key: "entityRef", Value: s.TemplateRef})
	if s.BaseURL != "" {
		info.Set("baseUrl", s.BaseURL)
	}
	info.Set("entity", jsonvalue.NewObject(jsonvalue.Member{Key: "metadata", Value: t.Entity.Object.Value("metadata")}))
	spec.Set("templateInfo", info)
	return Spec{spec}
}

// NamedSteps returns the steps with an id and a name each.
func NamedSteps(steps []*jsonvalue.Object) []any {
	out := make([]any, len(steps))
	for i, s := range steps {
		s = jsonvalue.NewObject(s.Members()...)
		if id, ok := s.Value("id").(string); !ok || id == "" {
			s.Set("id", "step-"+strconv.Itoa(i+1))
		}
		if name, ok := s.Value("name").(string); !ok || name == "" {
			s.Set("name", s.Value("action"))
		}
		out[i] = s
	}
	return out
}

// Steps returns the steps in order.
func (s Spec) Steps() []Step {
	list := objects(s.Value("steps"))
	out := make([]Step, len(list))
	for i, o := range list {
		out[i] = Step{o}
	}
	return out
}

// A Step is one step of a spec.
type Step struct{ *jsonvalue.Object }

// ID returns the step's id, under which later steps find its output.
func (s Step) ID() string { return s.String("id") }

// Name returns what people call the step.
func (s Step) Name() string { return s.String("name") }

// Action returns the id of the action that the step calls.
func (s Step) Action() string { return s.String("action") }

// Condition returns what stands under if; there is false if nothing does.
func (s Step) Condition() (value any, there bool) { return s.Get("if") }

// Each returns what stands under each; there is false if nothing does, or
// nothing that JavaScript takes for true.
func (s Step) Each() (value any, there bool) {
	v := s.Value("each")
	return v, v != nil && v != "" && v != false && v != 0.0
}

// Input returns the input before it is rendered, nil if there is none.
func (s Step) Input() any { return s.Value("input") }

// TemplateRef returns the ref of the template, "" if it is not known.
func (s Spec) TemplateRef() string { return s.Object.Object("templateInfo").String("entityRef") }

// BaseURL returns what relative URLs are relative to, "" if that is not known.
func (s Spec) BaseURL() string { return s.Object.Object("templateInfo").String("baseUrl") }

// TemplateMetadata returns the metadata of the template, nil if not known.
func (s Spec) TemplateMetadata() *jsonvalue.Object {
	return s.Object.Object("templateInfo").Object("entity").Object("metadata")
}

// UserRef returns the entity ref of the user that started the task, or "".
func (s Spec) UserRef() string { return s.Object.Object("user").String("ref") }

// User returns the entity of that user, with a nil Object if there is none.
func (s Spec) User() catalog.Entity {
	return catalog.Entity{Object: s.Object.Object("user").Object("entity")}
}

// Parameters returns the submitted values.
func (s Spec) Parameters() *jsonvalue.Object { return s.Object.Object("parameters") }

// StartsOver tells whether those who watch forget what was before a retry.
func (s Spec) StartsOver() bool { return s.Recovery() == StartOver }

// Recovery returns the recovery strategy: none or startOver.
func (s Spec) Recovery() string {
	if r := s.Object.Object("EXPERIMENTAL_recovery").String("EXPERIMENTAL_strategy"); r != "" {
		return r
	}
	return "none"
}
