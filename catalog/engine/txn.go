package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// A txn is one transaction of the engine: the records it has touched, and what
// follows from them for stitching, index and queue. It belongs to one
// goroutine, which holds the engine's lock.
type txn struct {
	e   *Engine
	tx  store.WriteTx
	now int64 // milliseconds since 1970

	records map[string]*record
	// stitch holds the refs whose document may have to change.
	stitch map[string]struct{}
	// processed holds forms that this transaction has stored, so that they
	// need not be read again.
	processed map[string]*jsonvalue.Object

	revision uint64
	changes  []index.Change

	// What the queue is told once the transaction has committed.
	due, gone []string
	demand    process.Demand // of what is due
	orphans   []string
	conflicts []conflict
	// failed are outcomes with errors that are new, for the log.
	failed []*outcome
}

// A record is a state as this transaction sees it; state is nil where there is
// none (any more).
type record struct {
	state *store.State
	dirty bool
}

// A conflict: parent wanted to emit ref, which belongs to somebody else.
type conflict struct {
	ref, parent string
	Conflict    // as it is told
}

// An incoming is an entity that a source hands in.
type incoming struct {
	ref         string
	json        []byte
	hash        store.Digest
	locationKey string
	keyless     bool
}

// inOrder returns the last of each ref, in order of refs: a store takes many
// new keys of one transaction in ascending order far quicker than at random.
func inOrder(list []incoming) []incoming {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b incoming) int { return cmp.Compare(a.ref, b.ref) })
	out := sorted[:0]
	for i, in := range sorted {
		if i+1 == len(sorted) || sorted[i+1].ref != in.ref {
			out = append(out, in)
		}
	}
	return out
}

func (t *txn) load(ref string) (*record, error) {
	if r := t.records[ref]; r != nil {
		return r, nil
	}
	s, err := t.tx.State(ref)
	if err != nil {
		return nil, err
	}
	r := &record{state: s}
	t.records[ref] = r
	return r, nil
}

// state returns the state of ref, nil if there is none. Who changes it says so
// with touch.
func (t *txn) state(ref string) (*store.State, error) {
	r, err := t.load(ref)
	if err != nil {
		return nil, err
	}
	return r.state, nil
}

func (t *txn) touch(s *store.State) { t.records[s.Ref].dirty = true }

func (t *txn) markStitch(ref string) { t.stitch[ref] = struct{}{} }

func (t *txn) markDue(s *store.State) {
	s.Due = true
	t.touch(s)
	t.due = append(t.due, s.Ref)
}

// upsert stores what source emits, and makes source its parent. The answer is
// false where the ref belongs to another location, or cannot be stored.
func (t *txn) upsert(in incoming, source store.Source) (bool, error) {
	if !store.ValidRef(in.ref) {
		t.e.log.Warn("entity left out: its ref is too long or has a NUL", "entity_ref", fmt.Sprintf("%.100q", in.ref))
		return false, nil
	}
	r, err := t.load(in.ref)
	if err != nil {
		return false, err
	}
	if r.state == nil {
		return true, t.insert(r, in, source)
	}
	s := r.state
	if !mayUpdate(s, in) {
		t.conflicts = append(t.conflicts, conflict{in.ref, source.Entity, Conflict{in.ref, in.json, in.locationKey, s.LocationKey}})
		t.e.log.Warn("entity left out: its ref belongs to another location",
			"entity_ref", in.ref, "location_key", in.locationKey, "owner", s.LocationKey)
		return false, nil
	}
	if s.UnprocessedHash != in.hash {
		if err := t.tx.PutUnprocessed(in.ref, in.json); err != nil {
			return false, err
		}
		s.UnprocessedHash, s.LastDiscovery = in.hash, t.now
		t.markDue(s)
	}
	if s.Keyless && !in.keyless {
		s.Keyless, s.LocationKey = false, in.locationKey
		t.touch(s)
	}
	return true, t.reparent(s, source)
}

// mayUpdate: a record without a location key may be taken over by anyone, one
// with a key only by an entity with the same.
func mayUpdate(s *store.State, in incoming) bool {
	if s.Keyless {
		return true
	}
	return !in.keyless && s.LocationKey == in.locationKey
}

func (t *txn) insert(r *record, in incoming, source store.Source) error {
	s := &store.State{
		Ref: in.ref, UID: t.e.uids.Next(), Parent: source, LocationKey: in.locationKey, Keyless: in.keyless,
		UnprocessedHash: in.hash, LastDiscovery: t.now,
	}
	r.state = s
	t.markDue(s)
	if err := t.tx.PutUnprocessed(in.ref, in.json); err != nil {
		return err
	}
	return t.tx.PutChild(source, in.ref)
}

// reparent makes source the one parent of s; the zero source makes an orphan.
func (t *txn) reparent(s *store.State, source store.Source) error {
	if s.Parent == source {
		return nil
	}
	if within, err := t.descends(source, s.Ref); err != nil || within {
		// Locations that name each other: the one nearer to the root stays
		// the parent, or else nobody could remove them any more.
		return err
	}
	if !s.Parent.IsZero() {
		if err := t.tx.DeleteChild(s.Parent, s.Ref); err != nil {
			return err
		}
	}
	if !source.IsZero() {
		if err := t.tx.PutChild(source, s.Ref); err != nil {
			return err
		}
	}
	if s.Parent.IsZero() != source.IsZero() && t.e.keepOrphans {
		t.markStitch(s.Ref)
	}
	if source.IsZero() {
		t.orphans = append(t.orphans, s.Ref)
	}
	s.Parent, s.Repeats = source, 0
	t.touch(s)
	return nil
}

