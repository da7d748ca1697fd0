package scaffolder_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/schemas"
)

func object(t *testing.T, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func entity(t *testing.T, spec, annotations string) catalog.Entity {
	t.Helper()
	return catalog.Entity{Object: object(t, `{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template",
		"metadata":{"name":"t","namespace":"default","annotations":`+annotations+`},"spec":`+spec+`}`)}
}

func template(t *testing.T, spec string) *scaffolder.Template {
	t.Helper()
	tmpl, err := scaffolder.NewTemplate(entity(t, spec, `{}`))
	require.NoError(t, err)
	return tmpl
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct{ name, entity, want string }{
		{"another kind", `{"kind":"Component"}`, "Invalid kind, only 'Template' kind is supported"},
		{"an old version", `{"kind":"template","apiVersion":"backstage.io/v1beta2"}`, "Unsupported apiVersion field in schema entity, backstage.io/v1beta2"},
		{"no version", `{"kind":"Template"}`, "Unsupported apiVersion field in schema entity, "},
		{"nothing at all", `{}`, "Invalid kind, only 'Template' kind is supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := scaffolder.NewTemplate(catalog.Entity{Object: object(t, c.entity)})
			require.ErrorIs(t, err, catalog.ErrInput)
			require.EqualError(t, err, c.want)
		})
	}
	require.Len(t, template(t, `{"parameters":{"title":"one page"}}`).Pages, 1)
	require.Len(t, template(t, `{"parameters":[{},"no page",{}],"steps":[{"action":"a"},null]}`).Pages, 2)
	require.Empty(t, template(t, `{"parameters":"none","steps":{}}`).Pages)
}

