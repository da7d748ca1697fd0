package catalogapi

import "net/http"

// A parameter is one of the query string.
type parameter struct {
	name     string
	kind     parameterKind
	required bool
	nonEmpty bool // of texts, as described: whatever it says, an empty one is refused
	enum     []string
	about    string
}

type parameterKind uint8

const (
	textParameter  parameterKind = iota
	countParameter               // an integer of 0 or more
	listParameter                // may be repeated
	commaParameter               // a list with commas, may be repeated
)

// An operation is a route as documented: what it takes, and what it is for.
// Requests are checked against it before their handler sees them.
type operation struct {
	method, path string
	id, about    string
	query        []parameter
	body         *schema
	bodyRequired bool
	ok           int
}

var (
	filterParameter = parameter{name: "filter", kind: listParameter,
		about: "Conditions joined by commas, each key=value or a bare key. Repeat it for alternatives."}
	fieldsParameter = parameter{name: "fields", kind: commaParameter, about: "Paths of what to keep of each entity, joined by commas."}
	limitParameter  = parameter{name: "limit", kind: countParameter, about: "How many to return at most."}
	offsetParameter = parameter{name: "offset", kind: countParameter, about: "How many to skip."}

	stringSchema  = &schema{typ: "string"}
	numberSchema  = &schema{typ: "number"}
	objectSchema  = &schema{typ: "object"}
	stringsSchema = &schema{typ: "array", items: stringSchema}

	locationSchema = &schema{typ: "object", closed: true, required: []string{"type", "target"},
		properties: []property{{"type", stringSchema}, {"target", stringSchema}}}
)

