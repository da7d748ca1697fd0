package catalogapi

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

// Offers are what the catalog offers to programs that choose for themselves
// what to do. The caller's permissions decide, as on the routes.
func (a *API) Offers() []actions.Action {
	return []actions.Action{a.offerModel(), a.offerGet(), a.offerQuery(), a.offerValidate(), a.offerRegister(), a.offerUnregister(), a.offerRefresh()}
}

// event is what the audit log tells of an action, as of the route that does the
// same.
func event(id string, severity audit.Severity, keysAndValues ...string) *actions.Event {
	e := &actions.Event{ID: id, Severity: severity}
	for i := 0; i < len(keysAndValues); i += 2 {
		e.Meta = append(e.Meta, slog.String(keysAndValues[i], keysAndValues[i+1]))
	}
	return e
}

// nameSchema is the input of actions on one entity.
const nameSchema = `{"type":"object","properties":{
	"kind":{"type":"string","minLength":1,"description":"Kind of the entity, such as Component. Leave it out if you do not know it."},
	"namespace":{"type":"string","minLength":1,"description":"Namespace of the entity. Leave it out if you do not know it."},
	"name":{"type":"string","minLength":1,"description":"Name of the entity, or its whole entity ref, such as component:default/shop."}},
	"required":["name"],"additionalProperties":false}`

func (a *API) offerGet() actions.Action {
	return actions.Action{
		Plugin: "catalog", Name: "get-catalog-entity", Title: "Get Catalog Entity", ReadOnly: true, Idempotent: true,
		Audit: event("entity-fetch", audit.Low, "queryType", "by-query"),
		Description: "Gets one entity of the software catalog, with everything that is known of it. " +
			"What names an entity is its entity ref, kind:namespace/name; most are in the namespace default. " +
			"If several entities have the name, the error lists them: ask again with kind and namespace.",
		Input:  actions.Schema(nameSchema),
		Output: actions.Schema(`{"type":"object","properties":{},"additionalProperties":true,"description":"The entity"}`),
		Run:    func(ctx context.Context, c actions.Call) (any, error) { return a.named(ctx, c) },
	}
}

// named returns the one entity that the input of nameSchema means, as far as
// the caller may read.
func (a *API) named(ctx context.Context, c actions.Call) (*jsonvalue.Object, error) {
	name := strings.TrimSpace(c.Input.String("name"))
	found, err := a.Select(ctx, c.Principal, Search{Selection: Selection{Query: meaning(c.Input, name)}})
	if err != nil {
		return nil, err
	}
	switch len(found.Items) {
	case 0:
		return nil, wire.InputError(`No entity found with name "` + name + `"`)
	case 1:
		return found.Items[0], nil
	}
	refs := make([]string, len(found.Items))
	for i, item := range found.Items {
		refs[i] = `"` + (catalog.Entity{Object: item}).Ref().String() + `"`
	}
	return nil, catalog.NewError(catalog.NameConflict, `Multiple entities found with name "`+name+
		`", please provide more specific filters. Entities found: `+strings.Join(refs, ", "))
}

// meaning returns the predicate of nameSchema. A name has no colon and no
// slash, so one that has is an entity ref.
func meaning(input *jsonvalue.Object, name string) *jsonvalue.Object {
	kind, namespace := input.String("kind"), input.String("namespace")
	if ref, err := catalog.ParseEntityRef(name, kind, namespace); err == nil && strings.ContainsAny(name, ":/") {
		name = ref.Name
		if ref.Kind != "" {
			kind = ref.Kind
		}
		if ref.Namespace != "" {
			namespace = ref.Namespace
		}
	}
	out := wire.Obj("metadata.name", name)
	if kind != "" {
		out.Set("kind", kind)
	}
	if namespace != "" {
		out.Set("metadata.namespace", namespace)
	}
	return out
}

