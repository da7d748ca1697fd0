package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func scrape(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, 200, res.StatusCode)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(body)
}

// Metrics are served where the reference's exporter has them, too, under both
// of their names.
func TestMetricsOnAnAddressOfTheirOwn(t *testing.T) {
	config := strings.Replace(baseConfig, "backend:\n", "backend:\n  metrics: {listen: '127.0.0.1:0'}\n", 1)
	file := writeFile(t, t.TempDir(), "cart.yaml", component("cart", "x"))
	i := boot(t, config+"  locations: [{type: file, target: '"+file+"'}]\n", "--data", t.TempDir())
	i.until("component/default/cart", served)
	address := i.await("metrics")["address"].(string)
	for _, url := range []string{"http://" + address, i.base} {
		text := scrape(t, url+"/metrics")
		for _, name := range []string{
			`catalog_entities_count{kind="component"} 1`, "catalog_registered_locations_count 0", "catalog_relations_count ",
			`catalog_processed_entities_count{result="changed"} `, `catalog_processed_entities_count_total{result="changed"} `,
			`catalog_processing_duration_seconds{result="changed",quantile="0.99"} `, `catalog_processing_duration_bucket{result="changed",le="+Inf"} `,
			`catalog_processors_duration_seconds_count{result="ok"} `, `catalog_processors_duration_count{result="ok"} `,
			`catalog_processing_queue_delay_count `, `catalog_processing_queue_delay_seconds{quantile="0.5"} `,
			`catalog_stitched_entities_count_total{result="changed"} `, `catalog_stitching_duration_count{result="changed"} `,
			"catalog_stitching_queue_length 0", "catalog_stitching_queue_delay_count ",
			"http_requests_total{", "greenroom_events_subscriptions 0",
		} {
			require.Contains(t, text, "\n"+name, url)
		}
	}
	res, err := http.Get("http://" + address + "/api/catalog/entities")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 404, res.StatusCode, "nothing else is there")
	i.end()
	_, err = net.Dial("tcp", address)
	require.Error(t, err)
}

func TestMetricsOfTasks(t *testing.T) {
	template := writeFile(t, t.TempDir(), "template.yaml", `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: hello}
spec: {owner: team-a, type: service, steps: [{id: say, name: Say, action: debug:log, input: {message: hi}},
  {id: never, name: Never, if: false, action: debug:log, input: {message: hi}}]}
`)
	i := boot(t, baseConfig+"  locations: [{type: file, target: '"+template+"'}]\n", "--data", t.TempDir())
	i.until("template/default/hello", served)
	status, answer := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{"templateRef": "template:default/hello", "values": map[string]any{}})
	require.Equal(t, 201, status, answer)
	require.Equal(t, "completed", i.finished(answer["id"].(string))["status"])
	const of = `template="template:default/hello"`
	want := []string{
		`scaffolder_task_count{result="ok",` + of + `} 1`, `scaffolder_task_count_total{result="ok",` + of + `} 1`,
		`scaffolder_task_duration_count{result="ok",` + of + `} 1`,
		`scaffolder_step_count{result="ok",step="Say",` + of + `} 1`, `scaffolder_step_count_total{result="ok",step="Say",` + of + `} 1`,
		`scaffolder_step_count_total{result="skipped",step="Never",` + of + `} 1`, `scaffolder_step_duration_count{result="skipped",step="Never",` + of + `} 1`,
	}
	var text string
	missing := func() (out []string) { // a task has ended a moment before it is counted
		text = scrape(t, i.base+"/metrics")
		for _, line := range want {
			if !strings.Contains(text, "\n"+line) {
				out = append(out, line)
			}
		}
		return out
	}
	require.Eventually(t, func() bool { return len(missing()) == 0 }, patience, 10*time.Millisecond)
	require.NotContains(t, text, `scaffolder_step_count{result="skipped"`)
	i.end()
}

func TestMetricsOnATakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	path := writeFile(t, t.TempDir(), "app-config.yaml",
		strings.Replace(baseConfig, "backend:\n", fmt.Sprintf("backend:\n  metrics: {listen: '%s'}\n", taken.Addr()), 1))
	_, _, err = try(t, "serve", "--config", path, "--data", t.TempDir())
	oneLine(t, err, "backend.metrics.listen", "in use")
}
