// Package eventbus keeps events for those who have subscribed to their topics,
// until they have been read: plugins in other processes, mostly.
//
// It owns subscriptions, which events each of them has yet to read, in order,
// and the bounds of it all. It does not own what topics mean, nor how they are
// asked for over HTTP, nor the file that events are kept in.
//
// # Promises
//
//   - An event that Publish took is stored before it returns, and given to every
//     subscription to its topic, in the order in which events were published,
//     at least once: it counts as read when the next batch is asked for, and is
//     given again after a failure on the way, when its subscriber subscribes
//     anew, or after a restart of the process.
//   - Those who share a subscription share its events: each goes to one of them.
//   - An event to which nobody has subscribed is not stored, and costs a look
//     into a map.
//   - What is kept is bounded in number, size and age. Beyond, the oldest events
//     of the topic that has most of them are dropped, with a line in the log that
//     names who has lost them; a subscription that nobody asks for any more is
//     dropped as well.
//
// A Bus is safe for concurrent use.
package eventbus
