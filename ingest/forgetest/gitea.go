package forgetest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// Gitea is a double of Gitea: the REST API is below /api/v1. There is the
// organisation acme, and those that AddOrganization makes.
type Gitea struct {
	*Forge
	ledger
	style *style

	mu   sync.Mutex // guards what follows
	orgs map[string]bool
}

// StartGitea starts a double of Gitea.
func StartGitea(o Options) (*Gitea, error) {
	f, err := newForge(o)
	if err != nil {
		return nil, err
	}
	g := &Gitea{Forge: f, style: plainStyle(), orgs: map[string]bool{"acme": true}}
	g.style.message = func(w http.ResponseWriter, status int, text string) {
		writeJSON(w, status, map[string]any{"message": text, "url": f.server.URL + "/api/swagger"})
	}
	g.gitRoutes()
	g.routes()
	f.server.Start()
	return g, nil
}

// NewGitea is StartGitea for a test, which closes it.
func NewGitea(t T) *Gitea {
	t.Helper()
	g, err := StartGitea(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// API is the base of the REST API.
func (g *Gitea) API() string { return g.URL() + "/api/v1" }

// AddOrganization makes an organisation.
func (g *Gitea) AddOrganization(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.orgs[strings.ToLower(name)] = true
}

func (g *Gitea) rest(pattern, name string, handler http.HandlerFunc) {
	method, path, _ := strings.Cut(pattern, " ")
	g.handle(method+" /api/v1"+path, name, g.style, "core", handler)
}

func (g *Gitea) fail(w http.ResponseWriter, status int, text string) {
	g.style.message(w, status, text)
}

func (g *Gitea) routes() {
	g.rest("GET /orgs/{org}", "organization", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("org")
		g.mu.Lock()
		known := g.orgs[strings.ToLower(name)]
		g.mu.Unlock()
		if !known {
			g.fail(w, http.StatusNotFound, "GetOrgByName")
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"id": accountID(name), "name": name, "username": name, "visibility": "public"})
	})
	g.rest("POST /orgs/{org}/repos", "create repository", g.createRepository)
	g.rest("GET /repos/{owner}/{repo}", "repository", g.repository(func(w http.ResponseWriter, _ *http.Request, repository Repository) {
		writeJSON(w, http.StatusOK, g.repositoryJSON(repository))
	}))
	g.rest("PATCH /repos/{owner}/{repo}", "edit repository", g.repository(g.editRepository))
	g.rest("GET /repos/{owner}/{repo}/branches/{branch}", "branch", g.repository(func(w http.ResponseWriter, r *http.Request, repository Repository) {
		hash, err := readRef(g.repositories.path(repository.FullName), r.PathValue("branch"))
		if err != nil {
			g.fail(w, http.StatusNotFound, "branch does not exist")
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"name": r.PathValue("branch"), "commit": map[string]any{"id": hash}})
	}))
}

// repository is the middle of a request for a repository.
func (g *Gitea) repository(handler func(http.ResponseWriter, *http.Request, Repository)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		repository, _, ok := g.readable(r, r.PathValue("owner")+"/"+r.PathValue("repo"))
		if !ok {
			g.fail(w, http.StatusNotFound, "The target couldn't be found.")
			return
		}
		handler(w, r, repository)
	}
}

func (g *Gitea) createRepository(w http.ResponseWriter, r *http.Request) {
	body, err := jsonBody(r)
	switch {
	case token(r) == "":
		g.fail(w, http.StatusUnauthorized, "token is required")
		return
	case err != nil || text(body, "name") == "":
		g.fail(w, http.StatusUnprocessableEntity, "[Name]: Required")
		return
	}
	visibility := Public
	if body["private"] == true {
		visibility = Private
	}
	repository, err := g.CreateRepository(Repository{FullName: r.PathValue("org") + "/" + text(body, "name"), Description: text(body, "description"),
		Visibility: visibility, DefaultBranch: text(body, "default_branch")})
	if err != nil {
		g.fail(w, http.StatusConflict, "The repository with the same name already exists.")
		return
	}
	g.note(Write{Operation: "create repository", Repository: repository.FullName, Body: body})
	writeJSON(w, http.StatusCreated, g.repositoryJSON(repository))
}

func (g *Gitea) editRepository(w http.ResponseWriter, r *http.Request, repository Repository) {
	body, err := jsonBody(r)
	if err != nil || token(r) == "" {
		g.fail(w, http.StatusForbidden, "user should be an owner or a collaborator with admin write of a repository")
		return
	}
	err = g.Update(repository.FullName, func(r *Repository) {
		if d, ok := body["description"].(string); ok {
			r.Description = d
		}
		if b := text(body, "default_branch"); b != "" {
			r.DefaultBranch = b
		}
	})
	if err != nil {
		g.fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	g.note(Write{Operation: "edit repository", Repository: repository.FullName, Body: body})
	repository, _ = g.Repository(repository.FullName)
	writeJSON(w, http.StatusOK, g.repositoryJSON(repository))
}

func (g *Gitea) repositoryJSON(r Repository) map[string]any {
	page := g.URL() + "/" + r.FullName
	return map[string]any{
		"id": r.ID, "name": r.Name(), "full_name": r.FullName, "description": r.Description, "private": r.Visibility == Private,
		"default_branch": r.DefaultBranch, "html_url": page, "clone_url": page + ".git", "ssh_url": fmt.Sprintf("git@%s:%s.git", g.Host(), r.FullName),
	}
}
