package permission

import (
	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// AnswerConditions answers POST /.well-known/backstage/permissions/
// apply-conditions of a plugin, for services and for plugins that act for a
// user: which of some resources, of the
// one type that the plugin can look up, meet conditions.
func AnswerConditions(c *gin.Context, resourceType string, a Applier) (any, error) {
	switch who := auth.PrincipalFrom(c.Request.Context()); {
	case who.Kind == auth.Service, who.Actor != "":
	case who.Kind == auth.None:
		return nil, wire.Unauthenticated("Missing credentials")
	default:
		return nil, wire.NotAllowed("")
	}
	body, _, err := wire.ReadJSON(c.Request, wire.BodyLimit)
	if err != nil {
		return nil, inputError(err)
	}
	items, err := parseConditionItems(body, resourceType)
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

// inputError makes a fault of the body one of the input.
func inputError(err error) error {
	if e, ok := err.(*catalog.Error); ok {
		return wire.InputError(e.Message)
	}
	return err
}

type conditionItem struct {
	id       string
	refs     []string
	isList   bool
	criteria *Criteria
}

func (item conditionItem) results(met []bool) any {
	list := make([]any, len(met))
	for i, ok := range met {
		list[i] = Deny.String()
		if ok {
			list[i] = Allow.String()
		}
	}
	if item.isList {
		return list
	}
	return list[0]
}

func parseConditionItems(body any, resourceType string) ([]conditionItem, error) {
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
		if t := item.String("resourceType"); t != resourceType {
			return nil, wire.InputError("Unexpected resource types: " + t + ".")
		}
		out[i].id = item.String("id")
		switch ref := item.Value("resourceRef").(type) {
		case string:
			out[i].refs = []string{ref}
		case []any:
			if out[i].refs, out[i].isList = stringList(ref), true; out[i].refs == nil {
				return nil, malformed
			}
		default:
			return nil, malformed
		}
		criteria, err := ParseCriteria(item.Value("conditions"))
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
