package forgetest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path"
	"strconv"
	"strings"
)

// contentRoutes are the operations that read repositories.
func (g *GitHub) contentRoutes() {
	g.perRepository("GET", "", "repository", "core", g.getRepository)
	g.perRepository("GET", "/contents/{path...}", "contents", "core", g.getContents)
	g.perRepository("GET", "/commits/{ref}", "commit", "core", g.getCommit)
	g.perRepository("GET", "/commits/{ref}/status", "status", "core", g.getStatus)
	g.perRepository("GET", "/git/trees/{sha}", "tree", "core", g.getTree)
	g.perRepository("GET", "/git/blobs/{sha}", "blob", "core", g.getBlob)
	g.perRepository("GET", "/branches", "branches", "core", g.listBranches)
	g.perRepository("GET", "/branches/{branch...}", "branch", "core", g.getBranch)
	g.perRepository("GET", "/tarball", "tarball", "core", g.getTarball)
	g.perRepository("GET", "/tarball/{ref...}", "tarball", "core", g.getTarball)
	g.rest("GET /orgs/{owner}/repos", "repositories", "core", g.listRepositories)
	g.rest("GET /users/{owner}/repos", "repositories", "core", g.listRepositories)
	g.rest("GET /search/code", "search code", "search", g.searchCode)
	g.rest("GET /rate_limit", "rate limit", "", g.getRateLimit)
	codeload := &route{forge: g.Forge, name: "codeload", style: plainStyle(), streams: true, handler: g.codeload}
	g.mux.Handle("GET /codeload/{owner}/{repo}/legacy.tar.gz/{sha}", codeload)
	g.handle("GET /raw/{owner}/{repo}/{ref}/{path...}", "raw", rawStyle(), "raw", g.getRaw)
}

// rawStyle: the server for raw files has no budget that it tells of.
func rawStyle() *style {
	s := plainStyle()
	s.freeNotModified = true
	return s
}

// gitFail answers with an error from reading a repository.
func (g *GitHub) gitFail(w http.ResponseWriter, err error) {
	if errors.Is(err, errNoRef) {
		g.fail(w, http.StatusNotFound, "Not Found")
		return
	}
	g.fail(w, http.StatusInternalServerError, err.Error())
}

func refOf(r *http.Request, repository Repository) string {
	if ref := r.URL.Query().Get("ref"); ref != "" {
		return ref
	}
	return repository.DefaultBranch
}

// accepts tells which of GitHub's media types a request asks for: raw, sha,
// object, html or "" for JSON.
func accepts(r *http.Request) string {
	for _, accept := range strings.Split(r.Header.Get("Accept"), ",") {
		accept = strings.TrimSpace(accept)
		for _, kind := range []string{"raw", "sha", "object", "html"} {
			if accept == "application/vnd.github."+kind || accept == "application/vnd.github.v3."+kind || accept == "application/vnd.github."+kind+"+json" {
				return kind
			}
		}
	}
	return ""
}

func (g *GitHub) getContents(w http.ResponseWriter, r *http.Request, repository Repository) {
	dir, ref, name := g.repositories.path(repository.FullName), refOf(r, repository), strings.Trim(r.PathValue("path"), "/")
	data, err := readBlob(dir, ref, name)
	if err != nil {
		g.listContents(w, r, repository, err)
		return
	}
	hash := gitHash("blob", data)
	if accepts(r) == "raw" {
		w.Header().Set("Content-Type", "application/vnd.github.v3.raw; charset=utf-8")
		w.Header().Set("ETag", `"`+hash+`"`)
		w.Write(data)
		return
	}
	e := entry{path: name, kind: "blob", hash: hash, size: int64(len(data))}
	out := g.contentEntry(repository, ref, e)
	out["encoding"], out["content"] = "base64", base64.StdEncoding.EncodeToString(data)+"\n"
	if len(data) > 1<<20 { // larger files are only to be had raw
		out["encoding"], out["content"] = "none", ""
	}
	writeJSON(w, http.StatusOK, out)
}

