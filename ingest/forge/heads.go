package forge

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
)

// A Head is the commit that a branch is at.
type Head struct {
	Commit string
	// Validator is what the host gave for a conditional request, if that is
	// not the commit itself.
	Validator string
	// Observed is set when it was not the host itself that said so: its API may
	// not know the commit yet.
	Observed bool
}

// Heads remember which commits branches are at, so that many reads of one
// repository ask for it once.
type Heads struct {
	window time.Duration
	now    func() time.Time

	mu    sync.Mutex
	known *lru.Cache[string, *branch]
}

// A branch is what is known of one, and who is asking for it.
type branch struct {
	head    Head
	missing error     // that the branch does not exist
	asked   time.Time // when the question was sent that this answers
	flights [2]*flight
}

// A flight is a question under way.
type flight struct {
	began time.Time
	done  chan struct{} // closed when head and err are set
	head  Head
	err   error
}

// maxHeads bounds how many branches are remembered.
const maxHeads = 100_000

// NewHeads makes an empty memory. Window is for how long crawling believes an
// answer; 0 means a minute. Now is the clock; nil means time.Now.
func NewHeads(window time.Duration, now func() time.Time) *Heads {
	if window == 0 {
		window = time.Minute
	}
	if now == nil {
		now = time.Now
	}
	known, err := lru.New[string, *branch](maxHeads)
	if err != nil {
		panic(err) // the size is positive
	}
	return &Heads{window: window, now: now, known: known}
}

// BranchKey names a branch for Heads; "" is the default one.
func BranchKey(repository, ref string) string {
	if ref == "" {
		ref = "HEAD"
	}
	return strings.ToLower(repository) + "@" + ref
}

// At returns the head of a branch: as remembered if that is recent enough, or
// from ask, which is called once for all who want to know at the same time. It
// gets what was known so far, with at least the commit that the caller knows of
// an earlier read, to make its request conditional. A run that somebody wanted
// (process.Demand) is not content with an answer to a question from before.
//
// That a branch does not exist (catalog.ErrNotFound) is remembered as well,
// other errors are not.
func (h *Heads) At(ctx context.Context, key, commit string, ask func(ctx context.Context, known Head) (Head, error)) (Head, error) {
	demand := process.DemandOf(ctx)
	since, urgent := demand.Since, demand.Urgent
	switch {
	case since.IsZero() && urgent:
		since = h.now()
	case since.IsZero():
		since = h.now().Add(-h.window)
	}
	for {
		f, b, lead := h.join(key, since, urgent)
		switch {
		case f == nil:
			return b.head, b.missing
		case lead:
			return h.lead(ctx, key, f, b, commit, urgent, ask)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return Head{}, context.Cause(ctx)
		}
		if !errors.Is(f.err, errAbandoned) {
			return f.head, f.err
		}
	}
}

// Knows tells whether a commit of the branch is remembered, however old.
func (h *Heads) Knows(key string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, ok := h.known.Peek(key)
	return ok && b.head.Commit != ""
}

// errAbandoned tells those who wait for an answer that whoever asked has gone.
var errAbandoned = errors.New("the question was abandoned")

// join returns what is known if that is from since or later, and otherwise the
// flight to wait for or, with lead, to carry out. The branch is a copy.
func (h *Heads) join(key string, since time.Time, urgent bool) (f *flight, known branch, lead bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, ok := h.known.Get(key)
	if !ok {
		b = &branch{}
		h.known.Add(key, b)
	}
	if !b.asked.IsZero() && !b.asked.Before(since) {
		return nil, *b, false
	}
	slot := &b.flights[lane(urgent)]
	if *slot != nil && !(*slot).began.Before(since) {
		return *slot, *b, false
	}
	f = &flight{began: h.now(), done: make(chan struct{})}
	*slot = f
	return f, *b, true
}

func lane(urgent bool) int {
	if urgent {
		return 1
	}
	return 0
}

