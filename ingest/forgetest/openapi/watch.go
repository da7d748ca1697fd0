package openapi

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// byID matches where GitHub leads for a repository that was renamed, which is
// not described by itself.
var byID = regexp.MustCompile(`^/repositories/\d+`)

// Watch holds every request to a double of GitHub's REST API against the
// description: the test fails with the first of each kind that does not keep to
// it. Where the description was not fetched, the test goes on without and says
// so in its log.
func Watch(t testing.TB, g *forgetest.GitHub) {
	t.Helper()
	d, err := GitHub()
	if errors.Is(err, ErrMissing) {
		t.Logf("requests are not held against the description of the API: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(g.API())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	violations := map[string]bool{}
	g.Observe(func(r *http.Request, body []byte) {
		path, ok := strings.CutPrefix(r.URL.EscapedPath(), base.EscapedPath())
		if !ok || strings.HasPrefix(path, "/graphql") {
			return
		}
		path = byID.ReplaceAllString(path, "/repos/owner/name")
		if err := d.Check(r.Method, path, r.URL.Query(), body); err != nil {
			mu.Lock()
			defer mu.Unlock()
			violations[err.Error()] = true
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for violation := range violations {
			t.Errorf("a request does not keep to the API of GitHub: %s", violation)
		}
	})
}
