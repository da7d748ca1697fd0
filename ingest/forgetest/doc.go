// Package forgetest holds doubles of Git hosts, for tests, benchmarks and the
// demonstrations: GitHub, GitLab, Gitea and Bitbucket Cloud with their REST APIs,
// and plain Git servers over HTTP and SSH.
//
// It owns bare Git repositories in a folder of the caller, made and served by
// the git command, and the routes that our readers and providers use, answered
// from what is in those repositories at that moment: nothing is recorded. What
// makes a host hard to live with is here as well: budgets with the headers that
// announce them, conditional requests, paging, renamed and archived
// repositories, and faults on demand (Fault). Every request is counted by route,
// and whether it would have been billed.
//
// It knows nothing of our readers and shares no code with them, so that a
// mistake in one is not made again by the other. It is not for production: it
// answers only what it must and trusts its caller.
//
// A Forge is safe for concurrent use.
package forgetest
