package gitea

import (
	"context"
	"crypto/sha1" // the form of a Change-Id, no protection
	"fmt"
	"net/http"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/action/rest"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
)

// Hosts knows the Gitea hosts of an installation. Implementations are safe for
// concurrent use.
type Hosts interface {
	filters.Hosts
	// Account returns how to work at a host with the credentials of the
	// integration. It is false for hosts that are no Gitea.
	Account(host string) (Account, bool)
}

// An Account is how to work at a host.
type Account struct {
	// API is the base of the REST API and BaseURL that of the pages, without a
	// slash at the end.
	API, BaseURL string
	// HTTP signs requests to the API, and sends them again where that does no
	// harm.
	HTTP *http.Client
	// User and Password are for Git over HTTP; Password is "" where there are no
	// credentials.
	User, Password string
}

// Options are what the action needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Hosts is required.
	Hosts Hosts
	// Defaults are for commits.
	Defaults git.Defaults
	// RequireUserCredentials: those of integrations are not used, and the action
	// has no others.
	RequireUserCredentials bool
	// Sleep waits between attempts; nil: a timer.
	Sleep func(context.Context, time.Duration) error
	// PushHTTP sends what is pushed with Git; nil: as git.Remote says.
	PushHTTP *http.Client
}

// Actions returns the actions of this package.
func Actions(o Options) []action.Action {
	if o.Sleep == nil {
		o.Sleep = wait
	}
	return []action.Action{(&publisher{o}).publish()}
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type input struct {
	RepoURL          string `json:"repoUrl" doc:"The repository, as gitea.example.com?owner=organisation&repo=name"`
	Description      string `json:"description" doc:"What the repository is for"`
	DefaultBranch    string `json:"defaultBranch,omitempty" doc:"The branch that is pushed to; main if nothing is said"`
	RepoVisibility   string `json:"repoVisibility,omitempty" enum:"private,public" doc:"Who may see the repository; public if nothing is said"`
	GitCommitMessage string `json:"gitCommitMessage,omitempty" doc:"The message of the commit, where the configuration has none"`
	GitAuthorName    string `json:"gitAuthorName,omitempty" doc:"Who has made the commit"`
	GitAuthorEmail   string `json:"gitAuthorEmail,omitempty" doc:"The e-mail address of who has made it"`
	SourcePath       string `json:"sourcePath,omitempty" doc:"The folder of the workspace that is published; all of it if nothing is said"`
	SignCommit       bool   `json:"signCommit,omitempty" doc:"Sign the commit with the configured key"`
}

func (in input) branch() string { return or(in.DefaultBranch, "main") }

type output struct {
	RemoteURL       string `json:"remoteUrl,omitempty" doc:"The URL to clone from"`
	RepoContentsURL string `json:"repoContentsUrl,omitempty" doc:"The URL of the root of the repository"`
	CommitHash      string `json:"commitHash,omitempty" doc:"The hash of the commit"`
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// A publisher is the action.
type publisher struct{ Options }

func (p *publisher) publish() action.Action {
	const id = "publish:gitea"
	example := "steps:\n  - id: step\n    name: Publish\n    action: " + id + "\n    input:\n      repoUrl: gitea.example.com?owner=acme&repo=shop\n      description: The shop\n"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true,
		Description: "Makes a repository of an organisation at Gitea and pushes the workspace, or a folder of it, as its first commit.",
		Examples: []action.Example{
			{Description: "Publish the workspace", Example: example},
			{Description: "Publish a folder to a private repository", Example: example + "      repoVisibility: private\n      sourcePath: service\n"},
		},
	}, func(ctx context.Context, c *action.Context, in input) (output, error) {
		m, err := p.creation(c, in)
		if err != nil {
			return output{}, err
		}
		page, err := action.Checkpoint(ctx, c, each(c, "create.gitea.repo."+m.at.Owner+"."+m.at.Repo), m.create)
		if err != nil {
			return output{}, err
		}
		hash, err := m.complete(ctx)
		if err != nil {
			return output{}, fmt.Errorf("%w. The repository %s exists now and is not complete: retry the task to go on with it, or delete it at %s/settings", err, page, page)
		}
		return output{RemoteURL: m.page() + ".git", RepoContentsURL: m.page() + "/src/branch/" + in.branch() + "/", CommitHash: hash}, nil
	})
}

// each makes the key of a checkpoint differ between the iterations of a step.
func each(c *action.Context, key string) string {
	if c.Each == nil {
		return key
	}
	return key + "." + *c.Each
}

// A creation makes one repository.
type creation struct {
	*publisher
	c       *action.Context
	in      input
	at      filters.RepoURL
	account Account
	api     rest.Client
	dir     string
	key     *git.SigningKey // nil: the commit is not signed
}

