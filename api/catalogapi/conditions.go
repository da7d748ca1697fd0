package catalogapi

import (
	"context"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// PermissionMetadata answers GET /.well-known/backstage/permissions/metadata.
func (a *API) PermissionMetadata(*gin.Context) (any, error) {
	permissions := []any{}
	for _, p := range published() {
		attributes := jsonvalue.NewObject()
		if p.Action != "" {
			attributes.Set("action", p.Action)
		}
		o := wire.Obj("type", "basic", "name", p.Name, "attributes", attributes)
		if p.ResourceType != "" {
			o.Set("type", "resource")
			o.Set("resourceType", p.ResourceType)
		}
		permissions = append(permissions, o)
	}
	list := []any{}
	for i := range rules {
		list = append(list, rules[i].describe())
	}
	return wire.Obj("permissions", permissions, "rules", list), nil
}

// ApplyConditions answers POST /.well-known/backstage/permissions/apply-conditions
// for services: which of some entities meet conditions.
func (a *API) ApplyConditions(c *gin.Context) (any, error) {
	switch auth.PrincipalFrom(c.Request.Context()).Kind {
	case auth.Service:
	case auth.None:
		return nil, wire.Unauthenticated("Missing credentials")
	default:
		return nil, errDenied
	}
	body, _, err := wire.ReadJSON(c.Request, wire.BodyLimit)
	if err != nil {
		return nil, wire.InputError(operation.Message(err))
	}
	items, err := parseConditionItems(body)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(items))
	for i, item := range items {
		met, err := a.Apply(c.Request.Context(), item.refs, item.criteria)
		if err != nil {
			return nil, err
		}
		out[i] = wire.Obj("id", item.id, "result", item.results(met))
	}
	return wire.Obj("items", out), nil
}

// Apply tells which entities meet criteria; see permission.Applier.
func (a *API) Apply(ctx context.Context, refs []string, c *permission.Criteria) ([]bool, error) {
	predicate, err := predicateOf(c, true) // owners are compared with their case here, unlike in lists
	if err != nil {
		return nil, err
	}
	return a.Reader.Matching(ctx, refs, predicate)
}

var _ permission.Applier = (*API)(nil)

type conditionItem struct {
	id       string
	refs     []string
	isList   bool
	criteria *permission.Criteria
}

func (item conditionItem) results(met []bool) any {
	list := make([]any, len(met))
	for i, ok := range met {
		list[i] = permission.Deny.String()
		if ok {
			list[i] = permission.Allow.String()
		}
	}
	if item.isList {
		return list
	}
	return list[0]
}

func parseConditionItems(body any) ([]conditionItem, error) {
	malformed := wire.InputError("request/body must be {items: [{id, resourceRef, resourceType, conditions}]}")
	o, _ := body.(*jsonvalue.Object)
	list, ok := o.Value("items").([]any)
	if !ok {
		return nil, malformed
	}
	out := make([]conditionItem, len(list))
	for i, v := range list {
		item, ok := v.(*jsonvalue.Object)
		if !ok || !isText(item, "id") || !isText(item, "resourceType") {
			return nil, malformed
		}
		if t := item.String("resourceType"); t != EntityType {
			return nil, wire.InputError("Unexpected resource types: " + t + ".")
		}
		out[i].id = item.String("id")
		switch ref := item.Value("resourceRef").(type) {
		case string:
			out[i].refs = []string{ref}
		case []any:
			if !isTextList(ref) {
				return nil, malformed
			}
			out[i].refs, out[i].isList = operation.StringsOf(item, "resourceRef"), true
		default:
			return nil, malformed
		}
		criteria, err := permission.ParseCriteria(item.Value("conditions"))
		if err != nil {
			return nil, wire.InputError(err.Error())
		}
		out[i].criteria = criteria
	}
	return out, nil
}

func isText(o *jsonvalue.Object, key string) bool {
	_, ok := o.Value(key).(string)
	return ok
}
