package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

// A nameCatalog is an index of entities that have a name and nothing else.
type nameCatalog struct {
	x     *Index
	names map[catalog.UID]string
	r     *rand.Rand
	next  uint64
}

func newNameCatalog(seed uint64) *nameCatalog {
	return &nameCatalog{x: New(), names: map[catalog.UID]string{}, r: rand.New(rand.NewPCG(seed, 2))}
}

func (c *nameCatalog) change(add, remove int) {
	var changes []Change
	for uid, name := range c.names {
		if remove--; remove < 0 {
			break
		}
		delete(c.names, uid)
		changes = append(changes, Change{UID: uid, Ref: name})
	}
	for range add {
		c.next++
		uid := catalog.UID{0: 1, 5: byte(c.next >> 16), 6: byte(c.next >> 8), 7: byte(c.next)}
		name := fmt.Sprintf("%c%c-service-%d", 'a'+c.r.IntN(26), 'a'+c.r.IntN(26), c.next)
		c.names[uid] = name
		changes = append(changes, Change{UID: uid, Ref: name, Rows: []Row{{Key: "name", Value: name, Original: name}}})
	}
	c.x.Publish(c.x.Snapshot().revision+1, changes)
}

func (c *nameCatalog) want(p query.Pattern) []string {
	out := []string{}
	for _, name := range c.names {
		if p.Match(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func found(s *Snapshot, p query.Pattern) []string {
	out := []string{}
	for _, term := range s.matching(s.lookup("name"), p) {
		out = append(out, s.value(term))
	}
	slices.Sort(out)
	return out
}

func pattern(t testing.TB, term string) query.Pattern {
	p, ok := query.NewPattern(term)
	require.True(t, ok)
	return p
}

var gramTerms = []string{"a", "ab", "z-", "-service-1", "ervice", "99", "x-service-2", "b%7", "a_-s", "nope-", "%5%5%", "q-service-%0"}

func TestGramsFollowChanges(t *testing.T) {
	c := newNameCatalog(rand.Uint64())
	c.change(2_000, 0)
	for step := range 60 {
		old := c.x.Snapshot()
		wantOld := map[string][]string{}
		for _, term := range gramTerms {
			wantOld[term] = c.want(pattern(t, term))
		}
		c.change(c.r.IntN(300), c.r.IntN(250))
		s := c.x.Snapshot()
		for _, term := range gramTerms {
			require.Equal(t, c.want(pattern(t, term)), found(s, pattern(t, term)), "%q after step %d", term, step)
			require.Equal(t, wantOld[term], found(old, pattern(t, term)), "%q in the snapshot before", term)
		}
	}
	f := c.x.Snapshot().lookup("name")
	layers := f.text.index.newest.Load()
	require.NotNil(t, layers, "parts of names are found by grams")
	total := 0
	for _, l := range layers.layers {
		total += len(l.terms)
	}
	require.LessOrEqual(t, len(layers.layers), 8, "layers are gathered")
	require.Less(t, total, 3*len(c.names)+4*layerFrom, "and what is gone is left behind")
}

// Nobody looks for parts of names any more: they are not logged for ever.
func TestGramsAreGivenUp(t *testing.T) {
	c := newNameCatalog(1)
	c.change(200, 0)
	found(c.x.Snapshot(), pattern(t, "abc"))
	for range 40 {
		c.change(2_000, 2_000)
	}
	f := c.x.Snapshot().lookup("name")
	require.Less(t, len(f.text.log), maxLog)
	require.Less(t, c.x.Snapshot().termsBorn, uint32(5_000), "numbers of terms that are gone are used again")
	require.Equal(t, c.want(pattern(t, "service-7")), found(c.x.Snapshot(), pattern(t, "service-7")))
}

// Readers of several moments make grams while the catalog changes.
func TestGramsUnderConcurrency(t *testing.T) {
	c := newNameCatalog(3)
	c.change(500, 0)
	var wg sync.WaitGroup
	for step := range 30 {
		s, term := c.x.Snapshot(), gramTerms[step%len(gramTerms)]
		want := c.want(pattern(t, term))
		for range 2 {
			wg.Go(func() {
				if got := found(s, pattern(t, term)); !slices.Equal(got, want) {
					t.Errorf("%q: %d names, not %d", term, len(got), len(want))
				}
			})
		}
		c.change(200, 100)
	}
	wg.Wait()
}

// What a layer suggests, checked, is what a scan finds.
func FuzzGrams(f *testing.F) {
	f.Add("payment-service\x00cart\x00a", "ent-s")
	f.Add("ab\x00b\x00\x00ba", "b")
	f.Add("üx\x00é", "ü_")
	f.Fuzz(func(t *testing.T, texts, term string) {
		p, ok := query.NewPattern(term)
		if !ok || len(p.Literals()) == 0 || strings.ContainsRune(term, 0) {
			return
		}
		s := &Snapshot{cache: newCache()}
		own := new(token)
		var terms []uint32
		want := map[uint32]bool{}
		for i, text := range strings.Split(texts, "\x00") {
			text = query.Lower(text)
			if len(text) > 500 {
				return
			}
			s.putTerm(uint32(i), 0, false, []byte(text), nil, own)
			terms = append(terms, uint32(i))
			if p.Match(text) {
				want[uint32(i)] = true
			}
		}
		suggested := map[uint32]bool{}
		s.newLayer(terms).suggest(p, func(term uint32) { suggested[term] = true })
		for number := range want {
			require.True(t, suggested[number], "%q is not suggested for %q", s.value(number), p.String())
		}
	})
}

// A set does what a map does, in whatever form it is.
func TestSets(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 5))
	for range 300 {
		a, b := randomIDs(r), randomIDs(r)
		sa, sb := newSet(slices.Clone(a)), newSet(slices.Clone(b))
		inB := func(id uint32) bool { _, ok := slices.BinarySearch(b, id); return ok }
		both := slices.DeleteFunc(slices.Clone(a), func(id uint32) bool { return !inB(id) })
		rest := slices.DeleteFunc(slices.Clone(a), inB)
		requireSet(t, a, sa)
		requireSet(t, both, sa.and(sb))
		requireSet(t, rest, sa.minus(sb))
		requireSet(t, sorted(append(slices.Clone(a), b...)), sa.or(sb))
		require.Equal(t, len(both), sa.andLen(sb))
		require.Equal(t, len(both), sb.andLen(sa))
		requireSet(t, sorted(append(slices.Clone(rest), 7, 4_100_000)), sa.apply(b, []uint32{7, 4_100_000}))
		requireSet(t, a, sa)
		limit := r.Uint32N(300_000)
		from, _ := slices.BinarySearch(a, limit)
		requireWalk(t, a[from:], func(visit func(uint32) bool) { sa.from(limit, visit) })
		to, found := slices.BinarySearch(a, limit)
		if found {
			to++
		}
		down := slices.Clone(a[:to])
		slices.Reverse(down)
		requireWalk(t, down, func(visit func(uint32) bool) { sa.downFrom(limit, visit) })
	}
}

func randomIDs(r *rand.Rand) []uint32 {
	span := uint32(1) << (3 + r.IntN(16))
	ids := make([]uint32, r.IntN(4_000))
	for i := range ids {
		ids[i] = r.Uint32N(span)
	}
	if r.IntN(4) == 0 { // full blocks
		for id := range uint32(10_000) {
			ids = append(ids, id+blockSize/2)
		}
	}
	return sorted(ids)
}

func requireSet(t *testing.T, want []uint32, s *set) {
	t.Helper()
	if len(want) == 0 {
		require.Nil(t, s)
		return
	}
	require.Equal(t, want, s.slice())
	require.Equal(t, len(want), s.len())
	for i := 0; i < len(want); i += 1 + len(want)/20 {
		require.Equal(t, want[i], s.nth(i))
		require.True(t, s.has(want[i]))
		_, next := slices.BinarySearch(want, want[i]+1)
		require.Equal(t, next, s.has(want[i]+1))
	}
}

func requireWalk(t *testing.T, want []uint32, walk func(func(uint32) bool)) {
	t.Helper()
	got := []uint32{}
	walk(func(id uint32) bool { got = append(got, id); return true })
	require.Equal(t, append([]uint32{}, want...), got)
	if len(want) > 1 {
		n := 0
		walk(func(uint32) bool { n++; return n < 2 })
		require.Equal(t, 2, n, "a walk ends when it is told to")
	}
}

// A tree does what a sorted slice does, and older ones stay as they were.
func TestTrees(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 6))
	at := func(x uint32) compare { return func(item uint32) int { return int(x) - int(item) } }
	model := []uint32{}
	for range r.IntN(3_000) {
		model = append(model, r.Uint32N(5_000))
	}
	model = sorted(model)
	tree := newTree(model)
	for range 60 {
		before, want := tree, slices.Clone(model)
		own := new(token)
		for range r.IntN(400) {
			x := r.Uint32N(5_000)
			i, found := slices.BinarySearch(model, x)
			_, has := tree.find(at(x))
			require.Equal(t, found, has)
			if found {
				model = slices.Delete(model, i, i+1)
				tree = tree.remove(at(x), own)
			} else {
				model = slices.Insert(model, i, x)
				tree = tree.insert(x, at(x), own)
			}
		}
		requireTree(t, model, tree, r.Uint32N(5_000))
		requireTree(t, want, before, r.Uint32N(5_000))
	}
}

