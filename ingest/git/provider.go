package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// ListOptions say which repositories have descriptors. At least one of
// Repositories and ListFile is set.
type ListOptions struct {
	ID string
	// Repositories are URLs: http, https, ssh, or host:path as Git takes them.
	Repositories []string
	// ListFile is a file with a URL on each line, read anew at every poll.
	// Empty lines and lines that begin with # say nothing.
	ListFile string
	// Branch is where descriptors are; "" means the default branch of each
	// repository.
	Branch string
	// CatalogPath is where the descriptor is from the root of a repository; it
	// may have wildcards.
	CatalogPath string
	Schedule    provider.Schedule `json:"-"`
}

// DefaultCatalogPath is where a descriptor is unless something else is said.
const DefaultCatalogPath = "/catalog-info.yaml"

// A List feeds in a location for every repository of a list.
type List struct {
	opts ListOptions
	kind func(url string) string
}

// NewList returns the provider of a list. Kind tells which kind of host a URL
// is of, as integration.Set does: its files have other URLs at GitLab.
func NewList(o ListOptions, kind func(url string) string) *List { return &List{opts: o, kind: kind} }

// Name is the name of the provider and the location key of what it feeds in.
func (l *List) Name() string { return "git-provider:" + l.opts.ID }

// Provider returns what to poll.
func (l *List) Provider() provider.Provider {
	return provider.Provider{
		Name: l.Name(), Schedule: l.opts.Schedule, Fingerprint: provider.Fingerprint(l.opts), Poll: l.poll,
	}
}

func (l *List) poll(context.Context) (provider.Listing, error) {
	repositories := l.opts.Repositories
	if l.opts.ListFile != "" {
		listed, err := readList(l.opts.ListFile)
		if err != nil {
			return provider.Listing{}, err
		}
		repositories = append(repositories[:len(repositories):len(repositories)], listed...)
	}
	var listing provider.Listing
	seen := map[string]bool{}
	for _, repository := range repositories {
		target, err := l.target(repository)
		if err != nil {
			return provider.Listing{}, err
		}
		if seen[target] {
			continue
		}
		seen[target] = true
		location := catalog.LocationRef{Type: "url", Target: target}
		listing.Added = append(listing.Added, engine.Deferred{
			Entity: catalog.LocationEntity(location, "optional", "", ""), LocationKey: l.Name(),
		})
	}
	return listing, nil
}

// maxList bounds the file, in bytes.
const maxList = 4 << 20

// readList returns the URLs that a file lists.
func readList(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("list of repositories: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxList+1))
	if err != nil {
		return nil, fmt.Errorf("list of repositories: %w", err)
	}
	if len(data) > maxList {
		return nil, fmt.Errorf("list of repositories: %s is larger than %d bytes", path, maxList)
	}
	var out []string
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := Address(line); err != nil {
			return nil, fmt.Errorf("list of repositories: %s: line %d: %w", path, n, err)
		}
		out = append(out, line)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("list of repositories: %s: %w", path, err)
	}
	return out, nil
}

// short matches the form user@host:path that Git takes for SSH.
var short = regexp.MustCompile(`^(?:([A-Za-z0-9._-]+)@)?([A-Za-z0-9][A-Za-z0-9.-]*):([^/\\:].*)$`)

var errAddress = errors.New("not the URL of a repository, such as https://git.example.com/team/service.git or git@git.example.com:team/service.git")

// Address reads the URL of a repository, in either of the forms that Git takes.
// Passwords in URLs are refused: they would show in the catalog.
func Address(raw string) (*url.URL, error) {
	if m := short.FindStringSubmatch(raw); m != nil && !strings.Contains(raw, "://") {
		raw = "ssh://" + m[2] + "/" + m[3]
		if m[1] != "" {
			raw = "ssh://" + m[1] + "@" + m[2] + "/" + m[3]
		}
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errAddress
	}
	if u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "ssh" {
		return nil, errAddress
	}
	if _, secret := u.User.Password(); secret || u.User != nil && u.Scheme != "ssh" {
		return nil, errors.New("a URL of a repository must have no credentials: they belong into integrations.git")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// credentials matches those in a URL, however malformed.
var credentials = regexp.MustCompile(`://[^/]*@`)

// head stands for the default branch of a repository.
const head = "HEAD"

// target is where the descriptors of a repository are.
func (l *List) target(repository string) (string, error) {
	u, err := Address(repository)
	if err != nil {
		return "", fmt.Errorf("%.200s: %w", credentials.ReplaceAllString(repository, "://***@"), err)
	}
	branch := l.opts.Branch
	if branch == "" {
		branch = head
	}
	page, marker := u.String(), "/blob/"
	switch l.kind(page) {
	case integration.KindGitLab:
		page, marker = strings.TrimSuffix(page, ".git"), "/-/blob/"
	case integration.KindGitHub:
		page = strings.TrimSuffix(page, ".git")
	}
	return page + marker + url.PathEscape(branch) + "/" + strings.TrimPrefix(l.opts.CatalogPath, "/"), nil
}
