// Package source reads descriptors from where locations say they are, and is
// what the pipeline of catalog/process reads through.
//
// It owns the choice of a reader by the type and URL of a location, plain HTTP
// under the hosts that the configuration allows, files and folders of this
// machine, and the words of the errors, which are the reference's. The Git
// hosts plug in as Hosts; what YAML means is package descriptor's business.
//
// Everything that is read is bounded: a file in bytes, a pattern and a folder
// in files, a request in time and redirects. A redirect is followed only to
// where reading is allowed too. No credential is ever sent to a plain URL.
//
// A Reader does not change once New has returned it and is safe for concurrent
// use. A Watcher tells which refresh keys of folders have changed.
package source
