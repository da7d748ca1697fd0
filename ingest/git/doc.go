// Package git reads from Git servers of which nothing is known but that they
// speak Git: files and trees over HTTP and SSH, and which repositories an
// operator has listed.
//
// It owns how a repository is fetched, with which credentials, and how a list
// of repositories becomes locations. It does not own when that happens, what is
// done with what was read, nor hosts that have an API of their own.
//
// Names of repositories, branches and paths come from outside. They are
// arguments to a library, and never part of a command line.
//
// All types are safe for concurrent use.
package git