// lead asks and tells the others.
func (h *Heads) lead(ctx context.Context, key string, f *flight, known branch, commit string, urgent bool, ask func(context.Context, Head) (Head, error)) (Head, error) {
	f.err = errAbandoned // if ask panics
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if b, ok := h.known.Peek(key); ok && b.flights[lane(urgent)] == f {
			b.flights[lane(urgent)] = nil
		}
		close(f.done)
	}()
	if known.head.Commit == "" {
		known.head = Head{Commit: commit}
	}
	head, err := ask(ctx, known.head)
	switch {
	case err == nil:
		h.remember(key, head, nil, f.began)
	case errors.Is(err, catalog.ErrNotFound):
		h.remember(key, Head{}, err, f.began)
	case ctx.Err() != nil:
		return head, err // the others ask for themselves
	}
	f.head, f.err = head, err
	return head, err
}

// Observe takes in what commit a branch was at at a time, as a webhook or a
// listing says.
func (h *Heads) Observe(key, commit string, at time.Time) {
	if IsCommit(commit) {
		h.remember(key, Head{Commit: commit, Observed: true}, nil, at)
	}
}

// remember keeps an answer unless a later question is answered already.
func (h *Heads) remember(key string, head Head, missing error, asked time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, ok := h.known.Get(key)
	if !ok {
		b = &branch{}
		h.known.Add(key, b)
	}
	if !asked.Before(b.asked) {
		b.head, b.missing, b.asked = head, missing, asked
	}
}

// Absences remember at which commit a file was missing: as long as the branch
// is there, nobody need ask for it again.
type Absences struct{ at *lru.Cache[string, string] }

// maxAbsences bounds how many files are remembered.
const maxAbsences = 100_000

// NewAbsences makes an empty memory.
func NewAbsences() *Absences {
	at, err := lru.New[string, string](maxAbsences)
	if err != nil {
		panic(err) // the size is positive
	}
	return &Absences{at: at}
}

// Add notes that a file was not there at a commit.
func (a *Absences) Add(key, commit string) { a.at.Add(key, commit) }

// Has tells whether a file was missing at the commit when it was last asked for.
func (a *Absences) Has(key, commit string) bool {
	at, ok := a.at.Get(key)
	return ok && commit != "" && at == commit
}

// Loners remember of which branches one file is read and no other: that file's
// own validator is as good as the commit of the branch, and saves asking for it.
type Loners struct {
	mu   sync.Mutex
	file *lru.Cache[string, string] // by branch; "" for several
}

// NewLoners makes an empty memory.
func NewLoners() *Loners {
	file, err := lru.New[string, string](maxHeads)
	if err != nil {
		panic(err) // the size is positive
	}
	return &Loners{file: file}
}

// Alone notes that a file of a branch is read, and tells whether it is the only
// one so far.
func (l *Loners) Alone(branch, file string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, known := l.file.Get(branch)
	switch {
	case !known:
		l.file.Add(branch, file)
		return true
	case first != file:
		l.file.Add(branch, "")
		return false
	}
	return true
}

// Blobs keep contents by what names them for good, such as their hash in Git,
// up to a number of bytes.
type Blobs struct {
	max int

	mu    sync.Mutex
	bytes int
	of    *lru.Cache[string, []byte]
}

// NewBlobs makes an empty store of up to max bytes.
func NewBlobs(max int) *Blobs {
	b := &Blobs{max: max}
	of, err := lru.NewWithEvict(1<<20, func(_ string, data []byte) { b.bytes -= len(data) })
	if err != nil {
		panic(err) // the size is positive
	}
	b.of = of
	return b
}

// Get returns a content, which must not be changed.
func (b *Blobs) Get(key string) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of.Get(key)
}

// Add keeps a content unless it would take a large part of the whole room.
func (b *Blobs) Add(key string, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(data) > b.max/8 || b.of.Contains(key) {
		return
	}
	b.bytes += len(data)
	b.of.Add(key, data)
	for b.bytes > b.max {
		b.of.RemoveOldest()
	}
}
