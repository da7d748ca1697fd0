package engine

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"runtime/debug"
	"slices"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// An outcome is what one run made of one entity, in the form in which it is
// stored. Runs make it; the committer alone reads it afterwards.
type outcome struct {
	ref  string
	turn uint64 // in which it was handed out
	void bool   // there is nothing to store
	uid  catalog.UID
	hash store.Digest // of the unprocessed form that was processed

	ok        bool
	entity    *jsonvalue.Object
	json      []byte
	children  []incoming
	relations []catalog.Relation
	keys      []string
	errors    []byte
	reason    error  // errors, for the log
	location  string // where it came from, if there are errors
	cache     []byte
	// sameCache tells that the cache is as it was.
	sameCache bool

	digest store.Digest
	// settled tells that the outcome equals the stored one.
	settled bool
	ended   time.Time // when the run did
}

// open tells whether the outcome is to be stored, and the entity stitched.
func (o *outcome) open() bool { return !o.settled && !o.void }

// A task is what a run needs of the store, copied out of it.
type task struct {
	state       *store.State
	unprocessed *jsonvalue.Object
	cache       []byte
}

// work processes what is due until the queue is closed.
func (e *Engine) work(ctx context.Context) error {
	for {
		ref, turn, ok := e.queue.pop()
		if !ok {
			return nil
		}
		e.working.Add(1)
		e.metrics.waited(e.queue.waited(ref))
		o, err := e.run(process.WithDemand(ctx, e.queue.demand(ref)), ref)
		e.working.Add(-1)
		if err != nil {
			return err
		}
		if o == nil || ctx.Err() != nil {
			o = &outcome{ref: ref, void: true}
		}
		o.turn = turn
		if o.open() {
			e.metrics.unstitched.Inc()
		}
		e.outcomes <- o
	}
}

// run processes one entity. There is no outcome for what is gone meanwhile.
func (e *Engine) run(ctx context.Context, ref string) (*outcome, error) {
	begin := e.now()
	t, err := e.task(ref)
	if err != nil || t == nil {
		return nil, err
	}
	in := process.Input{Entity: catalog.Entity{Object: t.unprocessed}}
	if t.cache != nil {
		if in.Cache, err = process.ParseCache(t.cache); err != nil {
			e.log.Warn("cache of an entity dropped", "entity_ref", ref, "error", err)
		}
	}
	processing := e.now()
	result := e.process(ctx, in)
	processors := e.now().Sub(processing)
	if ctx.Err() != nil {
		return nil, nil
	}
	for _, w := range result.Warnings {
		e.log.Warn(w, "entity_ref", ref)
	}
	o := newOutcome(t, result)
	o.settled = o.digest == t.state.ResultHash && !t.state.Due && o.sameCache
	o.ended = e.now()
	e.metrics.processedIn(o, o.ended.Sub(begin), processors)
	return o, nil
}

// process runs the processor, as a span if anybody looks at those.
func (e *Engine) process(ctx context.Context, in process.Input) (result process.Result) {
	if e.opts.Trace == nil {
		return e.processor.Process(ctx, in)
	}
	entity := in.Entity
	ctx, end := e.opts.Trace(ctx, "ProcessingRun", "backstage.entity.apiVersion", entity.APIVersion(), "backstage.entity.kind", entity.Kind(),
		"backstage.entity.metadata.namespace", entity.Metadata().String("namespace"), "backstage.entity.metadata.name", entity.Name())
	defer func() { end(errors.Join(result.Errors...)) }()
	return e.processor.Process(ctx, in)
}

func (e *Engine) task(ref string) (t *task, err error) {
	err = e.store.View(func(tx store.ReadTx) error {
		s, err := tx.State(ref)
		if err != nil || s == nil {
			return err
		}
		json, err := tx.Unprocessed(ref)
		if err != nil {
			return err
		}
		entity, err := jsonvalue.ParseObject(json)
		if err != nil {
			return fmt.Errorf("stored form of %s: %w", ref, err)
		}
		cache, err := tx.Cache(ref)
		t = &task{state: s, unprocessed: entity, cache: slices.Clone(cache)}
		return err
	})
	return t, err
}

