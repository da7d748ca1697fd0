package catalogapi

import (
	"context"
	"errors"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// readable returns the predicate that entities must match for the caller to
// read them, nil if there is none. Denied means that the caller reads nothing.
func (a *API) readable(c *gin.Context) (only *jsonvalue.Object, denied bool, err error) {
	ctx := c.Request.Context()
	return a.readableBy(ctx, auth.PrincipalFrom(ctx))
}

func (a *API) readableBy(ctx context.Context, who auth.Principal) (only *jsonvalue.Object, denied bool, err error) {
	d, err := a.Decider.Decide(ctx, who, entityRead, "")
	if err != nil || d.Result == permission.Allow {
		return nil, false, err
	}
	if d.Result == permission.Deny {
		return nil, true, nil
	}
	only, err = predicateOf(d.Criteria, false)
	return only, false, err
}

// answer sends a page: with an ETag if it was projected, as it stands if it
// came straight out of the store.
func answer(p Page, projected bool) any {
	if p.Stream != nil {
		return wire.Stream{ContentType: "application/json; charset=utf-8", Bulk: true, Run: func(ctx context.Context, send func([]byte) error) error {
			return p.Stream(ctx, sender(send))
		}}
	}
	link := ""
	if p.Link != "" {
		link = "<" + p.Link + `>; rel="next"`
	}
	if projected {
		return wire.Linked{Body: p.Body, Link: link, Release: p.Release}
	}
	return wire.Raw{Body: p.Body, Link: link, Release: p.Release}
}

// A sender writes with a function that sends.
type sender func([]byte) error

func (s sender) Write(p []byte) (int, error) {
	if err := s(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Entities answers GET /entities.
func (a *API) Entities(c *gin.Context) (any, error) {
	in, err := opEntities.Read(c)
	if err != nil {
		return nil, err
	}
	listing := Listing{
		Selection: Selection{Filters: in.List("filter")}, Fields: in.List("fields"), Limit: in.Count("limit"),
		Offset: in.Count("offset"), After: in.Text("after"), Order: in.List("order"), RawQuery: c.Request.URL.RawQuery,
	}
	if listing.Limit != nil && *listing.Limit == 0 {
		return nil, wire.InputError("Invalid limit, must be greater than zero")
	}
	var denied bool
	if listing.Only, denied, err = a.readable(c); err != nil {
		return nil, err
	}
	if denied {
		return wire.Raw{Body: []byte("[]")}, nil
	}
	page, err := a.Reader.Entities(c.Request.Context(), listing)
	if err != nil {
		return nil, err
	}
	return answer(page, listing.Fields != nil && listing.Paged()), nil
}

// QueryEntities answers GET /entities/by-query.
func (a *API) QueryEntities(c *gin.Context) (any, error) {
	in, err := opQueryEntities.Read(c)
	if err != nil {
		return nil, err
	}
	s := Search{
		Selection: Selection{Filters: in.List("filter")}, Cursor: in.Text("cursor"), Fields: in.List("fields"),
		Limit: in.Count("limit"), Offset: in.Count("offset"), Term: in.Text("fullTextFilterTerm"), HasTerm: true,
		TermFields: splitCommas(in.List("fullTextFilterFields")), NoTotal: in.Text("totalItems") == "exclude",
	}
	if order := in.List("orderField"); len(order) > 0 && s.Cursor == "" {
		s.OrderField, s.Order, _ = strings.Cut(order[0], ",")
		if s.Order != "" && s.Order != "asc" && s.Order != "desc" {
			return nil, wire.InputError("Invalid order field order, must be asc or desc")
		}
	}
	return a.search(c, s)
}

func splitCommas(list []string) []string {
	if list == nil {
		return nil
	}
	var out []string
	for _, s := range list {
		out = append(out, strings.Split(s, ",")...)
	}
	return out
}

// QueryEntitiesByPredicate answers POST /entities/by-query.
func (a *API) QueryEntitiesByPredicate(c *gin.Context) (any, error) {
	in, err := opQueryByPredicate.Read(c)
	if err != nil {
		return nil, err
	}
	s := Search{
		Selection: Selection{Query: in.Body.Object("query")}, Cursor: in.Body.String("cursor"),
		Fields: emptyIsNil(in.Strings("fields")), NoTotal: in.Body.String("totalItems") == "exclude",
	}
	if in.Body.Has("cursor") && s.Cursor == "" {
		return nil, wire.InputError("Cursor cannot be empty")
	}
	if s.Limit, err = in.BodyCount("limit"); err != nil {
		return nil, err
	}
	if s.Offset, err = in.BodyCount("offset"); err != nil {
		return nil, err
	}
	if order, _ := in.Body.Value("orderBy").([]any); len(order) > 0 {
		first, _ := order[0].(*jsonvalue.Object)
		s.OrderField, s.Order = first.String("field"), first.String("order")
	}
	if text := in.Body.Object("fullTextFilter"); text != nil {
		s.Term, s.HasTerm, s.TermFields = text.String("term"), true, operation.StringsOf(text, "fields")
	}
	return a.search(c, s)
}

func emptyIsNil(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

func (a *API) search(c *gin.Context, s Search) (any, error) {
	var denied bool
	var err error
	if s.Only, denied, err = a.readable(c); err != nil {
		return nil, err
	}
	if denied {
		return wire.Raw{Body: []byte(`{"items":[],"totalItems":0,"pageInfo":{}}`)}, nil
	}
	page, err := a.Reader.Query(c.Request.Context(), s)
	if err != nil {
		return nil, err
	}
	return answer(page, s.Fields != nil), nil
}

// EntitiesByRefs answers POST /entities/by-refs.
func (a *API) EntitiesByRefs(c *gin.Context) (any, error) {
	in, err := opByRefs.Read(c)
	if err != nil {
		return nil, err
	}
	if !in.HasBody {
		return nil, wire.InputError(`Malformed request body (did you remember to specify an application/json content type?), Validation error: Required at "entityRefs"`)
	}
	lookup := Lookup{
		Selection: Selection{Filters: in.List("filter"), Query: in.Body.Object("query")},
		Refs:      in.Strings("entityRefs"), Fields: emptyIsNil(in.Strings("fields")),
	}
	var denied bool
	if lookup.Only, denied, err = a.readable(c); err != nil {
		return nil, err
	}
	if denied {
		return wire.Obj("items", make([]any, len(lookup.Refs))), nil
	}
	page, err := a.Reader.ByRefs(c.Request.Context(), lookup)
	if err != nil {
		return nil, err
	}
	return answer(page, lookup.Fields != nil), nil
}

// EntityByUID answers GET /entities/by-uid/{uid}.
func (a *API) EntityByUID(c *gin.Context) (any, error) {
	if _, err := opByUID.Read(c); err != nil {
		return nil, err
	}
	uid, _ := wire.Param(c, "uid")
	missing := wire.NotFound("No entity with uid " + uid)
	only, denied, err := a.readable(c)
	if err != nil {
		return nil, err
	}
	if denied {
		return nil, missing
	}
	page, err := a.Reader.ByUID(c.Request.Context(), uid, only)
	if err != nil {
		return nil, err
	}
	if page.Body == nil {
		return nil, missing
	}
	return answer(page, false), nil
}

// mayDelete returns the error of a denied permission unless the caller may
// delete the entity of a uid. Nobody is told whether there is one: under a
// condition an entity that does not exist is as forbidden as any other.
func (a *API) mayDelete(c *gin.Context, uid string) error {
	d, err := a.decide(c, entityDelete)
	if err != nil {
		return err
	}
	switch d.Result {
	case permission.Allow:
		return nil
	case permission.Deny:
		return errDenied
	}
	only, err := predicateOf(d.Criteria, false)
	if err != nil {
		return err
	}
	page, err := a.Reader.ByUID(c.Request.Context(), uid, only)
	if err != nil {
		return err
	}
	if page.Release != nil {
		page.Release()
	}
	if page.Body == nil {
		return errDenied
	}
	return nil
}

// refOfParams returns the canonical ref that kind, namespace and name in the
// path make.
func refOfParams(c *gin.Context) string {
	kind, _ := wire.Param(c, "kind")
	namespace, _ := wire.Param(c, "namespace")
	name, _ := wire.Param(c, "name")
	return catalog.EntityRef{Kind: kind, Namespace: namespace, Name: name}.String()
}

// EntityByName answers GET /entities/by-name/{kind}/{namespace}/{name}.
func (a *API) EntityByName(c *gin.Context) (any, error) {
	if _, err := opByName.Read(c); err != nil {
		return nil, err
	}
	only, denied, err := a.readable(c)
	if err != nil {
		return nil, err
	}
	if !denied {
		page, err := a.Reader.ByRef(c.Request.Context(), refOfParams(c), only)
		if err != nil {
			return nil, err
		}
		if page.Body != nil {
			return answer(page, false), nil
		}
	}
	kind, _ := wire.Param(c, "kind")
	namespace, _ := wire.Param(c, "namespace")
	name, _ := wire.Param(c, "name")
	return nil, wire.NotFound("No entity named '" + name + "' found, with kind '" + kind + "' in namespace '" + namespace + "'")
}

// entity returns the entity of a canonical ref, whoever asks.
func (a *API) entity(c *gin.Context, ref string) (catalog.Entity, error) {
	page, err := a.Reader.ByRef(c.Request.Context(), ref, nil)
	if err != nil {
		return catalog.Entity{}, err
	}
	if page.Release != nil {
		defer page.Release()
	}
	if page.Body == nil {
		return catalog.Entity{}, wire.NotFound("found no entity for ref " + ref)
	}
	o, err := jsonvalue.ParseObject(page.Body)
	return catalog.Entity{Object: o}, err
}

// Ancestry answers GET /entities/by-name/{kind}/{namespace}/{name}/ancestry.
func (a *API) Ancestry(c *gin.Context) (any, error) {
	if _, err := opAncestry.Read(c); err != nil {
		return nil, err
	}
	only, denied, err := a.readable(c)
	if err != nil {
		return nil, err
	}
	if denied {
		return nil, errDenied
	}
	ref := refOfParams(c)
	page, err := a.Reader.Ancestry(c.Request.Context(), ref, only)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return nil, wire.NotFound("No such entity " + ref)
	case errors.Is(err, catalog.ErrNotAllowed):
		return nil, errDenied
	case err != nil:
		return nil, err
	}
	return answer(page, true), nil
}

// Facets answers GET /entity-facets.
func (a *API) Facets(c *gin.Context) (any, error) {
	in, err := opFacets.Read(c)
	if err != nil {
		return nil, err
	}
	return a.facets(c, FacetCount{Selection{Filters: in.List("filter")}, in.List("facet")})
}

// FacetsByPredicate answers POST /entity-facets.
func (a *API) FacetsByPredicate(c *gin.Context) (any, error) {
	in, err := opFacetsByPredicate.Read(c)
	if err != nil {
		return nil, err
	}
	return a.facets(c, FacetCount{Selection{Query: in.Body.Object("query")}, in.Strings("facets")})
}

func (a *API) facets(c *gin.Context, f FacetCount) (any, error) {
	var names []string
	for _, name := range f.Facets {
		if name != "" {
			names = append(names, name)
		}
	}
	if f.Facets = names; names == nil {
		return nil, wire.InputError("Missing or empty facets parameter")
	}
	var denied bool
	var err error
	if f.Only, denied, err = a.readable(c); err != nil {
		return nil, err
	}
	if denied {
		counts := jsonvalue.NewObject()
		for _, name := range names {
			counts.Set(name, []any{})
		}
		return wire.Obj("facets", counts), nil
	}
	page, err := a.Reader.Facets(c.Request.Context(), f)
	if err != nil {
		return nil, err
	}
	return answer(page, true), nil
}
