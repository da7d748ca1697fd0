package catalog_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	domain "github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/catalog"
)

// fake is a catalog of func fields; a nil one answers with nothing.
type fake struct {
	entities map[string]string // by canonical ref
	register func(ctx context.Context, location domain.LocationRef) error
	preview  func(location domain.LocationRef) ([]domain.Entity, error)
	asked    []string // initiators
	changes  int
}

func (f *fake) EntitiesByRefs(_ context.Context, by action.Initiator, refs []domain.EntityRef) ([]domain.Entity, error) {
	f.asked = append(f.asked, by.UserRef)
	out := make([]domain.Entity, len(refs))
	for i, ref := range refs {
		if text, ok := f.entities[ref.String()]; ok {
			out[i] = entity(text)
		}
	}
	return out, nil
}

func (f *fake) RegisterLocation(ctx context.Context, by action.Initiator, location domain.LocationRef) error {
	f.asked = append(f.asked, by.UserRef)
	f.changes++
	if f.register != nil {
		return f.register(ctx, location)
	}
	return nil
}

func (f *fake) PreviewLocation(_ context.Context, by action.Initiator, location domain.LocationRef) ([]domain.Entity, error) {
	f.asked = append(f.asked, by.UserRef)
	if f.preview != nil {
		return f.preview(location)
	}
	return nil, nil
}

func entity(text string) domain.Entity {
	o, err := jsonvalue.ParseObject([]byte(text))
	if err != nil {
		panic(err)
	}
	return domain.Entity{Object: o}
}

type resolver struct{}

func (resolver) ResolveURL(path, base string) (string, bool, error) {
	switch base {
	case "https://github.com/acme/shop/blob/main":
		return base + path, true, nil
	case "https://[":
		return "", false, errors.New("invalid URL: https://[")
	}
	return "", false, nil
}

func lookup(t *testing.T, f *fake, id string) action.Action {
	r, err := action.NewRegistry(catalog.Actions(catalog.Options{Catalog: f, Resolver: resolver{}})...)
	require.NoError(t, err)
	a, err := r.Lookup(id)
	require.NoError(t, err)
	return a
}

const component = `{"kind":"Component","metadata":{"name":"shop","namespace":"default"},"spec":{"owner":"team-a"}}`

func TestConformance(t *testing.T) {
	t.Run("catalog:register", func(t *testing.T) {
		waiting := make(chan struct{})
		f := &fake{register: func(ctx context.Context, location domain.LocationRef) error {
			if location.Target == "https://slow/" {
				close(waiting)
				<-ctx.Done()
			}
			return context.Cause(ctx)
		}}
		actiontest.Run(t, lookup(t, f, "catalog:register"), actiontest.Options{
			Cases: []actiontest.Case{
				{Name: "by URL", Input: `{"catalogInfoUrl":"https://x/c.yaml","optional":true}`},
				{Name: "by repository", Input: `{"repoContentsUrl":"https://github.com/acme/shop/blob/main","catalogInfoPath":"/x.yaml"}`},
			},
			Effects: func() int { return f.changes },
			Slow:    &actiontest.Case{Name: "optional", Input: `{"catalogInfoUrl":"https://slow/","optional":true}`},
			Waiting: waiting,
		})
	})
	t.Run("catalog:write", func(t *testing.T) {
		actiontest.Run(t, lookup(t, &fake{}, "catalog:write"), actiontest.Options{
			Cases: []actiontest.Case{{Name: "all", Input: `{"filePath":"x/y.yaml","entity":` + component + `}`}},
			Paths: []actiontest.Path{{Name: "filePath", Input: func(p string) string {
				return `{"filePath":` + string(jsonvalue.AppendString(nil, p)) + `,"entity":` + component + `}`
			}}},
		})
	})
	t.Run("catalog:fetch", func(t *testing.T) {
		actiontest.Run(t, lookup(t, &fake{}, "catalog:fetch"), actiontest.Options{
			Cases: []actiontest.Case{{Name: "all", Input: `{"entityRef":"a","entityRefs":["b"],"optional":true,"defaultKind":"group","defaultNamespace":"x"}`}},
		})
	})
}

