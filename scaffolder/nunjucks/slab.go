package nunjucks

import "sync"

// A slab hands out values of one type from slices of them. What the parser
// makes of a template lives and dies together, so one allocation serves many.
type slab[T any] struct {
	free []T
	size int
}

func (s *slab[T]) put(v T) *T {
	if len(s.free) == 0 {
		s.size = min(max(2, 2*s.size), 32)
		s.free = make([]T, s.size)
	}
	at := &s.free[0]
	s.free = s.free[1:]
	*at = v
	return at
}

// A listSlab hands out slices, likewise from larger ones.
type listSlab[T any] struct {
	free []T
	size int
}

func (s *listSlab[T]) copyOf(list []T) []T {
	n := len(list)
	if n == 0 {
		return nil
	}
	if len(s.free) < n {
		s.size = min(max(4, 2*s.size), 64)
		s.free = make([]T, max(n, s.size))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	copy(out, list)
	return out
}

// slabs are those of the most frequent nodes and lists.
type slabs struct {
	bodies   listSlab[stmt]
	lists    listSlab[expr]
	texts    slab[textStmt]
	outputs  slab[outputStmt]
	literals slab[literalExpr]
	names    slab[nameExpr]
	members  slab[memberExpr]
	filters  slab[filterExpr]
}

// stacks are what parsing and compiling gather on and then take off. They serve
// one template after the other.
type stacks struct {
	stmts   []stmt
	exprs   []expr
	unbound []*nameExpr
}

var stackPool = sync.Pool{New: func() any {
	return &stacks{stmts: make([]stmt, 0, 64), exprs: make([]expr, 0, 32), unbound: make([]*nameExpr, 0, 64)}
}}

// release gives the stacks back, unless they have become large. Nothing that
// was on them is kept.
func (s *stacks) release() {
	const large = 1 << 12
	if cap(s.stmts)+cap(s.exprs)+cap(s.unbound) > large {
		return
	}
	clear(s.stmts[:cap(s.stmts)])
	clear(s.exprs[:cap(s.exprs)])
	clear(s.unbound[:cap(s.unbound)])
	s.stmts, s.exprs, s.unbound = s.stmts[:0], s.exprs[:0], s.unbound[:0]
	stackPool.Put(s)
}
