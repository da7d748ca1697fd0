// Package bustest checks what every store of package eventbus must keep, and
// has one that keeps everything in memory.
//
// It is for tests alone.
package bustest
