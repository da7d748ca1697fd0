package snapshot_test

import (
	"archive/zip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/api/techdocs/snapshot"
)

var folder = fstest.MapFS{
	"mkdocs.yml": {Data: []byte("site_name: x")}, "docs/index.md": {Data: []byte("# x")}, "docs/a.png": {Data: []byte("png")},
	"src/main.go": {Data: []byte("package main")},
}

var manifest = snapshot.Manifest{Ref: "component:default/x", Name: "x", Location: "url:https://git.example/x", State: "abc", Taken: 1_700_000_000_123}

func write(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "component", "default", "x.zip")
	require.NoError(t, snapshot.Write(path, manifest, folder, []string{"mkdocs.yml", "docs/index.md", "docs/a.png"}))
	return path
}

func TestRoundTrip(t *testing.T) {
	path := write(t)
	s, err := snapshot.Open(path)
	require.NoError(t, err)
	require.Equal(t, "component:default/x", s.Ref)
	require.Equal(t, "url:https://git.example/x", s.Location)
	require.Equal(t, "abc", s.State)
	require.True(t, time.UnixMilli(1_700_000_000_123).Equal(s.TakenAt()))
	want := site.Memory{"mkdocs.yml": "site_name: x", "docs/index.md": "# x", "docs/a.png": "png"}.Files()
	require.Equal(t, want, s.Files())
	f, err := s.Open("docs/a.png")
	require.NoError(t, err)
	_, err = s.Open("src/main.go")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, s.Close())
	require.NoError(t, os.Remove(path))
	data, err := io.ReadAll(f)
	require.NoError(t, err, "what is open stays readable when the snapshot is closed and gone")
	require.Equal(t, "png", string(data))
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	_, err = s.Open("docs/a.png")
	require.ErrorIs(t, err, fs.ErrClosed)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Empty(t, left, "no temporary file is left")
}

// errFS fails to open one file.
type errFS struct{ fs.FS }

func (e errFS) Open(name string) (fs.File, error) {
	if name == "docs/a.png" {
		return nil, errors.New("disk is sick")
	}
	return e.FS.Open(name)
}

func TestFailedWriteLeavesTheEarlierOne(t *testing.T) {
	path := write(t)
	err := snapshot.Write(path, manifest, errFS{folder}, []string{"docs/index.md", "docs/a.png"})
	require.ErrorContains(t, err, "disk is sick")
	m, err := snapshot.ReadManifest(path)
	require.NoError(t, err)
	require.Len(t, m.Files, 3)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestDamage(t *testing.T) {
	good, err := os.ReadFile(write(t))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "x.zip")
	for n := 0; n < len(good); n += 7 {
		require.NoError(t, os.WriteFile(path, good[:n], 0o600))
		_, err := snapshot.Open(path)
		require.ErrorIs(t, err, snapshot.ErrFormat, "cut after %d bytes", n)
	}
	for n := range good { // nothing may panic or leave the archive, whatever flips
		bad := append([]byte(nil), good...)
		bad[n] ^= 0x40
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		s, err := snapshot.Open(path)
		if err != nil {
			continue
		}
		for _, f := range s.Files() {
			r, err := s.Open(f.Path)
			require.NoError(t, err)
			data, err := io.ReadAll(r)
			require.NoError(t, err)
			require.EqualValues(t, f.Size, len(data))
			require.NoError(t, r.Close())
		}
		require.NoError(t, s.Close())
	}
}

// What somebody else has put there is refused: other paths, compressed entries
// that become large, entries that nobody has listed.
func TestForeignArchives(t *testing.T) {
	const listed = `{"format":1,"files":{"docs/x":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}}`
	for name, entries := range map[string][]zip.FileHeader{
		"no manifest":      {{Name: "files/docs/x"}},
		"leads out":        {{Name: "greenroom.json"}, {Name: "files/../x"}},
		"compressed":       {{Name: "greenroom.json"}, {Name: "files/docs/x", Method: zip.Deflate}},
		"not listed":       {{Name: "greenroom.json"}, {Name: "files/docs/x"}, {Name: "files/docs/y"}},
		"twice":            {{Name: "greenroom.json"}, {Name: "files/docs/x"}, {Name: "files/docs/x"}},
		"missing":          {{Name: "greenroom.json"}},
		"beside the files": {{Name: "greenroom.json"}, {Name: "docs/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.zip")
			file, err := os.Create(path)
			require.NoError(t, err)
			w := zip.NewWriter(file)
			for _, header := range entries {
				entry, err := w.CreateHeader(&header)
				require.NoError(t, err)
				content := "x"
				if header.Name == "greenroom.json" {
					content = listed
				}
				_, err = entry.Write([]byte(content))
				require.NoError(t, err)
			}
			require.NoError(t, errors.Join(w.Close(), file.Close()))
			_, err = snapshot.Open(path)
			require.ErrorIs(t, err, snapshot.ErrFormat)
		})
	}
}