func newOutcome(t *task, result process.Result) *outcome {
	o := &outcome{ref: t.state.Ref, uid: t.state.UID, hash: t.state.UnprocessedHash, ok: result.OK}
	if result.Cache != nil {
		o.cache = result.Cache.AppendJSON(nil)
	}
	o.sameCache = string(o.cache) == string(t.cache)
	o.keys = usableKeys(result.RefreshKeys)
	if !o.ok {
		o.errors, o.reason = errorList(result.Errors), errors.Join(result.Errors...)
		o.location = catalog.Entity{Object: t.unprocessed}.Annotation(catalog.AnnotationManagedBy)
		o.digest = o.sum()
		return o
	}
	o.entity = result.Entity.Object
	o.json = jsonvalue.Append(nil, o.entity)
	o.children = make([]incoming, 0, len(result.Children))
	for _, c := range result.Children {
		o.children = append(o.children, newIncoming(c.Ref, c.Entity, c.LocationKey))
	}
	o.relations = slices.Clone(result.Relations)
	slices.SortFunc(o.relations, compareRelations)
	o.relations = slices.Compact(o.relations)
	o.digest = o.sum()
	return o
}

func compareRelations(a, b catalog.Relation) int {
	return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Target, b.Target))
}

func newIncoming(ref string, entity catalog.Entity, locationKey string) incoming {
	json := jsonvalue.Append(nil, entity.Object)
	return incoming{ref: ref, json: json, hash: sha1.Sum(json), locationKey: locationKey, keyless: locationKey == ""}
}

// usableKeys sorts refresh keys and leaves out those that cannot be stored.
func usableKeys(keys []string) []string {
	var out []string
	for _, k := range keys {
		if k != "" && len(k) <= store.MaxRefreshKeyBytes && !slices.Contains([]byte(k), 0) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func errorList(errs []error) []byte {
	if len(errs) == 0 {
		errs = []error{errors.New("processing failed without saying why")}
	}
	list := make([]any, len(errs))
	for i, err := range errs {
		list[i] = catalog.ErrorObject(err)
	}
	return jsonvalue.Append(nil, list)
}

// sum is the digest by which equal outcomes are recognised.
func (o *outcome) sum() store.Digest {
	h := sha1.New()
	if o.ok {
		h.Write([]byte{1})
	}
	part(h, string(o.json))
	part(h, string(o.errors))
	for _, c := range o.children {
		part(h, c.ref)
		part(h, c.locationKey)
		h.Write(c.hash[:])
	}
	for _, r := range o.relations {
		part(h, r.Source)
		part(h, r.Type)
		part(h, r.Target)
	}
	for _, k := range o.keys {
		part(h, k)
	}
	return store.Digest(h.Sum(nil))
}

func part(h hash.Hash, s string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(s)))
	h.Write(n[:])
	h.Write([]byte(s))
}

const (
	// outcomeBuffer is how many outcomes may wait while a batch is committed.
	outcomeBuffer = 64
	// smallBatch and largeBatch bound a batch, and with it the memory of its
	// transaction.
	smallBatch, largeBatch = 1024, 8192
	// shortWait, longWait and floodWait are how long a batch waits for what is
	// still being processed.
	shortWait, longWait, floodWait = 10 * time.Millisecond, 300 * time.Millisecond, 2 * time.Second
	// busy is how much must be waiting for batches to be gathered.
	busy = 200
	// portion is the part of what is waiting that makes a batch in a flood.
	portion = 8
)

// gathering says how many outcomes make a batch, and how long it waits for
// them: hardly, when little is due, so that a single change is served at once;
// longer the more there is, so that entities to which many relate are stitched
// less often, and pages of the store are written once for many of them.
func gathering(due int) (size int, wait time.Duration) {
	switch {
	case due <= busy:
		return smallBatch, shortWait
	case due <= portion*smallBatch:
		return smallBatch, longWait
	}
	return min(due/portion, largeBatch), floodWait
}

// burst is after how many outcomes the memory that they took is given back to
// the system, once nothing is due any more.
const burst = 1000

// commitOutcomes stores outcomes in batches until there are no workers left.
func (e *Engine) commitOutcomes() error {
	since := 0
	in := lineUp{from: e.outcomes}
	for {
		batch := e.collect(&in)
		if batch == nil {
			return nil
		}
		if err := e.commit(batch); err != nil {
			e.queue.close()
			return err
		}
		if since += len(batch); since >= burst && e.Idle() {
			since = 0
			debug.FreeOSMemory()
		}
	}
}

