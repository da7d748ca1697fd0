// Package actions offers what plugins can do to programs that choose for
// themselves what to do, such as assistants: a list of actions with schemas,
// and a way to invoke one.
//
// It owns the routes below /.backstage/actions of the plugins that have
// actions, the check of input against the schema, and which plugins the
// operator lets show theirs. What an action does is the business of whoever
// adds it. These are not the actions of templates, which package scaffolder
// has.
//
// Invariants: nobody lists or invokes anything without a credential, also in
// plugins whose other paths are open; an action sees input that its schema
// allows, and decides itself who may do what it does. A Registry is safe for
// concurrent use once all actions have been added.
package actions
