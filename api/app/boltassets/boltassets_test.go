package boltassets_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/app"
	"github.com/greenroom-idp/greenroom/api/app/boltassets"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

func build(t *testing.T, files ...string) app.Build {
	dir := t.TempDir()
	for _, name := range append(files, "index.html", "static/a.js.map") {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(strings.Repeat(name+"\n", 200)), 0o600))
	}
	f, err := app.OpenFolder(dir)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestKeep(t *testing.T) {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	defer db.Close()
	s, err := boltassets.Open(db)
	require.NoError(t, err)
	has := func(names ...string) {
		t.Helper()
		for _, name := range []string{"a.js", "b.js", "deep/font.woff2"} {
			packed, _, err := s.Asset(t.Context(), name)
			if want := strings.Contains(strings.Join(names, " "), name); !want {
				require.ErrorIs(t, err, fs.ErrNotExist, name)
				continue
			}
			require.NoError(t, err, name)
			z, err := gzip.NewReader(bytes.NewReader(packed))
			require.NoError(t, err)
			text, err := io.ReadAll(z)
			require.NoError(t, err)
			require.Equal(t, strings.Repeat("static/"+name+"\n", 200), string(text))
		}
		for _, name := range []string{"a.js.map", "index.html", "", "../index.html", strings.Repeat("x", 40_000)} {
			_, _, err := s.Asset(t.Context(), name)
			require.ErrorIs(t, err, fs.ErrNotExist, name)
		}
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	first, second := build(t, "static/a.js", "static/deep/font.woff2"), build(t, "static/b.js", "static/deep/font.woff2")
	keep := func(b app.Build, after time.Duration) {
		t.Helper()
		require.NoError(t, s.Keep(t.Context(), b, now.Add(after)))
	}
	keep(first, 0)
	has("a.js", "deep/font.woff2")
	written := func() int64 {
		stats := db.Stats()
		return stats.TxStats.GetWrite()
	}
	before := written()
	keep(first, day)
	require.Equal(t, before, written(), "what is there is not written again")

	keep(second, 30*day)
	has("a.js", "b.js", "deep/font.woff2")
	_, at, err := s.Asset(t.Context(), "a.js")
	require.NoError(t, err)
	require.Equal(t, now.Add(30*day), at.UTC(), "the week begins when a build is replaced, however long it was served")
	keep(second, 36*day)
	has("a.js", "b.js", "deep/font.woff2")
	keep(second, 38*day)
	has("b.js", "deep/font.woff2")

	keep(first, 39*day)
	keep(second, 40*day)
	keep(second, 46*day)
	has("a.js", "b.js", "deep/font.woff2")
}
