package query

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxCursorBytes bounds a cursor. One holds its filter, which a request body
// has bounded before.
const maxCursorBytes = 1 << 20

// A Cursor is a place in a result, with the query that it is a result of. Its
// text is base64 of JSON; clients look into it and send one that has a key
// "query" by POST.
type Cursor struct {
	Order *Order // nil: by uid
	// Position is that of the row behind or before which the page lies: value
	// and uid if there is an order, else the uid. A nil is NULL.
	Position []*string
	// First is the position of the first row of the first page, nil if not
	// known.
	First    []*string
	Previous bool // the page lies before the position
	// Query is the filter as a predicate, nil for none; Legacy is another form
	// of a filter, a tree of {key, values}, {not}, {anyOf} and {allOf}. Both
	// hold together.
	Query, Legacy *jsonvalue.Object
	Text          *Text
	// Total is the number of entities that match, counted once for all pages;
	// HasTotal is false where it has to be counted.
	Total    float64
	HasTotal bool
}

// Filter returns the cursor's filter without its full-text term. An error is
// that of a cursor that was made up.
func (c *Cursor) Filter() (Filter, error) {
	var f Filter
	if c.Query != nil {
		var err error
		if f, err = ParsePredicate(c.Query); err != nil {
			return nil, err
		}
	}
	if c.Legacy == nil {
		return f, nil
	}
	legacy, err := parseLegacyFilter(c.Legacy)
	return Both(f, legacy), err
}

// String returns the cursor in the form that clients are given.
func (c *Cursor) String() string {
	orders := []any{}
	if c.Order != nil {
		orders = append(orders, jsonvalue.NewObject(
			jsonvalue.Member{Key: "field", Value: c.Order.Field},
			jsonvalue.Member{Key: "order", Value: c.Order.Direction()},
		))
	}
	o := jsonvalue.NewObject(
		jsonvalue.Member{Key: "orderFields", Value: orders},
		jsonvalue.Member{Key: "isPrevious", Value: c.Previous},
	)
	if c.Query != nil {
		o.Set("query", c.Query)
	}
	if c.Legacy != nil {
		o.Set("filter", c.Legacy)
	}
	if c.Text != nil {
		o.Set("fullTextFilter", c.Text.object())
	}
	o.Set("orderFieldValues", positionValues(c.Position))
	if c.First != nil {
		o.Set("firstSortFieldValues", positionValues(c.First))
	}
	if c.HasTotal {
		o.Set("totalItems", c.Total)
	}
	return base64.StdEncoding.EncodeToString(jsonvalue.Append(nil, o))
}

func (t *Text) object() *jsonvalue.Object {
	o := jsonvalue.NewObject(jsonvalue.Member{Key: "term", Value: t.Term})
	if t.Fields != nil {
		fields := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = f
		}
		o.Set("fields", fields)
	}
	return o
}

func positionValues(position []*string) []any {
	out := make([]any, len(position))
	for i, s := range position {
		if s != nil {
			out[i] = *s
		}
	}
	return out
}

// ParseCursor reads a cursor. It need not be one that String made: clients may
// make cursors up, and those of the reference are understood.
func ParseCursor(text string) (*Cursor, error) {
	if text == "" {
		return nil, inputError("Cursor cannot be empty")
	}
	if len(text) > maxCursorBytes {
		return nil, malformedCursor(fmt.Sprintf("it is longer than %d bytes", maxCursorBytes))
	}
	data := decodeBase64(text)
	v, err := jsonvalue.Parse(data)
	if err != nil {
		return nil, malformedCursor("SyntaxError: " + scriptSyntaxError(string(data), err))
	}
	s := &shape{}
	c := s.cursor(v)
	if s.issues != nil {
		return nil, malformedCursor("InputError: Malformed cursor: " + s.text())
	}
	return c, nil
}

func malformedCursor(why string) error { return inputError("Malformed cursor: " + why) }

// decodeBase64 reads both alphabets with and without padding, and passes over
// what belongs to neither.
func decodeBase64(text string) []byte {
	text, _, _ = strings.Cut(text, "=")
	clean := make([]byte, 0, len(text))
	for i := range len(text) {
		switch c := text[i]; {
		case c == '-':
			clean = append(clean, '+')
		case c == '_':
			clean = append(clean, '/')
		case c == '+' || c == '/' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
			clean = append(clean, c)
		}
	}
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(clean)))
	n, _ := base64.RawStdEncoding.Decode(out, clean)
	return out[:n]
}

var errLegacyFilter = errors.New("not a filter")

// parseLegacyFilter reads a filter tree as cursors of older releases hold it.
func parseLegacyFilter(o *jsonvalue.Object) (Filter, error) {
	p := predicateParser{}
	f, err := p.legacy(o, 0)
	if errors.Is(err, errLegacyFilter) {
		return nil, malformedCursor("its filter is not understood")
	}
	return f, err
}

func (p *predicateParser) legacy(v any, depth int) (Filter, error) {
	if err := p.count(1); err != nil {
		return nil, err
	}
	o, ok := v.(*jsonvalue.Object)
	switch {
	case !ok || depth > maxPredicateDepth:
		return nil, errLegacyFilter
	case o.Has("not"):
		f, err := p.legacy(o.Value("not"), depth+1)
		return Not{f}, err
	case o.Has("anyOf"):
		list, err := p.legacyList(o.Value("anyOf"), depth)
		return Or(list), err
	case o.Has("allOf"):
		list, err := p.legacyList(o.Value("allOf"), depth)
		return And(list), err
	}
	key, ok := o.Value("key").(string)
	if !ok {
		return nil, errLegacyFilter
	}
	if !o.Has("values") {
		return Exists{Lower(key)}, nil
	}
	list, ok := o.Value("values").([]any)
	if !ok || slices.ContainsFunc(list, func(v any) bool { _, isText := v.(string); return !isText }) {
		return nil, errLegacyFilter
	}
	values, _ := scalarTexts(list)
	return In{Lower(key), values}, p.count(len(values))
}

func (p *predicateParser) legacyList(v any, depth int) ([]Filter, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, errLegacyFilter
	}
	out := make([]Filter, len(list))
	for i, v := range list {
		var err error
		if out[i], err = p.legacy(v, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
