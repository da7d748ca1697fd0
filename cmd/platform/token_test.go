package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/auth/servicetokens"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// statusAs asks for a page of the catalog with a token.
func (i *instance) statusAs(token string) int {
	i.t.Helper()
	as := *i
	as.token = token
	status, _ := as.send(http.MethodGet, "/api/catalog/entities/by-query?limit=1", nil)
	return status
}

// The life of a token, in a server that runs and in one that does not.
func TestTokenVerb(t *testing.T) {
	data := t.TempDir()
	config := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig)
	i := bootArgs(t, "--config", config, "--data", data)
	verb := func(args ...string) (stdout, stderr string) {
		t.Helper()
		stdout, stderr, err := try(t, append([]string{"token"}, args...)...)
		require.NoError(t, err)
		return stdout, stderr
	}
	// backend.listen is port 0 here, so that the server has to be named.
	asked := []string{"--config", config, "--server", i.base}
	out, said := verb(append([]string{"create", "--subject", "ci", "--plugin", "catalog:action=read", "--plugin=search", "--expires=2h"}, asked...)...)
	token := strings.TrimSpace(out)
	id := strings.Split(token, "_")[1]
	require.Contains(t, said, "Token "+id+" for ci ends ")
	require.Contains(t, said, "may use catalog:action=read search. It is shown this once")
	require.NotContains(t, said, token, "it stands alone where scripts read it")
	require.Equal(t, 200, i.statusAs(token))

	out, _ = verb(append([]string{"list"}, asked...)...)
	require.Contains(t, out, id)
	require.NotContains(t, out, token)
	out, _, err := try(t, "user", "whoami", "--server", i.base, "--token", token)
	require.NoError(t, err)
	require.Regexp(t, `Service +ci\nMay use +catalog:action=read search\nEnds +20`, out)

	_, said = verb(append([]string{"revoke", id}, asked...)...)
	require.Contains(t, said, "Token "+id+" is revoked")
	require.Equal(t, 401, i.statusAs(token), "at once")
	out, _ = verb(append([]string{"list"}, asked...)...)
	require.Contains(t, out, "There are no service tokens")
	_, _, err = try(t, append([]string{"token", "revoke", id}, asked...)...)
	oneLine(t, err, "404: There is no service token "+id)

	keep, _ := verb(append([]string{"create", "--subject", "keep", "--expires", "never"}, asked...)...)
	i.end()
	stored, err := os.ReadFile(filepath.Join(data, storeFile))
	require.NoError(t, err)
	require.NotContains(t, string(stored), strings.TrimSpace(keep), "only its hash is kept")

	// Without a server, and without a token.
	here := []string{"--data", data}
	out, _ = verb(append([]string{"create", "--subject", "offline", "--json"}, here...)...)
	var made servicetokens.Created
	require.NoError(t, json.Unmarshal([]byte(out), &made))
	require.Equal(t, "platform token", made.CreatedBy)
	require.False(t, made.Expires.IsZero())
	out, _ = verb(append([]string{"list", "--json"}, here...)...)
	var list servicetokens.Listing
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	require.Len(t, list.Tokens, 2)
	verb(append([]string{"revoke", strings.Split(keep, "_")[1]}, here...)...)
	_, _, err = try(t, append([]string{"token", "revoke", "nobody"}, here...)...)
	oneLine(t, err, "no such service token nobody", "platform token list")

	i = bootArgs(t, "--config", config, "--data", data)
	require.Equal(t, 200, i.statusAs(made.Token))
	require.Equal(t, 401, i.statusAs(strings.TrimSpace(keep)))
	i.end()
	out, _, err = try(t, "check", "--data", data)
	require.NoError(t, err)
	require.Contains(t, out, "0 violations")
}

// A store that a server has is not waited for: that server is asked.
func TestTokenVerbFindsTheServer(t *testing.T) {
	data := t.TempDir()
	port := freePort(t)
	config := writeFile(t, t.TempDir(), "app-config.yaml", strings.Replace(baseConfig, "port: 0", "port: "+strconv.Itoa(port), 1))
	i := bootArgs(t, "--config", config, "--data", data)
	out, _, err := try(t, "token", "create", "--subject", "ci", "--config", config, "--data", data)
	require.NoError(t, err)
	require.Equal(t, 200, i.statusAs(strings.TrimSpace(out)))

	t.Setenv(tokenVariable, strings.TrimSpace(out))
	_, _, err = try(t, "token", "create", "--subject", "child", "--expires", "1h", "--config", config, "--data", data)
	require.NoError(t, err, "the variable comes before the configuration")
	_, _, err = try(t, "token", "create", "--subject", "child", "--expires", "never", "--config", config, "--data", data)
	oneLine(t, err, "must not outlive it")
	t.Setenv(tokenVariable, "wrong-token")
	_, _, err = try(t, "token", "list", "--config", config, "--data", data)
	oneLine(t, err, "401: Illegal token", "--token or PLATFORM_TOKEN names another")
	require.NotContains(t, err.Error(), "wrong-token")
}

