package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/searchapi"
	"github.com/greenroom-idp/greenroom/api/techdocs/found"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/search"
)

// searchIndexes are what the search page looks in: entities, and the sections of
// documentation, which followDocs fills.
type searchIndexes struct{ entities, docs *search.Index }

// newSearch returns the search plugin over both types of documents, which the
// search page asks for by name.
func (p *platform) newSearch(decider *permission.Engine) (*searchapi.API, error) {
	p.found = searchIndexes{search.New(), search.New()}
	read := catalogapi.EntityRead()
	return searchapi.New(searchapi.Options{
		Types: []searchapi.DocumentType{
			{Name: search.TypeCatalog, Index: p.found.entities, Visibility: &read},
			{Name: found.Type, Index: p.found.docs, Visibility: &read},
		},
		Permissions:   decider,
		MaxTermLength: p.settings.Search.MaxTermLength, MaxPageLimit: p.settings.Search.MaxPageLimit,
	})
}

// followSearch fills the search index in the background, and keeps it equal to
// the catalog until the platform stops.
func (p *platform) followSearch(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	before := p.stop
	p.stop = func() { cancel(); before() }
	o := search.FollowOptions{
		Store: p.store, Index: p.found.entities, Location: p.settings.Search.Location, Keep: keepFor(p.settings.Search.Filter), Logger: p.log,
	}
	changed, stop := p.engine.Watch()
	p.background.Go(func() error {
		defer stop()
		if err := search.Follow(background, o, changed); err != nil {
			p.log.Error("search does not follow the catalog any more; a restart makes its index anew", slog.Any("error", err))
		}
		return nil
	})
	return nil
}

// keepFor returns which entities a filter of the configuration lets be found,
// nil for all. Keys and values are compared as the catalog's filters do.
func keepFor(filter []map[string][]string) func(catalog.Entity) bool {
	if filter == nil {
		return nil
	}
	return func(entity catalog.Entity) bool {
		rows, err := index.Flatten(entity)
		return err == nil && slices.ContainsFunc(filter, func(set map[string][]string) bool { return holds(set, rows) })
	}
}

// holds tells whether for each key there is a row with one of its values.
func holds(set map[string][]string, rows []index.Row) bool {
	for key, values := range set {
		if !slices.ContainsFunc(rows, func(r index.Row) bool {
			return r.Key == strings.ToLower(key) && (len(values) == 0 ||
				slices.ContainsFunc(values, func(v string) bool { return !r.Null && r.Value == strings.ToLower(v) }))
		}) {
			return false
		}
	}
	return true
}