func requireTree(t *testing.T, want []uint32, n *node, x uint32) {
	t.Helper()
	got := []uint32{}
	n.each(func(item uint32) bool { got = append(got, item); return true })
	require.Equal(t, append([]uint32{}, want...), got)
	require.Equal(t, len(want), n.size())
	from := func(item uint32) int { return int(x) - int(item) }
	i, _ := slices.BinarySearch(want, x)
	forward := []uint32{}
	for c := n.seek(from); c.ok; c.next() {
		forward = append(forward, c.item())
	}
	require.Equal(t, append([]uint32{}, want[i:]...), forward)
	back := []uint32{}
	for c := n.seekBack(from); c.ok; c.prev() {
		back = append(back, c.item())
	}
	slices.Reverse(back)
	require.Equal(t, append([]uint32{}, want[:i]...), back)
}

func TestSortTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 7))
	for range 100 {
		texts := make([][]byte, r.IntN(600))
		items := make([]textItem, len(texts))
		for i := range texts {
			texts[i] = []byte(strings.Repeat("common/", r.IntN(4)))
			for range r.IntN(12) {
				texts[i] = append(texts[i], byte(r.IntN(3))) // zeros too
			}
			items[i].number = uint32(i)
		}
		sortTexts(items, func(x textItem) []byte { return texts[x.number] })
		require.True(t, slices.IsSortedFunc(items, func(a, b textItem) int {
			return slices.Compare(texts[a.number], texts[b.number])
		}))
		for i, x := range items {
			repeated := i > 0 && slices.Equal(texts[items[i-1].number], texts[x.number])
			require.Equal(t, repeated, x.word == repeats)
		}
	}
}

