package operation

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

// An Input is a request that its operation accepts.
type Input struct {
	query []queryValue
	// Body is empty when there was none; HasBody tells one from the other.
	Body    *jsonvalue.Object
	HasBody bool
}

// Read checks a request against its operation. All faults are InputErrors,
// found in the order of the reference: the path, the syntax of the body, its
// type, names of parameters, and then types of parameters and body together.
func (o *Operation) Read(c *gin.Context) (*Input, error) {
	for _, p := range c.Params {
		if _, ok := wire.Param(c, p.Key); !ok {
			return nil, wire.InputError("malformed uri'")
		}
	}
	in := &Input{}
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
		if fault := o.Body.check(body, "request/body"); fault != "" {
			faults = append(faults, fault)
		}
	}
	if faults != nil {
		return nil, wire.InputError(strings.Join(faults, ", "))
	}
	in.Body, in.HasBody = body.(*jsonvalue.Object)
	return in, nil
}

// readBody returns the body, nil where there is none and none is needed.
func (o *Operation) readBody(r *http.Request) (any, error) {
	if o.Body == nil {
		return nil, nil
	}
	limit := o.BodyLimit
	if limit == 0 {
		limit = wire.BodyLimit
	}
	body, ok, err := wire.ReadJSON(r, limit)
	if err != nil {
		return nil, wire.InputError(Message(err))
	}
	contentType := r.Header.Get("Content-Type")
	switch {
	case ok:
		return body, nil
	case wire.IsJSON(r):
		return jsonvalue.NewObject(), nil
	case contentType == "" && !o.BodyRequired:
		return nil, nil
	case contentType == "":
		contentType = "undefined"
	}
	return nil, wire.InputError("unsupported media type " + contentType)
}

// Message keeps the message of a named error: to these clients a body that is
// too large or no JSON is an InputError.
func Message(err error) string {
	if e, ok := err.(*catalog.Error); ok {
		return e.Message
	}
	return err.Error()
}

func (o *Operation) checkNames(query []queryValue) error {
	if o.Lenient {
		return nil
	}
	for i := range query {
		q := &query[i]
		if !slices.ContainsFunc(o.Query, func(p Parameter) bool { return p.Name == q.name }) {
			return wire.InputError("Unknown query parameter '" + q.name + "'")
		}
		if !q.list && !q.object && q.values[0] == "" {
			return wire.InputError("Empty value found for query parameter '" + q.name + "'")
		}
	}
	return nil
}

// checkQuery returns the first fault of the parameters' types.
func (o *Operation) checkQuery(in *Input) string {
	for i := range o.Query {
		if p := &o.Query[i]; p.Required && in.find(p.Name) == nil {
			return "request/query must have required property '" + p.Name + "'"
		}
	}
	for i := range o.Query {
		p := &o.Query[i]
		if q := in.find(p.Name); q != nil {
			if fault := p.check(q); fault != "" {
				return "request/query/" + p.Name + fault
			}
		}
	}
	return ""
}

func (p *Parameter) check(q *queryValue) string {
	single := !q.object && len(q.values) == 1
	switch p.Kind {
	case List, Comma:
		if q.object {
			return " must be array"
		}
		return ""
	case Deep:
		if !q.object {
			return " must be object"
		}
		return ""
	case Count, Integer:
		n, ok := parseInteger(q.values[0])
		if !single || !ok {
			return " must be integer"
		}
		if n < 0 && p.Kind == Count {
			return " must be >= 0"
		}
		return ""
	}
	if !single {
		return " must be string"
	}
	if p.Enum != nil && !slices.Contains(p.Enum, q.values[0]) {
		return " must be equal to one of the allowed values: " + strings.Join(p.Enum, ", ")
	}
	return ""
}

// MaxCount is the largest count that is told from a larger one.
const MaxCount = 1 << 31

// maxInteger is the largest integer that JavaScript tells from its neighbours.
const maxInteger = 1<<53 - 1

// parseInteger reads an integer as JavaScript reads numbers: 10, 1e1 and 0xa are
// the same.
func parseInteger(s string) (int64, bool) {
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
	return int64(max(-maxInteger, min(f, maxInteger))), true
}

func (in *Input) find(name string) *queryValue {
	for i := range in.query {
		if in.query[i].name == name {
			return &in.query[i]
		}
	}
	return nil
}

// Text returns a parameter of one value, "" if it is absent.
func (in *Input) Text(name string) string {
	if q := in.find(name); q != nil {
		return q.values[0]
	}
	return ""
}

// List returns the values of a parameter, nil if it is absent.
func (in *Input) List(name string) []string {
	if q := in.find(name); q != nil {
		return q.values
	}
	return nil
}

// Count returns a parameter that is a count, nil if it is absent.
func (in *Input) Count(name string) *int {
	if q := in.find(name); q != nil {
		n, _ := parseInteger(q.values[0])
		count := int(min(n, MaxCount))
		return &count
	}
	return nil
}

// Integer returns a parameter that is an integer, 0 if it is absent.
func (in *Input) Integer(name string) int64 {
	q := in.find(name)
	if q == nil {
		return 0
	}
	n, _ := parseInteger(q.values[0])
	return n
}

// Members returns the members of a parameter that is an object, in order of
// their first appearance, each with its values. What is deeper than a list is
// left out.
func (in *Input) Members(name string) []Member {
	q := in.find(name)
	if q == nil {
		return nil
	}
	var out []Member
	for i, bracket := range q.brackets {
		key, ok := memberName(bracket)
		if !ok {
			continue
		}
		at := slices.IndexFunc(out, func(m Member) bool { return m.Name == key })
		if at < 0 {
			out, at = append(out, Member{Name: key}), len(out)
		}
		out[at].Values = append(out[at].Values, q.values[i])
	}
	return out
}

// A Member is one of a parameter that is an object.
type Member struct {
	Name   string
	Values []string
}

// memberName reads [a], [a][] and [a][0].
func memberName(bracket string) (name string, ok bool) {
	name, rest, ok := strings.Cut(strings.TrimPrefix(bracket, "["), "]")
	if !ok || name == "" {
		return "", false
	}
	if rest == "" || rest == "[]" {
		return name, true
	}
	index, ok := strings.CutPrefix(rest, "[")
	if !ok {
		return "", false
	}
	index, ok = strings.CutSuffix(index, "]")
	_, err := strconv.ParseUint(index, 10, 16)
	return name, ok && err == nil
}

// Strings returns a list of strings from the body, nil if it is absent.
func (in *Input) Strings(key string) []string { return StringsOf(in.Body, key) }

// StringsOf returns a list of strings from an object, nil if it is absent.
func StringsOf(o *jsonvalue.Object, key string) []string {
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

// BodyCount returns a number of the body as a count, nil if it is absent.
func (in *Input) BodyCount(key string) (*int, error) {
	f, ok := in.Body.Value(key).(float64)
	if !ok {
		return nil, nil
	}
	if f < 0 || f != math.Trunc(f) {
		return nil, wire.InputError("request/body/" + key + " must be an integer >= 0")
	}
	n := int(min(f, MaxCount))
	return &n, nil
}
