package view

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

// defaultLimit is the length of a page of a search that names none.
const defaultLimit = 200

// A Search is a request for one page of entities. With a cursor only Limit,
// Fields and Only count.
type Search struct {
	Selection
	Cursor        string
	Fields        []string // as given, with commas; nil: all
	Limit, Offset *int
	// OrderField and Order say what to sort by; Order is asc, desc or "" for
	// asc. Both "": by uid.
	OrderField, Order string
	// Term is what one of TermFields must contain; nil TermFields are the
	// default ones, empty ones match nothing. HasTerm: a term was given, be it
	// a blank one.
	Term       string
	HasTerm    bool
	TermFields []string
	NoTotal    bool
}

// Query returns one page of entities: {items, totalItems, pageInfo}.
func (v *View) Query(ctx context.Context, q Search) (Page, error) {
	projection, err := query.ParseFields(q.Fields)
	if err != nil {
		return Page{}, err
	}
	c, search, err := q.plan()
	if err != nil {
		return Page{}, err
	}
	return v.build(ctx, func(dst []byte, s *index.Snapshot, m Moment) ([]byte, error) {
		result := s.Search(search)
		if !c.cursor.HasTotal {
			c.cursor.Total, c.cursor.HasTotal = float64(result.Total), true
		}
		dst = append(dst, `{"items":[`...)
		for i, h := range result.Hits {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendDocument(dst, s, m, h.ID, projection); err != nil {
				return nil, err
			}
		}
		dst = append(dst, `],"totalItems":`...)
		dst = jsonvalue.AppendNumber(dst, c.cursor.Total)
		dst = append(dst, `,"pageInfo":`...)
		dst = c.appendPageInfo(dst, s, result)
		return append(dst, '}'), nil
	})
}

// A place is where in a result a search goes on.
type place struct {
	cursor  query.Cursor
	initial bool
}

// plan reads the search: the cursor that its pages have in common, and what to
// look for.
func (q *Search) plan() (place, index.Search, error) {
	search := index.Search{Limit: defaultLimit}
	if q.Limit != nil {
		search.Limit = max(0, min(*q.Limit, math.MaxInt32))
	}
	p := place{initial: q.Cursor == ""}
	var f query.Filter
	var err error
	if p.initial {
		f, err = q.begin(&p.cursor, &search)
	} else {
		f, err = q.resume(&p.cursor, &search)
	}
	if err != nil {
		return place{}, search, err
	}
	search.Order = p.cursor.Order
	f = query.Both(f, p.cursor.Text.Filter(p.cursor.Order))
	search.Filter, err = permitted(f, q.Only)
	return p, search, err
}

// begin reads a search without a cursor, and makes that of its pages.
func (q *Search) begin(c *query.Cursor, search *index.Search) (query.Filter, error) {
	f, err := q.filter()
	if err != nil {
		return nil, err
	}
	if c.Query, c.Legacy, err = q.cursorFilter(); err != nil {
		return nil, err
	}
	if q.OrderField != "" || q.Order != "" {
		order, err := query.NewOrder(q.OrderField, q.Order)
		if err != nil {
			return nil, err
		}
		c.Order = &order
	}
	if q.HasTerm {
		c.Text = &query.Text{Term: q.Term, Fields: q.TermFields}
	}
	if q.Offset != nil {
		search.Offset = max(0, *q.Offset)
	}
	if q.NoTotal {
		search.NoTotal, c.HasTotal = true, true
	}
	return f, nil
}

// cursorFilter returns the filter in the forms that a cursor can hold.
func (q *Search) cursorFilter() (predicate, legacy *jsonvalue.Object, err error) {
	predicate, ok, err := query.FilterPredicate(q.Filters)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		legacy, err = query.LegacyFilter(q.Filters)
		return q.Query, legacy, err
	}
	switch {
	case predicate == nil:
		return q.Query, nil, nil
	case q.Query == nil:
		return predicate, nil, nil
	}
	return jsonvalue.NewObject(jsonvalue.Member{Key: "$all", Value: []any{predicate, q.Query}}), nil, nil
}

// resume reads a search with a cursor.
func (q *Search) resume(c *query.Cursor, search *index.Search) (query.Filter, error) {
	parsed, err := query.ParseCursor(q.Cursor)
	if err != nil {
		return nil, err
	}
	*c = *parsed
	search.Backward, search.NoTotal = c.Previous, c.HasTotal
	search.After = positionOf(c)
	return c.Filter()
}

// positionOf returns the position of a cursor. What is missing in one that was
// made up stands for the begin.
func positionOf(c *query.Cursor) *index.Position {
	values := c.Position
	p := &index.Position{}
	if c.Order != nil && len(values) > 0 {
		p.Value, values = values[0], values[1:]
	}
	if len(values) > 0 && values[0] != nil {
		p.UID = *values[0]
	}
	return p
}

// appendPageInfo appends the cursors of the pages before and behind one.
func (p *place) appendPageInfo(dst []byte, s *index.Snapshot, r index.Result) []byte {
	if len(r.Hits) == 0 {
		return append(dst, "{}"...)
	}
	c := p.cursor
	ordered := c.Order != nil
	first := values(s.PositionOf(r.Hits[0], ordered))
	last := values(s.PositionOf(r.Hits[len(r.Hits)-1], ordered))
	if c.First == nil {
		c.First = first
	}
	dst = append(dst, '{')
	next := r.More || c.Previous
	hasPrevious := !p.initial && !slices.EqualFunc(first, c.First, equalText)
	if next {
		c.Previous, c.Position = false, last
		dst = append(append(dst, `"nextCursor":"`...), c.String()...)
		dst = append(dst, '"')
	}
	if hasPrevious {
		if next {
			dst = append(dst, ',')
		}
		c.Previous, c.Position = true, first
		dst = append(append(dst, `"prevCursor":"`...), c.String()...)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

func values(p index.Position) []*string {
	if p.Value == nil {
		return []*string{&p.UID}
	}
	return []*string{p.Value, &p.UID}
}

func equalText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// A FacetCount is a request for the values of fields.
type FacetCount struct {
	Selection
	Facets []string
}

// Facets counts the values of fields: {facets}.
func (v *View) Facets(ctx context.Context, q FacetCount) (Page, error) {
	f, err := q.filter()
	if err != nil {
		return Page{}, err
	}
	if f, err = permitted(f, q.Only); err != nil {
		return Page{}, err
	}
	var names []string
	for _, name := range q.Facets {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if names == nil {
		return Page{}, catalog.NewError(catalog.NameInput, "Missing or empty facets parameter")
	}
	b := v.buffer()
	dst := append((*b)[:0], `{"facets":{`...)
	for i, counts := range v.index.Snapshot().Facets(f, names) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsonvalue.AppendString(dst, names[i]), ":["...)
		for j, c := range counts {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = jsonvalue.AppendString(append(dst, `{"value":`...), c.Value)
			dst = strconv.AppendInt(append(dst, `,"count":`...), int64(c.Count), 10)
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	return v.answer(b, append(dst, "}}"...)), nil
}
