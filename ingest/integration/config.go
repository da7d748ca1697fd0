package integration

import (
	"cmp"
	"crypto/rsa"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Kinds of integration.
const (
	KindGitHub = "github"
	KindGitLab = "gitlab"
	KindGit    = "git" // a Git server of which nothing else is known
	// Gitea and Bitbucket Cloud are read as plain Git servers, and published to
	// by their own APIs.
	KindGitea          = "gitea"
	KindBitbucketCloud = "bitbucketCloud"
)

// A Host is one Git host.
type Host struct {
	Kind string // one of the kinds above
	Host string // with port where it is not the default one
	// BaseURL is where the pages of GitLab or Gitea are, without a trailing
	// slash.
	BaseURL string
	// APIBaseURL is where the REST API is; RawBaseURL where GitHub serves
	// files to those without a token. "" where there is none.
	APIBaseURL, RawBaseURL string
	// Token is for the API and for Git over HTTP.
	Token Secret
	// Apps are the GitHub Apps that read from the host; where one of them is
	// installed, its token comes before Token.
	Apps []App
	// Retry is how often GitLab is asked again.
	Retry Retry
	// Git says how a host that is read as a Git server is spoken to.
	Git Git
	// CommitSigningKey is an OpenPGP key in armor, for commits that are pushed.
	CommitSigningKey Secret
}

// OverGit tells whether the host is read as a Git server, by no API.
func (h Host) OverGit() bool {
	return h.Kind == KindGit || h.Kind == KindGitea || h.Kind == KindBitbucketCloud
}

// GitCredentials are for Git over HTTP at a host that is read as a Git server;
// the password is "" where there is none.
func (h Host) GitCredentials() (user, password string) {
	token := h.Token.Value()
	switch {
	case h.Kind == KindBitbucketCloud && token != "" && h.Git.Username == "":
		return "x-token-auth", token // of a repository, project or workspace
	case h.Kind == KindBitbucketCloud && token != "":
		return "x-bitbucket-api-token-auth", token // the user name may be an address
	}
	return cmp.Or(h.Git.Username, "git"), cmp.Or(token, h.Git.Password.Value())
}

// An App is a GitHub App.
type App struct {
	ID            int64
	ClientID      string
	ClientSecret  Secret
	WebhookSecret Secret
	AllowedOwners []string // in lower case; nil: all
	PublicAccess  bool     // its token may read what is public where it is not installed

	key *rsa.PrivateKey
}

// PrivateKey signs the app's own tokens.
func (a App) PrivateKey() *rsa.PrivateKey { return a.key }

// Allows tells whether the app may be used for what belongs to an owner.
func (a App) Allows(owner string) bool {
	return a.AllowedOwners == nil || slices.Contains(a.AllowedOwners, strings.ToLower(owner))
}

// Retry is the configuration of the same name; zero values mean the defaults.
type Retry struct {
	MaxRetries              int
	StatusCodes             []int
	MaxAPIRequestsPerMinute int // -1: no limit
}

// Git holds the credentials for a Git server: Username and Password are for
// HTTP, SSH is for URLs with the scheme ssh.
type Git struct {
	Username string
	Password Secret
	SSH      SSH
}

// SSH is how to sign in at an SSH server, and how to know it.
type SSH struct {
	User       string // "git" unless set
	PrivateKey Secret // PEM or OpenSSH; without it SSH is not used
	Passphrase Secret
	// KnownHosts are lines as in a known_hosts file: no other server is trusted.
	KnownHosts string
}

// String names the integration, without its token.
func (h Host) String() string { return h.Kind + " " + h.Host }

// A Set holds the integrations of an installation.
type Set struct{ hosts []Host }

// Hosts returns all integrations. The caller must not change the slice.
func (s *Set) Hosts() []Host { return s.hosts }

var kinds = []string{KindGitHub, KindGitLab, KindGit, KindGitea, KindBitbucketCloud}

// foreign are the kinds of integration that the reference has and we have not.
var foreign = map[string]bool{
	"azure": true, "azureBlobStorage": true, "awsS3": true, "awsCodeCommit": true, "bitbucketServer": true,
	"gerrit": true, "googleGcs": true, "harness": true,
}

// Parse reads the value of the key integrations: nil, or an object of lists by
// kind, as maps or as jsonvalue objects. The warnings name once each the kinds
// that are not known. Errors name the key that is wrong, never its value.
func Parse(config any) (*Set, []string, error) {
	s := &Set{}
	sections, ok := jsonvalue.Plain(config).(map[string]any)
	if config != nil && !ok {
		return nil, nil, fmt.Errorf("integrations: expected an object")
	}
	var warnings []string
	for _, kind := range slices.Sorted(maps.Keys(sections)) {
		section := sections[kind]
		switch {
		case section == nil:
		case slices.Contains(kinds, kind):
			if err := s.addSection(kind, section); err != nil {
				return nil, nil, err
			}
		case foreign[kind]:
			warnings = append(warnings, fmt.Sprintf("integrations.%s is not supported in this release and is ignored", kind))
		default:
			warnings = append(warnings, fmt.Sprintf("integrations.%s is not a known kind of integration and is ignored", kind))
		}
	}
	for _, kind := range []string{KindGitHub, KindGitLab, KindBitbucketCloud} {
		known := defaults(kind, wellKnown[kind])
		if !slices.ContainsFunc(s.hosts, func(h Host) bool { return h.Host == known.Host }) {
			s.hosts = append(s.hosts, known)
		}
	}
	return s, warnings, nil
}

// wellKnown are the hosts that need no entry, and those of entries that name
// none.
var wellKnown = map[string]string{KindGitHub: "github.com", KindGitLab: "gitlab.com", KindBitbucketCloud: "bitbucket.org"}

// defaults returns what is known of a host without configuration.
func defaults(kind, host string) Host {
	h := Host{Kind: kind, Host: host}
	switch {
	case kind == KindGitHub && host == "github.com":
		h.APIBaseURL, h.RawBaseURL = "https://api.github.com", "https://raw.githubusercontent.com"
	case kind == KindGitLab || kind == KindGitea:
		h.BaseURL = "https://" + host
	case kind == KindBitbucketCloud && host == "bitbucket.org":
		h.APIBaseURL = "https://api.bitbucket.org/2.0"
	}
	return h
}

func (s *Set) addSection(kind string, section any) error {
	list, ok := section.([]any)
	if !ok {
		return fmt.Errorf("integrations.%s: expected a list", kind)
	}
	for i, entry := range list {
		key := fmt.Sprintf("integrations.%s[%d]", kind, i)
		fields, ok := entry.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: expected an object", key)
		}
		h, err := parseHost(kind, key, fields)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(s.hosts, func(o Host) bool { return o.Host == h.Host }) {
			return fmt.Errorf("%s: host %s is configured twice", key, h.Host)
		}
		s.hosts = append(s.hosts, h)
	}
	return nil
}

// API returns where the REST API is.
func (h Host) API() string {
	switch {
	case h.APIBaseURL == "" && h.Kind == KindGitLab:
		return h.BaseURL + "/api/v4"
	case h.Kind == KindGitea:
		return h.BaseURL + "/api/v1"
	}
	return h.APIBaseURL
}
