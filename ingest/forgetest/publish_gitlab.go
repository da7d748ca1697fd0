package forgetest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// gitlabWrites is what was written. It is guarded by the mutex of the GitLab.
type gitlabWrites struct {
	all      []Write
	names    map[string]bool // of variables, members and the like that are there
	requests []map[string]any
	next     int
	login    string // whose all tokens are
	epics    []int
}

// Writes returns what was written, in order, of one operation or, with "", of
// all.
func (g *GitLab) Writes(operation string) []Write {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.writes.all), func(w Write) bool { return operation != "" && w.Operation != operation })
}

// SignInAs says whose the tokens are; ada unless it is called.
func (g *GitLab) SignInAs(username string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes.login = username
}

// AddEpic makes an epic that every group knows.
func (g *GitLab) AddEpic(id int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes.epics = append(g.writes.epics, id)
}

// publishRoutes are the operations that write.
func (g *GitLab) publishRoutes() {
	g.writes = gitlabWrites{names: map[string]bool{}, login: "ada"}
	g.rest("GET /user", "self", func(w http.ResponseWriter, _ *http.Request) {
		g.mu.Lock()
		login := g.writes.login
		g.mu.Unlock()
		for _, u := range g.allUsers() {
			if u.Username == login {
				writeJSON(w, http.StatusOK, g.selfJSON(u))
				return
			}
		}
		writeJSON(w, http.StatusOK, g.selfJSON(GitLabUser{ID: 1, Username: login, Name: login}))
	})
	g.rest("GET /namespaces/{namespace}", "namespace", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("namespace")
		if name == "nobody" {
			g.fail(w, http.StatusNotFound, "Namespace Not Found")
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"id": accountID(name), "full_path": name, "kind": "group"})
	})
	g.rest("GET /users/{user}/projects", "user projects", g.listProjects)
	g.rest("GET /groups/{group}/epics", "epics", func(w http.ResponseWriter, _ *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		list := []any{}
		for _, id := range g.writes.epics {
			list = append(list, map[string]any{"id": id})
		}
		writeJSON(w, http.StatusOK, list)
	})
	g.rest("POST /projects", "create project", g.createProject)
	g.rest("POST /bulk_imports", "bulk import", g.writing("bulk import", func(_ http.ResponseWriter, _ *http.Request, _ map[string]any) any {
		return map[string]any{"id": 17, "status": "created"}
	}))
	g.groupWrites()
	g.projectWrites()
	g.repositoryWrites()
}

func (g *GitLab) selfJSON(u GitLabUser) map[string]any {
	return map[string]any{"id": u.ID, "username": u.Username, "name": u.Name, "state": "active", "web_url": g.URL() + "/" + u.Username,
		"email": u.Email, "public_email": u.PublicEmail, "created_at": "2020-01-01T00:00:00.000Z"}
}

// A gitlabWriter answers a write; nil means that it has answered itself.
type gitlabWriter func(w http.ResponseWriter, r *http.Request, body map[string]any) any

// writing is a handler that notes what it has answered with success.
func (g *GitLab) writing(name string, handler gitlabWriter) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body := map[string]any{}
		data, err := io.ReadAll(r.Body)
		if err == nil && len(data) > 0 {
			err = json.Unmarshal(data, &body)
		}
		switch {
		case token(r) == "":
			g.fail(w, http.StatusUnauthorized, "Unauthorized")
			return
		case err != nil:
			g.fail(w, http.StatusBadRequest, "Bad request")
			return
		}
		answer := any(body)
		if handler != nil {
			answer = handler(w, r, body)
		}
		if answer == nil {
			return
		}
		g.mu.Lock()
		g.writes.all = append(g.writes.all, Write{Operation: name, Repository: r.PathValue("id"), Path: strings.TrimPrefix(r.URL.Path, "/api/v4/"), Body: body})
		g.mu.Unlock()
		status := http.StatusCreated
		if r.Method == http.MethodPut {
			status = http.StatusOK
		}
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		writeJSON(w, status, answer)
	}
}

// write registers an operation on a project.
func (g *GitLab) write(pattern, name string, handler func(w http.ResponseWriter, r *http.Request, repository Repository, body map[string]any) any) {
	method, path, _ := strings.Cut(pattern, " ")
	g.rest(method+" /projects/{id}"+path, name, g.project(func(w http.ResponseWriter, r *http.Request, repository Repository) {
		var inner gitlabWriter
		if handler != nil {
			inner = func(w http.ResponseWriter, r *http.Request, body map[string]any) any {
				return handler(w, r, repository, body)
			}
		}
		g.writing(name, inner)(w, r)
	}))
}

// fresh tells whether a name is new, and takes it.
func (g *GitLab) fresh(parts ...any) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	name := fmt.Sprint(parts...)
	there := g.writes.names[name]
	g.writes.names[name] = true
	return !there
}

func (g *GitLab) number() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes.next++
	return g.writes.next
}

