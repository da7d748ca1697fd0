package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

// An Entry is a file, a folder or a symbolic link. Folders come before what is
// in them if the archive has entries for them, which it need not.
type Entry struct {
	// Path is relative to the root, clean, with slashes.
	Path string
	// Mode has the type, and 0o755 or 0o644 as permissions.
	Mode fs.FileMode
	// Link is where a symbolic link leads: a relative path inside of the tree.
	Link string
	// Size is that of Content, which is empty but for files.
	Size    int64
	Content io.Reader
}

// Options say what is read of an archive.
type Options struct {
	// Strip is how many leading segments of paths are dropped. Entries that
	// have no more than those are left out.
	Strip int
	// Below is the folder, after stripping, that becomes the root; "" is all.
	// It may be a file, which is then the only entry, with its base name.
	Below  string
	Limits Limits
	// Skipped is told the paths of what is left out: links that lead out,
	// devices and the like, and names that are not UTF-8; nil: nobody is told.
	Skipped func(path string)
}

// Limits bound an archive; zero values mean what is said beside them.
type Limits struct {
	Entries int   // 100,000
	Bytes   int64 // of all files together; 1 GiB
	File    int64 // of one file; 256 MiB
	// Compressed is how large the archive itself may be; 512 MiB.
	Compressed int64
	// Ratio is how many times larger the content may be than the archive; 200.
	// It is not looked at below 16 MiB.
	Ratio int64
}

const ratioFrom = 16 << 20

func (l Limits) complete() Limits {
	set := func(v *int64, otherwise int64) {
		if *v == 0 {
			*v = otherwise
		}
	}
	if l.Entries == 0 {
		l.Entries = 100_000
	}
	set(&l.Bytes, 1<<30)
	set(&l.File, 256<<20)
	set(&l.Compressed, 512<<20)
	set(&l.Ratio, 200)
	return l
}

var (
	// ErrUnsafe is the error for archives that would write where they must not.
	ErrUnsafe = errors.New("unsafe archive")
	// ErrTooLarge is the error for archives that are over a limit.
	ErrTooLarge = errors.New("archive is too large")
	// ErrFormat is the error for what is no archive, or a broken one.
	ErrFormat = errors.New("not a valid archive")
)

// maxPath bounds the length of a path.
const maxPath = 4096

// A Checker checks the entries of one archive, or of another tree that comes
// from outside. It is for one goroutine.
type Checker struct {
	o       Options
	entries int
	bytes   int64           // declared by the entries so far
	links   map[string]bool // paths of links
}

// NewChecker makes a checker with the limits, root and listener of the options.
func NewChecker(o Options) *Checker {
	o.Limits = o.Limits.complete()
	o.Below = strings.Trim(path.Clean("/"+o.Below), "/")
	return &Checker{o: o, links: map[string]bool{}}
}

// Admit checks an entry as the archive names it. It returns false for those
// that are left out; the path of others is replaced by that below the root, and
// the mode by what is passed on of it.
func (g *Checker) Admit(ctx context.Context, e *Entry) (bool, error) {
	if err := context.Cause(ctx); err != nil {
		return false, err
	}
	if g.entries++; g.entries > g.o.Limits.Entries {
		return false, fmt.Errorf("%w: more than %d entries", ErrTooLarge, g.o.Limits.Entries)
	}
	name, err := checkPath(e.Path)
	if err != nil {
		return false, err
	}
	if err := g.admitSize(name, e.Size); err != nil {
		return false, err
	}
	inside, ok := g.relative(name, e.Mode.IsDir())
	if !ok {
		return false, nil
	}
	if !utf8.ValidString(inside) { // nothing else can name it
		g.skip(inside)
		return false, nil
	}
	e.Path = inside
	return g.admitKind(e)
}

func (g *Checker) admitSize(name string, size int64) error {
	switch g.bytes += max(size, 0); {
	case size < 0 || size > g.o.Limits.File:
		return fmt.Errorf("%w: %.200s is larger than %d bytes", ErrTooLarge, name, g.o.Limits.File)
	case g.bytes > g.o.Limits.Bytes:
		return fmt.Errorf("%w: its files are larger than %d bytes", ErrTooLarge, g.o.Limits.Bytes)
	}
	return nil
}

// checkPath refuses paths that lead out, and cleans others.
func checkPath(name string) (string, error) {
	switch {
	case name == "" || len(name) > maxPath || strings.ContainsAny(name, "\x00\\"):
		return "", fmt.Errorf("%w: %.200q is not a path", ErrUnsafe, name)
	case strings.HasPrefix(name, "/"):
		return "", fmt.Errorf("%w: path %.200q is absolute", ErrUnsafe, name)
	}
	for segment := range strings.SplitSeq(name, "/") {
		if segment == ".." {
			return "", fmt.Errorf("%w: path %.200q leads out", ErrUnsafe, name)
		}
	}
	return path.Clean(name), nil
}

// relative strips a path and makes it relative to the root; false where it is
// not below that, or is the root itself.
func (g *Checker) relative(name string, isDir bool) (string, bool) {
	for range g.o.Strip {
		var ok bool
		if _, name, ok = strings.Cut(name, "/"); !ok {
			return "", false
		}
	}
	switch {
	case name == ".":
		return "", false
	case g.o.Below == "":
		return name, true
	case name == g.o.Below:
		return path.Base(name), !isDir
	}
	return strings.CutPrefix(name, g.o.Below+"/")
}

// admitKind checks what an entry is, and that it is not below a link.
func (g *Checker) admitKind(e *Entry) (bool, error) {
	for parent := path.Dir(e.Path); parent != "."; parent = path.Dir(parent) {
		if g.links[parent] {
			return false, fmt.Errorf("%w: %.200q is behind a link", ErrUnsafe, e.Path)
		}
	}
	switch e.Mode.Type() {
	case 0:
		if g.links[e.Path] {
			return false, fmt.Errorf("%w: %.200q is a link and a file", ErrUnsafe, e.Path)
		}
		e.Mode = 0o644 | e.Mode&0o111
		if e.Mode&0o111 != 0 {
			e.Mode = 0o755
		}
		return true, nil
	case fs.ModeDir:
		e.Mode, e.Size = fs.ModeDir|0o755, 0
		return true, nil
	case fs.ModeSymlink:
		if !staysInside(e.Path, e.Link) {
			g.skip(e.Path)
			return false, nil
		}
		g.links[e.Path] = true
		e.Mode, e.Size = fs.ModeSymlink|0o777, 0
		return true, nil
	}
	g.skip(e.Path)
	return false, nil
}

func (g *Checker) skip(name string) {
	if g.o.Skipped != nil {
		g.o.Skipped(name)
	}
}

// staysInside tells whether a link leads to a place inside of the tree, for
// certain: a target may go up at its beginning only, since behind a name, which
// may be a link itself, up could be anywhere.
func staysInside(name, target string) bool {
	if target == "" || len(target) > maxPath || strings.HasPrefix(target, "/") || strings.ContainsAny(target, "\x00\\") {
		return false
	}
	down, depth := false, strings.Count(name, "/")
	for segment := range strings.SplitSeq(target, "/") {
		switch segment {
		case "", ".":
		case "..":
			if depth--; down || depth < 0 {
				return false
			}
		default:
			down = true
		}
	}
	return true
}

// A meter counts what passes, and fails beyond a limit.
type meter struct {
	r     io.Reader
	n     int64
	check func(n int64) error
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n += int64(n)
	if tooMuch := m.check(m.n); tooMuch != nil {
		return n, tooMuch
	}
	return n, err
}
