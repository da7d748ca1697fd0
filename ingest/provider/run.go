package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/engine"
)

// keepPolling polls the provider until ctx ends. The error is one of the store:
// what goes wrong outside is a failed run.
func (r *runner) keepPolling(ctx context.Context) error {
	next := r.first()
	for {
		if !r.wait(ctx, next) {
			return nil
		}
		if err := r.run(ctx); err != nil {
			return err
		}
		r.mu.Lock()
		next = r.record.NextRun
		r.mu.Unlock()
	}
}

// wait returns true at that time or when triggered, and false when ctx has
// ended. Zero is no time at all.
func (r *runner) wait(ctx context.Context, next time.Time) bool {
	var due <-chan time.Time
	if !next.IsZero() {
		timer := time.NewTimer(next.Sub(r.loop.now()))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-due:
	case <-r.trigger:
	}
	return ctx.Err() == nil
}

// run polls once and keeps what became of it. A run that is cut off by the end
// of the program leaves no record: it is made up for after the next start.
func (r *runner) run(ctx context.Context) error {
	started := r.loop.now()
	r.begin(started)
	listing, err := r.poll(ctx)
	defer r.forgetEvents()
	run := &Run{Started: started, Result: ResultFailed}
	if err == nil {
		err = r.settle(ctx, listing, run)
	}
	if ctx.Err() != nil && err != nil {
		r.mu.Lock()
		r.running = false
		r.mu.Unlock()
		return nil
	}
	return r.end(run, err)
}

func (r *runner) begin(started time.Time) {
	r.mu.Lock()
	r.running = true
	r.mu.Unlock()
	r.publish.Lock()
	r.since = overlay{}
	r.publish.Unlock()
	r.loop.metrics.begin(r.provider.Name, started)
}

func (r *runner) forgetEvents() {
	r.publish.Lock()
	defer r.publish.Unlock()
	r.since = nil
}

func (r *runner) poll(ctx context.Context) (Listing, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.provider.Schedule.Timeout, ErrTimeout)
	defer cancel()
	listing, err := r.provider.Poll(ctx)
	if cause := context.Cause(ctx); err == nil && cause != nil {
		err = cause // it ended in time, but nobody knows what it left out
	}
	if err != nil && errors.Is(context.Cause(ctx), ErrTimeout) && !errors.Is(err, ErrTimeout) {
		err = fmt.Errorf("%w of %s: %w", ErrTimeout, r.provider.Schedule.Timeout, err)
	}
	return listing, err
}

// settle publishes a listing, or holds it, and fills in the run.
func (r *runner) settle(ctx context.Context, l Listing, run *Run) error {
	r.publish.Lock()
	defer r.publish.Unlock()
	name := r.provider.Name
	before, err := r.loop.opts.Catalog.Fed(ctx, name)
	if err != nil {
		return err
	}
	run.Entities = len(before)
	if l.Unchanged {
		run.Result, run.Listed = ResultUnchanged, len(before)
		return nil
	}
	l = r.since.over(l)
	d := diff(before, l)
	run.Listed = len(l.Added)
	if r.loop.opts.Guard.holds(len(d.removals), len(before)) {
		run.Result = ResultHeld
		return r.hold(d.removals, len(before), len(l.Added))
	}
	if err := r.loop.opts.Catalog.ApplyMutation(ctx, name, engine.Mutation{Full: !l.Delta, Added: l.Added, Removed: l.Removed}); err != nil {
		return fmt.Errorf("store what was listed: %w", err)
	}
	run.Result, run.Added, run.Removed = ResultPublished, d.added, len(d.removals)
	run.Entities = len(before) + d.added - len(d.removals)
	return r.letGo("a later listing removes no more than it may")
}

// hold keeps what a listing would have removed, and says so when that is news.
func (r *runner) hold(removals []string, before, listed int) error {
	now := r.loop.now()
	h := &Held{Since: now, Seen: now, Before: before, Listed: listed, Removals: removals}
	r.mu.Lock()
	old := r.held
	r.mu.Unlock()
	news := old == nil || !slices.Equal(old.Removals, removals)
	if old != nil {
		h.Since = old.Since
	}
	if err := r.setHeld(h); err != nil {
		return err
	}
	level := slog.LevelDebug
	if news {
		level = slog.LevelWarn
	}
	r.log.Log(context.Background(), level, "a listing is held, since it would remove too much; nothing has changed: look at it and release or discard it",
		slog.Int("removals", len(removals)), slog.Int("entities", before), slog.Int("listed", listed),
		slog.String("first_entity_ref", removals[0]),
		slog.String("release", "platform provider release "+r.provider.Name), slog.String("discard", "platform provider discard "+r.provider.Name))
	return nil
}

