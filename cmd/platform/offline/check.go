package offline

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
	"github.com/greenroom-idp/greenroom/ingest/descriptor"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

// A Processor turns an unprocessed entity into a result, as for the server.
type Processor interface {
	Process(ctx context.Context, in process.Input) process.Result
}

// Options say how files are checked.
type Options struct {
	// Processor returns the processor that reads through r. Required.
	Processor func(r process.Reader) (Processor, error)
	// Allowed tells whether an entity may come from a location. nil: any may.
	Allowed func(entity catalog.Entity, origin catalog.LocationRef) bool
	// Skip are glob patterns of paths below a folder that are left out.
	Skip []string
}

// A Checker checks files.
type Checker struct {
	opts      Options
	reader    *reader
	processor Processor
}

// maxFiles bounds the files of one check, those that Locations lead to
// included.
const maxFiles = 100_000

// New returns a Checker.
func New(o Options) (*Checker, error) {
	c := &Checker{opts: o, reader: &reader{}}
	for _, pattern := range o.Skip {
		if !doublestar.ValidatePattern(pattern) {
			return nil, fmt.Errorf("%q is not a glob pattern", pattern)
		}
	}
	var err error
	if c.processor, err = o.Processor(c.reader); err != nil {
		return nil, err
	}
	return c, nil
}

// Check checks files, and every .yaml and .yml file below folders, and then
// those that Locations among them lead to. The error is that of a path that
// cannot be read at all; what is wrong with files is in the report.
func (c *Checker) Check(ctx context.Context, paths []string) (*Report, error) {
	report := &Report{Files: []File{}}
	queue, err := c.find(paths)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		if seen[absolute] {
			continue
		}
		if len(seen) == maxFiles {
			return nil, fmt.Errorf("there are more than %d files to check", maxFiles)
		}
		seen[absolute] = true
		c.reader.begin()
		report.add(c.file(ctx, path, absolute))
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		found, _ := c.reader.taken()
		queue = append(queue, relativeTo(path, absolute, found)...)
	}
	return report, nil
}

// relativeTo spells found files as the file that leads to them was spelled.
func relativeTo(path, absolute string, found []string) []string {
	var out []string
	for _, f := range found {
		if rel, err := filepath.Rel(filepath.Dir(absolute), f); err == nil && !filepath.IsAbs(path) {
			f = filepath.Join(filepath.Dir(path), rel)
		}
		out = append(out, f)
	}
	return out
}

// find returns the files that the paths stand for.
func (c *Checker) find(paths []string) ([]string, error) {
	var out []string
	for _, root := range paths {
		info, err := os.Stat(root)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, root)
			continue
		}
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, _ := filepath.Rel(root, path)
			switch {
			case path != root && c.skipped(rel, d):
				if d.IsDir() {
					return fs.SkipDir
				}
			case !d.IsDir() && isYAML(path):
				out = append(out, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// skipped leaves out what no team keeps descriptors in, and what the options
// say.
func (c *Checker) skipped(rel string, d fs.DirEntry) bool {
	if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
		return true
	}
	return slices.ContainsFunc(c.opts.Skip, func(pattern string) bool {
		return doublestar.MatchUnvalidated(pattern, filepath.ToSlash(rel))
	})
}

func isYAML(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".yaml" || ext == ".yml"
}

// file checks one file.
func (c *Checker) file(ctx context.Context, path, absolute string) File {
	f := File{Path: path, Entities: []Entity{}, Errors: []Fault{}, Notes: []string{}}
	data, err := readFile(absolute)
	if err != nil {
		f.Errors = append(f.Errors, fault(1, "", err))
		return f
	}
	location := catalog.LocationRef{Type: "url", Target: fileURL(absolute)}
	seen := map[string]bool{}
	for i, d := range descriptor.Parse(data, location, yaml.Limits{Bytes: MaxFileBytes}) {
		if d.Err != nil {
			f.Errors = append(f.Errors, fault(errorLine(data, i, d.Line), "", d.Err))
			continue
		}
		c.document(ctx, &f, d, location, seen)
	}
	for i := range f.Errors {
		// Nobody knows the file by the URL that it goes under in here.
		f.Errors[i].Message = strings.ReplaceAll(f.Errors[i].Message, location.Target, path)
	}
	_, notes := c.reader.taken()
	f.Notes = append(f.Notes, notes...)
	return f
}

// document checks one document of a file.
func (c *Checker) document(ctx context.Context, f *File, d process.Document, location catalog.LocationRef, seen map[string]bool) {
	entity := d.Entity
	entity.SetAnnotation(catalog.AnnotationManagedBy, location.String())
	entity.SetAnnotation(catalog.AnnotationManagedByOrigin, location.String())
	ref := entity.Ref().String()
	unread := unreadPlaces(entity)
	result := c.processor.Process(ctx, process.Input{Entity: entity})
	if errs := judged(result.Errors, unread); len(errs) > 0 {
		for _, err := range errs {
			f.Errors = append(f.Errors, fault(d.Line, ref, err))
		}
		return
	}
	f.Entities = append(f.Entities, Entity{d.Line, ref})
	if seen[ref] {
		f.Errors = append(f.Errors, fault(d.Line, ref, catalog.NewError(catalog.NameInput, "Duplicate nested entity: "+ref)))
	}
	seen[ref] = true
	if c.opts.Allowed != nil && !c.opts.Allowed(entity, location) {
		f.Errors = append(f.Errors, fault(d.Line, ref, catalog.NewError(catalog.NameNotAllowed,
			"Entity "+ref+" is not of an allowed kind, see catalog.rules")))
	}
}

func fault(line int, ref string, err error) Fault {
	return Fault{Line: line, Ref: ref, Name: catalog.ErrorName(err), Message: strings.TrimRight(err.Error(), "\n")}
}

// errorLine returns the line that the error of document i is about, or else
// the one that the document starts at.
func errorLine(data []byte, i, start int) int {
	documents := yaml.Parse(data, yaml.Limits{Bytes: MaxFileBytes})
	var syntax *yaml.SyntaxError
	if i < len(documents) && errors.As(documents[i].Err, &syntax) {
		return syntax.Line
	}
	return start
}
