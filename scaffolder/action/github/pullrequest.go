package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

type pullRequestInput struct {
	RepoURL             string   `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	BranchName          string   `json:"branchName" doc:"The branch that the pull request is made of"`
	FilesToDelete       []string `json:"filesToDelete,omitempty" doc:"Files that the pull request removes"`
	TargetBranchName    string   `json:"targetBranchName,omitempty" doc:"The branch to merge into; the default branch if nothing is said"`
	Title               string   `json:"title" doc:"The title"`
	Description         string   `json:"description" doc:"The text below the title"`
	Draft               bool     `json:"draft,omitempty" doc:"It is a draft"`
	SourcePath          string   `json:"sourcePath,omitempty" doc:"The folder of the workspace that is taken; all of it if nothing is said"`
	TargetPath          string   `json:"targetPath,omitempty" doc:"The folder of the repository that the files go to"`
	Token               string   `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
	Reviewers           []string `json:"reviewers,omitempty" doc:"Users that are asked for a review"`
	Assignees           []string `json:"assignees,omitempty" doc:"Users that it is assigned to"`
	TeamReviewers       []string `json:"teamReviewers,omitempty" doc:"Teams that are asked for a review"`
	CommitMessage       string   `json:"commitMessage,omitempty" doc:"The message of the commit; the title if nothing is said"`
	Update              bool     `json:"update,omitempty" doc:"Add to a pull request of that branch, if there is one"`
	ForceFork           bool     `json:"forceFork,omitempty" doc:"Make the branch in a fork"`
	GitAuthorName       string   `json:"gitAuthorName,omitempty" doc:"Who has made the commit"`
	GitAuthorEmail      string   `json:"gitAuthorEmail,omitempty" doc:"The e-mail address of who has made it"`
	ForceEmptyGitAuthor bool     `json:"forceEmptyGitAuthor,omitempty" doc:"Let GitHub fill in the author, so that it signs the commit"`
	CreateWhenEmpty     *bool    `json:"createWhenEmpty,omitempty" doc:"Make a pull request even if there are no changes; true if nothing is said"`
}

type pullRequestOutput struct {
	TargetBranchName  string  `json:"targetBranchName" doc:"The branch to merge into"`
	RemoteURL         string  `json:"remoteUrl" doc:"The page of the pull request"`
	PullRequestNumber float64 `json:"pullRequestNumber" doc:"Its number"`
}

func (p *publisher) pullRequest() action.Action {
	const id = "publish:github:pull-request"
	output, _ := action.Schema(typeOf[pullRequestOutput]())
	return action.New(action.Spec{
		ID: id, DryRun: true, Repeatable: true, Output: withDialect(output),
		Description: "Makes a pull request on GitHub from the files of the workspace.",
		Examples: []action.Example{
			{Description: "Make a pull request", Example: example(id, "Ask for the change", "branchName: add-service", "title: Add the service", "description: Made from a template")},
			{Description: "Put a folder into another one, and ask a team for a review", Example: example(id, "Ask for the change", "branchName: add-service",
				"title: Add the service", "description: Made from a template", "sourcePath: out", "targetPath: services/shop", "teamReviewers:", "  - platform")},
		},
	}, func(ctx context.Context, c *action.Context, in pullRequestInput) error {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		if c.DryRun {
			c.Infof("Performing dry run of creating pull request")
			c.Infof("Dry run complete")
			c.Output("targetBranchName", in.BranchName)
			c.Output("remoteUrl", in.RepoURL)
			c.Output("pullRequestNumber", 43.0)
			return nil
		}
		dir, err := git.SourceDir(c.Workspace, in.SourcePath)
		if err != nil {
			return err
		}
		q := &proposal{publisher: p, c: c, r: r, in: in, dir: dir}
		out, err := action.Checkpoint(ctx, c, each(c, "create.pr."+r.Owner+"."+r.Repo+"."+in.BranchName), q.make)
		if err != nil {
			return catalog.WrapError(catalog.NameError, "Pull request creation failed", err)
		}
		q.output(out)
		return nil
	})
}

