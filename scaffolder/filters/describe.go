package filters

import (
	"context"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

func parseRepoURL(hosts Hosts) Filter {
	return Filter{
		Name:        "parseRepoUrl",
		Description: "Takes a repository URL, as the field RepoUrlPicker writes it, apart into host, owner, repo and what else its host names repositories by.",
		Input:       schemaOf("string", "A repository URL such as github.com?owner=acme&repo=shop"),
		Output:      repoURLSchema(),
		Examples: []Example{{
			Description: "The parts of a repository URL",
			Example: "- id: log\n  name: Parse Repo URL\n  action: debug:log\n  input:\n" +
				"    message: ${{ parameters.repoUrl | parseRepoUrl }}\n",
			Notes: "For github.com?owner=acme&repo=shop the message is an object with host github.com, owner acme and repo shop.",
		}},
		Call: func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
			r, err := callParseRepoURL(hosts, args)
			return r.value(), err
		},
	}
}

func projectSlug(hosts Hosts) Filter {
	return Filter{
		Name:        "projectSlug",
		Description: "Makes owner/repo of a repository URL.",
		Input:       schemaOf("string", "A repository URL such as github.com?owner=acme&repo=shop"),
		Output:      schemaOf("string", "The owner and the name of the repository with a slash between them"),
		Examples: []Example{{
			Description: "The slug of a repository",
			Example: "- id: log\n  name: Project Slug\n  action: debug:log\n  input:\n" +
				"    message: ${{ parameters.repoUrl | projectSlug }}\n",
			Notes: "For github.com?owner=acme&repo=shop the message is acme/shop.",
		}},
		Call: func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
			r, err := callParseRepoURL(hosts, args)
			if err != nil {
				return nunjucks.UndefinedValue(), err
			}
			return nunjucks.StringValue(r.Slug()), nil
		},
	}
}

func parseEntityRef() Filter {
	return Filter{
		Name:        "parseEntityRef",
		Description: "Takes an entity ref apart into kind, namespace and name.",
		Input:       schemaOf("string", "An entity ref such as group:default/team-a"),
		Arguments: []any{object(
			"type", "object",
			"properties", object(
				"defaultKind", schemaOf("string", "The kind of refs that name none"),
				"defaultNamespace", schemaOf("string", "The namespace of refs that name none"),
			),
			"additionalProperties", false,
		)},
		Output: object(
			"type", "object",
			"properties", object("kind", schemaOf("string", ""), "namespace", schemaOf("string", ""), "name", schemaOf("string", "")),
			"required", []any{"kind", "namespace", "name"},
			"additionalProperties", false,
		),
		Examples: []Example{{
			Description: "A complete ref",
			Example: "- id: log\n  name: Parse Entity Reference\n  action: debug:log\n  input:\n" +
				"    message: ${{ parameters.owner | parseEntityRef }}\n",
			Notes: "For group:default/team-a the message is an object with kind group, namespace default and name team-a.",
		}, {
			Description: "A ref without a kind",
			Example: "- id: log\n  name: Parse Entity Reference\n  action: debug:log\n  input:\n" +
				"    message: ${{ parameters.owner | parseEntityRef({ defaultKind: \"group\", defaultNamespace: \"acme\" }) }}\n",
			Notes: "For team-a the message is an object with kind group, namespace acme and name team-a.",
		}},
		Call: callParseEntityRef,
	}
}

func pick() Filter {
	return Filter{
		Name:        "pick",
		Description: "Picks a member of an object, or what a path of members leads to.",
		Input:       object("description", "An object or a list; of anything else nothing is picked"),
		Arguments:   []any{schemaOf("string", "The name of a member, or a path such as metadata.tags[0]")},
		Output:      object("description", "The value found, nothing where there is none"),
		Examples: []Example{{
			Description: "The name of the owner",
			Example: "- id: log\n  name: Pick\n  action: debug:log\n  input:\n" +
				"    message: ${{ parameters.owner | parseEntityRef | pick('name') }}\n",
			Notes: "For group:default/team-a the message is team-a.",
		}},
		Call: callPick,
	}
}

// object makes a JSON object of keys and values in turn.
func object(pairs ...any) *jsonvalue.Object {
	o := &jsonvalue.Object{}
	for i := 0; i < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

func schemaOf(kind, description string) *jsonvalue.Object {
	o := object("type", kind)
	if description != "" {
		o.Set("description", description)
	}
	return o
}

func repoURLSchema() *jsonvalue.Object {
	return object(
		"type", "object",
		"properties", object(
			"host", schemaOf("string", "The host, with its port where that is not the default one"),
			"owner", schemaOf("string", ""),
			"repo", schemaOf("string", ""),
			"organization", schemaOf("string", ""),
			"workspace", schemaOf("string", ""),
			"project", schemaOf("string", ""),
		),
		"required", []any{"host"},
		"additionalProperties", false,
	)
}
