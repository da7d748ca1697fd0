package catalog

import (
	"context"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue/yamltext"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// annotationSourceTemplate says which template made an entity.
const annotationSourceTemplate = "backstage.io/source-template"

type writeInput struct {
	FilePath string            `json:"filePath,omitempty" doc:"The file to write; catalog-info.yaml if it is not given"`
	Entity   *jsonvalue.Object `json:"entity" doc:"The entity"`
}

func write() action.Action {
	return action.New(action.Spec{
		ID:          "catalog:write",
		Description: "Writes an entity into a descriptor in the workspace, with an annotation that says which template made it.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Write catalog-info.yaml",
			Example: "steps:\n  - id: describe\n    name: Write the descriptor\n    action: catalog:write\n    input:\n      entity:\n" +
				"        apiVersion: backstage.io/v1alpha1\n        kind: Component\n        metadata:\n          name: ${{ parameters.name }}\n" +
				"        spec:\n          type: service\n          lifecycle: production\n          owner: ${{ parameters.owner }}\n",
		}, {
			Description: "Write another file",
			Example: "steps:\n  - id: describe\n    name: Write the descriptor of the API\n    action: catalog:write\n    input:\n" +
				"      filePath: api/catalog-info.yaml\n      entity:\n        apiVersion: backstage.io/v1alpha1\n        kind: API\n" +
				"        metadata:\n          name: ${{ parameters.name }}-api\n        spec:\n          type: openapi\n          lifecycle: production\n" +
				"          owner: ${{ parameters.owner }}\n          definition:\n            $text: ./openapi.yaml\n",
		}},
	}, runWrite)
}

func runWrite(_ context.Context, c *action.Context, in writeInput) error {
	name := in.FilePath
	if name == "" {
		name = "catalog-info.yaml"
	}
	file, err := c.Workspace.Resolve(name)
	if err != nil {
		return err
	}
	entity := catalog.Entity{Object: in.Entity.Clone()}
	if err := annotate(entity, c.Template.EntityRef); err != nil {
		return err
	}
	c.Infof("Writing %s", name)
	return c.Workspace.WriteFile(file, yamltext.Append(nil, entity.Object), 0o644)
}

// annotate adds which template made the entity, if that is known. What is
// there and no object is not written over.
func annotate(entity catalog.Entity, template string) error {
	metadata := entity.Metadata()
	if metadata == nil {
		return catalog.NewError(catalog.NameInput, "entity.metadata: an entity has an object of that name, with at least a name")
	}
	if v, there := metadata.Get("annotations"); there && v != nil && metadata.Object("annotations") == nil {
		return catalog.NewError(catalog.NameInput, "entity.metadata.annotations: expected an object of texts")
	}
	if template != "" {
		entity.SetAnnotation(annotationSourceTemplate, template)
	}
	return nil
}
