package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog"
)

// readsAtOnce is how many targets of one Location are read at the same time.
const readsAtOnce = 8

// A reading is what became of one target.
type reading struct {
	location catalog.LocationRef
	result   *ReadResult
	kept     *cachedTarget // for the next run
	err      error
}

// readTargets emits what the targets of a Location hold, in their order. What
// is wrong with one of them is collected; the others are read all the same, so
// that all is said at once.
func (p *Pipeline) readTargets(ctx context.Context, r *run) {
	kind := r.entity.Spec().String("type")
	if kind == "" {
		kind = r.location.Type
	}
	targets := targetsOf(r.entity)
	readings := make([]reading, len(targets))
	var group sync.WaitGroup
	slots := make(chan struct{}, readsAtOnce)
	for i, target := range targets {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			readings[i] = p.readTarget(ctx, r, kind, target)
		})
	}
	group.Wait()
	optional := r.entity.Spec().String("presence") == "optional"
	for _, t := range readings {
		p.take(r, t, optional)
	}
}

func targetsOf(location catalog.Entity) []string {
	return append(texts(location.Spec(), "target"), texts(location.Spec(), "targets")...)
}

// take emits what a reading brought, or collects its error.
func (p *Pipeline) take(r *run, t reading, optional bool) {
	r.keys = append(r.keys, keysOf(t)...)
	if t.err != nil {
		if !optional || !errors.Is(t.err, catalog.ErrNotFound) {
			r.errors = append(r.errors, t.err)
		}
		return
	}
	if t.kept != nil {
		r.kept = append(r.kept, *t.kept)
	}
	for _, file := range t.result.Files {
		for _, d := range file.Documents {
			p.emit(r, file.Location, d)
		}
	}
}

// keysOf returns under which keys a change of the source is reported, be it
// one that could not be read.
func keysOf(t reading) []string {
	if t.location.Target == "" {
		return nil
	}
	keys := []string{t.location.String()}
	if t.result == nil {
		return keys
	}
	keys = append(keys, t.result.RefreshKeys...)
	if t.location.Type != "url" {
		for _, file := range t.result.Files {
			keys = append(keys, file.Location.String())
		}
	}
	return keys
}

// readTarget reads one target. It changes nothing in r, of which several
// targets are read at once.
func (p *Pipeline) readTarget(ctx context.Context, r *run, kind, target string) reading {
	if kind == "file" && strings.HasSuffix(target, string(filepath.Separator)) {
		return reading{err: catalog.NewError(catalog.NameInput, fmt.Sprintf(
			"Processor %s cannot read the location %s:%s, which ends with a path separator", FileReaderProcessor, kind, target))}
	}
	if kind != r.location.Type && !slices.Contains(p.locationTypes, kind) {
		allowed, _ := json.Marshal(p.locationTypes)
		return reading{err: catalog.NewError(catalog.NameInput, "Registered locations must be of an allowed type "+string(allowed))}
	}
	location := catalog.LocationRef{Type: kind, Target: p.absolute(r.location, kind, target)}
	if !p.reads(kind) {
		return reading{err: catalog.NewError(catalog.NameInput, "No processor was able to handle reading of "+location.String())}
	}
	return p.read(ctx, r.cache, location)
}

// reads tells whether there is a processor that reads locations of a type.
func (p *Pipeline) reads(kind string) bool {
	switch kind {
	case "url":
		return p.readers[URLReaderProcessor]
	case "file", "directory":
		return p.readers[FileReaderProcessor]
	}
	return false
}

// absolute resolves a target against the location of the entity that names it.
// What cannot be resolved is left for the reader to refuse.
func (p *Pipeline) absolute(base catalog.LocationRef, kind, target string) string {
	switch {
	case base.Type != kind:
	case kind == "url":
		if resolved, err := p.reader.ResolveURL(target, base.Target); err == nil {
			return resolved
		}
	case kind == "file" && strings.HasPrefix(target, "."):
		return filepath.Join(filepath.Dir(base.Target), target)
	}
	return target
}

// read returns what is at a location, from the cache where the source says
// that it is the same.
func (p *Pipeline) read(ctx context.Context, cache *Cache, location catalog.LocationRef) reading {
	request := ReadRequest{Location: location}
	cached := cache.find(location.String())
	if cached != nil {
		request.ETag = cached.etag
	}
	result, err := p.reader.ReadLocation(ctx, request)
	switch {
	case err != nil:
		return reading{location: location, err: err}
	case result.NotModified && cached != nil:
		return reading{location: location, result: cached.result(), kept: cached}
	case result.NotModified:
		return reading{location: location, err: catalog.NewError(catalog.NameError,
			"Unable to read "+location.Type+", the source says that nothing has changed, but nothing was read before")}
	}
	t := reading{location: location, result: result}
	if kept, ok := cacheable(location.String(), result); ok {
		t.kept = &kept
	}
	return t
}

// emit makes a child of a document.
func (p *Pipeline) emit(r *run, at catalog.LocationRef, d Document) {
	err := d.Err
	if err == nil {
		err = envelope(p.kinds, d.Entity)
	}
	if err != nil {
		r.errors = append(r.errors, err)
		return
	}
	entity := d.Entity
	ref := entity.Ref().String()
	if ref == r.ref {
		r.warnings = append(r.warnings, "an entity with the ref of the location that emits it is left out")
		return
	}
	annotations := entity.Metadata().Value("annotations")
	if _, isObject := asObject(annotations); isObject || annotations == nil {
		entity.SetAnnotation(catalog.AnnotationManagedBy, at.String())
		entity.SetAnnotation(catalog.AnnotationManagedByOrigin, r.origin.String())
	}
	r.children = append(r.children, Child{Ref: ref, Entity: entity, LocationKey: at.String()})
}
