// Package treediff compares trees of files, and writes what differs as a
// unified diff.
//
// It owns reading a tree, which files count as text, and the form of a
// difference between trees. How two texts differ is left to the library udiff,
// which is the diff of the Go tools. Files that are large or binary are compared
// and not shown. Trees are bounded in files and bytes; links and what Git keeps
// are left out.
//
// All functions are pure but Read, and safe for concurrent use.
package treediff
