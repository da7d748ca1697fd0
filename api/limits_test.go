package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/ratelimit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRateLimits(t *testing.T) {
	now := time.Unix(1_700_000_000, 500_000_000)
	clock := func() time.Time { return now }
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.Limits = api.Limits{
			Global:  ratelimit.New(ratelimit.Rule{Limit: 4}, clock),
			Plugins: map[string]*ratelimit.Limiter{"catalog": ratelimit.New(ratelimit.Rule{Limit: 1, Window: time.Hour}, clock)},
		}
	})
	page(`[]`)(f.reader) // signing in was the first of four
	res := f.do("GET", "/.backstage/health/v1/liveness", "", anonymous)
	assert.Equal(t, 200, res.status)
	assert.Equal(t, "4", res.header.Get("X-RateLimit-Limit"))
	assert.Equal(t, "2", res.header.Get("X-RateLimit-Remaining"))
	assert.Equal(t, "1700000061", res.header.Get("X-RateLimit-Reset"))
	res = f.do("GET", "/api/catalog/entities", "")
	assert.Equal(t, 200, res.status)
	assert.Equal(t, "1", res.header.Get("X-RateLimit-Limit"), "that of the plugin comes last")
	res = f.do("GET", "/api/catalog/entities", "")
	assert.Equal(t, 429, res.status, "the plugin has its own limit")
	assert.Equal(t, "3600", res.header.Get("Retry-After"))
	res = f.do("GET", "/", "", anonymous)
	require.Equal(t, 429, res.status)
	assert.Equal(t, "60", res.header.Get("Retry-After"))
	assert.Equal(t, "application/json; charset=utf-8", res.header.Get("Content-Type"))
	assert.JSONEq(t, `{"error":{"name":"Error","message":"Too many requests, please try again later"},"response":{"statusCode":429}}`, res.text())
	assert.Equal(t, "nosniff", res.header.Get("X-Content-Type-Options"))
	now = now.Add(time.Minute)
	assert.Equal(t, 200, f.do("GET", "/", "", anonymous).status)
}

// A limit of a plugin is not got around by the case of its name, nor by paths
// that lead nowhere, and it counts each client by what a trusted proxy says.
func TestLimitsOfAPluginHoldForAllItsPaths(t *testing.T) {
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.Limits = api.Limits{
			Plugins: map[string]*ratelimit.Limiter{"catalog": ratelimit.New(ratelimit.Rule{Limit: 3}, nil)},
			Trust:   ratelimit.TrustHops(1),
		}
	})
	page(`[]`)(f.reader)
	from := func(client string) requestOption { return with("X-Forwarded-For", "203.0.113.1, "+client) }
	for _, tc := range []struct {
		path, client string
		status       int
	}{
		{"/api/catalog/entities", "192.0.2.7", 200}, {"/API/Catalog/entities", "192.0.2.7", 200}, {"/api/CATALOG/nowhere", "192.0.2.7", 404},
		{"/api/catalog/entities", "192.0.2.7", 429}, {"/Api/catALOG/nowhere", "192.0.2.7", 429}, {"/api/catalog", "192.0.2.7", 429},
		{"/api/catalog/entities", "192.0.2.8", 200}, {"/.backstage/health/v1/liveness", "192.0.2.7", 200},
	} {
		res := f.do("GET", tc.path, "", from(tc.client))
		assert.Equal(t, tc.status, res.status, tc)
		assert.Equal(t, strings.HasPrefix(tc.path, "/.backstage"), res.header.Get("X-RateLimit-Limit") == "", "every limited answer says so")
	}
}
