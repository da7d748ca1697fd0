// Package bundle packs the files of a built portal into one, and opens them
// again without copying.
//
// A bundle is a plain ZIP archive that other tools can read. What compresses
// well is in it in the DEFLATE form, which gzip uses too: with ten bytes before
// and eight behind, it is what a browser accepts, so that nothing is ever
// compressed a second time. It owns that trick, and what belongs into a bundle:
// no source maps, no dot-files. How files are served is the business of package
// app.
//
// The same files make the same bundle, byte for byte. A Bundle does not change
// and is safe for concurrent use; its bytes must not change either.
package bundle
