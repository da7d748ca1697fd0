package runner_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/store"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// A record is a journal in memory.
type record struct {
	mu          sync.Mutex
	log         []string
	steps       []store.StepRecord
	checkpoints map[string][]byte
}

func (r *record) Log(body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, _ := jsonvalue.ParseObject(body)
	r.log = append(r.log, o.String("message"))
}

func (r *record) Step(s store.StepRecord, body []byte) {
	r.mu.Lock()
	r.steps = append(r.steps, s)
	r.mu.Unlock()
	if body != nil {
		r.Log(body)
	}
}

func (r *record) Sync(context.Context) error { return nil }

func (r *record) Checkpoint(key string) ([]byte, bool, error) {
	v, ok := r.checkpoints[key]
	return v, ok, nil
}

func (r *record) PutCheckpoint(_ context.Context, key string, value []byte) error {
	r.checkpoints[key] = value
	return nil
}

type input struct {
	Value any `json:"value,omitempty"`
}

// run runs a task of one step, which puts out its input.
func run(t *testing.T, step, values string, change func(*runner.Options, *runner.Task)) (runner.Result, *record) {
	t.Helper()
	actions, err := action.NewRegistry(
		action.New(action.Spec{ID: "echo", Repeatable: true}, func(_ context.Context, c *action.Context, in input) error {
			c.Output("value", in.Value)
			return nil
		}),
		action.New(action.Spec{ID: "keep", Repeatable: true}, func(ctx context.Context, c *action.Context, _ input) error {
			v, err := action.Checkpoint(ctx, c, "k", func(context.Context) (map[string]int, error) { return map[string]int{"n": 1}, nil })
			c.Output("value", float64(v["n"]))
			return err
		}))
	require.NoError(t, err)
	ws, err := workspace.Open(filepath.Join(t.TempDir(), "w"), workspace.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ws.Destroy()) })
	r := &record{checkpoints: map[string][]byte{}}
	spec, err := jsonvalue.ParseObject([]byte(`{"apiVersion":"scaffolder.backstage.io/v1beta3","steps":[` + step + `],
		"output":{"ran":"${{ steps.s.output.value }}"},"parameters":` + values + `}`))
	require.NoError(t, err)
	o, task := runner.Options{Actions: actions}, runner.Task{ID: "task", Spec: scaffolder.Spec{Object: spec}, Workspace: ws, Journal: r}
	if change != nil {
		change(&o, &task)
	}
	x, err := runner.New(o)
	require.NoError(t, err)
	result, err := x.Run(t.Context(), task)
	require.NoError(t, err)
	return result, r
}

func output(r runner.Result) string { return string(jsonvalue.Append(nil, r.Output)) }

// When a step runs, by what stands under its if: see the reference.
func TestConditions(t *testing.T) {
	for _, c := range []struct {
		name, condition string
		runs            bool
	}{
		{"true", `true`, true},
		{"false", `false`, false},
		{"the text false", `"false"`, true},
		{"the text zero", `"0"`, true},
		{"an empty text", `""`, false},
		{"true by expression", `"${{ parameters.yes }}"`, true},
		{"false by expression", `"${{ parameters.no }}"`, false},
		{"false with a blank before", `" ${{ parameters.no }}"`, true},
		{"an empty list", `"${{ parameters.empty }}"`, false},
		{"an empty object", `"${{ parameters.object }}"`, true},
		{"zero", `"${{ 0 }}"`, false},
		{"nothing", `"${{ parameters.gone }}"`, false},
		{"null", `"${{ none }}"`, false},
		{"an error stays as it is, which is a text", `"${{ parameters.yes | nosuch }}"`, true},
		{"always", `"${{ always() }}"`, true},
		{"failure, when there was none", `"${{ failure() }}"`, false},
		{"a number in YAML", `0`, true},
		{"a block", `"{% if parameters.no %}x{% endif %}"`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, _ := run(t, `{"id":"s","action":"echo","if":`+c.condition+`,"input":{"value":1}}`,
				`{"yes":true,"no":false,"empty":[],"object":{}}`, nil)
			require.NoError(t, result.Err)
			require.Equal(t, c.runs, output(result) == `{"ran":1}`, output(result))
		})
	}
}

