// Package builder makes the documentation sites of entities on the server, and
// keeps them: it fetches the source of a site when somebody looks at it, keeps
// that as a snapshot in a folder, renders it, and does so again when the source
// has changed.
//
// It owns when a site is built, by whom it is waited for, and what is kept:
//
//   - An entity has one build at a time. All who wait for it get its log, from
//     the first line on, and its end. Nobody who goes away ends it.
//   - What marks the state of a source is asked for first, so that nothing is
//     fetched that is there already.
//   - A build that fails leaves the last good site in its place.
//   - A snapshot is written whole or not at all; after a restart sites are made
//     from it, without asking the source.
//   - How many sites are in memory is bounded by what they take; others are
//     rendered again when they are asked for.
//
// It does not know HTTP, nor who may see what. Sources it reads through Trees,
// and folders of the disk by itself: never outside of the folder, links that
// lead out of it included.
package builder
