package index

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
)

// Check calls report for everything in the snapshot that does not agree with
// itself, and, unless documents is nil, for every entity whose rows or ref are
// not those of its document. The error is that of the context.
func (s *Snapshot) Check(ctx context.Context, documents iter.Seq[Document], report func(violation string)) error {
	c := checker{s: s, ctx: ctx, report: report, terms: map[uint32][]uint32{}}
	for _, check := range []func(){c.entities, c.checkTerms, c.checkFields} {
		if check(); ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if documents != nil {
		c.documents(documents)
	}
	return context.Cause(ctx)
}

type checker struct {
	s      *Snapshot
	ctx    context.Context
	report func(string)
	// terms are the entities that say they have a term.
	terms map[uint32][]uint32
}

func (c *checker) fail(format string, args ...any) {
	c.report("index: " + fmt.Sprintf(format, args...))
}

func (c *checker) entities() {
	var last catalog.UID
	n := 0
	c.s.all.each(func(id uint32) bool {
		e := c.s.entity(id)
		if n++; n > 1 && string(e.uid[:]) <= string(last[:]) {
			c.fail("entity %s: its uid is not above the one before", e.ref)
		}
		last = e.uid
		if found, ok := c.s.ByRef(e.ref); !ok || found != id {
			c.fail("entity %s is not found by its ref", e.ref)
		}
		for i, t := range e.terms {
			if i > 0 && c.s.compareTerms(e.terms[i-1], t) >= 0 {
				c.fail("entity %s: its terms are out of order", e.ref)
			}
			c.terms[t] = append(c.terms[t], id)
		}
		return c.ctx.Err() == nil
	})
	if refs := c.s.refs.size(); refs != n {
		c.fail("there are %d refs for %d entities", refs, n)
	}
}

func (c *checker) checkTerms() {
	used := 0
	for number := range c.s.termsBorn {
		p := c.s.terms.page(number >> termPageBits)
		if p == nil || !p.terms[number%termPageSize].used {
			if c.terms[number] != nil {
				c.fail("entities have term %d, which does not exist", number)
			}
			continue
		}
		used++
		t := &p.terms[number%termPageSize]
		name := fmt.Sprintf("term %q of %q", c.s.value(number), c.s.field(t.field).key)
		if !slices.Equal(c.s.posting(number).slice(), c.terms[number]) {
			c.fail("%s: its entities are not those that have it", name)
		}
		f := c.s.field(t.field)
		found := f.null == number+1
		if !t.null {
			var at uint32
			at, found = c.s.findTerm(f, c.s.value(number), c.s.original(number))
			found = found && at == number
		}
		if !found {
			c.fail("%s is not found in its field", name)
		}
	}
}

func (c *checker) checkFields() {
	last := ""
	fields := 0
	c.s.keys.each(func(number uint32) bool {
		f := c.s.field(number)
		if fields++; fields > 1 && f.key <= last {
			c.fail("field %q is not above the one before", f.key)
		}
		last = f.key
		var values []uint32
		f.eachValue(func(t uint32) bool {
			if n := len(values); n > 0 && c.s.compareTerm(c.s.value(t), c.s.original(t))(values[n-1]) <= 0 {
				c.fail("field %q: its values are out of order at %q", f.key, c.s.value(t))
			}
			values = append(values, t)
			return true
		})
		c.checkSets(f, values)
		return c.ctx.Err() == nil
	})
}

func (c *checker) checkSets(f *field, values []uint32) {
	rows := 0
	for _, t := range values {
		rows += c.s.count(t)
	}
	if f.null != 0 {
		rows += c.s.count(f.null - 1)
	}
	if rows != int(f.rows) {
		c.fail("field %q has %d rows, not %d", f.key, rows, f.rows)
	}
	valued := c.s.unionOf(values)
	has := valued
	if f.null != 0 {
		has = valued.or(c.s.posting(f.null - 1))
	}
	if has == nil {
		c.fail("field %q has no terms", f.key)
	}
	if !slices.Equal(c.s.withValue(f).slice(), valued.slice()) {
		c.fail("field %q: the entities with a value are not those of its terms", f.key)
	}
	if !slices.Equal(c.s.withRow(f).slice(), has.slice()) {
		c.fail("field %q: its entities are not those of its terms", f.key)
	}
}

func (c *checker) documents(documents iter.Seq[Document]) {
	flat := newFlattener()
	n := 0
	for d := range documents {
		if c.ctx.Err() != nil {
			return
		}
		n++
		id, ok := c.s.ByUID(d.UID)
		if !ok {
			c.fail("document %s is not indexed", d.UID)
			continue
		}
		rows, err := FlattenJSON(d.JSON)
		if err == nil {
			err = flat.flatten(d.JSON)
		}
		if err != nil {
			c.fail("document %s: %v", d.UID, err)
			continue
		}
		if ref := flat.ref(); ref != c.s.Ref(id) {
			c.fail("document %s is of %s and indexed as %s", d.UID, ref, c.s.Ref(id))
		}
		slices.SortFunc(rows, compareRows)
		if !slices.Equal(rows, c.s.Rows(id)) {
			c.fail("entity %s: its rows are not those of its document", c.s.Ref(id))
		}
	}
	if n != c.s.Len() {
		c.fail("there are %d documents for %d entities", n, c.s.Len())
	}
}
