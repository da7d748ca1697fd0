package scaffolderapi

import (
	"context"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A TemplateFinder is a Catalog that finds templates which contain a text, or
// all for "", as far as who asks may read them: a page, how many there are, and
// the cursor of the next page, "" at the end.
type TemplateFinder interface {
	FindTemplates(ctx context.Context, who auth.Principal, text, cursor string, limit int) (page []*jsonvalue.Object, total int, next string, err error)
}

// defaultTemplates is how many templates are listed if nothing is said.
const defaultTemplates = 50

// offerTemplates is an action that the reference does not have.
func offerTemplates(finder TemplateFinder) actions.Action {
	return actions.Action{
		Plugin: "scaffolder", Name: "list-scaffolder-templates", Title: "List Scaffolder Templates", ReadOnly: true, Idempotent: true,
		Description: "Lists the templates that you can run, and what each of them creates. " +
			"Get the entity of one, by its templateRef, to see its parameters; run it with execute-template.",
		Input: actions.Schema(`{"type":"object","properties":{
			"text":{"type":"string","description":"Text that name, title, description or tags must contain"},
			"limit":{"type":"integer","minimum":1,"maximum":200,"description":"How many to return at most; 50 if it is left out"},
			"cursor":{"type":"string","minLength":1,"description":"The nextPageCursor of the page before"}},
			"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{
			"templates":{"type":"array","description":"The templates","items":{"type":"object","properties":{
				"templateRef":{"type":"string"},"title":{"type":"string"},"description":{"type":"string"},"type":{"type":"string"},
				"owner":{"type":"string"},"tags":{"type":"array","items":{"type":"string"}}},
				"required":["templateRef","title"],"additionalProperties":false}},
			"totalTemplates":{"type":"number","description":"How many there are on all pages"},
			"nextPageCursor":{"type":"string","description":"What to give as cursor for the next page"}},
			"required":["templates","totalTemplates"],"additionalProperties":false}`),
		Run: func(ctx context.Context, c actions.Call) (any, error) {
			limit := defaultTemplates
			if n, ok := c.Input.Value("limit").(float64); ok {
				limit = int(n)
			}
			page, total, next, err := finder.FindTemplates(ctx, c.Principal, c.Input.String("text"), c.Input.String("cursor"), limit)
			if err != nil {
				return nil, err
			}
			list := make([]any, len(page))
			for i, o := range page {
				list[i] = summary(catalog.Entity{Object: o})
			}
			out := wire.Obj("templates", list, "totalTemplates", float64(total))
			if next != "" {
				out.Set("nextPageCursor", next)
			}
			return out, nil
		},
	}
}

func summary(e catalog.Entity) *jsonvalue.Object {
	metadata, spec := e.Metadata(), e.Spec()
	title := metadata.String("title")
	if title == "" {
		title = metadata.String("name")
	}
	out := wire.Obj("templateRef", e.Ref().String(), "title", title)
	for _, f := range []struct{ key, text string }{
		{"description", metadata.String("description")}, {"type", spec.String("type")}, {"owner", spec.String("owner")},
	} {
		if f.text != "" {
			out.Set(f.key, f.text)
		}
	}
	var tags []any
	all, _ := metadata.Value("tags").([]any)
	for _, tag := range all {
		if s, ok := tag.(string); ok {
			tags = append(tags, s)
		}
	}
	if tags != nil {
		out.Set("tags", tags)
	}
	return out
}