// The operations. They are not changed after start-up.
var (
	opEntities = &operation{method: http.MethodGet, path: "/entities", id: "GetEntities", ok: 200,
		about: "List entities, all of them or a page.",
		query: []parameter{fieldsParameter, limitParameter, filterParameter, offsetParameter,
			{name: "after", nonEmpty: true, about: "The token of the page before, from its Link header."},
			{name: "order", kind: listParameter, about: "asc:<field> or desc:<field>."}}}

	opQueryEntities = &operation{method: http.MethodGet, path: "/entities/by-query", id: "GetEntitiesByQuery", ok: 200,
		about: "Page through entities that match a filter.",
		query: []parameter{fieldsParameter, limitParameter, offsetParameter,
			{name: "orderField", kind: listParameter, about: "<field>, <field>,asc or <field>,desc."},
			{name: "cursor", nonEmpty: true, about: "A cursor of the page before; it decides everything but limit and fields."},
			filterParameter,
			{name: "totalItems", enum: []string{"include", "exclude"}, about: "Whether to count all that match."},
			{name: "fullTextFilterTerm", about: "A text that one of the fields must contain."},
			{name: "fullTextFilterFields", kind: commaParameter, about: "Those fields, joined by commas."}}}

	opQueryByPredicate = &operation{method: http.MethodPost, path: "/entities/by-query", id: "QueryEntitiesByPredicate", ok: 200,
		about: "Page through entities that match a predicate.",
		body: &schema{typ: "object", properties: []property{
			{"cursor", stringSchema}, {"limit", numberSchema}, {"offset", numberSchema},
			{"orderBy", &schema{typ: "array", items: &schema{typ: "object", required: []string{"field", "order"}, properties: []property{
				{"field", stringSchema}, {"order", &schema{typ: "string", enum: []string{"asc", "desc"}}}}}}},
			{"fullTextFilter", &schema{typ: "object", properties: []property{{"term", stringSchema}, {"fields", stringsSchema}}}},
			{"fields", stringsSchema}, {"totalItems", &schema{typ: "string", enum: []string{"include", "exclude"}}},
			{"query", objectSchema}}}}

	opByRefs = &operation{method: http.MethodPost, path: "/entities/by-refs", id: "GetEntitiesByRefs", ok: 200,
		about: "Get the entities of these refs, null for each that is not there.",
		query: []parameter{filterParameter},
		body: &schema{typ: "object", required: []string{"entityRefs"}, properties: []property{
			{"entityRefs", stringsSchema}, {"fields", stringsSchema}, {"query", objectSchema}}}}

	opByUID = &operation{method: http.MethodGet, path: "/entities/by-uid/{uid}", id: "GetEntityByUid", ok: 200,
		about: "Get the entity of a uid."}
	opDeleteEntity = &operation{method: http.MethodDelete, path: "/entities/by-uid/{uid}", id: "DeleteEntityByUid", ok: 204,
		about: "Delete the entity of a uid. What emits it may bring it back."}
	opByName = &operation{method: http.MethodGet, path: "/entities/by-name/{kind}/{namespace}/{name}", id: "GetEntityByName", ok: 200,
		about: "Get an entity by kind, namespace and name."}
	opAncestry = &operation{method: http.MethodGet, path: "/entities/by-name/{kind}/{namespace}/{name}/ancestry",
		id: "GetEntityAncestryByName", ok: 200, about: "Get the entities that an entity comes from."}

	opFacets = &operation{method: http.MethodGet, path: "/entity-facets", id: "GetEntityFacets", ok: 200,
		about: "Count entities by the values of fields.",
		query: []parameter{{name: "facet", kind: listParameter, required: true, about: "A field."}, filterParameter}}
	opFacetsByPredicate = &operation{method: http.MethodPost, path: "/entity-facets", id: "QueryEntityFacetsByPredicate", ok: 200,
		about: "Count entities that match a predicate by the values of fields.", bodyRequired: true,
		body: &schema{typ: "object", required: []string{"facets"}, properties: []property{{"facets", stringsSchema}, {"query", objectSchema}}}}

	opRefresh = &operation{method: http.MethodPost, path: "/refresh", id: "RefreshEntity", ok: 200, bodyRequired: true,
		about: "Schedule an entity, and the locations it comes from, to be read again.",
		body: &schema{typ: "object", closed: true, required: []string{"entityRef"}, properties: []property{
			{"authorizationToken", stringSchema}, {"entityRef", stringSchema}}}}
	opValidate = &operation{method: http.MethodPost, path: "/validate-entity", id: "ValidateEntity", ok: 200, bodyRequired: true,
		about: "Check an entity as if it had been read from a location.",
		body: &schema{typ: "object", required: []string{"location", "entity"}, properties: []property{
			{"location", stringSchema}, {"entity", objectSchema}}}}
	opAnalyze = &operation{method: http.MethodPost, path: "/analyze-location", id: "AnalyzeLocation", ok: 200, bodyRequired: true,
		about: "Propose an entity for a repository that has none.",
		body: &schema{typ: "object", required: []string{"location"}, properties: []property{
			{"catalogFileName", stringSchema}, {"location", locationSchema}}}}

	opLocations = &operation{method: http.MethodGet, path: "/locations", id: "GetLocations", ok: 200,
		about: "List the locations that were registered."}
	opCreateLocation = &operation{method: http.MethodPost, path: "/locations", id: "CreateLocation", ok: 201, bodyRequired: true,
		about: "Register a location, or see what registering it would bring.",
		query: []parameter{{name: "dryRun", about: "true: read and process the location, but store nothing."},
			{name: "onConflict", enum: []string{"refresh", "reject"}, about: "What to do when the location is there already."}},
		body: &schema{typ: "object", required: []string{"target", "type"}, properties: []property{
			{"target", stringSchema}, {"type", stringSchema}}}}
	opQueryLocations = &operation{method: http.MethodPost, path: "/locations/by-query", id: "GetLocationsByQuery", ok: 200,
		about: "Page through locations that match a predicate.",
		body: &schema{typ: "object", properties: []property{
			{"cursor", stringSchema}, {"limit", numberSchema}, {"query", objectSchema}}}}
	opLocation = &operation{method: http.MethodGet, path: "/locations/{id}", id: "GetLocation", ok: 200,
		about: "Get a location by id."}
	opUpdateLocation = &operation{method: http.MethodPut, path: "/locations/{id}", id: "UpdateLocation", ok: 200, bodyRequired: true,
		about: "Change the type and target of a location.", body: locationSchema}
	opDeleteLocation = &operation{method: http.MethodDelete, path: "/locations/{id}", id: "DeleteLocation", ok: 204,
		about: "Delete a location and everything that comes only from it."}
	opLocationByEntity = &operation{method: http.MethodGet, path: "/locations/by-entity/{kind}/{namespace}/{name}",
		id: "getLocationByEntity", ok: 200, about: "Get the location that an entity comes from."}
)

// operations are all of them, in the order of the description.
func operations() []*operation {
	return []*operation{opRefresh, opEntities, opByUID, opDeleteEntity, opByName, opAncestry, opByRefs, opQueryEntities,
		opQueryByPredicate, opFacets, opFacetsByPredicate, opCreateLocation, opLocations, opQueryLocations, opLocation,
		opUpdateLocation, opDeleteLocation, opLocationByEntity, opAnalyze, opValidate}
}
