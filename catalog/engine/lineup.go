package engine

import (
	"container/heap"
	"time"
)

// overtakeSoon and overtakeLate are how long outcomes wait for one whose turn
// came before theirs, as some runs wait for what they read: hardly, where a
// single change is to be served at once, longer where much is due, and order
// saves more than it costs.
const overtakeSoon, overtakeLate = 5 * time.Millisecond, 100 * time.Millisecond

// A lineUp brings outcomes back into the order in which their refs were handed
// out, as far as none is late. New entities get their uids in that order, and
// the index takes uids that ascend without being built anew. It belongs to one
// goroutine.
type lineUp struct {
	from  <-chan *outcome
	early byTurn // whose turn has not come
	turn  uint64 // that comes next
	// patience is how long wait waits for the one whose turn it is.
	patience time.Duration
}

// empty tells whether nothing has come that was not taken.
func (l *lineUp) empty() bool { return len(l.early) == 0 && len(l.from) == 0 }

// next returns the outcome whose turn it is, or one that is late, nil if it has
// not come yet.
func (l *lineUp) next() *outcome {
	for {
		if len(l.early) > 0 && l.early[0].turn <= l.turn {
			return l.take()
		}
		select {
		case o, ok := <-l.from:
			if !ok {
				return nil
			}
			heap.Push(&l.early, o)
		default:
			return nil
		}
	}
}

// take hands out the first of those that have come.
func (l *lineUp) take() *outcome {
	o := heap.Pop(&l.early).(*outcome)
	l.turn = max(l.turn, o.turn+1)
	return o
}

// wait waits for the outcome whose turn it is, or, after a moment, takes the
// first that has come. It returns nil when the limit passes, unless that is
// nil, and when there is nothing more to come.
func (l *lineUp) wait(limit <-chan time.Time) *outcome {
	patience := time.NewTimer(l.patience)
	defer patience.Stop()
	for {
		if o := l.next(); o != nil {
			return o
		}
		var overtake <-chan time.Time
		if len(l.early) > 0 {
			overtake = patience.C
		}
		select {
		case o, ok := <-l.from:
			if !ok {
				return l.rest()
			}
			heap.Push(&l.early, o)
			if len(l.early) == 1 {
				patience.Reset(l.patience)
			}
		case <-overtake:
			return l.take()
		case <-limit:
			return nil
		}
	}
}

// rest hands out what has come once no more will come.
func (l *lineUp) rest() *outcome {
	if len(l.early) == 0 {
		return nil
	}
	return l.take()
}

// byTurn is a heap.
type byTurn []*outcome

func (b byTurn) Len() int           { return len(b) }
func (b byTurn) Less(i, j int) bool { return b[i].turn < b[j].turn }
func (b byTurn) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b *byTurn) Push(x any)        { *b = append(*b, x.(*outcome)) }
func (b *byTurn) Pop() any {
	old := *b
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*b = old[:len(old)-1]
	return last
}
