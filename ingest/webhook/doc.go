// Package webhook takes what Git hosts report, keeps it until it has been acted
// upon, and acts upon it.
//
// It owns the queue of deliveries (bounded, stored before it is answered, each
// delivery once), the order in which they are worked off, and what events of
// repositories mean for the catalog as a whole: which entities to refresh,
// which registered locations to move or remove. It does not own how a host
// spells an event, nor the events of providers, nor the file that deliveries
// are kept in.
//
// # Promises
//
//   - A delivery that has been answered is stored, and is worked off even if the
//     process ends before: at least once, and more often only around a restart.
//   - A delivery that was stored already is not worked off again.
//   - Deliveries about one repository are worked off in the order in which they
//     came; those about others do not wait for them.
//   - A delivery that cannot be worked off is tried again with growing pauses,
//     and given up in the end with a line in the log. The host may send it again
//     then.
//
// A Queue is safe for concurrent use.
package webhook
