package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/catalog/view"
)

// documents opens the stored catalog for views.
type documents struct{ store *boltstore.Store }

// View runs fn on one moment.
func (d documents) View(fn func(view.Moment) error) error {
	return d.store.View(func(tx store.ReadTx) error { return fn(moment{tx}) })
}

type moment struct{ store.ReadTx }

// Document returns the stored JSON of an entity.
func (m moment) Document(uid catalog.UID) []byte {
	doc, _ := m.ReadTx.Document(uid)
	return doc
}

// Parents returns the ref of the entity that emits the one of a ref, as often
// as it does. There is one at most, and none that a provider feeds in.
func (m moment) Parents(ref string) []string {
	s, err := m.State(ref)
	if err != nil || s == nil || s.Parent.Entity == "" {
		return nil
	}
	return slices.Repeat([]string{s.Parent.Entity}, 1+s.Repeats)
}

// reads answers the catalog API from a view.
type reads struct{ *view.View }

var _ catalogapi.Reader = reads{}

func page(p view.Page, err error) (catalogapi.Page, error) { return catalogapi.Page(p), err }

// Entities lists entities.
func (r reads) Entities(ctx context.Context, l catalogapi.Listing) (catalogapi.Page, error) {
	return page(r.View.Entities(ctx, view.Listing{
		Selection: view.Selection(l.Selection), Fields: l.Fields, Limit: l.Limit, Offset: l.Offset,
		After: l.After, Order: l.Order, RawQuery: l.RawQuery,
	}))
}

// Query pages through entities.
func (r reads) Query(ctx context.Context, s catalogapi.Search) (catalogapi.Page, error) {
	return page(r.View.Query(ctx, view.Search{
		Selection: view.Selection(s.Selection), Cursor: s.Cursor, Fields: s.Fields, Limit: s.Limit, Offset: s.Offset,
		OrderField: s.OrderField, Order: s.Order, Term: s.Term, HasTerm: s.HasTerm, TermFields: s.TermFields, NoTotal: s.NoTotal,
	}))
}

// ByRefs looks entities up.
func (r reads) ByRefs(ctx context.Context, l catalogapi.Lookup) (catalogapi.Page, error) {
	return page(r.View.ByRefs(ctx, view.Lookup{Selection: view.Selection(l.Selection), Refs: l.Refs, Fields: l.Fields}))
}

// Facets counts values.
func (r reads) Facets(ctx context.Context, f catalogapi.FacetCount) (catalogapi.Page, error) {
	return page(r.View.Facets(ctx, view.FacetCount{Selection: view.Selection(f.Selection), Facets: f.Facets}))
}

// ByRef returns one entity.
func (r reads) ByRef(ctx context.Context, ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return page(r.View.ByRef(ctx, ref, only))
}

// ByUID returns one entity.
func (r reads) ByUID(ctx context.Context, uid string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return page(r.View.ByUID(ctx, uid, only))
}

// Ancestry returns where an entity comes from.
func (r reads) Ancestry(ctx context.Context, ref string, only *jsonvalue.Object) (catalogapi.Page, error) {
	return page(r.View.Ancestry(ctx, ref, only))
}

// directory finds out what users own.
type directory struct{ view *view.View }

// Ownership returns the user and the groups that it is a member of.
func (d directory) Ownership(ctx context.Context, userEntityRef string) ([]string, error) {
	ref := strings.ToLower(userEntityRef)
	p, err := d.view.ByRef(ctx, ref, nil)
	if err != nil {
		return nil, err
	}
	if p.Body == nil {
		return nil, catalog.NewError(catalog.NameNotFound, "There is no user "+ref+" in the catalog")
	}
	user, err := jsonvalue.ParseObject(p.Body)
	if p.Release != nil {
		p.Release()
	}
	if err != nil {
		return nil, errors.Join(errors.New("stored form of "+ref), err)
	}
	return ownershipOf(catalog.Entity{Object: user}, ref), nil
}

// ownershipOf returns a user and the groups that it is a member of.
func ownershipOf(user catalog.Entity, ref string) []string {
	return signin.Ownership(user.Object, ref)
}

// stats counts for the gauges.
func (p *platform) stats() api.CatalogStats {
	counts := p.view.Counts()
	s := api.CatalogStats{EntitiesByKind: map[string]int{}, Relations: counts.Relations}
	for _, k := range counts.Kinds {
		s.EntitiesByKind[strings.ToLower(k.Value)] += k.Count
	}
	if locations, err := p.engine.Locations(context.Background()); err == nil {
		s.Locations = len(locations)
	}
	return s
}