func TestTokenCommandLines(t *testing.T) {
	empty := t.TempDir()
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"nothing":            {nil, "There are create --subject NAME, list, and revoke ID"},
		"no such command":    {[]string{"explode"}, "There are create"},
		"no subject":         {[]string{"create"}, "Say --subject"},
		"too much":           {[]string{"create", "x", "--subject", "ci"}, "There are create"},
		"revoke nothing":     {[]string{"revoke"}, "the ID of one token"},
		"revoke two":         {[]string{"revoke", "a", "b"}, "the ID of one token"},
		"no such time":       {[]string{"create", "--subject", "ci", "--expires", "soon"}, `--expires "soon" is no time`},
		"no time":            {[]string{"create", "--subject", "ci", "--expires", "0s"}, "is no time"},
		"time that has gone": {[]string{"create", "--subject", "ci", "--expires", "-5d"}, "is no time"},
		"no plugin":          {[]string{"create", "--subject", "ci", "--plugin", ":catalog.entity.read"}, "neither a plugin nor"},
		"no permission":      {[]string{"create", "--subject", "ci", "--plugin", "catalog:"}, "neither a plugin nor"},
		"no such action":     {[]string{"create", "--subject", "ci", "--plugin", "catalog:action=use"}, "not one of create"},
		"no store":           {[]string{"list", "--data", empty}, "there is no store"},
		"no server":          {[]string{"list", "--server", "not a URL", "--token", "x"}, "is not the URL of a server"},
		"nobody there":       {[]string{"list", "--server", "http://127.0.0.1:1", "--token", "x"}, "cannot be reached"},
		"no such flag":       {[]string{"list", "--colour"}, "-colour"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := try(t, append([]string{"token"}, tc.args...)...)
			oneLine(t, err, tc.says)
		})
	}
	entries, err := os.ReadDir(empty)
	require.NoError(t, err)
	require.Empty(t, entries, "a folder that was named by mistake stays as it was")

	data := t.TempDir()
	i := boot(t, baseConfig, "--data", data)
	i.end()
	for _, args := range [][]string{
		{"create", "--subject", "c i"}, {"create", "--subject", "plugin:x"}, {"create", "--subject", "ci", "--expires", "11y"},
		{"create", "--subject", "ci", "--plugin", "catlog"}, {"create", "--subject", "ci", "--plugin", "catalog", "--plugin", "catalog"},
	} {
		_, _, err := try(t, append(append([]string{"token"}, args...), "--data", data)...)
		oneLine(t, err)
	}
	out, _, err := try(t, "token", "list", "--data", data)
	require.NoError(t, err)
	require.Contains(t, out, "There are no service tokens")
}

func TestUserVerb(t *testing.T) {
	i := boot(t, baseConfig+`
auth: {providers: {guest: {userEntityRef: 'user:default/jane', ownershipEntityRefs: ['user:default/jane', 'group:default/a'], dangerouslyAllowOutsideDevelopment: true}}}
`, "--data", t.TempDir())
	out, _, err := try(t, "user", "whoami", "--server", i.base, "--token", i.guestToken())
	require.NoError(t, err)
	require.Regexp(t, `User +user:default/jane\nActs for +user:default/jane, group:default/a\nEnds +20`, out)
	t.Setenv(tokenVariable, testToken)
	out, _, err = try(t, "user", "whoami", "--server", i.base)
	require.NoError(t, err)
	require.Regexp(t, `Service +tests\nMay use +everything\nEnds +never`, out)
	out, _, err = try(t, "user", "--server", i.base, "whoami", "--json")
	require.NoError(t, err)
	require.JSONEq(t, `{"type":"service","subject":"tests"}`, out)

	// {"exp":1000000000}, of which the server says no more than that it fails.
	_, _, err = try(t, "user", "whoami", "--server", i.base, "--token", "eyJ0eXAiOiJ2bmQuYmFja3N0YWdlLnVzZXIiLCJhbGciOiJFUzI1NiJ9.eyJleHAiOjEwMDAwMDAwMDB9.AA")
	oneLine(t, err, "401: Failed user token verification", "the token says that it ended at 2001-09-0")
	_, _, err = try(t, "user", "whoami", "--server", i.base, "--token", "nothing-like-it")
	oneLine(t, err, "401: Illegal token")
	for _, args := range [][]string{{}, {"whoarewe"}, {"whoami", "x"}, {"whoami", "--colour"}} {
		_, _, err = try(t, append([]string{"user"}, args...)...)
		require.Equal(t, 2, exitStatus(err), args)
	}
	t.Setenv(tokenVariable, "")
	_, _, err = try(t, "user", "whoami", "--server", i.base)
	oneLine(t, err, "Say --token, or set PLATFORM_TOKEN")
}

