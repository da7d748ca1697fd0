package view

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

// Documents opens moments. It calls fn with one and returns fn's error; it is
// safe for concurrent use and does not wait for writers.
type Documents interface {
	View(fn func(Moment) error) error
}

// A Moment is the stored catalog at one revision. What it returns is valid
// until the call of View ends.
type Moment interface {
	Revision() uint64
	// Document returns the stored JSON of an entity, nil if it is not served.
	Document(uid catalog.UID) []byte
	// Parents returns the refs of the entities that emit the entity of a ref.
	Parents(ref string) []string
}

// A View answers reads. It is safe for concurrent use.
type View struct {
	index     *index.Index
	documents Documents
	buffers   sync.Pool // of *[]byte
}

// New returns a view of the index and the documents that it was made of.
func New(x *index.Index, documents Documents) *View {
	return &View{index: x, documents: documents}
}

// A Page is the body of an answer, JSON. A nil Body means that there is no
// such entity.
type Page struct {
	Body []byte
	// Link is the target of the next page, below the mount of the API, where
	// the body cannot say so itself; "" for none.
	Link string
	// Release, unless nil, gives the body back; it must not be used
	// afterwards. Not to call it is no leak.
	Release func()
	// Stream, unless nil, writes the body in its place, which is too long to be
	// held as a whole.
	Stream func(ctx context.Context, w io.Writer) error
}

// A Selection says which entities are meant; all conditions hold together.
type Selection struct {
	// Filters are filter parameters, of which one must match; nil: no
	// condition.
	Filters []string
	// Query is a filter predicate, nil: no condition.
	Query *jsonvalue.Object
	// Only is a filter predicate that comes from a permission. It is kept in
	// no cursor. Nil: everything may be read.
	Only *jsonvalue.Object
}

func (s *Selection) filter() (query.Filter, error) {
	f, err := query.ParseFilter(s.Filters)
	if err != nil || s.Query == nil {
		return f, err
	}
	predicate, err := query.ParsePredicate(s.Query)
	return query.Both(f, predicate), err
}

// permitted returns f with the permission's condition.
func permitted(f query.Filter, only *jsonvalue.Object) (query.Filter, error) {
	if only == nil {
		return f, nil
	}
	p, err := query.ParsePredicate(only)
	if err != nil {
		return nil, fmt.Errorf("permission condition: %w", err)
	}
	return query.Both(p, f), nil
}

// errApart tells that index and documents are not at the same revision.
var errApart = errors.New("index and documents are of different moments")

// meetLimit is how long a view tries to find both at the same revision.
const meetLimit = 5 * time.Second

// at runs fn on a snapshot and the documents of the same moment. It may run
// the search for them more than once, fn it runs once.
func (v *View) at(ctx context.Context, fn func(*index.Snapshot, Moment) error) error {
	var deadline time.Time
	for try := 0; ; try++ {
		s := v.index.Snapshot()
		err := v.documents.View(func(m Moment) error {
			if m.Revision() != s.Revision() {
				return errApart
			}
			return fn(s, m)
		})
		if !errors.Is(err, errApart) {
			return err
		}
		if try == 0 {
			deadline = time.Now().Add(meetLimit)
		}
		if err := v.yield(ctx, try, deadline); err != nil {
			return err
		}
	}
}

// yield lets the writer go on, a little longer from time to time.
func (v *View) yield(ctx context.Context, try int, deadline time.Time) error {
	const spins, nap = 64, 50 * time.Microsecond
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if try < spins {
		runtime.Gosched()
		return nil
	}
	if time.Now().After(deadline) {
		return fmt.Errorf("read catalog: %w", errApart)
	}
	t := time.NewTimer(nap)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// keepBuffer is up to which size buffers are used again.
const keepBuffer = 1 << 20

// buffer returns an empty buffer and the function that gives it back.
func (v *View) buffer() *[]byte {
	if b, ok := v.buffers.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 16<<10)
	return &b
}

// answer makes a page of what a buffer has become.
func (v *View) answer(b *[]byte, body []byte) Page {
	return Page{Body: body, Release: func() {
		if cap(body) <= keepBuffer {
			*b = body[:0]
			v.buffers.Put(b)
		}
	}}
}

// build makes a page of what fn appends to a buffer at one moment. A nil body
// stays nil.
func (v *View) build(ctx context.Context, fn func(dst []byte, s *index.Snapshot, m Moment) ([]byte, error)) (Page, error) {
	b := v.buffer()
	var body []byte
	err := v.at(ctx, func(s *index.Snapshot, m Moment) (err error) {
		body, err = fn((*b)[:0], s, m)
		return err
	})
	if err != nil || body == nil {
		v.buffers.Put(b)
		return Page{}, err
	}
	return v.answer(b, body), nil
}

// appendDocument appends what a projection selects of an entity's document.
func appendDocument(dst []byte, s *index.Snapshot, m Moment, id index.ID, p *query.Projection) ([]byte, error) {
	uid := s.UID(id)
	doc := m.Document(uid)
	if doc == nil {
		return dst, fmt.Errorf("document %s is indexed but not stored", uid)
	}
	dst, err := p.Append(dst, doc)
	if err != nil {
		return dst, fmt.Errorf("project document %s: %w", uid, err)
	}
	return dst, nil
}
