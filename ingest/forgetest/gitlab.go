package forgetest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// GitLab is a double of GitLab: the REST API is below /api/v4. Full names of
// repositories may have several groups. As GitLab does, it bills every request
// against a limit per minute, conditional or not, and gives no ETag for the
// content of files.
type GitLab struct {
	*Forge
	style *style

	mu        sync.Mutex // guards what follows
	artifacts map[string][]byte
	org       gitlabOrg
	writes    gitlabWrites
}

// StartGitLab starts a double of GitLab.
func StartGitLab(o Options) (*GitLab, error) {
	f, err := newForge(o)
	if err != nil {
		return nil, err
	}
	f.budgets.period = time.Minute
	g := &GitLab{Forge: f, style: gitlabStyle(), artifacts: map[string][]byte{}}
	g.gitRoutes()
	g.contentRoutes()
	g.orgRoutes()
	g.publishRoutes()
	f.server.Start()
	return g, nil
}

// NewGitLab is StartGitLab for a test, which closes it.
func NewGitLab(t T) *GitLab {
	t.Helper()
	g, err := StartGitLab(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// API is the base of the REST API.
func (g *GitLab) API() string { return g.URL() + "/api/v4" }

// rest registers an operation of the REST API; pattern is a method and a path
// below the base.
func (g *GitLab) rest(pattern, name string, handler http.HandlerFunc) {
	method, path, _ := strings.Cut(pattern, " ")
	g.handle(method+" /api/v4"+path, name, g.style, "core", handler)
}

// gitlabStyle is how GitLab announces budgets and errors.
func gitlabStyle() *style {
	s := &style{}
	s.limits = func(h http.Header, b budgetState) {
		h.Set("RateLimit-Limit", strconv.Itoa(b.Limit))
		h.Set("RateLimit-Name", "throttle_authenticated_api")
		h.Set("RateLimit-Observed", strconv.Itoa(b.Used))
		h.Set("RateLimit-Remaining", strconv.Itoa(b.Remaining))
		h.Set("RateLimit-Reset", strconv.FormatInt(b.Reset.Unix(), 10))
	}
	s.message = func(w http.ResponseWriter, status int, text string) {
		writeJSON(w, status, map[string]any{"message": fmt.Sprintf("%d %s", status, text)})
	}
	s.exhausted = func(w http.ResponseWriter, b budgetState) {
		w.Header().Set("Retry-After", strconv.Itoa(int(max(time.Until(b.Reset), time.Second).Seconds())))
		http.Error(w, "Retry later", http.StatusTooManyRequests)
	}
	return s
}

// fail answers with an error in GitLab's form.
func (g *GitLab) fail(w http.ResponseWriter, status int, text string) {
	g.style.message(w, status, text)
}

// project is the middle of a request for a project, by id or by full path. One
// that has moved redirects to its id.
func (g *GitLab) project(handler func(http.ResponseWriter, *http.Request, Repository)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		repository, moved, ok := g.readable(r, id)
		if !ok {
			repository, ok = g.byID(id)
			ok = ok && g.mayRead(r, repository)
		}
		switch {
		case !ok:
			g.fail(w, http.StatusNotFound, "Project Not Found")
		case moved:
			rest := strings.SplitN(strings.TrimPrefix(r.URL.EscapedPath(), "/api/v4/projects/"), "/", 2)
			target := fmt.Sprintf("%s/projects/%d", g.API(), repository.ID)
			if len(rest) > 1 {
				target += "/" + rest[1]
			}
			if r.URL.RawQuery != "" {
				target += "?" + r.URL.RawQuery
			}
			http.Redirect(w, r, target, http.StatusFound)
		default:
			handler(w, r, repository)
		}
	}
}

func (f *Forge) byID(id string) (Repository, bool) {
	for _, repository := range f.Repositories() {
		if strconv.FormatInt(repository.ID, 10) == id {
			return repository, true
		}
	}
	return Repository{}, false
}

// projectJSON is a project as GitLab shows it.
func (g *GitLab) projectJSON(r Repository) map[string]any {
	page := g.URL() + "/" + r.FullName
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
	out := map[string]any{
		"id": r.ID, "description": nullable(r.Description), "name": r.Name(), "path": r.Name(), "path_with_namespace": r.FullName,
		"name_with_namespace": strings.ReplaceAll(r.FullName, "/", " / "), "created_at": stamp(r.Created), "last_activity_at": stamp(r.Pushed),
		"default_branch": r.DefaultBranch, "tag_list": append([]string{}, r.Topics...), "topics": append([]string{}, r.Topics...),
		"web_url": page, "http_url_to_repo": page + ".git", "ssh_url_to_repo": "git@" + g.Host() + ":" + r.FullName + ".git",
		"readme_url": page + "/-/blob/" + r.DefaultBranch + "/README.md", "forks_count": 0, "star_count": 0, "avatar_url": nil,
		"visibility": r.Visibility, "archived": r.Archived, "empty_repo": false,
		"namespace": map[string]any{
			"id": accountID(r.Owner()), "name": r.Owner(), "path": r.Owner()[strings.LastIndexByte(r.Owner(), '/')+1:], "kind": "group",
			"full_path": r.Owner(), "parent_id": nil, "avatar_url": nil, "web_url": g.URL() + "/groups/" + r.Owner(),
		},
	}
	if r.Fork {
		out["forked_from_project"] = map[string]any{"id": 1, "path_with_namespace": "upstream/" + r.Name(), "web_url": g.URL() + "/upstream/" + r.Name()}
	}
	return out
}

// gitlabPages writes the headers that say where in a list an answer is.
func gitlabPages(w http.ResponseWriter, r *http.Request, page, perPage, total int) {
	githubLinks(w, r, page, perPage, total)
	last := max((total+perPage-1)/perPage, 1)
	h := w.Header()
	h.Set("X-Page", strconv.Itoa(page))
	h.Set("X-Per-Page", strconv.Itoa(perPage))
	h.Set("X-Total", strconv.Itoa(total))
	h.Set("X-Total-Pages", strconv.Itoa(last))
	h.Set("X-Next-Page", "")
	h.Set("X-Prev-Page", "")
	if page < last {
		h.Set("X-Next-Page", strconv.Itoa(page+1))
	}
	if page > 1 {
		h.Set("X-Prev-Page", strconv.Itoa(page-1))
	}
}
