package engine_test

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

const hush = "s3cr3t+token/of the user"

// Secrets are seen where the reference shows them, and nowhere else.
func TestWhereSecretsAreSeen(t *testing.T) {
	h := open(t, func(o *engine.Options) {
		o.Runner.Secrets = map[string]string{"key": "environment-secret"}
		o.Runner.Parameters = map[string]string{"region": "north"}
	})
	status, log := h.run(job{
		steps: `[
			{"id":"if","action":"test:call","if":"${{ secrets.token }}","input":{"name":"never"}},
			{"id":"input","action":"test:call","input":{"name":"x","value":"${{ 'seen' if secrets.token == '` + hush + `' else 'not seen' }}"}},
			{"id":"env","action":"test:call","input":{"name":"x","value":"${{ environment.parameters.region }} ${{ 'seen' if environment.secrets.key else 'not seen' }}"}},
			{"id":"each","action":"test:call","each":["${{ 'seen' if secrets.token else 'not seen' }}"],"input":{"name":"x","value":"${{ each.value }}"}},
			{"id":"eachIf","action":"test:call","each":[1],"if":"${{ secrets.token }}","input":{"name":"x","value":"seen"}}]`,
		more: `"output":{"input":"${{ steps.input.output.value }}","env":"${{ steps.env.output.value }}","each":"${{ steps.each.output.value }}","eachIf":"${{ steps.eachIf.output.value }}",
			"here":"${{ 'seen' if secrets else 'not seen' }}","environment":"${{ 'seen' if environment.secrets.key else 'not seen' }}"}`,
		secrets: map[string]string{"token": hush},
	})
	require.Equal(t, scaffolder.Completed, status)
	require.Contains(t, log, "log if skipped: Skipping step if because its if condition was false")
	require.Equal(t, `completion: Run completed with status: completed {"input":"seen","env":"north seen","each":["seen"],"eachIf":["seen"],`+
		`"here":"not seen","environment":"not seen"}`, log[len(log)-1])
}

// However a secret gets into a line of the log, it is not readable there.
func TestSecretsAreMaskedInTheLog(t *testing.T) {
	h := open(t, nil)
	encoded := base64.StdEncoding.EncodeToString([]byte("user:" + hush))
	half := len(hush) / 2
	steps := `[
		{"id":"plain","action":"test:secret","input":{"name":"x"}},
		{"id":"whole","action":"test:call","input":{"name":"hi ${{ secrets.token }} there"}},
		{"id":"encoded","action":"test:call","input":{"name":` + quoted(encoded) + `}},
		{"id":"url","action":"test:call","input":{"name":` + quoted("https://x/?t="+url.QueryEscape(hush)) + `}},
		{"id":"broken","action":"test:call","input":{"name":` + quoted(hush[:half]+"\n   "+hush[half:]) + `}},
		{"id":"each","action":"test:call","each":["${{ secrets.token | reverse }}"],"input":{"name":"x"}},
		{"id":"fails","action":"test:secret","input":{"name":"fail"}}]`
	id := h.create(job{steps: steps, secrets: map[string]string{"token": hush}})
	require.Equal(t, scaffolder.Failed, h.ended(id))
	lines := h.lines(id)
	all := strings.Join(lines, "\n")
	for name, form := range map[string]string{"itself": hush, "its halves": hush[:half] + "\n", "base64": encoded[8:20], "URL": url.QueryEscape(hush), "reversed": reversed(hush)} {
		require.NotContains(t, all, form, name)
	}
	require.Contains(t, lines, "log plain: info: the secret is ***")
	require.Contains(t, lines, "log whole: info: called ***", "a text made with a secret is masked as a whole")
	require.Contains(t, lines, "log fails failed: Error: bad token ***")
	require.Contains(t, lines[len(lines)-1], `"message":"bad token ***"`)
	require.NotContains(t, h.log.String(), hush, "nor in the log of the server")
}

