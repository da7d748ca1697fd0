package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Kind says what happened to a file or a repository.
type Kind string

// The kinds of events. Those of repositories concern all that is below their
// URLs.
const (
	FileChanged       Kind = "location.updated"
	FileDeleted       Kind = "location.deleted"
	FileMoved         Kind = "location.moved"
	RepositoryChanged Kind = "repository.updated"
	RepositoryDeleted Kind = "repository.deleted"
	RepositoryMoved   Kind = "repository.moved"
)

// An Event is something that happened in the source control of some host.
type Event struct {
	Kind Kind
	// URLs are those of the file or the repository, one for each form that the
	// host has, without a slash at the end. Moved are where they are now, in
	// the same order, for the kinds that move.
	URLs, Moved []string
}

// Effects say which events have which effect.
type Effects struct {
	// Refresh processes again what came from a file or repository that
	// changed.
	Refresh bool
	// Unregister removes registered locations whose file or repository is gone.
	Unregister bool
	// Move gives registered locations the new URL of their file or repository.
	Move bool
}

// A Catalog is what events act upon.
type Catalog interface {
	// RefreshKeys processes again the entities that hold one of the keys.
	RefreshKeys(ctx context.Context, keys []string) error
	// RefreshFrom processes again, with the Locations that they come from, the
	// entities that were read from one of the URLs, or with below from anything
	// below one.
	RefreshFrom(ctx context.Context, urls []string, below bool) error
	// Locations returns all registered locations.
	Locations(ctx context.Context) ([]catalog.Location, error)
	UpdateLocation(ctx context.Context, id string, to catalog.LocationRef) (catalog.Location, error)
	DeleteLocation(ctx context.Context, id string) error
}

// SCM gives events of source control their effects.
type SCM struct {
	catalog Catalog
	effects Effects
	events  *prometheus.CounterVec
}

// NewSCM returns what gives events the effects that are asked for. The metrics
// go to r unless it is nil.
func NewSCM(c Catalog, e Effects, r prometheus.Registerer) *SCM {
	s := &SCM{catalog: c, effects: e, events: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "catalog_events_scm_messages", Help: "Events of source control that webhooks brought, by type.",
	}, []string{"eventType"})}
	if r != nil {
		r.MustRegister(s.events)
	}
	return s
}

// Off tells that no event has any effect, so that nobody needs to find out
// about them.
func (s *SCM) Off() bool { return s.effects == Effects{} }

// Moves tells whether it matters where files have gone.
func (s *SCM) Moves() bool { return s.effects.Move }

// Apply gives events their effects. It may be called again with the same
// events.
func (s *SCM) Apply(ctx context.Context, events []Event) error {
	var errs []error
	for _, e := range events {
		s.events.WithLabelValues(string(e.Kind)).Inc()
		if err := s.apply(ctx, e); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.Kind, err))
		}
	}
	return errors.Join(errs...)
}

func (s *SCM) apply(ctx context.Context, e Event) error {
	switch e.Kind {
	case FileChanged:
		return s.refresh(ctx, e.URLs, false)
	case RepositoryChanged:
		return s.refresh(ctx, e.URLs, true)
	case FileDeleted:
		return errors.Join(s.unregister(ctx, e.URLs, false), s.refresh(ctx, e.URLs, false))
	case RepositoryDeleted:
		return errors.Join(s.unregister(ctx, e.URLs, true), s.refresh(ctx, e.URLs, true))
	case FileMoved:
		return errors.Join(s.move(ctx, e, false), s.refresh(ctx, e.URLs, false))
	case RepositoryMoved:
		return s.move(ctx, e, true)
	}
	return nil
}

func (s *SCM) refresh(ctx context.Context, urls []string, below bool) error {
	if !s.effects.Refresh {
		return nil
	}
	keys := make([]string, len(urls))
	for i, u := range urls {
		keys[i] = "url:" + u
	}
	if err := s.catalog.RefreshKeys(ctx, keys); err != nil {
		return err
	}
	return s.catalog.RefreshFrom(ctx, urls, below)
}

// unregister removes the registered locations at, or below, the URLs.
func (s *SCM) unregister(ctx context.Context, urls []string, below bool) error {
	if !s.effects.Unregister {
		return nil
	}
	return s.each(ctx, urls, below, func(l catalog.Location, _ int, _ string) error {
		return ignoreMissing(s.catalog.DeleteLocation(ctx, l.ID))
	})
}

// move gives registered locations their new URLs. One that is registered there
// already is not needed twice.
func (s *SCM) move(ctx context.Context, e Event, below bool) error {
	if !s.effects.Move || len(e.Moved) != len(e.URLs) {
		return nil
	}
	return s.each(ctx, e.URLs, below, func(l catalog.Location, i int, rest string) error {
		_, err := s.catalog.UpdateLocation(ctx, l.ID, catalog.LocationRef{Type: l.Type, Target: e.Moved[i] + rest})
		if errors.Is(err, catalog.ErrConflict) {
			err = s.catalog.DeleteLocation(ctx, l.ID)
		}
		return ignoreMissing(err)
	})
}

// each calls fn for every registered location at, or below, one of the URLs,
// with which URL it is and what of the target comes after it.
func (s *SCM) each(ctx context.Context, urls []string, below bool, fn func(l catalog.Location, i int, rest string) error) error {
	locations, err := s.catalog.Locations(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, l := range locations {
		if l.Type != "url" {
			continue
		}
		i := slices.IndexFunc(urls, func(u string) bool { return l.Target == u || below && Below(l.Target, u) })
		if i < 0 {
			continue
		}
		if err := fn(l, i, strings.TrimPrefix(l.Target, urls[i])); err != nil {
			errs = append(errs, fmt.Errorf("location %s: %w", l.Ref(), err))
		}
	}
	return errors.Join(errs...)
}

// Below tells whether a URL is deeper than another.
func Below(u, above string) bool {
	rest, ok := strings.CutPrefix(u, above)
	return ok && strings.HasPrefix(rest, "/")
}

func ignoreMissing(err error) error {
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	return err
}

// A FileChange is what a series of commits did to one path.
type FileChange struct {
	Path string
	Kind Kind // FileChanged, FileDeleted, or FileAdded
}

// FileAdded is the kind of a path that was not there before. It has no effect
// on the catalog as a whole.
const FileAdded Kind = "location.created"

// A Commit is what one commit did.
type Commit struct{ Added, Modified, Removed []string }

// Net returns what commits did together, in order of the paths: a file that
// was added and removed again has not changed at all.
func Net(commits []Commit) []FileChange {
	type state struct{ before, now bool }
	files := map[string]*state{}
	note := func(path string, before, now bool) {
		if s := files[path]; s != nil {
			s.now = now
			return
		}
		files[path] = &state{before, now}
	}
	for _, c := range commits {
		for _, p := range c.Removed {
			note(p, true, false)
		}
		for _, p := range c.Added {
			note(p, false, true)
		}
		for _, p := range c.Modified {
			note(p, true, true)
		}
	}
	var out []FileChange
	for path, s := range files {
		switch {
		case s.before && s.now:
			out = append(out, FileChange{path, FileChanged})
		case s.before:
			out = append(out, FileChange{path, FileDeleted})
		case s.now:
			out = append(out, FileChange{path, FileAdded})
		}
	}
	slices.SortFunc(out, func(a, b FileChange) int { return strings.Compare(a.Path, b.Path) })
	return out
}
