package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settleTime is how long a burst of changes is gathered, so that a file is not
// read while it is being written, and a checkout is one change.
const settleTime = 40 * time.Millisecond

// settleLimit is how long changes are gathered when they do not end.
const settleLimit = time.Second

// A Watcher follows folders and says what has changed.
type Watcher struct {
	roots []string
	log   *slog.Logger
	notes *fsnotify.Watcher
}

// Watch begins to follow everything below the folders. One that is not there
// yet is followed once its parent folder has it. Where the system cannot watch
// them all, what is left is named in the log, and the refresh interval catches
// its changes.
func Watch(folders []string, log *slog.Logger) (*Watcher, error) {
	notes, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch folders: %w", err)
	}
	w := &Watcher{roots: folders, log: log, notes: notes}
	for _, root := range folders {
		if _, err := os.Stat(root); err != nil {
			root = filepath.Dir(root)
			if err := notes.Add(root); err != nil {
				w.unwatched(root, err)
			}
			continue
		}
		w.add(root)
	}
	return w, nil
}

// add follows a folder and all below it.
func (w *Watcher) add(root string) {
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil //nolint:nilerr // what cannot be seen cannot be followed
		case name != root && passedOver(root, name):
			return fs.SkipDir
		}
		return w.notes.Add(name)
	})
	if err != nil {
		w.unwatched(root, err)
	}
}

func (w *Watcher) unwatched(root string, err error) {
	w.log.Warn("a folder cannot be watched; its changes are found at the next refresh", slog.String("folder", root), slog.Any("error", err))
}

// Run calls changed with the refresh keys of what has changed, until ctx ends.
func (w *Watcher) Run(ctx context.Context, changed func(keys []string)) error {
	defer w.notes.Close() //nolint:errcheck // nothing is written
	pending := map[string]bool{}
	var first time.Time
	timer := time.NewTimer(settleTime)
	timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.notes.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				w.log.Warn("watching folders", slog.Any("error", err))
				continue
			}
			w.everything(pending)
		case event := <-w.notes.Events:
			if event.Op == fsnotify.Chmod {
				continue
			}
			w.note(event, pending)
		case <-timer.C:
			changed(keysOf(pending))
			clear(pending)
			first = time.Time{}
			continue
		}
		if len(pending) == 0 {
			continue
		}
		if first.IsZero() {
			first = time.Now()
		}
		timer.Reset(max(0, min(settleTime, settleLimit-time.Since(first))))
	}
}

func keysOf(pending map[string]bool) []string {
	keys := make([]string, 0, len(pending))
	for key := range pending {
		keys = append(keys, key)
	}
	return keys
}

// note adds the keys of one event.
func (w *Watcher) note(event fsnotify.Event, pending map[string]bool) {
	root := w.rootOf(event.Name)
	if root == "" {
		return
	}
	if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
		if event.Has(fsnotify.Create) {
			w.add(event.Name)
		}
		pending["directory:"+root] = true
		return
	}
	if isYAML(event.Name) || event.Has(fsnotify.Remove) || event.Has(fsnotify.Rename) {
		pending["directory:"+root] = true
		pending["file:"+event.Name] = true
	}
}

// everything adds the keys of all folders, after events were lost.
func (w *Watcher) everything(pending map[string]bool) {
	for _, root := range w.roots {
		w.add(root)
		pending["directory:"+root] = true
	}
}

func (w *Watcher) rootOf(name string) string {
	for _, root := range w.roots {
		if name == root || strings.HasPrefix(name, root+string(filepath.Separator)) {
			return root
		}
	}
	return ""
}
