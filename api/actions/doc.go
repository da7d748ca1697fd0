// Package actions offers what plugins can do to programs that choose for
// themselves what to do, such as assistants: a list of actions with schemas,
// and a way to invoke one.
//
// It owns the routes below /.backstage/actions of the plugins that have
// actions, the check of input against the schema, which actions the operator
// lets be offered, and to whom they show. What an action does is the business
// of whoever adds it. These are not the actions of templates, which package
// scaffolder has. Package mcpactions offers the same to clients of MCP.
//
// Invariants: nobody lists or invokes anything without a credential, also in
// plugins whose other paths are open; what a caller may not see is not there
// for it; an action sees input that its schema allows, and decides itself who
// may do what it does; time and output are bounded. A Registry is safe for
// concurrent use once all actions have been added.
package actions
