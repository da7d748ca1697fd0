package schemas_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/greenroom-idp/greenroom/schemas"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newSet(t *testing.T, o schemas.Options) *schemas.Set {
	t.Helper()
	set, err := schemas.New(o)
	require.NoError(t, err)
	return set
}

// folder is a folder of schemas with one file.
func folder(content string) fstest.MapFS {
	return fstest.MapFS{"gadget.json": {Data: []byte(content)}}
}

// gadget is a schema for kind Gadget in which spec.part has this schema.
func gadget(part string) string {
	return `{"properties": {"apiVersion": {"const": "example.com/v1"}, "kind": {"const": "Gadget"},
		"spec": {"properties": {"part": ` + part + `}}}}`
}

func gadgetEntity(part any) map[string]any {
	return map[string]any{
		"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": map[string]any{"name": "g"},
		"spec": map[string]any{"part": part},
	}
}

func TestKinds(t *testing.T) {
	const v1alpha1, v1beta1, v1beta3 = "backstage.io/v1alpha1", "backstage.io/v1beta1", "scaffolder.backstage.io/v1beta3"
	plain, ai := newSet(t, schemas.Options{}), newSet(t, schemas.Options{AIModel: true})
	for _, tc := range []struct {
		apiVersion, kind, processor, withAI string
		why                                 string
	}{
		{v1alpha1, "Component", schemas.BuiltinKinds, schemas.Model, "the AI model answers for the built-in kinds too"},
		{v1beta1, "Component", schemas.BuiltinKinds, schemas.Model, "both versions share a schema"},
		{v1alpha1, "API", schemas.BuiltinKinds, schemas.Model, "one API replaces the other"},
		{v1beta1, "Location", schemas.BuiltinKinds, schemas.Model, "a location is a kind like others"},
		{v1beta3, "Template", schemas.Scaffolder, schemas.Scaffolder, "the scaffolder answers for templates either way"},
		{v1alpha1, "AiResource", "", schemas.Model, "only the AI model has it"},
		{v1beta1, "AiResource", "", "", "in one version"},
		{v1alpha1, "component", "", "", "the spelling is exact"},
		{"backstage.io/V1alpha1", "Component", "", "", "that of the version too"},
		{v1alpha1, "Template", "", "", "a template has a version of its own"},
		{"", "", "", "", "nothing is no kind"},
	} {
		t.Run(tc.apiVersion+" "+tc.kind, func(t *testing.T) {
			for set, processor := range map[*schemas.Set]string{plain: tc.processor, ai: tc.withAI} {
				kind := set.Kind(tc.apiVersion, tc.kind)
				if processor == "" {
					assert.Nil(t, kind, tc.why)
					continue
				}
				require.NotNil(t, kind, tc.why)
				assert.Equal(t, processor, kind.Processor, tc.why)
				assert.Equal(t, tc.kind, kind.Name)
				assert.Contains(t, kind.APIVersions, tc.apiVersion)
			}
		})
	}
	assert.True(t, plain.KnowsKind("User"))
	assert.False(t, plain.KnowsKind("user"))
	assert.False(t, plain.KnowsKind("AiResource"))
	assert.True(t, ai.KnowsKind("AiResource"))
	assert.False(t, plain.KnowsKind("EntityMeta"), "a schema is no kind by itself")
}

func TestCustomKind(t *testing.T) {
	set := newSet(t, schemas.Options{Custom: fstest.MapFS{
		"gadget.json": {Data: []byte(`{
			"$schema": "http://json-schema.org/draft-07/schema#",
			"$id": "https://example.com/gadget.json",
			"allOf": [{"$ref": "#/definitions/whole"}, {
				"properties": {
					"apiVersion": {"enum": ["example.com/v1", "example.com/v2"]}, "kind": {"enum": ["Gadget"]},
					"metadata": {"$ref": "EntityMeta"}
				}
			}],
			"definitions": {"whole": {"required": ["spec"], "properties": {"spec": {"required": ["wheels"]}}}}
		}`)},
		"README.md":         {Data: []byte("not a schema")},
		"below/broken.json": {Data: []byte("not read")},
	}})
	for _, version := range []string{"example.com/v1", "example.com/v2"} {
		kind := set.Kind(version, "Gadget")
		require.NotNil(t, kind)
		assert.Equal(t, schemas.Model, kind.Processor)
		entity := gadgetEntity(nil)
		entity["spec"] = map[string]any{"wheels": 4.0}
		assert.Nil(t, kind.Check(entity, nil))
		entity["spec"] = map[string]any{}
		assert.EqualError(t, kind.Check(entity, nil), "/spec must have required property 'wheels' - missingProperty: wheels")
		entity["metadata"] = map[string]any{}
		assert.EqualError(t, kind.Check(entity, nil), "/metadata must have required property 'name' - missingProperty: name",
			"what holds for every entity is checked first")
		entity["surplus"] = 1.0
		assert.EqualError(t, kind.Check(entity, nil), "<root> must NOT have additional properties - additionalProperty: surplus")
	}
	assert.NotNil(t, set.Kind("backstage.io/v1alpha1", "Component"), "beside the built-in kinds")
}

