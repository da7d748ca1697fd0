package bundle_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/greenroom-idp/greenroom/api/app/bundle"
	"github.com/stretchr/testify/require"
)

func build() fstest.MapFS {
	noise := make([]byte, 5000)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise)
	return fstest.MapFS{
		"index.html.tmpl":      {Data: []byte("<html></html>")},
		"static/main.js":       {Data: []byte(strings.Repeat("const a = 1;\n", 1000))},
		"static/main.js.map":   {Data: []byte("{}")},
		"static/logo.png":      {Data: noise},
		"empty.txt":            {},
		".config-schema.json":  {Data: []byte("{}")},
		".git/config":          {Data: []byte("x")},
		"static/.hidden/x.txt": {Data: []byte("x")},
	}
}

func pack(t testing.TB) []byte {
	var b bytes.Buffer
	p, err := bundle.Pack(&b, build())
	require.NoError(t, err)
	require.Equal(t, bundle.Packed{Files: 4, LeftOut: 4, Bytes: 13 + 13_000 + 5000}, p)
	return b.Bytes()
}

func TestPackAndOpen(t *testing.T) {
	data := pack(t)
	require.Equal(t, data, pack(t), "the same files make the same bundle")
	b, err := bundle.Open(data)
	require.NoError(t, err)
	var names []string
	for name := range b.Names {
		names = append(names, name)
	}
	require.ElementsMatch(t, []string{"index.html.tmpl", "static/main.js", "static/logo.png", "empty.txt"}, names)
	for _, name := range names {
		f, ok := b.File(name)
		require.True(t, ok)
		want := build()[name].Data
		plain, err := io.ReadAll(f.Open())
		require.NoError(t, err)
		require.Equal(t, string(want), string(plain))
		require.EqualValues(t, len(want), f.Size)
		size, ok := f.GzipSize()
		require.Equal(t, name == "static/main.js", ok, "what does not get smaller is stored as it is")
		if !ok {
			continue
		}
		var packed bytes.Buffer
		require.NoError(t, f.WriteGzip(&packed))
		require.EqualValues(t, packed.Len(), size)
		require.Less(t, packed.Len(), len(want)/10)
		z, err := gzip.NewReader(&packed)
		require.NoError(t, err)
		plain, err = io.ReadAll(z) // checks the sum and the size as well
		require.NoError(t, err)
		require.Equal(t, string(want), string(plain))
	}
	_, ok := b.File("static/main.js.map")
	require.False(t, ok)
}

func TestOtherToolsReadIt(t *testing.T) {
	data := pack(t)
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	f, err := archive.Open("static/main.js")
	require.NoError(t, err)
	defer f.Close()
	plain, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, string(build()["static/main.js"].Data), string(plain))
}

func FuzzOpen(f *testing.F) {
	data := pack(f)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := bundle.Open(data)
		if err != nil {
			return
		}
		for name := range b.Names {
			f, _ := b.File(name)
			if _, ok := f.GzipSize(); ok {
				require.NoError(t, f.WriteGzip(io.Discard))
			}
			_, _ = io.CopyN(io.Discard, f.Open(), 1<<20)
		}
	})
}
