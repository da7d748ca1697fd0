package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sampleTemplate = `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: service, title: A service}
spec:
  type: service
  owner: team-a
  parameters:
    - title: Basics
      required: [name]
      properties: {name: {type: string, pattern: '^[a-z-]+$'}}
  steps:
    - id: fetch
      name: Fetch
      action: fetch:template
      input: {url: ./skeleton, values: {name: '${{ parameters.name }}'}}
    - id: wait
      name: Wait
      action: debug:wait
      input: {milliseconds: ${{ parameters.wait }}}
    - id: catalog
      name: Write
      action: catalog:write
      input:
        entity: {apiVersion: backstage.io/v1alpha1, kind: Component, metadata: {name: '${{ parameters.name }}'}, spec: {type: service, lifecycle: experimental, owner: team-a}}
    - id: list
      name: List
      action: fs:readdir
      input: {paths: ['.'], recursive: true}
  output:
    files: ${{ steps.list.output.files | join(',', 'path') }}
`

// templateConfig serves the sample template from a folder.
func templateConfig(t *testing.T, more string) string {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, dir, "template.yaml", strings.Replace(sampleTemplate, "${{ parameters.wait }}", "'${{ parameters.wait }}'", 1))
	writeFile(t, dir, "skeleton/${{ values.name }}.txt", "hello ${{ values.name }}\n")
	writeFile(t, dir, "skeleton/src/main.go", "package ${{ values.name | replace('-', '') }}\n")
	return baseConfig + "  locations: [{type: file, target: " + filepath.Join(dir, "template.yaml") + "}]\n" + more
}

// A streamed event, as much of it as the tests look at.
type streamed struct {
	ID   int64
	Type string
	Body struct {
		Message, StepID, Status string
		Output                  map[string]any
	}
}

// stream reads the events of a task after one, until visit returns false or the
// stream ends.
func (i *instance) stream(task string, after int64, visit func(streamed) bool) {
	i.t.Helper()
	req, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, fmt.Sprintf("%s/api/scaffolder/v2/tasks/%s/eventstream?after=%d", i.base, task, after), nil)
	require.NoError(i.t, err)
	req.Header.Set("Authorization", "Bearer "+testToken)
	res, err := http.DefaultClient.Do(req)
	require.NoError(i.t, err)
	defer res.Body.Close()
	require.Equal(i.t, http.StatusOK, res.StatusCode)
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e streamed
		require.NoError(i.t, json.Unmarshal([]byte(data), &e))
		if !visit(e) {
			return
		}
	}
}

