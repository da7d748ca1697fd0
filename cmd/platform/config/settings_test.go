package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

const minimal = "backend: {baseUrl: 'http://localhost:7007/'}\n"

func read(t *testing.T, text string) (*config.Settings, error) {
	t.Helper()
	return config.Read(load(t, text, nil))
}

func TestDefaults(t *testing.T) {
	s, err := read(t, minimal)
	require.NoError(t, err)
	require.Equal(t, "http://localhost:7007", s.Backend.BaseURL, "the slash at its end is cut off")
	require.Equal(t, ":7007", s.Backend.Listen)
	require.Nil(t, s.Backend.CORS, "no section, no headers")
	require.Nil(t, s.Auth.Guest)
	require.Nil(t, s.Catalog.Rules, "nil means the default rules, not none")
	require.False(t, s.Database.Memory)
	require.False(t, s.Catalog.ProcessingOff)
	require.Zero(t, s.Catalog.MinInterval)
	require.Empty(t, s.Warnings)
}

func TestListenForms(t *testing.T) {
	cases := map[string]string{
		"7008":                         ":7008",
		"':7008'":                      ":7008",
		"'7008'":                       ":7008",
		"'127.0.0.1:7008'":             "127.0.0.1:7008",
		"'[::1]:7008'":                 "[::1]:7008",
		"{port: 7008}":                 ":7008",
		"{host: 127.0.0.1}":            "127.0.0.1:7007",
		"{host: '::1', port: '7008'}":  "[::1]:7008",
		"{host: 127.0.0.1, port: 0}":   "127.0.0.1:0",
		"{host: 0.0.0.0, port: 65535}": "0.0.0.0:65535",
	}
	for text, want := range cases {
		s, err := read(t, "backend: {baseUrl: 'http://x', listen: "+text+"}")
		require.NoError(t, err, text)
		require.Equal(t, want, s.Backend.Listen, text)
	}
	for _, text := range []string{"65536", "-1", "x", "':'", "{port: x}", "'a:b:c'", "true", "1.5"} {
		_, err := read(t, "backend: {baseUrl: 'http://x', listen: "+text+"}")
		require.ErrorContains(t, err, "backend.listen", text)
	}
}

func TestDatabase(t *testing.T) {
	cases := []struct {
		name, text string
		memory     bool
		fault      string
	}{
		{"none", "", false, ""},
		{"the stock one", "database: {client: better-sqlite3, connection: './x.sqlite'}", false, ""},
		{"in memory, at the top", "database: {client: better-sqlite3, connection: ':memory:'}", true, ""},
		{"in memory, as an object", "database: {client: better-sqlite3, connection: {filename: ':memory:'}}", true, ""},
		{"a folder", "database: {client: better-sqlite3, connection: {directory: ./db}}", false, ""},
		{"PostgreSQL", "database: {client: pg, connection: {host: h}}", false, "one file under --data"},
		{"something else", "database: {client: mysql2}", false, "no database client 'mysql2'"},
		{"not an object", "database: x", false, "wanted object"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, err := read(t, minimal+c.text)
			if c.fault != "" {
				require.ErrorContains(t, err, c.fault)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.memory, s.Database.Memory)
		})
	}
	t.Run("backend.database comes before the one at the top", func(t *testing.T) {
		s, err := read(t, "database: {client: pg}\nbackend: {baseUrl: 'http://x', database: {client: better-sqlite3}}")
		require.NoError(t, err)
		require.Equal(t, "better-sqlite3", s.Database.Client)
	})
}

