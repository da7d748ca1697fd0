package github

import (
	"context"
	"fmt"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

type publishInput struct {
	RepoURL string `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	repositoryInput
	protectionInput
	commitInput
}

type published struct {
	RemoteURL       string `json:"remoteUrl" doc:"The URL to clone from"`
	RepoContentsURL string `json:"repoContentsUrl" doc:"The URL of the root of the repository"`
	CommitHash      string `json:"commitHash" doc:"The hash of the commit"`
}

// example writes a step of a template.
func example(id, name string, lines ...string) string {
	out := "steps:\n  - id: step\n    name: " + name + "\n    action: " + id + "\n    input:\n      repoUrl: github.com?owner=acme&repo=shop\n"
	for _, line := range lines {
		out += "      " + line + "\n"
	}
	return out
}

var retired = map[string]string{"allowedHosts": retiredHosts}

func (p *publisher) publish() action.Action {
	const id = "publish:github"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true, Retired: retired,
		Description: "Makes a GitHub repository and pushes the workspace, or a folder of it, as its first commit.",
		Examples: []action.Example{
			{Description: "Publish the workspace", Example: example(id, "Publish")},
			{Description: "Publish a folder to a public repository with topics", Example: example(id, "Publish", "repoVisibility: public",
				"defaultBranch: main", "sourcePath: service", "topics:", "  - go", "  - service")},
		},
	}, func(ctx context.Context, c *action.Context, in publishInput) (out published, err error) {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return out, err
		}
		dir, err := git.SourceDir(c.Workspace, in.SourcePath)
		if err != nil {
			return out, err
		}
		m := &creation{publisher: p, c: c, r: r, in: in.repositoryInput, marked: true}
		repo, err := action.Checkpoint(ctx, c, each(c, "create.github.repo."+r.Owner+"."+r.Repo), m.run)
		if err != nil {
			return out, err
		}
		hash, err := p.pushTo(ctx, c, r, repo, dir, in.commitInput, p.Defaults.MessageOr(in.GitCommitMessage))
		if err == nil {
			err = m.finish(ctx)
		}
		if err != nil {
			return out, left(err, repo)
		}
		return p.done(ctx, c, r, repo, hash, in.commitInput, in.protectionInput)
	})
}

// pushTo commits a folder and pushes it.
func (p *publisher) pushTo(ctx context.Context, c *action.Context, r *repository, repo made, dir string, in commitInput, message string) (string, error) {
	at, err := git.Now(ctx, c, r.Owner+"."+r.Repo)
	if err != nil {
		return "", err
	}
	commit, err := git.Save(ctx, c.Workspace, git.Commit{Dir: dir, Branch: in.branch(), Message: message,
		Author: p.Defaults.AuthorOr(in.GitAuthorName, in.GitAuthorEmail), Time: at, Key: p.Defaults.Signing.Key(r.Host)})
	if err != nil {
		return "", err
	}
	remote := git.Remote{URL: repo.CloneURL, User: "x-access-token", Password: r.account.Token, Sleep: p.Sleep}
	return commit.Hash(), commit.Push(ctx, remote, in.branch())
}

// done protects the branch and tells what there is.
func (p *publisher) done(ctx context.Context, c *action.Context, r *repository, repo made, hash string, in commitInput, protection protectionInput) (published, error) {
	if yes(in.ProtectDefaultBranch, true) {
		if err := p.protectDefault(ctx, c, r, in.branch(), protection, yes(in.ProtectEnforceAdmins, true)); err != nil {
			return published{}, err
		}
	}
	return published{RemoteURL: repo.CloneURL, RepoContentsURL: repo.HTMLURL + "/blob/" + in.branch(), CommitHash: hash}, nil
}

type createInput struct {
	RepoURL string `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	repositoryInput
	AutoInit       *bool  `json:"autoInit,omitempty" default:"false" doc:"Begin with a commit that has a README"`
	WorkflowAccess string `json:"workflowAccess,omitempty" enum:"none,organization,user" doc:"Whose workflows may use those of the repository"`
}

type created struct {
	RemoteURL       string `json:"remoteUrl" doc:"The URL to clone from"`
	RepoContentsURL string `json:"repoContentsUrl" doc:"The URL of the root of the repository"`
}

func (p *publisher) createRepository() action.Action {
	const id = "github:repo:create"
	output, _ := action.Schema(typeOf[created]())
	return action.New(action.Spec{
		ID: id, Repeatable: true, Output: withDialect(output),
		Description: "Makes an empty GitHub repository.",
		Examples: []action.Example{
			{Description: "Make a private repository", Example: example(id, "Make the repository")},
			{Description: "Make a repository that a team administers", Example: example(id, "Make the repository", "access: acme/platform", "autoInit: true")},
		},
	}, func(ctx context.Context, c *action.Context, in createInput) error {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		m := &creation{publisher: p, c: c, r: r, in: in.repositoryInput, marked: true, more: map[string]any{"auto_init": yes(in.AutoInit, false)}}
		repo, err := action.Checkpoint(ctx, c, each(c, "create.repo.and.topics."+r.Owner+"."+r.Repo), m.run)
		if err != nil {
			return err
		}
		if in.WorkflowAccess != "" {
			err = r.at(ctx, "PUT", []string{"actions", "permissions", "access"}, map[string]any{"access_level": in.WorkflowAccess}, nil)
		}
		if err == nil {
			err = m.finish(ctx)
		}
		if err != nil {
			return left(err, repo)
		}
		c.Output("remoteUrl", repo.CloneURL)
		return nil
	})
}

type pushInput struct {
	RepoURL string `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	protectionInput
	commitInput
	Token string `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

func (p *publisher) push() action.Action {
	const id = "github:repo:push"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true,
		Description: "Pushes the workspace, or a folder of it, to a GitHub repository that is there already.",
		Examples: []action.Example{
			{Description: "Push the workspace", Example: example(id, "Push")},
			{Description: "Push a folder without protecting the branch", Example: example(id, "Push", "sourcePath: service", "protectDefaultBranch: false")},
		},
	}, func(ctx context.Context, c *action.Context, in pushInput) (out published, err error) {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return out, err
		}
		dir, err := git.SourceDir(c.Workspace, in.SourcePath)
		if err != nil {
			return out, err
		}
		var repo described
		if err := r.at(ctx, "GET", nil, nil, &repo); err != nil {
			return out, fmt.Errorf("read the repository %s: %w", r.Slug(), err)
		}
		// The configured message counts for publish:github alone.
		hash, err := p.pushTo(ctx, c, r, repo.made, dir, in.commitInput, or(in.GitCommitMessage, "initial commit"))
		if err != nil {
			return out, err
		}
		return p.done(ctx, c, r, repo.made, hash, in.commitInput, in.protectionInput)
	})
}
