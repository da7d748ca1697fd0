// Package snapshot keeps the sources of one documentation site in a file: the
// Markdown, the configuration and what goes with them, as they were at one
// moment, and where they came from.
//
// A snapshot is a zip archive whose entries are not compressed, so that other
// programs can look into it and this one can read any part without the rest.
// The first entry, greenroom.json, is the manifest: the number of the format,
// the entity, the source, and the SHA-256 of each file.
//
// It owns that file: it is written beside its place, synced and then renamed,
// so that after a crash there is the earlier one or the new one, whole. What is
// read is held against the manifest and the limits, since a file may have been
// put there by somebody else. A Snapshot does not change and is safe for
// concurrent use; it is closed once nobody reads from it any more.
package snapshot
