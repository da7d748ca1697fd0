// Package gitlab reads from GitLab: files and trees, which projects have
// descriptors, groups and users, and what its webhooks and system hooks report.
//
// It owns what is asked of GitLab's REST and GraphQL APIs, how their answers
// become locations, users and groups, and what each event means. It does not
// own when providers are polled, what is done with a listing, the queue of
// webhooks, or how much a host may be asked.
//
// A listing is complete or it is an error: pages that do not say whether they
// are the last, or that together hold fewer items than the host counts, end a
// poll. Types of GitLab's client libraries do not leave this package, and
// neither do credentials.
//
// All types are safe for concurrent use.
package gitlab
