package notifications

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

var (
	topicParameters = []string{"search", "read", "saved", "createdAfter", "minimumSeverity"}
	listParameters  = append([]string{"offset", "limit", "orderField", "topic"}, topicParameters...)
)

// maxOrder bounds how many fields a list is sorted by.
const maxOrder = 20

// readQuery reads a query string that may have these parameters.
func readQuery(raw string, known []string) (*Query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, wire.InputError("the query string cannot be decoded")
	}
	for name, list := range values {
		switch {
		case !slices.Contains(known, name):
			return nil, wire.InputError("Unknown query parameter '" + name + "'")
		case len(list) > 1 && name != "orderField":
			return nil, wire.InputError("request/query/" + name + " must be string")
		case slices.Contains(list, ""):
			return nil, wire.InputError("Empty value found for query parameter '" + name + "'")
		}
	}
	q := &Query{Topic: values.Get("topic"), Search: values.Get("search"), MinimumSeverity: values.Get("minimumSeverity")}
	for _, read := range []func(*Query, url.Values) error{readPage, readStates, readOrder, readTime, readSeverity} {
		if err := read(q, values); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func readPage(q *Query, values url.Values) error {
	if err := readCount(values, "offset", func(n int) { q.Offset = n }); err != nil {
		return err
	}
	return readCount(values, "limit", func(n int) { q.Limit = &n })
}

func readCount(values url.Values, name string, set func(int)) error {
	text := values.Get(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	switch {
	case err != nil:
		return wire.InputError("request/query/" + name + " must be integer")
	case n < 0:
		return wire.InputError("request/query/" + name + " must be >= 0")
	}
	set(int(n))
	return nil
}

func readStates(q *Query, values url.Values) error {
	for name, state := range map[string]**bool{"read": &q.Read, "saved": &q.Saved} {
		switch text := values.Get(name); text {
		case "":
		case "true", "false":
			yes := text == "true"
			*state = &yes
		default:
			return wire.InputError("request/query/" + name + " must be equal to one of the allowed values: true, false")
		}
	}
	return nil
}

func readOrder(q *Query, values url.Values) error {
	list := values["orderField"]
	if len(list) > maxOrder {
		return wire.InputError(fmt.Sprintf("request/query/orderField must NOT have more than %d items", maxOrder))
	}
	for _, text := range list {
		field, rest, _ := strings.Cut(text, ",")
		direction, _, _ := strings.Cut(rest, ",")
		if direction != "asc" && direction != "desc" && rest != "" {
			return wire.InputError("Invalid order field order, must be asc or desc")
		}
		if fields[field] == nil {
			return wire.InputError("there is no field '" + field + "' to order by")
		}
		q.Order = append(q.Order, Order{Field: field, Desc: direction == "desc"})
	}
	return nil
}

func readTime(q *Query, values url.Values) error {
	text := values.Get("createdAfter")
	if text == "" {
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			q.CreatedAfter = t
			return nil
		}
	}
	return wire.InputError("Unexpected date format")
}

func readSeverity(q *Query, _ url.Values) error {
	if q.MinimumSeverity != "" && !slices.Contains(severities[:], q.MinimumSeverity) {
		return wire.InputError("request/query/minimumSeverity must be equal to one of the allowed values: " + strings.Join(severities[:], ", "))
	}
	return nil
}

// readBody reads the JSON object that a request must have.
func readBody(c *gin.Context) (*jsonvalue.Object, error) {
	body, ok, err := wire.ReadJSON(c.Request, wire.BodyLimit)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, wire.InputError("the request needs a body of the type application/json")
	}
	o, ok := body.(*jsonvalue.Object)
	if !ok {
		return nil, wire.InputError("request/body must be object")
	}
	return o, nil
}

// A shape says of which types the members of an object are.
type shape struct {
	required []string
	members  map[string]func(v any, path string) (fault string)
}

