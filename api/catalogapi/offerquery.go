package catalogapi

import (
	"context"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/api/wire/operation"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Selected is a page of entities.
type Selected struct {
	Items []*jsonvalue.Object
	Total int
	Next  string // the cursor of the next page, "" at the end
}

// Select returns a page of the entities that somebody may read. Only of the
// search is set by it.
func (a *API) Select(ctx context.Context, who auth.Principal, s Search) (out Selected, err error) {
	only, denied, err := a.readableBy(ctx, who)
	if err != nil || denied {
		return out, err
	}
	s.Only = only
	page, err := a.Reader.Query(ctx, s)
	if err != nil {
		return out, err
	}
	if page.Release != nil {
		defer page.Release()
	}
	body, err := jsonvalue.ParseObject(page.Body)
	if err != nil {
		return out, err
	}
	items, _ := body.Value("items").([]any)
	for _, item := range items {
		if o, ok := item.(*jsonvalue.Object); ok {
			out.Items = append(out.Items, o)
		}
	}
	total, _ := body.Value("totalItems").(float64)
	out.Total, out.Next = int(total), body.Object("pageInfo").String("nextCursor")
	return out, nil
}

// maxOffered is how many entities an action returns at most. Those who ask for
// more get a cursor.
const maxOffered = 1000

const orderSchema = `{"type":"object","properties":{
	"field":{"type":"string","description":"Path of the field to order by, such as metadata.name"},
	"order":{"type":"string","enum":["asc","desc"]}},"required":["field","order"],"additionalProperties":false}`

func (a *API) offerQuery() actions.Action {
	return actions.Action{
		Plugin: "catalog", Name: "query-catalog-entities", Title: "Query Catalog Entities", ReadOnly: true, Idempotent: true,
		Audit:       event("entity-fetch", audit.Low, "queryType", "by-query"),
		Description: aboutQueries,
		Input: actions.Schema(`{"type":"object","properties":{
			"query":{"type":"object","additionalProperties":{},"description":"Which entities: fields with values, and $all, $any, $not, $exists, $in, $contains, $hasPrefix"},
			"fields":{"type":"array","items":{"type":"string"},"description":"Paths of the fields to return, such as spec.type; all if it is left out"},
			"limit":{"type":"integer","exclusiveMinimum":0,"description":"How many entities to return at most; 20 if it is left out, and never more than 1000"},
			"offset":{"type":"integer","minimum":0,"description":"How many entities to skip"},
			"orderFields":{"anyOf":[` + orderSchema + `,{"type":"array","items":` + orderSchema + `}],"description":"Order of the entities; of several, the first counts"},
			"fullTextFilter":{"type":"object","properties":{
				"term":{"type":"string","description":"Text to look for"},
				"fields":{"type":"array","items":{"type":"string"},"description":"Paths of the fields to look in"}},
				"required":["term"],"additionalProperties":false,"description":"Text that the entities must contain"},
			"cursor":{"type":"string","minLength":1,"description":"The nextPageCursor of the page before; with it, offset does not count"}},
			"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{
			"items":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":true},"description":"The entities"},
			"totalItems":{"type":"number","description":"How many entities there are on all pages"},
			"hasMoreEntities":{"type":"boolean","description":"Whether there is a page after this one"},
			"nextPageCursor":{"type":"string","description":"What to give as cursor for the next page"}},
			"required":["items","totalItems","hasMoreEntities"],"additionalProperties":false}`),
		Run: a.runQuery,
	}
}

func (a *API) runQuery(ctx context.Context, c actions.Call) (any, error) {
	found, err := a.Select(ctx, c.Principal, searchOf(c.Input))
	if err != nil {
		return nil, err
	}
	items := make([]any, len(found.Items))
	for i, item := range found.Items {
		items[i] = item
	}
	out := wire.Obj("items", items, "totalItems", float64(found.Total), "hasMoreEntities", found.Next != "")
	if found.Next != "" {
		out.Set("nextPageCursor", found.Next)
	}
	return out, nil
}

func searchOf(in *jsonvalue.Object) Search {
	s := Search{Selection: Selection{Query: in.Object("query")}, Cursor: in.String("cursor"), Fields: emptyIsNil(operation.StringsOf(in, "fields"))}
	if n, ok := in.Value("limit").(float64); ok {
		limit := int(min(n, maxOffered))
		s.Limit = &limit
	}
	if n, ok := in.Value("offset").(float64); ok && s.Cursor == "" {
		offset := int(min(n, 1<<30))
		s.Offset = &offset
	}
	order, _ := in.Value("orderFields").(*jsonvalue.Object)
	if list, _ := in.Value("orderFields").([]any); len(list) > 0 {
		order, _ = list[0].(*jsonvalue.Object)
	}
	if order != nil && s.Cursor == "" {
		s.OrderField, s.Order = order.String("field"), order.String("order")
	}
	if text := in.Object("fullTextFilter"); text != nil {
		s.Term, s.HasTerm, s.TermFields = text.String("term"), true, emptyIsNil(operation.StringsOf(text, "fields"))
	}
	return s
}

func (a *API) offerModel() actions.Action {
	return actions.Action{
		Plugin: "catalog", Name: "get-catalog-model-description", Title: "Get a Catalog Model Description", ReadOnly: true, Idempotent: true,
		Description: "Returns a description in Markdown of what is in a catalog: the kinds of entities, their fields, and how they relate.",
		Input:       actions.Schema(`{"type":"object","properties":{},"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{
			"description":{"type":"string","description":"The description, in Markdown"}},
			"required":["description"],"additionalProperties":false}`),
		Run: func(context.Context, actions.Call) (any, error) { return wire.Obj("description", aboutModel), nil },
	}
}

const aboutQueries = "Finds entities in the software catalog.\n\n" + aboutModel + `
## Queries

A query is an object of fields, by their paths, and of what they must be. All of it must hold.

    {"query": {"kind": "Component", "spec.type": "service"}}
    {"query": {"kind": {"$in": ["API", "Component"]}}}
    {"query": {"metadata.annotations.backstage.io/techdocs-ref": {"$exists": true}}}
    {"query": {"metadata.tags": {"$contains": "java"}}}
    {"query": {"metadata.name": {"$hasPrefix": "shop-"}}}
    {"query": {"relations.ownedBy": "group:default/payments"}}
    {"query": {"$all": [{"kind": "Component"}, {"$not": {"spec.lifecycle": "deprecated"}},
                        {"$any": [{"spec.type": "service"}, {"spec.type": "website"}]}]}}

Name the fields you need, such as {"fields": ["kind", "metadata.name", "spec.owner"]}: entities can be large.
`

const aboutModel = `# What is in a catalog

An entity has apiVersion, kind, metadata and mostly spec. Its entity ref is kind:namespace/name in lower case, such as
component:default/shop or group:default/payments. Fields are named by paths with dots, such as spec.type.

metadata has name, namespace (default, if nothing else is said), title, description, labels, annotations, tags and links.

| Kind | Is | Fields of spec |
|---|---|---|
| Component | a piece of software | type (service, website, library, …), lifecycle (experimental, production, deprecated, …), owner, system, subcomponentOf, providesApis, consumesApis, dependsOn |
| API | an interface that components provide | type (openapi, asyncapi, graphql, grpc, …), lifecycle, owner, system, definition |
| Resource | what software needs to run, such as a database | type, owner, system, dependsOn |
| System | components, APIs and resources that belong together | owner, domain, type |
| Domain | systems of one field of the business | owner, subdomainOf, type |
| Group | a team or another unit of the organisation | type, parent, children, members, profile |
| User | a person | memberOf, profile |
| Location | descriptors that are read from elsewhere | type, target, targets |
| Template | how to create something | type, owner, parameters, steps, output |

An operator can add kinds.

Relations lead both ways, and are in the field relations of either entity: ownedBy and ownerOf, partOf and hasPart,
dependsOn and dependencyOf, providesApi and apiProvidedBy, consumesApi and apiConsumedBy, memberOf and hasMember,
parentOf and childOf. To find what a group owns ask for relations.ownedBy with its entity ref, not for spec.owner, which
may be written in a short form.
`

// FindTemplates returns a page of the templates that somebody may read and
// that contain a text, how many there are, and the cursor of the next page.
func (a *API) FindTemplates(ctx context.Context, who auth.Principal, text, cursor string, limit int) ([]*jsonvalue.Object, int, string, error) {
	s := Search{Selection: Selection{Query: wire.Obj("kind", "Template")}, Cursor: cursor, Limit: &limit,
		Fields: []string{"kind", "metadata.name", "metadata.namespace", "metadata.title", "metadata.description", "metadata.tags", "spec.type", "spec.owner"}}
	if cursor == "" {
		s.OrderField, s.Order = "metadata.name", "asc"
		if text != "" {
			s.Term, s.HasTerm = text, true
			s.TermFields = []string{"metadata.name", "metadata.title", "metadata.description", "metadata.tags"}
		}
	}
	found, err := a.Select(ctx, who, s)
	return found.Items, found.Total, found.Next, err
}
