package catalogapi

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// An input is a request that its operation accepts.
type input struct {
	query []queryValue
	// body is empty when there was none; hasBody tells one from the other.
	body    *jsonvalue.Object
	hasBody bool
}

// read checks a request against its operation. All faults are InputErrors,
// found in the order of the reference: the path, the syntax of the body, its
// type, names of parameters, and then types of parameters and body together.
func (o *operation) read(c *gin.Context) (*input, error) {
	for _, p := range c.Params {
		if _, ok := wire.Param(c, p.Key); !ok {
			return nil, wire.InputError("malformed uri'")
		}
	}
	in := &input{}
	body, err := o.readBody(c.Request)
	if err != nil {
		return nil, err
	}
	in.query = parseQuery(c.Request.URL.RawQuery)
	if err := o.checkNames(in.query); err != nil {
		return nil, err
	}
	var faults []string
	if fault := o.checkQuery(in); fault != "" {
		faults = append(faults, fault)
	}
	if body != nil {
		if fault := o.body.check(body, "request/body"); fault != "" {
			faults = append(faults, fault)
		}
	}
	if faults != nil {
		return nil, wire.InputError(strings.Join(faults, ", "))
	}
	in.body, in.hasBody = body.(*jsonvalue.Object)
	return in, nil
}

// readBody returns the body, nil where there is none and none is needed.
func (o *operation) readBody(r *http.Request) (any, error) {
	if o.body == nil {
		return nil, nil
	}
	body, ok, err := wire.ReadJSON(r, wire.BodyLimit)
	if err != nil {
		return nil, wire.InputError(catalogMessage(err))
	}
	contentType := r.Header.Get("Content-Type")
	switch {
	case ok:
		return body, nil
	case wire.IsJSON(r):
		return jsonvalue.NewObject(), nil
	case contentType == "" && !o.bodyRequired:
		return nil, nil
	case contentType == "":
		contentType = "undefined"
	}
	return nil, wire.InputError("unsupported media type " + contentType)
}

// catalogMessage keeps the message of a named error: to the catalog's clients
// a body that is too large or no JSON is an InputError.
func catalogMessage(err error) string {
	if e, ok := err.(*catalog.Error); ok {
		return e.Message
	}
	return err.Error()
}

func (o *operation) checkNames(query []queryValue) error {
	for i := range query {
		q := &query[i]
		if !slices.ContainsFunc(o.query, func(p parameter) bool { return p.name == q.name }) {
			return wire.InputError("Unknown query parameter '" + q.name + "'")
		}
		if !q.list && !q.object && q.values[0] == "" {
			return wire.InputError("Empty value found for query parameter '" + q.name + "'")
		}
	}
	return nil
}

// checkQuery returns the first fault of the parameters' types.
func (o *operation) checkQuery(in *input) string {
	for i := range o.query {
		if p := &o.query[i]; p.required && in.find(p.name) == nil {
			return "request/query must have required property '" + p.name + "'"
		}
	}
	for i := range o.query {
		p := &o.query[i]
		if q := in.find(p.name); q != nil {
			if fault := p.check(q); fault != "" {
				return "request/query/" + p.name + fault
			}
		}
	}
	return ""
}

func (p *parameter) check(q *queryValue) string {
	single := !q.object && len(q.values) == 1
	switch p.kind {
	case listParameter, commaParameter:
		if q.object {
			return " must be array"
		}
		return ""
	case countParameter:
		n, ok := parseCount(q.values[0])
		if !single || !ok {
			return " must be integer"
		}
		if n < 0 {
			return " must be >= 0"
		}
		return ""
	}
	if !single {
		return " must be string"
	}
	if p.enum != nil && !slices.Contains(p.enum, q.values[0]) {
		return " must be equal to one of the allowed values: " + strings.Join(p.enum, ", ")
	}
	return ""
}

// maxCount is the largest count that is told from a larger one.
const maxCount = 1 << 31

// parseCount reads an integer as JavaScript reads numbers: 10, 1e1 and 0xa are
// the same.
func parseCount(s string) (int, bool) {
	s = strings.TrimSpace(s)
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || strings.Contains(s, "_") || strings.ContainsAny(s, "xXpP") {
		n, err := strconv.ParseInt(s, 0, 64)
		if err != nil || !strings.HasPrefix(s, "0") || len(s) < 3 || s[1] >= '0' && s[1] <= '9' || strings.Contains(s, "_") {
			return 0, false
		}
		f = float64(n)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) || f != math.Trunc(f) {
		return 0, false
	}
	return int(max(-1, min(f, maxCount))), true
}

func (in *input) find(name string) *queryValue {
	for i := range in.query {
		if in.query[i].name == name {
			return &in.query[i]
		}
	}
	return nil
}

// text returns a parameter of one value, "" if it is absent.
func (in *input) text(name string) string {
	if q := in.find(name); q != nil {
		return q.values[0]
	}
	return ""
}

// list returns the values of a parameter, nil if it is absent.
func (in *input) list(name string) []string {
	if q := in.find(name); q != nil {
		return q.values
	}
	return nil
}

// count returns a parameter that is a count, nil if it is absent.
func (in *input) count(name string) *int {
	if q := in.find(name); q != nil {
		n, _ := parseCount(q.values[0])
		return &n
	}
	return nil
}

// strings returns a list of strings from the body, nil if it is absent.
func (in *input) strings(key string) []string { return stringsOf(in.body, key) }

func stringsOf(o *jsonvalue.Object, key string) []string {
	list, ok := o.Value(key).([]any)
	if !ok {
		return nil
	}
	out := make([]string, len(list))
	for i, v := range list {
		out[i], _ = v.(string)
	}
	return out
}

// bodyCount returns a number of the body as a count, nil if it is absent.
func (in *input) bodyCount(key string) (*int, error) {
	f, ok := in.body.Value(key).(float64)
	if !ok {
		return nil, nil
	}
	if f < 0 || f != math.Trunc(f) {
		return nil, wire.InputError("request/body/" + key + " must be an integer >= 0")
	}
	n := int(min(f, maxCount))
	return &n, nil
}
