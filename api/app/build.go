package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/api/app/bundle"
	"github.com/klauspost/compress/gzip"
)

// A Build holds the files of a built portal.
type Build interface {
	// File returns a file by its path below the root, which is valid for
	// io/fs and has no part that begins with a dot. A folder is no file.
	File(name string) (File, bool)
	// Names yields the paths of all files.
	Names(yield func(string) bool)
}

// A File is one file of a build, ready to be sent.
type File struct {
	// Tag differs for files that differ. Modified may be zero.
	Tag      string
	Modified time.Time
	Size     int64
	// GzipSize is the size of the gzip form; 0 if there is none.
	GzipSize int64
	// WriteGzip writes the gzip form.
	WriteGzip func(io.Writer) error
	// Open returns the content as it is.
	Open func() (io.ReadCloser, error)
}

// bundled is a build in a bundle.
type bundled struct{ *bundle.Bundle }

// Bundled returns the build in a bundle.
func Bundled(b *bundle.Bundle) Build { return bundled{b} }

// File returns a file.
func (b bundled) File(name string) (File, bool) {
	f, ok := b.Bundle.File(name)
	if !ok {
		return File{}, false
	}
	out := File{Tag: f.Tag, Size: f.Size, Open: func() (io.ReadCloser, error) { return f.Open(), nil }}
	if size, ok := f.GzipSize(); ok {
		out.GzipSize, out.WriteGzip = size, f.WriteGzip
	}
	return out, true
}

const (
	// largestCompressed is the largest file of a folder, in bytes, that is
	// compressed and kept so.
	largestCompressed = 8 << 20
	// mostCompressed bounds the compressed bytes that are kept.
	mostCompressed = 64 << 20
)

// A Folder is a build in a folder. Each file is compressed when it is first
// asked for, and again when it has changed.
type Folder struct {
	root *os.Root

	mu         sync.Mutex
	compressed map[string]*compressedFile
	bytes      int
}

type compressedFile struct {
	tag  string
	done sync.Once
	gzip []byte // nil if it is not worth it
}

// OpenFolder opens a folder. Nothing outside of it is ever read, links that
// lead there included. The caller closes it.
func OpenFolder(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root: root, compressed: map[string]*compressedFile{}}, nil
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// File returns a file.
func (f *Folder) File(name string) (File, bool) {
	info, err := f.root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return File{}, false
	}
	out := File{
		Tag:      strconv.FormatInt(info.Size(), 16) + "-" + strconv.FormatInt(info.ModTime().UnixMilli(), 16),
		Modified: info.ModTime(), Size: info.Size(),
		Open: func() (io.ReadCloser, error) { return f.root.Open(name) },
	}
	if z := f.gzip(name, out); z != nil {
		out.GzipSize = int64(len(z))
		out.WriteGzip = func(w io.Writer) error { _, err := w.Write(z); return err }
	}
	return out, true
}

// gzip returns the compressed form of a file, nil if it has none.
func (f *Folder) gzip(name string, file File) []byte {
	if file.Size < 1024 || file.Size > largestCompressed || !compressible(name) {
		return nil
	}
	f.mu.Lock()
	entry := f.compressed[name]
	if entry == nil || entry.tag != file.Tag {
		if entry != nil {
			f.bytes -= len(entry.gzip)
		}
		if f.bytes >= mostCompressed {
			delete(f.compressed, name)
			f.mu.Unlock()
			return nil
		}
		entry = &compressedFile{tag: file.Tag}
		f.compressed[name] = entry
	}
	f.mu.Unlock()
	entry.done.Do(func() {
		z, err := compress(file)
		if err != nil || len(z) >= int(file.Size) {
			return // it is served as it is, or the reading of it will say what is wrong
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		entry.gzip = z
		if f.compressed[name] == entry {
			f.bytes += len(z)
		}
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	return entry.gzip
}

func compress(file File) ([]byte, error) {
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	n, err := io.Copy(z, io.LimitReader(r, largestCompressed+1))
	if err = errors.Join(err, z.Close()); err != nil {
		return nil, err
	}
	if n != file.Size {
		return nil, fmt.Errorf("the file changed while it was read")
	}
	return b.Bytes(), nil
}

// Names yields the paths of all files whose names do not begin with a dot.
func (f *Folder) Names(yield func(string) bool) {
	_ = fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // what cannot be read is not served either
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Type().IsRegular() && !yield(name):
			return fs.SkipAll
		}
		return nil
	})
}

// contentTypes are those of the files that builds have. The table of the
// operating system is not asked: it may call scripts something else.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8", ".json": "application/json; charset=utf-8", ".map": "application/json; charset=utf-8",
	".txt": "text/plain; charset=utf-8", ".xml": "application/xml; charset=utf-8", ".svg": "image/svg+xml",
	".webmanifest": "application/manifest+json", ".ico": "image/x-icon", ".png": "image/png", ".jpg": "image/jpeg",
	".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif", ".woff": "font/woff",
	".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf", ".eot": "application/vnd.ms-fontobject",
	".wasm": "application/wasm", ".pdf": "application/pdf", ".mp4": "video/mp4", ".webm": "video/webm",
}

func contentType(name string) string {
	if t := contentTypes[strings.ToLower(path.Ext(name))]; t != "" {
		return t
	}
	return "application/octet-stream"
}

// compressible tells whether files of that name get smaller.
func compressible(name string) bool {
	switch t := contentType(name); t {
	case "image/svg+xml", "image/x-icon", "application/wasm", "application/manifest+json", "font/ttf", "font/otf",
		"application/vnd.ms-fontobject":
		return true
	default:
		return strings.Contains(t, "charset=")
	}
}
