// Package jsonvalue holds JSON values the way a JavaScript program holds them.
//
// A value is one of nil, bool, float64, string, []any and *Object. Objects
// keep the order in which their keys were written, with keys that look like
// array indexes first, as JavaScript does: a software template's form shows
// its fields in that order. Numbers are doubles and are written as JavaScript
// writes them, so that 1.50 is 1.5 and 1e21 is 1e+21.
//
// The package owns reading, writing, comparing and copying of such values. It
// knows nothing of entities. Values are not safe for concurrent change; once
// shared between goroutines they must not change any more.
package jsonvalue
