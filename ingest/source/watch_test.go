package source_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/source"
)

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	late := filepath.Join(dir, "late")
	root := filepath.Join(dir, "root")
	file := write(t, root, "a.yaml", "a: b")
	w, err := source.Watch([]string{root, late}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	changed := make(chan []string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, func(keys []string) { changed <- slices.Clone(keys) }) }()
	defer func() { cancel(); require.NoError(t, <-done) }()
	// expect waits for all of the keys, which may come in several calls.
	expect := func(keys ...string) {
		t.Helper()
		missing := map[string]bool{}
		for _, k := range keys {
			missing[k] = true
		}
		for len(missing) > 0 {
			select {
			case got := <-changed:
				for _, k := range got {
					delete(missing, k)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("nobody said %v", missing)
			}
		}
	}
	require.NoError(t, os.WriteFile(file, []byte("a: c"), 0o600))
	expect("file:"+file, "directory:"+root)
	write(t, root, "x.txt", "no descriptor")
	require.NoError(t, os.Mkdir(filepath.Join(root, "new"), 0o755))
	expect("directory:" + root)
	inner := write(t, root, "new/b.yaml", "a: b")
	expect("directory:" + root)
	require.NoError(t, os.WriteFile(inner, []byte("a: c"), 0o600))
	expect("file:" + inner)
	require.NoError(t, os.Remove(inner))
	expect("file:"+inner, "directory:"+root)
	require.NoError(t, os.Mkdir(late, 0o755))
	expect("directory:" + late)
}