func TestCatalogKeys(t *testing.T) {
	s, err := read(t, minimal+`
catalog:
  processingInterval: {seconds: 10}
  orphanStrategy: keep
  readonly: true
  defaultLocationConflictStrategy: refresh
  kinds: {schemas: ./kinds, aiModel: true}
  rules:
    - allow: [Component, {kind: API, spec.type: openapi}]
    - allow: [Template]
      locations: [{type: url, pattern: 'https://x/**'}, {exact: y}]
    - allow: [User]
      locations: []
  locations:
    - {type: file, target: ./a.yaml}
    - {type: url, target: https://x/y, rules: [{allow: [User, Group]}]}
    - {type: bitbucket-discovery, target: https://bitbucket.org/x}
  processorOptions:
    AnnotateLocationEntityProcessor: {priority: 5}
    url-reader: {disabled: true}
  providers: {ldapOrg: {}}
`)
	require.NoError(t, err)
	c := s.Catalog
	require.Equal(t, 10*time.Second, c.MinInterval)
	require.Equal(t, 15*time.Second, c.MaxInterval)
	require.True(t, c.KeepOrphans && c.ReadOnly && c.RefreshOnConflict && c.AIModel)
	require.Equal(t, "./kinds", c.KindsFolder)
	require.Equal(t, config.Rule{Allow: []config.AllowedKind{{Kind: "Component"}, {Kind: "API", SpecType: "openapi"}}}, c.Rules[0])
	require.Equal(t, []config.LocationMatch{{Type: "url", Pattern: "https://x/**"}, {Exact: "y"}}, c.Rules[1].Locations)
	require.Equal(t, []config.LocationMatch{}, c.Rules[2].Locations, "an empty list is not the absent one")
	require.Equal(t, []config.AllowedKind{{Kind: "User"}, {Kind: "Group"}}, c.Locations[1].Rules[0].Allow)
	require.Equal(t, config.ProcessorOptions{Disabled: true}, c.Processors["url-reader"])
	require.Equal(t, 5, c.Processors["AnnotateLocationEntityProcessor"].Priority)
	require.Len(t, s.Warnings, 2, "what this release does not read is said, and is no fault")

	off, err := read(t, minimal+"catalog: {processingInterval: false}")
	require.NoError(t, err)
	require.True(t, off.Catalog.ProcessingOff)
	soon, err := read(t, minimal+"catalog: {processingInterval: 100ms}")
	require.NoError(t, err)
	require.Equal(t, time.Second, soon.Catalog.MinInterval, "one second is the least")
}

func TestAuthKeys(t *testing.T) {
	s, err := read(t, `
auth:
  backstageTokenExpiration: {minutes: 30}
  providers: {guest: {dangerouslyAllowOutsideDevelopment: true, userEntityRef: 'user:default/jane', ownershipEntityRefs: ['group:default/a']}}
backend:
  baseUrl: http://x
  auth:
    keys: [{secret: c2VjcmV0}]
    externalAccess:
      - {type: static, options: {token: 12345678, subject: ci}}
      - type: static
        options: {token: abcdefgh, subject: ci}
        accessRestrictions:
          - {plugin: catalog, permission: 'catalog.entity.read, catalog.entity.refresh', permissionAttribute: {action: [read]}}
`)
	require.ErrorContains(t, err, "backend.auth.externalAccess[0].options.token", "a number is not a token")
	require.Equal(t, 30*time.Minute, s.Auth.TokenLifetime)
	require.True(t, s.Auth.Guest.AllowOutsideDevelopment)
	require.Equal(t, []string{"group:default/a"}, s.Auth.Guest.Ownership)
	require.False(t, s.Auth.IncludeOwnership)
	require.Equal(t, []config.AccessRestriction{{
		Plugin: "catalog", Permissions: []string{"catalog.entity.read", "catalog.entity.refresh"}, Actions: []string{"read"},
	}}, s.Auth.External[1].Restrictions)
	require.Equal(t, "legacy", s.Auth.External[2].Type)
}

// A slip in what narrows a token would widen it: each ends the start.
func TestExternalAccessIsNotGuessed(t *testing.T) {
	for name, tc := range map[string]struct{ access, want string }{
		"no type":                       {`{options: {token: abcdefgh, subject: ci}}`, "externalAccess[0].type"},
		"a type that is not there":      {`{type: oidc, options: {url: https://x}}`, "'oidc' is not a type of external access: there are static, legacy and jwks"},
		"jwks without a URL":            {`{type: jwks, options: {issuer: x}}`, "externalAccess[0].options.url"},
		"an audience that is not set":   {`{type: jwks, options: {url: 'https://x', audience: '${NOT_SET}'}}`, "externalAccess[0].options.audience"},
		"a restriction that is not set": {`{type: static, options: {token: abcdefgh, subject: ci}, accessRestrictions: [{plugin: catalog, permission: '${NOT_SET}'}]}`, "accessRestrictions[0].permission"},
		"restrictions that are null":    {`{type: static, options: {token: abcdefgh, subject: ci}, accessRestrictions: null}`, "accessRestrictions"},
		"restrictions with a slip":      {`{type: static, options: {token: abcdefgh, subject: ci}, accessRestriction: [{plugin: catalog}]}`, "an entry of external access has type, options, accessRestrictions, and nothing else"},
		"an audience with a slip":       {`{type: jwks, options: {url: 'https://x', audiance: portal}}`, "jwks has url, algorithm, issuer, audience, subject, subjectPrefix, and nothing else"},
		"permissions of blanks":         {`{type: static, options: {token: abcdefgh, subject: ci}, accessRestrictions: [{plugin: catalog, permission: ' , '}]}`, "it names nothing"},
		"a token that is not set":       {`{type: static, options: {token: '${NOT_SET}', subject: ci}}`, "externalAccess[0].options.token"},
		"a secret that is not set":      {`{type: legacy, options: {subject: ci}}`, "externalAccess[0].options.secret"},
		"no subject":                    {`{type: static, options: {token: abcdefgh}}`, "externalAccess[0].options.subject"},
		"a key with a slip":             {`{type: static, options: {token: abcdefgh, subject: ci}, accessRestrictions: [{plugin: catalog, permissions: catalog.entity.read}]}`, "an access restriction has plugin, permission, permissionAttribute, and nothing else"},
		"an attribute with a slip":      {`{type: static, options: {token: abcdefgh, subject: ci}, accessRestrictions: [{plugin: catalog, permissionAttribute: {actions: read}}]}`, "the one attribute to restrict is action"},
		"a restriction to no plugin":    {`{type: static, options: {token: abcdefgh, subject: ci}, accessRestrictions: [{permission: catalog.entity.read}]}`, "accessRestrictions[0].plugin"},
	} {
		_, err := read(t, "backend: {baseUrl: 'http://x', auth: {externalAccess: ["+tc.access+"]}}")
		require.ErrorContains(t, err, tc.want, name)
		require.NotContains(t, err.Error(), "abcdefgh", "%s: no secret in an error", name)
	}
	s, err := read(t, "backend: {baseUrl: 'http://x', auth: {externalAccess: [{type: static, options: {token: abcdefgh, subject: ci}, accessRestrictions: []}]}}")
	require.NoError(t, err)
	require.NotNil(t, s.Auth.External[0].Restrictions, "an empty list opens nothing")
	require.Empty(t, s.Auth.External[0].Restrictions)
}

