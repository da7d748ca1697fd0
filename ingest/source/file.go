package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
)

// maxMatches bounds how many files one pattern may stand for.
const maxMatches = 10_000

// readFiles reads the files that a path names, which may be a pattern.
func (r *Reader) readFiles(ctx context.Context, location catalog.LocationRef) (*process.ReadResult, error) {
	matches, err := glob(ctx, location.Target)
	if err != nil {
		return nil, unreadableFile(location, err)
	}
	if len(matches) == 0 {
		return nil, catalog.NewError(catalog.NameNotFound, "file "+location.Target+" does not exist")
	}
	result := &process.ReadResult{}
	for _, name := range matches {
		data, err := readFile(name)
		if err != nil {
			return nil, unreadableFile(location, err)
		}
		at := catalog.LocationRef{Type: "file", Target: name}
		result.Files = append(result.Files, process.File{Location: at, Documents: parse(data, at)})
		if ctx.Err() != nil {
			return nil, unreadableFile(location, context.Cause(ctx))
		}
	}
	return result, nil
}

func unreadableFile(location catalog.LocationRef, err error) error {
	return catalog.NewError(catalog.NameError, fmt.Sprintf("%s %s could not be read, %s", location.Type, location.Target, catalog.Describe(err)))
}

// glob returns the files that a path stands for, in order.
func glob(ctx context.Context, path string) ([]string, error) {
	if info, err := os.Stat(path); err == nil {
		if info.IsDir() {
			return nil, errors.New("it is a folder: use the type directory, or a pattern such as " + filepath.Join(path, "**", "*.yaml"))
		}
		return []string{filepath.Clean(path)}, nil
	}
	if !strings.ContainsAny(path, "*?[{") {
		return nil, nil
	}
	if !doublestar.ValidatePathPattern(path) {
		return nil, fmt.Errorf("%q is not a glob pattern", path)
	}
	base, pattern := doublestar.SplitPattern(filepath.ToSlash(path))
	var out []string
	err := doublestar.GlobWalk(os.DirFS(base), pattern, func(match string, d fs.DirEntry) error {
		if len(out) == maxMatches {
			return fmt.Errorf("it stands for more than %d files", maxMatches)
		}
		if !d.IsDir() {
			out = append(out, filepath.Join(base, filepath.FromSlash(match)))
		}
		return ctx.Err()
	}, doublestar.WithNoFollow())
	slices.Sort(out)
	return out, err
}

// readFile reads a regular file of bounded size.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	data, err := readBounded(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}
