package catalogapi

import (
	"context"
	"io"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Reader answers from the catalog as it stands when it is asked. Bodies are
// JSON. A request that does not make sense is an error that is
// catalog.ErrInput. Implementations are safe for concurrent use.
type Reader interface {
	// Entities lists entities as an array.
	Entities(context.Context, Listing) (Page, error)
	// Query pages through entities: {items, totalItems, pageInfo}.
	Query(context.Context, Search) (Page, error)
	// ByRefs looks entities up: {items}, null for each that is not there.
	ByRefs(context.Context, Lookup) (Page, error)
	// Facets counts: {facets}.
	Facets(context.Context, FacetCount) (Page, error)
	// ByRef and ByUID return one entity, a nil body if there is none. Refs are
	// canonical; only, unless nil, is a predicate that it must match.
	ByRef(ctx context.Context, ref string, only *jsonvalue.Object) (Page, error)
	ByUID(ctx context.Context, uid string, only *jsonvalue.Object) (Page, error)
	// Ancestry returns where an entity comes from: {rootEntityRef, items}. It
	// is catalog.ErrNotFound if there is no such entity, and catalog.
	// ErrNotAllowed if only hides it; ancestors that it hides are left out.
	Ancestry(ctx context.Context, ref string, only *jsonvalue.Object) (Page, error)
	// Matching tells which of some refs exist and match a predicate.
	Matching(ctx context.Context, refs []string, predicate *jsonvalue.Object) ([]bool, error)
}

// A Page is a body. Link is the target of the next page where the body cannot
// say so itself. Release, unless nil, is called when the body has been sent.
// Stream, unless nil, writes a body that is too long to be held as a whole.
type Page struct {
	Body    []byte
	Link    string
	Release func()
	Stream  func(ctx context.Context, w io.Writer) error
}

// A Selection says which entities are meant; all conditions hold together.
type Selection struct {
	// Filters are filter parameters, of which one must match; nil: no
	// condition.
	Filters []string
	// Query is a filter predicate, and Only one that comes from a permission
	// and is kept in no cursor; nil: no condition.
	Query, Only *jsonvalue.Object
}

// A Listing is a request for GET /entities. It is paged if any of Limit,
// Offset and After is set.
type Listing struct {
	Selection
	Fields        []string // as given, with commas; nil: all
	Limit, Offset *int
	After         string
	Order         []string // asc:<field> or desc:<field>
	// RawQuery is the query string as it was sent, for the link to the next
	// page.
	RawQuery string
}

// Paged tells whether one page is asked for, not everything.
func (l *Listing) Paged() bool { return l.Limit != nil || l.Offset != nil || l.After != "" }

// A Search is a request for one page of entities. With a cursor only Limit,
// Fields and Only count.
type Search struct {
	Selection
	Cursor        string
	Fields        []string // as given, with commas; nil: all
	Limit, Offset *int
	// OrderField and Order are "" for the order by uid; Order may be "" for
	// asc.
	OrderField, Order string
	// Term is what one of TermFields must contain; nil TermFields are the
	// default ones, empty ones match nothing. HasTerm: a term was given, be it
	// a blank one.
	Term       string
	HasTerm    bool
	TermFields []string
	NoTotal    bool
}

// A Lookup is a request for entities by ref, taken as they are.
type Lookup struct {
	Selection
	Refs   []string
	Fields []string
}

// A FacetCount is a request for the values of fields.
type FacetCount struct {
	Selection
	Facets []string
}
