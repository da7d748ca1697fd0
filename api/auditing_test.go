package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/ratelimit"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// audits starts a server whose audit log, and nothing else, is in the buffer.
func audits(t *testing.T) (*fixture, *bytes.Buffer) {
	own := &bytes.Buffer{}
	f := newFixture(t, func(o *api.Options, _ *auth.Options) {
		o.Auditor = audit.New(audit.Options{Own: slog.New(slog.NewJSONHandler(own, nil))})
		o.Limits.Trust = ratelimit.TrustHops(1)
	})
	return f, own
}

func auditLines(t *testing.T, b *bytes.Buffer) (out []map[string]any) {
	for line := range bytes.Lines(b.Bytes()) {
		var fields map[string]any
		require.NoError(t, json.Unmarshal(line, &fields))
		delete(fields, "time")
		out = append(out, fields)
	}
	b.Reset()
	return out
}

func TestAuditOfTheCatalog(t *testing.T) {
	f, own := audits(t)
	page(`[]`)(f.reader)
	f.engine.refresh = func(string) error { return nil }
	f.engine.register = func(l catalog.LocationRef, _ string) (catalog.Location, error) {
		return catalog.Location{}, catalog.NewError(catalog.NameConflict, "Location "+l.String()+" already exists")
	}
	const name = "/entities/by-name/component/default/cart"
	for _, tc := range []struct {
		method, path, body string
		id, severity       string
		meta               map[string]any
		fault              string
	}{
		{"GET", "/entities?filter=kind=api", "", "entity-fetch", "low", map[string]any{"queryType": "all"}, ""},
		{"GET", "/entities/by-query", "", "entity-fetch", "low", map[string]any{"queryType": "by-query"}, ""},
		{"POST", "/entities/by-query", "{}", "entity-fetch", "low", map[string]any{"queryType": "by-query"}, ""},
		{"POST", "/entities/by-refs", `{"entityRefs":[]}`, "entity-fetch", "low", map[string]any{"queryType": "by-refs"}, ""},
		{"GET", "/entities/by-uid/x", "", "entity-fetch", "low", map[string]any{"queryType": "by-uid", "uid": "x"}, ""},
		{"GET", name, "", "entity-fetch", "low", map[string]any{"queryType": "by-name", "entityRef": "component:default/cart"}, ""},
		{"GET", name + "/ancestry", "", "entity-fetch", "low", map[string]any{"actionType": "ancestry", "rootEntityRef": "component:default/cart"}, ""},
		{"GET", "/entity-facets?facet=kind", "", "entity-facets", "low", nil, ""},
		{"GET", "/entity-facets", "", "entity-facets", "low", nil, "InputError: request/query must have required property 'facet'"},
		{"POST", "/entity-facets", `{"facets":["kind"]}`, "entity-facets", "low", nil, ""},
		{"POST", "/refresh", `{"entityRef":"API:default/x"}`, "entity-mutate", "medium", map[string]any{"queryType": "refresh", "entityRef": "api:default/x"}, ""},
		{"POST", "/validate-entity", `{"location":"url:http://x/y","entity":{}}`, "entity-validate", "low", nil, ""},
		{"POST", "/validate-entity", `{"location":"file:/x","entity":{}}`, "entity-validate", "low", nil, "Error: answered with status 400"},
		{"POST", "/analyze-location", `{"location":{"type":"url","target":"https://jane:pw@host/a/b?token=t"}}`, "location-analyze", "low",
			map[string]any{"target": "https://***@host/a/b?token=***"}, ""},
		{"POST", "/locations", `{"type":"url","target":"https://host/a"}`, "location-mutate", "medium",
			map[string]any{"actionType": "create", "location": map[string]any{"type": "url", "target": "https://host/a"}}, "ConflictError: Location url:https://host/a already exists"},
		{"POST", "/locations", "nonsense", "location-mutate", "medium", map[string]any{"actionType": "create"}, "InputError: *"},
		{"DELETE", "/entities/by-uid/x", "", "entity-mutate", "medium", map[string]any{"actionType": "delete", "uid": "x"}, ""},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			own.Reset()
			f.do(tc.method, "/api/catalog"+tc.path, tc.body, with("User-Agent", "probe/1"), with("X-Forwarded-For", "6.6.6.6, 203.0.113.9"))
			lines := auditLines(t, own)
			require.Len(t, lines, 2)
			want := map[string]any{
				"level": "INFO", "msg": "catalog." + tc.id, "isAuditEvent": true, "plugin": "catalog", "eventId": tc.id, "severityLevel": tc.severity, "status": "initiated",
				"actor":   map[string]any{"actorId": "user:development/guest", "ip": "203.0.113.9", "hostname": "example.com", "userAgent": "probe/1"},
				"request": map[string]any{"method": tc.method, "url": "/api/catalog" + tc.path},
			}
			if tc.meta != nil {
				want["meta"] = tc.meta
			}
			require.Equal(t, want, lines[0])
			want["status"] = "succeeded"
			if tc.fault != "" {
				want["status"], want["error"] = "failed", tc.fault
				if prefix, any := strings.CutSuffix(tc.fault, "*"); any {
					require.Contains(t, lines[1]["error"], prefix)
					want["error"] = lines[1]["error"]
				}
			}
			require.Equal(t, want, lines[1])
		})
	}
}

