package index_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

// A model answers what the index answers by looking at every row of every
// entity. It shares no code with it.
type model struct {
	entities map[catalog.UID]modelEntity
}

type modelEntity struct {
	uid  catalog.UID
	ref  string
	name modelName
	doc  []byte
	rows []index.Row
}

func (m *model) sorted() []modelEntity {
	var out []modelEntity
	for _, e := range m.entities {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b modelEntity) int { return bytes.Compare(a.uid[:], b.uid[:]) })
	return out
}

func matches(e modelEntity, f query.Filter) bool {
	any := func(test func(index.Row) bool) bool { return slices.ContainsFunc(e.rows, test) }
	switch f := f.(type) {
	case nil, query.All:
		return true
	case query.None:
		return false
	case query.And:
		for _, x := range f {
			if !matches(e, x) {
				return false
			}
		}
		return true
	case query.Or:
		for _, x := range f {
			if matches(e, x) {
				return true
			}
		}
		return false
	case query.Not:
		return !matches(e, f.Filter)
	case query.Exists:
		return any(func(r index.Row) bool { return r.Key == f.Key })
	case query.In:
		return any(func(r index.Row) bool { return r.Key == f.Key && !r.Null && slices.Contains(f.Values, r.Value) })
	case query.HasPrefix:
		return any(func(r index.Row) bool { return r.Key == f.Key && !r.Null && strings.HasPrefix(r.Value, f.Prefix) })
	case query.Matches:
		return any(func(r index.Row) bool {
			return slices.Contains(f.Keys, r.Key) && !r.Null && like(r.Value, "%"+f.Pattern.String()+"%")
		})
	}
	panic("unknown filter")
}

// like is SQL's LIKE by the book.
func like(s, pattern string) bool {
	str := []rune(s)
	reach := make([]bool, len(str)+1)
	reach[0] = true
	for _, p := range pattern {
		next := make([]bool, len(str)+1)
		for i, ok := range reach {
			switch {
			case !ok:
			case p == '%':
				for j := i; j <= len(str); j++ {
					next[j] = true
				}
			case i < len(str) && (p == '_' || p == str[i]):
				next[i+1] = true
			}
		}
		reach = next
	}
	return reach[len(str)]
}

type modelHit struct {
	uid   catalog.UID
	value string
}

// search returns all hits in order and the number of entities.
func (m *model) search(f query.Filter, order *query.Order) (hits []modelHit, total int) {
	for _, e := range m.sorted() {
		if !matches(e, f) {
			continue
		}
		if order == nil {
			hits, total = append(hits, modelHit{uid: e.uid}), total+1
			continue
		}
		found := false
		for _, r := range e.rows {
			if r.Key == strings.ToLower(order.Field) && !r.Null {
				hits, found = append(hits, modelHit{e.uid, r.Value}), true
			}
		}
		if found {
			total++
		}
	}
	slices.SortStableFunc(hits, func(a, b modelHit) int {
		c := cmp.Or(cmp.Compare(a.value, b.value), bytes.Compare(a.uid[:], b.uid[:]))
		if order != nil && order.Descending {
			return -c
		}
		return c
	})
	return hits, total
}

// list returns the uids of a listing by several fields.
func (m *model) list(f query.Filter, orders []query.Order) []catalog.UID {
	type line struct {
		e    modelEntity
		keys []index.Row // Null where there is none
	}
	var lines []line
	for _, e := range m.sorted() {
		if !matches(e, f) {
			continue
		}
		mine := []line{{e: e}}
		for _, o := range orders {
			var values []index.Row
			for _, r := range e.rows {
				if r.Key == o.Field {
					values = append(values, r)
				}
			}
			if values == nil {
				values = []index.Row{{Null: true}}
			}
			var wider []line
			for _, l := range mine {
				for _, v := range values {
					wider = append(wider, line{e, append(slices.Clone(l.keys), v)})
				}
			}
			mine = wider
		}
		lines = append(lines, mine...)
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		if len(orders) == 0 {
			return cmp.Compare(a.e.ref, b.e.ref)
		}
		for i, o := range orders {
			x, y := a.keys[i], b.keys[i]
			if x.Null != y.Null {
				if x.Null {
					return 1
				}
				return -1
			}
			if c := cmp.Compare(x.Value, y.Value); c != 0 {
				if o.Descending {
					return -c
				}
				return c
			}
		}
		return bytes.Compare(a.e.uid[:], b.e.uid[:])
	})
	var out []catalog.UID
	for _, l := range lines {
		out = append(out, l.e.uid)
	}
	return out
}

