// Package store says how tasks are kept, for whoever keeps them.
//
// It owns the interface between the engine and a store: tasks and their specs,
// events, the journal of steps, checkpoints and sealed secrets. Everything
// happens in transactions: what one Update did is there as a whole or not at
// all, and what it returned to be committed survives the end of the process.
// One Update runs at a time; a View sees one state and waits for nobody.
//
// The package holds no code that stores anything. boltstore does, in the file
// that the whole program shares, and storetest holds the promises as tests and
// an implementation in memory.
package store
