// Package schedule runs what is to be done again and again, such as cleaning
// up, and shows it to operators.
//
// It owns the waiting between runs, the bound on how long one may take, the
// metrics of runs, and the routes below /.backstage/scheduler of the plugins
// that have tasks. What a task does is the business of its plugin.
//
// Invariants: a task never runs twice at the same time; a run that fails or
// panics is logged and does not keep the next one from coming; when Run
// returns, no task is running. A Scheduler is safe for concurrent use once all
// tasks have been added.
package schedule
