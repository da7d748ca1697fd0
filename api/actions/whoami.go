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

// WhoAmI is the action auth:who-am-i: it tells a user what the catalog and the
// last sign-in say about that user.
func WhoAmI(people People) Action {
	return Action{
		Plugin: "auth", Name: "who-am-i", Title: "Who Am I", ReadOnly: true, Idempotent: true,
		Description: "Returns the catalog entity of the user who asks, and what that user owns. Services are refused.",
		Input:       Schema(`{"type":"object","properties":{},"additionalProperties":false}`),
		Output: Schema(`{"type":"object","properties":{
			"entity":{"type":"object","properties":{},"additionalProperties":true,"description":"The user's entity in the catalog"},
			"userInfo":{"type":"object","properties":{
				"userEntityRef":{"type":"string","description":"Entity ref of the user, such as user:default/jane"},
				"ownershipEntityRefs":{"type":"array","items":{"type":"string"},"description":"Entity refs that the user acts for"}},
				"required":["userEntityRef","ownershipEntityRefs"],"additionalProperties":false}},
			"required":["entity","userInfo"],"additionalProperties":false}`),
		Run: func(ctx context.Context, c Call) (any, error) {
			if c.Kind != auth.User {
				return nil, wire.NotAllowed("This action requires user credentials")
			}
			return describe(ctx, people, c.Subject)
		},
	}
}

func describe(ctx context.Context, people People, user string) (any, error) {
	entity, err := people.Entity(ctx, user)
	if err != nil {
		return nil, err
	}
	if entity == nil {
		return nil, wire.NotFound(`User entity not found in the catalog for "` + user + `"`)
	}
	owned, err := people.Ownership(ctx, user)
	if err != nil {
		return nil, err
	}
	parsed, err := jsonvalue.Parse(entity)
	if err != nil {
		return nil, err
	}
	return wire.Obj("entity", parsed, "userInfo", wire.Obj("userEntityRef", user, "ownershipEntityRefs", wire.Strings(owned))), nil
}
