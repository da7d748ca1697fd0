package forgetest

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Bitbucket is a double of Bitbucket Cloud: the REST API is below /2.0, in lists
// of a few values a page. There is the workspace acme with the projects SHOP and
// OPS.
type Bitbucket struct {
	*Forge
	ledger
	style *style

	mu       sync.Mutex // guards what follows
	projects map[string]string
	pulls    []map[string]any
	builds   int
}

// StartBitbucket starts a double of Bitbucket Cloud.
func StartBitbucket(o Options) (*Bitbucket, error) {
	f, err := newForge(o)
	if err != nil {
		return nil, err
	}
	b := &Bitbucket{Forge: f, style: plainStyle(), projects: map[string]string{}}
	b.style.message = func(w http.ResponseWriter, status int, text string) {
		writeJSON(w, status, map[string]any{"type": "error", "error": map[string]any{"message": text}})
	}
	b.gitRoutes()
	b.listRoutes()
	b.routes()
	f.server.Start()
	return b, nil
}

// NewBitbucket is StartBitbucket for a test, which closes it.
func NewBitbucket(t T) *Bitbucket {
	t.Helper()
	b, err := StartBitbucket(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// API is the base of the REST API.
func (b *Bitbucket) API() string { return b.URL() + "/2.0" }

// PutProject says which project a repository is of.
func (b *Bitbucket) PutProject(fullName, project string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.projects[strings.ToLower(fullName)] = project
}

// Project is the project that a repository is of.
func (b *Bitbucket) Project(fullName string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.projects[strings.ToLower(fullName)]
}

func (b *Bitbucket) rest(pattern, name string, handler http.HandlerFunc) {
	method, path, _ := strings.Cut(pattern, " ")
	b.handle(method+" /2.0"+path, name, b.style, "core", func(w http.ResponseWriter, r *http.Request) {
		if token(r) == "" && method != http.MethodGet {
			b.fail(w, http.StatusUnauthorized, "Token is invalid, expired, or not supported for this endpoint.")
			return
		}
		handler(w, r)
	})
}

func (b *Bitbucket) fail(w http.ResponseWriter, status int, text string) {
	b.style.message(w, status, text)
}

// repository is the middle of a request for a repository.
func (b *Bitbucket) repository(handler func(http.ResponseWriter, *http.Request, Repository)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		repository, _, ok := b.readable(r, r.PathValue("workspace")+"/"+r.PathValue("slug"))
		if !ok {
			b.fail(w, http.StatusNotFound, "You may not have access to this repository or it no longer exists in this workspace.")
			return
		}
		handler(w, r, repository)
	}
}

// write registers an operation on a repository that is noted if it answers.
func (b *Bitbucket) write(pattern, name string, status int, handler func(http.ResponseWriter, Repository, map[string]any) any) {
	b.rest(pattern, name, b.repository(func(w http.ResponseWriter, r *http.Request, repository Repository) {
		body, err := jsonBody(r)
		if err != nil {
			b.fail(w, http.StatusBadRequest, "Bad request")
			return
		}
		answer := handler(w, repository, body)
		if answer == nil {
			return
		}
		b.note(Write{Operation: name, Repository: repository.FullName, Body: body})
		writeJSON(w, status, answer)
	}))
}

const repositoryPath = "/repositories/{workspace}/{slug}"

func (b *Bitbucket) routes() {
	b.rest("POST "+repositoryPath, "create repository", b.createRepository)
	b.rest("GET "+repositoryPath, "repository", b.repository(func(w http.ResponseWriter, _ *http.Request, repository Repository) {
		writeJSON(w, http.StatusOK, b.repositoryJSON(repository))
	}))
	b.write("PUT "+repositoryPath, "edit repository", http.StatusOK, func(w http.ResponseWriter, repository Repository, body map[string]any) any {
		err := b.Update(repository.FullName, func(r *Repository) { r.Description = text(body, "description") })
		if err != nil {
			b.fail(w, http.StatusInternalServerError, err.Error())
			return nil
		}
		changed, _ := b.Repository(repository.FullName)
		return b.repositoryJSON(changed)
	})
	b.write("POST "+repositoryPath+"/pullrequests", "pull request", http.StatusCreated, b.createPull)
	b.write("POST "+repositoryPath+"/pipelines", "pipeline", http.StatusCreated, func(_ http.ResponseWriter, repository Repository, _ map[string]any) any {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.builds++
		return map[string]any{"type": "pipeline", "build_number": b.builds, "repository": b.repositoryJSONLocked(repository)}
	})
	b.write("POST "+repositoryPath+"/branch-restrictions", "branch restriction", http.StatusCreated, func(_ http.ResponseWriter, _ Repository, body map[string]any) any {
		answer := map[string]any{"type": "branchrestriction", "id": 7}
		for key, value := range body {
			answer[key] = value
		}
		return answer
	})
}

func (b *Bitbucket) createRepository(w http.ResponseWriter, r *http.Request) {
	body, err := jsonBody(r)
	project, _ := body["project"].(map[string]any)
	switch {
	case err != nil:
		b.fail(w, http.StatusBadRequest, "Bad request")
		return
	case r.PathValue("workspace") == "nobody":
		b.fail(w, http.StatusNotFound, "No workspace with identifier 'nobody'.")
		return
	case text(project, "key") != "SHOP" && text(project, "key") != "OPS":
		b.fail(w, http.StatusBadRequest, "Project with key '"+text(project, "key")+"' does not exist")
		return
	}
	visibility := Public
	if body["is_private"] == true {
		visibility = Private
	}
	repository, err := b.CreateRepository(Repository{FullName: r.PathValue("workspace") + "/" + r.PathValue("slug"), Description: text(body, "description"), Visibility: visibility})
	if err != nil {
		b.fail(w, http.StatusBadRequest, "Repository with this Slug and Owner already exists.")
		return
	}
	b.PutProject(repository.FullName, text(project, "key"))
	b.note(Write{Operation: "create repository", Repository: repository.FullName, Body: body})
	writeJSON(w, http.StatusOK, b.repositoryJSON(repository))
}

func (b *Bitbucket) repositoryJSON(r Repository) map[string]any {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.repositoryJSONLocked(r)
}

func (b *Bitbucket) repositoryJSONLocked(r Repository) map[string]any {
	page := b.URL() + "/" + r.FullName
	withUser := strings.Replace(page, "://", "://ada@", 1)
	return map[string]any{
		"type": "repository", "uuid": fmt.Sprintf("{%d}", r.ID), "scm": "git", "name": r.Name(), "slug": r.Name(), "full_name": r.FullName,
		"description": r.Description, "is_private": r.Visibility == Private, "project": map[string]any{"type": "project", "key": b.projects[strings.ToLower(r.FullName)]},
		"mainbranch": map[string]any{"type": "branch", "name": r.DefaultBranch},
		"links": map[string]any{
			"html": map[string]any{"href": page},
			"clone": []any{map[string]any{"name": "https", "href": withUser + ".git"},
				map[string]any{"name": "ssh", "href": fmt.Sprintf("git@%s:%s.git", b.Host(), r.FullName)}},
		},
	}
}

// branchOf is the name of the branch in one end of a pull request.
func branchOf(body map[string]any, end string) string {
	side, _ := body[end].(map[string]any)
	branch, _ := side["branch"].(map[string]any)
	return text(branch, "name")
}

func (b *Bitbucket) createPull(w http.ResponseWriter, repository Repository, body map[string]any) any {
	from, to := branchOf(body, "source"), branchOf(body, "destination")
	if to == "" {
		to = repository.DefaultBranch
	}
	dir := b.repositories.path(repository.FullName)
	head, err := readRef(dir, from)
	if err != nil {
		b.fail(w, http.StatusBadRequest, "source: branch not found: "+from)
		return nil
	}
	base, err := readRef(dir, to)
	if err != nil {
		b.fail(w, http.StatusBadRequest, "destination: branch not found: "+to)
		return nil
	}
	if head == base {
		b.fail(w, http.StatusBadRequest, "There are no changes to be pulled")
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.pulls) + 1
	pull := map[string]any{"type": "pullrequest", "id": n, "title": body["title"], "state": "OPEN", "repository": repository.FullName,
		"source": map[string]any{"branch": map[string]any{"name": from}}, "destination": map[string]any{"branch": map[string]any{"name": to}},
		"links": map[string]any{"html": map[string]any{"href": fmt.Sprintf("%s/%s/pull-requests/%d", b.URL(), repository.FullName, n)}}}
	b.pulls = append(b.pulls, pull)
	return pull
}

// condition matches one comparison of a query.
var condition = regexp.MustCompile(`([a-z.]+)\s*=\s*"((?:[^"\\]|\\.)*)"`)

// conditions are the comparisons of a query, which are joined by AND.
func conditions(r *http.Request) map[string]string {
	out := map[string]string{}
	for _, m := range condition.FindAllStringSubmatch(r.URL.Query().Get("q"), -1) {
		out[m[1]] = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(m[2])
	}
	return out
}

// listRoutes are the lists.
func (b *Bitbucket) listRoutes() {
	b.rest("GET /workspaces", "workspaces", func(w http.ResponseWriter, r *http.Request) {
		b.page(w, r, []any{map[string]any{"slug": "acme", "name": "Acme"}, map[string]any{"slug": "globex", "name": "Globex"}, map[string]any{"slug": "initech", "name": "Initech"}})
	})
	b.rest("GET /workspaces/{workspace}/projects", "projects", func(w http.ResponseWriter, r *http.Request) {
		b.page(w, r, []any{map[string]any{"key": "SHOP", "name": "The shop"}, map[string]any{"key": "OPS", "name": "Operations"}})
	})
	b.rest("GET /repositories/{workspace}", "repositories", func(w http.ResponseWriter, r *http.Request) {
		all, project := []any{}, conditions(r)["project.key"]
		for _, repository := range b.Repositories() {
			if strings.EqualFold(repository.Owner(), r.PathValue("workspace")) && b.mayRead(r, repository) && (project == "" || project == b.Project(repository.FullName)) {
				all = append(all, b.repositoryJSON(repository))
			}
		}
		b.page(w, r, all)
	})
	b.rest("GET "+repositoryPath+"/refs/branches", "branches", b.repository(func(w http.ResponseWriter, r *http.Request, repository Repository) {
		branches, err := branchesOf(b.repositories.path(repository.FullName))
		if err != nil {
			b.fail(w, http.StatusInternalServerError, err.Error())
			return
		}
		all, name := []any{}, conditions(r)["name"]
		for _, branch := range branches {
			if name == "" || name == branch.path {
				all = append(all, map[string]any{"type": "branch", "name": branch.path, "target": map[string]any{"hash": branch.hash}})
			}
		}
		b.page(w, r, all)
	}))
	b.rest("GET "+repositoryPath+"/pullrequests", "pull requests", b.repository(func(w http.ResponseWriter, r *http.Request, repository Repository) {
		want := conditions(r)
		b.mu.Lock()
		defer b.mu.Unlock()
		all := []any{}
		for _, pull := range b.pulls {
			if pull["repository"] == repository.FullName && pull["state"] == want["state"] &&
				branchOf(pull, "source") == want["source.branch.name"] && branchOf(pull, "destination") == want["destination.branch.name"] {
				all = append(all, pull)
			}
		}
		b.page(w, r, all)
	}))
}

// page answers with a part of a list: two values at a time, so that all lists
// have several pages.
func (b *Bitbucket) page(w http.ResponseWriter, r *http.Request, all []any) {
	const size = 2
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	n = max(n, 1)
	from, to := min((n-1)*size, len(all)), min(n*size, len(all))
	out := map[string]any{"values": all[from:to], "page": n, "pagelen": size}
	if to < len(all) {
		query := r.URL.Query()
		query.Set("page", strconv.Itoa(n+1))
		out["next"] = b.URL() + r.URL.EscapedPath() + "?" + query.Encode()
	}
	writeJSON(w, http.StatusOK, out)
}
