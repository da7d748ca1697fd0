package permission

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Health answers GET /health.
func Health(*gin.Context) (any, error) { return wire.Obj("status", "ok"), nil }

// Authorize answers POST /authorize: it asks the policy about each item, for
// the user who calls, whether or not permissions are enabled inside plugins.
func (e *Engine) Authorize(c *gin.Context) (any, error) {
	who := auth.PrincipalFrom(c.Request.Context())
	if who.Kind == auth.Service {
		return nil, who.NeedUser()
	}
	body, _, err := wire.ReadJSON(c.Request, wire.BodyLimit)
	if err != nil {
		return nil, err
	}
	queries, err := parseQueries(body, who.Actor != "")
	if err != nil {
		return nil, err
	}
	items := make([]any, len(queries))
	for i, q := range queries {
		if items[i], err = e.answer(c.Request.Context(), who, q); err != nil {
			return nil, err
		}
	}
	return wire.Obj("items", items), nil
}

// A query is one item of the request.
type query struct {
	id         string
	permission Permission
	refs       []string
	isList     bool // refs came as a list, so results go as one
}

func (e *Engine) answer(ctx context.Context, who auth.Principal, q query) (any, error) {
	d, err := e.ask(ctx, who, q.permission)
	if err != nil {
		return nil, err
	}
	if d.Result != Conditional {
		return wire.Obj("id", q.id, "result", d.Result.String()), nil
	}
	if len(q.refs) == 0 { // a plugin that acts for the user applies the condition itself
		return wire.Obj("id", q.id, "result", d.Result.String(), "pluginId", q.permission.Plugin,
			"resourceType", q.permission.ResourceType, "conditions", d.Criteria.JSON()), nil
	}
	results, err := e.resolve(ctx, q.permission, q.refs, d)
	if err != nil {
		return nil, err
	}
	if !q.isList {
		return wire.Obj("id", q.id, "result", results[0].String()), nil
	}
	list := make([]any, len(results))
	for i, r := range results {
		list[i] = r.String()
	}
	return wire.Obj("id", q.id, "result", list), nil
}

// parseQueries reads the items. Those about resources must name some, unless
// conditions may be the answer.
func parseQueries(body any, conditional bool) ([]query, error) {
	var issues issues
	o, ok := body.(*jsonvalue.Object)
	if !ok {
		o = jsonvalue.NewObject()
	}
	items, ok := o.Value("items").([]any)
	if !ok {
		issues.wrongType("array", o.Value("items"), o.Has("items"), "items")
		return nil, issues.err()
	}
	out := make([]query, len(items))
	for i, item := range items {
		out[i] = parseQuery(&issues, item, i)
	}
	if err := issues.err(); err != nil {
		return nil, err
	}
	for _, q := range out {
		if q.permission.ResourceType != "" && len(q.refs) == 0 && !conditional {
			return nil, wire.InputError("Resource permissions require a resourceRef to be set. Direct user requests without a resourceRef are not allowed.")
		}
	}
	return out, nil
}

func parseQuery(is *issues, item any, i int) (q query) {
	o, ok := item.(*jsonvalue.Object)
	if !ok {
		is.wrongType("object", item, true, "items", float64(i))
		return q
	}
	q.id = is.str(o, "id", "items", float64(i), "id")
	p, ok := o.Value("permission").(*jsonvalue.Object)
	if !ok {
		is.wrongType("object", o.Value("permission"), o.Has("permission"), "items", float64(i), "permission")
		return q
	}
	q.permission = parsePermission(is, p, i)
	switch ref := o.Value("resourceRef").(type) {
	case nil:
		if o.Has("resourceRef") {
			is.add("items", float64(i), "resourceRef")
		}
	case string:
		q.refs = []string{ref}
	case []any:
		q.isList = true
		q.refs = stringList(ref)
		if len(q.refs) == 0 {
			is.add("items", float64(i), "resourceRef")
		}
	default:
		is.add("items", float64(i), "resourceRef")
	}
	if q.permission.ResourceType == "" && o.Has("resourceRef") {
		is.add("items", float64(i), "resourceRef")
	}
	return q
}

// parsePermission also finds out whose permission it is: names begin with the
// plugin's, as in catalog.entity.read.
func parsePermission(is *issues, p *jsonvalue.Object, i int) (out Permission) {
	path := func(key string) []any { return []any{"items", float64(i), "permission", key} }
	out.Name = is.str(p, "name", path("name")...)
	out.Plugin, _, _ = strings.Cut(out.Name, ".")
	switch kind := p.String("type"); kind {
	case "resource":
		if out.ResourceType = is.str(p, "resourceType", path("resourceType")...); out.ResourceType == "" {
			is.add(path("resourceType")...)
		}
	case "basic":
	default:
		is.add(path("type")...)
	}
	attributes, ok := p.Value("attributes").(*jsonvalue.Object)
	if !ok {
		is.wrongType("object", p.Value("attributes"), p.Has("attributes"), path("attributes")...)
		return out
	}
	out.Action = attributes.String("action")
	if attributes.Has("action") && !slices.Contains([]string{"create", "read", "update", "delete"}, out.Action) {
		is.add(append(path("attributes"), "action")...)
	}
	return out
}

// stringList returns nil unless every element is a string.
func stringList(list []any) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		out = append(out, s)
	}
	return out
}

// issues collects what is wrong with a body, in the form of the validator of
// the reference: the message of the error is the JSON of the list.
type issues struct{ list []any }

func (is *issues) add(path ...any) {
	is.list = append(is.list, wire.Obj("code", "invalid_union", "path", path, "message", "Invalid input"))
}

func (is *issues) wrongType(want string, got any, there bool, path ...any) {
	received, message := "undefined", "Required"
	if there {
		received = operation.TypeOf(got)
		message = fmt.Sprintf("Expected %s, received %s", want, received)
	}
	is.list = append(is.list, wire.Obj("code", "invalid_type", "expected", want, "received", received, "path", path, "message", message))
}

func (is *issues) str(o *jsonvalue.Object, key string, path ...any) string {
	s, ok := o.Value(key).(string)
	if !ok {
		is.wrongType("string", o.Value(key), o.Has(key), path...)
	}
	return s
}

func (is *issues) err() error {
	if len(is.list) == 0 {
		return nil
	}
	return catalog.NewError(catalog.NameInput, string(jsonvalue.Append(nil, is.list)))
}
