package storetest

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

// Contents are all records of a store, as values that can be compared and
// written as JSON. A key is in a map only where the store has something.
type Contents struct {
	Revision    uint64
	Settings    map[string]string
	States      []*store.State
	Refs        map[string]string // by uid
	LastUID     string
	Unprocessed map[string]string // these by ref
	Processed   map[string]string
	Caches      map[string]string
	Documents   []Document
	Sources     []store.Source // entities first
	Children    [][]string     // of Sources
	Relations   map[string][]Emitted
	RefreshKeys map[string][]string
	Locations   []catalog.Location
	LocationIDs map[string]string // by location ref
	Changes     []Change
}

// A Document is a stitched entity.
type Document struct {
	UID      string
	Revision uint64
	JSON     string
}

// Emitted is what one entity emits for another.
type Emitted struct {
	Emitter   string
	Relations []catalog.Relation
}

// A Change is an entry of the change log; Before is nil where it is absent.
type Change struct {
	Revision uint64
	At       int64
	UID, Ref string
	Deleted  bool
	Before   *string
}

// Names are those of records that no sequence of a store leads to.
type Names struct {
	Settings    []string
	Refs        []string
	UIDs        []catalog.UID
	RefreshKeys []string
	Locations   []catalog.LocationRef
}

// add puts in what the records of a store name.
func (n *Names) add(tx store.ReadTx) error {
	return errors.Join(
		tx.States("", func(s *store.State) bool {
			n.Refs = append(n.Refs, s.Ref)
			n.UIDs = append(n.UIDs, s.UID)
			n.RefreshKeys = append(n.RefreshKeys, s.RefreshKeys...)
			for _, r := range s.Relations {
				n.Refs = append(n.Refs, r.Source)
			}
			return true
		}),
		tx.Locations(func(l catalog.Location) bool {
			n.Locations = append(n.Locations, l.Ref())
			return true
		}),
	)
}

// Read returns all that a transaction sees: what sequences lead to, what the
// records name, and what the given names name. Its values outlive the
// transaction.
func Read(tx store.ReadTx, names Names) (*Contents, error) {
	if err := names.add(tx); err != nil {
		return nil, err
	}
	c := &Contents{
		Revision: tx.Revision(), LastUID: tx.LastUID().String(), Settings: map[string]string{}, Refs: map[string]string{},
		Unprocessed: map[string]string{}, Processed: map[string]string{}, Caches: map[string]string{},
		Relations: map[string][]Emitted{}, RefreshKeys: map[string][]string{}, LocationIDs: map[string]string{},
	}
	for _, name := range names.Settings {
		if v := tx.Setting(name); len(v) > 0 {
			c.Settings[name] = string(v)
		}
	}
	for _, read := range []func(store.ReadTx, Names) error{c.readStates, c.readEdges, c.readKeys, c.readLocations, c.readLogs} {
		if err := read(tx, names); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// unlike is the error of a store that answers one question in two ways.
func unlike(what string) error { return errors.New("a look-up and a sequence disagree: " + what) }

func (c *Contents) readStates(tx store.ReadTx, names Names) error {
	err := tx.States("", func(s *store.State) bool {
		c.States = append(c.States, cloneState(s))
		return true
	})
	if err != nil {
		return err
	}
	for _, uid := range names.UIDs {
		if ref := tx.RefOf(uid); ref != "" {
			c.Refs[uid.String()] = ref
		}
	}
	found := map[string]bool{}
	for _, ref := range names.Refs {
		if s, err := tx.State(ref); err != nil {
			return err
		} else if s != nil {
			found[ref] = true
		}
		for _, form := range []struct {
			get  func(string) ([]byte, error)
			into map[string]string
		}{{tx.Unprocessed, c.Unprocessed}, {tx.Processed, c.Processed}, {tx.Cache, c.Caches}} {
			if json, err := form.get(ref); err != nil {
				return err
			} else if json != nil {
				form.into[ref] = string(json)
			}
		}
	}
	if len(found) != len(c.States) {
		return unlike("states")
	}
	return nil
}

func (c *Contents) readEdges(tx store.ReadTx, names Names) error {
	err := tx.Sources(func(s store.Source) bool {
		c.Sources = append(c.Sources, s)
		return true
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(c.Sources, func(a, b store.Source) int { return bytes.Compare([]byte(sourceName(a)), []byte(sourceName(b))) })
	for _, s := range c.Sources {
		var refs []string
		if err := tx.Children(s, collect(&refs)); err != nil {
			return err
		}
		c.Children = append(c.Children, refs)
	}
	for _, ref := range distinct(names.Refs) {
		err := tx.ReverseRelations(ref, func(emitter string, r []catalog.Relation) bool {
			c.Relations[ref] = append(c.Relations[ref], Emitted{emitter, slices.Clone(r)})
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Contents) readKeys(tx store.ReadTx, names Names) error {
	for _, key := range distinct(names.RefreshKeys) {
		var refs []string
		if err := tx.RefreshKeyHolders(key, collect(&refs)); err != nil {
			return err
		}
		if refs != nil {
			c.RefreshKeys[key] = refs
		}
	}
	return nil
}

func (c *Contents) readLocations(tx store.ReadTx, names Names) error {
	if err := tx.Locations(collect(&c.Locations)); err != nil {
		return err
	}
	for _, l := range c.Locations {
		if same, found, err := tx.Location(l.ID); err != nil {
			return err
		} else if !found || same != l {
			return unlike("location " + l.ID)
		}
	}
	for _, ref := range distinct(names.Locations) {
		if l, found, err := tx.LocationByRef(ref); err != nil {
			return err
		} else if found {
			c.LocationIDs[ref.Type+" "+ref.Target] = l.ID
		}
	}
	return nil
}

func (c *Contents) readLogs(tx store.ReadTx, _ Names) error {
	var wrong error
	err := tx.Documents(func(uid catalog.UID, revision uint64, doc []byte) bool {
		c.Documents = append(c.Documents, Document{uid.String(), revision, string(doc)})
		if same, r := tx.Document(uid); r != revision || !bytes.Equal(same, doc) || same == nil {
			wrong = unlike("document " + uid.String())
		}
		return wrong == nil
	})
	if err := errors.Join(err, wrong); err != nil {
		return err
	}
	return tx.Changes(0, func(e *store.Change) bool {
		change := Change{Revision: e.Revision, At: e.At, UID: e.UID.String(), Ref: e.Ref, Deleted: e.Deleted}
		if e.Before != nil {
			before := string(e.Before)
			change.Before = &before
		}
		c.Changes = append(c.Changes, change)
		return true
	})
}

// collect returns a yield that appends to a list.
func collect[T any](list *[]T) func(T) bool {
	return func(x T) bool {
		*list = append(*list, x)
		return true
	}
}

// distinct returns each element once, in no order.
func distinct[T comparable](list []T) []T {
	seen := map[T]bool{}
	for _, x := range list {
		seen[x] = true
	}
	return slices.Collect(maps.Keys(seen))
}
