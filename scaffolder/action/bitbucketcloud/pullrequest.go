package bitbucketcloud

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

type pullRequestInput struct {
	RepoURL        string `json:"repoUrl" doc:"The repository, as bitbucket.org?workspace=workspace&project=KEY&repo=name"`
	Title          string `json:"title" doc:"The title, and the message of the commit"`
	Description    string `json:"description,omitempty" doc:"The text below the title"`
	TargetBranch   string `json:"targetBranch,omitempty" doc:"The branch to merge into; the main branch if nothing is said"`
	SourceBranch   string `json:"sourceBranch" doc:"The branch that the pull request is made of; it is made with the files of the workspace if it is not there"`
	Token          string `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
	GitAuthorName  string `json:"gitAuthorName,omitempty" doc:"Who has made the commit"`
	GitAuthorEmail string `json:"gitAuthorEmail,omitempty" doc:"The e-mail address of who has made it"`
}

type pullRequestOutput struct {
	PullRequestURL string `json:"pullRequestUrl" doc:"The page of the pull request"`
}

func (p *publisher) pullRequest() action.Action {
	const id = "publish:bitbucketCloud:pull-request"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true, Description: "Makes a pull request at Bitbucket Cloud from the files of the workspace, or from a branch that is there.",
		Examples: []action.Example{
			{Description: "Make a pull request", Example: example(id, "Ask for the change", "repoUrl: "+exampleURL, "title: Add the service", "sourceBranch: add-service")},
			{Description: "Merge into another branch", Example: example(id, "Ask for the change", "repoUrl: "+exampleURL, "title: Add the service", "description: Made from a template",
				"sourceBranch: add-service", "targetBranch: develop")},
		},
	}, func(ctx context.Context, c *action.Context, in pullRequestInput) (pullRequestOutput, error) {
		t, err := p.open(c, in.RepoURL, in.Token)
		if err != nil {
			return pullRequestOutput{}, err
		}
		q := &proposal{publisher: p, c: c, t: t, in: in}
		page, err := action.Checkpoint(ctx, c, each(c, "create.bitbucketcloud.pr."+t.Workspace+"."+t.Repo+"."+in.SourceBranch), q.make)
		return pullRequestOutput{PullRequestURL: page}, err
	})
}

// A proposal is a pull request that is being made.
type proposal struct {
	*publisher
	c  *action.Context
	t  *target
	in pullRequestInput
}

// make makes the branch and the pull request, or finds those of an earlier run,
// and returns the page.
func (q *proposal) make(ctx context.Context) (string, error) {
	var repo repository
	if err := q.t.at(ctx, http.MethodGet, nil, nil, &repo); err != nil {
		return "", fmt.Errorf("read the repository %s: %w", q.t.name(), err)
	}
	onto := or(q.in.TargetBranch, repo.MainBranch.Name)
	if onto == "" {
		return "", catalog.NewError(catalog.NameInput, fmt.Sprintf("The repository %s has no branch to merge into: publish something to it first", q.t.name()))
	}
	there, err := q.exists(ctx, q.in.SourceBranch)
	if err != nil {
		return "", fmt.Errorf("look for the branch %s: %w", q.in.SourceBranch, err)
	}
	if !there {
		if err := q.push(ctx, repo, onto); err != nil {
			return "", err
		}
	}
	if page, ok, err := q.open(ctx, onto); err != nil || ok {
		return page, err
	}
	page, err := q.propose(ctx, onto)
	if err != nil && !there {
		return "", fmt.Errorf("%w. The branch %s of %s exists now: retry the task to go on with it, or delete the branch", err, q.in.SourceBranch, q.t.name())
	}
	return page, err
}

// exists tells whether there is a branch.
func (q *proposal) exists(ctx context.Context, name string) (found bool, err error) {
	query := url.Values{"q": {"name = " + quoted(name)}}
	err = list(ctx, q.t.Client, q.t.path("refs", "branches"), query, func(b struct{ Name string }) bool {
		found = b.Name == name
		return found
	})
	return found, err
}

// push makes the branch: one commit with the files of the workspace on top of
// that to merge into. It is there as a whole or not at all.
func (q *proposal) push(ctx context.Context, repo repository, onto string) error {
	is, err := repo.made()
	if err != nil {
		return err
	}
	at, err := git.Now(ctx, q.c, q.t.name()+"."+q.in.SourceBranch)
	if err != nil {
		return err
	}
	into, err := q.c.TempDir()
	if err != nil {
		return err
	}
	defer into.Close()
	remote := q.t.remote(is.CloneURL, q.publisher)
	base, err := git.Fetch(ctx, remote, onto, into)
	if err != nil {
		return err
	}
	commit, changed, err := base.Save(ctx, q.c.Workspace, git.Commit{Dir: ".", Branch: q.in.SourceBranch, Message: q.in.Title,
		Author: q.Defaults.AuthorOr(q.in.GitAuthorName, q.in.GitAuthorEmail), Time: at, Key: q.Defaults.Signing.Key(q.t.Host)})
	if err != nil {
		return err
	}
	if !changed {
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("There is nothing to propose: the branch %s has all files of the workspace as they are", onto))
	}
	return commit.Push(ctx, remote, q.in.SourceBranch)
}

// A pullRequest is what Bitbucket says of one.
type pullRequest struct {
	Links struct{ HTML struct{ Href string } }
}

// open finds the open pull request of the branch.
func (q *proposal) open(ctx context.Context, onto string) (page string, found bool, err error) {
	query := url.Values{"q": {`state = "OPEN" AND source.branch.name = ` + quoted(q.in.SourceBranch) + " AND destination.branch.name = " + quoted(onto)}}
	err = list(ctx, q.t.Client, q.t.path("pullrequests"), query, func(pr pullRequest) bool {
		page, found = pr.Links.HTML.Href, true
		return true
	})
	if err != nil {
		return "", false, fmt.Errorf("look for a pull request of the branch %s: %w", q.in.SourceBranch, err)
	}
	return page, found, nil
}

func (q *proposal) propose(ctx context.Context, onto string) (string, error) {
	end := func(branch string) map[string]any { return map[string]any{"branch": map[string]any{"name": branch}} }
	body := map[string]any{"title": q.in.Title, "summary": map[string]any{"raw": q.in.Description}, "source": end(q.in.SourceBranch), "destination": end(onto)}
	var pr pullRequest
	err := q.t.at(ctx, http.MethodPost, []string{"pullrequests"}, body, &pr)
	if err == nil {
		q.c.Infof("Created the pull request %s", pr.Links.HTML.Href)
		return pr.Links.HTML.Href, nil
	}
	// A host that fails while it makes a pull request may have made it.
	if page, ok, lookErr := q.open(ctx, onto); lookErr == nil && ok {
		return page, nil
	}
	return "", fmt.Errorf("make the pull request: %w", err)
}