// listContents answers for a folder, or with the error for the file.
func (g *GitHub) listContents(w http.ResponseWriter, r *http.Request, repository Repository, fileErr error) {
	ref, name := refOf(r, repository), strings.Trim(r.PathValue("path"), "/")
	entries, _, err := readTree(g.repositories.path(repository.FullName), ref, name, false)
	if err != nil {
		g.gitFail(w, fileErr)
		return
	}
	list := make([]any, 0, len(entries))
	for _, e := range entries {
		list = append(list, g.contentEntry(repository, ref, e))
	}
	writeJSON(w, http.StatusOK, list)
}

func (g *GitHub) contentEntry(repository Repository, ref string, e entry) map[string]any {
	kind, page := "file", "blob"
	switch {
	case e.kind == "tree":
		kind, page = "dir", "tree"
	case e.kind == "commit":
		kind = "submodule"
	case e.mode == ModeSymlink:
		kind = "symlink"
	}
	self := fmt.Sprintf("%s/repos/%s/contents/%s?ref=%s", g.API(), repository.FullName, e.path, ref)
	blob := fmt.Sprintf("%s/repos/%s/git/%ss/%s", g.API(), repository.FullName, e.kind, e.hash)
	html := fmt.Sprintf("%s/%s/%s/%s/%s", g.URL(), repository.FullName, page, ref, e.path)
	out := map[string]any{
		"type": kind, "name": path.Base(e.path), "path": e.path, "sha": e.hash, "size": e.size, "url": self, "git_url": blob, "html_url": html,
		"download_url": nil, "_links": map[string]any{"self": self, "git": blob, "html": html},
	}
	if kind == "file" {
		out["download_url"] = fmt.Sprintf("%s/%s/%s/%s", g.Raw(), repository.FullName, ref, e.path)
	}
	return out
}

func (g *GitHub) getRaw(w http.ResponseWriter, r *http.Request) {
	repository, _, ok := g.readable(r, r.PathValue("owner")+"/"+r.PathValue("repo"))
	if !ok {
		http.Error(w, "404: Not Found", http.StatusNotFound)
		return
	}
	data, err := readBlob(g.repositories.path(repository.FullName), r.PathValue("ref"), r.PathValue("path"))
	if err != nil {
		http.Error(w, "404: Not Found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(data)
}

// commit finds the commit of a ref, and answers itself where there is none.
func (g *GitHub) commit(w http.ResponseWriter, repository Repository, ref string) (sha, tree string, ok bool) {
	branches, err := branchesOf(g.repositories.path(repository.FullName))
	if err == nil && len(branches) == 0 {
		g.fail(w, http.StatusConflict, "Git Repository is empty.")
		return "", "", false
	}
	c, err := commitOf(g.repositories.path(repository.FullName), ref)
	if err != nil {
		g.fail(w, http.StatusUnprocessableEntity, "No commit found for SHA: "+ref)
		return "", "", false
	}
	return c.Hash.String(), c.TreeHash.String(), true
}

func (g *GitHub) getStatus(w http.ResponseWriter, r *http.Request, repository Repository) {
	sha, _, ok := g.commit(w, repository, r.PathValue("ref"))
	if !ok {
		return
	}
	self := g.API() + "/repos/" + repository.FullName + "/commits/" + sha
	writeJSON(w, http.StatusOK, map[string]any{
		"state": "pending", "statuses": []any{}, "sha": sha, "total_count": 0, "repository": g.minimalRepository(repository),
		"commit_url": self, "url": self + "/status",
	})
}

func (g *GitHub) getTree(w http.ResponseWriter, r *http.Request, repository Repository) {
	sha, recursive := r.PathValue("sha"), r.URL.Query().Has("recursive")
	entries, hash, err := readTree(g.repositories.path(repository.FullName), sha, "", recursive)
	if err != nil {
		g.gitFail(w, err)
		return
	}
	limit, truncated := g.treeLimit(), false
	if len(entries) > limit {
		entries, truncated = entries[:limit], true
	}
	self := g.API() + "/repos/" + repository.FullName + "/git/"
	list := make([]any, 0, len(entries))
	for _, e := range entries {
		item := map[string]any{"path": e.path, "mode": e.mode, "type": e.kind, "sha": e.hash}
		if e.kind != "commit" {
			item["url"] = self + e.kind + "s/" + e.hash
		}
		if e.kind == "blob" {
			item["size"] = e.size
		}
		list = append(list, item)
	}
	writeJSON(w, http.StatusOK, map[string]any{"sha": hash, "url": self + "trees/" + hash, "tree": list, "truncated": truncated})
}

// SetTreeLimit sets after how many entries a listing of a tree is truncated;
// GitHub's own limit is 100,000.
func (g *GitHub) SetTreeLimit(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.maxTree = n
}

func (g *GitHub) treeLimit() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.maxTree
}

func (g *GitHub) getBlob(w http.ResponseWriter, r *http.Request, repository Repository) {
	sha := r.PathValue("sha")
	data, err := readObject(g.repositories.path(repository.FullName), sha)
	if err != nil {
		g.gitFail(w, err)
		return
	}
	if accepts(r) == "raw" {
		w.Header().Set("Content-Type", "application/vnd.github.v3.raw; charset=utf-8")
		w.Header().Set("ETag", `"`+sha+`"`)
		w.Write(data)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"sha": sha, "node_id": nodeID("Blob", sha), "size": len(data), "url": g.API() + "/repos/" + repository.FullName + "/git/blobs/" + sha,
		"content": base64.StdEncoding.EncodeToString(data), "encoding": "base64",
	})
}

