package github

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

// A commit is what GitHub says of one.
type commit struct {
	SHA     string
	Message string
	Tree    struct{ SHA string }
	Parents []struct{ SHA string }
}

// A change is what a commit does to the tree below it.
type change struct {
	base    commit
	entries []treeEntry
}

// A treeEntry puts a file into a tree: by its content, by the id of a blob, or
// with neither to remove it.
type treeEntry struct {
	Path    string  `json:"path"`
	Mode    string  `json:"mode"`
	Type    string  `json:"type"`
	SHA     *string `json:"sha,omitempty"`
	Content *string `json:"content,omitempty"`
}

// A removal is an entry whose id is null.
type removal struct {
	Path string  `json:"path"`
	Mode string  `json:"mode"`
	Type string  `json:"type"`
	SHA  *string `json:"sha"`
}

const (
	// maxFile bounds a file: GitHub takes no larger ones.
	maxFile = 100 << 20
	// maxInline bounds the text that is sent with the tree itself, maxInlineFile
	// that of one file.
	maxInline     = 8 << 20
	maxInlineFile = 1 << 20
)

// segments are the parts of a path or of the name of a branch.
func segments(name string) []string { return strings.Split(name, "/") }

// change compares the workspace with a commit, and sends what is new of large
// and binary files.
func (q *proposal) change(ctx context.Context, base commit) (change, error) {
	there, whole, err := q.tree(ctx, base)
	if err != nil {
		return change{}, err
	}
	prefix, err := targetFolder(q.in.TargetPath)
	if err != nil {
		return change{}, err
	}
	removed := map[string]bool{}
	for _, name := range q.in.FilesToDelete {
		removed[path.Join(prefix, strings.TrimPrefix(path.Clean("/"+name), "/"))] = true
	}
	out := change{base: base}
	inline := 0
	err = git.Visit(ctx, q.c.Workspace, q.dir, func(f git.File) error {
		name := path.Join(prefix, f.Path)
		if removed[name] || q.follows(f) {
			return nil
		}
		data, err := f.Content(maxFile)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		e := treeEntry{Path: name, Mode: fmt.Sprintf("%06o", uint32(f.Mode)), Type: "blob"}
		hash := plumbing.ComputeHash(plumbing.BlobObject, data).String()
		if there[name] == (blobID{mode: e.Mode, sha: hash}) {
			return nil
		}
		if utf8.Valid(data) && len(data) <= maxInlineFile && inline+len(data) <= maxInline {
			inline += len(data)
			text := string(data)
			e.Content = &text
		} else if e.SHA, err = q.send(ctx, data); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		out.entries = append(out.entries, e)
		return nil
	})
	if err != nil {
		return change{}, err
	}
	return q.without(ctx, out, removed, there, whole)
}

// without adds the removals of files that are there.
func (q *proposal) without(ctx context.Context, c change, removed map[string]bool, there map[string]blobID, whole bool) (change, error) {
	for name := range removed {
		_, is := there[name]
		if !is && !whole {
			err := q.head.at(ctx, http.MethodGet, append([]string{"contents"}, segments(name)...), nil, nil)
			is = err == nil
		}
		if is {
			c.entries = append(c.entries, treeEntry{Path: name, Mode: "100644", Type: "blob"})
		}
	}
	slices.SortFunc(c.entries, func(a, b treeEntry) int { return strings.Compare(a.Path, b.Path) })
	return c, nil
}

// targetFolder returns the folder of the repository that a target path names.
func targetFolder(name string) (string, error) {
	clean := path.Clean(strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "/"))
	if clean == ".." || strings.HasPrefix(clean, "../") || slices.ContainsFunc(segments(clean), func(s string) bool { return strings.EqualFold(s, ".git") }) {
		return "", catalog.NewError(catalog.NameInput, fmt.Sprintf("targetPath: %.100q leads out of the repository", name))
	}
	if clean == "." {
		return "", nil
	}
	return clean, nil
}

// follows tells whether a file is a link to something that is there: such links
// are left out, as in the reference, and broken ones are kept.
func (q *proposal) follows(f git.File) bool {
	if f.Mode != filemode.Symlink {
		return false
	}
	_, err := q.c.Workspace.Stat(f.Name)
	return err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, catalog.ErrNotAllowed)
}

