package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const subscriptionPath = "/api/events/bus/v1/subscriptions/tests.all"

func (i *instance) subscribe(topics ...string) {
	i.t.Helper()
	status, answer := i.send(http.MethodPut, subscriptionPath, map[string]any{"topics": topics})
	require.Equal(i.t, 201, status, answer)
}

// event waits for an event that a test accepts; all others are forgotten.
func (i *instance) event(topic string, ok func(payload map[string]any) bool) map[string]any {
	i.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		status, answer := i.send(http.MethodGet, subscriptionPath+"/events", nil)
		if status == http.StatusAccepted {
			continue
		}
		require.Equal(i.t, 200, status, answer)
		for _, e := range answer["events"].([]any) {
			payload, _ := e.(map[string]any)["payload"].(map[string]any)
			if e.(map[string]any)["topic"] == topic && ok(payload) {
				return payload
			}
		}
	}
	i.t.Fatalf("there was no such event on %s\n%s", topic, i.log)
	return nil
}

func with(fields ...string) func(map[string]any) bool {
	return func(payload map[string]any) bool {
		for n := 0; n < len(fields); n += 2 {
			if fmt.Sprint(payload[fields[n]]) != fields[n+1] {
				return false
			}
		}
		return true
	}
}

// What the program itself publishes reaches a plugin that has subscribed.
func TestOwnEvents(t *testing.T) {
	dir := t.TempDir()
	a, b := writeFile(t, dir, "a.yaml", component("cart", "x")), writeFile(t, dir, "b.yaml", component("cart", "y"))
	broken := writeFile(t, dir, "broken.yaml", component("'not valid'", "x"))
	template := writeFile(t, dir, "template.yaml", `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: hello}
spec: {owner: team-a, type: service, steps: [{id: say, action: debug:log, input: {message: hi}}]}
`)
	data := filepath.Join(dir, "data")
	i := boot(t, baseConfig, "--data", data)
	i.subscribe("scaffolder.task", "experimental.catalog.errors", "experimental.catalog.conflict")
	i.end()
	// The subscription has outlived the process, and gets what happens at start.
	i = boot(t, baseConfig+fmt.Sprintf("  locations: [{type: file, target: '%s'}, {type: file, target: '%s'}, {type: file, target: '%s'}, {type: file, target: '%s'}]\n", a, broken, b, template), "--data", data)
	failed := i.event("experimental.catalog.errors", func(p map[string]any) bool { return len(p["errors"].([]any)) > 0 })
	require.Equal(t, "InputError", failed["errors"].([]any)[0].(map[string]any)["name"], failed)
	require.Contains(t, failed, "entity")
	i.subscribe("scaffolder.task", "experimental.catalog.errors", "experimental.catalog.conflict") // and all that has not been confirmed again
	conflict := i.event("experimental.catalog.conflict", with("entityRef", "component:default/cart"))
	require.NotEqual(t, conflict["newLocationKey"], conflict["existingLocationKey"])
	require.Equal(t, "cart", conflict["unprocessedEntity"].(map[string]any)["metadata"].(map[string]any)["name"])
	require.NotEmpty(t, conflict["lastConflictAt"])

	i.until("template/default/hello", served)
	status, answer := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{
		"templateRef": "template:default/hello", "values": map[string]any{}, "secrets": map[string]string{"key": "hush-hush"}})
	require.Equal(t, 201, status, answer)
	id := answer["id"].(string)
	all := ""
	for _, state := range []string{"open", "processing", "completed"} {
		i.subscribe("scaffolder.task") // and what came in one batch with the last one again
		payload := i.event("scaffolder.task", with("id", id, "status", state))
		require.Equal(t, state != "completed", payload["spec"] != nil, payload)
		text, err := json.Marshal(payload)
		require.NoError(t, err)
		all += string(text)
	}
	require.NotContains(t, all, "hush-hush")
	status, _ = i.send(http.MethodPost, "/api/scaffolder/v2/tasks/"+id+"/cancel", nil)
	require.Equal(t, 200, status)
	cancelled := i.event("scaffolder.task", with("taskId", id, "status", "cancelled"))
	require.IsType(t, 1.0, cancelled["id"])
	require.Equal(t, "cancelled", cancelled["body"].(map[string]any)["status"])
	i.end()
}

// An event that was taken is there after a kill.
func TestEventsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	config := writeFile(t, dir, "app-config.yaml", baseConfig+"events: {http: {topics: [orders]}}\n")
	args := []string{"--config", config, "--data", filepath.Join(dir, "data")}
	i, cmd := bootChild(t, nil, args...)
	i.subscribe("orders")
	for n := range 20 {
		status, answer := i.send(http.MethodPost, "/api/events/http/orders", map[string]any{"n": n})
		require.Equal(t, 202, status, answer)
	}
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, i.wait())
	i, _ = bootChild(t, nil, args...)
	for _, first := range []float64{0, 10} {
		status, answer := i.send(http.MethodGet, subscriptionPath+"/events", nil)
		require.Equal(t, 200, status)
		for n, e := range answer["events"].([]any) {
			require.Equal(t, first+float64(n), e.(map[string]any)["payload"].(map[string]any)["n"])
		}
	}
	i.stop()
	require.NoError(t, i.wait())
}
