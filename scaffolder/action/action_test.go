package action_test

import (
	"context"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/stretchr/testify/require"
)

// A mode is a union, as debug:log has one.
type mode struct {
	all  bool
	kind string
}

func (mode) JSONSchema() *jsonvalue.Object {
	o, _ := jsonvalue.ParseObject([]byte(`{"anyOf":[{"type":"boolean"},{"type":"string","enum":["names","contents"]}]}`))
	return o
}

func (m *mode) UnmarshalValue(v any) error {
	m.all, _ = v.(bool)
	m.kind, _ = v.(string)
	return nil
}

type credentials struct {
	Token string `json:"token,omitempty" doc:"Who asks"`
}

type input struct {
	URL   string   `json:"url" doc:"Where from"`
	Count *float64 `json:"count,omitempty" default:"3"`
	Kind  string   `json:"kind,omitempty" enum:"a,b" default:"a"`
	Mode  mode     `json:"mode,omitempty"`
	Files []struct {
		From string `json:"from"`
		Keep bool   `json:"keep,omitempty"`
	} `json:"files,omitempty" schema:"{\"minItems\":1}"`
	Values *jsonvalue.Object `json:"values,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	ID     any               `json:"id,omitempty" schema:"{\"type\":[\"number\",\"string\"]}"`
	credentials
}

type output struct {
	Total float64 `json:"total"`
	Note  string  `json:"note,omitempty"`
}

func sample(run func(context.Context, *action.Context, input) (output, error)) action.Action {
	return action.NewWithOutput(action.Spec{
		ID: "sample:run", Description: "Runs a sample.", DryRun: true,
		Examples: []action.Example{{Description: "A run", Example: "steps:\n  - action: sample:run\n    input:\n      url: x\n"}},
		Retired:  map[string]string{"allowedHosts": "hosts are configured"},
	}, run)
}

func TestSchemaComesFromTheTypes(t *testing.T) {
	a := sample(nil)
	require.JSONEq(t, `{
		"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": false, "required": ["url"],
		"properties": {
			"url": {"type": "string", "description": "Where from"},
			"count": {"type": "number", "default": 3},
			"kind": {"type": "string", "enum": ["a", "b"], "default": "a"},
			"mode": {"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["names", "contents"]}]},
			"files": {"type": "array", "minItems": 1, "items": {"type": "object", "additionalProperties": false, "required": ["from"],
				"properties": {"from": {"type": "string"}, "keep": {"type": "boolean"}}}},
			"values": {"type": "object", "additionalProperties": {}},
			"labels": {"type": "object", "additionalProperties": {"type": "string"}},
			"id": {"type": ["number", "string"]},
			"token": {"type": "string", "description": "Who asks"}}}`, string(jsonvalue.Append(nil, a.InputSchema())))
	require.Equal(t, `{"type":"object","properties":{"total":{"type":"number"},"note":{"type":"string"}},"required":["total"],`+
		`"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}`,
		string(jsonvalue.Append(nil, a.OutputSchema())), "the order of keys is kept")
}

func TestInputsAreDecoded(t *testing.T) {
	var got input
	a := sample(func(_ context.Context, _ *action.Context, in input) (output, error) {
		got = in
		return output{Total: 2}, nil
	})
	c, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), a, c, `{"url":"x","count":2.5,"mode":"names","files":[{"from":"a","keep":true},{"from":"b"}],
		"values":{"z":1,"a":[2]},"labels":{"k":"v"},"id":7,"token":"t","allowedHosts":["x"]}`))
	require.Equal(t, "x", got.URL)
	require.Equal(t, 2.5, *got.Count)
	require.Equal(t, mode{kind: "names"}, got.Mode)
	require.Len(t, got.Files, 2)
	require.True(t, got.Files[0].Keep)
	require.Equal(t, `{"z":1,"a":[2]}`, string(jsonvalue.Append(nil, got.Values)), "the order of keys is kept")
	require.Equal(t, "v", got.Labels["k"])
	require.Equal(t, 7.0, got.ID)
	require.Equal(t, "t", got.Token)
	require.Equal(t, `{"total":2}`, r.Outputs())
	require.Equal(t, []string{`warn: The input "allowedHosts" of sample:run has no effect any more and is ignored: hosts are configured`}, r.Lines())
}

func TestInputsAreChecked(t *testing.T) {
	a := sample(nil)
	key := "2"
	for _, c := range []struct{ name, input, want string }{
		{"missing", `{}`, `instance requires property "url"`},
		{"wrong type", `{"url":1}`, `instance.url is not of a type(s) string`},
		{"null is a value", `{"url":null}`, `instance.url is not of a type(s) string`},
		{"unknown", `{"url":"x","hosts":1}`, `instance is not allowed to have the additional property "hosts"`},
		{"two faults", `{"kind":"c","count":"x"}`, `instance.count is not of a type(s) number, ` +
			`instance.kind is not one of enum values: a,b, instance requires property "url"`},
		{"inside", `{"url":"x","files":[{}]}`, `instance.files[0] requires property "from"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := jsonvalue.ParseObject([]byte(c.input))
			require.NoError(t, err)
			require.EqualError(t, a.Check(in, nil), "Invalid input passed to action sample:run, "+c.want)
			require.EqualError(t, a.Check(in, &key), "Invalid input passed to action sample:run[2], "+c.want)
		})
	}
}

func TestRegistriesRefuseWhatCannotRun(t *testing.T) {
	ok := sample(nil)
	_, err := action.NewRegistry(ok, ok)
	require.ErrorContains(t, err, "Template action with ID 'sample:run' has already been registered")
	_, err = action.NewRegistry(action.New(action.Spec{ID: "x"}, func(context.Context, *action.Context, struct{ C chan int }) error { return nil }))
	require.ErrorContains(t, err, "no JSON Schema can be made of the type chan int")
	_, err = action.NewRegistry(action.Action{})
	require.Error(t, err)
	r, err := action.NewRegistry(ok)
	require.NoError(t, err)
	_, err = r.Lookup("nope")
	require.ErrorContains(t, err, "Template action with ID 'nope' is not registered.")
}

func TestConformance(t *testing.T) {
	a := sample(func(_ context.Context, c *action.Context, in input) (output, error) {
		return output{Total: 1}, c.Workspace.WriteFile(in.URL, []byte("x"), 0o644)
	})
	actiontest.Run(t, a, actiontest.Options{
		Cases: []actiontest.Case{{Name: "all", Input: `{"url":"x","count":1,"kind":"a","mode":true,"files":[{"from":"a"}],` +
			`"values":{},"labels":{},"id":"x","token":"t"}`}},
		Paths: []actiontest.Path{{Name: "url", Input: func(p string) string { return `{"url":` + string(jsonvalue.AppendString(nil, p)) + `}` }}},
	})
}
