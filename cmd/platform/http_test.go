package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// For the delay after a signal the program serves on, and only readiness says
// that it is leaving; a second signal does not wait for it.
func TestShutdownDelay(t *testing.T) {
	config := writeFile(t, t.TempDir(), "app-config.yaml",
		strings.Replace(baseConfig, "backend:\n", "backend:\n  lifecycle: {serverShutdownDelay: {hours: 1}}\n", 1))
	i, cmd := bootChild(t, nil, "--config", config, "--data", t.TempDir())
	get := func(path string) int {
		status, _ := i.send(http.MethodGet, path, nil)
		return status
	}
	require.Equal(t, 200, get("/.backstage/health/v1/readiness"))
	i.stop()
	i.await("stopping")
	http.DefaultClient.CloseIdleConnections() // the next requests come on connections of their own
	require.Equal(t, 503, get("/.backstage/health/v1/readiness"))
	require.Equal(t, 200, get("/api/catalog/entities"), "a request during the delay is answered")
	require.Equal(t, 200, get("/.backstage/health/v1/liveness"))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.Error(t, i.wait(), "a second signal ends it at once")
}

func TestServingEndsInOrder(t *testing.T) {
	for _, tc := range []struct {
		name    string
		cause   error
		delay   time.Duration
		delayed bool
	}{
		{"a signal", errors.New("signal"), 50 * time.Millisecond, true},
		{"a catalog that cannot go on", errCatalogFailed, time.Hour, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			ctx, cancel := context.WithCancelCause(t.Context())
			var steps []string
			var left time.Time
			end := shutdown{delay: tc.delay, leaving: func() { left = time.Now(); steps = append(steps, "leaving") }, draining: func() {
				steps = append(steps, "draining")
				if tc.delayed {
					require.GreaterOrEqual(t, time.Since(left), tc.delay)
				}
				res, err := http.Get("http://" + l.Addr().String())
				require.NoError(t, err, "until it drains, it takes connections")
				body, err := io.ReadAll(res.Body)
				require.NoError(t, errors.Join(err, res.Body.Close()))
				require.Equal(t, "hello", string(body))
			}}
			handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
			cancel(tc.cause)
			require.NoError(t, serveHTTP(ctx, l, handler, slog.New(slog.DiscardHandler), end))
			require.Equal(t, []string{"leaving", "draining"}, steps)
			_, err = net.Dial("tcp", l.Addr().String())
			require.Error(t, err)
		})
	}
}
