// Package app hosts the portal itself: the files of a built Backstage frontend
// and the page that starts it.
//
// It owns which file answers which path, how long browsers may keep it, the
// page with the configuration injected, and the small page that stands in for
// a portal where none was built. It does not know what the configuration says:
// it is handed the JSON that browsers may see. A build is a folder, which may
// change while it is served, or a bundle made by package bundle, whose files
// are served in the compressed form in which they are embedded. Static files
// of earlier builds may be kept in a Shelf, for browsers that still have the
// page of such a build open.
//
// Invariants: nothing outside the build is read, whatever the path; files whose
// name begins with a dot are not served; a missing static file is never
// answered by the page, which a browser would take for a script; values that
// are put into the page cannot end the element that holds them. A Site is safe
// for concurrent use.
package app
