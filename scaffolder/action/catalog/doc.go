// Package catalog holds the actions that work with the software catalog:
// catalog:register, catalog:write and catalog:fetch.
//
// It owns what these do, their inputs, outputs and log lines. The catalog
// itself is plugged in as an interface, and asked in the name of who started
// the task: what they may not read is not there for their tasks either. How
// URLs of a Git host are put together is plugged in as well.
//
// A location that a step registered before it was interrupted is not reported
// as a conflict when the step runs again. The actions have no state and are
// safe for concurrent use as far as what is plugged in is.
package catalog
