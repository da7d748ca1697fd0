package forgetest

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// contentRoutes are the operations that read repositories.
func (g *GitLab) contentRoutes() {
	g.rest("GET /projects/{id}", "project", g.project(func(w http.ResponseWriter, _ *http.Request, r Repository) {
		writeJSON(w, http.StatusOK, g.projectJSON(r))
	}))
	g.rest("GET /projects/{id}/repository/files/{path}", "file", g.project(g.getFile))
	g.rest("GET /projects/{id}/repository/files/{path}/raw", "raw file", g.project(g.getRawFile))
	g.rest("GET /projects/{id}/repository/commits", "commits", g.project(g.listCommits))
	g.rest("GET /projects/{id}/repository/commits/{sha}", "commit", g.project(g.getCommit))
	g.rest("GET /projects/{id}/repository/tree", "tree", g.project(g.listTree))
	g.rest("GET /projects/{id}/repository/branches", "branches", g.project(g.listBranches))
	g.rest("GET /projects/{id}/repository/branches/{branch}", "branch", g.project(g.getBranch))
	g.rest("GET /projects/{id}/jobs/artifacts/{ref}/raw/{path...}", "artifact", g.project(g.getArtifact))
	for _, name := range []string{"archive", "archive.tar.gz"} {
		g.mux.Handle("GET /api/v4/projects/{id}/repository/"+name, &route{
			forge: g.Forge, name: "archive", style: g.style, resource: "core", streams: true, handler: g.project(g.getArchive),
		})
	}
}

func (g *GitLab) gitFail(w http.ResponseWriter, err error, what string) {
	if errors.Is(err, errNoRef) {
		g.fail(w, http.StatusNotFound, what+" Not Found")
		return
	}
	g.fail(w, http.StatusInternalServerError, err.Error())
}

// fileOf reads the file that a request names and sets its headers.
func (g *GitLab) fileOf(w http.ResponseWriter, r *http.Request, repository Repository) ([]byte, bool) {
	ref, name := r.URL.Query().Get("ref"), r.PathValue("path")
	if ref == "" || ref == "HEAD" {
		ref = repository.DefaultBranch
	}
	dir := g.repositories.path(repository.FullName)
	c, err := commitOf(dir, ref)
	if err != nil {
		g.gitFail(w, err, "Commit")
		return nil, false
	}
	data, err := readBlob(dir, c.Hash.String(), name)
	if err != nil {
		g.gitFail(w, err, "File")
		return nil, false
	}
	for key, value := range map[string]string{
		"Blob-Id": gitHash("blob", data), "Commit-Id": c.Hash.String(), "Content-Sha256": fmt.Sprintf("%x", sha256.Sum256(data)),
		"Encoding": "base64", "File-Name": path.Base(name), "File-Path": name, "Last-Commit-Id": c.Hash.String(), "Ref": ref,
		"Size": strconv.Itoa(len(data)), "Execute-Filemode": "false",
	} {
		w.Header().Set("X-Gitlab-"+key, value)
	}
	return data, true
}

func (g *GitLab) getFile(w http.ResponseWriter, r *http.Request, repository Repository) {
	data, ok := g.fileOf(w, r, repository)
	if !ok || r.Method == http.MethodHead {
		return
	}
	h := w.Header()
	writeJSON(w, http.StatusOK, map[string]any{
		"file_name": h.Get("X-Gitlab-File-Name"), "file_path": h.Get("X-Gitlab-File-Path"), "size": len(data), "encoding": "base64",
		"content_sha256": h.Get("X-Gitlab-Content-Sha256"), "ref": h.Get("X-Gitlab-Ref"), "blob_id": h.Get("X-Gitlab-Blob-Id"),
		"commit_id": h.Get("X-Gitlab-Commit-Id"), "last_commit_id": h.Get("X-Gitlab-Last-Commit-Id"), "execute_filemode": false,
		"content": base64.StdEncoding.EncodeToString(data),
	})
}

func (g *GitLab) getRawFile(w http.ResponseWriter, r *http.Request, repository Repository) {
	data, ok := g.fileOf(w, r, repository)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("ETag", "-")
	w.Write(data)
}

func (g *GitLab) commitJSON(repository Repository, c *object.Commit) map[string]any {
	sha, stamp := c.Hash.String(), c.Author.When.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	parents := []string{}
	for _, p := range c.ParentHashes {
		parents = append(parents, p.String())
	}
	title, _, _ := strings.Cut(c.Message, "\n")
	return map[string]any{
		"id": sha, "short_id": sha[:8], "created_at": stamp, "parent_ids": parents, "title": title, "message": c.Message,
		"author_name": c.Author.Name, "author_email": c.Author.Email, "authored_date": stamp, "committer_name": c.Committer.Name,
		"committer_email": c.Committer.Email, "committed_date": stamp, "trailers": map[string]any{}, "extended_trailers": map[string]any{},
		"web_url": g.URL() + "/" + repository.FullName + "/-/commit/" + sha,
	}
}

func (g *GitLab) listCommits(w http.ResponseWriter, r *http.Request, repository Repository) {
	ref := r.URL.Query().Get("ref_name")
	if ref == "" {
		ref = repository.DefaultBranch
	}
	dir := g.repositories.path(repository.FullName)
	c, err := commitOf(dir, ref)
	if err != nil {
		g.gitFail(w, err, "Repository")
		return
	}
	commits, err := history(dir, c, r.URL.Query().Get("path"))
	if err != nil {
		g.gitFail(w, err, "Repository")
		return
	}
	list := []any{}
	for _, c := range pageOf(w, r, commits, 20, 100, gitlabPages) {
		list = append(list, g.commitJSON(repository, c))
	}
	for _, unknown := range []string{"X-Total", "X-Total-Pages"} { // GitLab does not count commits
		w.Header().Del(unknown)
	}
	writeJSON(w, http.StatusOK, list)
}

