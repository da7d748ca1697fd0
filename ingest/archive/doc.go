// Package archive reads tar and zip archives that come from outside, entry by
// entry, and lets nothing through that could harm who unpacks them.
//
// It owns the checks: no absolute path and no path that leads out, nothing that
// is neither file, folder nor symbolic link, no link that leads out of the tree
// or through which a later entry could be written, and bounds on the number of
// entries, on sizes, and on how much larger the content is than the archive. It
// writes nothing but, for zip, the archive itself into a temporary file.
//
// Archives are streams: what is held in memory does not grow with the archive,
// except for the paths of links. An entry's content is valid until the function
// that got it returns.
package archive
