// Package git reads from Git servers of which nothing is known but that they
// speak Git, over HTTP or SSH: single files, searches and whole trees.
//
// It owns how such a server is asked: what commits its branches are at, which
// costs one small request, and, when one has changed, the newest commit alone,
// without history and, where the server can, without files that are larger than
// may be read. Commits are kept on the disk, a bounded number of bytes of them,
// for as long as the process runs; what they hold is read from there.
//
// Servers may be hostile: lists of refs, packs, objects and trees are bounded
// before they are unpacked, paths and links in trees are checked like those of
// archives, and no URL, ref or path becomes part of a command here. An SSH
// server must be known by its key.
//
// A Reader is safe for concurrent use. It must be closed.
package git
