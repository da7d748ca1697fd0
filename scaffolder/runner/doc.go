// Package runner takes a task through its steps.
//
// It owns what a step means: conditions, iterations, the rendering of inputs,
// which secrets are seen where, the check of inputs, the permission to run an
// action, outputs, what happens after a failure, and the lines of the log in
// the words of the reference. A dry-run is the same run with another Journal
// and without effects.
//
// It does not own when a task runs or what becomes of it: the engine above
// queues, cancels and resumes tasks, and stores what the Journal is told. What
// a step did is told to the Journal before the next step begins, in order; a
// run that is given the records of an earlier run goes on where that ended.
// Secrets are masked in everything that the Journal gets for the log.
//
// A Runner does not change and is safe for concurrent use; it runs each task in
// the goroutine of its caller.
package runner