func (g *GitLab) createProject(w http.ResponseWriter, r *http.Request) {
	g.writing("create project", func(w http.ResponseWriter, _ *http.Request, body map[string]any) any {
		id, _ := body["namespace_id"].(float64)
		owner := ""
		for _, candidate := range g.owners() {
			if accountID(candidate) == int64(id) {
				owner = candidate
			}
		}
		name := text(body, "path")
		if name == "" {
			name = text(body, "name")
		}
		repository, err := g.CreateRepository(Repository{FullName: owner + "/" + name, Description: text(body, "description"), Visibility: text(body, "visibility")})
		if err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]any{"message": map[string]any{"path": []any{"has already been taken"}, "name": []any{"has already been taken"}}})
			return nil
		}
		return g.projectJSON(repository)
	})(w, r)
}

// owners are the namespaces that projects may be made in.
func (g *GitLab) owners() []string {
	out := []string{"acme", "acme/platform", "ada"}
	for _, group := range g.allGroups() {
		out = append(out, group.FullPath)
	}
	return out
}

// groupWrites make groups, and change who is in them.
func (g *GitLab) groupWrites() {
	g.rest("POST /groups", "create group", g.writing("create group", func(_ http.ResponseWriter, _ *http.Request, body map[string]any) any {
		path := text(body, "path")
		if parent, ok := body["parent_id"].(float64); ok {
			for _, other := range g.allGroups() {
				if other.ID == int64(parent) {
					path = other.FullPath + "/" + path
				}
			}
		}
		made := g.PutGroup(Group{FullPath: path, Name: text(body, "name"), Description: text(body, "description")})
		return map[string]any{"id": made.ID, "full_path": made.FullPath}
	}))
	once := func(kind, key string) gitlabWriter {
		return func(w http.ResponseWriter, r *http.Request, body map[string]any) any {
			if !g.fresh(r.PathValue("group"), kind, body[key]) {
				g.fail(w, http.StatusConflict, "Conflict")
				return nil
			}
			return body
		}
	}
	gone := func(kind string) gitlabWriter {
		return func(w http.ResponseWriter, r *http.Request, body map[string]any) any {
			n, _ := strconv.ParseFloat(r.PathValue("who"), 64)
			g.mu.Lock()
			name := fmt.Sprint(r.PathValue("group"), kind, n)
			there := g.writes.names[name]
			delete(g.writes.names, name)
			g.mu.Unlock()
			if !there {
				g.fail(w, http.StatusNotFound, "Not found")
				return nil
			}
			return body
		}
	}
	g.rest("POST /groups/{group}/members", "add member", g.writing("add member", once(" member ", "user_id")))
	g.rest("PUT /groups/{group}/members/{who}", "edit member", g.writing("edit member", nil))
	g.rest("DELETE /groups/{group}/members/{who}", "remove member", g.writing("remove member", gone(" member ")))
	g.rest("POST /groups/{group}/share", "share", g.writing("share", once(" share ", "group_id")))
	g.rest("DELETE /groups/{group}/share/{who}", "unshare", g.writing("unshare", gone(" share ")))
}

// projectWrites change what a project has beside its repository.
func (g *GitLab) projectWrites() {
	g.write("PUT ", "edit project", func(_ http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		g.Update(repository.FullName, func(r *Repository) {
			r.Description = text(body, "description")
			if b := text(body, "default_branch"); b != "" {
				r.DefaultBranch = b
			}
		})
		changed, _ := g.Repository(repository.FullName)
		return g.projectJSON(changed)
	})
	g.write("POST /members", "project member", nil)
	g.write("POST /variables", "variable", func(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		if !g.fresh(repository.FullName, body["key"], body["environment_scope"]) {
			writeJSON(w, http.StatusBadRequest, map[string]any{"message": map[string]any{"key": []any{"(" + text(body, "key") + ") has already been taken"}}})
			return nil
		}
		return body
	})
	g.write("PUT /variables/{key}", "change variable", nil)
	g.write("POST /protected_branches", "protect branch", nil)
	g.write("POST /access_tokens", "access token", func(_ http.ResponseWriter, _ *http.Request, _ Repository, _ map[string]any) any {
		return map[string]any{"id": 3, "token": "glpat-made"}
	})
	g.write("POST /deploy_tokens", "deploy token", func(_ http.ResponseWriter, _ *http.Request, _ Repository, body map[string]any) any {
		name := text(body, "username")
		if name == "" {
			name = "gitlab+deploy-token-3"
		}
		return map[string]any{"id": 3, "token": "gldt-made", "username": name}
	})
	g.write("POST /triggers", "trigger", func(_ http.ResponseWriter, _ *http.Request, _ Repository, _ map[string]any) any {
		return map[string]any{"id": 5, "token": "glptt-made"}
	})
	g.write("DELETE /triggers/{trigger}", "remove trigger", nil)
	g.write("POST /trigger/pipeline", "pipeline", func(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		if text(body, "token") != "glptt-made" {
			g.fail(w, http.StatusNotFound, "Not Found")
			return nil
		}
		return map[string]any{"id": 8, "web_url": g.URL() + "/" + repository.FullName + "/-/pipelines/8"}
	})
	issue := func(repository Repository, number int, body map[string]any) any {
		return map[string]any{"id": 1000 + number, "iid": number, "project_id": repository.ID, "state": "opened", "title": text(body, "title"),
			"updated_at": "2026-01-01T00:00:00.000Z", "web_url": fmt.Sprintf("%s/%s/-/issues/%d", g.URL(), repository.FullName, number)}
	}
	g.write("POST /issues", "issue", func(_ http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		return issue(repository, g.number(), body)
	})
	g.write("PUT /issues/{iid}", "edit issue", func(_ http.ResponseWriter, r *http.Request, repository Repository, body map[string]any) any {
		n, _ := strconv.Atoi(r.PathValue("iid"))
		return issue(repository, n, body)
	})
}

