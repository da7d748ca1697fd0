// Command demogit shows what the crawlers do, on one machine and without a
// network: it starts doubles of GitHub and GitLab with sample organisations, and
// the built server with discovery and organisation data, pushes commits,
// delivers the webhooks, and prints how long it takes until the changes are
// served.
//
// It is beside the doubles since it is they who play the part of the hosts; the
// server is the one that is shipped, started as a process of its own. Everything
// it makes is in a temporary folder and gone when it ends. It listens on ports
// of the loopback interface that the system chooses.
package main