// A proposal is a pull request that is being made.
type proposal struct {
	*publisher
	c   *action.Context
	r   *repository // that is to be changed
	in  pullRequestInput
	dir string

	head   *repository // that has the branch: r or a fork
	target string
}

// A pullRequest is one that there is.
type pullRequest struct {
	Number  int    `json:"number"`
	HTMLURL string `json:"html_url"`
	// Target is the branch to merge into; "" where nothing was to be done.
	Target string `json:"target"`
}

func (q *proposal) output(pr pullRequest) {
	if pr.Target == "" {
		return
	}
	q.c.Output("targetBranchName", pr.Target)
	q.c.Output("remoteUrl", pr.HTMLURL)
	q.c.Output("pullRequestNumber", float64(pr.Number))
}

// make makes the branch and the pull request, or finds those of an earlier run.
func (q *proposal) make(ctx context.Context) (pullRequest, error) {
	repo, err := q.locate(ctx)
	if err != nil {
		return pullRequest{}, err
	}
	q.target = or(q.in.TargetBranchName, repo.DefaultBranch)
	// The branch may move on before the step is run again; what it had begun is
	// recognised by where it began.
	key := each(q.c, "base.pr."+q.r.Owner+"."+q.r.Repo+"."+q.in.BranchName)
	base, err := action.Checkpoint(ctx, q.c, key, func(ctx context.Context) (commit, error) { return q.r.branch(ctx, q.target) })
	if err != nil {
		return pullRequest{}, fmt.Errorf("read the branch %s: %w", q.target, err)
	}
	there, err := q.head.branch(ctx, q.in.BranchName)
	isThere := err == nil
	switch {
	case err != nil && status(err) != http.StatusNotFound:
		return pullRequest{}, err
	case isThere && q.in.Update:
		base = there
	}
	change, err := q.change(ctx, base)
	if err != nil {
		return pullRequest{}, err
	}
	if len(change.entries) == 0 && q.in.CreateWhenEmpty != nil && !*q.in.CreateWhenEmpty {
		q.c.Infof("No changes to commit, pull request was not created")
		return pullRequest{}, nil
	}
	if err := q.commit(ctx, change, there, isThere); err != nil {
		return pullRequest{}, err
	}
	pr, err := q.propose(ctx)
	if err != nil {
		return pullRequest{}, fmt.Errorf("%w. The branch %s of %s exists now: retry the task to go on with it, or delete the branch", err, q.in.BranchName, q.head.Slug())
	}
	q.askForReviews(ctx, pr)
	pr.Target = q.target
	return pr, nil
}

// locate looks at the repository, and finds or makes the fork if one is needed.
func (q *proposal) locate(ctx context.Context) (described, error) {
	var repo described
	if err := q.r.at(ctx, http.MethodGet, nil, nil, &repo); err != nil {
		return repo, fmt.Errorf("read the repository %s: %w", q.r.Slug(), err)
	}
	q.head = q.r
	mayPush, known := repo.Permissions["push"]
	if !q.in.ForceFork && (mayPush || !known) {
		return repo, nil
	}
	var fork struct {
		Name  string
		Owner struct{ Login string }
	}
	if err := q.r.at(ctx, http.MethodPost, []string{"forks"}, map[string]any{}, &fork); err != nil {
		return repo, fmt.Errorf("fork %s: %w", q.r.Slug(), err)
	}
	at := q.r.RepoURL
	at.Owner, at.Repo = fork.Owner.Login, fork.Name
	head, err := newRepository(at, q.r.account)
	if err != nil {
		return repo, err
	}
	q.head = head
	return repo, q.awaitFork(ctx, or(q.in.TargetBranchName, repo.DefaultBranch))
}

const forkAttempts = 10