func (g *GitHub) listBranches(w http.ResponseWriter, r *http.Request, repository Repository) {
	branches, err := branchesOf(g.repositories.path(repository.FullName))
	if err != nil {
		g.gitFail(w, err)
		return
	}
	list := []any{}
	for _, b := range pageOf(w, r, branches, 30, 100, githubLinks) {
		list = append(list, g.branch(repository, b))
	}
	writeJSON(w, http.StatusOK, list)
}

func (g *GitHub) branch(repository Repository, b entry) map[string]any {
	return map[string]any{
		"name": b.path, "protected": false,
		"commit": map[string]any{"sha": b.hash, "url": g.API() + "/repos/" + repository.FullName + "/commits/" + b.hash},
	}
}

func (g *GitHub) getBranch(w http.ResponseWriter, r *http.Request, repository Repository) {
	branches, err := branchesOf(g.repositories.path(repository.FullName))
	if err != nil {
		g.gitFail(w, err)
		return
	}
	for _, b := range branches {
		if b.path == r.PathValue("branch") {
			writeJSON(w, http.StatusOK, g.branch(repository, b))
			return
		}
	}
	g.fail(w, http.StatusNotFound, "Branch not found")
}

// getTarball leads to another host name, as GitHub does; here it is another
// path, with a token that is good once.
func (g *GitHub) getTarball(w http.ResponseWriter, r *http.Request, repository Repository) {
	ref := r.PathValue("ref")
	if ref == "" {
		ref = repository.DefaultBranch
	}
	sha, _, ok := g.commit(w, repository, ref)
	if !ok {
		return
	}
	w.Header().Set("Location", fmt.Sprintf("%s/codeload/%s/legacy.tar.gz/%s?token=%s", g.URL(), repository.FullName, sha, g.grantDownload(sha)))
	w.WriteHeader(http.StatusFound)
}

func (g *GitHub) grantDownload(sha string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.downloads++
	ticket := fmt.Sprintf("%d-%s", g.downloads, sha[:12])
	g.granted[ticket] = true
	return ticket
}

func (g *GitHub) codeload(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	ticket := r.URL.Query().Get("token")
	granted := g.granted[ticket]
	delete(g.granted, ticket)
	g.mu.Unlock()
	repository, ok := g.Repository(r.PathValue("owner") + "/" + r.PathValue("repo"))
	if !granted || !ok {
		http.Error(w, "404: Not Found", http.StatusNotFound)
		return
	}
	sha := r.PathValue("sha")
	prefix := strings.ReplaceAll(repository.FullName, "/", "-") + "-" + sha[:7] + "/"
	w.Header().Set("Content-Type", "application/x-gzip")
	g.archive(w, r, repository, "tar.gz", prefix, sha)
}

