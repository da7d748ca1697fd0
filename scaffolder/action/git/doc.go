// Package git commits folders of a workspace and pushes them, for every action
// that publishes, and holds the action publish:git, which pushes to any Git
// server.
//
// It owns which files a commit holds (what .gitignore files name and what lies
// in a .git folder is left out, links stay links), how the commit comes to be,
// and how it is pushed and pushed again. What a host calls its repositories and
// how they are made is the business of the packages beside it.
//
// A commit of the same files at the same time by the same author has the same
// hash, so a push that was interrupted is completed by doing all of it again.
// The repository stays in the folder as .git, and a later push from the same
// folder goes on from there. Nothing is read through links, no program is run,
// and credentials are sent to the host they are for and to no other.
//
// All functions are safe for concurrent use on different folders.
package git