func quoted(s string) string { return string(jsonvalue.AppendString(nil, s)) }

func reversed(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}

// In the store secrets cannot be read, and they are gone when the task is.
func TestSecretsAtRest(t *testing.T) {
	h := open(t, nil)
	gate, reached := h.gate("g")
	id := h.create(job{steps: `[{"id":"a","action":"test:wait","input":{"name":"g"}}]`, secrets: map[string]string{"token": hush}})
	within(t, reached, "the step")
	require.NoError(t, h.db.Sync())
	data, err := os.ReadFile(filepath.Join(h.dir, "tasks.db"))
	require.NoError(t, err)
	require.Contains(t, string(data), "test:wait", "the file holds the task")
	require.NotContains(t, string(data), hush)
	require.NotContains(t, string(data), base64.StdEncoding.EncodeToString([]byte(hush))[:16])
	require.True(t, h.hasSecrets(), "they are there, sealed")
	require.NoError(t, h.engine.Cancel(t.Context(), id))
	require.False(t, h.hasSecrets(), "a cancel erases them at once")
	close(gate)
	h.ended(id)

	h.create(job{steps: `[]`, secrets: map[string]string{"token": hush}})
	require.Eventually(t, func() bool { return !h.hasSecrets() }, patience, 1e6, "and so does the end")
}

func (h *house) hasSecrets() bool {
	found := false
	require.NoError(h.t, h.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("scaffolder/secrets")).ForEach(func(_, _ []byte) error {
			found = true
			return nil
		})
	}))
	return found
}

// A sealed text belongs to its task: put under another one, or opened with
// another key, it says nothing.
func TestSecretsOfOtherTasks(t *testing.T) {
	h := open(t, func(o *engine.Options) { o.Concurrency = -1 })
	spec := job{steps: `[{"id":"a","action":"test:secret","input":{"name":"x"}}]`, secrets: map[string]string{"token": hush}}
	thief := h.create(job{steps: spec.steps, secrets: map[string]string{"token": "harmless"}})
	h.create(spec)
	require.NoError(t, h.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("scaffolder/secrets"))
		k, v := b.Cursor().Last()
		require.NotNil(t, k)
		first, _ := b.Cursor().First()
		return b.Put(bytes.Clone(first), bytes.Clone(v))
	}))
	h.stop()
	h.config = nil
	h.start()
	h.ended(thief)
	require.Contains(t, h.lines(thief), "log a: info: the secret is ", "it gets none rather than those of another task")
	require.Contains(t, h.log.String(), "secrets are lost")
}

func TestKeysHaveTheirSize(t *testing.T) {
	h := open(t, nil)
	o := h.engine.Options
	o.Key = []byte("short")
	_, err := engine.New(o)
	require.ErrorContains(t, err, "must have 32 bytes")
}

// A workspace is for its user alone, and no task fills the disk.
func TestWorkspacesArePrivateAndBounded(t *testing.T) {
	h := open(t, func(o *engine.Options) { o.Quota = 8 << 10 })
	gate, reached := h.gate("g")
	id := h.create(job{steps: `[{"action":"test:wait","input":{"name":"g"}},{"id":"big","action":"test:write","input":{"name":"big","value":"` +
		strings.Repeat("x", 9<<10) + `"}}]`})
	within(t, reached, "the step")
	info, err := os.Stat(filepath.Join(h.dir, "workspaces", id))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	close(gate)
	require.Equal(t, scaffolder.Failed, h.ended(id))
	require.Contains(t, strings.Join(h.lines(id), "\n"), "log big failed: NotAllowedError: The workspace of this task is full: it may hold 8192 bytes.")
	require.Empty(t, h.workspaces())
}

