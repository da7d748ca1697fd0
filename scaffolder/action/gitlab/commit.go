package gitlab

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

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

// A fileAction is what a commit does to one file, as GitLab is told.
type fileAction struct {
	Action   string `json:"action"`
	FilePath string `json:"file_path"`
	Content  string `json:"content,omitempty"`
	Encoding string `json:"encoding,omitempty"`
	Execute  *bool  `json:"execute_filemode,omitempty"`
}

const (
	// maxFile bounds a file, maxCommit the files of a commit together: they are
	// sent in one request, as text.
	maxFile   = 100 << 20
	maxCommit = 200 << 20
)

// Actions of commits, as inputs name them.
const (
	auto     = "auto"
	create   = "create"
	update   = "update"
	remove   = "delete"
	nothing  = "skip"
	blobType = "blob"
)

// A sending is a folder of the workspace on its way into a branch.
type sending struct {
	c          *action.Context
	t          *target
	project    string // its id in URLs
	sourcePath string
	targetPath string
	action     string
}

// folders returns where the files are in the workspace and where they go to.
// Without a source path they are below the target path in the workspace, if
// there is such a folder.
func (s *sending) folders() (from, to string, err error) {
	to = path.Clean(strings.TrimLeft(strings.ReplaceAll(s.targetPath, `\`, "/"), "/"))
	if to == ".." || strings.HasPrefix(to, "../") || slices.Contains(strings.Split(strings.ToLower(to), "/"), ".git") {
		return "", "", catalog.NewError(catalog.NameInput, fmt.Sprintf("targetPath: %.100q leads out of the repository", s.targetPath))
	}
	from = s.sourcePath
	if from == "" && to != "." {
		if info, err := s.c.Workspace.Stat(to); err == nil && info.IsDir() {
			from = to
		}
	}
	from, err = git.SourceDir(s.c.Workspace, from)
	return from, to, err
}

// A remoteFile is one of a branch.
type remoteFile struct{ ID, Path, Type, Mode string }

// there lists the files of a branch. An empty repository has none.
func (s *sending) there(ctx context.Context, branch string) (map[string]remoteFile, error) {
	out := map[string]remoteFile{}
	err := list(ctx, s.t.api, []string{"projects", s.project, "repository", "tree"}, paged{Ref: branch, Recursive: true}, func(f remoteFile) bool {
		if f.Type == blobType {
			out[f.Path] = f
		}
		return false
	})
	if status(err) == http.StatusNotFound {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the files of branch %s: %w", branch, err)
	}
	return out, nil
}

// actions compares the workspace with a branch. Links to what is there are left
// out, and so are broken ones, which GitLab's API cannot make.
func (s *sending) actions(ctx context.Context, branch string) ([]fileAction, error) {
	if s.action == nothing {
		return nil, nil
	}
	from, to, err := s.folders()
	if err != nil {
		return nil, err
	}
	var remote map[string]remoteFile
	if s.action == auto {
		if remote, err = s.there(ctx, branch); err != nil {
			return nil, err
		}
	}
	var out []fileAction
	var size int64
	err = git.Visit(ctx, s.c.Workspace, from, func(f git.File) error {
		if f.Mode == filemode.Symlink {
			if _, err := s.c.Workspace.Stat(f.Name); errors.Is(err, fs.ErrNotExist) {
				s.c.Warnf("The link %s leads nowhere and is left out", f.Path)
			}
			return nil
		}
		if size += f.Size; size > maxCommit {
			return catalog.NewError(catalog.NameInput, fmt.Sprintf("the files have more than %d MiB: leave some out with .gitignore or sourcePath", maxCommit>>20))
		}
		a, ok, err := s.one(f, path.Join(to, f.Path), remote)
		if ok {
			out = append(out, a)
		}
		return err
	})
	return out, err
}

// one says what is done to a file; ok is false for nothing.
func (s *sending) one(f git.File, name string, remote map[string]remoteFile) (a fileAction, ok bool, err error) {
	if s.action == remove {
		return fileAction{Action: remove, FilePath: name}, true, nil
	}
	data, err := f.Content(maxFile)
	if err != nil {
		return a, false, fmt.Errorf("%s: %w", f.Path, err)
	}
	executable := f.Mode == filemode.Executable
	a = fileAction{Action: s.action, FilePath: name, Content: base64.StdEncoding.EncodeToString(data), Encoding: "base64", Execute: &executable}
	if s.action != auto {
		return a, true, nil
	}
	a.Action = create
	if is, known := remote[name]; known {
		a.Action = update
		if is.ID == plumbing.ComputeHash(plumbing.BlobObject, data).String() && is.Mode == fmt.Sprintf("%06o", uint32(f.Mode)) {
			return a, false, nil
		}
	}
	return a, true, nil
}

// branchExists asks whether there is a branch.
func (s *sending) branchExists(ctx context.Context, name string) (bool, error) {
	err := s.t.call(ctx, http.MethodGet, []string{"projects", s.project, "repository", "branches", name}, nil, nil)
	if status(err) == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}

// makeBranch makes a branch at another one.
func (s *sending) makeBranch(ctx context.Context, name, ref string) error {
	err := s.t.call(ctx, http.MethodPost, []string{"projects", s.project, "repository", "branches"}, map[string]any{"branch": name, "ref": ref}, nil)
	if err != nil && !saysThat(err, "already exists") {
		return fmt.Errorf("make the branch %s at %s: %w", name, ref, err)
	}
	return nil
}

// commit commits to a branch, and returns the hash.
func (s *sending) commit(ctx context.Context, branch, message string, actions []fileAction) (string, error) {
	var made struct{ ID string }
	body := map[string]any{"branch": branch, "commit_message": message, "actions": actions}
	if actions == nil {
		body["actions"] = []fileAction{}
	}
	if err := s.t.call(ctx, http.MethodPost, []string{"projects", s.project, "repository", "commits"}, body, &made); err != nil {
		return "", catalog.WrapError(catalog.NameInput, fmt.Sprintf("Committing the changes to %s failed. Please check that none of the files created by the template already exists", branch), err)
	}
	return made.ID, nil
}

// A head is the commit of a branch.
type head struct {
	Commit struct {
		ID      string   `json:"id"`
		Message string   `json:"message"`
		Parents []string `json:"parent_ids"`
	} `json:"commit"`
}

// head returns the commit of a branch, if there is one.
func (s *sending) head(ctx context.Context, branch string) (h head, ok bool) {
	err := s.t.call(ctx, http.MethodGet, []string{"projects", s.project, "repository", "branches", branch}, nil, &h)
	return h, err == nil
}

type pushInput struct {
	RepoURL       string `json:"repoUrl" doc:"The project, as gitlab.com?owner=group&repo=name"`
	BranchName    string `json:"branchName" doc:"The branch; made at the default branch if it is not there"`
	CommitMessage string `json:"commitMessage" doc:"The message of the commit"`
	SourcePath    string `json:"sourcePath,omitempty" doc:"The folder of the workspace that is taken"`
	TargetPath    string `json:"targetPath,omitempty" doc:"The folder of the repository that the files go to"`
	Token         string `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	CommitAction  string `json:"commitAction,omitempty" enum:"create,update,delete,auto" doc:"What is done to the files; auto, which finds out, if nothing is said"`
	AllowEmpty    bool   `json:"allowEmpty,omitempty" doc:"Make a commit even if there are no changes"`
}

type pushOutput struct {
	ProjectID   string `json:"projectid" doc:"The path of the project"`
	ProjectPath string `json:"projectPath" doc:"The path of the project"`
	CommitHash  string `json:"commitHash,omitempty" doc:"The hash of the commit"`
}

func (p *publisher) push() action.Action {
	const id = "gitlab:repo:push"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true, Description: "Commits files of the workspace to a branch of a GitLab project.",
		Examples: []action.Example{{Description: "Push a folder to a branch", Example: example(id, "Push", "branchName: add-service", "commitMessage: Add the service", "sourcePath: out")}},
	}, func(ctx context.Context, c *action.Context, in pushInput) (pushOutput, error) {
		t, err := p.project(c, in.RepoURL, in.Token)
		if err != nil {
			return pushOutput{}, err
		}
		s := &sending{c: c, t: t, project: t.path(), sourcePath: in.SourcePath, targetPath: in.TargetPath, action: or(in.CommitAction, auto)}
		key := each(c, "commit.create."+t.path()+"."+in.BranchName)
		hash, err := action.Checkpoint(ctx, c, key, func(ctx context.Context) (string, error) { return s.push(ctx, in) })
		return pushOutput{ProjectID: t.path(), ProjectPath: t.path(), CommitHash: hash}, err
	})
}

// pushed returns the commit that an earlier run of the step has made on top of
// where it began, "" if there is none.
func (s *sending) pushed(ctx context.Context, in pushInput, base string) (string, error) {
	key := each(s.c, "begin.push."+s.project+"."+in.BranchName)
	before, err := action.Checkpoint(ctx, s.c, key, func(ctx context.Context) (string, error) {
		h, _ := s.head(ctx, base)
		return h.Commit.ID, nil
	})
	if err != nil {
		return "", err
	}
	now, ok := s.head(ctx, in.BranchName)
	c := now.Commit
	if !ok || c.ID == before || c.Message != in.CommitMessage || before != "" && (len(c.Parents) != 1 || c.Parents[0] != before) {
		return "", nil
	}
	return c.ID, nil
}

// push makes the branch and the commit.
func (s *sending) push(ctx context.Context, in pushInput) (string, error) {
	var of project
	if err := s.t.call(ctx, http.MethodGet, []string{"projects", s.project}, nil, &of); err != nil {
		return "", fmt.Errorf("read the project %s: %w", s.project, err)
	}
	is, err := s.branchExists(ctx, in.BranchName)
	if err != nil {
		return "", err
	}
	base := in.BranchName
	if !is {
		base = of.DefaultBranch
	}
	if done, err := s.pushed(ctx, in, base); done != "" || err != nil {
		return done, err
	}
	actions, err := s.actions(ctx, base)
	if err != nil {
		return "", err
	}
	if len(actions) == 0 && !in.AllowEmpty {
		s.c.Warnf("There are no changes to commit to %s: nothing was pushed", in.BranchName)
		return "", nil
	}
	if !is && base != "" && base != in.BranchName { // the first commit makes the first branch
		if err := s.makeBranch(ctx, in.BranchName, base); err != nil {
			return "", err
		}
	}
	return s.commit(ctx, in.BranchName, in.CommitMessage, actions)
}
