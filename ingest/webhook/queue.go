package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Options say how a Queue works. Store is required.
type Options struct {
	Store Store
	// MaxDeliveries and MaxBytes bound what is kept. Zeros are 10,000 and
	// 256 MiB.
	MaxDeliveries int
	MaxBytes      int
	// Workers is how many deliveries are acted upon at once; 0 is 8.
	Workers int
	// Timeout bounds one try; 0 is one minute.
	Timeout time.Duration
	// MaxTries is after how many failures a delivery is given up; 0 is 10,
	// which takes about an hour.
	MaxTries int
	// Logger is slog.Default where it is nil.
	Logger *slog.Logger
	// Registerer takes the metrics; nil is nowhere.
	Registerer prometheus.Registerer
	// Now is time.Now where it is nil.
	Now func() time.Time
}

func (o *Options) setDefaults() {
	setZero(&o.MaxDeliveries, 10_000)
	setZero(&o.MaxBytes, 256<<20)
	setZero(&o.Workers, 8)
	setZero(&o.Timeout, time.Minute)
	setZero(&o.MaxTries, 10)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func setZero[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}

// A Queue keeps deliveries and hands them out.
type Queue struct {
	opts    Options
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics

	// ready has every lane at most once that has a delivery and does not pause.
	// There are never more lanes than deliveries, so sending never waits.
	ready chan *lane

	mu     sync.Mutex // guards what follows
	lanes  map[string]*lane
	stored int // deliveries in the store
	bytes  int // of their bodies
	done   []handled
}

// A lane holds deliveries that are worked off one after the other.
type lane struct {
	name     string
	waiting  []Stored // guarded by the queue's mutex
	failures int      // of the first one; only touched by who works on the lane
}

// A handled is a delivery that has been acted upon and is still stored.
type handled struct {
	Stored
	at time.Time
}

// New takes over what is stored. Nothing is handed out before Work.
func New(opts Options) (*Queue, error) {
	if opts.Store == nil {
		return nil, errors.New("webhook queue needs a store")
	}
	opts.setDefaults()
	q := &Queue{opts: opts, log: opts.Logger, now: opts.Now, lanes: map[string]*lane{}}
	q.metrics = newMetrics(opts.Registerer, q)
	var found []Stored
	err := opts.Store.Pending(func(s Stored) bool {
		found = append(found, s)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("read stored webhooks: %w", err)
	}
	q.ready = make(chan *lane, max(opts.MaxDeliveries, len(found))+1)
	for _, s := range found {
		q.stored++
		q.bytes += s.Bytes
		q.add(s)
	}
	return q, nil
}

// Put stores a delivery, which is then acted upon soon. New is false for one
// that is there already, or was recently. ErrFull means that there is no room.
func (q *Queue) Put(d Delivery) (isNew bool, err error) {
	if !q.reserve(len(d.Body)) {
		q.metrics.received.WithLabelValues(d.Source, "full").Inc()
		return false, ErrFull
	}
	if d.Received.IsZero() {
		d.Received = q.now()
	}
	s, known, err := q.opts.Store.Append(d)
	if err != nil || known {
		q.free(len(d.Body))
	}
	switch {
	case err != nil:
		return false, fmt.Errorf("store webhook: %w", err)
	case known:
		q.metrics.received.WithLabelValues(d.Source, "known").Inc()
		return false, nil
	}
	q.metrics.received.WithLabelValues(d.Source, "stored").Inc()
	q.add(s)
	return true, nil
}

// reserve makes room for a delivery, if there is any.
func (q *Queue) reserve(size int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stored >= q.opts.MaxDeliveries || q.bytes+size > q.opts.MaxBytes {
		return false
	}
	q.stored++
	q.bytes += size
	return true
}

func (q *Queue) free(size int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stored--
	q.bytes -= size
}

// add puts a stored delivery into its lane.
func (q *Queue) add(s Stored) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[s.Lane]
	if l != nil {
		l.waiting = append(l.waiting, s)
		return
	}
	l = &lane{name: s.Lane, waiting: []Stored{s}}
	q.lanes[s.Lane] = l
	q.ready <- l
}

// Waiting returns how many deliveries have not been acted upon.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stored - len(q.done)
}

// settle is how long a delivery stays stored after it has been acted upon:
// what it set off, such as a refresh, is remembered in memory alone, and would
// be lost with the process.
const settle = 5 * time.Second

