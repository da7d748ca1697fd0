package catalogapi

import (
	"encoding/base64"
	"math"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

const defaultLocationLimit = 1000

// A locationQuery is one page of locations: those after an id that match.
type locationQuery struct {
	limit   int
	afterID string
	query   *jsonvalue.Object // nil matches all
}

// QueryLocations answers POST /locations/by-query.
func (a *API) QueryLocations(c *gin.Context) (any, error) {
	in, err := opQueryLocations.Read(c)
	if err != nil {
		return nil, err
	}
	q, err := parseLocationQuery(in.Body)
	if err != nil {
		return nil, err
	}
	matches := func(catalog.Location) bool { return true }
	if q.query != nil {
		if matches, err = locationPredicate(q.query, 0); err != nil {
			return nil, err
		}
	}
	may, err := a.mayReadLocations(c)
	if err != nil {
		return nil, err
	}
	var all []catalog.Location
	if may {
		if all, err = a.Engine.Locations(c.Request.Context()); err != nil {
			return nil, err
		}
	}
	return q.page(all, matches), nil
}

// page takes locations sorted by id. The total is that of the query, whatever
// the page.
func (q locationQuery) page(all []catalog.Location, matches func(catalog.Location) bool) any {
	items, total, more := []any{}, 0, false
	last := ""
	for _, l := range all {
		if !matches(l) {
			continue
		}
		total++
		switch {
		case l.ID <= q.afterID:
		case len(items) == q.limit:
			more = true
		default:
			items, last = append(items, locationJSON(l)), l.ID
		}
	}
	info := wire.Obj()
	if more {
		info.Set("nextCursor", q.cursorAfter(last))
	}
	return wire.Obj("items", items, "totalItems", float64(total), "pageInfo", info)
}

func (q locationQuery) cursorAfter(id string) string {
	o := wire.Obj("limit", float64(q.limit), "afterId", id)
	if q.query != nil {
		o.Set("query", q.query)
	}
	return base64.StdEncoding.EncodeToString(jsonvalue.Append(nil, o))
}

// parseLocationQuery reads the body, or, if there is one, the cursor in it,
// which then decides everything.
func parseLocationQuery(body *jsonvalue.Object) (locationQuery, error) {
	if cursor, ok := body.Value("cursor").(string); ok {
		return parseLocationCursor(cursor)
	}
	limit, err := locationLimit(body)
	return locationQuery{limit: limit, query: body.Object("query")}, err
}

func parseLocationCursor(cursor string) (locationQuery, error) {
	malformed := wire.InputError("Malformed cursor, could not be parsed")
	data, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return locationQuery{}, malformed
	}
	o, err := jsonvalue.ParseObject(data)
	if err != nil || o.Has("query") && o.Object("query") == nil || !o.Has("limit") || o.String("afterId") == "" {
		return locationQuery{}, malformed
	}
	limit, err := locationLimit(o)
	return locationQuery{limit, o.String("afterId"), o.Object("query")}, err
}

func locationLimit(o *jsonvalue.Object) (int, error) {
	if !o.Has("limit") {
		return defaultLocationLimit, nil
	}
	f, ok := o.Value("limit").(float64)
	if !ok || f < 1 || f != math.Trunc(f) {
		return 0, wire.InputError("Limit must be a positive integer >= 1")
	}
	return int(min(f, operation.MaxCount)), nil
}

// maxPredicateDepth bounds how deep predicates nest.
const maxPredicateDepth = 64

type locationTest = func(catalog.Location) bool

// locationPredicate compiles a filter predicate on locations. It differs from
// that on entities: keys are the four columns, an empty $all matches nothing,
// and $contains never does.
func locationPredicate(o *jsonvalue.Object, depth int) (locationTest, error) {
	if depth > maxPredicateDepth {
		return nil, wire.InputError("Invalid query: nested too deep")
	}
	if op, operand, ok := soleOperator(o); ok {
		switch op {
		case "$all", "$any":
			return locationList(op, operand, depth)
		case "$not":
			inner, err := nestedLocation(operand, depth)
			if err != nil {
				return nil, err
			}
			return func(l catalog.Location) bool { return !inner(l) }, nil
		}
	}
	var tests []locationTest
	for key, value := range o.All() {
		test, err := locationField(key, value)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return func(l catalog.Location) bool {
		return !slices.ContainsFunc(tests, func(t locationTest) bool { return !t(l) })
	}, nil
}

func soleOperator(o *jsonvalue.Object) (op string, operand any, ok bool) {
	for key, value := range o.All() {
		if strings.HasPrefix(key, "$") {
			return key, value, o.Len() == 1
		}
	}
	return "", nil, false
}

func nestedLocation(v any, depth int) (locationTest, error) {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return nil, wire.InputError(`Invalid filter predicate: top-level primitive values are not supported. Wrap the value in a field expression, e.g. { "kind": "component" }`)
	}
	return locationPredicate(o, depth+1)
}