// The cache keeps within its limit and forgets what was not asked for longest.
func TestCacheIsBounded(t *testing.T) {
	s := &Snapshot{cache: newCache()}
	makes := 0
	ask := func(value string, size int) any {
		return s.remember(cachedSet, query.In{Key: "k", Values: []string{value}}, "", func() (any, int) {
			makes++
			return value, size
		})
	}
	for i := range 1_000 {
		require.Equal(t, fmt.Sprint(i), ask(fmt.Sprint(i), minCache/50))
		require.LessOrEqual(t, s.cache.size, minCache)
		require.Equal(t, len(s.cache.entries), s.cache.recent.Len())
		ask("0", minCache/50)
	}
	require.Equal(t, 1_000, makes, "what is asked for again and again stays")
	ask("large", minCache)
	ask("large", minCache)
	require.Equal(t, 1_002, makes, "what is too large is not kept")
	next := &Snapshot{cache: s.cache, edition: 1, allEdition: 1}
	next.remember(cachedSet, query.In{Key: "k", Values: []string{"0"}}, "", func() (any, int) { makes++; return "other", 1 })
	require.Equal(t, 1_003, makes, "another edition has another result")
}

// In a large catalog the sets of filters are kept; one that looks at no field
// at all changes with the entities.
func TestSetsOfLargeCatalogsFollowChanges(t *testing.T) {
	c := newNameCatalog(4)
	nobody := query.Not{Filter: query.In{Key: "no.such.key", Values: []string{"x"}}}
	named := query.And{query.Exists{Key: "name"}, query.Not{Filter: query.HasPrefix{Key: "name", Prefix: "a"}}}
	for range 3 {
		c.change(largeCatalog, 100)
		s := c.x.Snapshot()
		require.Equal(t, len(c.names), s.Select(nobody).Len())
		rest := 0
		for _, name := range c.names {
			if !strings.HasPrefix(name, "a") {
				rest++
			}
		}
		require.Equal(t, rest, s.Select(named).Len())
		require.Equal(t, rest, s.Search(Search{Filter: named, Order: &query.Order{Field: "name"}, Offset: rest - 1, Limit: 5}).Total)
		require.NoError(t, s.Check(t.Context(), nil, func(violation string) { t.Error(violation) }))
	}
}