func (a *API) offerValidate() actions.Action {
	return actions.Action{
		Plugin: "catalog", Name: "validate-entity", Title: "Validate Catalog Entity", ReadOnly: true, Idempotent: true,
		Audit: event("entity-validate", audit.Low),
		Description: "Checks the contents of a descriptor, such as a catalog-info.yaml, before it is registered: " +
			"whether it is YAML, and whether the catalog would accept the entity. It changes nothing.",
		Input: actions.Schema(`{"type":"object","properties":{
			"entity":{"type":"string","description":"One entity as YAML"},
			"location":{"type":"string","minLength":1,"description":"URL that the entity is to be read from, for relative paths in it"}},
			"required":["entity"],"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{
			"isValid":{"type":"boolean","description":"Whether the catalog would accept it"},
			"isValidYaml":{"type":"boolean","description":"Whether it is YAML at all"},
			"errors":{"type":"array","items":{"type":"string"},"description":"What is wrong with it"},
			"entity":{"type":"object","additionalProperties":{},"description":"The entity, if it is valid"}},
			"required":["isValid","isValidYaml","errors"],"additionalProperties":false}`),
		Run: a.runValidate,
	}
}

// nowhere stands for the place of an entity that comes from nowhere.
const nowhere = "url:https://localhost/entity-validator"

func (a *API) runValidate(ctx context.Context, c actions.Call) (any, error) {
	if err := a.must(ctx, c.Principal, entityValidate, ""); err != nil {
		return nil, err
	}
	location := c.Input.String("location")
	switch {
	case location == "":
		location = nowhere
	case !strings.HasPrefix(location, "url:"):
		location = "url:" + location
	}
	docs := yaml.Parse([]byte(c.Input.String("entity")), yaml.Limits{})
	var entity *jsonvalue.Object
	if len(docs) == 1 {
		if docs[0].Err != nil {
			return verdict(nil, false, "YAML parsing error: "+docs[0].Err.Error()), nil
		}
		entity, _ = docs[0].Value.(*jsonvalue.Object)
	}
	if entity == nil {
		return verdict(nil, len(docs) < 2, "an entity is one YAML document that is an object: check one at a time"), nil
	}
	faults := a.Validator.Validate(ctx, catalog.Entity{Object: entity}, location)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	messages := make([]string, len(faults))
	for i, fault := range faults {
		messages[i] = catalog.ErrorObject(fault).String("message")
	}
	return verdict(entity, true, messages...), nil
}

func verdict(entity *jsonvalue.Object, isYAML bool, faults ...string) *jsonvalue.Object {
	out := wire.Obj("isValid", len(faults) == 0, "isValidYaml", isYAML, "errors", wire.Strings(faults))
	if len(faults) == 0 {
		out.Set("entity", entity)
	}
	return out
}

func (a *API) offerRegister() actions.Action {
	return actions.Action{
		Plugin: "catalog", Name: "register-entity", Title: "Register entity in the Catalog",
		Audit: event("location-mutate", audit.Medium, "actionType", "create"),
		Description: "Registers a descriptor, such as a catalog-info.yaml in a repository, by its URL: the entities in it " +
			"become part of the catalog, and are kept up to date. The id of the location can unregister them again.",
		Input: actions.Schema(`{"type":"object","properties":{
			"locationUrl":{"type":"string","minLength":1,"description":"URL of the descriptor, such as https://github.com/acme/shop/blob/main/catalog-info.yaml"}},
			"required":["locationUrl"],"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{
			"locationId":{"type":"string","description":"Id of the location that was registered"}},
			"required":["locationId"],"additionalProperties":false}`),
		Run: func(ctx context.Context, c actions.Call) (any, error) {
			target := c.Input.String("locationUrl")
			if u, err := url.Parse(target); err != nil || u.Scheme == "" {
				return nil, wire.InputError(target + " is an invalid URL")
			}
			audit.About(ctx, slog.String("target", target))
			l, err := a.register(ctx, c.Principal, catalog.LocationRef{Type: "url", Target: target}, a.OnConflict)
			return wire.Obj("locationId", l.ID), err
		},
	}
}