func locationList(op string, operand any, depth int) (locationTest, error) {
	list, ok := operand.([]any)
	if !ok {
		return nil, wire.InputError("Invalid query: " + op + " must be a list")
	}
	tests := make([]locationTest, len(list))
	for i, v := range list {
		var err error
		if tests[i], err = nestedLocation(v, depth); err != nil {
			return nil, err
		}
	}
	if op == "$any" {
		return func(l catalog.Location) bool {
			return slices.ContainsFunc(tests, func(t locationTest) bool { return t(l) })
		}, nil
	}
	return func(l catalog.Location) bool {
		return len(tests) > 0 && !slices.ContainsFunc(tests, func(t locationTest) bool { return !t(l) })
	}, nil
}

func locationField(key string, value any) (locationTest, error) {
	if strings.HasPrefix(key, "$") {
		return nil, wire.InputError(`Invalid query: Validation error: Invalid at "` + key + `"`)
	}
	column, isID, err := locationColumn(key)
	if err != nil {
		return nil, err
	}
	if o, ok := value.(*jsonvalue.Object); ok {
		return locationOperator(column, isID, key, o)
	}
	want, ok := scalarText(value)
	if !ok {
		return nil, wire.InputError(`Invalid query: Validation error: Invalid at "` + key + `"`)
	}
	return func(l catalog.Location) bool { return strings.EqualFold(column(l), want) }, nil
}

func locationColumn(key string) (column func(catalog.Location) string, isID bool, err error) {
	switch strings.ToLower(key) {
	case "id":
		return func(l catalog.Location) string { return l.ID }, true, nil
	case "type":
		return func(l catalog.Location) string { return l.Type }, false, nil
	case "target":
		return func(l catalog.Location) string { return l.Target }, false, nil
	case "entityref":
		return func(l catalog.Location) string { return l.EntityRef }, false, nil
	}
	return nil, false, wire.InputError("Invalid filter predicate, expected key to be 'id', 'type', 'target', or 'entityRef', got '" + key + "'")
}

func locationOperator(column func(catalog.Location) string, isID bool, key string, o *jsonvalue.Object) (locationTest, error) {
	invalid := wire.InputError(`Invalid query: Validation error: Invalid at "` + key + `"`)
	switch {
	case o.Has("$exists"):
		want, ok := o.Value("$exists").(bool)
		if !ok {
			return nil, invalid
		}
		return func(catalog.Location) bool { return want }, nil
	case o.Has("$in"):
		list, ok := o.Value("$in").([]any)
		if !ok {
			return nil, invalid
		}
		return locationIn(column, isID, list, invalid)
	case o.Has("$contains"):
		return func(catalog.Location) bool { return false }, nil
	case o.Has("$hasPrefix"):
		prefix, ok := o.Value("$hasPrefix").(string)
		if !ok {
			return nil, invalid
		}
		prefix = strings.ToLower(prefix)
		return func(l catalog.Location) bool { return strings.HasPrefix(strings.ToLower(column(l)), prefix) }, nil
	}
	return nil, invalid
}

func locationIn(column func(catalog.Location) string, exact bool, list []any, invalid error) (locationTest, error) {
	set := make(map[string]bool, len(list))
	for _, v := range list {
		s, ok := scalarText(v)
		if !ok {
			return nil, invalid
		}
		if !exact {
			s = strings.ToLower(s)
		}
		set[s] = true
	}
	return func(l catalog.Location) bool {
		s := column(l)
		if !exact {
			s = strings.ToLower(s)
		}
		return set[s]
	}, nil
}

// scalarText returns a scalar as the text it is compared as.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case float64:
		return jsonvalue.FormatNumber(v), true
	}
	return "", false
}
