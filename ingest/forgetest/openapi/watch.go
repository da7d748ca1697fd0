package openapi

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// byID matches where GitHub leads for a repository that was renamed, which is
// not described by itself.
var byID = regexp.MustCompile(`^/repositories/\d+`)

// WatchGitHub holds every request to a double of GitHub's REST API against the
// description: the test fails with the first of each kind that does not keep to
// it. Where the description was not fetched, the test goes on without and says
// so in its log. Benchmarks are not slowed down by it.
func WatchGitHub(t testing.TB, g *forgetest.GitHub) {
	t.Helper()
	watch(t, g.Forge, g.API(), GitHub)
}

// WatchGitea is WatchGitHub for Gitea.
func WatchGitea(t testing.TB, g *forgetest.Gitea) {
	t.Helper()
	watch(t, g.Forge, g.API(), Gitea)
}

func watch(t testing.TB, forge *forgetest.Forge, api string, description func() (*Description, error)) {
	t.Helper()
	if _, ok := t.(*testing.B); ok {
		return
	}
	d, err := description()
	if errors.Is(err, ErrMissing) {
		t.Logf("requests are not held against the description of the API: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(api)
	if err != nil {
		t.Fatal(err)
	}
	seen := &violations{of: map[string]bool{}}
	forge.Observe(func(r *http.Request, body []byte) {
		path, ok := strings.CutPrefix(r.URL.EscapedPath(), base.EscapedPath())
		if !ok || strings.HasPrefix(path, "/graphql") {
			return
		}
		seen.add(d.Check(r.Method, byID.ReplaceAllString(path, "/repos/owner/name"), r.URL.Query(), body))
	})
	t.Cleanup(func() { seen.report(t) })
}

// violations are what requests did not keep to.
type violations struct {
	mu sync.Mutex
	of map[string]bool
}

func (v *violations) add(err error) {
	if err == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.of[err.Error()] = true
}

func (v *violations) report(t testing.TB) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, text := range slices.Sorted(maps.Keys(v.of)) {
		t.Errorf("a request does not keep to the API of the host: %s", text)
	}
}