// history returns the commits of a branch, newest first, that touch a path.
func history(dir string, c *object.Commit, name string) ([]*object.Commit, error) {
	repo, err := git.PlainOpen(dir)
	if err != nil {
		return nil, err
	}
	o := &git.LogOptions{From: c.Hash}
	if name != "" {
		o.PathFilter = func(p string) bool { return p == name || strings.HasPrefix(p, strings.TrimSuffix(name, "/")+"/") }
	}
	iterator, err := repo.Log(o)
	if err != nil {
		return nil, err
	}
	var out []*object.Commit
	err = iterator.ForEach(func(c *object.Commit) error { out = append(out, c); return nil })
	return out, err
}

func (g *GitLab) getCommit(w http.ResponseWriter, r *http.Request, repository Repository) {
	c, err := commitOf(g.repositories.path(repository.FullName), r.PathValue("sha"))
	if err != nil {
		g.gitFail(w, err, "Commit")
		return
	}
	writeJSON(w, http.StatusOK, g.commitJSON(repository, c))
}

func (g *GitLab) listTree(w http.ResponseWriter, r *http.Request, repository Repository) {
	q := r.URL.Query()
	ref := q.Get("ref")
	if ref == "" {
		ref = repository.DefaultBranch
	}
	entries, _, err := readTree(g.repositories.path(repository.FullName), ref, strings.Trim(q.Get("path"), "/"), q.Get("recursive") == "true")
	if err != nil {
		g.gitFail(w, err, "Tree")
		return
	}
	list := []any{}
	for _, e := range pageOf(w, r, entries, 20, 100, gitlabPages) {
		list = append(list, map[string]any{"id": e.hash, "name": path.Base(e.path), "type": e.kind, "path": e.path, "mode": e.mode})
	}
	writeJSON(w, http.StatusOK, list)
}

func (g *GitLab) branchJSON(repository Repository, e entry) (map[string]any, error) {
	c, err := commitOf(g.repositories.path(repository.FullName), e.hash)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"name": e.path, "merged": false, "protected": false, "default": e.path == repository.DefaultBranch, "developers_can_push": false,
		"developers_can_merge": false, "can_push": false, "web_url": g.URL() + "/" + repository.FullName + "/-/tree/" + e.path,
		"commit": g.commitJSON(repository, c),
	}, nil
}

func (g *GitLab) listBranches(w http.ResponseWriter, r *http.Request, repository Repository) {
	branches, err := branchesOf(g.repositories.path(repository.FullName))
	if err != nil {
		g.gitFail(w, err, "Repository")
		return
	}
	list := []any{}
	for _, e := range pageOf(w, r, branches, 20, 100, gitlabPages) {
		b, err := g.branchJSON(repository, e)
		if err != nil {
			g.gitFail(w, err, "Branch")
			return
		}
		list = append(list, b)
	}
	writeJSON(w, http.StatusOK, list)
}

func (g *GitLab) getBranch(w http.ResponseWriter, r *http.Request, repository Repository) {
	branches, err := branchesOf(g.repositories.path(repository.FullName))
	for _, e := range branches {
		if e.path != r.PathValue("branch") {
			continue
		}
		b, err := g.branchJSON(repository, e)
		if err != nil {
			g.gitFail(w, err, "Branch")
			return
		}
		writeJSON(w, http.StatusOK, b)
		return
	}
	if err == nil {
		err = errNoRef
	}
	g.gitFail(w, err, "Branch")
}

// getArchive answers with a tar archive of a commit, or of a folder in it.
func (g *GitLab) getArchive(w http.ResponseWriter, r *http.Request, repository Repository) {
	q := r.URL.Query()
	ref := q.Get("sha")
	if ref == "" {
		ref = repository.DefaultBranch
	}
	c, err := commitOf(g.repositories.path(repository.FullName), ref)
	if err != nil {
		g.gitFail(w, err, "Commit")
		return
	}
	sha, folder := c.Hash.String(), strings.Trim(q.Get("path"), "/")
	prefix := strings.Join([]string{repository.Name(), strings.ReplaceAll(ref, "/", "-"), sha}, "-")
	var paths []string
	if folder != "" {
		dir := g.repositories.path(repository.FullName)
		_, _, err := readTree(dir, sha, folder, false)
		if errors.Is(err, errNoRef) {
			_, err = readBlob(dir, sha, folder)
		}
		if err != nil {
			g.gitFail(w, err, "Path")
			return
		}
		prefix += "-" + strings.ReplaceAll(folder, "/", "-")
		paths = append(paths, folder)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+prefix+`.tar.gz"`)
	g.archive(w, r, repository, "tar.gz", prefix+"/", sha, paths...)
}

// AddArtifact stores what a job of a branch has left behind.
func (g *GitLab) AddArtifact(fullName, branch, job, name string, data []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.artifacts[strings.Join([]string{strings.ToLower(fullName), branch, job, name}, "\x00")] = data
}

func (g *GitLab) getArtifact(w http.ResponseWriter, r *http.Request, repository Repository) {
	key := strings.Join([]string{strings.ToLower(repository.FullName), r.PathValue("ref"), r.URL.Query().Get("job"), r.PathValue("path")}, "\x00")
	g.mu.Lock()
	data, ok := g.artifacts[key]
	g.mu.Unlock()
	if !ok {
		g.fail(w, http.StatusNotFound, "Not Found")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(data)
}
