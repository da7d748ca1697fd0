package storetest

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// A Memory is a store.Store in maps. Each Update copies them all, which makes
// it as simple as it is slow. NewMemory makes one.
type Memory struct {
	writer    sync.Mutex
	committed atomic.Pointer[memory]
}

var _ store.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	m := &Memory{}
	m.committed.Store(&memory{
		settings: map[string][]byte{}, states: map[string]*store.State{}, unprocessed: map[string][]byte{},
		processed: map[string][]byte{}, caches: map[string][]byte{}, documents: map[catalog.UID]document{},
		children: map[child]bool{}, relations: map[pair][]catalog.Relation{}, refreshKeys: map[pair]bool{},
		locations: map[string]catalog.Location{}, changes: map[uint64]*store.Change{},
	})
	return m
}

// View runs fn on the state that is committed now.
func (m *Memory) View(fn func(store.ReadTx) error) error { return fn(m.committed.Load()) }

// Update runs fn on a copy, which is what is committed unless it returns an
// error.
func (m *Memory) Update(fn func(store.WriteTx) error) error {
	m.writer.Lock()
	defer m.writer.Unlock()
	next := m.committed.Load().clone()
	if err := fn(next); err != nil {
		return err
	}
	m.committed.Store(next)
	return nil
}

type (
	// A pair is the two parts of a key.
	pair struct{ head, tail string }
	// A child is the name of a source and the ref that it emits.
	child    struct{ source, ref string }
	document struct {
		revision uint64
		json     []byte
	}
)

// memory is one state of a Memory. What the maps hold never changes.
type memory struct {
	revision                                 uint64
	settings, unprocessed, processed, caches map[string][]byte
	states                                   map[string]*store.State
	documents                                map[catalog.UID]document
	children                                 map[child]bool
	relations                                map[pair][]catalog.Relation
	refreshKeys                              map[pair]bool
	locations                                map[string]catalog.Location
	changes                                  map[uint64]*store.Change
}

func (m *memory) clone() *memory {
	return &memory{
		revision: m.revision, settings: maps.Clone(m.settings), unprocessed: maps.Clone(m.unprocessed),
		processed: maps.Clone(m.processed), caches: maps.Clone(m.caches), states: maps.Clone(m.states),
		documents: maps.Clone(m.documents), children: maps.Clone(m.children), relations: maps.Clone(m.relations),
		refreshKeys: maps.Clone(m.refreshKeys), locations: maps.Clone(m.locations), changes: maps.Clone(m.changes),
	}
}

// sorted returns the keys of a map in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// tails returns what stands in a map behind head, in order.
func tails[V any](m map[pair]V, head string) []string {
	var out []string
	for k := range m {
		if k.head == head {
			out = append(out, k.tail)
		}
	}
	slices.Sort(out)
	return out
}

func each[T any](list []T, yield func(T) bool) error {
	for _, x := range list {
		if !yield(x) {
			break
		}
	}
	return nil
}

// copied returns bytes that nobody else has; those of a value that is there
// are never nil.
func copied(b []byte) []byte { return append([]byte{}, b...) }

func (m *memory) Revision() uint64           { return m.revision }
func (m *memory) Setting(name string) []byte { return m.settings[name] }

func (m *memory) State(ref string) (*store.State, error) { return cloneState(m.states[ref]), nil }

func (m *memory) States(from string, yield func(*store.State) bool) error {
	for _, ref := range sorted(m.states) {
		if ref >= from && !yield(cloneState(m.states[ref])) {
			break
		}
	}
	return nil
}

func (m *memory) RefOf(uid catalog.UID) string {
	for ref, s := range m.states {
		if s.UID == uid {
			return ref
		}
	}
	return ""
}

func (m *memory) LastUID() (last catalog.UID) {
	for _, s := range m.states {
		if bytes.Compare(s.UID[:], last[:]) > 0 {
			last = s.UID
		}
	}
	return last
}

func (m *memory) Unprocessed(ref string) ([]byte, error) { return m.unprocessed[ref], nil }
func (m *memory) Processed(ref string) ([]byte, error)   { return m.processed[ref], nil }
func (m *memory) Cache(ref string) ([]byte, error)       { return m.caches[ref], nil }

func (m *memory) Document(uid catalog.UID) ([]byte, uint64) {
	d := m.documents[uid]
	return d.json, d.revision
}

func (m *memory) Documents(yield func(catalog.UID, uint64, []byte) bool) error {
	uids := slices.SortedFunc(maps.Keys(m.documents), func(a, b catalog.UID) int { return bytes.Compare(a[:], b[:]) })
	return each(uids, func(uid catalog.UID) bool { return yield(uid, m.documents[uid].revision, m.documents[uid].json) })
}

// sourceName makes one string of a source; entities come before providers.
func sourceName(s store.Source) string {
	return fmt.Sprintf("%t %s%s", s.Entity == "", s.Entity, s.Provider)
}

func (m *memory) Children(source store.Source, yield func(string) bool) error {
	var refs []string
	for c := range m.children {
		if c.source == sourceName(source) {
			refs = append(refs, c.ref)
		}
	}
	slices.Sort(refs)
	return each(refs, yield)
}

func (m *memory) Sources(yield func(store.Source) bool) error {
	names := map[string]bool{}
	for c := range m.children {
		names[c.source] = true
	}
	return each(sorted(names), func(name string) bool {
		if entity, ok := bytes.CutPrefix([]byte(name), []byte("false ")); ok {
			return yield(store.Source{Entity: string(entity)})
		}
		return yield(store.Source{Provider: name[len("true "):]})
	})
}

func (m *memory) ReverseRelations(source string, yield func(string, []catalog.Relation) bool) error {
	return each(tails(m.relations, source), func(emitter string) bool {
		return yield(emitter, slices.Clone(m.relations[pair{source, emitter}]))
	})
}

func (m *memory) RefreshKeyHolders(key string, yield func(string) bool) error {
	return each(tails(m.refreshKeys, key), yield)
}

func (m *memory) Location(id string) (catalog.Location, bool, error) {
	l, ok := m.locations[id]
	return l, ok, nil
}

func (m *memory) LocationByRef(ref catalog.LocationRef) (catalog.Location, bool, error) {
	for _, l := range m.locations {
		if l.Ref() == ref {
			return l, true, nil
		}
	}
	return catalog.Location{}, false, nil
}

func (m *memory) Locations(yield func(catalog.Location) bool) error {
	return each(sorted(m.locations), func(id string) bool { return yield(m.locations[id]) })
}

func (m *memory) Changes(from uint64, yield func(*store.Change) bool) error {
	for _, revision := range sorted(m.changes) {
		c := *m.changes[revision]
		if revision >= from && !yield(&c) {
			break
		}
	}
	return nil
}
