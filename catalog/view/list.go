package view

import (
	"context"
	"io"
	"math"
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

// A Listing is a request for GET /entities. It is paged if any of Limit,
// Offset and After is set.
type Listing struct {
	Selection
	Fields        []string // as given, with commas; nil: all
	Limit, Offset *int
	After         string
	Order         []string // asc:<field> or desc:<field>
	// RawQuery is the query string as it was sent, for the link to the next
	// page.
	RawQuery string
}

// Paged tells whether one page is asked for, not everything.
func (l *Listing) Paged() bool { return l.Limit != nil || l.Offset != nil || l.After != "" }

// A list is a Listing that was read.
type list struct {
	filter        query.Filter
	projection    *query.Projection
	orders        []query.Order
	limit, offset int
	limited       bool
}

func (l *Listing) read() (list, error) {
	var out list
	var err error
	if out.projection, err = query.ParseFields(l.Fields); err != nil {
		return out, err
	}
	if out.filter, err = l.filter(); err != nil {
		return out, err
	}
	if out.filter, err = permitted(out.filter, l.Only); err != nil {
		return out, err
	}
	for _, param := range l.Order {
		order, err := query.ParseListOrder(param)
		if err != nil {
			return out, err
		}
		out.orders = append(out.orders, order)
	}
	limit, offset := l.Limit, l.Offset
	if l.After != "" {
		token, err := query.ParsePageToken(l.After)
		if err != nil {
			return out, err
		}
		if token.Limit != nil {
			limit = token.Limit
		}
		if token.Offset != nil {
			offset = token.Offset
		}
	}
	out.limit = math.MaxInt32
	if limit != nil {
		out.limit, out.limited = min(max(*limit, 0), math.MaxInt32), true
	}
	if offset != nil {
		out.offset = min(max(*offset, 0), math.MaxInt32)
	}
	return out, nil
}

// inOne is up to how many entities are answered in one piece where no page is
// asked for.
const inOne = 1000

// Entities lists entities as an array: one page with the link to the next, or
// all of them, which come as a stream if they are many.
func (v *View) Entities(ctx context.Context, l Listing) (Page, error) {
	in, err := l.read()
	if err != nil {
		return Page{}, err
	}
	if !l.Paged() {
		return v.all(ctx, in)
	}
	link := ""
	page, err := v.build(ctx, func(dst []byte, s *index.Snapshot, m Moment) ([]byte, error) {
		ids, more := s.List(in.filter, in.orders, in.offset, in.limit)
		if more {
			link = l.next(in)
		}
		return appendArray(dst, s, m, ids, in.projection)
	})
	page.Link = link
	return page, err
}

func appendArray(dst []byte, s *index.Snapshot, m Moment, ids []index.ID, p *query.Projection) ([]byte, error) {
	dst = append(dst, '[')
	var err error
	for i, id := range ids {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendDocument(dst, s, m, id, p); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// next returns the target of the page behind this one: the same query without
// an offset, with a page token.
func (l *Listing) next(in list) string {
	offset := in.offset + in.limit
	token := query.PageToken{Limit: &in.limit, Offset: &offset}
	var b strings.Builder
	b.WriteString("/entities?")
	for part := range strings.SplitSeq(l.RawQuery, "&") {
		name, value, _ := strings.Cut(part, "=")
		name, value = unescape(name), unescape(value)
		if part == "" || name == "offset" || name == "after" {
			continue
		}
		b.WriteString(formEscape(name) + "=" + formEscape(value) + "&")
	}
	b.WriteString("after=" + formEscape(token.String()))
	return b.String()
}

// formEscape escapes as HTML forms do, which differs from QueryEscape in two
// characters.
func formEscape(s string) string {
	s = strings.ReplaceAll(url.QueryEscape(s), "%2A", "*")
	return strings.ReplaceAll(s, "~", "%7E")
}

func unescape(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

// streamBatch is how many entities a moment is opened for at a time.
const streamBatch = 256

// all answers with every entity of a listing.
func (v *View) all(ctx context.Context, in list) (Page, error) {
	s := v.index.Snapshot()
	search := index.Search{Filter: in.filter, Limit: math.MaxInt32 - 1, NoTotal: true}
	if len(in.orders) > 0 {
		search.Order = &in.orders[0]
	}
	hits := s.Search(search).Hits
	if len(hits) > inOne {
		return Page{Stream: func(ctx context.Context, w io.Writer) error { return v.stream(ctx, s, hits, in.projection, w) }}, nil
	}
	b := v.buffer()
	w := &appender{(*b)[:0]}
	if err := v.stream(ctx, s, hits, in.projection, w); err != nil {
		return Page{}, err
	}
	return v.answer(b, w.data), nil
}

// stream writes entities to w, as an array, batch by batch. No moment is open
// while w is written to, so that a slow w holds up nobody; an entity that is
// removed meanwhile is left out.
func (v *View) stream(ctx context.Context, s *index.Snapshot, hits []index.Hit, p *query.Projection, w io.Writer) error {
	b := v.buffer()
	defer v.buffers.Put(b)
	if _, err := io.WriteString(w, "["); err != nil {
		return err
	}
	separator := ""
	for len(hits) > 0 {
		n := min(len(hits), streamBatch)
		uids := make([]catalog.UID, n)
		for i, h := range hits[:n] {
			uids[i] = s.UID(h.ID)
		}
		data, err := v.batch(ctx, (*b)[:0], uids, separator, p)
		if err != nil {
			return err
		}
		if len(data) > 0 {
			separator = ","
		}
		if cap(data) <= keepBuffer {
			*b = data[:0]
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		hits = hits[n:]
	}
	_, err := io.WriteString(w, "]")
	return err
}

// batch appends documents as they stand now, each after a separator, the first
// of which is given.
func (v *View) batch(ctx context.Context, dst []byte, uids []catalog.UID, separator string, p *query.Projection) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	err := v.documents.View(func(m Moment) error {
		for _, uid := range uids {
			doc := m.Document(uid)
			if doc == nil {
				continue
			}
			dst = append(dst, separator...)
			separator = ","
			var err error
			if dst, err = p.Append(dst, doc); err != nil {
				return err
			}
		}
		return nil
	})
	return dst, err
}

// An appender collects what is written.
type appender struct{ data []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.data = append(a.data, p...)
	return len(p), nil
}
