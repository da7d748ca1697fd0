// Package action says what an action is: a named operation that a step of a
// template calls, with an input and an output that have schemas.
//
// An action is one Go function with a struct for its input, from which the
// schema comes (see New), and one line where the program lists its actions. It
// gets a Context: the log, the workspace, the secrets and the checkpoints of
// its task. The engine checks the input, asks for permission, runs the action
// and records what it did, so that no action can leave one of these out.
//
// The package owns the contract, the making of schemas, the decoding of inputs
// and the Registry. The actions themselves live in packages below it; which
// there are is decided where the program is put together. What an action needs
// of the outside (a reader of URLs, a forge, the catalog) it is given when it is
// made, as an interface of its own package. Every action passes the suite in
// package actiontest.
//
// Actions and registries do not change and are safe for concurrent use; a
// Context belongs to the one run it was made for.
package action
