package engine

import (
	"container/heap"
	"context"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/process"
)

// A queue knows when which ref is to be processed. A ref that was handed out
// is not handed out again before done has been called for it; what was asked
// for in between is kept. It is safe for concurrent use.
type queue struct {
	now func() time.Time

	mu      sync.Mutex
	wake    *sync.Cond
	items   map[string]*item
	ready   []*item // in order; a nil has been taken out
	head    int     // first of ready that was not handed out
	waiting schedule
	running int
	turns   uint64 // how many refs were handed out
	timer   *time.Timer
	timerAt time.Time
	closed  bool
}

type phase byte

const (
	idle phase = iota
	queued
	running
	again // running, and due once more after that
)

type item struct {
	ref   string
	phase phase
	at    time.Time // zero: not scheduled
	place int       // in the schedule, -1 if not there
	turn  int       // in ready, while queued
	// delay is, in nanoseconds, when it became due, and from the begin of its
	// run on how long it had been due then.
	delay int64
	// wanted is who asked for the next run, taken for the one under way.
	wanted, taken process.Demand
}

func newQueue(now func() time.Time) *queue {
	q := &queue{now: now, items: map[string]*item{}}
	q.wake = sync.NewCond(&q.mu)
	return q
}

func (q *queue) item(ref string) *item {
	it := q.items[ref]
	if it == nil {
		it = &item{ref: ref, place: -1}
		q.items[ref] = it
	}
	return it
}

// push makes refs due now.
func (q *queue) push(refs ...string) { q.ask(process.Demand{}, refs...) }

// ask makes refs due now, as somebody has demanded: at this moment, unless the
// demand says since when.
func (q *queue) ask(d process.Demand, refs ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if d.Since.IsZero() {
		d.Since = q.now()
	}
	for _, ref := range refs {
		it := q.item(ref)
		it.wanted.Urgent = it.wanted.Urgent || d.Urgent
		if d.Since.After(it.wanted.Since) {
			it.wanted.Since = d.Since
		}
		q.makeReady(it)
	}
	q.wake.Broadcast()
}

// demand is who asked for the run of a ref that was handed out.
func (q *queue) demand(ref string) process.Demand {
	q.mu.Lock()
	defer q.mu.Unlock()
	if it := q.items[ref]; it != nil {
		return it.taken
	}
	return process.Demand{}
}

// waited returns how long a ref that was handed out had been due.
func (q *queue) waited(ref string) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if it := q.items[ref]; it != nil && it.phase >= running {
		return time.Duration(it.delay)
	}
	return 0
}

func (q *queue) makeReady(it *item) {
	if it.place >= 0 {
		heap.Remove(&q.waiting, it.place)
	}
	due := it.at
	it.at = time.Time{}
	switch it.phase {
	case idle:
		if due.IsZero() || due.After(q.now()) {
			due = q.now() // somebody did not want to wait
		}
		it.phase, it.turn, it.delay = queued, len(q.ready), due.UnixNano()
		q.ready = append(q.ready, it)
	case running:
		it.phase = again
	}
}

// schedule makes ref due at a time, unless it is due before.
func (q *queue) schedule(ref string, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	it := q.item(ref)
	if it.phase == queued || it.phase == again {
		return
	}
	it.at = at
	if it.phase == running {
		return // done puts it in its place
	}
	q.place(it)
}

func (q *queue) place(it *item) {
	if it.place >= 0 {
		heap.Fix(&q.waiting, it.place)
	} else {
		heap.Push(&q.waiting, it)
	}
	q.setTimer()
}

// setTimer wakes the queue when the first of the schedule is due.
func (q *queue) setTimer() {
	if len(q.waiting) == 0 || q.closed {
		return
	}
	first := q.waiting[0].at
	if q.timer != nil && q.timerAt.Equal(first) {
		return
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	q.timerAt = first
	q.timer = time.AfterFunc(first.Sub(q.now()), q.ring)
}

// ring moves what is due by now to the ready ones.
func (q *queue) ring() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.timer = nil
	for now := q.now(); len(q.waiting) > 0 && !q.waiting[0].at.After(now); {
		q.makeReady(q.waiting[0])
	}
	q.setTimer()
	q.wake.Broadcast()
}

// remove forgets a ref that is not running; a running one is not taken up
// again after done.
func (q *queue) remove(ref string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	it := q.items[ref]
	if it == nil {
		return
	}
	if it.place >= 0 {
		heap.Remove(&q.waiting, it.place)
	}
	it.at = time.Time{}
	switch it.phase {
	case queued:
		q.ready[it.turn] = nil
		delete(q.items, ref)
	case idle:
		delete(q.items, ref)
	case again:
		it.phase = running
	}
}

// pop waits for a ref that is due and hands it out; turn counts from 0 how many
// were handed out before. The answer is false once the queue is closed.
func (q *queue) pop() (ref string, turn uint64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closed {
			return "", 0, false
		}
		if it := q.next(); it != nil {
			it.phase = running
			it.taken, it.wanted = it.wanted, process.Demand{}
			it.delay = max(0, q.now().UnixNano()-it.delay)
			q.running++
			q.turns++
			return it.ref, q.turns - 1, true
		}
		q.wake.Wait()
	}
}

func (q *queue) next() *item {
	for q.head < len(q.ready) {
		it := q.ready[q.head]
		q.ready[q.head] = nil
		q.head++
		if it != nil {
			q.compact()
			return it
		}
	}
	q.ready, q.head = q.ready[:0], 0
	return nil
}

// compact gives back the room of what was handed out, once it is the larger
// part.
func (q *queue) compact() {
	const atLeast = 4096
	if q.head < atLeast || q.head < len(q.ready)/2 {
		return
	}
	n := copy(q.ready, q.ready[q.head:])
	clear(q.ready[n:])
	q.ready, q.head = q.ready[:n], 0
	for i, it := range q.ready {
		if it != nil {
			it.turn = i
		}
	}
}

// done ends the run of refs that were handed out.
func (q *queue) done(refs ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, ref := range refs {
		q.end(ref)
	}
	q.wake.Broadcast()
}

func (q *queue) end(ref string) {
	it := q.items[ref]
	if it == nil || it.phase < running {
		return
	}
	q.running--
	wasAgain := it.phase == again
	it.phase = idle
	switch {
	case wasAgain:
		q.makeReady(it)
	case !it.at.IsZero():
		q.place(it)
	default:
		delete(q.items, ref)
	}
}

// pending returns how many refs are ready and how many are handed out.
func (q *queue) pending() (ready, running int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.ready) - q.head, q.running
}

// dueAt returns when ref is due, the zero time if it is not known.
func (q *queue) dueAt(ref string) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	it := q.items[ref]
	if it == nil {
		return time.Time{}
	}
	if it.at.IsZero() {
		return q.now()
	}
	return it.at
}

// settle waits until nothing is ready and nothing is running.
func (q *queue) settle(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.wake.Broadcast()
	})
	defer stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.running > 0 || q.head < len(q.ready) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if q.closed {
			return nil
		}
		q.wake.Wait()
	}
	return nil
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	if q.timer != nil {
		q.timer.Stop()
	}
	q.wake.Broadcast()
}

// A schedule is a heap by time.
type schedule []*item

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

func (s *schedule) Push(x any) {
	it := x.(*item)
	it.place = len(*s)
	*s = append(*s, it)
}

func (s *schedule) Pop() any {
	old := *s
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	it.place = -1
	return it
}
