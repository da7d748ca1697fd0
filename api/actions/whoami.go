package actions

import (
	"context"
	"encoding/json"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// People know users.
type People interface {
	// Entity returns the entity of a user as JSON, nil if the catalog has
	// none.
	Entity(ctx context.Context, userEntityRef string) (json.RawMessage, error)
	// Ownership returns the entity refs that a user acts for.
	Ownership(ctx context.Context, userEntityRef string) ([]string, error)
}

const draft = "http://json-schema.org/draft-07/schema#"

func objectSchema(properties *jsonvalue.Object, required ...string) *jsonvalue.Object {
	o := wire.Obj("type", "object", "properties", properties)
	if len(required) > 0 {
		o.Set("required", wire.Strings(required))
	}
	o.Set("additionalProperties", false)
	return o
}

// WhoAmI is the action auth:who-am-i: it tells a user what the catalog and the
// last sign-in say about that user.
func WhoAmI(people People) Action {
	input := objectSchema(jsonvalue.NewObject())
	input.Set("$schema", draft)
	info := objectSchema(wire.Obj(
		"userEntityRef", wire.Obj("type", "string", "description", "Entity ref of the user, such as user:default/jane"),
		"ownershipEntityRefs", wire.Obj("type", "array", "items", wire.Obj("type", "string"),
			"description", "Entity refs that the user acts for"),
	), "userEntityRef", "ownershipEntityRefs")
	output := objectSchema(wire.Obj(
		"entity", wire.Obj("type", "object", "properties", jsonvalue.NewObject(), "additionalProperties", true,
			"description", "The user's entity in the catalog"),
		"userInfo", info,
	), "entity", "userInfo")
	output.Set("$schema", draft)
	return Action{
		Plugin: "auth", Name: "who-am-i", Title: "Who Am I", ReadOnly: true, Idempotent: true,
		Description: "Returns the catalog entity of the user who asks, and what that user owns. Services are refused.",
		Input:       input, Output: output,
		Run: func(ctx context.Context, who auth.Principal, _ *jsonvalue.Object) (any, error) {
			if who.Kind != auth.User {
				return nil, wire.NotAllowed("This action requires user credentials")
			}
			entity, err := people.Entity(ctx, who.Subject)
			if err != nil {
				return nil, err
			}
			if entity == nil {
				return nil, wire.NotFound(`User entity not found in the catalog for "` + who.Subject + `"`)
			}
			owned, err := people.Ownership(ctx, who.Subject)
			if err != nil {
				return nil, err
			}
			parsed, err := jsonvalue.Parse(entity)
			if err != nil {
				return nil, err
			}
			return wire.Obj("entity", parsed, "userInfo", wire.Obj("userEntityRef", who.Subject, "ownershipEntityRefs", wire.Strings(owned))), nil
		},
	}
}
