package filters

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Hosts knows the Git hosts of an installation. Implementations are safe for
// concurrent use.
type Hosts interface {
	// HostKind returns which kind of integration a host has, in the words of
	// the configuration: github, gitlab, gitea, azure, … The host is in lower
	// case, with its port where that is not the default one. The answer is
	// false for hosts without an integration.
	HostKind(host string) (kind string, ok bool)
}

// wellKnown are hosts that have an integration without being configured.
var wellKnown = map[string]string{
	"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucketCloud", "dev.azure.com": "azure",
}

// required are the parts that a repository URL must have, by the kind of its
// host; other kinds need those of GitHub.
var required = map[string][]string{
	"bitbucketCloud":  {"workspace", "project", "repo"},
	"bitbucketServer": {"project", "repo"},
	"azure":           {"project", "repo"},
	"gitlab":          {"owner", "repo"},
	"gitea":           {"repo"},
	"gerrit":          {"repo"},
}

// A RepoURL names a repository as the form field RepoUrlPicker writes it:
// host?owner=o&repo=r. Parts that are not given are empty.
type RepoURL struct {
	Host, Owner, Repo, Organization, Workspace, Project string
	// Kind is the kind of integration that the host has.
	Kind string
}

// An InvalidRepoURLError says why a text is no repository URL.
type InvalidRepoURLError struct{ Reason string }

func (e *InvalidRepoURLError) Error() string { return e.Reason }

// ParseRepoURL reads a repository URL. Its host must have an integration, and
// the parts be there that repositories of such a host are named by. Errors are
// *InvalidRepoURLError.
func ParseRepoURL(s string, hosts Hosts) (RepoURL, error) {
	u, err := url.Parse("https://" + s)
	if err != nil || u.Host == "" {
		return RepoURL{}, invalid("Invalid repo URL passed to publisher, got %s, it must be of the form host?owner=...&repo=...", redacted(s))
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	kind, ok := hostKind(hosts, host)
	if !ok {
		return RepoURL{}, invalid("No matching integration configuration for host %s, please check your integrations config", host)
	}
	query := u.Query()
	part := func(name string) string { return strings.Trim(query.Get(name), "/") }
	r := RepoURL{Kind: kind, Host: host, Owner: part("owner"), Repo: part("repo"),
		Organization: part("organization"), Workspace: part("workspace"), Project: part("project")}
	for _, name := range r.required() {
		if query.Get(name) == "" {
			u.Host, u.User = host, nil
			if u.Path == "" {
				u.Path = "/"
			}
			return RepoURL{}, invalid("Invalid repo URL passed to publisher: %s, missing %s", u, name)
		}
	}
	return r, nil
}

func (r RepoURL) required() []string {
	names, ok := required[r.Kind]
	if !ok {
		return []string{"repo", "owner"}
	}
	if r.Kind == "gitlab" && r.Project != "" {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "owner" })
	}
	return names
}

// Slug returns owner/repo. A missing owner reads undefined, as in the
// reference.
func (r RepoURL) Slug() string {
	owner := r.Owner
	if owner == "" {
		owner = "undefined"
	}
	return owner + "/" + r.Repo
}

func hostKind(hosts Hosts, host string) (string, bool) {
	if hosts != nil {
		if kind, ok := hosts.HostKind(host); ok {
			return kind, true
		}
	}
	kind, ok := wellKnown[host]
	return kind, ok
}

func invalid(format string, args ...any) error {
	return &InvalidRepoURLError{Reason: fmt.Sprintf(format, args...)}
}

// redacted returns s without what stands before an @ in the place of a user
// and password.
func redacted(s string) string {
	authority, _, _ := strings.Cut(s, "?")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		return "***" + s[at:]
	}
	return s
}
