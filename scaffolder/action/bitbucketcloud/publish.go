package bitbucketcloud

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/action/rest"
)

type publishInput struct {
	RepoURL          string `json:"repoUrl" doc:"The repository, as bitbucket.org?workspace=workspace&project=KEY&repo=name"`
	Description      string `json:"description,omitempty" doc:"What the repository is for"`
	DefaultBranch    string `json:"defaultBranch,omitempty" doc:"The branch that is pushed to; master if nothing is said"`
	RepoVisibility   string `json:"repoVisibility,omitempty" enum:"private,public" doc:"Who may see the repository; private if nothing is said"`
	GitCommitMessage string `json:"gitCommitMessage,omitempty" doc:"The message of the commit"`
	SourcePath       string `json:"sourcePath,omitempty" doc:"The folder of the workspace that is published; all of it if nothing is said"`
	Token            string `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
	SignCommit       bool   `json:"signCommit,omitempty" doc:"Sign the commit with the configured key"`
}

func (in publishInput) branch() string { return or(in.DefaultBranch, "master") }

type published struct {
	RemoteURL       string `json:"remoteUrl,omitempty" doc:"The URL to clone from"`
	RepoContentsURL string `json:"repoContentsUrl,omitempty" doc:"The URL of the root of the repository"`
	CommitHash      string `json:"commitHash,omitempty" doc:"The hash of the commit"`
}

// A repository is what Bitbucket says of one.
type repository struct {
	Description string
	MainBranch  struct{ Name string }
	Links       struct {
		HTML  struct{ Href string }
		Clone []struct{ Name, Href string }
	}
}

// made is a repository that there is, as it is kept in a checkpoint.
type made struct {
	CloneURL string `json:"clone"`
	Page     string `json:"page"`
}

// made takes the URLs of a repository, without the user that Bitbucket puts into
// that to clone from.
func (r repository) made() (made, error) {
	m := made{Page: r.Links.HTML.Href}
	for _, clone := range r.Links.Clone {
		if u, err := url.Parse(clone.Href); err == nil && (clone.Name == "https" || clone.Name == "http") {
			u.User = nil
			m.CloneURL = u.String()
		}
	}
	if m.CloneURL == "" || m.Page == "" {
		return m, fmt.Errorf("the answer of the host has no URL of the repository")
	}
	return m, nil
}

func (p *publisher) publish() action.Action {
	const id = "publish:bitbucketCloud"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true,
		Description: "Makes a repository at Bitbucket Cloud and pushes the workspace, or a folder of it, as its first commit.",
		Examples: []action.Example{
			{Description: "Publish the workspace", Example: example(id, "Publish", "repoUrl: "+exampleURL)},
			{Description: "Publish a folder to a public repository", Example: example(id, "Publish", "repoUrl: "+exampleURL, "repoVisibility: public", "defaultBranch: main", "sourcePath: service")},
		},
	}, func(ctx context.Context, c *action.Context, in publishInput) (out published, err error) {
		t, err := p.open(c, in.RepoURL, in.Token)
		if err != nil {
			return out, err
		}
		m := &creation{publisher: p, c: c, t: t, in: in}
		if m.key, err = p.Defaults.Signing.Required(t.Host, in.SignCommit); err != nil {
			return out, err
		}
		if m.dir, err = git.SourceDir(c.Workspace, in.SourcePath); err != nil {
			return out, err
		}
		repo, err := action.Checkpoint(ctx, c, each(c, "create.bitbucketcloud.repo."+t.Workspace+"."+t.Repo), m.create)
		if err != nil {
			return out, err
		}
		hash, err := m.complete(ctx, repo)
		if err != nil {
			return out, fmt.Errorf("%w. The repository %s exists now and is not complete: retry the task to go on with it, or delete it at %s/admin", err, repo.Page, repo.Page)
		}
		return published{RemoteURL: repo.CloneURL, RepoContentsURL: repo.Page + "/src/" + in.branch(), CommitHash: hash}, nil
	})
}

// A creation makes one repository.
type creation struct {
	*publisher
	c   *action.Context
	t   *target
	in  publishInput
	dir string
	key *git.SigningKey // nil: the commit is not signed
}

// marker is the description of a repository whose content is not there yet. It
// tells this task from all others.
func (m *creation) marker() string {
	return "Greenroom is setting up this repository, task " + m.c.TaskID
}

func (m *creation) body(description string) map[string]any {
	return map[string]any{"scm": "git", "description": description, "is_private": or(m.in.RepoVisibility, "private") == "private",
		"project": map[string]any{"key": m.t.Project}}
}

// create makes the repository, or goes on with one that this task has begun.
func (m *creation) create(ctx context.Context) (made, error) {
	var repo repository
	err := m.t.at(ctx, http.MethodPost, nil, m.body(m.marker()), &repo)
	if err == nil {
		m.c.Infof("Created the repository %s", repo.Links.HTML.Href)
		return repo.made()
	}
	// A host that fails while it makes a repository may have made it.
	if strings.Contains(strings.ToLower(err.Error()), "already exists") || rest.Unsure(err) {
		if m.t.at(ctx, http.MethodGet, nil, nil, &repo) == nil && repo.Description == m.marker() {
			m.c.Infof("Going on with the repository %s, which this task has begun", repo.Links.HTML.Href)
			return repo.made()
		}
	}
	return made{}, fmt.Errorf("create the repository %s: %w", m.t.name(), err)
}

// complete does all that comes after the repository was made. All of it may be
// done again.
func (m *creation) complete(ctx context.Context, repo made) (hash string, err error) {
	at, err := git.Now(ctx, m.c, m.t.name())
	if err != nil {
		return "", err
	}
	commit, err := git.Save(ctx, m.c.Workspace, git.Commit{Dir: m.dir, Branch: m.in.branch(), Message: m.Defaults.MessageOr(m.in.GitCommitMessage),
		Author: m.Defaults.AuthorOr("", ""), Time: at, Key: m.key})
	if err != nil {
		return "", err
	}
	if err := commit.Push(ctx, m.t.remote(repo.CloneURL, m.publisher), m.in.branch()); err != nil {
		return "", err
	}
	return commit.Hash(), m.t.at(ctx, http.MethodPut, nil, m.body(m.in.Description), nil)
}

// remote is where Git finds the repository.
func (t *target) remote(cloneURL string, p *publisher) git.Remote {
	return git.Remote{URL: cloneURL, User: t.account.User, Password: t.account.Password, Sleep: p.Sleep}
}
