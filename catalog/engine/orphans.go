package engine

import (
	"context"
	"sync"
	"time"
)

// An orphanage keeps entities without a parent until their grace has ended. It
// is safe for concurrent use.
type orphanage struct {
	grace time.Duration
	now   func() time.Time

	mu    sync.Mutex
	since []orphan // in order of time
	wake  chan struct{}
}

type orphan struct {
	ref string
	at  time.Time
}

func newOrphanage(grace time.Duration, now func() time.Time) *orphanage {
	return &orphanage{grace: grace, now: now, wake: make(chan struct{}, 1)}
}

func (o *orphanage) add(refs ...string) {
	if len(refs) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	at := o.now()
	for _, ref := range refs {
		o.since = append(o.since, orphan{ref, at})
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take returns those whose grace has ended, and how long it is until the next
// ends, negative where there is none.
func (o *orphanage) take() (refs []string, next time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	n := 0
	for n < len(o.since) && now.Sub(o.since[n].at) >= o.grace {
		refs = append(refs, o.since[n].ref)
		n++
	}
	o.since = append([]orphan(nil), o.since[n:]...)
	if len(o.since) == 0 {
		return refs, -1
	}
	return refs, o.grace - now.Sub(o.since[0].at)
}

const (
	// trimEvery is how often the change log is trimmed, trimChunk how many of
	// its entries one transaction removes.
	trimEvery = time.Minute
	trimChunk = 1000
)

// housekeep removes orphans and old changes until ctx ends.
func (e *Engine) housekeep(ctx context.Context) error {
	trim := time.NewTicker(trimEvery)
	defer trim.Stop()
	sweep := time.NewTimer(0)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-trim.C:
			if err := e.trimChanges(ctx); err != nil {
				return err
			}
			continue
		case <-e.orphans.wake:
		case <-sweep.C:
		}
		refs, next := e.orphans.take()
		if err := e.sweep(refs); err != nil {
			return err
		}
		if next >= 0 {
			sweep.Reset(next)
		}
	}
}

// sweep removes the refs that still have no parent, with what they emit.
func (e *Engine) sweep(refs []string) error {
	if len(refs) == 0 {
		return nil
	}
	return e.update(func(t *txn) error {
		for _, ref := range refs {
			s, err := t.state(ref)
			if err != nil {
				return err
			}
			if s == nil || !s.Parent.IsZero() {
				continue
			}
			if err := t.removeTree(ref); err != nil {
				return err
			}
		}
		return nil
	})
}

// trimChanges removes what the options do not ask to keep of the change log.
func (e *Engine) trimChanges(ctx context.Context) error {
	for ctx.Err() == nil {
		removed, err := e.trimSome()
		if err != nil || removed < trimChunk {
			return err
		}
	}
	return nil
}
