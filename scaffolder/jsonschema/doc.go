// Package jsonschema checks JSON values against JSON Schemas, and reports what
// does not fit in the shape and the words of the npm package jsonschema 1.5.
//
// Backstage checks the parameters of templates, their secrets and the inputs of
// actions with that package, and its words reach people and programs: the form
// prints them, tests compare them. The library that this project uses for the
// schemas of entities (santhosh-tekuri/jsonschema) gives other errors in another
// order, and refuses schemas that the npm package takes as they are: unknown
// types and formats, drafts mixed in one schema, keywords of draft 3. So this
// package is our own.
//
// It owns drafts 3 to 7 as far as the npm package does, in the order of the
// keys of a schema; an absent property is checked like JavaScript's undefined.
// Defaults are never applied. It knows nothing of templates.
//
// Schemas come from templates and values from users: depth, number of steps
// and number of faults are bounded, and patterns cannot run away. A Schema does
// not change and is safe for concurrent use.
package jsonschema