func (s *shape) check(v any, path string) string {
	o, ok := v.(*jsonvalue.Object)
	if !ok {
		return path + " must be object"
	}
	for _, name := range s.required {
		if !o.Has(name) {
			return path + " must have required property '" + name + "'"
		}
	}
	for name, v := range o.All() {
		if check := s.members[name]; check != nil {
			if fault := check(v, path+"/"+name); fault != "" {
				return fault
			}
		}
	}
	return ""
}

func isText(v any, path string) string {
	if _, ok := v.(string); !ok {
		return path + " must be string"
	}
	return ""
}

func isBool(v any, path string) string {
	if _, ok := v.(bool); !ok {
		return path + " must be boolean"
	}
	return ""
}

func isObject(v any, path string) string { return (&shape{}).check(v, path) }

func isOneOf(words ...string) func(v any, path string) string {
	return func(v any, path string) string {
		if s, ok := v.(string); !ok || !slices.Contains(words, s) {
			return path + " must be equal to one of the allowed values: " + strings.Join(words, ", ")
		}
		return ""
	}
}

func isTexts(v any, path string) string {
	list, ok := v.([]any)
	if !ok {
		return path + " must be array"
	}
	for i, item := range list {
		if fault := isText(item, path+"/"+strconv.Itoa(i)); fault != "" {
			return fault
		}
	}
	return ""
}

func isTextOrTexts(v any, path string) string {
	if _, ok := v.(string); ok {
		return ""
	}
	return isTexts(v, path)
}

func isListOf(s *shape) func(v any, path string) string {
	return func(v any, path string) string {
		list, ok := v.([]any)
		if !ok {
			return path + " must be array"
		}
		for i, item := range list {
			if fault := s.check(item, path+"/"+strconv.Itoa(i)); fault != "" {
				return fault
			}
		}
		return ""
	}
}

type checks = map[string]func(v any, path string) string

var (
	payloadShape = &shape{required: []string{"title"}, members: checks{
		"title": isText, "description": isText, "link": isText, "severity": isOneOf(severities[:]...),
		"topic": isText, "scope": isText, "icon": isText, "metadata": isObject,
	}}
	recipientsShape = &shape{required: []string{"type"}, members: checks{
		"type": isOneOf("entity", "broadcast"), "entityRef": isTextOrTexts, "excludeEntityRef": isTextOrTexts,
	}}
	requestShape = &shape{required: []string{"recipients", "payload"}, members: checks{
		"recipients": recipientsShape.check, "payload": payloadShape.check,
	}}
	updateShape = &shape{required: []string{"ids"}, members: checks{"ids": isTexts, "read": isBool, "saved": isBool}}

	topicShape   = &shape{required: []string{"id", "enabled"}, members: checks{"id": isText, "enabled": isBool}}
	originShape  = &shape{required: []string{"id", "enabled"}, members: checks{"id": isText, "enabled": isBool, "topics": isListOf(topicShape)}}
	channelParts = checks{"id": isText, "enabled": isBool, "origins": isListOf(originShape)}

	settingsShape = &shape{required: []string{"channels"}, members: checks{
		"channels": isListOf(&shape{required: []string{"id", "origins"}, members: channelParts}),
	}}
	// defaultsShape is that of the operator's settings, which may be about a
	// channel as a whole.
	defaultsShape = &shape{required: []string{"channels"}, members: checks{
		"channels": isListOf(&shape{required: []string{"id"}, members: channelParts}),
	}}
)

// readSettings reads the settings of a user.
func readSettings(c *gin.Context) (Settings, error) {
	body, err := readBody(c)
	if err != nil {
		return Settings{}, err
	}
	if fault := settingsShape.check(body, "request/body"); fault != "" {
		return Settings{}, wire.InputError(fault)
	}
	var s Settings
	if err := json.Unmarshal(jsonvalue.Append(nil, body), &s); err != nil {
		return Settings{}, wire.InputError("request/body cannot be read as settings")
	}
	for _, ch := range s.Channels {
		if ch.ID != WebChannel {
			return Settings{}, wire.InputError("Invalid channel")
		}
	}
	return s, nil
}
