// Command platform is the whole of Greenroom in one binary: a software catalog
// that speaks the REST API of Backstage.
//
// This package owns the verbs, the wiring of the other packages, signals, and
// what an operator reads: usage, log, and one line that says what to do when
// something is wrong. It holds no logic of the catalog. Everything that is
// configured is read in cmd/platform/config, and handed down as options.
//
// Exit status: 0 when all went well, 1 when it did not (a fault of the
// configuration or the store, descriptors that are not valid, violations that
// check found), 2 for a command line that makes no sense.
package main
