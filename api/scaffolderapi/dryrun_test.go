package scaffolderapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dry is the body of a dry-run of steps, with files as they are sent.
func dry(steps, files string) string {
	return `{"template":` + template("t", `{"type":"t","steps":`+steps+`,"output":{"said":"${{ parameters.name }}"}}`) +
		`,"values":{"name":"Ada"},"secrets":{"key":"a long secret"},"directoryContents":` + files + `}`
}

func TestDryRun(t *testing.T) {
	s := serve(t, nil)
	r := s.Do("POST", dryRuns, dry(`[{"action":"say","input":{"message":"key ${{ secrets.key }}"}},{"id":"a","name":"Act","action":"act","input":{"nonsense":1}},
		{"id":"w","name":"Write","action":"write","input":{"message":"hi ${{ parameters.name }}"}}]`, `[{"path":"skeleton/a.txt","base64Content":"aGk="}]`))
	require.Equal(t, 200, r.Status, r.Text())
	var got struct {
		Log []struct {
			Body struct{ Message, StepID, Status string }
		}
		DirectoryContents, Output, Steps json.RawMessage
	}
	require.NoError(t, json.Unmarshal(r.Body, &got))
	require.JSONEq(t, `[{"path":"dir/said.txt","executable":true,"base64Content":"aGkgQWRh"}]`, string(got.DirectoryContents), "the uploaded files are not part of the workspace")
	require.JSONEq(t, `{"said":"Ada"}`, string(got.Output))
	require.JSONEq(t, `[{"id":"step-1","name":"say","action":"say","input":{"message":"key ${{ secrets.key }}"}},{"id":"a","name":"Act","action":"act","input":{"nonsense":1}},
		{"id":"w","name":"Write","action":"write","input":{"message":"hi ${{ parameters.name }}"}}]`, string(got.Steps))
	require.Equal(t, "Starting up task with 4 steps", got.Log[0].Body.Message, "one of them is the server's own")
	statuses := ""
	for _, e := range got.Log {
		statuses += e.Body.StepID + " " + e.Body.Status + ", "
	}
	require.Contains(t, statuses, "a skipped, ", "it is not called, and its input not checked")
	require.Contains(t, r.Text(), "Skipping because act does not support dry-run")
	require.Contains(t, r.Text(), `Running say in dry-run mode with inputs (secrets redacted): {\n  \"message\": \"key ***\"\n}`)
	require.NotContains(t, r.Text(), "a long secret")
	require.Equal(t, `{"tasks":[],"totalTasks":0}`, s.Do("GET", tasks, "").Text(), "a dry-run is no task")
}

func TestDryRunsThatAreRefused(t *testing.T) {
	s := serve(t, nil)
	const shape = "Malformed request: every item of directoryContents needs a path and its base64Content"
	const say = `[{"action":"say"}]`
	for _, c := range []struct {
		name, body     string
		status         int
		error, message string
	}{
		{"no files", `{"template":{},"values":{}}`, 400, "InputError", "request/body must have required property 'directoryContents'"},
		{"no template", `{"values":{},"directoryContents":[]}`, 400, "InputError", "request/body must have required property 'template'"},
		{"no values", `{"template":{},"directoryContents":[]}`, 400, "InputError", "request/body must have required property 'values'"},
		{"a template that is a text", `{"template":"x","values":{},"directoryContents":[]}`, 400, "InputError", "request/body/template must be object"},
		{"files that are an object", dry(say, `{}`), 400, "InputError", "request/body/directoryContents must be array"},
		{"a file that is a text", dry(say, `["x"]`), 400, "InputError", "request/body/directoryContents/0 must be object"},
		{"a path that is a number", dry(say, `[{"path":1,"base64Content":""}]`), 400, "InputError", "request/body/directoryContents/0/path must be string"},
		{"a file without content", dry(say, `[{"path":"a"}]`), 400, "InputError", shape},
		{"a file without a path", dry(say, `[{"base64Content":""}]`), 400, "InputError", shape},
		{"a file with an empty path", dry(say, `[{"path":"","base64Content":""}]`), 400, "InputError", shape},
		{"content that is no base64", dry(say, `[{"path":"a","base64Content":"*"}]`), 400, "InputError", "Malformed request: the content of a is not base64"},
		{"another kind", `{"template":{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Component"},"values":{},"directoryContents":[]}`, 400, "InputError", "Input template is not a template"},
		{"another version", `{"template":{"apiVersion":"backstage.io/v1beta2","kind":"Template"},"values":{},"directoryContents":[]}`, 400, "InputError", "Input template is not a template"},
		{"a kind that is null", `{"template":{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":null},"values":{},"directoryContents":[]}`, 400, "InputError", "Input template is not a template"},
		{"an action that there is not", dry(`[{"action":"nope"}]`, `[]`), 404, "NotFoundError", "Template action with ID 'nope' is not registered. " +
			"See https://backstage.io/docs/features/software-templates/builtin-actions/ on how to add a new action module."},
		{"an input that does not fit", dry(`[{"action":"say","input":{"message":5}}]`, `[]`), 400, "InputError",
			"Invalid input passed to action say, instance.message is not of a type(s) string"},
		{"a step that fails", dry(`[{"action":"fail","input":{"message":"it"}}]`, `[]`), 400, "InputError", "no luck with it"},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, s.Do("POST", dryRuns, c.body), c.status, c.error, c.message) })
	}
	for _, path := range []string{"../x", "/etc/x", "a/../../x"} {
		r := s.Do("POST", dryRuns, dry(say, `[{"path":"`+path+`","base64Content":""}]`))
		require.Equal(t, 403, r.Status, "%s: %s", path, r.Text())
		require.Contains(t, r.Text(), `"name":"NotAllowedError"`)
	}
	r := s.Do("POST", dryRuns, `{"template":{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template"},"values":{},"directoryContents":[]}`)
	require.Equal(t, 400, r.Status)
	require.Contains(t, r.Text(), "must have required property")
	require.False(t, strings.Contains(r.Text(), "/tmp/"), "nothing of the server's own is told")
}

// Two names of secrets are the server's: what the caller sends under them does
// not reach a step.
func TestNamesOfSecretsThatAreReserved(t *testing.T) {
	s := serve(t, nil)
	body := `{"template":` + template("t", `{"type":"t","steps":[{"action":"write","input":{"message":"${{ secrets.backstageToken }} ${{ secrets.__initiatorCredentials }}"}}]}`) +
		`,"values":{},"secrets":{"backstageToken":"forged","__initiatorCredentials":"forged"},"directoryContents":[]}`
	r := s.Do("POST", dryRuns, body)
	require.Equal(t, 200, r.Status, r.Text())
	var got struct {
		DirectoryContents []struct{ Base64Content []byte }
	}
	require.NoError(t, json.Unmarshal(r.Body, &got))
	require.Len(t, got.DirectoryContents, 1)
	require.Equal(t, s.Token, strings.TrimSpace(string(got.DirectoryContents[0].Base64Content)))
}
