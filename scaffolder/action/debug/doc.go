// Package debug holds the actions that help to write templates: debug:log
// shows what a step is given and what lies in the workspace, debug:wait waits.
//
// It owns what these do, their inputs and log lines. Masking secrets in the log
// is the engine's business, as it is for every line. What is logged is bounded,
// file by file and in all. The actions have no effect outside of the log, hold
// no state and are safe for concurrent use.
package debug
