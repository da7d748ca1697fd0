// Command packportal puts the files of a built portal into one bundle, which
// `make release` embeds into the binary.
//
// It owns its two arguments, the folder and the file, and what it prints; what
// a bundle is, package api/app/bundle knows. The file is written under another
// name first and then renamed, so that there is never half of one.
package main