// archive streams what git archive writes.
func (f *Forge) archive(w http.ResponseWriter, r *http.Request, repository Repository, format, prefix, sha string, paths ...string) {
	args := append([]string{"archive", "--format=" + format, "--prefix=" + prefix, sha, "--"}, paths...)
	cmd := exec.CommandContext(r.Context(), "git", args...)
	cmd.Dir = f.repositories.path(repository.FullName)
	cmd.Stdout = w
	if err := cmd.Run(); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (g *GitHub) searchCode(w http.ResponseWriter, r *http.Request) {
	wanted := parseCodeQuery(r.URL.Query().Get("q"))
	var items []any
	for _, repository := range g.Repositories() {
		if !wanted.repository(repository) || !g.mayRead(r, repository) {
			continue
		}
		entries, _, err := readTree(g.repositories.path(repository.FullName), repository.DefaultBranch, "", true)
		if err != nil {
			continue // an empty repository
		}
		for _, e := range entries {
			if e.kind == "blob" && wanted.file(e.path) {
				items = append(items, g.codeResult(repository, e))
			}
		}
	}
	total := len(items)
	page := pageOf(w, r, items, 30, 100, githubLinks)
	writeJSON(w, http.StatusOK, map[string]any{"total_count": total, "incomplete_results": false, "items": append([]any{}, page...)})
}

func (g *GitHub) codeResult(repository Repository, e entry) map[string]any {
	return map[string]any{
		"name": path.Base(e.path), "path": e.path, "sha": e.hash, "score": 1.0,
		"url":        fmt.Sprintf("%s/repos/%s/contents/%s", g.API(), repository.FullName, e.path),
		"git_url":    fmt.Sprintf("%s/repos/%s/git/blobs/%s", g.API(), repository.FullName, e.hash),
		"html_url":   fmt.Sprintf("%s/%s/blob/%s/%s", g.URL(), repository.FullName, repository.DefaultBranch, e.path),
		"repository": g.minimalRepository(repository),
	}
}

// A codeQuery is the part of GitHub's search language that is understood: the
// qualifiers org, user, repo, filename, path and extension.
type codeQuery struct{ owner, repo, filename, path, extension string }

func parseCodeQuery(q string) codeQuery {
	var out codeQuery
	for _, word := range strings.Fields(q) {
		key, value, _ := strings.Cut(word, ":")
		switch value = strings.Trim(value, `"`); key {
		case "org", "user":
			out.owner = value
		case "repo":
			out.repo = value
		case "filename":
			out.filename = value
		case "path":
			out.path = strings.Trim(value, "/")
		case "extension":
			out.extension = value
		}
	}
	return out
}

func (q codeQuery) repository(r Repository) bool {
	return (q.owner == "" || strings.EqualFold(q.owner, r.Owner())) && (q.repo == "" || strings.EqualFold(q.repo, r.FullName))
}

func (q codeQuery) file(name string) bool {
	return (q.filename == "" || path.Base(name) == q.filename) && (q.path == "" || name == q.path || strings.HasPrefix(name, q.path+"/")) &&
		(q.extension == "" || strings.TrimPrefix(path.Ext(name), ".") == q.extension)
}

func (g *GitHub) getRateLimit(w http.ResponseWriter, r *http.Request) {
	resources := map[string]any{}
	for _, name := range []string{"core", "search", "graphql"} {
		b := g.budgets.state(token(r), name)
		resources[name] = map[string]any{"limit": b.Limit, "remaining": b.Remaining, "used": b.Used, "reset": b.Reset.Unix()}
	}
	writeJSON(w, http.StatusOK, map[string]any{"resources": resources, "rate": resources["core"]})
}

func atoi(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return n
	}
	return otherwise
}
