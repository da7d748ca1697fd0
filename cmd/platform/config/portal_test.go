package config_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

const portalText = `
app:
  title: Bikes
  baseUrl: https://portal.example.com/base/
  dist: ./dist
  disableStaticFallbackCache: true
  packages: all
  extensions: [{'page:catalog': {config: {path: /c}}}, 'nav:search']
  support: {url: 'https://jane:hunter2@help.example.com/x', items: [{title: Chat, links: [{url: 'slack://x'}]}]}
  analytics: {secret: hunter2}
organization: {name: Fernweh}
backend:
  baseUrl: https://portal.example.com
  database: {connection: {password: hunter2}}
  auth: {externalAccess: [{type: static, options: {token: hunter2-token, subject: x}}]}
  trustProxy: 'loopback, 10.0.0.0/8'
  rateLimit: {window: 10s, incomingRequestLimit: 100, ipAllowList: ['192.0.2.1'], plugin: {auth: {incomingRequestLimit: 7, window: {hours: 1}, skipSuccessfulRequests: true}}}
discovery:
  endpoints:
    - {target: 'https://a.example.com/{{pluginId}}', plugins: [a]}
    - {target: {internal: 'http://secret.internal', external: 'https://b.example.com'}, plugins: [b]}
auth:
  environment: production
  session: {secret: hunter2}
  providers: {guest: {dangerouslyAllowOutsideDevelopment: true}, github: {production: {clientId: c, clientSecret: hunter2}}}
permission: {enabled: true, policy: hunter2}
techdocs: {builder: external, publisher: {type: awsS3, awsS3: {bucketName: docs, credentials: {accessKeyId: hunter2, secretAccessKey: hunter2}}}, sanitizer: {allowedIframeHosts: [a]}}
search: {query: {pageLimit: 50}, pg: {password: hunter2}}
integrations:
  github: [{host: github.com, token: hunter2}, {host: ghe.example.com, apiBaseUrl: 'https://u:hunter2@ghe.example.com/api/v3', apps: [{privateKey: hunter2}]}]
  gitlab: [{token: hunter2}]
  gerrit: [{host: gerrit.example.com, cloneUrl: 'https://gerrit.example.com/clone', disableEditUrl: true, password: hunter2}]
  awsS3: [{endpoint: 'https://s3.example.com', secretAccessKey: hunter2}]
kubernetes: {frontend: {podDelete: {enabled: true}}, clusterLocatorMethods: [{serviceAccountToken: hunter2}]}
homepage: {clocks: [{label: UTC, timezone: UTC}]}
secretSection: {value: hunter2}
proxy:
  skipInvalidProxies: true
  endpoints:
    /b: https://b.example.com
    /a:
      target: https://a.example.com
      changeOrigin: false
      secure: false
      pathRewrite: {'^/api/proxy/a/x': '/y', '^/api/proxy/a': ''}
      headers: {Authorization: Basic hunter2, X-Count: '5'}
      allowedMethods: [GET]
      allowedHeaders: [X-Total]
      credentials: forward
notifications: {retention: {days: 30}, defaultSettings: {channels: [{id: Web, enabled: false}]}}
`

func TestWhatBrowsersSee(t *testing.T) {
	s, err := read(t, portalText)
	require.NoError(t, err)
	data, err := json.Marshal(s.Portal.Frontend)
	require.NoError(t, err)
	require.NotContains(t, string(data), "hunter2")
	require.NotContains(t, string(data), "secret")
	require.JSONEq(t, `{
	  "app":{"title":"Bikes","baseUrl":"https://portal.example.com/base/","packages":"all",
	    "extensions":[{"page:catalog":{"config":{"path":"/c"}}},"nav:search"],
	    "support":{"url":"https://help.example.com/x","items":[{"title":"Chat","links":[{"url":"slack://x"}]}]}},
	  "organization":{"name":"Fernweh"},"backend":{"baseUrl":"https://portal.example.com"},
	  "discovery":{"endpoints":[{"target":"https://a.example.com/{{pluginId}}","plugins":["a"]},{"target":{"external":"https://b.example.com"},"plugins":["b"]}]},
	  "auth":{"environment":"production","providers":{"guest":{},"github":{}}},
	  "permission":{"enabled":true},
	  "techdocs":{"builder":"external","sanitizer":{"allowedIframeHosts":["a"]}},
	  "search":{"query":{"pageLimit":50}},
	  "integrations":{"github":[{"host":"github.com"},{"host":"ghe.example.com","apiBaseUrl":"https://ghe.example.com/api/v3"}],
	    "gerrit":[{"host":"gerrit.example.com","cloneUrl":"https://gerrit.example.com/clone","disableEditUrl":true}],
	    "awsS3":[{"endpoint":"https://s3.example.com"}]},
	  "kubernetes":{"frontend":{"podDelete":{"enabled":true}}},
	  "homepage":{"clocks":[{"label":"UTC","timezone":"UTC"}]}
	}`, string(data))
}

