// Command demopublish shows what a template can do at a forge, on one machine
// and without a network: it starts a double of GitHub and the built server with
// a template, runs a task that makes a repository, pushes to it with a signed
// commit, asks for a change in a pull request and registers the component, and
// reads all of it back with git clone and curl.
//
// It is beside the doubles since it is they who play the part of the hosts; the
// server is the one that is shipped, started as a process of its own. Everything
// it makes is in a temporary folder and gone when it ends. It listens on ports
// of the loopback interface that the system chooses.
package main
