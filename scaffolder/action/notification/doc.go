// Package notification holds the action notification:send.
//
// It owns its input, its checks, and that a message goes out once: what was
// sent is kept in a checkpoint, and a step that was interrupted is not sent
// again without asking. Who delivers notifications is plugged in as a Sender;
// the package knows nothing of inboxes, mails or channels. The action has no
// state and is safe for concurrent use as far as the Sender is.
package notification
