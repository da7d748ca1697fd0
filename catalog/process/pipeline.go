package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/schemas"
)

// Names of the processors that are no kind's, as configuration and errors name
// them. Those of kinds are in package schemas.
const (
	PlaceholderProcessor = "PlaceholderProcessor"
	FileReaderProcessor  = "FileReaderProcessor"
	URLReaderProcessor   = "url-reader"
	AnnotateProcessor    = "AnnotateLocationEntityProcessor"
)

// Options say how a Pipeline works; the zero value of a field means what is
// said beside it.
type Options struct {
	// Reader reads from the outside, and Kinds say what entities look like.
	// Required.
	Reader Reader
	Kinds  *schemas.Set
	// ParseYAML returns the values of all documents that are not null, for
	// placeholders. Required.
	ParseYAML func(data []byte) ([]any, error)
	// Rules say which kinds may come from where; nil: any may.
	Rules *Rules
	// LocationTypes are those that a Location may name besides its own; nil:
	// url alone.
	LocationTypes []string
	// Processors are options by the name of a processor.
	Processors map[string]ProcessorOptions
	// NoDefaultReaders leaves out the processors that read locations and that
	// annotate what was read.
	NoDefaultReaders bool
}

// ProcessorOptions are those of one processor.
type ProcessorOptions struct {
	// Priority decides the order, lower first; 0 is the default, 20.
	Priority int
	Disabled bool
}

const defaultPriority = 20

// A Pipeline processes entities.
type Pipeline struct {
	reader        Reader
	kinds         *schemas.Set
	parseYAML     func([]byte) ([]any, error)
	rules         *Rules
	locationTypes []string
	steps         []step // before the checks, in order
	readers       map[string]bool
	answers       map[string]bool // processors of kinds that are not disabled
}

// A step changes an entity before it is checked.
type step struct {
	processor string
	run       func(p *Pipeline, ctx context.Context, r *run) error
}

// A run is the processing of one entity.
type run struct {
	entity           catalog.Entity
	ref              string // canonical, as it was before the run
	location, origin catalog.LocationRef
	cache            *Cache

	kind      *schemas.Kind
	children  []Child
	relations []catalog.Relation
	keys      []string
	errors    []error
	warnings  []string
	kept      []cachedTarget
}

// New checks the options.
func New(o Options) (*Pipeline, error) {
	if o.Reader == nil || o.Kinds == nil || o.ParseYAML == nil {
		return nil, errors.New("a pipeline needs a reader, kinds and a parser of YAML")
	}
	p := &Pipeline{
		reader: o.Reader, kinds: o.Kinds, parseYAML: o.ParseYAML, rules: o.Rules, locationTypes: o.LocationTypes,
		readers: map[string]bool{}, answers: map[string]bool{},
	}
	if p.locationTypes == nil {
		p.locationTypes = []string{"url"}
	}
	enabled := func(name string) bool { return !o.Processors[name].Disabled }
	for _, name := range []string{schemas.BuiltinKinds, schemas.Scaffolder, schemas.Model} {
		p.answers[name] = enabled(name)
	}
	for _, name := range []string{FileReaderProcessor, URLReaderProcessor} {
		p.readers[name] = enabled(name) && !o.NoDefaultReaders
	}
	steps := []step{
		{PlaceholderProcessor, (*Pipeline).placeholders},
		{schemas.BuiltinKinds, (*Pipeline).sortReferences},
	}
	if !o.NoDefaultReaders {
		steps = append(steps, step{AnnotateProcessor, (*Pipeline).annotate})
	}
	for _, s := range steps {
		if enabled(s.processor) {
			p.steps = append(p.steps, s)
		}
	}
	slices.SortStableFunc(p.steps, func(a, b step) int {
		return cmp.Compare(priority(o, a.processor), priority(o, b.processor))
	})
	return p, nil
}

func priority(o Options, processor string) int {
	return cmp.Or(o.Processors[processor].Priority, defaultPriority)
}

// Process runs an entity through the pipeline. When ctx ends before it does,
// the result is one that failed.
func (p *Pipeline) Process(ctx context.Context, in Input) Result {
	r := &run{entity: in.Entity, cache: in.Cache}
	if err := p.run(ctx, r); err != nil {
		r.errors = append(r.errors, err)
	}
	if len(r.errors) > 0 {
		return Result{Errors: bounded(r.errors), Warnings: r.warnings, RefreshKeys: r.keys, Cache: in.Cache.keep()}
	}
	result := Result{
		OK: true, Entity: r.entity, Children: r.children, Relations: r.relations,
		RefreshKeys: r.keys, Warnings: r.warnings,
	}
	if len(r.kept) > 0 {
		result.Cache = &Cache{targets: r.kept}
	}
	return result
}

