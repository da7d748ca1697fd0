package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

// auditEvents returns the events in a file of the audit log: each is a whole
// line.
func auditEvents(t *testing.T, path string) (out []map[string]any) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range bytes.Lines(data) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal(line, &fields), string(line))
		out = append(out, fields)
	}
	return out
}

func withAudit(keys string) string {
	return strings.Replace(baseConfig, "backend:\n", "backend:\n  auditor: {"+keys+"}\n", 1)
}

// The file has all events, survives being moved away, and is whole after a
// kill.
func TestAuditFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.log")
	config := writeFile(t, dir, "app-config.yaml", withAudit("file: "+path))
	i, cmd := bootChild(t, []string{"LOG_LEVEL=info"}, "--config", config, "--data", filepath.Join(dir, "data"))
	get := func(name string) {
		status, _ := i.send(http.MethodGet, "/api/catalog/entities/by-name/component/default/"+name, nil)
		require.Equal(t, 404, status)
	}
	get("first")
	events := auditEvents(t, path)
	require.Len(t, events, 2)
	require.Equal(t, "catalog.entity-fetch", events[1]["message"])
	require.Equal(t, "failed", events[1]["status"])
	require.NotEmpty(t, events[1]["time"])
	require.NotEmpty(t, events[1]["request_id"])
	require.Equal(t, map[string]any{"queryType": "by-name", "entityRef": "component:default/first"}, events[1]["meta"])
	require.NotContains(t, i.log.String(), "isAuditEvent", "reads are not in the log at level info")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	moved := path + ".1"
	require.NoError(t, os.Rename(path, moved))
	get("second")
	require.Len(t, auditEvents(t, moved), 4, "until it is told, it goes on where it was")
	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	i.await("the audit log was opened again")
	status, _ := i.send(http.MethodPost, "/api/catalog/refresh", map[string]string{"entityRef": "component:default/third"})
	require.Equal(t, 404, status)
	require.Len(t, auditEvents(t, moved), 4)
	events = auditEvents(t, path)
	require.Len(t, events, 2)
	require.Equal(t, "medium", events[1]["severityLevel"])
	logged := i.lines("catalog.entity-mutate", 2) // changes are in the log as well
	require.Equal(t, "tests", logged[1]["actor"].(map[string]any)["actorId"])

	require.NoError(t, os.RemoveAll(path))
	require.NoError(t, os.Mkdir(path, 0o700)) // so that it cannot be opened
	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	i.await("the audit log goes on in the file that was open")
	get("fourth")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, i.wait())
	require.Len(t, auditEvents(t, moved), 4)
}

func TestAuditThresholds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	i := boot(t, withAudit("file: "+path+", fileSeverity: medium, severityLogLevelMappings: {low: info, medium: warn}"), "--data", t.TempDir())
	i.send(http.MethodGet, "/api/catalog/entities", nil)
	i.send(http.MethodPost, "/api/catalog/refresh", map[string]string{"entityRef": "component:default/x"})
	i.end()
	events := auditEvents(t, path)
	require.Len(t, events, 2)
	require.Equal(t, "entity-mutate", events[0]["eventId"])
	low, _ := i.log.find(says("catalog.entity-fetch"))
	require.Len(t, low, 2)
	require.Equal(t, "info", low[0]["level"])
	medium, _ := i.log.find(says("catalog.entity-mutate"))
	require.Len(t, medium, 2)
	require.Equal(t, "warn", medium[0]["level"])
}

// A location that a template registers is in the audit log as well, with who
// ran it.
func TestAuditOfWhatTasksRegister(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	template := writeFile(t, t.TempDir(), "template.yaml", `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: hello}
spec: {owner: team-a, type: service, steps: [{id: add, action: 'catalog:register', input: {catalogInfoUrl: 'https://jane:hush@127.0.0.1:1/x.yaml', optional: true}}]}
`)
	i := boot(t, withAudit("file: "+path+", fileSeverity: medium")+"  locations: [{type: file, target: '"+template+"'}]\n", "--data", t.TempDir())
	i.until("template/default/hello", served)
	status, answer := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{"templateRef": "template:default/hello", "values": map[string]any{}})
	require.Equal(t, 201, status, answer)
	i.finished(answer["id"].(string))
	i.end()
	var found []map[string]any
	for _, e := range auditEvents(t, path) {
		if e["eventId"] == "location-mutate" {
			require.Equal(t, map[string]any{"actorId": "tests"}, e["actor"])
			require.Equal(t, "https://***@127.0.0.1:1/x.yaml", e["meta"].(map[string]any)["location"].(map[string]any)["target"])
			found = append(found, e)
		}
	}
	require.Len(t, found, 2)
}

