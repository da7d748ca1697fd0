package git

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// Hosts knows the Git servers of an installation. Implementations are safe for
// concurrent use.
type Hosts interface {
	// Credentials returns what to sign in with at a host, with its port where
	// that is not the default one. It is false for hosts that are not
	// configured, which nothing is pushed to.
	Credentials(ctx context.Context, host, path string) (user, password string, ok bool, err error)
}

// SSHHosts are Hosts that can be pushed to over SSH as well.
type SSHHosts interface {
	// SSH returns how to sign in at a host, with its port where that is not 22,
	// and how to know it; nil where no key is configured.
	SSH(host string) (*ssh.ClientConfig, error)
}

// Options are what publish:git needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Hosts is required.
	Hosts Hosts
	// Defaults are for commits.
	Defaults Defaults
	// RequireUserCredentials: those of integrations are not used.
	RequireUserCredentials bool
	// Sleep waits between attempts; nil: a timer.
	Sleep func(context.Context, time.Duration) error
	// HTTP sends what is pushed; nil: as Remote says.
	HTTP *http.Client
}

type input struct {
	RemoteURL        string `json:"remoteUrl" doc:"The URL of the repository, over https, or over ssh where the integration has a key"`
	DefaultBranch    string `json:"defaultBranch,omitempty" default:"main" doc:"The branch that is pushed to"`
	SourcePath       string `json:"sourcePath,omitempty" doc:"The folder of the workspace that is pushed; all of it if nothing is said"`
	GitCommitMessage string `json:"gitCommitMessage,omitempty" doc:"The message of the commit"`
	GitAuthorName    string `json:"gitAuthorName,omitempty" doc:"Who has made the commit"`
	GitAuthorEmail   string `json:"gitAuthorEmail,omitempty" doc:"The e-mail address of who has made it"`
	Username         string `json:"username,omitempty" doc:"The user to sign in as, with the token"`
	Token            string `json:"token,omitempty" doc:"The token or password to use in place of what is configured for the host"`
}

type output struct {
	RemoteURL  string `json:"remoteUrl" doc:"The URL to clone from"`
	CommitHash string `json:"commitHash" doc:"The hash of the commit"`
}

// Actions returns the actions of this package.
func Actions(o Options) []action.Action {
	const id = "publish:git"
	return []action.Action{action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true,
		Description: "Pushes the workspace, or a folder of it, to a repository on any Git server. The repository must be there and be empty, or hold what was pushed from the same folder.",
		Examples: []action.Example{{Description: "Push the workspace", Example: "steps:\n  - id: publish\n    name: Push\n    action: publish:git\n    input:\n" +
			"      remoteUrl: https://git.example.com/acme/shop.git\n      defaultBranch: main\n"}},
	}, func(ctx context.Context, c *action.Context, in input) (output, error) { return o.run(ctx, c, in) })}
}

func (o Options) run(ctx context.Context, c *action.Context, in input) (out output, err error) {
	remote, err := o.remote(ctx, c, in)
	if err != nil {
		return out, err
	}
	dir, err := SourceDir(c.Workspace, in.SourcePath)
	if err != nil {
		return out, err
	}
	at, err := Now(ctx, c, in.RemoteURL)
	if err != nil {
		return out, err
	}
	branch := firstOf(in.DefaultBranch, "main")
	commit, err := Save(ctx, c.Workspace, Commit{Dir: dir, Branch: branch, Message: o.Defaults.MessageOr(in.GitCommitMessage),
		Author: o.Defaults.AuthorOr(in.GitAuthorName, in.GitAuthorEmail), Time: at, Key: o.Defaults.Signing.Key(remote.host())})
	if err != nil {
		return out, err
	}
	if err := commit.Push(ctx, remote, branch); err != nil {
		return out, err
	}
	return output{RemoteURL: in.RemoteURL, CommitHash: commit.Hash()}, nil
}

// short matches the form user@host:path that Git takes for SSH.
var short = regexp.MustCompile(`^([A-Za-z0-9._-]+@[A-Za-z0-9][A-Za-z0-9.-]*):([^/\\:].*)$`)

// remote checks where to push to, and finds credentials for it.
func (o Options) remote(ctx context.Context, c *action.Context, in input) (r Remote, err error) {
	address := in.RemoteURL
	if m := short.FindStringSubmatch(address); m != nil && !strings.Contains(address, "://") {
		address = "ssh://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ssh" {
		return r, catalog.NewError(catalog.NameInput, "remoteUrl must be the https or ssh URL of a repository")
	}
	if _, secret := u.User.Password(); secret || u.User != nil && u.Scheme != "ssh" {
		return r, catalog.NewError(catalog.NameInput, "remoteUrl has credentials in it: use the input token, with a secret of the task")
	}
	if in.Token == "" && o.RequireUserCredentials {
		return r, NoUserCredentials(u.Host)
	}
	if u.Scheme == "ssh" {
		return o.overSSH(u, in)
	}
	return o.overHTTP(ctx, c, u, in)
}

func notPushedTo(host string) error {
	return catalog.NewError(catalog.NameNotAllowed, fmt.Sprintf("Nothing is pushed to %s: it has no entry in the integrations of the configuration", host))
}

func (o Options) overSSH(u *url.URL, in input) (Remote, error) {
	if in.Token != "" {
		return Remote{}, catalog.NewError(catalog.NameInput, "token is for URLs of https: over ssh the key of the integration signs in")
	}
	var config *ssh.ClientConfig
	if hosts, ok := o.Hosts.(SSHHosts); ok {
		var err error
		if config, err = hosts.SSH(strings.TrimSuffix(strings.ToLower(u.Host), ":22")); err != nil {
			return Remote{}, err
		}
	}
	if config == nil {
		return Remote{}, catalog.NewError(catalog.NameNotAllowed,
			fmt.Sprintf("Nothing is pushed to %s over ssh: integrations.git has no entry with ssh.privateKey for it", u.Host))
	}
	return Remote{URL: u.String(), SSH: config, Sleep: o.Sleep}, nil
}

func (o Options) overHTTP(ctx context.Context, c *action.Context, u *url.URL, in input) (r Remote, err error) {
	r = Remote{URL: in.RemoteURL, Sleep: o.Sleep, HTTP: o.HTTP}
	var ok bool
	r.User, r.Password, ok, err = o.Hosts.Credentials(ctx, strings.ToLower(u.Host), u.Path)
	switch {
	case err != nil:
		return r, err
	case !ok:
		return r, notPushedTo(u.Host)
	}
	if in.Token != "" {
		c.Redact(in.Token)
		r.User, r.Password = firstOf(in.Username, r.User, "git"), in.Token
	}
	return r, nil
}