func TestSchemasAreThoseOfTheReference(t *testing.T) {
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"required":["entity"],
		"properties":{"filePath":{"type":"string"},"entity":{"type":"object","additionalProperties":{}}}}`,
		actiontest.Undescribed(lookup(t, nil, "catalog:write").InputSchema()))
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,
		"properties":{"entityRef":{"type":"string"},"entityRefs":{"type":"array","items":{"type":"string"}},"optional":{"type":"boolean"},
		"defaultKind":{"type":"string"},"defaultNamespace":{"type":"string"}}}`,
		actiontest.Undescribed(lookup(t, nil, "catalog:fetch").InputSchema()))
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,
		"properties":{"entity":{},"entities":{"type":"array"}}}`, actiontest.Undescribed(lookup(t, nil, "catalog:fetch").OutputSchema()))
	data, err := os.ReadFile("../../../../shared/conformance/cases/scaffolder-actions.json")
	if os.IsNotExist(err) {
		t.Skip("SKIPPED: the recorded cases are not beside this checkout")
	}
	require.NoError(t, err)
	var scenarios []struct {
		Steps []struct {
			Expect struct{ Body json.RawMessage }
		}
	}
	require.NoError(t, json.Unmarshal(data, &scenarios))
	for _, s := range scenarios {
		o, err := jsonvalue.ParseObject(s.Steps[0].Expect.Body)
		require.NoError(t, err)
		if o.String("id") == "catalog:register" {
			require.JSONEq(t, actiontest.Undescribed(o.Object("schema").Object("input")), actiontest.Undescribed(lookup(t, nil, "catalog:register").InputSchema()))
			return
		}
	}
	t.Fatal("catalog:register was not recorded")
}

func entities(texts ...string) func(domain.LocationRef) ([]domain.Entity, error) {
	return func(domain.LocationRef) ([]domain.Entity, error) {
		var out []domain.Entity
		for _, text := range texts {
			out = append(out, entity(text))
		}
		return out, nil
	}
}

func TestRegister(t *testing.T) {
	const (
		generated = `{"kind":"Component","metadata":{"name":"generated-1"}}`
		location  = `{"kind":"Location","metadata":{"name":"generated-2"}}`
		api       = `{"kind":"API","metadata":{"name":"pets"}}`
	)
	const byURL = `{"catalogInfoUrl":"https://x/c.yaml"}`
	for _, c := range []struct {
		name, input string
		preview     func(domain.LocationRef) ([]domain.Entity, error)
		want        string
	}{
		{"a component goes first", byURL, entities(location, generated, api, component), `{"entityRef":"component:default/shop","catalogInfoUrl":"https://x/c.yaml"}`},
		{"then what is not generated", byURL, entities(location, api), `{"entityRef":"api:default/pets","catalogInfoUrl":"https://x/c.yaml"}`},
		{"then whatever there is", byURL, entities(location, generated), `{"entityRef":"location:default/generated-2","catalogInfoUrl":"https://x/c.yaml"}`},
		{"no entity", byURL, nil, `{"catalogInfoUrl":"https://x/c.yaml"}`},
		{"a repository", `{"repoContentsUrl":"https://github.com/acme/shop/blob/main"}`, nil, `{"catalogInfoUrl":"https://github.com/acme/shop/blob/main/catalog-info.yaml"}`},
		{"a path in it", `{"repoContentsUrl":"https://github.com/acme/shop/blob/main","catalogInfoPath":"/x/y.yaml"}`, nil,
			`{"catalogInfoUrl":"https://github.com/acme/shop/blob/main/x/y.yaml"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{preview: c.preview}
			ctx, r := actiontest.NewContext(t)
			require.NoError(t, r.Run(t.Context(), lookup(t, f, "catalog:register"), ctx, c.input))
			require.Equal(t, c.want, r.Outputs())
			require.Equal(t, []string{"user:default/guest", "user:default/guest"}, f.asked, "in the name of who started the task")
			require.Equal(t, 1, f.changes)
			require.Len(t, r.Lines(), 1)
			require.Regexp(t, "^info: Registering https://.* in the catalog$", r.Lines()[0])
		})
	}
}

