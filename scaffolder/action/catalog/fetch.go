package catalog

import (
	"context"
	"fmt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// maxRefs is how many entities a step may fetch: they become an output, which
// is kept with the task.
const maxRefs = 1000

type fetchInput struct {
	EntityRef        string   `json:"entityRef,omitempty" doc:"The ref of the entity to fetch"`
	EntityRefs       []string `json:"entityRefs,omitempty" doc:"The refs of the entities to fetch"`
	Optional         bool     `json:"optional,omitempty" doc:"Entities that do not exist are null, instead of an error"`
	DefaultKind      string   `json:"defaultKind,omitempty" doc:"The kind of refs that name none"`
	DefaultNamespace string   `json:"defaultNamespace,omitempty" doc:"The namespace of refs that name none"`
}

// fetchOutput describes the outputs: each is there if it was asked for.
func fetchOutput() *jsonvalue.Object {
	return mustParse(`{
		"type": "object",
		"properties": {
			"entity": {"description": "The entity of entityRef; null if it does not exist and is optional"},
			"entities": {"type": "array", "description": "The entities of entityRefs, in their order"}
		},
		"additionalProperties": false,
		"$schema": "http://json-schema.org/draft-07/schema#"
	}`)
}

func fetch(from Catalog) action.Action {
	return action.New(action.Spec{
		ID:          "catalog:fetch",
		Description: "Fetches entities from the software catalog, as far as who started the task may read them.",
		DryRun:      true,
		Repeatable:  true,
		Output:      fetchOutput(),
		Examples: []action.Example{{
			Description: "Fetch an entity",
			Example: "steps:\n  - id: fetch\n    name: Fetch the system\n    action: catalog:fetch\n    input:\n" +
				"      entityRef: system:default/${{ parameters.system }}\n",
		}, {
			Description: "Fetch groups, if they exist",
			Example: "steps:\n  - id: fetch\n    name: Fetch the teams\n    action: catalog:fetch\n    input:\n" +
				"      entityRefs:\n        - team-a\n        - team-b\n      defaultKind: group\n      optional: true\n",
		}},
	}, func(ctx context.Context, c *action.Context, in fetchInput) error { return runFetch(ctx, c, from, in) })
}

func runFetch(ctx context.Context, c *action.Context, from Catalog, in fetchInput) error {
	single, many := in.EntityRef != "", in.EntityRefs != nil
	switch {
	case !single && !many && in.Optional:
		return nil
	case !single && !many:
		return catalog.NewError(catalog.NameError, "Missing entity reference or references")
	case len(in.EntityRefs) > maxRefs:
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("entityRefs: a step may fetch %d entities at most", maxRefs))
	}
	if single {
		entities, err := in.fetch(ctx, c, from, "entityRef", []string{in.EntityRef})
		if err != nil {
			return err
		}
		c.Output("entity", entities[0])
	}
	if many {
		entities, err := in.fetch(ctx, c, from, "entityRefs", in.EntityRefs)
		if err != nil {
			return err
		}
		c.Output("entities", entities)
	}
	return nil
}

// fetch returns one value for each ref: the entity or, where that may be, nil.
func (in fetchInput) fetch(ctx context.Context, c *action.Context, from Catalog, input string, texts []string) ([]any, error) {
	refs := make([]catalog.EntityRef, len(texts))
	for i, text := range texts {
		var err error
		if refs[i], err = catalog.ParseEntityRef(text, in.DefaultKind, in.DefaultNamespace); err != nil {
			return nil, catalog.NewError(catalog.NameInput, input+": "+err.Error())
		}
	}
	entities, err := from.EntitiesByRefs(ctx, c.Initiator, refs)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(texts))
	for i := range texts {
		switch {
		case i < len(entities) && entities[i].Object != nil:
			out[i] = entities[i].Object
		case !in.Optional:
			return nil, catalog.NewError(catalog.NameError, fmt.Sprintf("Entity %s not found", texts[i]))
		}
	}
	return out, nil
}