func TestBaseURL(t *testing.T) {
	for _, c := range []struct{ name, annotations, want string }{
		{"of the source", `{"backstage.io/source-location":"url:https://h/t/","backstage.io/managed-by-location":"url:https://h/x"}`, "https://h/t/"},
		{"of what manages it", `{"backstage.io/managed-by-location":"url:https://h/x"}`, "https://h/x"},
		{"a file", `{"backstage.io/managed-by-location":"file:/srv/t.yaml"}`, "file:///srv/t.yaml"},
		{"something else", `{"backstage.io/managed-by-location":"bootstrap:x"}`, ""},
		{"nothing", `{}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tmpl, err := scaffolder.NewTemplate(entity(t, `{}`, c.annotations))
			require.NoError(t, err)
			require.Equal(t, c.want, tmpl.BaseURL())
		})
	}
}

func TestFilter(t *testing.T) {
	tmpl := template(t, `{"parameters":[{"title":"all"},{"title":"some","backstage:permissions":{"tags":["admin","ops"]}}],
		"steps":[{"action":"a","backstage:permissions":{"tags":[1,"admin"]}},{"action":"b","backstage:permissions":"odd"}]}`)
	require.Equal(t, []string{"admin", "ops"}, scaffolder.Tags(tmpl.Pages[1]))
	untagged := func(tags []string) bool { return len(tags) == 0 }
	filtered := tmpl.Filter(untagged, untagged)
	require.Len(t, filtered.Pages, 1)
	require.Len(t, filtered.Steps, 1)
	require.Len(t, tmpl.Pages, 2, "the template itself is as it was")
}

// The spec of a task, key by key as clients get it.
func TestSpec(t *testing.T) {
	tmpl := template(t, `{"EXPERIMENTAL_recovery":{"EXPERIMENTAL_strategy":"startOver"},
		"steps":[{"action":"a","input":{"x":"${{ 1 }}"}},{"id":"own","name":"Own","action":"b","if":false,"each":[]},{"id":"","name":"","action":"c"}],"output":{"o":"x"}}`)
	spec := scaffolder.NewSpec(tmpl, scaffolder.Submission{Values: object(t, `{"b":1,"a":2}`), UserRef: "user:default/u",
		User: catalog.Entity{Object: object(t, `{"kind":"User"}`)}, TemplateRef: "template:default/t", BaseURL: "https://h/"})
	require.Equal(t, `{"apiVersion":"scaffolder.backstage.io/v1beta3","steps":[{"action":"a","input":{"x":"${{ 1 }}"},"id":"step-1","name":"a"},`+
		`{"id":"own","name":"Own","action":"b","if":false,"each":[]},{"id":"step-3","name":"c","action":"c"}],`+
		`"EXPERIMENTAL_recovery":{"EXPERIMENTAL_strategy":"startOver"},"output":{"o":"x"},"parameters":{"b":1,"a":2},`+
		`"user":{"entity":{"kind":"User"},"ref":"user:default/u"},"templateInfo":{"entityRef":"template:default/t","baseUrl":"https://h/",`+
		`"entity":{"metadata":{"name":"t","namespace":"default","annotations":{}}}}}`, string(jsonvalue.Append(nil, spec.Object)))
	require.True(t, spec.StartsOver())
	require.Equal(t, "user:default/u", spec.UserRef())
	require.Equal(t, "User", spec.User().Kind())
	require.Equal(t, "template:default/t", spec.TemplateRef())
	require.Equal(t, "https://h/", spec.BaseURL())
	require.Equal(t, "t", spec.TemplateMetadata().String("name"))
	steps := spec.Steps()
	require.Len(t, steps, 3)
	_, conditional := steps[0].Condition()
	require.False(t, conditional)
	condition, conditional := steps[1].Condition()
	require.True(t, conditional)
	require.Equal(t, false, condition)
	_, each := steps[1].Each()
	require.True(t, each, "an empty list is a list")
	require.False(t, tmpl.Steps[0].Has("id"), "the template itself is as it was")

	bare := scaffolder.NewSpec(template(t, `{}`), scaffolder.Submission{TemplateRef: "template:default/t"})
	require.Equal(t, `{"apiVersion":"scaffolder.backstage.io/v1beta3","steps":[],"output":{},"parameters":{},"user":{},`+
		`"templateInfo":{"entityRef":"template:default/t","entity":{"metadata":{"name":"t","namespace":"default","annotations":{}}}}}`,
		string(jsonvalue.Append(nil, bare.Object)))
	require.Equal(t, "none", bare.Recovery())
	require.Nil(t, bare.User().Object)
}

func TestCheckValues(t *testing.T) {
	tmpl := template(t, `{"parameters":[{"properties":{"a":{"type":"string"}}},{"required":["b"]},{"required":["c"]}]}`)
	require.NoError(t, tmpl.CheckValues(object(t, `{"a":"x","b":1,"c":2,"more":3}`)))
	var p *scaffolder.ParameterError
	require.ErrorAs(t, tmpl.CheckValues(object(t, `{"c":1}`)), &p)
	require.Len(t, p.Faults, 1, "the first page that has faults ends it")
	require.Equal(t, `instance requires property "b"`, p.Faults[0].Stack())
	require.ErrorContains(t, p, `1 value(s) do not fit the template: instance requires property "b"`)
	require.ErrorAs(t, tmpl.CheckValues(nil), &p)

	// Every page sees all values.
	closed := template(t, `{"parameters":[{"properties":{"a":{}},"additionalProperties":false},{"properties":{"b":{}}}]}`)
	require.ErrorAs(t, closed.CheckValues(object(t, `{"a":1,"b":2}`)), &p)
	// Defaults are not applied.
	require.ErrorAs(t, template(t, `{"parameters":{"required":["a"],"properties":{"a":{"default":1}}}}`).CheckValues(object(t, `{}`)), &p)
	// A page that is no schema is a fault of the template, not a crash.
	err := template(t, `{"parameters":{"enum":"x"}}`).CheckValues(object(t, `{}`))
	require.ErrorIs(t, err, catalog.ErrInput)
	require.ErrorContains(t, err, "The parameters of the template cannot be checked")
}

// No fault says what the secret is.
func TestCheckSecrets(t *testing.T) {
	require.NoError(t, template(t, `{}`).CheckSecrets(nil))
	for name, schema := range map[string]string{
		"plain":       `{"properties":{"s":{"type":"string","pattern":"^x$"}}}`,
		"allOf":       `{"properties":{"s":{"allOf":[{"minLength":100},{"allOf":[{"pattern":"^x$"}]}]}}}`,
		"at the root": `{"allOf":[{"required":["t"]}],"additionalProperties":{"not":{"type":"string"}}}`,
		"nested":      `{"dependencies":{"s":{"required":["t"],"properties":{"s":{"maxLength":1}}}}}`,
		"names":       `{"propertyNames":{"minLength":2},"anyOf":[{"required":["t"]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			var p *scaffolder.ParameterError
			require.ErrorAs(t, template(t, `{"secrets":{"schema":`+schema+`}}`).CheckSecrets(map[string]string{"s": "very-secret-text"}), &p)
			require.True(t, p.Secrets)
			for _, f := range p.Faults {
				text := string(jsonvalue.Append(nil, f.Object()))
				require.NotContains(t, text, "very-secret-text")
				require.Contains(t, text, `"property":"secrets`)
				require.Contains(t, text, `"instance":{}`)
			}
			require.NotContains(t, p.Error(), "very-secret-text")
		})
	}
}

func TestValidator(t *testing.T) {
	kinds, err := schemas.New(schemas.Options{})
	require.NoError(t, err)
	validate := scaffolder.Validator(kinds)
	require.NoError(t, validate(entity(t, `{"type":"service","steps":[{"action":"a"}]}`, `{}`).Object))
	for spec, want := range map[string]string{
		`{"type":"service"}`:                              "/spec must have required property 'steps'",
		`{"type":"service","steps":[{}]}`:                 "/spec/steps/0 must have required property 'action'",
		`{"type":"service","steps":[],"output":{"a":[]}}`: "/spec/output/a must be string",
	} {
		err := validate(entity(t, spec, `{}`).Object)
		require.ErrorIs(t, err, catalog.ErrInput)
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, validate(object(t, `{}`)), "<root> must have required property")
}

func TestBodies(t *testing.T) {
	require.Equal(t, `{"message":"m"}`, string(scaffolder.LogBody("m", "", "")))
	require.Equal(t, `{"message":"m","stepId":"s","status":"failed"}`, string(scaffolder.LogBody("m", "s", scaffolder.Failed)))
	require.Equal(t, `{"message":"Step s has been cancelled.","stepId":"s","status":"cancelled"}`, string(scaffolder.CancelledBody("s")))
	require.Equal(t, `{"message":"Step 0 has been cancelled.","stepId":0,"status":"cancelled"}`, string(scaffolder.CancelledBody("")))
	require.Equal(t, `{"recoverStrategy":"none"}`, string(scaffolder.RecoveredBody("none")))
	require.Equal(t, `{"message":"Run completed with status: failed","error":{"name":"InputError","message":"x"}}`,
		string(scaffolder.FailedBody(catalog.NewError(catalog.NameInput, "x"))))
}