// A server that is none of ours leads to an error, not to a panic or a lie.
func TestAnswersOfOtherServers(t *testing.T) {
	for body, says := range map[string]string{"<html>": "answer of the server", `[]`: "answer of the server"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(body)) }))
		for _, args := range [][]string{{"user", "whoami"}, {"token", "list"}, {"token", "create", "--subject", "x"}} {
			_, _, err := try(t, append(args, "--server", server.URL, "--token", "x")...)
			oneLine(t, err, says)
		}
		server.Close()
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, _, err := try(t, "user", "whoami", "--server", server.URL, "--token", "x")
	oneLine(t, err, "404: Not Found")
}

// Restrictions to nothing let nothing through.
func TestEmptyRestrictions(t *testing.T) {
	i := boot(t, strings.Replace(baseConfig, "subject: tests}}", "subject: tests}, accessRestrictions: []}", 1), "--data", t.TempDir())
	require.Equal(t, 403, i.statusAs(testToken))
}

// External access of which one part is wrong ends the start.
func TestExternalAccessThatMakesNoSense(t *testing.T) {
	for access, says := range map[string]string{
		"{type: static, options: {token: short, subject: x}}":                                                                                "8 or more characters",
		"{type: legacy, options: {secret: '%%%', subject: x}}":                                                                               "must be base64",
		"{type: jwks, options: {url: 'ftp://x'}}":                                                                                            "http or https URL",
		"{type: jwks, options: {url: 'http://x', algorithm: HS256}}":                                                                         `"HS256" is not one of`,
		"{type: static, options: {token: long-enough, subject: x}, accessRestrictions: [{plugin: a}, {plugin: a}]}":                          "once each",
		"{type: static, options: {token: long-enough, subject: x}, accessRestrictions: [{plugin: a, permissionAttribute: {action: [use]}}]}": "not one of create",
	} {
		config := writeFile(t, t.TempDir(), "app-config.yaml", "backend: {baseUrl: 'http://localhost:1', listen: {host: 127.0.0.1, port: 0}, auth: {externalAccess: ["+access+"]}}")
		_, _, err := try(t, "serve", "--config", config, "--data", t.TempDir())
		oneLine(t, err, "external access 0", says)
	}
}

// Users of another backend, which has the plugin auth, and what they own by its
// word.
func TestAuthElsewhere(t *testing.T) {
	home := boot(t, baseConfig+`
auth: {providers: {guest: {userEntityRef: 'user:default/jane', ownershipEntityRefs: ['user:default/jane', 'group:default/platform'], dangerouslyAllowOutsideDevelopment: true}}}
`, "--data", t.TempDir())
	other := func(group string) *instance {
		return boot(t, baseConfig+`
permission:
  enabled: true
  policy: {default: deny, rules: [{name: the team, allow: '*', group: `+group+`}]}
discovery: {endpoints: [{target: '`+home.base+`/api/{{pluginId}}', plugins: [auth]}]}
`, "--data", t.TempDir())
	}
	token := home.guestToken()
	location := map[string]any{"type": "url", "target": "http://127.0.0.1:1/x.yaml"}
	for group, want := range map[string]int{"platform": 201, "others": 403} {
		i := other(group)
		i.token = token
		status, answer := i.send(http.MethodPost, "/api/catalog/locations", location)
		require.Equal(t, want, status, "%v", answer)
		out, _, err := try(t, "user", "whoami", "--server", i.base, "--token", token)
		require.NoError(t, err)
		require.Contains(t, out, "user:default/jane, group:default/platform")
	}
	i := other("platform")
	i.token = token
	status, _ := i.send(http.MethodGet, "/api/user-settings/buckets/b/keys/k", nil)
	require.Equal(t, 404, status, "its keys are known from here on")
	home.end()
	status, _ = i.send(http.MethodPost, "/api/catalog/locations", location)
	require.Equal(t, 503, status, "its keys are known; what the user owns is not, and nothing is allowed")
}

// A record that nobody can read is a violation, and ends the start: a
// restriction that is lost would open what it closed.
func TestDamagedTokens(t *testing.T) {
	data := t.TempDir()
	boot(t, baseConfig, "--data", data).end()
	db, err := bbolt.Open(filepath.Join(data, storeFile), 0o600, &bbolt.Options{Timeout: time.Second})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("auth")).Bucket([]byte("tokens")).Put([]byte("a1"), []byte(`{"id":"a1","accessRestrictions":[{"plug`))
	}))
	require.NoError(t, db.Close())
	out, _, err := try(t, "check", "--data", data)
	require.Error(t, err)
	require.Contains(t, out, "decode service token a1")
	config := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig)
	_, _, err = try(t, "serve", "--config", config, "--data", data)
	oneLine(t, err, "decode service token a1")
}
