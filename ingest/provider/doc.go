// Package provider runs what feeds entities into the catalog from the outside:
// each provider is one poll function, and everything around it is shared.
//
// It owns when providers are polled (schedule, jitter, timeout, backoff after
// failures), what becomes of a listing, the figures and words that tell how a
// provider fares, and the guard against mass deletion. It does not own what a
// provider reads, nor the file in which its records are kept.
//
// # Promises
//
//   - A poll that fails, runs out of time or is cut short publishes nothing.
//   - A complete listing that would remove more of a provider's entities than
//     the guard allows is held: the catalog stays as it is until somebody
//     releases or discards the held listing, or a later listing no longer asks
//     for so much. What is held, and when which provider ran, survives a restart.
//   - What events change while a poll is under way is not undone by its listing,
//     which may have been read before.
//   - One provider is polled once at a time, and providers do not wait for each
//     other.
//
// A Loop is safe for concurrent use.
package provider
