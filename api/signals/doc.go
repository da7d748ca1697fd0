// Package signals pushes short messages to the browsers that have the portal
// open: "there is a new notification", "this setting was changed".
//
// It owns the WebSocket at /api/signals: who may open one, what a peer may say
// (subscribe and unsubscribe, nothing else), who gets which message, and the
// end of it all. What the messages mean is the business of those who publish.
//
// A message reaches the connections that are open and subscribed at that
// moment, and nobody later: it is a hint to ask again, never the only copy of
// anything. Publishing never waits for a peer: one that does not take its
// messages in time is cut off, and comes back by itself.
//
// Invariants: a token travels as the sub-protocol of the handshake, which is
// echoed, and is written nowhere; a connection ends with the token that opened
// it; connections, subscriptions and queues are bounded. A Hub is safe for
// concurrent use, and no goroutine of its outlives Close.
package signals
