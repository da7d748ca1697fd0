// Package fetch holds the actions that bring files into the workspace of a
// task: fetch:plain, fetch:plain:file, fetch:template, fetch:template:file and
// fetch:cookiecutter.
//
// It owns what these do, their inputs and log lines, and where the url of a
// step is: absolute, relative to the template in its repository, or, for
// templates that are files of this machine or of a dry-run, below the folder of
// the template and nowhere else. Reading from outside is plugged in as a Reader;
// what a skeleton means is for package skeleton, what may be written where for
// package workspace.
//
// What a Reader delivers is not trusted: names and links that lead out,
// anything that is no file, folder or link, too many entries and too large
// files are refused or left out here, whatever the Reader has checked. The
// actions have no effect outside of the workspace, so they run in a dry-run as
// they do otherwise, and may be repeated; they end soon after their context
// does, also inside a download. They are safe for concurrent use as far as the
// Reader is.
package fetch