// collect takes what has been processed, and waits a little for what is being
// processed. It returns nil when there is nothing more to come.
func (e *Engine) collect(in *lineUp) []*outcome {
	in.patience = overtakeSoon
	if ready, _ := e.queue.pending(); ready > busy {
		in.patience = overtakeLate
	}
	first := in.wait(nil)
	if first == nil {
		return nil
	}
	batch := []*outcome{first}
	ready, _ := e.queue.pending()
	size, wait := gathering(ready)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for len(batch) < size {
		o := in.next()
		if o == nil && e.nothingUnderWay(in) {
			return batch
		}
		if o == nil {
			o = in.wait(timer.C)
		}
		if o == nil {
			return batch
		}
		batch = append(batch, o)
	}
	return batch
}

// nothingUnderWay tells whether every outcome that there will be soon has been
// taken.
func (e *Engine) nothingUnderWay(in *lineUp) bool {
	ready, _ := e.queue.pending()
	return ready == 0 && e.working.Load() == 0 && in.empty()
}

// commit stores a batch and plans the next runs.
func (e *Engine) commit(batch []*outcome) error {
	begin := e.now()
	refs := make([]string, len(batch))
	open := batch[:0:0]
	for i, o := range batch {
		refs[i] = o.ref
		if o.open() {
			open = append(open, o)
			e.metrics.unstitched.Dec()
			e.metrics.stitchWait.Observe(begin.Sub(o.ended).Seconds())
		}
	}
	if len(open) > 0 {
		if err := e.update(func(t *txn) error { return t.apply(open) }); err != nil {
			return err
		}
	}
	for _, o := range batch {
		if len(o.keys) > 0 || o.errors != nil {
			e.queue.schedule(o.ref, e.now().Add(e.interval()))
		}
	}
	e.queue.done(refs...)
	e.metrics.committed(e.now().Sub(begin))
	return nil
}

func (t *txn) apply(batch []*outcome) error {
	t.processed = make(map[string]*jsonvalue.Object, len(batch))
	for _, o := range batch {
		s, err := t.state(o.ref)
		if err != nil {
			return err
		}
		if s == nil || s.UID != o.uid {
			continue // gone, or another by now
		}
		if s.UnprocessedHash != o.hash {
			t.due = append(t.due, o.ref) // changed while it was processed
			continue
		}
		if err := t.applyOne(s, o); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) applyOne(s *store.State, o *outcome) error {
	t.touch(s)
	s.Due, s.LastProcessed, s.ResultHash = false, t.now, o.digest
	if !o.sameCache {
		if err := t.tx.PutCache(s.Ref, o.cache); err != nil {
			return err
		}
	}
	if string(s.Errors) != string(o.errors) {
		s.Errors = o.errors
		t.markStitch(s.Ref)
		if o.errors != nil {
			t.failed = append(t.failed, o)
		}
	}
	if !o.ok {
		s.Failures++
		// What it could not read may be mended, and then somebody says so.
		return t.setRefreshKeys(s, union(s.RefreshKeys, o.keys))
	}
	s.Failures, s.Processed = 0, true
	if err := t.tx.PutProcessed(s.Ref, o.json); err != nil {
		return err
	}
	t.processed[s.Ref] = o.entity
	t.markStitch(s.Ref)
	if err := t.setRelations(s, o.relations); err != nil {
		return err
	}
	if err := t.setRefreshKeys(s, o.keys); err != nil {
		return err
	}
	return t.setChildren(s, o)
}

// setChildren makes the children of s those of the outcome: the last of equal
// refs counts, and what is not emitted any more becomes an orphan.
func (t *txn) setChildren(s *store.State, o *outcome) error {
	source := store.Source{Entity: s.Ref}
	before, err := t.children(source)
	if err != nil {
		return err
	}
	times := make(map[string]int, len(o.children))
	for _, c := range o.children {
		times[c.ref]++
	}
	for _, c := range inOrder(o.children) {
		stored, err := t.upsert(c, source)
		if err != nil {
			return err
		}
		if !stored {
			s.ResultHash = store.Digest{} // try again next time
			continue
		}
		if err := t.setRepeats(c.ref, source, times[c.ref]-1); err != nil {
			return err
		}
	}
	for _, ref := range before {
		if times[ref] > 0 {
			continue
		}
		child, err := t.state(ref)
		if err != nil {
			return err
		}
		if child == nil || child.Parent != source {
			continue
		}
		if err := t.reparent(child, store.Source{}); err != nil {
			return err
		}
	}
	return nil
}

// setRepeats keeps how many times more than once source emits an entity.
func (t *txn) setRepeats(ref string, source store.Source, n int) error {
	s, err := t.state(ref)
	if err != nil || s.Parent != source || s.Repeats == n {
		return err
	}
	s.Repeats = n
	t.touch(s)
	return nil
}
