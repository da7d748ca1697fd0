// Package audit tells who did what: events with an id, a severity, who acted,
// the request, what it was about, and how it ended.
//
// It owns the form of these events, which is that of the reference, and where
// they go: into the log, at a level that follows from the severity, and to a
// logger of their own, which gets them all. It does not own which requests are
// audited, nor where that logger writes.
//
// Every event is written when it begins, with the status initiated, and when it
// ends, as succeeded or failed. Both lines are written before the answer is, so
// that whoever has an answer finds its event, also after a crash.
//
// A nil *Auditor takes events and writes none. An Auditor is safe for
// concurrent use, an event is for one goroutine.
package audit
