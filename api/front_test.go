package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// While the server is being made, health is told at once, and requests wait.
func TestFront(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, nil)
		page(`[]`)(f.reader)
		front := api.NewFront(api.Options{HealthHeaders: map[string]string{"X-Probe": "yes"}})
		ask := func(method, path string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
			r.Header.Set("Authorization", "Bearer "+f.token)
			front.ServeHTTP(w, r)
			return w
		}
		live := ask("GET", "/.backstage/health/v1/liveness")
		assert.Equal(t, 200, live.Code)
		assert.Equal(t, "yes", live.Header().Get("X-Probe"))
		assert.JSONEq(t, `{"status":"ok"}`, live.Body.String())
		ready := ask("GET", "/.Backstage/Health/v1/readiness/")
		assert.Equal(t, 503, ready.Code)
		assert.JSONEq(t, `{"message":"Backend has not started yet","status":"error"}`, ready.Body.String())
		assert.Equal(t, "nosniff", ready.Header().Get("X-Content-Type-Options"))
		assert.Empty(t, ask("HEAD", "/.backstage/health/v1/liveness").Body.String())

		begin := time.Now()
		late := ask("GET", "/api/catalog/entities?limit=1")
		assert.Equal(t, 5*time.Second, time.Since(begin))
		assert.Equal(t, 503, late.Code)
		assert.JSONEq(t, envelope(t, "ServiceUnavailableError", "Service has not started up yet", "GET", "/entities?limit=1", 503), late.Body.String())

		done := make(chan int)
		go func() { done <- ask("GET", "/api/catalog/entities").Code }()
		synctest.Wait()
		front.Put(f.server)
		require.Equal(t, http.StatusOK, <-done, "a request that waits goes on")
		assert.Equal(t, 200, ask("GET", "/.backstage/health/v1/readiness").Code)
		assert.Equal(t, 200, ask("GET", "/api/catalog/entities").Code)
	})
}
