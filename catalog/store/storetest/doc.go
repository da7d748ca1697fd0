// Package storetest holds what every implementation of store.Store must pass,
// and what tests need around a store.
//
// Run is the suite: it asks for each promise of store.Store by behaviour alone,
// so it knows no file and no encoding. Random compares an implementation with
// Memory, a store in maps that is simple enough to be believed, and that tests
// of others may use where durability does not matter. Read takes everything
// out of a store, for comparing two.
//
// What survives a crash, damage or another release is not asked here: that is
// each implementation's own to test.
package storetest
