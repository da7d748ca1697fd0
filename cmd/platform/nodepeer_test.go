package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const nodeFolder = "nodepeer"

// nodePackages installs what nodepeer/package-lock.json says, once. Where that
// is done already, nothing is asked of a registry.
var nodePackages = sync.OnceValue(func() error {
	lock, err := os.ReadFile(filepath.Join(nodeFolder, "package-lock.json"))
	if err != nil {
		return err
	}
	stamp := filepath.Join(nodeFolder, "node_modules", ".installed")
	if done, err := os.ReadFile(stamp); err == nil && bytes.Equal(done, lock) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = nodeFolder
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in cmd/platform/nodepeer: %w\n%s", err, out)
	}
	return os.WriteFile(stamp, lock, 0o644)
})

// needNode skips a test where there is no npm, or none that can get packages;
// make node-interop takes the second for a failure.
func needNode(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIPPED, no Node backend was spoken to: there is no %s", program)
		}
	}
	if err := nodePackages(); err != nil {
		if os.Getenv("NODE_INTEROP") != "" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED, no Node backend was spoken to: %v", err)
	}
}

// freePort returns a port that is free now.
func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// keyPair writes a new key of P-256 as two PEM files.
func keyPair(t *testing.T, dir, name string) (public, private string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return writeFile(t, dir, name+".pub.pem", text("PUBLIC KEY", pub)), writeFile(t, dir, name+".pem", text("PRIVATE KEY", der))
}

// A nodeBackend is a backend of Backstage in a process of its own.
type nodeBackend struct {
	t    *testing.T
	base string
	log  *textLog
	stop func()
}

// textLog keeps what a process writes, and tells when there is more.
type textLog struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func (l *textLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.text.Write(p)
}

func (l *textLog) read() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String(), l.changed
}

// startNode runs the backend on a port, with the platform at another one; its
// plugins sign with a new key of that id.
func startNode(t *testing.T, port int, platform, keyID string) *nodeBackend {
	dir := t.TempDir()
	public, private := keyPair(t, dir, keyID)
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	config := writeFile(t, dir, "app-config.yaml", fmt.Sprintf(`
app: {baseUrl: %[1]s}
permission: {enabled: true}
backend:
  baseUrl: %[1]s
  listen: {host: 127.0.0.1, port: %[2]d}
  database: {client: better-sqlite3, connection: ':memory:'}
  auth:
    pluginKeyStore:
      type: static
      static: {keys: [{keyId: %[3]s, publicKeyFile: '%[4]s', privateKeyFile: '%[5]s'}]}
discovery:
  endpoints:
    - {target: '%[6]s/api/{{pluginId}}', plugins: [auth, catalog, notifications, permission, user-settings]}
`, base, port, keyID, public, private, platform))
	n := &nodeBackend{t: t, base: base, log: &textLog{changed: make(chan struct{})}}
	cmd := exec.Command("node", "index.mjs", "--config", config)
	cmd.Dir = nodeFolder
	cmd.Stdout, cmd.Stderr = n.log, n.log
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	n.stop = sync.OnceFunc(func() { _ = cmd.Process.Kill(); <-ended })
	t.Cleanup(n.stop)
	n.await("Plugin initialization complete")
	return n
}

// await waits for a part of the log.
func (n *nodeBackend) await(part string) {
	n.t.Helper()
	deadline := time.After(2 * time.Minute) // its start loads a thousand files
	for {
		text, changed := n.log.read()
		if strings.Contains(text, part) {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			n.t.Fatalf("it did not say %q in time\n%s", part, text)
		}
	}
}

