package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/store"
)

func testChildren(t *testing.T, open func(t *testing.T) store.Store) {
	runAll(t, open, []behaviour{
		{"each source has its own", testChildrenApart},
		{"sources come once, and go with their last child", testSources},
	})
}

// lookalikes are sources that a store must not take for one another: prefixes,
// providers named as entities, names with the letters that keys are made of.
func lookalikes() []store.Source {
	return []store.Source{
		{Entity: "a"}, {Entity: "ab"}, {Entity: "b"}, {Entity: "e"}, {Entity: "location:default/l"}, {Entity: "location:default/l1"},
		{Provider: "\x01"}, {Provider: "a"}, {Provider: "a\x01"}, {Provider: "ab"}, {Provider: "ea"}, {Provider: "location:default/l"},
		{Provider: strings.Repeat("p", 300)}, {Provider: "é"},
	}
}

func testChildrenApart(t *testing.T, s store.Store) {
	children := func(i int) (refs []string) {
		for n := range i % 4 {
			refs = append(refs, fmt.Sprintf("component:default/c%d-%d", i, n))
		}
		return append(refs, "component:default/shared")
	}
	sources := lookalikes()
	both(t, s, func(tx store.WriteTx) {
		for _, i := range rand.Perm(len(sources)) {
			refs := children(i)
			for _, n := range rand.Perm(len(refs)) {
				ok(t, tx.PutChild(sources[i], refs[n]), tx.PutChild(sources[i], refs[n]))
			}
		}
	}, func(tx store.ReadTx) {
		for i, source := range sources {
			var got []string
			ok(t, tx.Children(source, collect(&got)))
			require.Equal(t, children(i), got, "%+v", source)
		}
		for _, none := range []store.Source{{Entity: "c"}, {Provider: "b"}, {Entity: "ea"}, {Entity: "location:default/"}} {
			var got []string
			ok(t, tx.Children(none, collect(&got)))
			require.Empty(t, got, "%+v", none)
		}
	})
	both(t, s, func(tx store.WriteTx) {
		ok(t, tx.DeleteChild(store.Source{Entity: "a"}, "component:default/shared"),
			tx.DeleteChild(store.Source{Entity: "ab"}, "component:default/c1-0x"))
	}, func(tx store.ReadTx) {
		var a, ab, provider []string
		ok(t, tx.Children(store.Source{Entity: "a"}, collect(&a)), tx.Children(store.Source{Entity: "ab"}, collect(&ab)),
			tx.Children(store.Source{Provider: "a"}, collect(&provider)))
		require.Empty(t, a)
		require.Equal(t, children(1), ab)
		require.Equal(t, children(7), provider)
	})
}

// The order of sources is left to the store, but entities and providers are
// each in the order of their names.
func testSources(t *testing.T, s store.Store) {
	check := func(want []store.Source) func(tx store.ReadTx) {
		return func(tx store.ReadTx) {
			var got []store.Source
			ok(t, tx.Sources(collect(&got)))
			require.ElementsMatch(t, want, got)
			for _, name := range []func(store.Source) string{
				func(s store.Source) string { return s.Entity },
				func(s store.Source) string { return s.Provider },
			} {
				var names []string
				for _, s := range got {
					if name(s) != "" {
						names = append(names, name(s))
					}
				}
				require.True(t, slices.IsSorted(names), "%q", names)
			}
		}
	}
	both(t, s, func(tx store.WriteTx) {
		for _, source := range lookalikes() {
			for n := range 50 {
				ok(t, tx.PutChild(source, fmt.Sprint("component:default/c", n)))
			}
		}
	}, check(lookalikes()))
	both(t, s, func(tx store.WriteTx) {
		for _, source := range lookalikes()[3:] {
			for n := range 50 {
				ok(t, tx.DeleteChild(source, fmt.Sprint("component:default/c", n)))
			}
		}
	}, check(lookalikes()[:3]))
}

func testRelations(t *testing.T, open func(t *testing.T) store.Store) {
	runAll(t, open, []behaviour{
		{"refs that begin alike are not taken for one another", testRelationPrefixes},
		{"a list is replaced, and an empty one deletes the row", testRelationsReplaced},
		{"every field comes back, in the order given", testRelationFields},
	})
}