func TestFoldersThatAreRefused(t *testing.T) {
	const component = `{"properties": {"apiVersion": {"const": "backstage.io/v1beta1"}, "kind": {"const": "Component"}}}`
	many := fstest.MapFS{}
	for i := range schemas.MaxFiles + 1 {
		many[fmt.Sprintf("%04d.json", i)] = &fstest.MapFile{Data: []byte(`{}`)}
	}
	for _, tc := range []struct {
		name   string
		custom fs.FS
		want   string
	}{
		{"an empty folder is a slip of the path", fstest.MapFS{}, "no file *.json in it"},
		{"and so is one with other files", fstest.MapFS{"gadget.yaml": {}}, "no file *.json in it"},
		{"a folder that is not there", brokenFS{}, "no such folder"},
		{"too many files", many, "1001 files, more than 1000"},
		{"a file that is too large", folder(`{"a": "` + strings.Repeat("x", schemas.MaxFileSize) + `"}`), "gadget.json: larger than 1048576 bytes"},
		{"no JSON", folder(`kind: Gadget`), "gadget.json: not a JSON object"},
		{"no object", folder(`[]`), "gadget.json: not a JSON object"},
		{"null", folder(`null`), "gadget.json: not a JSON object: null"},
		{"two values", folder(gadget(`{}`) + `{}`), "gadget.json: not a JSON object"},
		{"nested beyond reason", folder(`{"not":` + strings.Repeat(`{"not":`, 100_000) + `1` + strings.Repeat(`}`, 100_001)), "gadget.json: not a JSON object"},
		{"no kind", folder(`{"properties": {"apiVersion": {"const": "example.com/v1"}}}`), "gadget.json: properties.kind must have a const, or an enum of one string, but allows 0"},
		{"several kinds", folder(`{"properties": {"apiVersion": {"const": "example.com/v1"}, "kind": {"enum": ["A", "B"]}}}`), "gadget.json: properties.kind must have a const, or an enum of one string, but allows 2"},
		{"an empty kind", folder(`{"properties": {"apiVersion": {"const": "example.com/v1"}, "kind": {"const": ""}}}`), "gadget.json: properties.kind must have"},
		{"no version", folder(`{"properties": {"kind": {"const": "Gadget"}}}`), "gadget.json: properties.apiVersion must have a const, or an enum of strings"},
		{"a kind that is there", folder(component), "gadget.json: kind Component of apiVersion backstage.io/v1beta1 is there already"},
		{"twice the same", fstest.MapFS{"a.json": {Data: []byte(gadget(`{}`))}, "b.json": {Data: []byte(gadget(`{}`))}}, "b.json: kind Gadget of apiVersion example.com/v1 is there already"},
		{"a keyword of the wrong type", folder(gadget(`{"required": "wheels"}`)), "gadget.json: not a JSON Schema"},
		{"a type that is none", folder(gadget(`{"type": "map"}`)), "gadget.json: not a JSON Schema"},
		{"a pattern that is none", folder(gadget(`{"pattern": "("}`)), "gadget.json: "},
		{"a pattern that this program cannot run", folder(gadget(`{"pattern": "(?=a)"}`)), "gadget.json: "},
		{"a reference to nowhere", folder(gadget(`{"$ref": "#/definitions/none"}`)), "gadget.json: "},
		{"a reference to a schema that is not there", folder(gadget(`{"$ref": "Widget"}`)), "Widget"},
		{"a schema on the network", folder(gadget(`{"$ref": "https://example.com/x.json"}`)), "there is no schema https://example.com/x.json here, and none is fetched"},
		{"a file", folder(gadget(`{"$ref": "file:///etc/passwd"}`)), "there is no schema file:///etc/passwd here, and none is fetched"},
		{"a reference in a circle", folder(gadget(`{"allOf": [{"$ref": "#/properties/spec/properties/part"}]}`)), "gadget.json: jsonschema schema:///whole-custom-gadget.json compilation failed: infinite loop"},
		{"an id that is no text", folder(`{"$id": 5}`), "gadget.json: $id must be a string"},
		{"a dialect that is not known", folder(`{"$schema": "https://example.com/dialect", "properties": {"apiVersion": {"const": "a/v1"}, "kind": {"const": "G"}}}`), "gadget.json: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := schemas.New(schemas.Options{Custom: tc.custom})
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// latest is a schema in the dialect of 2020.
func latest(schema string) string {
	return strings.Replace(schema, "{", `{"$schema": "https://json-schema.org/draft/2020-12/schema", `, 1)
}

// brokenFS cannot be read.
type brokenFS struct{}

func (brokenFS) Open(string) (fs.File, error) { return nil, errors.New("no such folder") }

func TestCustomKindsThatAreOddAreStillChecked(t *testing.T) {
	for _, tc := range []struct {
		name, schema string
		spec         any
		want         string
	}{
		{"a reference in a circle goes as deep as the value", gadget(`{"$ref": "#/properties/spec"}`), map[string]any{"part": map[string]any{"part": 1.0}}, ""},
		{"a keyword without words of its own", latest(gadget(`{"dependentRequired": {"a": ["b"]}}`)), map[string]any{"a": 1.0}, `/spec/part is not valid - property 'b' is required, if 'a' property exists`},
		{"a format", gadget(`{"type": "string", "format": "email"}`), "nobody", `/spec/part must match format "email" - format: email`},
		{"a later dialect", latest(gadget(`{"prefixItems": [{"type": "string"}], "items": {"type": "number"}}`)),
			[]any{"a", "b"}, "/spec/part/1 must be number - type: number"},
		{"infinity is null, as it is in JSON", gadget(`{"items": {"type": "number", "minimum": 0}}`), []any{1.0, math.Inf(1)}, "/spec/part/1 must be number - type: number"},
		{"and so is what is no number", gadget(`{"properties": {"a": {"type": "integer"}}}`), map[string]any{"a": math.NaN()}, "/spec/part/a must be integer - type: integer"},
		{"also where it breaks nothing", gadget(`{"items": {"type": ["number", "null"]}}`), []any{math.Inf(-1)}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newSet(t, schemas.Options{Custom: folder(tc.schema)}).Kind("example.com/v1", "Gadget").Check(gadgetEntity(tc.spec), nil)
			if tc.want == "" {
				assert.Nil(t, v)
				return
			}
			assert.ErrorContains(t, v, tc.want)
		})
	}
}

func TestDuplicatesAmongManyItemsAreFoundAtOnce(t *testing.T) {
	set := newSet(t, schemas.Options{Custom: folder(gadget(`{"uniqueItems": true}`))})
	items := make([]any, 50_000)
	for i := range items {
		items[i] = map[string]any{"n": float64(i)}
	}
	items[1] = items[0]
	assert.ErrorContains(t, set.Kind("example.com/v1", "Gadget").Check(gadgetEntity(items), nil),
		"/spec/part must NOT have duplicate items (items ## 0 and 1 are identical)")
}

// Without an order of keys, the least of several broken ones comes first.
func TestKeyOrder(t *testing.T) {
	set := newSet(t, schemas.Options{})
	entity := map[string]any{
		"apiVersion": "backstage.io/v1alpha1", "kind": "Component",
		"metadata": map[string]any{"name": "c", "labels": map[string]any{"b": 1.0, "a": 2.0, "c": "fine"}},
	}
	assert.EqualError(t, set.Entity(entity, nil), "/metadata/labels/a must be string - type: string")
	written := func(path []string) []string {
		if len(path) == 0 {
			return []string{"metadata", "kind", "apiVersion"}
		}
		assert.Equal(t, []string{"metadata", "labels"}, path, "what has names of its own is not asked for")
		return []string{"c", "b", "a"}
	}
	assert.EqualError(t, set.Entity(entity, written), "/metadata/labels/b must be string - type: string")
	assert.EqualError(t, set.Entity(entity, func([]string) []string { return []string{"b"} }),
		"/metadata/labels/a must be string - type: string", "an order that leaves keys out is none")
	entity["metadata"].(map[string]any)["labels"] = map[string]any{}
	assert.Nil(t, set.Entity(entity, func([]string) []string { t.Error("asked without a violation"); return nil }))
}

func TestViolationInTwoForms(t *testing.T) {
	v := newSet(t, schemas.Options{}).Envelope(map[string]any{}, nil)
	assert.Equal(t, &schemas.Violation{Path: "", Message: "must have required property 'apiVersion'", Params: "missingProperty: apiVersion"}, v)
	assert.Equal(t, "<root> must have required property 'apiVersion'", v.Short())
	assert.EqualError(t, v, "<root> must have required property 'apiVersion' - missingProperty: apiVersion")
}

func TestSetIsSharedBetweenGoroutines(t *testing.T) {
	set := newSet(t, schemas.Options{AIModel: true})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			entity := map[string]any{"apiVersion": "backstage.io/v1alpha1", "kind": "System", "metadata": map[string]any{"name": "s"}, "spec": map[string]any{"owner": float64(i)}}
			for range 50 {
				assert.EqualError(t, set.Kind("backstage.io/v1alpha1", "System").Check(entity, nil), "/spec/owner must be string - type: string")
			}
		})
	}
	all.Wait()
}
