// Package glob matches the names of files against lists of patterns, in the
// meaning that the npm package globby gives to them.
//
// It owns how a list is read: names that begin with a dot are like others, a
// pattern that begins with ! takes away from what those before it match, a
// pattern that names a folder stands for all below it, and a name that equals
// a pattern matches whatever signs are in it. Beside *, **, ?, classes and
// braces the groups ?(a|b), @(a|b) and !(a|b) are understood. Matching of one
// pattern is left to the library doublestar. The package reads no files.
//
// Patterns come from templates: their number, length and alternatives are
// bounded. A Set does not change and is safe for concurrent use.
package glob
