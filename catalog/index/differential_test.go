package index_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random catalogs; 0 draws one")

// Random catalogs, changed at random, answer random queries as a scan of all
// rows does.
func TestIndexAgreesWithAScan(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	for round := range rounds {
		seed := *seedFlag
		if seed == 0 {
			seed = rand.Uint64()
		}
		if !agree(t, seed, 1<<(round%11)) {
			return
		}
	}
}

func agree(t *testing.T, seed uint64, size int) bool {
	f := &fixture{t: t, seed: seed, g: &generator{Rand: rand.New(rand.NewPCG(seed, 1)), uids: &uidSequence{}}, x: index.New()}
	f.m.entities = map[catalog.UID]modelEntity{}
	f.load(f.g.IntN(size))
	for range 6 {
		for range 12 {
			f.search()
			f.list()
			f.facets()
			f.lookups()
		}
		f.publish(f.g.IntN(1 + size/2))
		f.check()
		if t.Failed() {
			return false
		}
	}
	return true
}

type fixture struct {
	t        *testing.T
	seed     uint64
	g        *generator
	m        model
	x        *index.Index
	revision uint64
	asked    []query.Filter
}

func (f *fixture) add(uid catalog.UID, name modelName) (modelEntity, bool) {
	doc, ref := f.g.document(uid, name)
	rows, ok := modelRows(doc)
	if !ok {
		return modelEntity{}, false
	}
	e := modelEntity{uid: uid, ref: ref, name: name, doc: doc, rows: rows}
	f.m.entities[uid] = e
	return e, true
}

func (f *fixture) load(n int) {
	for range n {
		f.add(f.g.uids.next(), f.g.name())
	}
	f.revision = 1
	err := f.x.Load(1, func(yield func(index.Document) bool) {
		for _, e := range f.m.sorted() {
			if !yield(index.Document{UID: e.uid, JSON: e.doc}) {
				return
			}
		}
	})
	require.NoError(f.t, err, "seed %d", f.seed)
}

// publish changes, removes and adds entities; some new ones have a uid that is
// below others, or the ref of one that is removed.
func (f *fixture) publish(n int) {
	var changes []index.Change
	known := f.m.sorted()
	for range n + 1 {
		var uid catalog.UID
		name := f.g.name()
		switch op := f.g.IntN(20); {
		case op < 6 && len(known) > 0:
			e := known[f.g.IntN(len(known))]
			delete(f.m.entities, e.uid)
			changes = append(changes, index.Change{UID: e.uid, Ref: e.ref})
			known = slices.DeleteFunc(known, func(k modelEntity) bool { return k.uid == e.uid })
			if f.g.IntN(3) > 0 {
				continue
			}
			uid, name = f.g.uids.next(), e.name
		case op < 14 && len(known) > 0:
			f.update(&changes, known[f.g.IntN(len(known))])
			continue
		case op == 14:
			uid = uidOf(f.g.Uint64N(f.g.uids.n+1) | 1<<40)
		default:
			uid = f.g.uids.next()
		}
		if _, taken := f.m.entities[uid]; taken {
			continue
		}
		if e, ok := f.add(uid, name); ok {
			rows, err := index.FlattenJSON(e.doc)
			require.NoError(f.t, err)
			changes = append(changes, index.Change{UID: uid, Ref: e.ref, Rows: rows})
		}
	}
	f.revision++
	if f.g.IntN(4) == 0 {
		f.x.Prepare(f.revision, changes[:f.g.IntN(len(changes)+1)]) // dropped
	}
	f.x.Commit(f.x.Prepare(f.revision, changes))
	require.Equal(f.t, f.revision, f.x.Snapshot().Revision())
}

func (f *fixture) update(changes *[]index.Change, e modelEntity) {
	doc, _ := f.g.document(e.uid, e.name)
	if rows, ok := modelRows(doc); ok {
		f.m.entities[e.uid] = modelEntity{e.uid, e.ref, e.name, doc, rows}
		*changes = append(*changes, index.Change{UID: e.uid, Ref: e.ref, Rows: rows})
	}
}

// filter returns a random filter, and now and then one that was asked before:
// what is kept of it must not outlive a change.
func (f *fixture) filter(depth int) query.Filter {
	if len(f.asked) > 12 && f.g.IntN(2) == 0 {
		return f.asked[f.g.IntN(12)]
	}
	x := f.g.filter(depth)
	f.asked = append(f.asked, x)
	return x
}

func (f *fixture) search() {
	s, filter, order := f.x.Snapshot(), f.filter(3), f.g.order()
	want, total := f.m.search(filter, order)
	limit := 1 + f.g.IntN(8)
	offset := f.g.IntN(len(want) + 2)
	if f.g.IntN(2) == 0 {
		offset = 0
	}
	q := index.Search{Filter: filter, Order: order, Offset: offset, Limit: limit}
	got := s.Search(q)
	f.compare(s, q, got, want[min(offset, len(want)):], total)
	for at := offset; got.More; at += limit {
		last := s.PositionOf(got.Hits[len(got.Hits)-1], order != nil)
		q.After, q.Backward = &last, false
		got = s.Search(q)
		f.compare(s, q, got, want[at+limit:], total)
		if f.t.Failed() {
			return
		}
		first := s.PositionOf(got.Hits[0], order != nil)
		back := q
		back.After, back.Backward = &first, true
		f.backward(s, back, want[:at+limit], total)
	}
	f.madeUp(s, q, want)
}

