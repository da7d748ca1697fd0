// Package workspace keeps the private folder in which a task works.
//
// All access to its files goes through os.Root, so that no path and no link
// leads out of it: what points outside is refused with a NotAllowedError, in
// the words of the reference. A quota bounds how much a task may keep there.
// Files are never changed in place but replaced, so that a Workspace can be
// set back to where a step began (see Guard), with hard links for a copy.
//
// The package owns files and folders, their modes and links. It knows nothing
// of tasks, steps or templates; who makes a workspace removes it.
//
// A Workspace may be used by several goroutines; what they do to one name at
// the same time is theirs to order.
package workspace