func TestAuditOfDryRuns(t *testing.T) {
	f, own := audits(t)
	f.do("POST", "/api/catalog/locations?dryRun=TRUE", `{"type":"file","target":"x"}`)
	require.Equal(t, "low", auditLines(t, own)[0]["severityLevel"])
	f.do("POST", "/api/catalog/locations?dryRun=no", `{"type":"file","target":"x"}`)
	require.Equal(t, "medium", auditLines(t, own)[0]["severityLevel"])
}

func TestWhatIsNotAudited(t *testing.T) {
	f, own := audits(t)
	f.do("GET", "/api/catalog/openapi.json", "")
	f.do("GET", "/api/catalog/no-such-route", "")
	f.do("GET", "/api/catalog/entities", "", anonymous)
	f.do("GET", "/api/auth/guest/refresh", "", anonymous)
	require.Empty(t, own.String(), "nobody got as far as a route that is audited")
}

// What broke off in the middle has failed.
func TestAuditOfAPanic(t *testing.T) {
	f, own := audits(t)
	f.engine.refresh = func(string) error { panic(errors.New("kaboom")) }
	require.Equal(t, 500, f.do("POST", "/api/catalog/refresh", `{"entityRef":"x"}`).status)
	lines := auditLines(t, own)
	require.Equal(t, "failed", lines[1]["status"])
}

// Tokens in URLs do not get into the audit log either.
func TestAuditTellsNoSecrets(t *testing.T) {
	f, own := audits(t)
	page(`[]`)(f.reader)
	f.do("GET", "/api/catalog/entities?access_token=hunter2&filter=kind=api", "")
	require.Equal(t, "/api/catalog/entities?access_token=***&filter=kind=api", auditLines(t, own)[1]["request"].(map[string]any)["url"])
}

// Every rule is for a route that there is: one for a route that was renamed
// would audit nothing.
func TestAuditRulesHaveRoutes(t *testing.T) {
	f, _ := audits(t)
	var routes []string
	for _, r := range f.server.Routes() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	rules := f.server.AuditRules()
	require.Greater(t, len(rules), 30)
	for _, rule := range rules {
		if !strings.Contains(rule, "/api/scaffolder/") && !strings.Contains(rule, "/providers/") { // which are not mounted here
			assert.True(t, slices.Contains(routes, rule), rule)
		}
	}
}

// What a request says cannot make up lines of the audit log.
func TestAuditLinesCannotBeMadeUp(t *testing.T) {
	f, own := audits(t)
	f.engine.refresh = func(string) error { return nil }
	const forged = "x\n{\"isAuditEvent\":true,\"status\":\"succeeded\"}\r\n"
	body, err := json.Marshal(map[string]string{"entityRef": forged})
	require.NoError(t, err)
	f.do("POST", "/api/catalog/refresh", string(body), with("User-Agent", `a","forged":"1`))
	f.do("GET", "/api/catalog/entities/by-name/component/default/"+url.PathEscape(forged), "")
	f.do("GET", "/api/catalog/entities?filter=%0a%7b%22forged%22:1%7d", "")
	lines := auditLines(t, own)
	require.Len(t, lines, 6)
	require.Equal(t, strings.ToLower(forged), lines[1]["meta"].(map[string]any)["entityRef"])
	require.Equal(t, `a","forged":"1`, lines[1]["actor"].(map[string]any)["userAgent"])
	for _, line := range lines {
		require.NotContains(t, line, "forged")
	}
}