// awaitFork waits until a fork has its branches: GitHub copies them later.
func (q *proposal) awaitFork(ctx context.Context, branch string) error {
	pause := 500 * time.Millisecond
	for attempt := 1; ; attempt++ {
		_, err := q.head.branch(ctx, branch)
		if err == nil {
			return nil
		}
		if attempt == forkAttempts || status(err) != http.StatusNotFound && status(err) != http.StatusConflict {
			return fmt.Errorf("the fork %s is not ready: %w", q.head.Slug(), err)
		}
		if err := q.Sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(pause*2, 8*time.Second)
	}
}

// branch returns the commit of a branch.
func (r *repository) branch(ctx context.Context, name string) (commit, error) {
	var ref struct{ Object struct{ SHA string } }
	if err := r.at(ctx, http.MethodGet, append([]string{"git", "ref", "heads"}, segments(name)...), nil, &ref); err != nil {
		return commit{}, err
	}
	var c commit
	err := r.at(ctx, http.MethodGet, []string{"git", "commits", ref.Object.SHA}, nil, &c)
	return c, err
}

// propose makes the pull request, or finds the one that there is of the branch.
func (q *proposal) propose(ctx context.Context) (pullRequest, error) {
	head := q.in.BranchName
	if q.head != q.r {
		head = q.head.Owner + ":" + head
	}
	body := map[string]any{"title": q.in.Title, "body": q.in.Description, "head": head, "base": q.target, "draft": q.in.Draft, "maintainer_can_modify": false}
	if q.in.Update {
		if pr, ok := q.open(ctx); ok {
			err := q.r.at(ctx, http.MethodPatch, []string{"pulls", fmt.Sprint(pr.Number)}, map[string]any{"title": q.in.Title, "body": q.in.Description}, nil)
			return pr, err
		}
	}
	var pr pullRequest
	err := q.r.at(ctx, http.MethodPost, []string{"pulls"}, body, &pr)
	if err == nil {
		return pr, nil
	}
	if saysThat(err, "already exists") || status(err) >= http.StatusInternalServerError || status(err) == 0 {
		if found, ok := q.open(ctx); ok {
			return found, nil
		}
	}
	return pullRequest{}, err
}

// open finds the open pull request of the branch.
func (q *proposal) open(ctx context.Context) (pullRequest, bool) {
	query := url.Values{"head": {q.head.Owner + ":" + q.in.BranchName}, "base": {q.target}, "state": {"open"}}
	var found []pullRequest
	path := escaped([]string{"repos", q.r.Owner, q.r.Repo, "pulls"}) + "?" + query.Encode()
	if err := call(ctx, q.r.rest, http.MethodGet, path, nil, &found); err != nil || len(found) == 0 {
		return pullRequest{}, false
	}
	return found[0], true
}

// askForReviews asks those of the input; it is no reason to fail.
func (q *proposal) askForReviews(ctx context.Context, pr pullRequest) {
	number := fmt.Sprint(pr.Number)
	if len(q.in.Reviewers)+len(q.in.TeamReviewers) > 0 {
		body := map[string]any{"reviewers": orEmpty(q.in.Reviewers), "team_reviewers": orEmpty(q.in.TeamReviewers)}
		if err := q.r.at(ctx, http.MethodPost, []string{"pulls", number, "requested_reviewers"}, body, nil); err != nil {
			q.c.Log.Error(fmt.Sprintf("Nobody was asked for a review of pull request %s: %s", number, err))
		}
	}
	if len(q.in.Assignees) > 0 {
		if err := q.r.at(ctx, http.MethodPost, []string{"issues", number, "assignees"}, map[string]any{"assignees": q.in.Assignees}, nil); err != nil {
			q.c.Log.Error(fmt.Sprintf("Pull request %s was not assigned: %s", number, err))
		}
	}
}

// errBranchTaken is wrapped where the branch has commits of somebody else.
var errBranchTaken = errors.New("the branch exists already; choose another branchName, or set update: true to add to it")