// letGo drops what is held, if anything is.
func (r *runner) letGo(reason string) error {
	r.mu.Lock()
	held := r.held != nil
	r.mu.Unlock()
	if !held {
		return nil
	}
	r.log.Info("a held listing is dropped", slog.String("reason", reason))
	return r.setHeld(nil)
}

func (r *runner) setHeld(h *Held) error {
	if err := r.loop.opts.Store.PutHeld(r.provider.Name, h); err != nil {
		return fmt.Errorf("keep held listing: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = h
	r.loop.metrics.show(r.provider.Name, r.record, h)
	return nil
}

// end keeps the record of a run.
func (r *runner) end(run *Run, failure error) error {
	now := r.loop.now()
	run.Millis = now.Sub(run.Started).Milliseconds()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = false
	next, schedule := r.record, r.provider.Schedule
	next.Fingerprint, next.LastRun = r.provider.Fingerprint, run
	if failure != nil {
		if next.LastRun.Entities == 0 && r.record.LastRun != nil {
			run.Entities = r.record.LastRun.Entities
		}
		run.Result = ResultFailed
		next.Failures++
		next.LastError = &Failure{At: now, Message: failure.Error()}
		next.NextRun = schedule.retry(next.Failures, run.Started, now, notBefore(failure))
	} else {
		next.Failures, next.LastSuccess = 0, now
		next.NextRun = schedule.after(run.Started, now)
	}
	r.record = next
	r.loop.metrics.end(r.provider.Name, run)
	r.loop.metrics.show(r.provider.Name, next, r.held)
	r.report(run, failure)
	if err := r.loop.opts.Store.PutRecord(r.provider.Name, next); err != nil {
		return fmt.Errorf("keep record of provider %s: %w", r.provider.Name, err)
	}
	return nil
}

func (r *runner) report(run *Run, failure error) {
	attrs := []any{
		slog.Duration("took", time.Duration(run.Millis)*time.Millisecond), slog.String("result", run.Result),
		slog.Int("listed", run.Listed), slog.Int("added", run.Added), slog.Int("removed", run.Removed),
	}
	if !r.record.NextRun.IsZero() {
		attrs = append(attrs, slog.Time("next", r.record.NextRun))
	}
	if failure != nil {
		r.log.Warn("provider run failed; the catalog stays as it is", append(attrs, slog.String("error", failure.Error()))...)
		return
	}
	r.log.Info("provider run", attrs...)
}

// apply stores what an event says.
func (r *runner) apply(ctx context.Context, c Change) error {
	if len(c.Added) == 0 && len(c.Removed) == 0 {
		return nil
	}
	r.publish.Lock()
	defer r.publish.Unlock()
	if r.since != nil {
		r.since.note(c)
	}
	return r.loop.opts.Catalog.ApplyMutation(ctx, r.provider.Name, engine.Mutation{Added: c.Added, Removed: c.Removed})
}

func (r *runner) release(ctx context.Context) (Held, error) {
	r.publish.Lock()
	defer r.publish.Unlock()
	h, err := r.isHeld()
	if err != nil {
		return Held{}, err
	}
	if err := r.loop.opts.Catalog.ApplyMutation(ctx, r.provider.Name, engine.Mutation{Removed: h.Removals}); err != nil {
		return Held{}, fmt.Errorf("remove what is held: %w", err)
	}
	r.log.Info("a held listing is released", slog.Int("removals", len(h.Removals)))
	if err := r.setHeld(nil); err != nil {
		return Held{}, err
	}
	r.wake()
	return h, nil
}

func (r *runner) discard() (Held, error) {
	r.publish.Lock()
	defer r.publish.Unlock()
	h, err := r.isHeld()
	if err != nil {
		return Held{}, err
	}
	return h, r.letGo("an operator discarded it")
}

func (r *runner) isHeld() (Held, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		return Held{}, fmt.Errorf("%w: %s", ErrNothingHeld, r.provider.Name)
	}
	return *r.held, nil
}