// What becomes of the strings in an input: the table of the reference, with the
// rules of the older engine where they differ.
func TestInputs(t *testing.T) {
	const values = `{"n":5,"t":true,"f":false,"o":{"k":[1]},"a":[1,2],"s":"42","e":"","z":null}`
	for _, c := range []struct{ source, want string }{
		{"${{ parameters.n }}", `5`},
		{"${{ parameters.o }}", `{"k":[1]}`},
		{"${{ parameters.s }}", `"42"`},
		{"${{ parameters.z }}", `null`},
		{"${{ parameters.gone }}", ``},
		{"${{ parameters.gone.deeper }}", ``},
		{"${{ parameters.e }}", `""`},
		{"x-${{ parameters.n }}", `"x-5"`},
		{" ${{ parameters.n }}", `" 5"`},
		{"${{ parameters.o }}!", `"[object Object]!"`},
		{"{% if parameters.t %}true{% endif %}", `true`},
		{"{% if parameters.t %}${{ parameters.o }}{% endif %}", `{"k":[1]}`},
		{"{% if parameters.f %}x{% endif %}", ``},
		{"{% for x in parameters.a %}${{ x }}{% endfor %}", `12`},
		{"${{ parameters.n | nosuch }}", `"${{ parameters.n | nosuch }}"`},
		{"${{ bad", `"${{ bad"`},
		{"plain", `"plain"`},
	} {
		t.Run(c.source, func(t *testing.T) {
			result, _ := run(t, `{"id":"s","action":"echo","input":{"value":`+string(jsonvalue.AppendString(nil, c.source))+`}}`, values, nil)
			require.NoError(t, result.Err)
			want := `{"ran":` + c.want + `}`
			if c.want == "" {
				want = `{"ran":null}` // the key is gone, and the action put out nothing
			}
			require.Equal(t, want, output(result))
		})
	}
}

func TestEachWithAnEmptyCondition(t *testing.T) {
	result, _ := run(t, `{"id":"s","action":"echo","each":[1,2],"if":"","input":{"value":"${{ each.value }}"}}`, `{}`, nil)
	require.Equal(t, `{"ran":[1,2]}`, output(result), "it is no condition there")
	result, _ = run(t, `{"id":"s","action":"echo","each":[],"input":{"value":1}}`, `{}`, nil)
	require.Equal(t, `{}`, output(result), "no iteration, and no output")
}

func TestCheckpointsAreKept(t *testing.T) {
	result, r := run(t, `{"id":"s","action":"keep"}`, `{}`, nil)
	require.Equal(t, `{"ran":1}`, output(result))
	require.Equal(t, `{"n":1}`, string(r.checkpoints["v1.task.checkpoint.s.k"]))
	result, _ = run(t, `{"id":"s","action":"keep"}`, `{}`, func(_ *runner.Options, task *runner.Task) {
		task.Journal = &record{checkpoints: map[string][]byte{"v1.task.checkpoint.s.k": []byte(`{"n":7}`)}}
	})
	require.Equal(t, `{"ran":7}`, output(result), "what is stored is not done again")
}

type policy func() (func(string, *jsonvalue.Object) bool, error)

func (p policy) Actions(context.Context, action.Initiator) (func(string, *jsonvalue.Object) bool, error) {
	return p()
}

func TestPolicies(t *testing.T) {
	result, _ := run(t, `{"id":"s","action":"echo"}`, `{}`, func(o *runner.Options, _ *runner.Task) {
		o.Policy = policy(func() (func(string, *jsonvalue.Object) bool, error) {
			return func(id string, _ *jsonvalue.Object) bool { return id != "echo" }, nil
		})
	})
	require.EqualError(t, result.Err, "Unauthorized action: echo. The action is not allowed.")
	result, _ = run(t, `{"id":"s","action":"echo"}`, `{}`, func(o *runner.Options, _ *runner.Task) {
		o.Policy = policy(func() (func(string, *jsonvalue.Object) bool, error) { return nil, errors.New("no answer") })
	})
	require.ErrorContains(t, result.Err, "It cannot be decided which actions the task may run", "nothing is allowed then")
}

func TestFiltersOfTheInstallation(t *testing.T) {
	result, _ := run(t, `{"id":"s","action":"echo","input":{"value":"${{ parameters.x | shout }}"}}`, `{"x":"a"}`, func(o *runner.Options, _ *runner.Task) {
		o.Filters = map[string]nunjucks.Func{"shout": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
			s, _ := args.At(0).Text()
			return nunjucks.StringValue(strings.ToUpper(s) + "!"), nil
		}}
	})
	require.Equal(t, `{"ran":"A!"}`, output(result))
}

func TestOldSpecs(t *testing.T) {
	result, _ := run(t, ``, `{}`, func(_ *runner.Options, task *runner.Task) {
		task.Spec.Set("apiVersion", "backstage.io/v1beta2")
	})
	require.EqualError(t, result.Err, "Unsupported Template apiVersion backstage.io/v1beta2")
	_, err := runner.New(runner.Options{})
	require.Error(t, err)
}
