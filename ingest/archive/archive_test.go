package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/archive"
)

// A thing is an entry of an archive that a test makes.
type thing struct {
	name, content string
	kind          byte // of tar; 0 is a file
	mode          int64
	link          string
}

func tarOf(t testing.TB, things ...thing) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, x := range things {
		h := &tar.Header{Name: x.name, Typeflag: x.kind, Mode: x.mode, Linkname: x.link}
		if x.kind == 0 {
			h.Typeflag, h.Size = tar.TypeReg, int64(len(x.content))
		}
		if x.kind == tar.TypeXGlobalHeader {
			h = &tar.Header{Typeflag: x.kind, Name: x.name, PAXRecords: map[string]string{"comment": "abc"}}
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, x.content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func gzipOf(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zipOf(t testing.TB, things ...thing) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, x := range things {
		h := &zip.FileHeader{Name: x.name, Method: zip.Deflate}
		content := x.content
		switch x.kind {
		case tar.TypeSymlink:
			h.SetMode(fs.ModeSymlink | 0o777)
			content = x.link
		case tar.TypeFifo:
			h.SetMode(fs.ModeNamedPipe | 0o644)
		case 0:
			h.SetMode(fs.FileMode(x.mode))
		}
		f, err := w.CreateHeader(h)
		require.NoError(t, err)
		_, err = io.WriteString(f, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// list reads an archive and describes what it lets through, one line each.
func list(ctx context.Context, kind string, data []byte, o archive.Options) ([]string, error) {
	var out []string
	yield := func(e archive.Entry) error {
		line := fmt.Sprintf("%v %s", e.Mode, e.Path)
		switch e.Mode.Type() {
		case 0:
			content, err := io.ReadAll(e.Content)
			if err != nil {
				return err
			}
			if int64(len(content)) != e.Size {
				return fmt.Errorf("%s has %d bytes, not %d", e.Path, len(content), e.Size)
			}
			line += " " + string(content)
		case fs.ModeSymlink:
			line += " -> " + e.Link
		}
		out = append(out, line)
		return nil
	}
	if kind == "zip" {
		return out, archive.Zip(ctx, bytes.NewReader(data), "", o, yield)
	}
	err := archive.Tar(ctx, bytes.NewReader(data), o, yield)
	return out, err
}

// each runs a test for all forms of an archive with the same entries.
func each(t *testing.T, things []thing, test func(t *testing.T, kind string, data []byte)) {
	plain := tarOf(t, things...)
	for kind, data := range map[string][]byte{"tar": plain, "tar.gz": gzipOf(t, plain), "zip": zipOf(t, things...)} {
		t.Run(kind, func(t *testing.T) { test(t, kind, data) })
	}
}

var repository = []thing{
	{name: "acme-shop-abc/", kind: tar.TypeDir},
	{name: "acme-shop-abc/README.md", content: "hello", mode: 0o664},
	{name: "acme-shop-abc/run.sh", content: "#!", mode: 0o700},
	{name: "acme-shop-abc/docs/", kind: tar.TypeDir},
	{name: "acme-shop-abc/docs/a.md", content: "a", mode: 0o644},
	{name: "acme-shop-abc/docs/latest", kind: tar.TypeSymlink, link: "a.md"},
	{name: "acme-shop-abc/docs/up", kind: tar.TypeSymlink, link: "../README.md"},
	{name: "acme-shop-abc/empty", mode: 0o644},
}

func TestEntries(t *testing.T) {
	for _, c := range []struct {
		why  string
		o    archive.Options
		want []string
	}{
		{"all of a repository", archive.Options{Strip: 1}, []string{
			"-rw-r--r-- README.md hello", "-rwxr-xr-x run.sh #!", "drwxr-xr-x docs", "-rw-r--r-- docs/a.md a",
			"Lrwxrwxrwx docs/latest -> a.md", "Lrwxrwxrwx docs/up -> ../README.md", "-rw-r--r-- empty ",
		}},
		{"a folder, without the link that leaves it", archive.Options{Strip: 1, Below: "/docs/"}, []string{"-rw-r--r-- a.md a", "Lrwxrwxrwx latest -> a.md"}},
		{"a file", archive.Options{Strip: 1, Below: "docs/a.md"}, []string{"-rw-r--r-- a.md a"}},
		{"nothing", archive.Options{Strip: 1, Below: "doc"}, nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			each(t, repository, func(t *testing.T, kind string, data []byte) {
				got, err := list(context.Background(), kind, data, c.o)
				require.NoError(t, err)
				require.Equal(t, c.want, got)
			})
		})
	}
}

func TestUnsafe(t *testing.T) {
	for _, c := range []struct {
		why    string
		things []thing
	}{
		{"an absolute path", []thing{{name: "/etc/passwd"}}},
		{"a path that leads out", []thing{{name: "a/../../b"}}},
		{"one that leads out and in again", []thing{{name: "a/../b"}}},
		{"a backslash", []thing{{name: `..\b`}}},
		{"a file behind a link", []thing{{name: "d/", kind: tar.TypeDir}, {name: "l", kind: tar.TypeSymlink, link: "d"}, {name: "l/x", content: "x"}}},
		{"a file in place of a link", []thing{{name: "l", kind: tar.TypeSymlink, link: "d"}, {name: "l", content: "x"}}},
	} {
		t.Run(c.why, func(t *testing.T) {
			each(t, c.things, func(t *testing.T, kind string, data []byte) {
				got, err := list(context.Background(), kind, data, archive.Options{})
				require.ErrorIs(t, err, archive.ErrUnsafe)
				for _, line := range got {
					require.NotContains(t, line, "-rw", "nothing was written")
				}
			})
		})
	}
}

func TestSkipped(t *testing.T) {
	for _, c := range []struct {
		why   string
		thing thing
	}{
		{"an absolute link", thing{name: "d/x", kind: tar.TypeSymlink, link: "/etc/passwd"}},
		{"a link that leads out", thing{name: "d/x", kind: tar.TypeSymlink, link: "../../x"}},
		{"a link up behind a name, which may be a link", thing{name: "d/x", kind: tar.TypeSymlink, link: "l/../y"}},
		{"a link to nowhere", thing{name: "d/x", kind: tar.TypeSymlink, link: ""}},
		{"a pipe", thing{name: "d/x", kind: tar.TypeFifo}},
	} {
		t.Run(c.why, func(t *testing.T) {
			each(t, []thing{c.thing, {name: "a", content: "b", mode: 0o644}}, func(t *testing.T, kind string, data []byte) {
				var skipped []string
				got, err := list(context.Background(), kind, data, archive.Options{Skipped: func(p string) { skipped = append(skipped, p) }})
				require.NoError(t, err)
				require.Equal(t, []string{"-rw-r--r-- a b"}, got)
				require.Equal(t, []string{"d/x"}, skipped)
			})
		})
	}
	data := tarOf(t, thing{name: "pax_global_header", kind: tar.TypeXGlobalHeader}, thing{name: "h", kind: tar.TypeLink, link: "a"}, thing{name: "a", content: "b"})
	got, err := list(context.Background(), "tar", data, archive.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"-rw-r--r-- a b"}, got, "a hard link is left out, a header is no entry")
}

func TestLimits(t *testing.T) {
	files := []thing{{name: "a", content: strings.Repeat("x", 1000)}, {name: "b", content: strings.Repeat("y", 1000)}}
	for _, c := range []struct {
		why    string
		limits archive.Limits
		want   error
	}{
		{"it fits", archive.Limits{Entries: 2, Bytes: 2000, File: 1000}, nil},
		{"too many", archive.Limits{Entries: 1}, archive.ErrTooLarge},
		{"too much", archive.Limits{Bytes: 1999}, archive.ErrTooLarge},
		{"a large file", archive.Limits{File: 999}, archive.ErrTooLarge},
		{"a large archive", archive.Limits{Compressed: 100}, archive.ErrTooLarge},
	} {
		t.Run(c.why, func(t *testing.T) {
			each(t, files, func(t *testing.T, kind string, data []byte) {
				_, err := list(context.Background(), kind, data, archive.Options{Limits: c.limits})
				require.ErrorIs(t, err, c.want)
			})
		})
	}
}

// zeros is a file that compresses a thousandfold.
func zeros(n int) thing { return thing{name: "zeros", content: strings.Repeat("\x00", n)} }

func TestBombs(t *testing.T) {
	each(t, []thing{zeros(20 << 20)}, func(t *testing.T, kind string, data []byte) {
		_, err := list(context.Background(), kind, data, archive.Options{})
		if kind == "tar" {
			require.NoError(t, err, "not compressed, so as large as it seems")
			return
		}
		require.ErrorIs(t, err, archive.ErrTooLarge)
	})
	t.Run("sparse", func(t *testing.T) {
		// A tar header that promises a terabyte.
		header := tarOf(t, thing{name: "a", content: "x"})
		copy(header[124:136], "\x80\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00")
		sum := 0
		copy(header[148:156], "        ")
		for _, c := range header[:512] {
			sum += int(c)
		}
		copy(header[148:156], fmt.Sprintf("%06o\x00 ", sum))
		_, err := list(context.Background(), "tar", header, archive.Options{})
		require.ErrorIs(t, err, archive.ErrTooLarge)
	})
}

func TestBroken(t *testing.T) {
	each(t, repository, func(t *testing.T, kind string, data []byte) {
		for _, n := range []int{0, 1, 10, len(data) / 2, len(data) - 1100} {
			if n < 0 || n >= len(data) {
				continue
			}
			_, err := list(context.Background(), kind, data[:n], archive.Options{})
			require.Error(t, err, "cut after %d bytes", n)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		because := errors.New("enough")
		cancel(because)
		_, err := list(ctx, kind, data, archive.Options{})
		require.ErrorIs(t, err, because)
	})
	_, err := list(context.Background(), "tar.gz", []byte("<html>an error page</html>"), archive.Options{})
	require.ErrorIs(t, err, archive.ErrFormat)
	packed := gzipOf(t, tarOf(t, repository...))
	packed[len(packed)-6] ^= 1
	_, err = list(context.Background(), "tar.gz", packed, archive.Options{})
	require.ErrorIs(t, err, archive.ErrFormat, "the checksum is wrong")
}

func TestYieldEnds(t *testing.T) {
	each(t, repository, func(t *testing.T, kind string, data []byte) {
		enough, n := errors.New("enough"), 0
		yield := func(archive.Entry) error { n++; return enough }
		var err error
		if kind == "zip" {
			dir := t.TempDir()
			err = archive.Zip(context.Background(), bytes.NewReader(data), dir, archive.Options{}, yield)
			left, readErr := os.ReadDir(dir)
			require.NoError(t, readErr)
			require.Empty(t, left, "the temporary file is gone")
		} else {
			err = archive.Tar(context.Background(), bytes.NewReader(data), archive.Options{}, yield)
		}
		require.ErrorIs(t, err, enough)
		require.Equal(t, 1, n)
	})
}

// large streams an archive of n files of 100 kB that hardly compress.
func large(n int) io.ReadCloser {
	r, w := io.Pipe()
	go func() {
		packed, err := gzip.NewWriterLevel(w, gzip.NoCompression)
		if err != nil {
			w.CloseWithError(err)
			return
		}
		archive := tar.NewWriter(packed)
		content := make([]byte, 100_000)
		rand.NewChaCha8([32]byte{1}).Read(content)
		for i := range n {
			err = errors.Join(err, archive.WriteHeader(&tar.Header{Name: fmt.Sprintf("root/%d/file", i), Mode: 0o644, Size: int64(len(content))}))
			_, writeErr := archive.Write(content)
			if err = errors.Join(err, writeErr); err != nil {
				break
			}
		}
		w.CloseWithError(errors.Join(err, archive.Close(), packed.Close()))
	}()
	return r
}

// TestMemory lets 200 MB pass and looks at the heap on the way.
func TestMemory(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	r := large(2000)
	defer r.Close()
	before, most, files, total := heap(), uint64(0), 0, int64(0)
	err := archive.Tar(context.Background(), r, archive.Options{Strip: 1}, func(e archive.Entry) error {
		n, err := io.Copy(io.Discard, e.Content)
		total += n
		if files++; files%200 == 0 {
			most = max(most, heap())
		}
		return err
	})
	require.NoError(t, err)
	require.EqualValues(t, 200_000_000, total)
	require.Less(t, most, before+2<<20, "at most 2 MiB more than before")
	t.Logf("200 MB in %d files: the heap grew by %d kB at most", files, (int64(most)-int64(before))/1000)
}

func BenchmarkTar(b *testing.B) {
	for b.Loop() {
		r := large(2000)
		err := archive.Tar(context.Background(), r, archive.Options{Strip: 1}, func(e archive.Entry) error {
			_, err := io.Copy(io.Discard, e.Content)
			return err
		})
		require.NoError(b, errors.Join(err, r.Close()))
	}
	b.SetBytes(200_000_000)
}

func FuzzArchives(f *testing.F) {
	f.Add(tarOf(f, repository...))
	f.Add(gzipOf(f, tarOf(f, repository...)))
	f.Add(zipOf(f, repository...))
	f.Add(tarOf(f, thing{name: "l", kind: tar.TypeSymlink, link: "d/.."}, thing{name: "l/../x", content: "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []string{"tar", "zip"} {
			links := map[string]bool{}
			yield := func(e archive.Entry) error {
				if !fs.ValidPath(e.Path) || e.Path == "." {
					t.Fatalf("path %q", e.Path)
				}
				for i := range e.Path {
					if e.Path[i] == '/' && links[e.Path[:i]] {
						t.Fatalf("%q is behind a link", e.Path)
					}
				}
				if e.Mode.Type() == fs.ModeSymlink {
					links[e.Path] = true
				}
				_, err := io.Copy(io.Discard, e.Content)
				return err
			}
			o := archive.Options{Limits: archive.Limits{Bytes: 1 << 20, Entries: 100}}
			if kind == "zip" {
				archive.Zip(context.Background(), bytes.NewReader(data), t.TempDir(), o, yield)
			} else {
				archive.Tar(context.Background(), bytes.NewReader(data), o, yield)
			}
		}
	})
}