// repositoryWrites make branches, commits and merge requests.
func (g *GitLab) repositoryWrites() {
	g.write("POST /repository/branches", "create branch", func(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		dir := g.repositories.path(repository.FullName)
		c, err := commitOf(dir, text(body, "ref"))
		if err != nil {
			g.fail(w, http.StatusBadRequest, "Invalid reference name: "+text(body, "ref"))
			return nil
		}
		if _, err := readRef(dir, text(body, "branch")); err == nil {
			g.fail(w, http.StatusBadRequest, "Branch already exists")
			return nil
		}
		if _, err := g.repositories.git(dir, nil, "update-ref", "refs/heads/"+text(body, "branch"), c.Hash.String()); err != nil {
			g.fail(w, http.StatusBadRequest, err.Error())
			return nil
		}
		return map[string]any{"name": text(body, "branch")}
	})
	g.write("POST /repository/commits", "create commit", g.createCommit)
	g.write("POST /merge_requests", "merge request", func(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, mr := range g.writes.requests {
			if mr["project"] == repository.FullName && mr["source_branch"] == body["source_branch"] {
				g.fail(w, http.StatusConflict, "Another open merge request already exists for this source branch")
				return nil
			}
		}
		n := len(g.writes.requests) + 1
		mr := map[string]any{"project": repository.FullName, "iid": n, "source_branch": body["source_branch"], "target_branch": body["target_branch"],
			"web_url": fmt.Sprintf("%s/%s/-/merge_requests/%d", g.URL(), repository.FullName, n)}
		g.writes.requests = append(g.writes.requests, mr)
		return mr
	})
	g.rest("GET /projects/{id}/merge_requests", "merge requests", g.project(func(w http.ResponseWriter, r *http.Request, repository Repository) {
		g.mu.Lock()
		defer g.mu.Unlock()
		list := []any{}
		for _, mr := range g.writes.requests {
			if mr["project"] == repository.FullName && mr["source_branch"] == r.URL.Query().Get("source_branch") {
				list = append(list, mr)
			}
		}
		writeJSON(w, http.StatusOK, list)
	}))
	g.rest("GET /projects/{id}/merge_requests/{iid}/approval_rules", "approval rules", g.project(func(w http.ResponseWriter, _ *http.Request, _ Repository) {
		writeJSON(w, http.StatusOK, []any{map[string]any{"eligible_approvers": []any{map[string]any{"id": 77}, map[string]any{"id": 78}}}})
	}))
	g.write("PUT /merge_requests/{iid}", "edit merge request", nil)
	g.write("PUT /merge_requests/{iid}/merge", "merge", nil)
}

// createCommit commits the actions of a body to a branch that is there, or to
// the first one of an empty repository.
func (g *GitLab) createCommit(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
	dir, branch := g.repositories.path(repository.FullName), text(body, "branch")
	if _, err := readRef(dir, branch); err != nil && branch != repository.DefaultBranch {
		g.fail(w, http.StatusBadRequest, "You can only create or edit files when you are on a branch")
		return nil
	}
	changes := map[string]Change{}
	actions, _ := body["actions"].([]any)
	for _, a := range actions {
		entry, _ := a.(map[string]any)
		name := text(entry, "file_path")
		_, err := readBlob(dir, branch, name)
		switch is := err == nil; {
		case text(entry, "action") == "create" && is:
			g.fail(w, http.StatusBadRequest, "A file with this name already exists")
			return nil
		case text(entry, "action") != "create" && !is:
			g.fail(w, http.StatusBadRequest, "A file with this name doesn't exist")
			return nil
		}
		data, err := base64.StdEncoding.DecodeString(text(entry, "content"))
		if err != nil {
			g.fail(w, http.StatusBadRequest, "content is not base64")
			return nil
		}
		mode := ModeFile
		if entry["execute_filemode"] == true {
			mode = ModeExecutable
		}
		changes[name] = Change{Content: string(data), Mode: mode, Remove: text(entry, "action") == "delete"}
	}
	c, err := g.Push(repository.FullName, branch, text(body, "commit_message"), changes)
	if err != nil {
		g.fail(w, http.StatusBadRequest, err.Error())
		return nil
	}
	return map[string]any{"id": c.SHA}
}