func testRelationPrefixes(t *testing.T, s store.Store) {
	refs := []string{"a", "a:b/c", "ab", "ab:b/c", "abc", "b"}
	relation := func(source, emitter string) []catalog.Relation {
		return []catalog.Relation{{Source: source, Type: "of " + emitter, Target: emitter}}
	}
	both(t, s, func(tx store.WriteTx) {
		for _, i := range rand.Perm(len(refs)) {
			for _, j := range rand.Perm(len(refs)) {
				if i != j {
					ok(t, tx.PutReverseRelations(refs[i], refs[j], relation(refs[i], refs[j])))
				}
			}
		}
	}, func(tx store.ReadTx) {
		for i, source := range refs {
			var emitters []string
			ok(t, tx.ReverseRelations(source, func(emitter string, r []catalog.Relation) bool {
				emitters = append(emitters, emitter)
				require.Equal(t, relation(source, emitter), r)
				return true
			}))
			require.Equal(t, slices.Concat(refs[:i], refs[i+1:]), emitters, source)
		}
		ok(t, tx.ReverseRelations("a:b", func(emitter string, _ []catalog.Relation) bool {
			t.Errorf("%s has emitted nothing for a:b", emitter)
			return true
		}))
	})
}

// reverse reads what is emitted for a ref.
func reverse(t *testing.T, tx store.ReadTx, source string) map[string][]catalog.Relation {
	t.Helper()
	got := map[string][]catalog.Relation{}
	ok(t, tx.ReverseRelations(source, func(emitter string, r []catalog.Relation) bool {
		got[emitter] = slices.Clone(r)
		return true
	}))
	return got
}

func testRelationsReplaced(t *testing.T, s store.Store) {
	one := []catalog.Relation{{Source: "x", Type: "t", Target: "y"}}
	both(t, s, func(tx store.WriteTx) {
		ok(t, tx.PutReverseRelations("x", "e", manyRelations("x", 30)), tx.PutReverseRelations("x", "e", one),
			tx.PutReverseRelations("x", "f", one), tx.PutReverseRelations("x", "f", nil),
			tx.PutReverseRelations("x", "g", one), tx.PutReverseRelations("x", "g", []catalog.Relation{}))
	}, func(tx store.ReadTx) { require.Equal(t, map[string][]catalog.Relation{"e": one}, reverse(t, tx, "x")) })
}

func testRelationFields(t *testing.T, s store.Store) {
	odd := []catalog.Relation{
		{Source: "x", Type: "z", Target: "b\x00c"}, {Source: "x", Type: "", Target: ""}, {Source: "x", Type: "z", Target: "b\x00c"},
		{Source: "x", Type: "é\xff", Target: strings.Repeat("t", 3000)}, {Source: "other", Type: "a", Target: "x"},
	}
	both(t, s, func(tx store.WriteTx) {
		ok(t, tx.PutReverseRelations("x", "odd", odd), tx.PutReverseRelations("x", "many", manyRelations("x", 3000)))
	}, func(tx store.ReadTx) {
		require.Equal(t, map[string][]catalog.Relation{"odd": odd, "many": manyRelations("x", 3000)}, reverse(t, tx, "x"))
	})
}

func testRefreshKeys(t *testing.T, open func(t *testing.T) store.Store) {
	keys := []string{
		"\x01", " ", "a", "a\nb", "ab", "file:/a b/ü.yaml", "url:https://host/?q=1&r=%00#f", "url:https://host/a", "url:https://host/a/",
		"\xff\xfe", strings.Repeat("k", store.MaxRefreshKeyBytes), strings.Repeat("k", store.MaxRefreshKeyBytes-1),
	}
	holders := func(i int) []string { return orderedRefs()[i%4 : i%4+i%3+1] }
	s := open(t)
	both(t, s, func(tx store.WriteTx) {
		for i, key := range keys {
			for _, ref := range holders(i) {
				ok(t, tx.PutRefreshKey(key, ref), tx.PutRefreshKey(key, ref))
			}
		}
	}, func(tx store.ReadTx) {
		for i, key := range keys {
			var got []string
			ok(t, tx.RefreshKeyHolders(key, collect(&got)))
			require.Equal(t, holders(i), got, "%q", key)
		}
	})
	both(t, s, func(tx store.WriteTx) {
		for i, key := range keys {
			ok(t, tx.DeleteRefreshKey(key, holders(i)[0]), tx.DeleteRefreshKey(key, "component:default/never"))
		}
	}, func(tx store.ReadTx) {
		for i, key := range keys {
			var got []string
			ok(t, tx.RefreshKeyHolders(key, collect(&got)))
			require.Equal(t, append([]string(nil), holders(i)[1:]...), got, "%q", key)
		}
		ok(t, tx.RefreshKeyHolders("url:https://host/", func(ref string) bool {
			t.Errorf("%s holds a longer key", ref)
			return true
		}))
	})
}
