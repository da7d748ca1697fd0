package forgetest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/object"
)

// A pull is a pull request.
type pull struct {
	repository, head, base string // head is owner:branch
	number                 int
	title, body            string
	draft                  bool
}

// gitDataRoutes are the operations on objects and refs.
func (g *GitHub) gitDataRoutes() {
	g.perRepository("GET", "/git/ref/heads/{branch...}", "ref", "core", func(w http.ResponseWriter, r *http.Request, repository Repository) {
		sha, err := readRef(g.repositories.path(repository.FullName), r.PathValue("branch"))
		if err != nil {
			g.gitFail(w, err)
			return
		}
		writeJSON(w, http.StatusOK, refJSON(r.PathValue("branch"), sha))
	})
	g.perRepository("GET", "/git/commits/{sha}", "git commit", "core", func(w http.ResponseWriter, r *http.Request, repository Repository) {
		c, err := commitOf(g.repositories.path(repository.FullName), r.PathValue("sha"))
		if err != nil {
			g.gitFail(w, err)
			return
		}
		writeJSON(w, http.StatusOK, gitCommitJSON(c))
	})
	g.write("POST", "/git/blobs", "create blob", http.StatusCreated, g.createBlob)
	g.write("POST", "/git/trees", "create tree", http.StatusCreated, g.createTree)
	g.write("POST", "/git/commits", "create commit", http.StatusCreated, g.createCommit)
	g.write("POST", "/git/refs", "create ref", http.StatusCreated, func(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
		branch := strings.TrimPrefix(text(body, "ref"), "refs/heads/")
		if _, err := readRef(g.repositories.path(repository.FullName), branch); err == nil {
			g.fail(w, http.StatusUnprocessableEntity, "Reference already exists")
			return nil
		}
		return g.setRef(w, repository, branch, text(body, "sha"))
	})
	g.write("PATCH", "/git/refs/heads/{branch...}", "update ref", http.StatusOK, func(w http.ResponseWriter, r *http.Request, repository Repository, body map[string]any) any {
		return g.setRef(w, repository, r.PathValue("branch"), text(body, "sha"))
	})
}

func text(body map[string]any, key string) string {
	s, _ := body[key].(string)
	return s
}

func refJSON(branch, sha string) map[string]any {
	return map[string]any{"ref": "refs/heads/" + branch, "object": map[string]any{"type": "commit", "sha": sha}}
}

func gitCommitJSON(c *object.Commit) map[string]any {
	parents := []any{}
	for _, p := range c.ParentHashes {
		parents = append(parents, map[string]any{"sha": p.String()})
	}
	return map[string]any{"sha": c.Hash.String(), "message": c.Message, "tree": map[string]any{"sha": c.TreeHash.String()}, "parents": parents}
}

func (g *GitHub) setRef(w http.ResponseWriter, repository Repository, branch, sha string) any {
	if _, err := g.repositories.git(g.repositories.path(repository.FullName), nil, "update-ref", "refs/heads/"+branch, sha); err != nil {
		g.fail(w, http.StatusUnprocessableEntity, err.Error())
		return nil
	}
	return refJSON(branch, sha)
}

func (g *GitHub) createBlob(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
	data := []byte(text(body, "content"))
	if body["encoding"] == "base64" {
		var err error
		if data, err = base64.StdEncoding.DecodeString(string(data)); err != nil {
			g.fail(w, http.StatusUnprocessableEntity, "content is not base64")
			return nil
		}
	}
	out, err := g.repositories.git(g.repositories.path(repository.FullName), data, "hash-object", "-w", "--stdin")
	if err != nil {
		g.gitFail(w, err)
		return nil
	}
	return map[string]any{"sha": string(bytes.TrimSpace(out))}
}

// createTree writes a tree with an index of its own.
func (g *GitHub) createTree(w http.ResponseWriter, r *http.Request, repository Repository, body map[string]any) any {
	dir := g.repositories.path(repository.FullName)
	index, err := os.CreateTemp(g.dir, "index-*")
	if err != nil {
		g.gitFail(w, err)
		return nil
	}
	index.Close()
	os.Remove(index.Name()) // Git takes no empty file for an index
	defer os.Remove(index.Name())
	var lines bytes.Buffer
	entries, _ := body["tree"].([]any)
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		sha := text(entry, "sha")
		if content, ok := entry["content"].(string); ok {
			blob, _ := g.createBlob(w, r, repository, map[string]any{"content": content}).(map[string]any)
			sha = text(blob, "sha")
		}
		if sha == "" {
			fmt.Fprintf(&lines, "0 %s\t%s\n", strings.Repeat("0", 40), text(entry, "path"))
			continue
		}
		fmt.Fprintf(&lines, "%s %s\t%s\n", text(entry, "mode"), sha, text(entry, "path"))
	}
	indexed := func(input []byte, args ...string) ([]byte, error) {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Stdin = dir, bytes.NewReader(input)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + g.dir, "GIT_INDEX_FILE=" + index.Name(), "GIT_CONFIG_NOSYSTEM=1"}
		return cmd.Output()
	}
	out := []byte(nil)
	if base := text(body, "base_tree"); base != "" {
		_, err = indexed(nil, "read-tree", base)
	}
	if err == nil {
		_, err = indexed(lines.Bytes(), "update-index", "--index-info")
	}
	if err == nil {
		out, err = indexed(nil, "write-tree")
	}
	if err != nil {
		g.fail(w, http.StatusUnprocessableEntity, "tree: "+err.Error())
		return nil
	}
	return map[string]any{"sha": string(bytes.TrimSpace(out))}
}

