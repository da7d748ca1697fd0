package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// childVariable makes the test binary the program itself, for tests that need
// a process to kill.
const childVariable = "PLATFORM_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

const testToken = "a-token-of-the-tests"

// baseConfig lets the tests in, on a port of the system's choice.
const baseConfig = `
backend:
  baseUrl: http://localhost:7007
  listen: {host: 127.0.0.1, port: 0}
  auth:
    externalAccess:
      - {type: static, options: {token: ` + testToken + `, subject: tests}}
  reading: {allow: [{host: '127.0.0.1:1-65535'}]}
catalog:
  rules: [{allow: [Component, System, API, Resource, Location, Domain, User, Group, Template]}]
`

// A journal takes the JSON log of a program, and tells who listens for it.
type journal struct {
	mu      sync.Mutex
	text    bytes.Buffer
	partial []byte
	lines   []map[string]any
	changed chan struct{}
}

func newJournal() *journal { return &journal{changed: make(chan struct{})} }

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.Write(p)
	j.partial = append(j.partial, p...)
	for {
		line, rest, ok := bytes.Cut(j.partial, []byte("\n"))
		if !ok {
			break
		}
		var fields map[string]any
		if json.Unmarshal(line, &fields) == nil {
			j.lines = append(j.lines, fields)
		}
		j.partial = rest
	}
	close(j.changed)
	j.changed = make(chan struct{})
	return len(p), nil
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// find returns the lines that a test of their fields accepts.
func (j *journal) find(match func(map[string]any) bool) (found []map[string]any, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if match(line) {
			found = append(found, line)
		}
	}
	return found, j.changed
}

func says(message string) func(map[string]any) bool {
	return func(line map[string]any) bool { return line["message"] == message }
}

// An instance is a running program.
type instance struct {
	t    *testing.T
	log  *journal
	base string
	// token is the one to ask with; "" is that of the tests.
	token string
	stop  func()     // asks it to end
	done  chan error // how it ended
}

// boot runs the program in this process, with the configuration in a file and
// these flags, and waits until it listens.
func boot(t *testing.T, configuration string, flags ...string) *instance {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app-config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(configuration), 0o600))
	return bootArgs(t, append([]string{"--config", path}, flags...)...)
}

func bootArgs(t *testing.T, flags ...string) *instance {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	i := &instance{t: t, log: newJournal(), stop: cancel, done: make(chan error, 1)}
	args := append([]string{"serve", "--log-format", "json"}, flags...)
	go func() { i.done <- run(ctx, args, i.log, io.Discard) }()
	t.Cleanup(func() { cancel(); i.wait() })
	i.awaitListening()
	return i
}

// bootChild runs the program in a process of its own.
func bootChild(t *testing.T, env []string, flags ...string) (*instance, *exec.Cmd) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, append([]string{"serve", "--log-format", "json"}, flags...)...)
	i := &instance{t: t, log: newJournal(), done: make(chan error, 1)}
	cmd.Env = append(append(os.Environ(), childVariable+"=1"), env...)
	cmd.Stdout, cmd.Stderr = i.log, i.log
	require.NoError(t, cmd.Start())
	i.stop = func() { _ = cmd.Process.Signal(syscall.SIGTERM) }
	go func() { i.done <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); i.wait() })
	i.awaitListening()
	return i, cmd
}

func (i *instance) awaitListening() {
	i.t.Helper()
	line := i.await("listening")
	i.base = "http://" + line["address"].(string)
}

// await waits for a message in the log.
func (i *instance) await(message string) map[string]any {
	i.t.Helper()
	deadline := time.After(patience)
	for {
		found, changed := i.log.find(says(message))
		if len(found) > 0 {
			return found[0]
		}
		select {
		case <-changed:
		case err := <-i.done:
			i.done <- err
			i.t.Fatalf("it ended before it said %q: %v\n%s", message, err, i.log)
		case <-deadline:
			i.t.Fatalf("it did not say %q in time\n%s", message, i.log)
		}
	}
}

// wait waits for the end and returns its error, as often as it is asked.
func (i *instance) wait() error {
	select {
	case err := <-i.done:
		i.done <- err
		return err
	case <-time.After(patience):
		i.t.Errorf("it did not end in time\n%s", i.log)
		return nil
	}
}

// end asks the program to end, and expects that it does so well.
func (i *instance) end() {
	i.t.Helper()
	i.stop()
	require.NoError(i.t, i.wait(), i.log.String())
}

// send sends a request with the token of the tests, and returns status and
// body.
func (i *instance) send(method, path string, body any) (int, map[string]any) {
	i.t.Helper()
	status, answer, err := i.trySend(method, path, body)
	require.NoError(i.t, err)
	return status, answer
}

func (i *instance) trySend(method, path string, body any) (int, map[string]any, error) {
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(i.t.Context(), method, i.base+path, payload)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+cmp.Or(i.token, testToken))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, err
	}
	var answer any
	_ = json.Unmarshal(data, &answer)
	switch v := answer.(type) {
	case map[string]any:
		return res.StatusCode, v, nil
	case []any:
		return res.StatusCode, map[string]any{"items": v}, nil
	}
	return res.StatusCode, map[string]any{"text": string(data)}, nil
}

// until polls an entity until a test of it succeeds.
func (i *instance) until(ref string, ok func(status int, entity map[string]any) bool) map[string]any {
	i.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		status, entity := i.send(http.MethodGet, "/api/catalog/entities/by-name/"+ref, nil)
		if ok(status, entity) {
			return entity
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("%s did not become what it should be; it is %d %v\n%s", ref, status, entity, i.log)
		}
		time.Sleep(2 * time.Millisecond) // between two questions, not instead of one
	}
}

func served(status int, _ map[string]any) bool { return status == http.StatusOK }

// writeFile writes a file below dir.
func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// component is the descriptor of a component.
func component(name, description string) string {
	return fmt.Sprintf(`apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: %s, description: %s}
spec: {type: service, lifecycle: production, owner: team-a}
`, name, description)
}

// oneLine expects an error that an operator can read.
func oneLine(t *testing.T, err error, parts ...string) {
	t.Helper()
	require.Error(t, err)
	require.NotContains(t, strings.TrimSpace(err.Error()), "\n")
	for _, part := range parts {
		require.ErrorContains(t, err, part)
	}
}