// The tour of the README: a task is created and followed, the server is killed
// in the middle of it and started again, and the task completes.
func TestATaskOutlivesAKill(t *testing.T) {
	config := writeFile(t, t.TempDir(), "app-config.yaml", templateConfig(t, ""))
	data := t.TempDir()
	i, cmd := bootChild(t, nil, "--config", config, "--data", data)
	i.until("template/default/service", served)
	status, created := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{
		"templateRef": "template:default/service", "values": map[string]any{"name": "my-svc", "wait": 1500}, "secrets": map[string]string{"token": "hush-hush"}})
	require.Equal(t, http.StatusCreated, status, created)
	task := created["id"].(string)

	var seen []int64
	var messages []string
	note := func(e streamed) {
		seen = append(seen, e.ID)
		messages = append(messages, e.Body.Message)
	}
	i.stream(task, 0, func(e streamed) bool {
		note(e)
		return e.Body.Message != "Beginning step Wait"
	})
	require.DirExists(t, filepath.Join(data, "greenroom-workspaces", task))
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, i.wait())

	i, _ = bootChild(t, nil, "--config", config, "--data", data)
	var last streamed
	i.stream(task, seen[len(seen)-1], func(e streamed) bool {
		note(e)
		last = e
		return true
	})
	require.Equal(t, "completion", last.Type, messages)
	require.Equal(t, "my-svc.txt,src/main.go,catalog-info.yaml", sortLike(last.Body.Output["files"]), messages)
	require.Contains(t, messages, "Skipping step fetch because it was already completed in a previous run")
	require.Contains(t, messages, "Task recovered - resuming from last known good state. 1 step(s) already completed.")
	status, stored := i.send(http.MethodGet, "/api/scaffolder/v2/tasks/"+task+"/events", nil)
	require.Equal(t, http.StatusOK, status)
	var ids []int64
	for _, e := range stored["items"].([]any) {
		ids = append(ids, int64(e.(map[string]any)["id"].(float64)))
	}
	require.Equal(t, ids, seen, "no event is lost, none comes twice")
	entries, err := os.ReadDir(filepath.Join(data, "greenroom-workspaces"))
	require.NoError(t, err)
	require.Empty(t, entries)
	_, metrics := i.send(http.MethodGet, "/metrics", nil)
	require.Contains(t, metrics["text"], `scaffolder_task_count{result="ok",template="template:default/service"} 1`)
	i.end()
	require.NotContains(t, i.log.String(), "hush-hush")
	info, err := os.Stat(filepath.Join(data, keyFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	stored2, err := os.ReadFile(filepath.Join(data, storeFile))
	require.NoError(t, err)
	require.NotContains(t, string(stored2), "hush-hush")
	out, _, err := try(t, "check", "--data", data)
	require.NoError(t, err, out)
}

// sortLike brings the files of the sample into the order of the test.
func sortLike(v any) string {
	text, _ := v.(string)
	var out []string
	for _, want := range []string{"my-svc.txt", "src/main.go", "catalog-info.yaml"} {
		if strings.Contains(text, want) {
			out = append(out, want)
		}
	}
	if strings.Count(text, ",") != len(out)-1 {
		return text
	}
	return strings.Join(out, ",")
}

// A signal lets the step that runs end, and the stream with it, and the task
// goes on at the next start.
func TestASignalStopsTasksInOrder(t *testing.T) {
	config := writeFile(t, t.TempDir(), "app-config.yaml", templateConfig(t, ""))
	data := t.TempDir()
	i, _ := bootChild(t, nil, "--config", config, "--data", data)
	i.until("template/default/service", served)
	_, created := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{
		"templateRef": "service", "values": map[string]any{"name": "my-svc", "wait": 300}})
	task := created["id"].(string)
	i.stream(task, 0, func(e streamed) bool {
		if e.Body.Message == "Beginning step Wait" {
			i.stop()
		}
		return true
	})
	require.NoError(t, i.wait(), i.log.String())
	i, _ = bootChild(t, nil, "--config", config, "--data", data)
	var last streamed
	i.stream(task, 0, func(e streamed) bool { last = e; return true })
	require.Equal(t, "Run completed with status: completed", last.Body.Message)
	i.end()
}

// A scaffolder that cannot work says what to do about it.
func TestScaffoldersThatCannotBe(t *testing.T) {
	badKey := t.TempDir()
	writeFile(t, badKey, keyFile, "short")
	for _, c := range []struct {
		name, config, data string
		want               []string
	}{
		{"a key that is none", baseConfig, badKey, []string{keyFile, "restore it"}},
		{"no folder for workspaces", strings.Replace(baseConfig, "backend:\n", "backend:\n  workingDirectory: /no/such/folder\n", 1), t.TempDir(), []string{"backend.workingDirectory"}},
		{"a limit below zero", baseConfig + "scaffolder: {concurrentTasksLimit: -1}\n", t.TempDir(), []string{"scaffolder.concurrentTasksLimit"}},
		{"an environment that is no text", baseConfig + "scaffolder: {defaultEnvironment: {parameters: {a: 1}}}\n", t.TempDir(), []string{"scaffolder.defaultEnvironment.parameters.a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, t.TempDir(), "app-config.yaml", c.config)
			_, _, err := try(t, "serve", "--config", path, "--data", c.data)
			oneLine(t, err, c.want...)
		})
	}
}

// With a store in memory nothing of a task remains.
func TestScaffolderInMemory(t *testing.T) {
	work := t.TempDir()
	config := strings.Replace(templateConfig(t, "database: {client: better-sqlite3, connection: ':memory:'}\n"), "backend:\n", "backend:\n  workingDirectory: "+work+"\n", 1)
	i := boot(t, config, "--data", t.TempDir())
	i.until("template/default/service", served)
	_, created := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{
		"templateRef": "service", "values": map[string]any{"name": "my-svc", "wait": 1}})
	var last streamed
	i.stream(created["id"].(string), 0, func(e streamed) bool { last = e; return true })
	require.Equal(t, "Run completed with status: completed", last.Body.Message)
	i.end()
	entries, err := os.ReadDir(work)
	require.NoError(t, err)
	require.Empty(t, entries)
}