func (f *fixture) backward(s *index.Snapshot, q index.Search, before []modelHit, total int) {
	got := s.Search(q)
	from := max(0, len(before)-q.Limit)
	require.Equal(f.t, from > 0, got.More, "seed %d", f.seed)
	got.More = false
	f.compare(s, q, got, before[from:], total)
}

// madeUp asks for what comes behind and before a position that is none.
func (f *fixture) madeUp(s *index.Snapshot, q index.Search, hits []modelHit) {
	p := index.Position{UID: f.g.pick("", "0", "zzz", uidOf(f.g.Uint64N(f.g.uids.n+1)).String(), "ffffffff-ffff")}
	if q.Order != nil {
		value := f.g.pick("", "a", "pay", "payment", "zzz", "group:default/b", "cart-7")
		p.Value = &value
	}
	var behind, before []modelHit
	for _, h := range hits {
		c := compareHit(h, p)
		if q.Order != nil && q.Order.Descending {
			c = -c
		}
		switch {
		case c > 0:
			behind = append(behind, h)
		case c < 0:
			before = append(before, h)
		}
	}
	q.After, q.Backward, q.Limit = &p, false, len(hits)+1
	f.compare(s, q, s.Search(q), behind, -1)
	q.Backward = true
	f.compare(s, q, s.Search(q), before, -1)
}

func compareHit(h modelHit, p index.Position) int {
	value := ""
	if p.Value != nil {
		value = *p.Value
	}
	switch uid := h.uid.String(); {
	case p.Value != nil && h.value < value, h.value == value && uid < p.UID, p.Value == nil && uid < p.UID:
		return -1
	case p.Value != nil && h.value == value && uid == p.UID, p.Value == nil && uid == p.UID:
		return 0
	}
	return 1
}

func (f *fixture) compare(s *index.Snapshot, q index.Search, got index.Result, want []modelHit, total int) {
	var hits []modelHit
	for _, h := range got.Hits {
		p := s.PositionOf(h, q.Order != nil)
		hit := modelHit{uid: s.UID(h.ID)}
		if p.Value != nil {
			hit.value = *p.Value
		}
		hits = append(hits, hit)
	}
	more := len(want) > q.Limit
	want = want[:min(q.Limit, len(want))]
	if total >= 0 {
		require.Equal(f.t, total, got.Total, "seed %d: total of %s by %+v", f.seed, describe(q.Filter), q.Order)
	}
	require.Equal(f.t, append([]modelHit(nil), want...), hits, "seed %d: %s by %+v after %+v", f.seed, describe(q.Filter), q.Order, q.After)
	if !q.Backward {
		require.Equal(f.t, more, got.More, "seed %d: %s", f.seed, describe(q.Filter))
	}
}

func (f *fixture) list() {
	s, filter := f.x.Snapshot(), f.filter(2)
	var orders []query.Order
	for range f.g.IntN(4) {
		orders = append(orders, query.Order{Field: f.g.key(), Descending: f.g.IntN(2) == 0})
	}
	want := f.m.list(filter, orders)
	offset, limit := f.g.IntN(len(want)+2), 1+f.g.IntN(12)
	ids, more := s.List(filter, orders, offset, limit)
	var got []catalog.UID
	for _, id := range ids {
		got = append(got, s.UID(id))
	}
	from := min(offset, len(want))
	to := min(from+limit, len(want))
	require.Equal(f.t, append([]catalog.UID(nil), want[from:to]...), got, "seed %d: %s by %v", f.seed, describe(filter), orders)
	require.Equal(f.t, to < len(want), more, "seed %d", f.seed)
}

func (f *fixture) facets() {
	s, filter, key := f.x.Snapshot(), f.filter(2), f.g.key()
	require.Equal(f.t, f.m.facet(filter, key), s.Facets(filter, []string{key})[0], "seed %d: %s of %s", f.seed, key, describe(filter))
}

func (f *fixture) lookups() {
	s := f.x.Snapshot()
	require.Equal(f.t, len(f.m.entities), s.Len())
	for _, e := range f.m.sorted() {
		id, ok := s.ByRef(e.ref)
		require.True(f.t, ok, "seed %d: %s", f.seed, e.ref)
		require.Equal(f.t, e.uid, s.UID(id), "seed %d: %s", f.seed, e.ref)
		byUID, ok := s.ByUID(e.uid)
		require.True(f.t, ok)
		require.Equal(f.t, id, byUID)
		require.Equal(f.t, e.ref, s.Ref(id))
		if f.g.IntN(8) == 0 {
			break
		}
	}
	_, ok := s.ByRef("component:default/none")
	require.False(f.t, ok)
	_, ok = s.ByUID(uidOf(2))
	require.False(f.t, ok)
}

