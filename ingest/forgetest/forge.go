package forgetest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options say what a Forge is.
type Options struct {
	// Dir is where the repositories are; it must exist and be empty.
	Dir string
	// Now tells the time, for budgets and expiry; nil means time.Now.
	Now func() time.Time
	// Address is what to listen on; "" means a free port of the loopback
	// interface.
	Address string
	// Limit is how many requests a token has per hour, at GitLab per
	// minute; 0 means 5000.
	Limit int
}

// A Forge is what all doubles have in common: repositories, tokens, a listening
// server with Git over HTTP, counters, budgets and faults. Use GitHub, GitLab
// or Plain.
type Forge struct {
	dir    string
	now    func() time.Time
	mux    *http.ServeMux
	server *httptest.Server

	repositories repositories
	counts       counts
	faults       faults
	budgets      budgets
	tokens       tokens

	mu       sync.Mutex
	closed   []func()                           // what else to stop
	observer func(r *http.Request, body []byte) // of requests to the API
}

// Observe calls a function with every request to the API from now on, before it
// is answered, also those that meet a fault. It may be called concurrently.
func (f *Forge) Observe(observer func(r *http.Request, body []byte)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.observer = observer
}

// observed shows a request to whoever observes.
func (f *Forge) observed(r *http.Request) error {
	f.mu.Lock()
	observer := f.observer
	f.mu.Unlock()
	if observer == nil {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	observer(r, body)
	return nil
}

// T is what is needed of a *testing.T or *testing.B.
type T interface {
	Helper()
	TempDir() string
	Cleanup(func())
	Fatal(args ...any)
}

// newForge makes a forge that does not listen yet, so that routes can be added.
func newForge(o Options) (*Forge, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limit == 0 {
		o.Limit = 5000
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	f := &Forge{dir: dir, now: o.Now, mux: http.NewServeMux()}
	f.tokens = tokens{now: o.Now, granted: map[string]grant{}}
	f.budgets = budgets{now: o.Now, limit: o.Limit, period: time.Hour, of: map[string]*budget{}}
	f.counts.of = map[string]Count{}
	if err := f.repositories.open(dir); err != nil {
		return nil, err
	}
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(f.serve))
	if o.Address != "" {
		listener, err := listen(o.Address)
		if err != nil {
			return nil, err
		}
		f.server.Listener.Close()
		f.server.Listener = listener
	}
	return f, nil
}

// Plain starts a server that only serves Git over HTTP.
func Plain(o Options) (*Forge, error) {
	f, err := newForge(o)
	if err != nil {
		return nil, err
	}
	f.gitRoutes()
	f.server.Start()
	return f, nil
}

// NewPlain is Plain for a test, which closes it.
func NewPlain(t T) *Forge {
	t.Helper()
	f, err := Plain(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// URL is the base of all URLs, without a trailing slash.
func (f *Forge) URL() string { return f.server.URL }

// Host is the host and port of URL.
func (f *Forge) Host() string { return strings.TrimPrefix(f.server.URL, "http://") }

// Close stops the server and what belongs to it; the repositories stay.
func (f *Forge) Close() error {
	f.faults.clear()
	f.server.CloseClientConnections()
	f.server.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, stop := range f.closed {
		stop()
	}
	f.closed = nil
	return nil
}

// errNoRef is the error for a ref, path or object that is not there.
var errNoRef = errors.New("no such ref, path or object")

// folder makes a folder and returns it.
func folder(elements ...string) (string, error) {
	dir := filepath.Join(elements...)
	return dir, os.MkdirAll(dir, 0o755)
}
