package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Token lets programs in: the configuration has it as external access.
const Token = "token-of-the-demonstration"

// A Server is the program that is shown, as a process of its own.
type Server struct {
	// Base is its URL, without a slash at the end.
	Base string
	cmd  *exec.Cmd
	done chan error
}

// Start starts the built program with a configuration, which makes it listen on
// a free port, and waits until it does. Its data is in dir. What it logs as
// warning or error goes to the standard error of this process.
func Start(ctx context.Context, binary, dir, configuration string) (*Server, error) {
	file := filepath.Join(dir, "app-config.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(binary, "serve", "--config", file, "--data", filepath.Join(dir, "data"), "--log-format", "json")
	cmd.Stderr = os.Stderr
	log, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: `make build` makes it", err)
	}
	s := &Server{cmd: cmd, done: make(chan error, 1)}
	address := make(chan string, 1)
	go func() {
		follow(log, address)
		s.done <- cmd.Wait()
	}()
	select {
	case a, ok := <-address:
		if !ok {
			return nil, fmt.Errorf("the server ended at once: %w", <-s.done)
		}
		s.Base = "http://" + a
		return s, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.Stop())
	}
}

// follow reads the log to its end, sends where the server listens, and passes
// on what is worth a look.
func follow(log io.Reader, address chan<- string) {
	defer close(address)
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Level, Message, Address string }
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue
		}
		if line.Message == "listening" {
			address <- line.Address
		}
		if line.Level == "warn" || line.Level == "error" {
			fmt.Fprintln(os.Stderr, lines.Text())
		}
	}
}

// Stop asks the server to end, and waits until it has.
func (s *Server) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-s.done:
		return err
	case <-time.After(30 * time.Second):
		return errors.Join(errors.New("the server did not end"), s.cmd.Process.Kill())
	}
}

// Until asks for an entity, by kind, namespace and name, until it is as it should
// be, for a minute at most.
func (s *Server) Until(ctx context.Context, name string, ok func(status int, body string) bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		status, body, err := s.Get(ctx, "/api/catalog/entities/by-name/"+name)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if ok(status, body) {
			return body, nil
		}
		time.Sleep(time.Millisecond)
	}
}

// Get asks for a path.
func (s *Server) Get(ctx context.Context, path string) (status int, body string, err error) {
	return s.Send(ctx, http.MethodGet, path, "")
}

// Send sends a request with a body of JSON, "" for none.
func (s *Server) Send(ctx context.Context, method, path, content string) (status int, body string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, s.Base+path, strings.NewReader(content))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+Token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

// Exists is for entities that are there.
func Exists(status int, _ string) bool { return status == http.StatusOK }

// IsGone is for entities that are not.
func IsGone(status int, _ string) bool { return status == http.StatusNotFound }

// Has is for entities that contain all of the texts.
func Has(texts ...string) func(int, string) bool {
	return func(status int, body string) bool {
		for _, t := range texts {
			if !strings.Contains(body, t) {
				return false
			}
		}
		return status == http.StatusOK
	}
}