// A run of a task is an event of the scaffolder itself.
func TestAuditOfTasks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	template := writeFile(t, t.TempDir(), "template.yaml", `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: hello}
spec: {owner: team-a, type: service, steps: [{id: say, action: debug:log, input: {message: hi}}]}
`)
	i := boot(t, withAudit("file: "+path)+"  locations: [{type: file, target: '"+template+"'}]\n", "--data", t.TempDir())
	i.until("template/default/hello", served)
	status, answer := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{
		"templateRef": "template:default/hello", "values": map[string]any{"name": strings.Repeat("x", 300)}})
	require.Equal(t, 201, status, answer)
	i.finished(answer["id"].(string))
	i.end()
	var runs []map[string]any
	for _, e := range auditEvents(t, path) {
		if meta, _ := e["meta"].(map[string]any); meta["actionType"] == "execution" {
			require.Equal(t, "scaffolder.task", e["message"])
			require.Equal(t, "medium", e["severityLevel"])
			require.Equal(t, map[string]any{"actorId": "plugin:scaffolder"}, e["actor"])
			require.Equal(t, answer["id"], meta["taskId"])
			require.Equal(t, "template:default/hello", meta["templateRef"])
			require.Equal(t, `{"name":"`+strings.Repeat("x", 256)+`...<truncated>"}`, meta["taskParameters"])
			runs = append(runs, e)
		}
	}
	require.Len(t, runs, 2)
	require.Equal(t, "initiated", runs[0]["status"])
	require.Equal(t, "succeeded", runs[1]["status"])
}

func TestAuditFilesThatCannotBe(t *testing.T) {
	for name, keys := range map[string]string{
		"a folder that is not there": "file: " + filepath.Join(t.TempDir(), "gone", "audit.log"),
		"a severity that is none":    "fileSeverity: loud",
		"a level that is none":       "severityLogLevelMappings: {low: loud}",
		"a mapping of no severity":   "severityLogLevelMappings: {tiny: info}",
	} {
		t.Run(name, func(t *testing.T) {
			config := writeFile(t, t.TempDir(), "app-config.yaml", withAudit(keys))
			_, _, err := try(t, "serve", "--config", config, "--data", t.TempDir())
			oneLine(t, err, "backend.auditor")
		})
	}
}

// A full disk loses lines, and says so once.
func TestAuditFileOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full here")
	}
	var log bytes.Buffer
	r, err := openRotated("/dev/full", slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	for range 3 {
		_, err = r.Write([]byte("line\n"))
		require.Error(t, err)
	}
	require.Equal(t, 3.0, testutil.ToFloat64(r.lost))
	require.Equal(t, 1, strings.Count(log.String(), "cannot be written"))
	require.NoError(t, r.Close())
}

// What comes after half a line begins a line of its own.
func TestAuditFileAfterHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	r, err := openRotated(path, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	_, err = io.WriteString(r.file, `{"half":`)
	require.NoError(t, err)
	r.torn = true
	for range 2 {
		n, err := r.Write([]byte("{}\n"))
		require.NoError(t, err)
		require.Equal(t, 3, n)
	}
	require.NoError(t, r.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{\"half\":\n{}\n{}\n", string(data))
}

// lines waits for so many lines of a message.
func (i *instance) lines(message string, n int) []map[string]any {
	i.t.Helper()
	deadline := time.After(patience)
	for {
		found, changed := i.log.find(says(message))
		if len(found) >= n {
			return found
		}
		select {
		case <-changed:
		case <-deadline:
			i.t.Fatalf("it did not say %q %d times\n%s", message, n, i.log)
		}
	}
}

// finished waits for the end of a task.
func (i *instance) finished(id string) map[string]any {
	i.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		_, task := i.send(http.MethodGet, "/api/scaffolder/v2/tasks/"+id, nil)
		if task["status"] == "completed" || task["status"] == "failed" {
			return task
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("task %s did not end: %v", id, task)
		}
		time.Sleep(2 * time.Millisecond) // between two questions, not instead of one
	}
}
