// Package templatetest holds the test cases of software templates.
//
// It owns the form of a case (what goes in, what is expected to come out), the
// comparison of what happened with what was expected, expectations made from
// what happened, and the reports on cases in text, JSON and the XML of JUnit.
// How a template is run, where cases lie and in which format they are written is
// the business of the caller: cases come and go as plain values, and what
// happened as an Outcome.
//
// What differs from run to run is not compared: an Outcome has <workspace> where
// the folder of the run was, and times and ids are those that the caller fixes.
// All functions are pure and safe for concurrent use.
package templatetest
