// Package templatecase reads and writes the test cases that lie beside software
// templates.
//
// It owns where cases are (tests/<case> beside a template), which template each
// is about, the files that a case consists of, and writing expectations and
// recorded exchanges anew. What the files say is the business of packages
// templatetest and recorded, and running a case that of the caller. Files are
// bounded; what is expected is replaced as a whole.
package templatecase
