// Package greenroom is the root of the module. It holds no code of the
// program, which starts in cmd/platform; only the tests that keep the house in
// the shape that its parts promise one another live here.
package greenroom
