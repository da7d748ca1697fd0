package forgetest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// GitHub is a double of GitHub Enterprise Server: the REST API is below
// /api/v3, GraphQL at /api/graphql, files for those without a token below /raw.
// Owners of repositories are organisations unless AddUser made them a user.
type GitHub struct {
	*Forge
	style *style

	mu        sync.Mutex // guards what follows
	apps      map[int64]*App
	maxTree   int
	downloads int             // how many tarballs were granted
	granted   map[string]bool // tickets for a tarball
	org       githubOrg
	writes    githubWrites
}

// StartGitHub starts a double of GitHub.
func StartGitHub(o Options) (*GitHub, error) {
	f, err := newForge(o)
	if err != nil {
		return nil, err
	}
	g := &GitHub{Forge: f, style: githubStyle(), apps: map[int64]*App{}, maxTree: 100_000, granted: map[string]bool{}}
	g.gitRoutes()
	g.contentRoutes()
	g.appRoutes()
	g.orgRoutes()
	if err := g.publishRoutes(); err != nil {
		return nil, err
	}
	f.server.Start()
	return g, nil
}

// NewGitHub is StartGitHub for a test, which closes it.
func NewGitHub(t T) *GitHub {
	t.Helper()
	g, err := StartGitHub(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// API is the base of the REST API.
func (g *GitHub) API() string { return g.URL() + "/api/v3" }

// Raw is where files are without a token.
func (g *GitHub) Raw() string { return g.URL() + "/raw" }

// rest registers an operation of the REST API; pattern is a method and a path
// below the base.
func (g *GitHub) rest(pattern, name, resource string, handler http.HandlerFunc) {
	method, path, _ := strings.Cut(pattern, " ")
	g.handle(method+" /api/v3"+path, name, g.style, resource, handler)
}

// githubStyle is how GitHub announces budgets and errors.
func githubStyle() *style {
	s := &style{freeNotModified: true}
	s.limits = func(h http.Header, b budgetState) {
		h.Set("X-RateLimit-Limit", strconv.Itoa(b.Limit))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(b.Remaining))
		h.Set("X-RateLimit-Used", strconv.Itoa(b.Used))
		h.Set("X-RateLimit-Reset", strconv.FormatInt(b.Reset.Unix(), 10))
		h.Set("X-RateLimit-Resource", b.Resource)
	}
	s.message = func(w http.ResponseWriter, status int, text string) {
		writeJSON(w, status, map[string]any{"message": text, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)})
	}
	s.exhausted = func(w http.ResponseWriter, b budgetState) {
		s.message(w, http.StatusForbidden, "API rate limit exceeded for user ID 1.")
	}
	return s
}

// fail answers with an error in GitHub's form.
func (g *GitHub) fail(w http.ResponseWriter, status int, text string) {
	g.style.message(w, status, text)
}

// InjectSecondaryLimit refuses the next n requests to an operation ("" for all)
// as GitHub does when they come too fast.
func (g *GitHub) InjectSecondaryLimit(route string, n int, retryAfter time.Duration) (remove func()) {
	header := http.Header{"Retry-After": {strconv.Itoa(int(retryAfter.Seconds()))}, "Content-Type": {"application/json"}}
	return g.Inject(Fault{Route: route, Times: n, Status: http.StatusForbidden, Header: header,
		Body: `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",` +
			`"documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`})
}

// repository is the middle of a request for a repository: it follows renames
// with a redirect, as GitHub does, and hides what the token must not see.
func (g *GitHub) repository(handler func(http.ResponseWriter, *http.Request, Repository)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		repository, moved, ok := g.readable(r, r.PathValue("owner")+"/"+r.PathValue("repo"))
		if !ok {
			g.fail(w, http.StatusNotFound, "Not Found")
			return
		}
		if !moved {
			handler(w, r, repository)
			return
		}
		rest := strings.SplitN(strings.TrimPrefix(r.URL.EscapedPath(), "/api/v3/repos/"), "/", 3)
		target := fmt.Sprintf("%s/repositories/%d", g.API(), repository.ID)
		if len(rest) > 2 {
			target += "/" + rest[2]
		}
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		w.Header().Set("Location", target)
		writeJSON(w, http.StatusMovedPermanently, map[string]any{"message": "Moved Permanently", "url": target, "documentation_url": "https://docs.github.com/rest"})
	}
}

// perRepository registers an operation on a repository, by its name and, since
// redirects lead there, by its id.
func (g *GitHub) perRepository(method, path, name, resource string, handler func(http.ResponseWriter, *http.Request, Repository)) {
	g.rest(method+" /repos/{owner}/{repo}"+path, name, resource, g.repository(handler))
	g.rest(method+" /repositories/{id}"+path, name, resource, func(w http.ResponseWriter, r *http.Request) {
		for _, repository := range g.Repositories() {
			if strconv.FormatInt(repository.ID, 10) == r.PathValue("id") && g.mayRead(r, repository) {
				handler(w, r, repository)
				return
			}
		}
		g.fail(w, http.StatusNotFound, "Not Found")
	})
}