func TestRegisterErrors(t *testing.T) {
	conflict := func(context.Context, domain.LocationRef) error {
		return domain.NewError(domain.NameConflict, "Location url:https://x/c.yaml already exists")
	}
	unreadable := func(domain.LocationRef) ([]domain.Entity, error) { return nil, errors.New("404, not found") }
	for _, c := range []struct {
		name, input string
		fake        fake
		want        string
	}{
		{"a conflict", `{"catalogInfoUrl":"https://x/c.yaml"`, fake{register: conflict}, "Location url:https://x/c.yaml already exists"},
		{"no descriptor", `{"catalogInfoUrl":"https://x/c.yaml"`, fake{preview: unreadable}, "404, not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			require.EqualError(t, r.Run(t.Context(), lookup(t, &c.fake, "catalog:register"), ctx, c.input+"}"), c.want)
			ctx, r = actiontest.NewContext(t)
			require.NoError(t, r.Run(t.Context(), lookup(t, &c.fake, "catalog:register"), ctx, c.input+`,"optional":true}`))
			require.Equal(t, `{"catalogInfoUrl":"https://x/c.yaml"}`, r.Outputs())
			require.Contains(t, r.Lines(), "warn: The registration is optional and was left out: "+c.want)
		})
	}
	for input, want := range map[string]string{
		`{"repoContentsUrl":"https://example.com/x"}`:  "No integration found for host https://example.com/x",
		`{"repoContentsUrl":"https://["}`:              "repoContentsUrl: invalid URL: https://[",
		`{"catalogInfoUrl":""}`:                        "must not be empty",
		`{"repoContentsUrl":""}`:                       "must not be empty",
		`{}`:                                           "Invalid input passed to action catalog:register, instance is not any of",
		`{"catalogInfoUrl":"x","repoContentsUrl":"y"}`: "Invalid input passed to action catalog:register, instance is not any of",
	} {
		ctx, r := actiontest.NewContext(t)
		require.ErrorContains(t, r.Run(t.Context(), lookup(t, &fake{}, "catalog:register"), ctx, input), want, input)
	}
}

// A step that registered and was interrupted finds its own location.
func TestRegisterAfterAnInterruption(t *testing.T) {
	there := false
	f := &fake{register: func(context.Context, domain.LocationRef) error {
		if there {
			return domain.NewError(domain.NameConflict, "already exists")
		}
		there = true
		return errors.New("the program ended here")
	}}
	ctx, r := actiontest.NewContext(t)
	a := lookup(t, f, "catalog:register")
	require.Error(t, r.Run(t.Context(), a, ctx, `{"catalogInfoUrl":"https://x/c.yaml"}`))
	require.NoError(t, r.Run(t.Context(), a, ctx, `{"catalogInfoUrl":"https://x/c.yaml"}`))
	require.NoError(t, r.Run(t.Context(), a, ctx, `{"catalogInfoUrl":"https://x/c.yaml"}`))
	require.Equal(t, 2, f.changes, "what is registered is not asked for again")
	require.True(t, a.Repeatable())
}