func (m *model) facet(f query.Filter, key string) []index.FacetValue {
	counts := map[string]int{}
	for _, e := range m.entities {
		if !matches(e, f) {
			continue
		}
		for _, r := range e.rows {
			if r.Key == strings.ToLower(key) && !r.Null {
				counts[r.Original]++
			}
		}
	}
	var out []index.FacetValue
	for v, n := range counts {
		out = append(out, index.FacetValue{Value: v, Count: n})
	}
	slices.SortFunc(out, func(a, b index.FacetValue) int { return cmp.Compare(a.Value, b.Value) })
	return out
}

// modelRows flattens a document, a tree of plain Go values but for the order
// of keys, as the reference describes it.
func modelRows(doc []byte) ([]index.Row, bool) {
	root, err := jsonvalue.ParseObject(doc)
	if err != nil {
		panic(err)
	}
	type pair struct {
		key   string
		value any
	}
	var out []pair
	left := []string{"attachments", "relations", "status", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.etag"}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		if slices.Contains(left, path) {
			return
		}
		switch v := v.(type) {
		case *jsonvalue.Object:
			for _, m := range v.Members() {
				p := m.Key
				if path != "" {
					p = path + "." + m.Key
				}
				walk(p, m.Value)
			}
		case []any:
			for _, x := range v {
				walk(path, x)
				if s, ok := x.(string); ok {
					p := path + "." + s
					if !slices.ContainsFunc(out, func(o pair) bool { return query.Lower(o.key) == query.Lower(p) }) {
						out = append(out, pair{p, true})
					}
				}
			}
		default:
			out = append(out, pair{path, v})
		}
	}
	walk("", root)
	meta := root.Object("metadata")
	for _, k := range []string{"name", "namespace", "uid"} {
		v := meta.Value(k)
		switch v.(type) {
		case *jsonvalue.Object, []any:
			v = nil
		}
		out = append(out, pair{"metadata." + k, v})
	}
	if meta.String("namespace") == "" {
		out = append(out, pair{"metadata.namespace", "default"})
	}
	relations, _ := root.Value("relations").([]any)
	for _, r := range relations {
		if o, ok := r.(*jsonvalue.Object); ok {
			out = append(out, pair{"relations." + o.String("type"), o.String("targetRef")})
		}
	}
	spelling := map[string]string{}
	for _, p := range out {
		if s, ok := spelling[query.Lower(p.key)]; ok && s != p.key {
			return nil, false
		}
		spelling[query.Lower(p.key)] = p.key
	}
	long := func(s string) bool { return len(utf16.Encode([]rune(s))) > 200 }
	var rows []index.Row
	for _, p := range out {
		r := index.Row{Key: query.Lower(p.key)}
		if long(r.Key) {
			continue
		}
		switch v := p.value.(type) {
		case nil:
			r.Null = true
		case string:
			r.Original = v
		case bool:
			r.Original = strconv.FormatBool(v)
		case float64:
			r.Original = jsonvalue.FormatNumber(v)
		}
		if r.Value = query.Lower(r.Original); long(r.Value) {
			r = index.Row{Key: r.Key, Null: true}
		}
		if !slices.ContainsFunc(rows, func(o index.Row) bool { return o.Key == r.Key && o.Value == r.Value && o.Null == r.Null }) {
			rows = append(rows, r)
		}
	}
	return rows, true
}

// A generator makes random documents and queries about them.
type generator struct {
	*rand.Rand
	uids   *uidSequence
	serial int
}

type uidSequence struct{ n uint64 }

func (u *uidSequence) next() catalog.UID {
	u.n += 3
	return uidOf(u.n)
}

func uidOf(n uint64) (uid catalog.UID) {
	for i := range 8 {
		uid[i] = byte(n >> (56 - 8*i))
	}
	return uid
}

func (g *generator) pick(list ...string) string { return list[g.IntN(len(list))] }

var words = []string{"go", "Go", "java", "JAVA", "payment", "Payment-Service", "cart api", "x", "", "Ünïcode ☂", "a%b_c", "7", "true", "Straße", "ΣΊΣΥΦΟΣ", "İ", "long " + strings.Repeat("z", 210)}

func (g *generator) value(depth int) any {
	switch g.IntN(10) {
	case 0:
		return nil
	case 1:
		return float64(g.IntN(30)) / 2
	case 2:
		return g.IntN(2) == 0
	case 3, 4:
		if depth > 0 {
			var list []any
			for range g.IntN(4) {
				list = append(list, g.value(depth-1))
			}
			if list == nil {
				list = []any{}
			}
			return list
		}
	case 5:
		if depth > 0 {
			o := jsonvalue.NewObject()
			for range g.IntN(3) {
				o.Set(g.pick("a", "b", "c.d", "tier"), g.value(depth-1))
			}
			return o
		}
	}
	return g.pick(words...)
}

