// Package fs holds the actions that work on the files of a task's workspace:
// fs:delete, fs:rename and fs:readdir.
//
// It owns what these do, their inputs, outputs and log lines. Where the
// workspace ends, and how much it holds, is for package workspace to keep; what
// a pattern means is for package glob. The actions reach nothing outside of the
// workspace, so they run in a dry-run as they do otherwise, and may be repeated.
//
// The actions have no state and are safe for concurrent use.
package fs