func TestHTTPKeys(t *testing.T) {
	s, err := read(t, `
backend:
  baseUrl: http://x
  cors: {origin: http://a, methods: [GET, PUT], credentials: true, maxAge: 60}
  csp: {upgradeInsecureRequests: false, connect-src: ["'self'", 'http:']}
  reading: {allow: [{host: '*.example.com'}, {host: h:80, paths: [/a]}]}
  logger: {level: Debug, meta: {site: berlin}}
`)
	require.NoError(t, err)
	require.Equal(t, &config.CORS{Origins: []string{"http://a"}, Methods: []string{"GET", "PUT"}, Credentials: true, MaxAge: 60}, s.Backend.CORS)
	require.Equal(t, map[string][]string{"upgrade-insecure-requests": nil, "connect-src": {"'self'", "http:"}}, s.Backend.CSP)
	require.Equal(t, []config.ReadingAllow{{Host: "*.example.com"}, {Host: "h:80", Paths: []string{"/a"}}}, s.Backend.Reading)
	require.Equal(t, "debug", s.Log.Level)
}

func TestAllFaultsTogether(t *testing.T) {
	_, err := read(t, `
backend: {baseUrl: ftp://x, listen: {port: 99999}, https: true, logger: {level: loud}, reading: {allow: [{paths: [/]}]}}
database: {client: pg}
catalog:
  readonly: perhaps
  orphanStrategy: burn
  processingInterval: 5
  locations: [{type: file}]
  rules: [{locations: [{exact: a, pattern: b}]}, {allow: [A], locations: [{pattern: '[a'}]}]
backend2: {unknown: key}
`)
	require.Error(t, err)
	lines := config.Lines(err)
	for _, key := range []string{"backend.baseUrl", "backend.listen", "backend.https", "backend.logger.level", "backend.reading.allow[0].host",
		"database.client", "catalog.readonly", "catalog.orphanStrategy", "catalog.processingInterval", "catalog.locations[0].target",
		"catalog.rules[0].allow", "catalog.rules[0].locations[0]", "catalog.rules[1].locations[0].pattern"} {
		require.True(t, strings.Contains(err.Error(), "'"+key+"'"), "%s is not among\n%s", key, err)
	}
	require.Len(t, lines, 13, "each fault once, and nothing about keys that nobody knows:\n%s", strings.Join(lines, "\n"))
}

// The configuration of a user, kept as it came.
func TestConfigurationOfAUser(t *testing.T) {
	path := filepath.Join("..", "..", "..", "testdata", "configs", "user-portal.yaml")
	c, err := config.Load(config.Sources{Files: []string{path}, Env: env(map[string]string{"JENKINS_TOKEN": "j-secret"})})
	require.NoError(t, err)
	s, err := config.Read(c)
	require.NoError(t, err)
	require.True(t, s.Database.Memory)
	require.Equal(t, "https://developer.internal.example.com", s.Backend.BaseURL)
	require.Equal(t, []string{"https://developer.internal.example.com"}, s.Backend.CORS.Origins)
	require.Equal(t, []config.Location{
		{Type: "url", Target: "https://github.com/org/backstage-catalog-info/blob/main/catalog.yaml"},
		{Type: "directory", Target: "./catalog"},
	}, s.Catalog.Locations)
	require.False(t, c.At("integrations.github").IsObject())
	require.Equal(t, map[string]any{
		"github":  []any{map[string]any{"apiBaseUrl": "https://api.github.com"}},
		"jenkins": []any{map[string]any{"baseUrl": "https://jenkins.internal.example.com", "token": "j-secret"}},
	}, s.Integrations, "variables that are not set are absent, with their keys")
	require.Equal(t, []string{"j-secret"}, c.Secrets())
}

