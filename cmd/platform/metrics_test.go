package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

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

func TestMetricsOnATakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	path := writeFile(t, t.TempDir(), "app-config.yaml",
		strings.Replace(baseConfig, "backend:\n", fmt.Sprintf("backend:\n  metrics: {listen: '%s'}\n", taken.Addr()), 1))
	_, _, err = try(t, "serve", "--config", path, "--data", t.TempDir())
	oneLine(t, err, "backend.metrics.listen", "in use")
}
