// Package templatefile reads software templates from files.
//
// It owns finding them in folders, taking them out of streams of YAML, putting
// what placeholders stand for in their place, and knowing of every value in
// which file, line and column it is written. What is right and wrong with a
// template is the business of package lint, whose findings it uses for what is
// no template at all.
//
// Nothing is read outside of the repository that a template lies in: the
// nearest folder above it with a .git, or else its own folder. Files, their
// number, and the depth of placeholders are bounded. Absolute URLs are not
// read: what they stand for stays a placeholder.
package templatefile
