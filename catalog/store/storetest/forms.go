package storetest

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

func testValues(t *testing.T, open func(t *testing.T) store.Store) {
	runAll(t, open, []behaviour{
		{"forms come back as they were put, at every size", testFormSizes},
		{"empty is not absent", testEmptyForms},
		{"forms are each their own", testFormsApart},
		{"what is too large is refused", testTooLarge},
		{"settings", testSettings},
		{"the revision is what was set", testRevision},
	})
}

const sampleRef = "component:default/a"

// A form is one of the places where bytes are kept for an entity.
type form struct {
	name string
	put  func(tx store.WriteTx, value []byte) error
	get  func(tx store.ReadTx) ([]byte, error)
}

func forms() []form {
	return []form{
		{"unprocessed", func(tx store.WriteTx, v []byte) error { return tx.PutUnprocessed(sampleRef, v) },
			func(tx store.ReadTx) ([]byte, error) { return tx.Unprocessed(sampleRef) }},
		{"processed", func(tx store.WriteTx, v []byte) error { return tx.PutProcessed(sampleRef, v) },
			func(tx store.ReadTx) ([]byte, error) { return tx.Processed(sampleRef) }},
		{"cache", func(tx store.WriteTx, v []byte) error { return tx.PutCache(sampleRef, v) },
			func(tx store.ReadTx) ([]byte, error) { return tx.Cache(sampleRef) }},
		{"document", func(tx store.WriteTx, v []byte) error { return tx.PutDocument(uid(1), 7, v) },
			func(tx store.ReadTx) ([]byte, error) {
				doc, _ := tx.Document(uid(1))
				return doc, nil
			}},
		{"before", func(tx store.WriteTx, v []byte) error {
			return tx.AppendChange(&store.Change{Revision: 3, Ref: sampleRef, Before: v})
		}, func(tx store.ReadTx) (before []byte, err error) {
			err = tx.Changes(3, func(c *store.Change) bool {
				before = c.Before
				return false
			})
			return before, err
		}},
	}
}

