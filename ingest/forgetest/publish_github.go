package forgetest

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/nacl/box"
)

// A Write is a request that has changed something at a host.
type Write struct {
	// Operation is the name of the route, as in Requests.
	Operation string
	// Repository is its full name, "" where the request was for none.
	Repository string
	// Path is what follows the repository in the URL.
	Path string
	Body map[string]any
}

// githubWrites is what was written. It is guarded by the mutex of the GitHub.
type githubWrites struct {
	all            []Write
	names          map[string]bool // of variables, pages and keys that are there
	public, secret *[32]byte
	sealed         map[string]string // by full name, place and name
	pulls          []*pull
	next           int
	login          string // whose all tokens are
	fields         map[string]map[string]any
}

// Writes returns what was written, in order, of one operation or, with "", of
// all.
func (g *GitHub) Writes(operation string) []Write {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.writes.all), func(w Write) bool { return operation != "" && w.Operation != operation })
}

// Secret opens a secret that was set at a place: actions, or environments/name.
func (g *GitHub) Secret(fullName, place, name string) (string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	sealed, err := base64.StdEncoding.DecodeString(g.writes.sealed[strings.ToLower(fullName)+" "+place+" "+name])
	if err != nil {
		return "", false
	}
	opened, ok := box.OpenAnonymous(nil, sealed, g.writes.public, g.writes.secret)
	return string(opened), ok
}

// Field returns what a repository was made with, or was set since.
func (g *GitHub) Field(fullName, field string) any {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.writes.fields[strings.ToLower(fullName)][field]
}

// SignInAs says whose the tokens are; ada unless it is called.
func (g *GitHub) SignInAs(login string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes.login = login
}

// publishRoutes are the operations that write.
func (g *GitHub) publishRoutes() error {
	public, secret, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	g.writes = githubWrites{names: map[string]bool{}, public: public, secret: secret, sealed: map[string]string{}, login: "ada",
		fields: map[string]map[string]any{}}
	g.rest("GET /users/{login}", "user", "core", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("login") == "nobody" {
			g.fail(w, http.StatusNotFound, "Not Found")
			return
		}
		writeJSON(w, http.StatusOK, g.account(r.PathValue("login")))
	})
	g.rest("GET /orgs/{org}/teams/{team}", "team", "core", g.getTeam)
	g.rest("PUT /orgs/{org}/teams/{team}/repos/{owner}/{repo}", "team access", "core", g.writing("team access", http.StatusNoContent, nil))
	g.rest("POST /orgs/{org}/repos", "create repository", "core", g.createRepository)
	g.rest("POST /user/repos", "create repository", "core", g.createRepository)
	g.rest("GET /user/repos", "own repositories", "core", g.listOwn)
	g.rest("GET /user/orgs", "own organizations", "core", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, []any{g.account("acme"), g.account("globex")})
	})
	g.settingRoutes()
	g.actionsRoutes()
	g.gitDataRoutes()
	g.pullRoutes()
	return nil
}