func TestSearchKeys(t *testing.T) {
	s, err := read(t, minimal+`
search:
  maxTermLength: 50
  maxPageLimit: '20'
  collators:
    catalog:
      locationTemplate: /c/:name
      filter: [{kind: [Component, API], spec.type: service}, {metadata.annotations.x: CATALOG_FILTER_EXISTS}]
`)
	require.NoError(t, err)
	require.Equal(t, config.Search{MaxTermLength: 50, MaxPageLimit: 20, Location: "/c/:name", Filter: []map[string][]string{
		{"kind": {"Component", "API"}, "spec.type": {"service"}}, {"metadata.annotations.x": nil},
	}}, s.Search)
	s, err = read(t, minimal+"search: {collators: {catalog: {filter: {kind: User}}}}")
	require.NoError(t, err)
	require.Equal(t, []map[string][]string{{"kind": {"User"}}}, s.Search.Filter, "one set needs no list")

	_, err = read(t, minimal+"search: {maxTermLength: 0, maxPageLimit: -1, collators: {catalog: {filter: [x]}}}")
	for _, key := range []string{"search.maxTermLength", "search.maxPageLimit", "search.collators.catalog.filter[0]"} {
		require.ErrorContains(t, err, key)
	}
}

func TestPolicyKeys(t *testing.T) {
	s, err := read(t, minimal)
	require.NoError(t, err)
	require.Zero(t, s.Policy)
	s, err = read(t, minimal+"permission: {enabled: true, policy: {default: deny, rules: [{allow: '*', group: [a, b]}]}}")
	require.NoError(t, err)
	want := map[string]any{"default": "deny", "rules": []any{map[string]any{"allow": "*", "group": []any{"a", "b"}}}}
	require.Equal(t, config.Policy{Rules: want, Source: "permission.policy"}, s.Policy)

	dir := t.TempDir()
	path := filepath.Join(dir, "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte("default: deny\nrules: [{allow: '*', group: [a, b]}]\n"), 0o600))
	s, err = read(t, minimal+"permission: {policyFile: '"+path+"'}")
	require.NoError(t, err)
	require.Equal(t, config.Policy{Rules: want, Source: "policy.yaml"}, s.Policy)
	_, err = read(t, minimal+"permission: {policyFile: '"+path+"', policy: {default: deny}}")
	require.ErrorContains(t, err, "permission.policyFile")
	_, err = read(t, minimal+"permission: {policyFile: '"+path+"x'}")
	require.ErrorContains(t, err, "no such file")
	_, err = read(t, minimal+"permission: {policyFile: [x]}")
	require.ErrorContains(t, err, "permission.policyFile")
}

// What restricts a rule must not be lost without a word.
func TestPolicyLosesNothing(t *testing.T) {
	for name, rule := range map[string]string{
		"an empty key":                   "{allow: '*', group: }",
		"a variable that is not set":     "{allow: '*', group: '${NOT_SET_ANYWHERE}'}",
		"one in the reference's form":    "{allow: '*', group: {$env: NOT_SET_ANYWHERE}}",
		"one of a list":                  "{deny: '*', group: [x, '${NOT_SET_ANYWHERE}']}",
		"deeper":                         "{allow: '*', group: x, annotation: {a: '${NOT_SET_ANYWHERE}'}}",
		"a list of what comes to null":   "{allow: '*', annotation: {a: null}}",
		"an object that would be needed": "{allow: '*', annotation: null}",
	} {
		_, err := read(t, minimal+"permission: {policy: {default: deny, rules: [{allow: x}, "+rule+"]}}")
		require.ErrorContains(t, err, "permission.policy.rules[1].", name)
		require.ErrorContains(t, err, "it has no value, or one with a variable that is not set", name)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.yaml")
	require.NoError(t, os.WriteFile(path, []byte("default: deny\nrules: [{allow: '*', group: }]\n"), 0o600))
	_, err := read(t, minimal+"permission: {policyFile: '"+path+"'}")
	require.ErrorContains(t, err, "'rules[0].group' in 'policy.yaml'")
}