// testFormSizes uses text that packs well and bytes that do not, with sizes on
// both sides of those at which stores like to change their ways.
func testFormSizes(t *testing.T, s store.Store) {
	noise := make([]byte, 1<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	text := bytes.Repeat([]byte(`{"kind":"Component"},`), 1<<16)
	for _, size := range []int{1, 2, 127, 128, 255, 256, 257, 1024, 4095, 4096, 4097, 65535, 65536, 1 << 20} {
		for _, value := range [][]byte{noise[:size], text[:size]} {
			both(t, s, func(tx store.WriteTx) {
				for _, f := range forms() {
					ok(t, f.put(tx, value))
				}
			}, func(tx store.ReadTx) {
				for _, f := range forms() {
					got, err := f.get(tx)
					require.NoError(t, err)
					require.True(t, bytes.Equal(value, got), "%s of %d bytes", f.name, size)
				}
			})
		}
	}
}

func testEmptyForms(t *testing.T, s store.Store) {
	both(t, s, func(tx store.WriteTx) {
		for _, f := range forms() {
			ok(t, f.put(tx, []byte{}))
		}
	}, func(tx store.ReadTx) {
		for _, f := range forms() {
			got, err := f.get(tx)
			require.NoError(t, err)
			require.NotNil(t, got, "%s: it is there", f.name)
			require.Empty(t, got, f.name)
		}
	})
	both(t, s, func(tx store.WriteTx) {
		ok(t, tx.PutCache(sampleRef, nil), tx.DeleteDocument(uid(1)), tx.AppendChange(&store.Change{Revision: 3, Ref: sampleRef}))
	}, func(tx store.ReadTx) {
		for _, f := range forms()[2:] {
			got, err := f.get(tx)
			require.NoError(t, err)
			require.Nil(t, got, "%s: it is gone", f.name)
		}
	})
}

func testFormsApart(t *testing.T, s store.Store) {
	both(t, s, func(tx store.WriteTx) {
		for _, f := range forms() {
			ok(t, f.put(tx, []byte(f.name)))
		}
	}, func(tx store.ReadTx) {
		for _, f := range forms() {
			got, err := f.get(tx)
			require.NoError(t, err)
			require.Equal(t, f.name, string(got))
		}
	})
}

func testTooLarge(t *testing.T, s store.Store) {
	huge := make([]byte, store.MaxFormBytes+1)
	for _, f := range forms() {
		err := s.Update(func(tx store.WriteTx) error { return f.put(tx, huge) })
		require.ErrorIs(t, err, store.ErrTooLarge, f.name)
	}
	require.Equal(t, contents(t, NewMemory(), sampleNames()), contents(t, s, sampleNames()))
}

func testSettings(t *testing.T, s store.Store) {
	names := []string{"a", "ab", "b/c", "Ünïcode", strings.Repeat("x", 500)}
	both(t, s, func(tx store.WriteTx) {
		for _, name := range names {
			ok(t, tx.PutSetting(name, []byte("value of "+name)), tx.PutSetting(name, []byte("new value of "+name)))
		}
		ok(t, tx.PutSetting("emptied", []byte("x")), tx.PutSetting("emptied", nil))
	}, func(tx store.ReadTx) {
		for _, name := range names {
			require.Equal(t, "new value of "+name, string(tx.Setting(name)))
		}
		require.Empty(t, tx.Setting("emptied"))
		require.Nil(t, tx.Setting("revision"), "names are apart from what the store itself keeps")
		require.Nil(t, tx.Setting("format"))
		require.Zero(t, tx.Revision())
	})
}

func testRevision(t *testing.T, s store.Store) {
	for _, n := range []uint64{1, 2, 255, 256, 1 << 32, math.MaxUint64, 3} {
		both(t, s, func(tx store.WriteTx) { ok(t, tx.SetRevision(n)) },
			func(tx store.ReadTx) { require.Equal(t, n, tx.Revision()) })
	}
}

func testStates(t *testing.T, open func(t *testing.T) store.Store) {
	runAll(t, open, []behaviour{
		{"every field comes back", testStateFields},
		{"a put replaces the record as a whole", testStateReplaced},
		{"a delete takes the forms and the cache, and no more", testStateDeleted},
		{"what was put may be changed afterwards", testStateNotShared},
		{"states come in order from any ref on", testStatesFrom},
	})
}

func manyRelations(self string, n int) (list []catalog.Relation) {
	for i := range n {
		source := self
		if i%3 == 0 {
			source = fmt.Sprintf("group:default/g%03d", i)
		}
		list = append(list, catalog.Relation{Source: source, Type: "ownedBy", Target: fmt.Sprint("user:default/u", i)})
	}
	return list
}

func sampleStates() map[string]*store.State {
	long := "component:default/" + strings.Repeat("n", store.MaxRefBytes-len("component:default/"))
	return map[string]*store.State{
		"nothing but a ref": {Ref: "component:default/minimal"},
		"everything": {
			Ref: sampleRef, UID: uid(5), Parent: store.Source{Entity: "location:default/l"}, LocationKey: "url:https://host/a",
			UnprocessedHash: digest(1), ResultHash: digest(2), ContentHash: digest(3), Due: true, Processed: true,
			LastDiscovery: 1_700_000_000_123, LastProcessed: 1_700_000_000_456, Failures: 3, Errors: []byte(`[{"name":"InputError"}]`),
			Relations: manyRelations(sampleRef, 7), RefreshKeys: []string{"url:https://host/a", "b", "b"},
		},
		"keyless":           {Ref: sampleRef, UID: uid(5), Keyless: true},
		"repeated":          {Ref: sampleRef, UID: uid(5), Parent: store.Source{Entity: "location:default/l"}, Repeats: 2},
		"due alone":         {Ref: sampleRef, UID: uid(5), Due: true},
		"processed alone":   {Ref: sampleRef, UID: uid(5), Processed: true},
		"of a provider":     {Ref: sampleRef, UID: uid(5), Parent: store.Source{Provider: "e/location:default/l"}},
		"times before 1970": {Ref: sampleRef, UID: uid(5), LastDiscovery: -1, LastProcessed: math.MinInt64},
		"the largest numbers": {Ref: sampleRef, UID: catalog.UID(bytes.Repeat([]byte{255}, 16)), LastDiscovery: math.MaxInt64,
			LastProcessed: math.MaxInt64, Failures: math.MaxInt32},
		"odd characters": {Ref: "component:default/ünï\"\n\x01", UID: uid(5), LocationKey: "\x00\xff", Errors: []byte{0, 255},
			Relations: []catalog.Relation{{Source: "a", Type: "\x00", Target: "b\xff"}}, RefreshKeys: []string{"\x01", " "}},
		"many relations":   {Ref: sampleRef, UID: uid(5), Relations: manyRelations(sampleRef, 5000)},
		"the longest ref":  {Ref: long, UID: uid(5), Relations: manyRelations(long, 4)},
		"parts left empty": {Ref: sampleRef, UID: uid(5), Relations: []catalog.Relation{{Source: sampleRef}}, RefreshKeys: []string{""}},
	}
}

func testStateFields(t *testing.T, s store.Store) {
	for name, state := range sampleStates() {
		both(t, s, func(tx store.WriteTx) { ok(t, tx.PutState(state)) }, func(tx store.ReadTx) {
			got, err := tx.State(state.Ref)
			require.NoError(t, err)
			require.Equal(t, state, got, name)
		})
	}
}

func testStateReplaced(t *testing.T, s store.Store) {
	all := sampleStates()
	both(t, s, func(tx store.WriteTx) {
		ok(t, tx.PutState(all["many relations"]), tx.PutState(all["everything"]),
			tx.PutState(&store.State{Ref: sampleRef, UID: uid(5), Errors: []byte{}, Relations: []catalog.Relation{}, RefreshKeys: []string{}}))
	}, func(tx store.ReadTx) {
		got, err := tx.State(sampleRef)
		require.NoError(t, err)
		require.Equal(t, &store.State{Ref: sampleRef, UID: uid(5)}, got, "and what is empty is nil")
	})
}

func testStateDeleted(t *testing.T, s store.Store) {
	var state *store.State
	update(t, s, func(tx store.WriteTx) { writeSample(t, tx, 1) })
	before := contents(t, s, sampleNames())
	both(t, s, func(tx store.WriteTx) {
		var err error
		state, err = tx.State(sampleRef)
		ok(t, err, tx.DeleteState(state), tx.DeleteState(state))
	}, func(tx store.ReadTx) {
		want := *before
		want.States, want.LastUID, want.Refs = nil, catalog.UID{}.String(), map[string]string{}
		want.Unprocessed, want.Processed, want.Caches = map[string]string{}, map[string]string{}, map[string]string{}
		require.Equal(t, &want, read(t, tx, sampleNames()))
	})
}

func testStateNotShared(t *testing.T, s store.Store) {
	state := sampleStates()["everything"]
	update(t, s, func(tx store.WriteTx) { ok(t, tx.PutState(state)) })
	state.Relations[0].Type, state.RefreshKeys[0], state.Errors[0], state.Failures = "x", "x", 'x', 99
	view(t, s, func(tx store.ReadTx) {
		got, err := tx.State(state.Ref)
		require.NoError(t, err)
		require.Equal(t, sampleStates()["everything"], got)
	})
}

// A name is a prefix of the next, and one is beyond ASCII: the order is that
// of bytes.
func orderedRefs() []string {
	return []string{"api:default/z", "component:a/a", "component:default/a", "component:default/a-b", "component:default/aa",
		"component:default/é", "component:default2/a", "user:x/y"}
}

func testStatesFrom(t *testing.T, s store.Store) {
	refs := orderedRefs()
	update(t, s, func(tx store.WriteTx) {
		for i, n := range rand.Perm(len(refs)) {
			ok(t, tx.PutState(&store.State{Ref: refs[n], UID: uid(i)}))
		}
	})
	for from, want := range map[string][]string{
		"":                     refs,
		"a":                    refs,
		"api:default/z":        refs,
		"api:default/z0":       refs[1:],
		"component:default/a":  refs[2:],
		"component:default/a ": refs[3:],
		"component:default/b":  refs[5:],
		"user:x/y":             refs[7:],
		"user:x/yy":            nil,
		"\xff":                 nil,
	} {
		view(t, s, func(tx store.ReadTx) {
			var got []string
			ok(t, tx.States(from, func(s *store.State) bool {
				got = append(got, s.Ref)
				return true
			}))
			require.Equal(t, want, got, "from %q", from)
		})
	}
}

func testUIDs(t *testing.T, open func(t *testing.T) store.Store) {
	runAll(t, open, []behaviour{
		{"the last uid is the highest in use", testLastUID},
		{"the last uid is right in the middle of many deletes", testLastUIDAfterDeletes},
		{"a uid leads to its record alone", testUIDMoves},
	})
}

func testLastUID(t *testing.T, s store.Store) {
	state := func(n int) *store.State { return &store.State{Ref: fmt.Sprint("component:default/", n), UID: uid(n)} }
	for _, step := range []struct {
		why  string
		do   func(tx store.WriteTx) error
		want int
	}{
		{"the first", func(tx store.WriteTx) error { return tx.PutState(state(5)) }, 5},
		{"a lower one", func(tx store.WriteTx) error { return tx.PutState(state(3)) }, 5},
		{"a higher one", func(tx store.WriteTx) error { return tx.PutState(state(1000)) }, 1000},
		{"the highest is gone", func(tx store.WriteTx) error { return tx.DeleteState(state(1000)) }, 5},
		{"the lowest is gone", func(tx store.WriteTx) error { return tx.DeleteState(state(3)) }, 5},
		{"documents have uids of records, and are not asked", func(tx store.WriteTx) error { return tx.PutDocument(uid(2000), 1, []byte("{}")) }, 5},
	} {
		both(t, s, func(tx store.WriteTx) { ok(t, step.do(tx)) },
			func(tx store.ReadTx) { require.Equal(t, uid(step.want), tx.LastUID(), step.why) })
	}
}

func testLastUIDAfterDeletes(t *testing.T, s store.Store) {
	const n, kept = 3000, 10
	state := func(i int) *store.State {
		return &store.State{Ref: fmt.Sprintf("component:default/c%04d", i), UID: uid(i)}
	}
	update(t, s, func(tx store.WriteTx) {
		for i := range n {
			ok(t, tx.PutState(state(i)))
		}
	})
	both(t, s, func(tx store.WriteTx) {
		for i := n - 1; i > kept; i-- {
			ok(t, tx.DeleteState(state(i)))
		}
	}, func(tx store.ReadTx) {
		require.Equal(t, uid(kept), tx.LastUID())
		count := 0
		ok(t, tx.States("", func(*store.State) bool {
			count++
			return true
		}))
		require.Equal(t, kept+1, count)
		require.Empty(t, tx.RefOf(uid(kept+1)))
	})
}

func testUIDMoves(t *testing.T, s store.Store) {
	put := func(refs map[string]int) func(tx store.WriteTx) {
		return func(tx store.WriteTx) {
			for _, ref := range sorted(refs) {
				ok(t, tx.PutState(&store.State{Ref: ref, UID: uid(refs[ref])}))
			}
		}
	}
	for _, step := range []struct {
		why  string
		put  map[string]int
		want []string // refs of uids 0 to 4
	}{
		{"two records", map[string]int{"a:b/c": 1, "a:b/d": 2}, []string{"", "a:b/c", "a:b/d", "", ""}},
		{"one has another uid", map[string]int{"a:b/c": 3}, []string{"", "", "a:b/d", "a:b/c", ""}},
		{"both take one another's", map[string]int{"a:b/c": 2, "a:b/d": 3}, []string{"", "", "a:b/c", "a:b/d", ""}},
	} {
		both(t, s, put(step.put), func(tx store.ReadTx) {
			var got []string
			for n := range 5 {
				got = append(got, tx.RefOf(uid(n)))
			}
			require.Equal(t, step.want, got, step.why)
		})
	}
	both(t, s, func(tx store.WriteTx) {
		old, err := tx.State("a:b/c")
		ok(t, err, tx.DeleteState(old), tx.PutState(&store.State{Ref: "a:b/c", UID: uid(4)}))
	}, func(tx store.ReadTx) {
		require.Equal(t, []string{"", "a:b/c"}, []string{tx.RefOf(uid(2)), tx.RefOf(uid(4))}, "created again, it is another")
	})
}

func testDocuments(t *testing.T, open func(t *testing.T) store.Store) {
	s := open(t)
	both(t, s, func(tx store.WriteTx) {
		for _, n := range []int{300, 2, 1, 256, 70000} {
			ok(t, tx.PutDocument(uid(n), uint64(n), []byte("old")), tx.PutDocument(uid(n), uint64(n)+1, fmt.Append(nil, n)))
		}
		ok(t, tx.PutDocument(uid(3), math.MaxUint64, []byte("x")), tx.DeleteDocument(uid(2)), tx.DeleteDocument(uid(2)))
	}, func(tx store.ReadTx) {
		doc, revision := tx.Document(uid(256))
		require.Equal(t, "256", string(doc))
		require.Equal(t, uint64(257), revision)
		doc, revision = tx.Document(uid(2))
		require.Nil(t, doc)
		require.Zero(t, revision)
		var got []string
		ok(t, tx.Documents(func(u catalog.UID, revision uint64, doc []byte) bool {
			got = append(got, fmt.Sprint(slices.Index([]catalog.UID{uid(1), uid(3), uid(256), uid(300), uid(70000)}, u), " ", revision, " ", string(doc)))
			return true
		}))
		require.Equal(t, []string{"0 2 1", "1 18446744073709551615 x", "2 257 256", "3 301 300", "4 70001 70000"}, got)
		require.Empty(t, tx.RefOf(uid(1)), "a document makes no record")
	})
}
