// Package scaffolderapi is the scaffolder plugin's part of the HTTP API: every
// route below /api/scaffolder, as Backstage's frontend and its scaffolder client
// speak it.
//
// It owns what is accepted (one table of operations, from which requests are
// checked and openapi.json is written), the outcomes of permissions per route,
// the rules that conditions are made of, and the
// wire forms of tasks, events and templates. Tasks are the business of the
// engine, declared here by what is called; templates come from the catalog with
// the rights of the caller.
//
// Event streams send what is stored as soon as it is, and ask the store for
// what came after the last event they sent, so a slow client misses nothing and
// holds nothing up. They end when the client has gone, when it does not read
// for long, and when the server stops.
//
// An API is safe for concurrent use.
package scaffolderapi