// maxAncestors bounds walks towards the root.
const maxAncestors = 64

// descends tells whether ref is among the ancestors of source.
func (t *txn) descends(source store.Source, ref string) (bool, error) {
	for range maxAncestors {
		if source.Entity == "" {
			return false, nil
		}
		if source.Entity == ref {
			return true, nil
		}
		s, err := t.state(source.Entity)
		if err != nil || s == nil {
			return false, err
		}
		source = s.Parent
	}
	return false, nil
}

// children returns the refs of what source emits.
func (t *txn) children(source store.Source) ([]string, error) {
	var refs []string
	err := t.tx.Children(source, func(ref string) bool {
		refs = append(refs, ref)
		return true
	})
	return refs, err
}

// setRelations replaces what s emits, and marks every entity that shows a
// relation more or less for stitching.
func (t *txn) setRelations(s *store.State, list []catalog.Relation) error {
	before, after := bySource(s.Relations), bySource(list)
	for source, old := range before {
		if slices.Equal(old, after[source]) {
			continue
		}
		if err := t.putRelations(s, source, after[source]); err != nil {
			return err
		}
	}
	for source, now := range after {
		if before[source] != nil {
			continue
		}
		if err := t.putRelations(s, source, now); err != nil {
			return err
		}
	}
	if !slices.Equal(s.Relations, list) {
		s.Relations = list
		t.touch(s)
	}
	return nil
}

func (t *txn) putRelations(s *store.State, source string, list []catalog.Relation) error {
	t.markStitch(source)
	// What the entity emits for itself stands in its own record, and a ref
	// that can name no entity needs no rows.
	if source == s.Ref || !store.ValidRef(source) {
		return nil
	}
	return t.tx.PutReverseRelations(source, s.Ref, list)
}

// bySource splits a sorted list.
func bySource(list []catalog.Relation) map[string][]catalog.Relation {
	out := make(map[string][]catalog.Relation, 8)
	for i := 0; i < len(list); {
		j := i + 1
		for j < len(list) && list[j].Source == list[i].Source {
			j++
		}
		out[list[i].Source] = list[i:j:j]
		i = j
	}
	return out
}

func (t *txn) setRefreshKeys(s *store.State, keys []string) error {
	if slices.Equal(s.RefreshKeys, keys) {
		return nil
	}
	for _, k := range without(s.RefreshKeys, keys) {
		if err := t.tx.DeleteRefreshKey(k, s.Ref); err != nil {
			return err
		}
	}
	for _, k := range without(keys, s.RefreshKeys) {
		if err := t.tx.PutRefreshKey(k, s.Ref); err != nil {
			return err
		}
	}
	s.RefreshKeys = keys
	t.touch(s)
	return nil
}

// union returns what is in either of two sorted lists, sorted.
func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// without returns what is in list and not in other.
func without(list, other []string) []string {
	in := make(map[string]bool, len(other))
	for _, x := range other {
		in[x] = true
	}
	var out []string
	for _, x := range list {
		if !in[x] {
			out = append(out, x)
		}
	}
	return out
}

// removeTree removes ref and everything that is reachable through it.
func (t *txn) removeTree(ref string) error {
	pending := []string{ref}
	for len(pending) > 0 {
		last := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		children, err := t.children(store.Source{Entity: last})
		if err != nil {
			return err
		}
		if err := t.remove(last); err != nil {
			return err
		}
		pending = append(pending, children...)
	}
	return nil
}

// remove removes the record of ref and all that it emits but its children,
// which the caller removes or leaves as orphans.
func (t *txn) remove(ref string) error {
	s, err := t.state(ref)
	if err != nil || s == nil {
		return err
	}
	if err := t.setRelations(s, nil); err != nil {
		return err
	}
	if err := t.setRefreshKeys(s, nil); err != nil {
		return err
	}
	if err := t.removeDocument(s); err != nil {
		return err
	}
	if !s.Parent.IsZero() {
		if err := t.tx.DeleteChild(s.Parent, ref); err != nil {
			return err
		}
	}
	t.records[ref] = &record{}
	delete(t.stitch, ref)
	delete(t.processed, ref)
	t.gone = append(t.gone, ref)
	return t.tx.DeleteState(s)
}

func (t *txn) removeDocument(s *store.State) error {
	if s.ContentHash == (store.Digest{}) {
		return nil
	}
	before, _ := t.tx.Document(s.UID)
	t.revision++
	change := &store.Change{Revision: t.revision, At: t.now, UID: s.UID, Ref: s.Ref, Deleted: true, Before: before}
	if err := t.tx.AppendChange(change); err != nil {
		return err
	}
	t.changes = append(t.changes, index.Change{UID: s.UID, Ref: s.Ref})
	s.ContentHash = store.Digest{}
	return t.tx.DeleteDocument(s.UID)
}

// flush writes the states that were touched.
func (t *txn) flush() error {
	for _, ref := range slices.Sorted(maps.Keys(t.records)) {
		r := t.records[ref]
		if r.state == nil || !r.dirty {
			continue
		}
		if err := t.tx.PutState(r.state); err != nil {
			return err
		}
	}
	return nil
}
