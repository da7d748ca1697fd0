package boltflows

// SetLimit changes how many flows are kept.
func (s *Store) SetLimit(n uint64) { s.most = n }
