package storetest

import (
	"fmt"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// cloneState returns a deep copy, with nil for what is empty.
func cloneState(s *store.State) *store.State {
	if s == nil {
		return nil
	}
	c := *s
	c.Errors = append([]byte(nil), s.Errors...)
	c.Relations = append([]catalog.Relation(nil), s.Relations...)
	c.RefreshKeys = append([]string(nil), s.RefreshKeys...)
	return &c
}

func (m *memory) SetRevision(n uint64) error {
	m.revision = n
	return nil
}

func (m *memory) PutSetting(name string, value []byte) error {
	m.settings[name] = copied(value)
	return nil
}

func (m *memory) PutState(s *store.State) error {
	m.states[s.Ref] = cloneState(s)
	return nil
}

func (m *memory) DeleteState(s *store.State) error {
	delete(m.states, s.Ref)
	delete(m.unprocessed, s.Ref)
	delete(m.processed, s.Ref)
	delete(m.caches, s.Ref)
	return nil
}

// within errs for values that are too large for a store.
func within(values ...[]byte) error {
	for _, v := range values {
		if len(v) > store.MaxFormBytes {
			return fmt.Errorf("%d bytes: %w", len(v), store.ErrTooLarge)
		}
	}
	return nil
}

func putForm(forms map[string][]byte, ref string, json []byte) error {
	if err := within(json); err != nil {
		return err
	}
	forms[ref] = copied(json)
	return nil
}

func (m *memory) PutUnprocessed(ref string, json []byte) error {
	return putForm(m.unprocessed, ref, json)
}
func (m *memory) PutProcessed(ref string, json []byte) error { return putForm(m.processed, ref, json) }

func (m *memory) PutCache(ref string, json []byte) error {
	if json == nil {
		delete(m.caches, ref)
		return nil
	}
	return putForm(m.caches, ref, json)
}

func (m *memory) PutDocument(uid catalog.UID, revision uint64, doc []byte) error {
	if err := within(doc); err != nil {
		return err
	}
	m.documents[uid] = document{revision, copied(doc)}
	return nil
}

func (m *memory) DeleteDocument(uid catalog.UID) error {
	delete(m.documents, uid)
	return nil
}

func (m *memory) PutChild(source store.Source, ref string) error {
	m.children[child{sourceName(source), ref}] = true
	return nil
}

func (m *memory) DeleteChild(source store.Source, ref string) error {
	delete(m.children, child{sourceName(source), ref})
	return nil
}

func (m *memory) PutReverseRelations(source, emitter string, r []catalog.Relation) error {
	if len(r) == 0 {
		delete(m.relations, pair{source, emitter})
		return nil
	}
	m.relations[pair{source, emitter}] = slices.Clone(r)
	return nil
}

func (m *memory) PutRefreshKey(key, ref string) error {
	m.refreshKeys[pair{key, ref}] = true
	return nil
}

func (m *memory) DeleteRefreshKey(key, ref string) error {
	delete(m.refreshKeys, pair{key, ref})
	return nil
}

func (m *memory) PutLocation(l catalog.Location) error {
	m.locations[l.ID] = l
	return nil
}

func (m *memory) DeleteLocation(l catalog.Location) error {
	delete(m.locations, l.ID)
	return nil
}

func (m *memory) AppendChange(c *store.Change) error {
	if err := within(c.Before); err != nil {
		return err
	}
	kept := *c
	if c.Before != nil {
		kept.Before = copied(c.Before)
	}
	m.changes[c.Revision] = &kept
	return nil
}

func (m *memory) TrimChanges(through uint64, limit int) (int, error) {
	removed := 0
	for _, revision := range sorted(m.changes) {
		if revision > through || removed >= limit {
			break
		}
		delete(m.changes, revision)
		removed++
	}
	return removed, nil
}
