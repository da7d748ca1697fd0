// Package forge holds what the readers of Git hosts share: which commit a
// branch is at and for how long that may be believed, the etags made of it,
// patterns over the paths of a tree, and contents that need not be read twice.
//
// It owns the rule that makes refreshes cheap: everything that is read of a
// repository within one window of time asks the host once for the commit of its
// branch, with the commit that is known as a condition. What was read at that
// commit, or was missing at it, is not asked for again. It knows no host and
// sends nothing.
//
// All types are safe for concurrent use; their sizes are bounded.
package forge