// settingRoutes set what a repository has one of, or make what is only noted.
func (g *GitHub) settingRoutes() {
	g.write("PATCH", "", "edit repository", http.StatusOK, g.editRepository)
	for pattern, name := range map[string]string{
		"PUT /topics": "topics", "PUT /collaborators/{user}": "collaborator", "PUT /subscription": "subscription",
		"PUT /actions/oidc/customization/sub": "oidc", "PUT /actions/permissions/access": "workflow access",
		"POST /branches/{branch}/protection/required_signatures": "signatures",
		"POST /hooks": "webhook", "POST /issues/{number}/labels": "labels", "POST /issues/{number}/assignees": "assignees",
		"POST /autolinks": "autolink", "POST /keys": "deploy key", "PUT /environments/{env}": "environment", "PUT /pages": "change pages",
		"POST /environments/{env}/deployment-branch-policies": "branch policy",
	} {
		method, path, _ := strings.Cut(pattern, " ")
		g.write(method, path, name, http.StatusCreated, nil)
	}
	g.write("PUT", "/branches/{branch}/protection", "protection", http.StatusOK, func(w http.ResponseWriter, r *http.Request, repository Repository, body map[string]any) any {
		if _, err := readRef(g.repositories.path(repository.FullName), r.PathValue("branch")); err != nil {
			g.fail(w, http.StatusNotFound, "Branch not found")
			return nil
		}
		return body
	})
	g.write("POST", "/pages", "pages", http.StatusCreated, func(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		if !g.fresh(repository.FullName + " pages") {
			g.fail(w, http.StatusConflict, "GitHub Pages is already enabled.")
			return nil
		}
		return body
	})
	g.write("POST", "/issues", "issue", http.StatusCreated, func(_ http.ResponseWriter, _ *http.Request, repository Repository, _ map[string]any) any {
		n := g.number()
		return map[string]any{"number": n, "html_url": fmt.Sprintf("%s/%s/issues/%d", g.URL(), repository.FullName, n)}
	})
	g.write("POST", "/actions/workflows/{workflow}/dispatches", "dispatch", http.StatusOK, func(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		if body["return_run_details"] != true {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		page := fmt.Sprintf("/%s/actions/runs/99", repository.FullName)
		return map[string]any{"workflow_run_id": 99, "run_url": g.API() + "/repos" + page, "html_url": g.URL() + page}
	})
}

// actionsRoutes are variables and secrets, of the repository and of
// environments.
func (g *GitHub) actionsRoutes() {
	for _, place := range []string{"/actions", "/environments/{env}"} {
		g.perRepository("GET", place+"/secrets/public-key", "secrets key", "core", func(w http.ResponseWriter, _ *http.Request, _ Repository) {
			writeJSON(w, http.StatusOK, map[string]any{"key_id": "k1", "key": base64.StdEncoding.EncodeToString(g.writes.public[:])})
		})
		at := func(r *http.Request) string {
			if env := r.PathValue("env"); env != "" {
				return "environments/" + env
			}
			return "actions"
		}
		g.write("PUT", place+"/secrets/{name}", "secret", http.StatusCreated, func(_ http.ResponseWriter, r *http.Request, repository Repository, body map[string]any) any {
			g.mu.Lock()
			defer g.mu.Unlock()
			sealed, _ := body["encrypted_value"].(string)
			g.writes.sealed[strings.ToLower(repository.FullName)+" "+at(r)+" "+r.PathValue("name")] = sealed
			return map[string]any{}
		})
		g.write("POST", place+"/variables", "variable", http.StatusCreated, func(w http.ResponseWriter, r *http.Request, repository Repository, body map[string]any) any {
			if !g.fresh(fmt.Sprint(repository.FullName, at(r), " variable ", body["name"])) {
				g.fail(w, http.StatusConflict, "Already exists - Variable already exists")
				return nil
			}
			return map[string]any{}
		})
		g.write("PATCH", place+"/variables/{name}", "change variable", http.StatusOK, nil)
	}
}

// fresh tells whether a name is new, and takes it.
func (g *GitHub) fresh(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	there := g.writes.names[name]
	g.writes.names[name] = true
	return !there
}

// number is that of the next issue or pull request.
func (g *GitHub) number() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes.next++
	return g.writes.next
}

// note keeps a write.
func (g *GitHub) note(w Write) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes.all = append(g.writes.all, w)
}

// A writer answers a write; nil means that it has answered itself.
type writer func(w http.ResponseWriter, r *http.Request, repository Repository, body map[string]any) any