// Expressions are not a way to anything but values.
func TestExpressionsThatTryToEscape(t *testing.T) {
	h := open(t, nil)
	for _, expression := range []string{
		`${{ ''.constructor.constructor('return process')() }}`,
		`${{ parameters.__proto__.polluted }}`,
		`${{ range(0, 1000000000) | join('') }}`,
		`{% for a in range(0,100000) %}{% for b in range(0,100000) %}x{% endfor %}{% endfor %}`,
		`${{ ('x' * 1000).repeat(100000000) }}`,
		`{% include '/etc/passwd' %}`,
	} {
		t.Run(expression, func(t *testing.T) {
			status, log := h.run(job{steps: `[{"id":"a","action":"test:call","input":{"name":"x","value":` + quoted(expression) + `}}]`,
				more: `"output":{"v":"${{ steps.a.output.value }}"}`})
			require.Equal(t, scaffolder.Completed, status)
			last := log[len(log)-1]
			require.NotContains(t, last, "root:")
			require.Less(t, len(last), 1000, "it stays as it is, or is nothing")
		})
	}
}

// Whoever wonders why a step failed is told which, where, what could not be
// rendered, and what to try.
func TestFailuresAreExplained(t *testing.T) {
	h := open(t, nil)
	id := h.create(job{steps: `[{"id":"ok","action":"test:call","input":{"name":"x"}},
		{"id":"bad","name":"Bad","action":"test:call","input":{"name":"${{ parameters.list | nosuch }}","extra":1}}]`})
	h.ended(id)
	events, err := h.engine.Events(id, 0)
	require.NoError(t, err)
	var text string
	for _, e := range events {
		if body := mustObject(string(e.Body)); body.String("status") == "failed" {
			text = body.String("message")
		}
	}
	require.Equal(t, `InputError: Invalid input passed to action test:call, instance is not allowed to have the additional property "extra"
    at step "bad", which calls test:call
    at spec.steps[1] of template:default/t
    at input.name, which could not be rendered and stayed as it is: line 1, column 23: unknown filter "nosuch"
    at advice: correct the expression; what is in error is handed on as it stands
    at advice: the inputs of test:call are name, value`, text)
}

func TestRetiredInputsWarn(t *testing.T) {
	h := open(t, nil)
	status, log := h.run(job{steps: `[{"id":"a","action":"test:call","each":[1,2],"input":{"name":"x","allowedHosts":["a"]}}]`})
	require.Equal(t, scaffolder.Completed, status)
	require.Equal(t, 1, strings.Count(strings.Join(log, "\n"), `log a: warn: The input "allowedHosts" of test:call has no effect any more and is ignored: hosts are configured`))
}

func TestEachThatIsNone(t *testing.T) {
	h := open(t, nil)
	for _, c := range []struct{ name, each, want string }{
		{"nothing", `"${{ parameters.gone }}"`, `Invalid value on action test:call.each parameter, "${{ parameters.gone }}" cannot be resolved to a value`},
		{"a text", `"abc"`, "Invalid value on action test:call.each parameter, must resolve to an array or object"},
		{"a number", `5`, "Invalid value on action test:call.each parameter, must resolve to an array or object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, log := h.run(job{steps: `[{"id":"a","action":"test:call","each":` + c.each + `}]`})
			require.Contains(t, log[len(log)-1], string(jsonvalue.AppendString(nil, c.want)))
		})
	}
	status, log := h.run(job{steps: `[{"id":"a","action":"test:call","each":{"b":1,"10":2,"2":3},"input":{"name":"${{ each.key }}"}}]`})
	require.Equal(t, scaffolder.Completed, status, log)
	require.Equal(t, []string{"2", "10", "b"}, h.allCalls(), "keys in JavaScript's order")
	// One bad item fails the step before anything ran.
	_, log = h.run(job{steps: `[{"id":"a","action":"test:call","each":["a",1],"input":{"name":"${{ each.value }}"}}]`})
	require.Contains(t, log[len(log)-1], "Invalid input passed to action test:call[1], instance.name is not of a type(s) string")
	require.Len(t, h.allCalls(), 3)
}