// ask sends a request with a token, and decodes the answer.
func (n *nodeBackend) ask(method, path, token string, body any, headers ...string) (status int, answer map[string]any) {
	n.t.Helper()
	var payload io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		require.NoError(n.t, err)
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(n.t.Context(), method, n.base+path, payload)
	require.NoError(n.t, err)
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(n.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(n.t, err)
	_ = json.Unmarshal(text, &answer) // what is no JSON shows in the log
	n.t.Logf("%s %s: %d %.300s", method, path, res.StatusCode, text)
	return res.StatusCode, answer
}

// relay makes plugin peer call another plugin, for a user or for itself.
func (n *nodeBackend) relay(token string, call map[string]any) (status int, body map[string]any) {
	n.t.Helper()
	code, answer := n.ask("POST", "/api/peer/call", token, call)
	require.Equal(n.t, 200, code)
	_ = json.Unmarshal([]byte(answer["body"].(string)), &body)
	return int(answer["status"].(float64)), body
}

// splitConfig is that of a platform whose plugins peer and permission live in
// a Node backend.
func splitConfig(t *testing.T, nodePort int, more string) string {
	dir := t.TempDir()
	return baseConfig + fmt.Sprintf(`
  locations:
    - {type: file, target: '%s'}
    - {type: file, target: '%s'}
permission: {enabled: true}
auth:
  providers: {guest: {userEntityRef: 'user:default/john', dangerouslyAllowOutsideDevelopment: true}}
%s
discovery:
  endpoints:
    - {target: 'http://127.0.0.1:%d/api/{{pluginId}}', plugins: [peer, permission]}
`, writeFile(t, dir, "a.yaml", component("booking", "x")),
		writeFile(t, dir, "b.yaml", "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: team-a}\nspec: {type: team, children: []}\n"),
		more, nodePort)
}

const (
	bookingPath = "/entities/by-name/component/default/booking"
	groupPath   = "/entities/by-name/group/default/team-a"
)

// A split deployment with the packages of Backstage on the other side: its
// plugins call ours and ours call its, for themselves and for a user.
func TestNodeBackend(t *testing.T) {
	needNode(t)
	port, data := freePort(t), t.TempDir()
	platform := boot(t, splitConfig(t, port, ""), "--data", data)
	platform.until("component/default/booking", served)
	platform.until("group/default/team-a", served)
	node := startNode(t, port, platform.base, "first")
	john := platform.guestToken()

	t.Run("it knows our users", func(t *testing.T) {
		node.t = t
		status, who := node.ask("GET", "/api/peer/whoami", john, nil)
		require.Equal(t, 200, status)
		require.Equal(t, "user:default/john", who["userEntityRef"])
		status, info := node.ask("GET", "/api/peer/userinfo", john, nil)
		require.Equal(t, 200, status)
		require.Equal(t, []any{"user:default/john"}, info["ownershipEntityRefs"])
		status, _ = node.ask("GET", "/api/peer/whoami", john[:len(john)-8]+"AAAAAAAA", nil)
		require.Equal(t, 401, status)
	})
	t.Run("it takes our cookie", func(t *testing.T) {
		node.t = t
		cookie := cookieOf(t, platform, john)
		status, who := node.ask("GET", "/api/peer/limited", "", nil, "Cookie", cookie)
		require.Equal(t, 200, status)
		require.Equal(t, "user:default/john", who["userEntityRef"])
	})
	t.Run("it calls us for itself", func(t *testing.T) {
		node.t = t
		for _, path := range []string{bookingPath, groupPath} {
			status, _ := node.relay(john, map[string]any{"plugin": "catalog", "path": path, "own": true})
			require.Equal(t, 200, status, "services are not asked about")
		}
		status, answer := node.relay(john, map[string]any{"plugin": "user-settings", "path": "/buckets/b/keys/k", "own": true})
		require.Equal(t, 403, status)
		require.Contains(t, fmt.Sprint(answer), "This endpoint does not allow 'service' credentials")
	})
	t.Run("it notifies our users", func(t *testing.T) {
		node.t = t
		note := map[string]any{"plugin": "notifications", "path": "/notifications", "method": "POST", "own": true,
			"body": map[string]any{"recipients": map[string]any{"type": "entity", "entityRef": "user:default/john"}, "payload": map[string]any{"title": "from Node"}}}
		status, _ := node.relay(john, note)
		require.Equal(t, 200, status)
		delete(note, "own")
		status, _ = node.relay(john, note)
		require.Equal(t, 403, status, "users do not notify each other")
		asJohn := *platform
		asJohn.t, asJohn.token = t, john
		status, list := asJohn.send("GET", "/api/notifications/notifications", nil)
		require.Equal(t, 200, status)
		require.Contains(t, fmt.Sprint(list), "from Node")
		require.Contains(t, fmt.Sprint(list), "plugin:peer")
	})
	t.Run("it calls us for a user, and we ask its policy for that user", func(t *testing.T) {
		node.t = t
		status, _ := node.relay(john, map[string]any{"plugin": "user-settings", "path": "/buckets/b/keys/k", "method": "PUT", "body": map[string]any{"value": 1}})
		require.Equal(t, 200, status)
		status, _ = node.relay(john, map[string]any{"plugin": "catalog", "path": bookingPath})
		require.Equal(t, 200, status)
		status, _ = node.relay(john, map[string]any{"plugin": "catalog", "path": groupPath})
		require.Equal(t, 404, status, "its policy shows components alone")
		node.await("asked for user:default/john by plugin:catalog")
	})
	t.Run("its token for one plugin does not do for another", func(t *testing.T) {
		node.t = t
		status, answer := node.relay(john, map[string]any{"plugin": "user-settings", "audience": "catalog", "path": "/buckets/b/keys/k"})
		require.Equal(t, 401, status)
		require.Contains(t, fmt.Sprint(answer), "Failed plugin token verification")
	})
	t.Run("its policy holds for users who call us", func(t *testing.T) {
		asJohn := *platform
		asJohn.t, asJohn.token = t, john
		status, _ := asJohn.send("GET", "/api/catalog"+bookingPath, nil)
		require.Equal(t, 200, status)
		status, _ = asJohn.send("GET", "/api/catalog"+groupPath, nil)
		require.Equal(t, 404, status)
		status, page := asJohn.send("GET", "/api/catalog/entities/by-query", nil)
		require.Equal(t, 200, status)
		require.InDelta(t, 1, page["totalItems"], 0)
		status, _ = asJohn.send("POST", "/api/catalog/locations", map[string]any{"type": "url", "target": "http://127.0.0.1:1/x.yaml"})
		require.Equal(t, 403, status)
	})
	t.Run("it asks our permission plugin for a user, and hears a condition", func(t *testing.T) {
		node.t = t
		status, decision := node.ask("POST", "/api/peer/authorize", john, map[string]any{"permission": map[string]any{
			"name": "catalog.entity.read", "attributes": map[string]any{"action": "read"}, "resourceType": "catalog-entity"}})
		require.Equal(t, 200, status)
		require.Equal(t, "CONDITIONAL", decision["result"])
		require.Contains(t, fmt.Sprint(decision["conditions"]), "IS_ENTITY_KIND")
	})
	t.Run("keys change on both sides", func(t *testing.T) {
		node.stop()
		platform.end()
		again := boot(t, splitConfig(t, port, "  identityTokenAlgorithm: RS256"), "--data", data)
		node := startNode(t, port, again.base, "second")
		again.until("component/default/booking", served)
		fresh := again.guestToken()
		require.NotEqual(t, tokenHeader(john), tokenHeader(fresh))
		for _, token := range []string{john, fresh} {
			status, who := node.ask("GET", "/api/peer/whoami", token, nil)
			require.Equal(t, 200, status, "keys of before are still published")
			require.Equal(t, "user:default/john", who["userEntityRef"])
			status, _ = node.relay(token, map[string]any{"plugin": "catalog", "path": bookingPath})
			require.Equal(t, 200, status)
		}
		node.stop()
		node = startNode(t, port, again.base, "third")
		status, _ := node.relay(fresh, map[string]any{"plugin": "catalog", "path": bookingPath})
		require.Equal(t, 200, status, "a key that we do not know is looked up at once")
	})
}

func tokenHeader(token string) string {
	header, _, _ := strings.Cut(token, ".")
	return header
}

// cookieOf returns the cookie that stands for a user.
func cookieOf(t *testing.T, i *instance, token string) string {
	req, err := http.NewRequestWithContext(t.Context(), "GET", i.base+"/api/app/.backstage/auth/v1/cookie", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, 200, res.StatusCode)
	cookie, _, _ := strings.Cut(res.Header.Get("Set-Cookie"), ";")
	return cookie
}
