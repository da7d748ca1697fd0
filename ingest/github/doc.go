// Package github reads from GitHub: files and trees, which repositories of an
// organisation have descriptors, its users and teams, and what its webhooks
// report.
//
// It owns what is asked of GitHub's REST and GraphQL APIs, how their answers
// become locations, users and groups, and what each event means. It does not
// own when providers are polled, what is done with a listing, the queue of
// webhooks, or how much a host may be asked.
//
// A listing is complete or it is an error: answers that are cut off, that carry
// errors beside data, or that do not say whether they are the last page, end a
// poll. Types of GitHub's client libraries do not leave this package, and
// neither do credentials.
//
// All types are safe for concurrent use.
package github
