package budget

import (
	"context"
	"slices"
	"sync"
)

// slots bound how many requests are under way. Some are kept for urgent work,
// and whoever is urgent gets the next free one.
type slots struct {
	total, kept int

	mu      sync.Mutex
	inUse   int
	urgent  []chan struct{}
	waiting []chan struct{}
}

// acquire takes a slot, or ends with ctx.
func (s *slots) acquire(ctx context.Context, urgent bool) error {
	s.mu.Lock()
	if s.free(urgent) && (urgent || len(s.urgent) == 0) {
		s.inUse++
		s.mu.Unlock()
		return nil
	}
	turn, queue := make(chan struct{}), s.queue(urgent)
	*queue = append(*queue, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(*queue, turn); i >= 0 {
		*queue = slices.Delete(*queue, i, i+1)
	} else { // the turn came at the same moment
		s.inUse--
		s.pass()
	}
	return context.Cause(ctx)
}

// release gives a slot back.
func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inUse--
	s.pass()
}

func (s *slots) queue(urgent bool) *[]chan struct{} {
	if urgent {
		return &s.urgent
	}
	return &s.waiting
}

// free tells whether there is a slot; the caller holds the lock.
func (s *slots) free(urgent bool) bool {
	if urgent {
		return s.inUse < s.total
	}
	return s.inUse < s.total-s.kept
}

// pass hands free slots to those who wait; the caller holds the lock.
func (s *slots) pass() {
	for _, urgent := range []bool{true, false} {
		queue := s.queue(urgent)
		for len(*queue) > 0 && s.free(urgent) {
			s.inUse++
			close((*queue)[0])
			*queue = (*queue)[1:]
		}
	}
}