func TestWrite(t *testing.T) {
	for _, c := range []struct{ name, input, template, file, want string }{
		{"the standard file", `{"entity":` + component + `}`, "template:default/example", "catalog-info.yaml",
			"kind: Component\nmetadata:\n  name: shop\n  namespace: default\n  annotations:\n    backstage.io/source-template: template:default/example\nspec:\n  owner: team-a\n"},
		{"another file, and no template", `{"filePath":"sub/info.yaml","entity":{"metadata":{}}}`, "", "sub/info.yaml", "metadata: {}\n"},
		{"annotations are kept, and the one of the template replaced",
			`{"entity":{"metadata":{"annotations":{"a":"on","backstage.io/source-template":"old","z":"007"},"name":"x"}}}`, "template:default/example", "catalog-info.yaml",
			"metadata:\n  annotations:\n    a: on\n    backstage.io/source-template: template:default/example\n    z: \"007\"\n  name: x\n"},
		{"YAML 1.2", `{"entity":{"metadata":{"annotations":null},"spec":{"on":"yes","n":"007","t":"true","s":"a\nb\n","l":[1,"2",{"x":null}]}}}`, "t", "catalog-info.yaml",
			"metadata:\n  annotations:\n    backstage.io/source-template: t\nspec:\n  on: yes\n  n: \"007\"\n  t: \"true\"\n  s: |\n    a\n    b\n  l:\n    - 1\n    - \"2\"\n    - x: null\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			ctx.Template.EntityRef = c.template
			require.NoError(t, r.Run(t.Context(), lookup(t, nil, "catalog:write"), ctx, c.input))
			data, err := ctx.Workspace.ReadFile(c.file, 1<<20)
			require.NoError(t, err)
			require.Equal(t, c.want, string(data))
			require.Equal(t, []string{"info: Writing " + c.file}, r.Lines())
		})
	}
	for input, want := range map[string]string{
		`{"entity":{"a":{"b":["c"]}}}`:                  "entity.metadata: an entity has an object of that name, with at least a name",
		`{"entity":{"metadata":"x"}}`:                   "entity.metadata: an entity has an object of that name, with at least a name",
		`{"entity":{"metadata":{"annotations":["x"]}}}`: "entity.metadata.annotations: expected an object of texts",
		`{"entity":"x"}`:                                "Invalid input passed to action catalog:write, instance.entity is not of a type(s) object",
	} {
		ctx, r := actiontest.NewContext(t)
		err := r.Run(t.Context(), lookup(t, nil, "catalog:write"), ctx, input)
		require.ErrorIs(t, err, domain.ErrInput)
		require.EqualError(t, err, want)
	}
}

func TestFetch(t *testing.T) {
	f := &fake{entities: map[string]string{"component:default/shop": component, "group:acme/team-a": `{"kind":"Group"}`}}
	for _, c := range []struct{ name, input, want, err string }{
		{"one", `{"entityRef":"Component:default/Shop"}`, `{"entity":` + component + `}`, ""},
		{"several", `{"entityRefs":["group:acme/team-a","component:shop"]}`, `{"entities":[{"kind":"Group"},` + component + `]}`, ""},
		{"both", `{"entityRef":"component:shop","entityRefs":[]}`, `{"entity":` + component + `,"entities":[]}`, ""},
		{"short refs", `{"entityRef":"team-a","defaultKind":"group","defaultNamespace":"acme"}`, `{"entity":{"kind":"Group"}}`, ""},
		{"what does not exist", `{"entityRef":"component:default/none"}`, `{}`, "Entity component:default/none not found"},
		{"one of several", `{"entityRefs":["component:shop","component:None"]}`, `{}`, "Entity component:None not found"},
		{"what may not exist", `{"entityRef":"component:none","entityRefs":["component:shop","component:none"],"optional":true}`,
			`{"entity":null,"entities":[` + component + `,null]}`, ""},
		{"nothing is asked for", `{}`, `{}`, "Missing entity reference or references"},
		{"nothing is asked for, and that is allowed", `{"optional":true}`, `{}`, ""},
		{"an empty ref is none", `{"entityRef":""}`, `{}`, "Missing entity reference or references"},
		{"a ref without a kind", `{"entityRef":"shop"}`, `{}`, `entityRef: Entity reference "shop" had missing or empty kind`},
		{"no ref at all", `{"entityRefs":["a:b:c/"]}`, `{}`, `entityRefs: Entity reference "a:b:c/" was not on the form`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			err := r.Run(t.Context(), lookup(t, f, "catalog:fetch"), ctx, c.input)
			require.Equal(t, c.want, r.Outputs())
			require.Empty(t, r.Lines())
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.err)
		})
	}
	require.Contains(t, f.asked, "user:default/guest", "in the name of who started the task")
}
