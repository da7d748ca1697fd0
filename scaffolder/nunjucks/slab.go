package nunjucks

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

// slabs are those of the most frequent nodes.
type slabs struct {
	texts    slab[textStmt]
	outputs  slab[outputStmt]
	literals slab[literalExpr]
	names    slab[nameExpr]
	members  slab[memberExpr]
	filters  slab[filterExpr]
}