// write registers an operation that changes a repository. What it answers with
// success is noted.
func (g *GitHub) write(method, path, name string, status int, handler writer) {
	g.perRepository(method, path, name, "core", func(w http.ResponseWriter, r *http.Request, repository Repository) {
		body, ok := g.written(w, r)
		if !ok {
			return
		}
		rest := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/api/v3/repos/"), "/", 3)
		note := Write{Operation: name, Repository: repository.FullName, Body: body}
		if len(rest) == 3 {
			note.Path = rest[2]
		}
		answer := any(body)
		if handler != nil {
			answer = handler(w, r, repository, body)
		}
		if answer != nil || name == "dispatch" {
			g.note(note)
		}
		if answer != nil {
			writeJSON(w, status, answer)
		}
	})
}

// writing is a handler for what is only noted.
func (g *GitHub) writing(name string, status int, answer any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := g.written(w, r)
		if !ok {
			return
		}
		g.note(Write{Operation: name, Path: strings.TrimPrefix(r.URL.Path, "/api/v3/"), Body: body})
		if answer == nil {
			w.WriteHeader(status)
			return
		}
		writeJSON(w, status, answer)
	}
}

// written reads the body of a request that needs a token.
func (g *GitHub) written(w http.ResponseWriter, r *http.Request) (map[string]any, bool) {
	if token(r) == "" {
		g.fail(w, http.StatusUnauthorized, "Requires authentication")
		return nil, false
	}
	data, err := io.ReadAll(r.Body)
	body := map[string]any{}
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &body)
	}
	if err != nil {
		g.fail(w, http.StatusBadRequest, "Problems parsing JSON")
		return nil, false
	}
	return body, true
}

func (g *GitHub) getTeam(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o := g.org.orgs[strings.ToLower(r.PathValue("org"))]; o != nil {
		for _, t := range o.teams {
			if t.Slug == r.PathValue("team") {
				writeJSON(w, http.StatusOK, map[string]any{"id": accountID(t.Slug), "slug": t.Slug, "name": t.Name})
				return
			}
		}
	}
	g.fail(w, http.StatusNotFound, "Not Found")
}

func (g *GitHub) createRepository(w http.ResponseWriter, r *http.Request) {
	body, ok := g.written(w, r)
	if !ok {
		return
	}
	g.mu.Lock()
	owner := cmp.Or(r.PathValue("org"), g.writes.login)
	g.mu.Unlock()
	name, _ := body["name"].(string)
	description, _ := body["description"].(string)
	visibility, _ := body["visibility"].(string)
	if body["private"] == true {
		visibility = Private
	}
	repository, err := g.CreateRepository(Repository{FullName: owner + "/" + name, Description: description, Visibility: visibility})
	if err != nil {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]any{"message": "Repository creation failed.",
			"errors": []any{map[string]any{"resource": "Repository", "code": "custom", "field": "name", "message": "name already exists on this account"}}})
		return
	}
	if body["auto_init"] == true {
		if _, err := g.Commit(repository.FullName, repository.DefaultBranch, "Initial commit", map[string]string{"README.md": "# " + name + "\n"}); err != nil {
			g.gitFail(w, err)
			return
		}
	}
	g.mu.Lock()
	g.writes.fields[strings.ToLower(repository.FullName)] = body
	g.mu.Unlock()
	g.note(Write{Operation: "create repository", Repository: repository.FullName, Body: body})
	writeJSON(w, http.StatusCreated, g.fullRepository(repository))
}

func (g *GitHub) editRepository(_ http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
	g.Update(repository.FullName, func(r *Repository) {
		if d, ok := body["description"].(string); ok {
			r.Description = d
		}
	})
	changed, _ := g.Repository(repository.FullName)
	return g.fullRepository(changed)
}

func (g *GitHub) listOwn(w http.ResponseWriter, r *http.Request) {
	all := g.Repositories()
	page, perPage := max(intQuery(r, "page"), 1), max(intQuery(r, "per_page"), 1)
	githubLinks(w, r, page, perPage, len(all))
	list := []any{}
	for i, repository := range all {
		if i/perPage == page-1 {
			list = append(list, g.fullRepository(repository))
		}
	}
	writeJSON(w, http.StatusOK, list)
}

func intQuery(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.URL.Query().Get(name))
	return n
}
