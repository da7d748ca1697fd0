// Package actiontest holds the promises that every action keeps, as tests, and
// a task for an action to run in.
//
// Run is the conformance suite: the schema says the truth, a dry-run has no
// effect outside of the workspace, cancelling ends the action, and no input
// leads out of the workspace. A package of actions runs it once for each of
// them, with inputs that together use every key that the schema declares.
//
// The package owns the suite and the Recorder. What one action does beyond the
// promises is tested beside that action. It is imported by tests alone.
package actiontest
