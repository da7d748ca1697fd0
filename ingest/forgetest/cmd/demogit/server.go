package main

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

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

const serverToken = "token-of-the-demonstration"

// A server is the program that is shown.
type server struct {
	base string
	cmd  *exec.Cmd
	done chan error
}

// startServer starts the program and waits until it listens.
func startServer(ctx context.Context, binary, dir, configuration string) (*server, error) {
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
	s := &server{cmd: cmd, done: make(chan error, 1)}
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
		s.base = "http://" + a
		return s, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.stop())
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

// stop asks the server to end, and waits until it has.
func (s *server) stop() error {
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

func (s *server) hook(topic string) forgetest.Hook {
	return forgetest.Hook{URL: s.base + "/api/events/http/" + topic, Secret: hookSecret}
}

// until asks for an entity until it is as it should be.
func (s *server) until(ctx context.Context, name string, ok func(status int, body string) bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		status, body, err := s.get(ctx, "/api/catalog/entities/by-name/"+name)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		if ok(status, body) {
			return body, nil
		}
		time.Sleep(time.Millisecond)
	}
}

func (s *server) get(ctx context.Context, path string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+serverToken)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func exists(status int, _ string) bool { return status == http.StatusOK }

func isGone(status int, _ string) bool { return status == http.StatusNotFound }

// has is for entities that contain all of the texts.
func has(texts ...string) func(int, string) bool {
	return func(status int, body string) bool {
		for _, t := range texts {
			if !strings.Contains(body, t) {
				return false
			}
		}
		return status == http.StatusOK
	}
}
