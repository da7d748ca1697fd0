// Package once runs a template to its end while the caller waits, with nothing
// stored: dry-runs of the API, and the runs and tests of a terminal.
//
// It owns the workspace of such a run, its journal in memory, and the list of
// what the run has left in the workspace. What a step means is the runner's
// business, as in a task that is queued; what is checked before a run, and what
// is done with the result, is the caller's. Nothing of a run remains: what is
// interrupted begins anew.
//
// Run may be called by several goroutines at once, with one runner.
package once
