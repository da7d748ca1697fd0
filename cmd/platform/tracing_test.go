package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/tracing/tracingtest"
)

// Requests, processing and tasks are seen by a collector, and a trace goes on
// behind a proxy route.
func TestTraces(t *testing.T) {
	c := tracingtest.New(t)
	passed := make(chan string, 1)
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { passed <- r.Header.Get("Traceparent") }))
	defer target.Close()
	dir := t.TempDir()
	file := writeFile(t, dir, "cart.yaml", component("cart", "x"))
	broken := writeFile(t, dir, "broken.yaml", component("'not valid'", "x"))
	template := writeFile(t, dir, "template.yaml", `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: hello}
spec: {owner: team-a, type: service, steps: [{id: say, name: Say, action: debug:log, input: {message: hi}},
  {id: break, action: fs:delete, input: {files: ['../${{ secrets.key }}']}}]}
`)
	config := strings.Replace(baseConfig, "backend:\n", "backend:\n  tracing: {endpoint: '"+c.URL+"', headers: {x-team: hush-team}, capture: {endUser: true}}\n", 1) +
		fmt.Sprintf("  locations: [{type: file, target: '%s'}, {type: file, target: '%s'}, {type: file, target: '%s'}]\n", file, broken, template) +
		"proxy: {endpoints: {/far: '" + target.URL + "'}}\n"
	i := boot(t, config, "--data", t.TempDir())
	i.until("component/default/cart", served)
	i.until("template/default/hello", served)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.base+"/api/proxy/far/x", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+testToken)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	handed := <-passed

	status, answer := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{
		"templateRef": "template:default/hello", "values": map[string]any{}, "secrets": map[string]string{"key": "hush-hush"}})
	require.Equal(t, 201, status, answer)
	id := answer["id"].(string)
	require.Equal(t, "failed", i.finished(id)["status"])
	i.end() // and what waits is sent

	proxied := c.Await("the proxied request", func(s tracingtest.Span) bool { return s.Attributes["url.path"] == "/api/proxy/far/x" })
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", proxied.TraceID)
	require.Equal(t, "b7ad6b7169203331", proxied.Parent)
	require.Equal(t, "00-"+proxied.TraceID+"-"+proxied.SpanID+"-01", handed, "the target goes on with it")
	require.Equal(t, "tests", proxied.Attributes["enduser.id"])
	require.Equal(t, "hush-team", c.Header().Get("X-Team"))

	named := func(name string) func(tracingtest.Span) bool {
		return func(s tracingtest.Span) bool {
			return s.Name == "ProcessingRun" && s.Attributes["backstage.entity.metadata.name"] == name
		}
	}
	cart := c.Await("the processing of cart", named("cart"))
	require.Equal(t, "Component", cart.Attributes["backstage.entity.kind"])
	require.False(t, cart.Failed)
	from := c.Await("the reading of cart", func(s tracingtest.Span) bool { return s.Attributes["backstage.location.target"] == file })
	require.Equal(t, "read location", from.Name)
	require.NotEmpty(t, from.Parent, "it is part of the processing of the location")
	invalid := c.Await("the processing of what is broken", named("not valid"))
	require.True(t, invalid.Failed)
	require.Contains(t, invalid.Message, "metadata.name")

	task := c.Await("the task", func(s tracingtest.Span) bool { return s.Name == "task" })
	require.Equal(t, id, task.Attributes["scaffolder.task.id"])
	require.True(t, task.Failed)
	say := c.Await("the first step", func(s tracingtest.Span) bool { return s.Attributes["scaffolder.step.id"] == "say" })
	require.Equal(t, "step debug:log", say.Name)
	require.Equal(t, task.SpanID, say.Parent)
	breaks := c.Await("the second step", func(s tracingtest.Span) bool { return s.Attributes["scaffolder.step.id"] == "break" })
	require.True(t, breaks.Failed)
	require.NotContains(t, fmt.Sprint(c.Spans()), "hush-hush", "secrets do not leave")
	require.NotContains(t, i.log.String(), "hush-team")
}