func (a *API) offerUnregister() actions.Action {
	return actions.Action{
		Plugin: "catalog", Name: "unregister-entity", Title: "Unregister entity from the Catalog", Destructive: true, Idempotent: true,
		Audit: event("location-mutate", audit.Medium, "actionType", "delete"),
		Description: "Unregisters a location, by its id or by the URL that was registered, " +
			"and removes all entities from the catalog that came from there. The repository stays as it is.",
		Input: actions.Schema(`{"type":"object","properties":{"type":{"anyOf":[
			{"type":"object","properties":{"locationId":{"type":"string","minLength":1,"description":"Id of the location"}},"required":["locationId"],"additionalProperties":false},
			{"type":"object","properties":{"locationUrl":{"type":"string","minLength":1,"description":"URL that was registered"}},"required":["locationUrl"],"additionalProperties":false}],
			"description":"Which location: either locationId or locationUrl"}},"required":["type"],"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{},"additionalProperties":false}`),
		Run: func(ctx context.Context, c actions.Call) (any, error) {
			return jsonvalue.NewObject(), a.unregister(ctx, c.Principal, c.Input.Object("type"))
		},
	}
}

func (a *API) unregister(ctx context.Context, who auth.Principal, which *jsonvalue.Object) error {
	if a.Readonly {
		return errReadonly
	}
	if err := a.must(ctx, who, locationDelete, ""); err != nil {
		return err
	}
	ids := []string{which.String("locationId")}
	audit.About(ctx, slog.String("id", ids[0]), slog.String("target", which.String("locationUrl")))
	if target, byURL := which.Value("locationUrl").(string); byURL && !which.Has("locationId") {
		var err error
		if ids, err = a.registered(ctx, who, target); err != nil {
			return err
		}
	}
	for _, id := range ids {
		err := a.Engine.DeleteLocation(ctx, id)
		if errors.Is(err, catalog.ErrNotFound) {
			return noLocation(id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// registered returns the ids of the locations with a target, in whatever case.
func (a *API) registered(ctx context.Context, who auth.Principal, target string) (ids []string, err error) {
	if err := a.must(ctx, who, locationRead, ""); err != nil {
		return nil, err
	}
	all, err := a.Engine.Locations(ctx)
	for _, l := range all {
		if strings.EqualFold(l.Target, target) {
			ids = append(ids, l.ID)
		}
	}
	if err == nil && ids == nil {
		err = wire.NotFound("Location with URL " + target + " not found")
	}
	return ids, err
}

func (a *API) offerRefresh() actions.Action {
	return actions.Action{
		Plugin: "catalog", Name: "refresh-catalog-entity", Title: "Refresh Catalog Entity", Idempotent: true,
		Audit: event("entity-mutate", audit.Medium, "queryType", "refresh"),
		Description: "Makes the catalog read an entity again from where it comes from, without waiting for the next time. " +
			"Of use right after its descriptor has changed.",
		Input: actions.Schema(nameSchema),
		Output: actions.Schema(`{"type":"object","properties":{
			"entityRef":{"type":"string","description":"Entity ref of what is read again"}},
			"required":["entityRef"],"additionalProperties":false}`),
		Run: func(ctx context.Context, c actions.Call) (any, error) {
			entity, err := a.named(ctx, c)
			if err != nil {
				return nil, err
			}
			ref := (catalog.Entity{Object: entity}).Ref().String()
			if err := a.must(ctx, c.Principal, entityRefresh, ref); err != nil {
				return nil, err
			}
			audit.About(ctx, slog.String("entityRef", ref))
			return wire.Obj("entityRef", ref), a.Engine.Refresh(ctx, ref)
		},
	}
}

// must returns an error that names the permission unless somebody has it.
func (a *API) must(ctx context.Context, who auth.Principal, p permission.Permission, resourceRef string) error {
	d, err := a.Decider.Decide(ctx, who, p, resourceRef)
	if err == nil && d.Result != permission.Allow {
		err = wire.NotAllowed("The permission " + p.Name + " is needed")
	}
	return err
}
