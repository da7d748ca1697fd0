// Package budget keeps requests to the APIs of Git hosts within what the hosts
// allow, and lets urgent work go first.
//
// It owns how much each credential may still ask for, as the host announces it
// (X-RateLimit-*, RateLimit-*, Retry-After, secondary limits), how many
// requests are under way at once, which failures are tried again and when, and
// the figures and log lines about all that. It does not own what is asked, nor
// the credentials: a caller names the credential of a request with
// WithCredential.
//
// Work is urgent or not (Urgent). What is not, crawling, leaves a share of every
// budget and some of the places under way to what is. A request for which there
// is no budget waits if the wait is short and within the deadline of its
// context, and otherwise fails at once with a *LimitError: nothing is sent that
// the host has said it will refuse.
//
// A Transport is safe for concurrent use. A place under way is given back when
// the body of the response is closed or read to its end.
package budget