type modelName = catalog.EntityRef

func (g *generator) name() modelName {
	g.serial++
	return modelName{
		Kind: g.pick("Component", "API", "Group"), Namespace: g.pick("default", "Team-A"),
		Name: g.pick("Cart", "pay", "ledger") + "-" + strconv.Itoa(g.serial),
	}
}

// document returns a document with the ref of the entity.
func (g *generator) document(uid catalog.UID, is modelName) (doc []byte, ref string) {
	meta := jsonvalue.NewObject(
		jsonvalue.Member{Key: "name", Value: is.Name},
		jsonvalue.Member{Key: "namespace", Value: is.Namespace},
		jsonvalue.Member{Key: "uid", Value: uid.String()},
		jsonvalue.Member{Key: "etag", Value: "e" + strconv.Itoa(g.IntN(1000))},
	)
	for _, key := range []string{"title", "tags", "labels", "description"} {
		if g.IntN(3) > 0 {
			meta.Set(key, g.value(2))
		}
	}
	spec := jsonvalue.NewObject()
	for _, key := range []string{"type", "lifecycle", "owner", "x"} {
		if g.IntN(3) > 0 {
			spec.Set(key, g.value(2))
		}
	}
	var relations []any
	for range g.IntN(3) {
		relations = append(relations, jsonvalue.NewObject(
			jsonvalue.Member{Key: "type", Value: g.pick("ownedBy", "dependsOn")},
			jsonvalue.Member{Key: "targetRef", Value: "group:default/" + g.pick("a", "b", "c")},
		))
	}
	if relations == nil {
		relations = []any{}
	}
	o := jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: "backstage.io/v1alpha1"},
		jsonvalue.Member{Key: "kind", Value: is.Kind},
		jsonvalue.Member{Key: "metadata", Value: meta},
		jsonvalue.Member{Key: "spec", Value: spec},
		jsonvalue.Member{Key: "relations", Value: relations},
	)
	return jsonvalue.Append(nil, o), is.String()
}

func (g *generator) key() string {
	return g.pick("kind", "metadata.name", "metadata.namespace", "metadata.uid", "metadata.title", "metadata.tags", "metadata.tags.go",
		"metadata.labels.tier", "metadata.labels.c.d", "spec.type", "spec.lifecycle", "spec.owner", "spec.x", "spec.x.a", "spec.type.payment",
		"relations.ownedby", "relations.dependson", "no.such.key", "metadata.description")
}

func (g *generator) someValue() string {
	if g.IntN(4) == 0 {
		return g.pick("component", "api", "group", "default", "team-a", "group:default/a", "cart-3", "1.5", "")
	}
	return query.Lower(g.pick(words...))
}

func (g *generator) filter(depth int) query.Filter {
	if depth > 0 && g.IntN(2) == 0 {
		list := make([]query.Filter, g.IntN(4))
		for i := range list {
			list[i] = g.filter(depth - 1)
		}
		switch g.IntN(3) {
		case 0:
			return query.And(list)
		case 1:
			return query.Or(list)
		}
		return query.Not{Filter: g.filter(depth - 1)}
	}
	switch g.IntN(9) {
	case 0:
		return query.All{}
	case 1:
		return query.Exists{Key: g.key()}
	case 2:
		return query.HasPrefix{Key: g.key(), Prefix: g.pick("", "c", "pay", "g", "ü", "7", "long")}
	case 3, 4:
		p, ok := query.NewPattern(g.pick("a", "pa", "pay", "ment", "cart-1", "%", "_", "a%b", "p_y", "%7", "group:", "ü", "z", "api%", "-1_", "rt-", "no such text", "☂"))
		if !ok {
			panic("blank")
		}
		keys := []string{g.key()}
		for range g.IntN(3) {
			keys = append(keys, g.key())
		}
		return query.Matches{Keys: keys, Pattern: p}
	}
	values := []string{g.someValue()}
	for range g.IntN(3) {
		values = append(values, g.someValue())
	}
	return query.In{Key: g.key(), Values: values}
}

func (g *generator) order() *query.Order {
	switch g.IntN(3) {
	case 0:
		return nil
	case 1:
		return &query.Order{Field: g.pick("metadata.name", "Metadata.Name", "metadata.uid"), Descending: g.IntN(2) == 0}
	}
	return &query.Order{Field: g.key(), Descending: g.IntN(2) == 0}
}

func describe(f query.Filter) string { return fmt.Sprintf("%#v", f) }