const (
	// maxErrors is how many errors of one run are told apart.
	maxErrors = 100
	// maxErrorBytes is how long the words of one may be.
	maxErrorBytes = 10_000
)

// bounded keeps the first errors, none longer than it may be, and says how many
// more there were: they are stored with the entity and shown with it.
func bounded(errs []error) []error {
	kept := errs[:min(len(errs), maxErrors):min(len(errs), maxErrors)]
	for i, err := range kept {
		if text := err.Error(); len(text) > maxErrorBytes {
			kept[i] = catalog.NewError(catalog.ErrorName(err), strings.ToValidUTF8(text[:maxErrorBytes], "")+"…")
		}
	}
	if len(errs) > maxErrors {
		kept = append(kept, catalog.NewError(catalog.NameError, fmt.Sprintf("There are %d further errors", len(errs)-maxErrors)))
	}
	return kept
}

// run goes through all steps. An error ends the run at once; those that are
// collected in r make it fail at its end.
func (p *Pipeline) run(ctx context.Context, r *run) error {
	if err := p.open(r); err != nil {
		return err
	}
	for _, s := range p.steps {
		if err := s.run(p, ctx, r); err != nil {
			return catalog.WrapError(catalog.NameInput, "Processor "+s.processor+" threw an error while preprocessing", err)
		}
	}
	if err := p.check(r); err != nil {
		return err
	}
	if r.entity.Kind() == "Location" {
		p.readTargets(ctx, r)
	}
	if err := r.relate(); err != nil {
		return catalog.WrapError(catalog.NameInput, "Processor "+r.kind.Processor+" threw an error while postprocessing", err)
	}
	p.checkRules(r)
	return ctx.Err()
}

// open checks the envelope and finds out where the entity comes from.
func (p *Pipeline) open(r *run) error {
	if err := envelope(p.kinds, r.entity); err != nil {
		return err
	}
	r.ref = r.entity.Ref().String()
	for _, a := range []struct {
		annotation string
		to         *catalog.LocationRef
	}{{catalog.AnnotationManagedBy, &r.location}, {catalog.AnnotationManagedByOrigin, &r.origin}} {
		text := r.entity.Annotation(a.annotation)
		if text == "" {
			// Annotations that are no object are the likely reason.
			if err := p.policies(r); err != nil {
				return err
			}
			return catalog.NewError(catalog.NameInput, fmt.Sprintf("Entity %s has no annotation %s", r.ref, a.annotation))
		}
		l, err := catalog.ParseLocationRef(text)
		if err != nil {
			return err
		}
		*a.to = l
	}
	return nil
}

// envelope checks the least that makes an entity.
func envelope(kinds *schemas.Set, e catalog.Entity) error {
	whole := e.APIVersion() != "" && e.Kind() != "" && e.Name() != ""
	if whole && (!e.Metadata().Has("namespace") || e.Metadata().String("namespace") != "") {
		return nil
	}
	if v := kinds.Envelope(plain(e), keyOrder(e.Object)); v != nil {
		return &catalog.Error{Name: catalog.NameTypeError, Message: v.Error()}
	}
	return nil
}

// checkRules refuses children of kinds that may not come from the origin.
func (p *Pipeline) checkRules(r *run) {
	if p.rules == nil {
		return
	}
	for _, c := range r.children {
		if !p.rules.Allows(c.Entity, r.origin) {
			r.errors = append(r.errors, catalog.NewError(catalog.NameNotAllowed, fmt.Sprintf(
				"Entity %s at %s, originated at %s, is not of an allowed kind for that location", c.Ref, c.LocationKey, r.origin)))
		}
	}
}

// Validate processes a copy of an entity as if it had been read from a
// location, unless it names one itself, and returns what is wrong with it.
// Nothing is stored; a Location's targets are read.
func (p *Pipeline) Validate(ctx context.Context, entity catalog.Entity, locationRef string) []error {
	if err := envelope(p.kinds, entity); err != nil {
		return []error{err}
	}
	entity = entity.Clone()
	for _, annotation := range []string{catalog.AnnotationManagedBy, catalog.AnnotationManagedByOrigin} {
		annotations := entity.Metadata().Value("annotations")
		if _, isObject := asObject(annotations); annotations != nil && !isObject {
			break // what is wrong is found by the checks
		}
		if entity.Annotation(annotation) == "" {
			entity.SetAnnotation(annotation, locationRef)
		}
	}
	return p.Process(ctx, Input{Entity: entity}).Errors
}
