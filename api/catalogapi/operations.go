package catalogapi

import (
	"net/http"

	"github.com/greenroom-idp/greenroom/api/wire/operation"
)

var (
	filterParameter = operation.Parameter{Name: "filter", Kind: operation.List,
		About: "Conditions joined by commas, each key=value or a bare key. Repeat it for alternatives."}
	fieldsParameter = operation.Parameter{Name: "fields", Kind: operation.Comma, About: "Paths of what to keep of each entity, joined by commas."}
	limitParameter  = operation.Parameter{Name: "limit", Kind: operation.Count, About: "How many to return at most."}
	offsetParameter = operation.Parameter{Name: "offset", Kind: operation.Count, About: "How many to skip."}

	stringSchema  = &operation.Schema{Type: "string"}
	numberSchema  = &operation.Schema{Type: "number"}
	objectSchema  = &operation.Schema{Type: "object"}
	stringsSchema = &operation.Schema{Type: "array", Items: stringSchema}

	locationSchema = &operation.Schema{Type: "object", Closed: true, Required: []string{"type", "target"},
		Properties: []operation.Property{{Name: "type", Schema: stringSchema}, {Name: "target", Schema: stringSchema}}}
)

// The operations. They are not changed after start-up.
var (
	opEntities = &operation.Operation{Method: http.MethodGet, Path: "/entities", ID: "GetEntities", OK: 200,
		About: "List entities, all of them or a page.",
		Query: []operation.Parameter{fieldsParameter, limitParameter, filterParameter, offsetParameter,
			{Name: "after", NonEmpty: true, About: "The token of the page before, from its Link header."},
			{Name: "order", Kind: operation.List, About: "asc:<field> or desc:<field>."}}}

	opQueryEntities = &operation.Operation{Method: http.MethodGet, Path: "/entities/by-query", ID: "GetEntitiesByQuery", OK: 200,
		About: "Page through entities that match a filter.",
		Query: []operation.Parameter{fieldsParameter, limitParameter, offsetParameter,
			{Name: "orderField", Kind: operation.List, About: "<field>, <field>,asc or <field>,desc."},
			{Name: "cursor", NonEmpty: true, About: "A cursor of the page before; it decides everything but limit and fields."},
			filterParameter,
			{Name: "totalItems", Enum: []string{"include", "exclude"}, About: "Whether to count all that match."},
			{Name: "fullTextFilterTerm", About: "A text that one of the fields must contain."},
			{Name: "fullTextFilterFields", Kind: operation.Comma, About: "Those fields, joined by commas."}}}

	opQueryByPredicate = &operation.Operation{Method: http.MethodPost, Path: "/entities/by-query", ID: "QueryEntitiesByPredicate", OK: 200,
		About: "Page through entities that match a predicate.",
		Body: &operation.Schema{Type: "object", Properties: []operation.Property{
			{Name: "cursor", Schema: stringSchema}, {Name: "limit", Schema: numberSchema}, {Name: "offset", Schema: numberSchema},
			{Name: "orderBy", Schema: &operation.Schema{Type: "array", Items: &operation.Schema{Type: "object", Required: []string{"field", "order"}, Properties: []operation.Property{
				{Name: "field", Schema: stringSchema}, {Name: "order", Schema: &operation.Schema{Type: "string", Enum: []string{"asc", "desc"}}}}}}},
			{Name: "fullTextFilter", Schema: &operation.Schema{Type: "object", Properties: []operation.Property{{Name: "term", Schema: stringSchema}, {Name: "fields", Schema: stringsSchema}}}},
			{Name: "fields", Schema: stringsSchema}, {Name: "totalItems", Schema: &operation.Schema{Type: "string", Enum: []string{"include", "exclude"}}},
			{Name: "query", Schema: objectSchema}}}}

	opByRefs = &operation.Operation{Method: http.MethodPost, Path: "/entities/by-refs", ID: "GetEntitiesByRefs", OK: 200,
		About: "Get the entities of these refs, null for each that is not there.",
		Query: []operation.Parameter{filterParameter},
		Body: &operation.Schema{Type: "object", Required: []string{"entityRefs"}, Properties: []operation.Property{
			{Name: "entityRefs", Schema: stringsSchema}, {Name: "fields", Schema: stringsSchema}, {Name: "query", Schema: objectSchema}}}}

	opByUID = &operation.Operation{Method: http.MethodGet, Path: "/entities/by-uid/{uid}", ID: "GetEntityByUid", OK: 200,
		About: "Get the entity of a uid."}
	opDeleteEntity = &operation.Operation{Method: http.MethodDelete, Path: "/entities/by-uid/{uid}", ID: "DeleteEntityByUid", OK: 204,
		About: "Delete the entity of a uid. What emits it may bring it back."}
	opByName = &operation.Operation{Method: http.MethodGet, Path: "/entities/by-name/{kind}/{namespace}/{name}", ID: "GetEntityByName", OK: 200,
		About: "Get an entity by kind, namespace and name."}
	opAncestry = &operation.Operation{Method: http.MethodGet, Path: "/entities/by-name/{kind}/{namespace}/{name}/ancestry",
		ID: "GetEntityAncestryByName", OK: 200, About: "Get the entities that an entity comes from."}

	opFacets = &operation.Operation{Method: http.MethodGet, Path: "/entity-facets", ID: "GetEntityFacets", OK: 200,
		About: "Count entities by the values of fields.",
		Query: []operation.Parameter{{Name: "facet", Kind: operation.List, Required: true, About: "A field."}, filterParameter}}
	opFacetsByPredicate = &operation.Operation{Method: http.MethodPost, Path: "/entity-facets", ID: "QueryEntityFacetsByPredicate", OK: 200,
		About: "Count entities that match a predicate by the values of fields.", BodyRequired: true,
		Body: &operation.Schema{Type: "object", Required: []string{"facets"}, Properties: []operation.Property{{Name: "facets", Schema: stringsSchema}, {Name: "query", Schema: objectSchema}}}}

	opRefresh = &operation.Operation{Method: http.MethodPost, Path: "/refresh", ID: "RefreshEntity", OK: 200, BodyRequired: true,
		About: "Schedule an entity, and the locations it comes from, to be read again.",
		Body: &operation.Schema{Type: "object", Closed: true, Required: []string{"entityRef"}, Properties: []operation.Property{
			{Name: "authorizationToken", Schema: stringSchema}, {Name: "entityRef", Schema: stringSchema}}}}
	opValidate = &operation.Operation{Method: http.MethodPost, Path: "/validate-entity", ID: "ValidateEntity", OK: 200, BodyRequired: true,
		About: "Check an entity as if it had been read from a location.",
		Body: &operation.Schema{Type: "object", Required: []string{"location", "entity"}, Properties: []operation.Property{
			{Name: "location", Schema: stringSchema}, {Name: "entity", Schema: objectSchema}}}}
	opAnalyze = &operation.Operation{Method: http.MethodPost, Path: "/analyze-location", ID: "AnalyzeLocation", OK: 200, BodyRequired: true,
		About: "Propose an entity for a repository that has none.",
		Body: &operation.Schema{Type: "object", Required: []string{"location"}, Properties: []operation.Property{
			{Name: "catalogFileName", Schema: stringSchema}, {Name: "location", Schema: locationSchema}}}}

	opLocations = &operation.Operation{Method: http.MethodGet, Path: "/locations", ID: "GetLocations", OK: 200,
		About: "List the locations that were registered."}
	opCreateLocation = &operation.Operation{Method: http.MethodPost, Path: "/locations", ID: "CreateLocation", OK: 201, BodyRequired: true,
		About: "Register a location, or see what registering it would bring.",
		Query: []operation.Parameter{{Name: "dryRun", About: "true: read and process the location, but store nothing."},
			{Name: "onConflict", Enum: []string{"refresh", "reject"}, About: "What to do when the location is there already."}},
		Body: &operation.Schema{Type: "object", Required: []string{"target", "type"}, Properties: []operation.Property{
			{Name: "target", Schema: stringSchema}, {Name: "type", Schema: stringSchema}}}}
	opQueryLocations = &operation.Operation{Method: http.MethodPost, Path: "/locations/by-query", ID: "GetLocationsByQuery", OK: 200,
		About: "Page through locations that match a predicate.",
		Body: &operation.Schema{Type: "object", Properties: []operation.Property{
			{Name: "cursor", Schema: stringSchema}, {Name: "limit", Schema: numberSchema}, {Name: "query", Schema: objectSchema}}}}
	opLocation = &operation.Operation{Method: http.MethodGet, Path: "/locations/{id}", ID: "GetLocation", OK: 200,
		About: "Get a location by id."}
	opUpdateLocation = &operation.Operation{Method: http.MethodPut, Path: "/locations/{id}", ID: "UpdateLocation", OK: 200, BodyRequired: true,
		About: "Change the type and target of a location.", Body: locationSchema}
	opDeleteLocation = &operation.Operation{Method: http.MethodDelete, Path: "/locations/{id}", ID: "DeleteLocation", OK: 204,
		About: "Delete a location and everything that comes only from it."}
	opLocationByEntity = &operation.Operation{Method: http.MethodGet, Path: "/locations/by-entity/{kind}/{namespace}/{name}",
		ID: "getLocationByEntity", OK: 200, About: "Get the location that an entity comes from."}
)

// operations are all of them, in the order of the description.
func operations() []*operation.Operation {
	return []*operation.Operation{opRefresh, opEntities, opByUID, opDeleteEntity, opByName, opAncestry, opByRefs, opQueryEntities,
		opQueryByPredicate, opFacets, opFacetsByPredicate, opCreateLocation, opLocations, opQueryLocations, opLocation,
		opUpdateLocation, opDeleteLocation, opLocationByEntity, opAnalyze, opValidate}
}