func (f *fixture) check() {
	err := f.x.Snapshot().Check(f.t.Context(), func(yield func(index.Document) bool) {
		for _, e := range f.m.sorted() {
			if !yield(index.Document{UID: e.uid, JSON: e.doc}) {
				return
			}
		}
	}, func(violation string) { f.t.Errorf("seed %d: %s", f.seed, violation) })
	require.NoError(f.t, err)
}

// A ref that another uid gets is the other's from then on, whatever becomes of
// the one that had it.
func TestRefsThatAreTakenOver(t *testing.T) {
	x := index.New()
	rows := func(v string) []index.Row { return []index.Row{{Key: "k", Value: v, Original: v}} }
	x.Publish(1, []index.Change{{UID: uidOf(1), Ref: "a:b/c", Rows: rows("old")}})
	x.Publish(2, []index.Change{{UID: uidOf(2), Ref: "a:b/c", Rows: rows("new")}})
	requireRef := func(want uint64) {
		id, ok := x.Snapshot().ByRef("a:b/c")
		require.True(t, ok)
		require.Equal(t, uidOf(want), x.Snapshot().UID(id))
	}
	requireRef(2)
	x.Publish(3, []index.Change{{UID: uidOf(1)}})
	requireRef(2)
	x.Publish(4, []index.Change{{UID: uidOf(2)}, {UID: uidOf(3), Ref: "a:b/c", Rows: rows("newest")}, {UID: uidOf(9)}})
	requireRef(3)
	require.Equal(t, 1, x.Snapshot().Len())
	require.NoError(t, x.Snapshot().Check(t.Context(), nil, func(violation string) { t.Error(violation) }))
}

// Of an entity that changes often nothing remains but its last rows.
func TestChangesLeaveNothingBehind(t *testing.T) {
	x := index.New()
	for i := range 5_000 {
		v := strconv.Itoa(i)
		x.Publish(uint64(i), []index.Change{{UID: uidOf(1), Ref: "a:b/c", Rows: []index.Row{
			{Key: "k", Value: v, Original: v}, {Key: "k." + v, Value: "true", Original: "true"}, {Key: "n", Null: true},
		}}})
	}
	s := x.Snapshot()
	require.Equal(t, []index.Row{{Key: "k", Value: "4999", Original: "4999"}, {Key: "k.4999", Value: "true", Original: "true"}, {Key: "n", Null: true}}, s.Rows(0))
	require.Equal(t, 2, s.CountRows("k"))
	require.Nil(t, s.Facets(nil, []string{"k.4998"})[0])
	require.Less(t, testing.AllocsPerRun(10, func() { x.Publish(1, []index.Change{{UID: uidOf(1), Ref: "a:b/c", Rows: s.Rows(0)}}) }), 100.0)
	require.NoError(t, s.Check(t.Context(), nil, func(violation string) { t.Error(violation) }))
}

// Check finds what is wrong.
func TestCheckNamesViolations(t *testing.T) {
	f := &fixture{t: t, g: &generator{Rand: rand.New(rand.NewPCG(1, 1)), uids: &uidSequence{}}, x: index.New()}
	f.m.entities = map[catalog.UID]modelEntity{}
	f.load(20)
	all := f.m.sorted()
	other, ref := f.g.document(all[0].uid, f.g.name())
	var violations []string
	err := f.x.Snapshot().Check(t.Context(), func(yield func(index.Document) bool) {
		_ = yield(index.Document{UID: all[0].uid, JSON: other}) && yield(index.Document{UID: uidOf(1), JSON: other}) && yield(index.Document{UID: all[1].uid, JSON: []byte("{")})
	}, func(violation string) { violations = append(violations, violation) })
	require.NoError(t, err)
	require.Len(t, violations, 5)
	require.Contains(t, violations[0], "is of "+ref+" and indexed as "+all[0].ref)
	require.Contains(t, violations[1], "entity "+all[0].ref+": its rows are not those of its document")
	require.Contains(t, violations[2], "document "+uidOf(1).String()+" is not indexed")
	require.Contains(t, violations[3], "document "+all[1].uid.String()+": ")
	require.Contains(t, violations[4], fmt.Sprintf("there are 3 documents for %d entities", len(all)))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, f.x.Snapshot().Check(ctx, nil, func(string) {}), context.Canceled)
}

func TestLoadRefusesWhatCannotBeIndexed(t *testing.T) {
	x := index.New()
	x.Publish(3, []index.Change{{UID: uidOf(1), Ref: "a:b/c", Rows: []index.Row{{Key: "k", Null: true}}}})
	for _, doc := range []string{"", "[]", `{"spec":{"a":1,"A":2}}`} {
		err := x.Load(4, func(yield func(index.Document) bool) { yield(index.Document{UID: uidOf(7), JSON: []byte(doc)}) })
		require.ErrorContains(t, err, uidOf(7).String(), "the error says which")
		require.Equal(t, uint64(3), x.Snapshot().Revision(), "and the index is as it was")
		require.Equal(t, 1, x.Snapshot().Len())
	}
}