// createCommit writes a commit, by the account behind the token unless the
// body has an author.
func (g *GitHub) createCommit(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
	dir := g.repositories.path(repository.FullName)
	args := []string{"commit-tree", text(body, "tree")}
	parents, _ := body["parents"].([]any)
	for _, p := range parents {
		args = append(args, "-p", fmt.Sprint(p))
	}
	name, email := "ada", "ada@users.example.com"
	if author, ok := body["author"].(map[string]any); ok {
		name, email = text(author, "name"), text(author, "email")
	}
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(text(body, "message"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + g.dir, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=" + name, "GIT_AUTHOR_EMAIL=" + email, "GIT_COMMITTER_NAME=" + name, "GIT_COMMITTER_EMAIL=" + email}
	out, err := cmd.Output()
	if err != nil {
		g.fail(w, http.StatusUnprocessableEntity, "commit: "+err.Error())
		return nil
	}
	c, err := commitOf(dir, string(bytes.TrimSpace(out)))
	if err != nil {
		g.gitFail(w, err)
		return nil
	}
	return gitCommitJSON(c)
}

// pullRoutes are the operations on pull requests and forks.
func (g *GitHub) pullRoutes() {
	g.write("POST", "/pulls", "pull request", http.StatusCreated, g.createPull)
	g.write("PATCH", "/pulls/{number}", "edit pull request", http.StatusOK, nil)
	g.write("POST", "/pulls/{number}/requested_reviewers", "reviewers", http.StatusCreated, func(w http.ResponseWriter, _ *http.Request, _ Repository, body map[string]any) any {
		if list, _ := body["reviewers"].([]any); len(list) > 0 && list[0] == "nobody" {
			g.fail(w, http.StatusUnprocessableEntity, "Reviews may only be requested from collaborators.")
			return nil
		}
		return body
	})
	g.perRepository("GET", "/pulls", "pull requests", "core", func(w http.ResponseWriter, r *http.Request, repository Repository) {
		g.mu.Lock()
		defer g.mu.Unlock()
		out := []any{}
		for _, p := range g.writes.pulls {
			if head := r.URL.Query().Get("head"); p.repository == repository.FullName && (head == "" || p.head == head) {
				out = append(out, g.pullJSON(p))
			}
		}
		writeJSON(w, http.StatusOK, out)
	})
	g.write("POST", "/forks", "fork", http.StatusAccepted, func(w http.ResponseWriter, _ *http.Request, repository Repository, _ map[string]any) any {
		g.mu.Lock()
		name := g.writes.login + "/" + repository.Name()
		g.mu.Unlock()
		fork, ok := g.Repository(name)
		if !ok {
			var err error
			fork, err = g.CreateRepository(Repository{FullName: name, DefaultBranch: repository.DefaultBranch, Fork: true})
			if err == nil {
				_, err = g.repositories.git(g.repositories.path(name), nil, "fetch", "--quiet", g.repositories.path(repository.FullName), "refs/heads/*:refs/heads/*")
			}
			if err != nil {
				g.gitFail(w, err)
				return nil
			}
		}
		return g.fullRepository(fork)
	})
}

func (g *GitHub) createPull(w http.ResponseWriter, _ *http.Request, repository Repository, body map[string]any) any {
	head := text(body, "head")
	if !strings.Contains(head, ":") {
		head = repository.Owner() + ":" + head
	}
	owner, branch, _ := strings.Cut(head, ":")
	from, err := readRef(g.repositories.path(owner+"/"+repository.Name()), branch)
	if err != nil {
		g.fail(w, http.StatusUnprocessableEntity, "Validation Failed: head is invalid")
		return nil
	}
	if onto, err := readRef(g.repositories.path(repository.FullName), text(body, "base")); err != nil || onto == from {
		g.fail(w, http.StatusUnprocessableEntity, "No commits between "+text(body, "base")+" and "+branch)
		return nil
	}
	number := g.number()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.writes.pulls {
		if p.repository == repository.FullName && p.head == head {
			g.fail(w, http.StatusUnprocessableEntity, "A pull request already exists for "+head+".")
			return nil
		}
	}
	draft, _ := body["draft"].(bool)
	p := &pull{repository: repository.FullName, head: head, base: text(body, "base"), number: number, title: text(body, "title"), body: text(body, "body"), draft: draft}
	g.writes.pulls = append(g.writes.pulls, p)
	return g.pullJSON(p)
}

func (g *GitHub) pullJSON(p *pull) map[string]any {
	return map[string]any{"number": p.number, "html_url": g.URL() + "/" + p.repository + "/pull/" + strconv.Itoa(p.number), "title": p.title,
		"body": p.body, "draft": p.draft, "state": "open", "base": map[string]any{"ref": p.base}, "head": map[string]any{"label": p.head}}
}
