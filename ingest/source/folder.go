package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/ingest/descriptor"
)

// Bounds on a folder.
const (
	maxFolderFiles = 100_000 // YAML files below it
	maxFolderDepth = 64
)

// readFolder emits a Location for every descriptor file below a folder, so that
// a broken file keeps no other one out, and a changed file is read alone. The
// location of one such file has the path of that file as its target.
func (r *Reader) readFolder(ctx context.Context, location catalog.LocationRef) (*process.ReadResult, error) {
	info, err := os.Stat(location.Target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, catalog.NewError(catalog.NameNotFound, "directory "+location.Target+" does not exist")
	case err != nil:
		return nil, unreadableFile(location, err)
	case info.Mode().IsRegular():
		return r.readFolderFile(location)
	case !info.IsDir():
		return nil, unreadableFile(location, fmt.Errorf("it is neither a folder nor a file"))
	}
	files, err := r.descriptorsBelow(ctx, location.Target)
	if err != nil {
		return nil, unreadableFile(location, err)
	}
	documents := make([]process.Document, len(files))
	for i, name := range files {
		at := catalog.LocationRef{Type: "directory", Target: name}
		documents[i] = process.Document{Entity: catalog.LocationEntity(at, "", at.String(), location.String()), Line: 1}
	}
	return &process.ReadResult{Files: []process.File{{Location: location, Documents: documents}}}, nil
}

// readFolderFile reads the descriptors of one file, and passes over documents
// that are none: a folder holds other YAML too.
func (r *Reader) readFolderFile(location catalog.LocationRef) (*process.ReadResult, error) {
	data, err := readFile(location.Target)
	if err != nil {
		return nil, unreadableFile(location, err)
	}
	at := catalog.LocationRef{Type: "file", Target: location.Target}
	var documents []process.Document
	for _, d := range parse(data, at) {
		if d.Err != nil || r.isDescriptor(d.Entity) {
			documents = append(documents, d)
		}
	}
	return &process.ReadResult{Files: []process.File{{Location: at, Documents: documents}}}, nil
}

func (r *Reader) isDescriptor(e catalog.Entity) bool {
	return descriptor.Looks(e, r.known) && !descriptor.Skeleton(e)
}

// descriptorsBelow returns the files below a folder that hold descriptors, in
// order. Links to folders are not followed, and links to files only where those
// lie below the folder too.
func (r *Reader) descriptorsBelow(ctx context.Context, root string) ([]string, error) {
	var out []string
	seen := 0
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == root:
			return err
		case err != nil:
			return nil // a folder that may not be seen holds nothing for us
		case d.IsDir() && name != root && passedOver(root, name):
			return fs.SkipDir
		case d.IsDir() || !isYAML(name):
			return ctx.Err()
		}
		if seen++; seen > maxFolderFiles {
			return fmt.Errorf("there are more than %d YAML files below it", maxFolderFiles)
		}
		if info, ok := regular(root, name, d); ok && r.holdsDescriptors(name, info) {
			out = append(out, name)
		}
		return ctx.Err()
	})
	return out, err
}

// regular returns what is known of a regular file, or of the one below root
// that a link leads to.
func regular(root, name string, d fs.DirEntry) (fs.FileInfo, bool) {
	if d.Type().IsRegular() {
		info, err := d.Info()
		return info, err == nil
	}
	if d.Type()&fs.ModeSymlink == 0 {
		return nil, false
	}
	within, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, false
	}
	to, err := filepath.EvalSymlinks(name)
	if err != nil || !strings.HasPrefix(to, within+string(filepath.Separator)) {
		return nil, false
	}
	info, err := os.Stat(to)
	return info, err == nil && info.Mode().IsRegular()
}

// passedOver tells whether a folder is one in which nobody keeps descriptors.
// What begins with two dots are the versions behind the links of a mounted
// Kubernetes volume.
func passedOver(root, name string) bool {
	base := filepath.Base(name)
	rel, err := filepath.Rel(root, name)
	tooDeep := err != nil || strings.Count(rel, string(filepath.Separator)) >= maxFolderDepth
	return tooDeep || base == "node_modules" || base == ".git" || strings.HasPrefix(base, "..")
}

func isYAML(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		return true
	}
	return false
}

// ours matches text that means to be a descriptor, for files that are broken.
var ours = regexp.MustCompile(`(?m)^\s*["']?apiVersion["']?\s*:\s*["']?[a-z.]*backstage\.io/`)

// holdsDescriptors tells whether a file holds a descriptor, be it a broken one.
// A file that cannot be read counts, so that somebody is told.
func (r *Reader) holdsDescriptors(name string, info fs.FileInfo) bool {
	mark := fileMark{info.Size(), info.ModTime()}
	if holds, known := r.folders.get(name, mark); known {
		return holds
	}
	data, err := readFile(name)
	if err != nil {
		return true
	}
	holds := false
	if looked := strings.Contains(string(data), "apiVersion"); looked {
		for _, d := range parse(data, catalog.LocationRef{Type: "file", Target: name}) {
			if d.Err != nil && ours.Match(data) || d.Err == nil && r.isDescriptor(d.Entity) {
				holds = true
				break
			}
		}
	}
	r.folders.put(name, mark, holds)
	return holds
}

// A folderCache remembers which files hold descriptors, by what the file
// system says of them.
type folderCache struct {
	mu    sync.Mutex
	files map[string]folderFile
}

type fileMark struct {
	size    int64
	changed time.Time
}

type folderFile struct {
	mark  fileMark
	holds bool
}

func newFolderCache() *folderCache { return &folderCache{files: map[string]folderFile{}} }

func (c *folderCache) get(name string, mark fileMark) (holds, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.files[name]
	return f.holds, ok && f.mark == mark
}

func (c *folderCache) put(name string, mark fileMark, holds bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.files) >= maxFolderFiles {
		clear(c.files)
	}
	c.files[name] = folderFile{mark, holds}
}