// creation checks all that can be checked before anything is asked of the host.
func (p *publisher) creation(c *action.Context, in input) (*creation, error) {
	m := &creation{publisher: p, c: c, in: in}
	var err error
	if m.at, err = git.ParseRepoURL(in.RepoURL, p.Hosts); err != nil {
		return nil, err
	}
	var ok bool
	m.account, ok = p.Hosts.Account(m.at.Host)
	switch {
	case !ok:
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("No matching integration configuration for host %s, please check your integrations config", m.at.Host))
	case m.at.Owner == "":
		return nil, catalog.NewError(catalog.NameInput, "Invalid repository owner provided in repoUrl")
	case p.RequireUserCredentials:
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf(
			"No user credentials provided for host %s, but scaffolder.requireScmUserCredentials is enabled: publish:gitea has none but those of the integration", m.at.Host))
	case m.account.Password == "":
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("Credentials for the gitea %s required for this action: integrations.gitea needs username and password", m.at.Host))
	}
	m.api = rest.Client{Base: m.account.API, HTTP: m.account.HTTP, Forbidden: "the user of the integration needs the right to make repositories of the organisation"}
	if m.key, err = p.Defaults.Signing.Required(m.at.Host, in.SignCommit); err != nil {
		return nil, err
	}
	m.dir, err = git.SourceDir(c.Workspace, in.SourcePath)
	return m, err
}

// page is that of the repository.
func (m *creation) page() string { return m.account.BaseURL + "/" + m.at.Owner + "/" + m.at.Repo }

// marker is the description of a repository whose content is not there yet. It
// tells this task from all others.
func (m *creation) marker() string {
	return "Greenroom is setting up this repository, task " + m.c.TaskID
}

// create makes the repository, or goes on with one that this task has begun, and
// returns its page.
func (m *creation) create(ctx context.Context) (string, error) {
	err := m.api.Call(ctx, http.MethodGet, []string{"orgs", m.at.Owner}, nil, nil, nil)
	if rest.Status(err) == http.StatusNotFound {
		return "", catalog.NewError(catalog.NameInput, fmt.Sprintf("Organization %s do not exist. Please create it first !", m.at.Owner))
	}
	if err != nil {
		return "", fmt.Errorf("look up the organisation %s: %w", m.at.Owner, err)
	}
	body := map[string]any{"name": m.at.Repo, "description": m.marker(), "private": m.in.RepoVisibility == "private", "default_branch": m.in.branch()}
	err = m.api.Call(ctx, http.MethodPost, []string{"orgs", m.at.Owner, "repos"}, nil, body, nil)
	if err == nil {
		m.c.Infof("Created the repository %s", m.page())
		return m.page(), nil
	}
	// A host that fails while it makes a repository may have made it.
	if rest.Status(err) == http.StatusConflict || rest.Unsure(err) {
		var found struct{ Description string }
		if m.api.Call(ctx, http.MethodGet, m.repository(), nil, nil, &found) == nil && found.Description == m.marker() {
			m.c.Infof("Going on with the repository %s, which this task has begun", m.page())
			return m.page(), nil
		}
	}
	return "", fmt.Errorf("create the repository %s/%s: %w", m.at.Owner, m.at.Repo, err)
}

func (m *creation) repository(more ...string) []string {
	return append([]string{"repos", m.at.Owner, m.at.Repo}, more...)
}

// complete does all that comes after the repository was made. All of it may be
// done again.
func (m *creation) complete(ctx context.Context) (hash string, err error) {
	at, err := git.Now(ctx, m.c, m.at.Owner+"."+m.at.Repo)
	if err != nil {
		return "", err
	}
	commit, err := git.Save(ctx, m.c.Workspace, git.Commit{Dir: m.dir, Branch: m.in.branch(), Message: m.message(),
		Author: m.Defaults.AuthorOr(m.in.GitAuthorName, m.in.GitAuthorEmail), Time: at, Key: m.key})
	if err != nil {
		return "", err
	}
	remote := git.Remote{URL: m.page() + ".git", User: m.account.User, Password: m.account.Password, Sleep: m.Sleep, HTTP: m.PushHTTP}
	if err := commit.Push(ctx, remote, m.in.branch()); err != nil {
		return "", err
	}
	if err := m.await(ctx); err != nil {
		return "", err
	}
	last := map[string]any{"description": m.in.Description, "default_branch": m.in.branch()}
	return commit.Hash(), m.api.Call(ctx, http.MethodPatch, m.repository(), nil, last, nil)
}

// message is that of the commit: the configured one comes first here. The
// Change-Id is what Gerrit tells changes apart by, the same one each time the
// step runs.
func (m *creation) message() string {
	text := or(m.Defaults.Message, or(m.in.GitCommitMessage, "initial commit"))
	id := sha1.Sum([]byte(each(m.c, m.c.TaskID+" "+m.c.Step.ID+" "+m.page())))
	return fmt.Sprintf("%s\n\nChange-Id: I%x", text, id)
}

// awaitAttempts is how often it is looked whether the branch is there, each
// second.
const awaitAttempts = 20

// await waits until the host shows the branch: what reads it next would not
// find it otherwise.
func (m *creation) await(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := m.api.Call(ctx, http.MethodGet, m.repository("branches", m.in.branch()), nil, nil, nil)
		if err == nil || rest.Status(err) != http.StatusNotFound {
			return err
		}
		if attempt == awaitAttempts {
			return fmt.Errorf("the host does not show the branch %s that was pushed", m.in.branch())
		}
		if err := m.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}