// A blobID is a file of a tree.
type blobID struct{ mode, sha string }

// tree lists the files of a commit; whole is false where GitHub lists only some.
func (q *proposal) tree(ctx context.Context, base commit) (files map[string]blobID, whole bool, err error) {
	var tree struct {
		Truncated bool
		Tree      []struct{ Path, Mode, Type, SHA string }
	}
	at := escaped([]string{"repos", q.r.Owner, q.r.Repo, "git", "trees", base.SHA}) + "?recursive=1"
	if err := call(ctx, q.head.rest, http.MethodGet, q.inHead(at), nil, &tree); err != nil {
		return nil, false, fmt.Errorf("list the files: %w", err)
	}
	files = make(map[string]blobID, len(tree.Tree))
	for _, e := range tree.Tree {
		if e.Type == "blob" {
			files[e.Path] = blobID{mode: e.Mode, sha: e.SHA}
		}
	}
	return files, !tree.Truncated, nil
}

// inHead turns a path in the repository into that in the one with the branch.
func (q *proposal) inHead(at string) string {
	return strings.Replace(at, escaped([]string{"repos", q.r.Owner, q.r.Repo}), escaped([]string{"repos", q.head.Owner, q.head.Repo}), 1)
}

// send stores a file at GitHub.
func (q *proposal) send(ctx context.Context, data []byte) (*string, error) {
	var blob struct{ SHA string }
	body := map[string]any{"content": base64.StdEncoding.EncodeToString(data), "encoding": "base64"}
	err := q.head.at(ctx, http.MethodPost, []string{"git", "blobs"}, body, &blob)
	return &blob.SHA, err
}

// commit puts the change into the branch. One that an earlier run of the step
// has put there is found.
func (q *proposal) commit(ctx context.Context, c change, there commit, isThere bool) error {
	tree := c.base.Tree
	if len(c.entries) > 0 {
		entries := make([]any, len(c.entries))
		for i, e := range c.entries {
			entries[i] = e
			if e.SHA == nil && e.Content == nil {
				entries[i] = removal{Path: e.Path, Mode: e.Mode, Type: e.Type}
			}
		}
		if err := q.head.at(ctx, http.MethodPost, []string{"git", "trees"}, map[string]any{"base_tree": tree.SHA, "tree": entries}, &tree); err != nil {
			return fmt.Errorf("store the files: %w", err)
		}
	}
	message := or(or(q.in.CommitMessage, q.Defaults.Message), q.in.Title)
	if isThere && !q.in.Update {
		if there.Tree.SHA == tree.SHA && there.Message == message && len(there.Parents) == 1 && there.Parents[0].SHA == c.base.SHA {
			return nil
		}
		return errBranchTaken
	}
	if isThere && len(c.entries) == 0 {
		return nil
	}
	body := map[string]any{"message": message, "tree": tree.SHA, "parents": []string{c.base.SHA}}
	if author := q.author(); author != nil {
		body["author"] = author
	}
	var made commit
	if err := q.head.at(ctx, http.MethodPost, []string{"git", "commits"}, body, &made); err != nil {
		return fmt.Errorf("store the commit: %w", err)
	}
	if isThere {
		return q.head.at(ctx, http.MethodPatch, append([]string{"git", "refs", "heads"}, segments(q.in.BranchName)...), map[string]any{"sha": made.SHA, "force": false}, nil)
	}
	return q.head.at(ctx, http.MethodPost, []string{"git", "refs"}, map[string]any{"ref": "refs/heads/" + q.in.BranchName, "sha": made.SHA}, nil)
}

// author is who the commit is by; nil: the account behind the token.
func (q *proposal) author() map[string]any {
	configured := q.Defaults.Author
	if q.in.ForceEmptyGitAuthor || q.in.GitAuthorName+q.in.GitAuthorEmail+configured.Name+configured.Email == "" {
		return nil
	}
	who := q.Defaults.AuthorOr(q.in.GitAuthorName, q.in.GitAuthorEmail)
	return map[string]any{"name": who.Name, "email": who.Email, "date": time.Now().UTC().Format(time.RFC3339)}
}