func TestPortal(t *testing.T) {
	s, err := read(t, portalText)
	require.NoError(t, err)
	p := s.Portal
	require.Equal(t, "./dist", p.Dist)
	require.Equal(t, "https://portal.example.com/base", p.BaseURL)
	require.True(t, p.ForgetStatic)
	require.Equal(t, config.Proxy{SkipInvalid: true, Endpoints: []config.ProxyEndpoint{
		{Route: "/b", Target: "https://b.example.com"},
		{Route: "/a", Target: "https://a.example.com", KeepHost: true, SkipVerify: true,
			Rewrites: []config.Rewrite{{Pattern: "^/api/proxy/a/x", Replacement: "/y"}, {Pattern: "^/api/proxy/a"}},
			Headers:  map[string]string{"Authorization": "Basic hunter2", "X-Count": "5"},
			Methods:  []string{"GET"}, AllowedHeaders: []string{"X-Total"}, Credentials: "forward"},
	}}, p.Proxy, "in the order of the file")
	require.Equal(t, 30*24*time.Hour, p.Notifications.Retention)
	require.Equal(t, map[string]any{"channels": []any{map[string]any{"id": "Web", "enabled": false}}}, p.Notifications.Defaults)
	require.Equal(t, config.RateLimit{
		Global: &config.RateRule{Window: 10 * time.Second, Limit: 100, Allow: []netip.Addr{netip.MustParseAddr("192.0.2.1")}},
		Plugins: map[string]*config.RateRule{
			"auth": {Window: time.Hour, Limit: 7, SkipSuccessful: true}},
		TrustProxy: config.TrustProxy{Networks: []string{"loopback", " 10.0.0.0/8"}},
	}, p.RateLimit)
	require.Contains(t, strings.Join(s.Warnings, "\n"), "kubernetes is not supported")
}

func TestPortalForms(t *testing.T) {
	s, err := read(t, minimal+"proxy: {'/labrador': {target: 'https://labrador.example.com', changeOrigin: true}, other: 1}\n"+
		"notifications: {retention: false}\nkubernetes:\n")
	require.NoError(t, err)
	require.Equal(t, []config.ProxyEndpoint{{Route: "/labrador", Target: "https://labrador.example.com"}}, s.Portal.Proxy.Endpoints)
	require.Contains(t, strings.Join(s.Warnings, "\n"), "move them to 'proxy.endpoints'")
	require.NotContains(t, strings.Join(s.Warnings, "\n"), "kubernetes", "an empty section, as templates have, says nothing")
	require.Equal(t, time.Duration(-1), s.Portal.Notifications.Retention)
	require.Equal(t, map[string]any{"backend": map[string]any{"baseUrl": "http://localhost:7007/"}}, s.Portal.Frontend)

	for text, want := range map[string]config.RateLimit{
		"rateLimit: true":  {Global: &config.RateRule{}},
		"rateLimit: false": {},
		"rateLimit: {global: false, plugin: {a: {}}}":                  {Plugins: map[string]*config.RateRule{"a": {}}},
		"rateLimit: {window: 500, store: memory}":                      {Global: &config.RateRule{Window: 500 * time.Millisecond}},
		"trustProxy: true":                                             {TrustProxy: config.TrustProxy{All: true}},
		"trustProxy: 2":                                                {TrustProxy: config.TrustProxy{Hops: 2}},
		"trustProxy: [loopback, 192.0.2.1]":                            {TrustProxy: config.TrustProxy{Networks: []string{"loopback", "192.0.2.1"}}},
		"rateLimit: {skipFailedRequests: yes, ipAllowList: []}":        {Global: &config.RateRule{SkipFailed: true, Allow: []netip.Addr{}}},
		"rateLimit: {passOnStoreError: true, store: {client: memory}}": {Global: &config.RateRule{}},
	} {
		s, err := read(t, "backend: {baseUrl: 'http://x', "+text+"}")
		require.NoError(t, err, text)
		require.Equal(t, want, s.Portal.RateLimit, text)
	}
}

func TestPortalFaults(t *testing.T) {
	for _, tc := range []struct{ text, says string }{
		{"app: {baseUrl: portal}", "app.baseUrl"},
		{"app: {dist: 5}", "app.dist"},
		{"proxy: {endpoints: {/a: {}}}", "proxy.endpoints./a.target"},
		{"proxy: {endpoints: {/a: 5}}", "proxy.endpoints./a"},
		{"proxy: {endpoints: {/a: {target: 'http://x', pathRewrite: [x]}}}", "pathRewrite"},
		{"proxy: {endpoints: {/a: {target: 'http://x', pathRewrite: {a: 5}}}}", "wanted string"},
		{"notifications: {retention: true}", "notifications.retention"},
		{"notifications: {retention: 0s}", "longer than nothing"},
	} {
		_, err := read(t, minimal+tc.text)
		require.ErrorContains(t, err, tc.says, tc.text)
	}
	for _, tc := range []struct{ text, says string }{
		{"rateLimit: {incomingRequestLimit: 0}", "1 or more"},
		{"rateLimit: {ipAllowList: [nobody]}", "'nobody' is not an IP address"},
		{"rateLimit: {store: {client: redis}}", "counted in memory"},
		{"rateLimit: {plugin: {a: {window: soon}}}", "window"},
		{"trustProxy: -1", "not a number of proxies"},
		{"trustProxy: {a: 1}", "trustProxy"},
	} {
		_, err := read(t, "backend: {baseUrl: 'http://x', "+tc.text+"}")
		require.ErrorContains(t, err, tc.says, tc.text)
	}
}
