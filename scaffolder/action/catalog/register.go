package catalog

import (
	"context"
	"errors"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// registerInput is one of two forms; see registerSchema.
type registerInput struct {
	CatalogInfoURL  string `json:"catalogInfoUrl,omitempty"`
	RepoContentsURL string `json:"repoContentsUrl,omitempty"`
	CatalogInfoPath string `json:"catalogInfoPath,omitempty"`
	Optional        bool   `json:"optional,omitempty"`
}

func registerSchema() *jsonvalue.Object {
	return mustParse(`{
		"anyOf": [
			{
				"type": "object",
				"properties": {
					"catalogInfoUrl": {"type": "string", "description": "The absolute URL of a descriptor"},
					"optional": {"type": "boolean", "description": "Go on if it cannot be registered"}
				},
				"required": ["catalogInfoUrl"],
				"additionalProperties": false
			},
			{
				"type": "object",
				"properties": {
					"repoContentsUrl": {"type": "string", "description": "The absolute URL of the root folder of a repository"},
					"catalogInfoPath": {"type": "string", "description": "The path of the descriptor in the repository; /catalog-info.yaml if it is not given"},
					"optional": {"type": "boolean", "description": "Go on if it cannot be registered"}
				},
				"required": ["repoContentsUrl"],
				"additionalProperties": false
			}
		],
		"$schema": "http://json-schema.org/draft-07/schema#"
	}`)
}

func register(o Options) action.Action {
	return action.New(action.Spec{
		ID:          "catalog:register",
		Description: "Registers a descriptor in the software catalog.",
		Repeatable:  true,
		Input:       registerSchema(),
		Examples: []action.Example{{
			Description: "Register the descriptor of a repository that was published",
			Example: "steps:\n  - id: register\n    name: Register in the catalog\n    action: catalog:register\n    input:\n" +
				"      repoContentsUrl: ${{ steps.publish.output.repoContentsUrl }}\n      catalogInfoPath: /catalog-info.yaml\n",
		}, {
			Description: "Register by URL, if it is there",
			Example: "steps:\n  - id: register\n    name: Register in the catalog\n    action: catalog:register\n    input:\n" +
				"      catalogInfoUrl: https://github.com/acme/shop/blob/main/catalog-info.yaml\n      optional: true\n",
		}},
	}, func(ctx context.Context, c *action.Context, in registerInput) error {
		return runRegister(ctx, c, o, in)
	})
}

func runRegister(ctx context.Context, c *action.Context, o Options, in registerInput) error {
	url, err := in.url(o.Resolver)
	if err != nil {
		return err
	}
	c.Infof("Registering %s in the catalog", url)
	location := catalog.LocationRef{Type: "url", Target: url}
	if err := in.tolerate(ctx, c, add(ctx, c, o.Catalog, location)); err != nil {
		return err
	}
	entities, err := o.Catalog.PreviewLocation(ctx, c.Initiator, location)
	if err := in.tolerate(ctx, c, err); err != nil {
		return err
	}
	if ref, ok := mainEntity(entities); ok {
		c.Output("entityRef", ref.String())
	}
	c.Output("catalogInfoUrl", url)
	return nil
}

func (in registerInput) url(resolver Resolver) (string, error) {
	if in.CatalogInfoURL != "" || in.RepoContentsURL == "" {
		if in.CatalogInfoURL == "" {
			return "", catalog.NewError(catalog.NameInput, "catalogInfoUrl or repoContentsUrl must not be empty; is there an output of that name in the step that publishes?")
		}
		return in.CatalogInfoURL, nil
	}
	path := in.CatalogInfoPath
	if path == "" {
		path = "/catalog-info.yaml"
	}
	url, ok, err := resolver.ResolveURL(path, in.RepoContentsURL)
	if err != nil {
		return "", catalog.NewError(catalog.NameInput, "repoContentsUrl: "+err.Error())
	}
	if !ok {
		return "", catalog.NewError(catalog.NameInput, "No integration found for host "+in.RepoContentsURL)
	}
	return url, nil
}

// tolerate returns nil for errors that an optional registration may have.
func (in registerInput) tolerate(ctx context.Context, c *action.Context, err error) error {
	if err == nil || !in.Optional || ctx.Err() != nil {
		return err
	}
	c.Warnf("The registration is optional and was left out: %s", err)
	return nil
}

// add registers a location once. A conflict is no error if an earlier run of
// this step came as far as asking: it was that run which registered it.
func add(ctx context.Context, c *action.Context, to Catalog, location catalog.LocationRef) error {
	first := false
	_, err := action.Checkpoint(ctx, c, "register.location.asked."+location.Target, func(context.Context) (bool, error) {
		first = true
		return true, nil
	})
	if err != nil {
		return err
	}
	_, err = action.Checkpoint(ctx, c, "register.location."+location.Target, func(ctx context.Context) (bool, error) {
		err := to.RegisterLocation(ctx, c.Initiator, location)
		if !first && errors.Is(err, catalog.ErrConflict) {
			err = nil
		}
		return true, err
	})
	return err
}

// mainEntity picks the entity that the output names: a component, if there is
// one, and none that stands for a location, if there are others.
func mainEntity(entities []catalog.Entity) (catalog.EntityRef, bool) {
	best, rank := catalog.Entity{}, 0
	for _, e := range entities {
		r := 1
		if !strings.HasPrefix(e.Name(), "generated-") {
			r = 2
			if e.Kind() == "Component" {
				r = 3
			}
		}
		if r > rank {
			best, rank = e, r
		}
	}
	return best.Ref(), rank > 0
}
