package offline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
)

// MaxFileBytes bounds a file that is read.
const MaxFileBytes = 10 << 20

// maxMatches bounds how many files a pattern may stand for.
const maxMatches = 10_000

// unread stands for the content of what is not read. It is a text that is not
// empty, and one document of JSON and YAML.
var unread = []byte("{}\n")

// A reader stands in for the network: it reads from the disk what lies beside
// the file that is checked, and keeps note of everything else.
type reader struct {
	mu    sync.Mutex
	notes []string // what was not read
	found []string // files that Locations lead to
}

var _ process.Reader = (*reader)(nil)

// begin forgets what the file before has led to.
func (r *reader) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found, r.notes = nil, nil
}

// taken returns files and notes in order: targets are read at the same time.
func (r *reader) taken() (found, notes []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.found)
	slices.Sort(r.notes)
	return r.found, r.notes
}

// fileURL returns the URL under which the pipeline knows a file.
func fileURL(path string) string {
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return u.String()
}

func filePath(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "file" {
		return "", false
	}
	return filepath.FromSlash(u.Path), true
}

var scheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

// ResolveURL resolves what the file at base names.
func (r *reader) ResolveURL(target, base string) (string, error) {
	if scheme.MatchString(target) {
		return target, nil
	}
	from, ok := filePath(base)
	if !ok {
		return "", fmt.Errorf("invalid URL: %s", base)
	}
	if strings.HasPrefix(target, "/") {
		return fileURL(filepath.Join(repositoryRoot(from), filepath.FromSlash(target))), nil
	}
	return fileURL(filepath.Join(filepath.Dir(from), filepath.FromSlash(target))), nil
}

// repositoryRoot returns the nearest folder above a file that is the root of a
// Git repository, or else the folder of the file.
func repositoryRoot(path string) string {
	own := filepath.Dir(path)
	for dir := own; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return own
		}
	}
}

// ReadLocation notes which files a Location leads to. It returns none of their
// documents: they are checked as files of their own, with their own lines.
func (r *reader) ReadLocation(ctx context.Context, request process.ReadRequest) (*process.ReadResult, error) {
	path, local := filePath(request.Location.Target)
	if !local {
		r.note(request.Location.Target)
		return placeholderResult(request.Location), nil
	}
	matches, err := glob(ctx, path)
	if err != nil {
		return nil, err
	}
	if len(matches) == 0 {
		return nil, catalog.NewError(catalog.NameNotFound, "Unable to read url, no matching files found for "+path)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = append(r.found, matches...)
	return placeholderResult(request.Location), nil
}

func placeholderResult(l catalog.LocationRef) *process.ReadResult {
	return &process.ReadResult{Files: []process.File{{Location: l}}}
}

func glob(ctx context.Context, path string) ([]string, error) {
	if !strings.ContainsAny(path, "*?[{") {
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return nil, nil //nolint:nilerr // what cannot be seen is not there
		}
		return []string{path}, nil
	}
	base, pattern := doublestar.SplitPattern(filepath.ToSlash(path))
	var out []string
	err := doublestar.GlobWalk(os.DirFS(base), pattern, func(match string, d fs.DirEntry) error {
		if len(out) == maxMatches {
			return fmt.Errorf("%s stands for more than %d files", path, maxMatches)
		}
		if !d.IsDir() {
			out = append(out, filepath.Join(base, filepath.FromSlash(match)))
		}
		return ctx.Err()
	})
	slices.Sort(out)
	return out, err
}

// ReadURL reads a file that a placeholder names.
func (r *reader) ReadURL(_ context.Context, target string) ([]byte, error) {
	path, local := filePath(target)
	if !local {
		r.note(target)
		return unread, nil
	}
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, catalog.NewError(catalog.NameNotFound, path+" does not exist")
	}
	return data, err
}

func (r *reader) note(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if note := target + " was not read"; !slices.Contains(r.notes, note) {
		r.notes = append(r.notes, note)
	}
}

// SourceURLs knows no Git host.
func (r *reader) SourceURLs(string) (edit, folder string, ok bool) { return "", "", false }

// SameRepository knows no repository.
func (r *reader) SameRepository(string, string) (same, known bool) { return false, false }

// readFile reads a regular file of bounded size.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, MaxFileBytes)
	}
	return data, nil
}
