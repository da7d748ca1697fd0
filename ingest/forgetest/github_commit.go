package forgetest

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/utils/merkletrie"
)

func (g *GitHub) getCommit(w http.ResponseWriter, r *http.Request, repository Repository) {
	sha, _, ok := g.commit(w, repository, r.PathValue("ref"))
	if !ok {
		return
	}
	if accepts(r) == "sha" {
		w.Header().Set("Content-Type", "application/vnd.github.v3.sha; charset=utf-8")
		w.Header().Set("ETag", `"`+sha+`"`)
		w.Write([]byte(sha))
		return
	}
	c, err := commitOf(g.repositories.path(repository.FullName), sha)
	if err != nil {
		g.gitFail(w, err)
		return
	}
	out, err := g.commitJSON(r.Context(), repository, c)
	if err != nil {
		g.gitFail(w, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func (g *GitHub) commitJSON(ctx context.Context, repository Repository, c *object.Commit) (map[string]any, error) {
	self, page, sha := g.API()+"/repos/"+repository.FullName, g.URL()+"/"+repository.FullName, c.Hash.String()
	person := map[string]any{"name": c.Author.Name, "email": c.Author.Email, "date": c.Author.When.UTC().Format("2006-01-02T15:04:05Z")}
	parents := []any{}
	for _, p := range c.ParentHashes {
		parents = append(parents, map[string]any{"sha": p.String(), "url": self + "/commits/" + p.String(), "html_url": page + "/commit/" + p.String()})
	}
	files, err := g.changedFiles(ctx, repository, c)
	if err != nil {
		return nil, err
	}
	tree := c.TreeHash.String()
	return map[string]any{
		"sha": sha, "node_id": nodeID("Commit", sha), "url": self + "/commits/" + sha, "comments_url": self + "/commits/" + sha + "/comments",
		"html_url": page + "/commit/" + sha, "author": nil, "committer": nil, "parents": parents, "files": files,
		"commit": map[string]any{
			"url": self + "/git/commits/" + sha, "author": person, "committer": person, "message": c.Message, "comment_count": 0,
			"tree": map[string]any{"sha": tree, "url": self + "/git/trees/" + tree},
		},
	}, nil
}

// changedFiles tells what a commit did to each file, renames found by content as
// Git does. Lines are not counted.
func (g *GitHub) changedFiles(ctx context.Context, repository Repository, c *object.Commit) ([]any, error) {
	to, err := c.Tree()
	if err != nil {
		return nil, err
	}
	from := &object.Tree{}
	if parent, err := c.Parent(0); err == nil {
		if from, err = parent.Tree(); err != nil {
			return nil, err
		}
	}
	changes, err := object.DiffTreeWithOptions(ctx, from, to, object.DefaultDiffTreeOptions)
	if err != nil {
		return nil, err
	}
	files := []any{}
	for _, change := range changes {
		action, err := change.Action()
		if err != nil {
			return nil, err
		}
		name, hash, status := change.To.Name, change.To.TreeEntry.Hash.String(), "modified"
		switch {
		case action == merkletrie.Insert:
			status = "added"
		case action == merkletrie.Delete:
			name, hash, status = change.From.Name, change.From.TreeEntry.Hash.String(), "removed"
		case change.From.Name != change.To.Name:
			status = "renamed"
		}
		file := map[string]any{
			"sha": hash, "filename": name, "status": status, "additions": 0, "deletions": 0, "changes": 0,
			"blob_url":     fmt.Sprintf("%s/%s/blob/%s/%s", g.URL(), repository.FullName, c.Hash, name),
			"raw_url":      fmt.Sprintf("%s/%s/raw/%s/%s", g.URL(), repository.FullName, c.Hash, name),
			"contents_url": fmt.Sprintf("%s/repos/%s/contents/%s?ref=%s", g.API(), repository.FullName, name, c.Hash),
		}
		if status == "renamed" {
			file["previous_filename"] = change.From.Name
		}
		files = append(files, file)
	}
	return files, nil
}
