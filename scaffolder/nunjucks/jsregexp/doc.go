// Package jsregexp matches JavaScript regular expressions.
//
// It owns the syntax and semantics of ECMAScript patterns without the u and v
// flags, as legacy web code and templates write them: matching goes over
// UTF-16 units, groups forget what they captured when a loop around them goes
// round again, back references to groups that took no part match nothing, and
// what looks like a quantifier but is none stands for itself. Look-ahead,
// look-behind and named groups are included. What a search does with the flags
// g and y, and replacing and splitting, are the caller's.
//
// Patterns are matched by backtracking, which may take exponentially long.
// Every search therefore asks its caller now and then whether to go on, and
// its stack is bounded; it never recurses on the input.
//
// A Regexp does not change and may be used by several goroutines at once.
package jsregexp