// Work hands deliveries to the handler until ctx ends, and returns when no
// handler runs any more. It is called once.
func (q *Queue) Work(ctx context.Context, handle Handler) error {
	group, ctx := errgroup.WithContext(ctx)
	for range q.opts.Workers {
		group.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case l := <-q.ready:
					if err := q.step(ctx, l, handle); err != nil {
						return err
					}
				}
			}
		})
	}
	group.Go(func() error { return q.sweep(ctx) })
	return group.Wait()
}

// step acts upon the first delivery of a lane. An error is one of the store.
func (q *Queue) step(ctx context.Context, l *lane, handle Handler) error {
	q.mu.Lock()
	s := l.waiting[0]
	q.mu.Unlock()
	d, found, err := q.opts.Store.Delivery(s.Sequence)
	if err != nil {
		return fmt.Errorf("read webhook: %w", err)
	}
	if !found {
		q.advance(l, false)
		return nil
	}
	err = q.try(ctx, d, handle)
	switch {
	case err == nil:
		q.metrics.took(d, resultOK, q.now())
		q.advance(l, true)
		return nil
	case ctx.Err() != nil:
		return nil // it is stored, and comes first after the next start
	case errors.Is(err, ErrUnusable) || l.failures+1 >= q.opts.MaxTries:
		return q.drop(l, d, s, err)
	}
	l.failures++
	q.metrics.took(d, resultRetry, q.now())
	pause := pauseAfter(l.failures)
	q.log.Warn("webhook could not be acted upon and is tried again", deliveryAttrs(d, err, slog.Duration("pause", pause))...)
	time.AfterFunc(pause, func() { q.ready <- l })
	return nil
}

func (q *Queue) try(ctx context.Context, d Delivery, handle Handler) error {
	ctx, cancel := context.WithTimeout(ctx, q.opts.Timeout)
	defer cancel()
	return handle(ctx, d)
}

func deliveryAttrs(d Delivery, err error, more ...any) []any {
	return append([]any{
		slog.String("source", d.Source), slog.String("event", d.Event), slog.String("delivery", d.ID), slog.String("error", err.Error()),
	}, more...)
}

// pauseAfter doubles from one second up to ten minutes.
func pauseAfter(failures int) time.Duration {
	return min(time.Second<<min(failures-1, 12), 10*time.Minute)
}

// drop gives a delivery up, and lets the host send it again.
func (q *Queue) drop(l *lane, d Delivery, s Stored, reason error) error {
	q.metrics.took(d, resultDropped, q.now())
	q.log.Error("webhook is given up; the next poll brings what it was about", deliveryAttrs(d, reason)...)
	if err := q.opts.Store.Reject(s.Sequence); err != nil {
		return fmt.Errorf("forget webhook: %w", err)
	}
	q.advance(l, false)
	return nil
}

// advance goes on to the next delivery of a lane; kept tells that the first
// one is still stored.
func (q *Queue) advance(l *lane, kept bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := l.waiting[0]
	if kept {
		q.done = append(q.done, handled{s, q.now()})
	} else {
		q.stored--
		q.bytes -= s.Bytes
	}
	l.failures = 0
	if l.waiting = l.waiting[1:]; len(l.waiting) == 0 {
		delete(q.lanes, l.name)
		return
	}
	q.ready <- l
}

// sweep removes what has been acted upon, a while later and many at once.
func (q *Queue) sweep(ctx context.Context) error {
	ticker := time.NewTicker(settle / 5)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := q.removeDone(); err != nil {
			return err
		}
	}
}

// removeDone removes what was acted upon long enough ago, and what takes up
// more than half of the room in any case.
func (q *Queue) removeDone() error {
	q.mu.Lock()
	n := 0
	for n < len(q.done) && (q.now().Sub(q.done[n].at) >= settle || len(q.done)-n > q.opts.MaxDeliveries/2) {
		n++
	}
	batch := q.done[:n:n]
	q.mu.Unlock()
	if n == 0 {
		return nil
	}
	sequences := make([]uint64, n)
	for i, h := range batch {
		sequences[i] = h.Sequence
	}
	if err := q.opts.Store.Remove(sequences); err != nil {
		return fmt.Errorf("remove webhooks: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.done = append([]handled(nil), q.done[n:]...)
	q.stored -= n
	for _, h := range batch {
		q.bytes -= h.Bytes
	}
	return nil
}
