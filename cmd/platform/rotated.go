package main

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A rotated is a file that lines are appended to, each with one write, so that
// none is lost with the process. Reopen makes it begin anew where somebody has
// moved it away. What cannot be written is counted and told, and does not keep
// the caller from going on.
type rotated struct {
	path string
	log  *slog.Logger
	lost prometheus.Counter

	mu   sync.Mutex
	file *os.File
	torn bool      // the last write broke off in the middle of a line
	told time.Time // when a failure was last told
}

// tellEvery is how often a file that cannot be written to is told of.
const tellEvery = time.Minute

func openRotated(path string, log *slog.Logger) (*rotated, error) {
	r := &rotated{path: path, log: log, lost: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "greenroom_audit_lost_lines_total", Help: "Lines of the audit log that could not be written to its file.",
	})}
	var err error
	if r.file, err = openAppending(path); err != nil {
		return nil, err
	}
	return r, nil
}

func openAppending(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("backend.auditor.file: %w: name a file in a folder that can be written to", err)
	}
	return f, nil
}

// Write appends one line.
func (r *rotated) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	whole := line
	if r.torn {
		whole = append([]byte{'\n'}, line...) // what comes after half a line must not be lost with it
	}
	n, err := r.file.Write(whole)
	if err != nil {
		r.torn = r.torn || n > 0
		r.fail(err)
		return 0, err
	}
	r.torn = false
	return len(line), nil
}

// fail counts a line that is lost. The caller holds the mutex.
func (r *rotated) fail(err error) {
	r.lost.Inc()
	if now := time.Now(); now.Sub(r.told) >= tellEvery {
		r.told = now
		r.log.Error("the audit log cannot be written to its file", slog.String("file", r.path), slog.String("error", err.Error()))
	}
}

// Reopen opens the path again. When that fails, lines go on to the file that
// was open.
func (r *rotated) Reopen() {
	next, err := openAppending(r.path)
	if err != nil {
		r.log.Error("the audit log goes on in the file that was open", slog.String("error", err.Error()))
		return
	}
	r.mu.Lock()
	last := r.file
	r.file, r.torn = next, false
	r.mu.Unlock()
	if err := last.Close(); err != nil {
		r.log.Warn("close the last file of the audit log", slog.String("error", err.Error()))
	}
	r.log.Info("the audit log was opened again", slog.String("file", r.path))
}

// Close closes the file.
func (r *rotated) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Close()
}
