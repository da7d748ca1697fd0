package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// Types of catalog.locations that are read as providers: they list what a host
// has, as they did before there were providers.
const (
	githubDiscovery = "github-discovery"
	githubOrg       = "github-org"
	gitlabDiscovery = "gitlab-discovery"
)

// IsListing tells whether a location of that type stands for a provider.
func IsListing(kind string) bool {
	return slices.Contains([]string{githubDiscovery, githubOrg, gitlabDiscovery}, kind)
}

// listingSchedule is how often such a location is read.
func listingSchedule() provider.Schedule {
	return provider.Schedule{Every: 30 * time.Minute, Timeout: 15 * time.Minute}
}

// listings makes providers of the locations that list what a host has.
func (r *reader) listings(c *Config, p *Providers) {
	items, err := c.At("catalog.locations").Items()
	if err != nil {
		return // reported elsewhere
	}
	for item := range items {
		kind, _ := item.At("type").Text()
		text, _ := item.At("target").Text()
		if !IsListing(kind) || text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			r.fault(item.At("target").Fault("'%s' is not a URL", text))
			continue
		}
		segments := strings.Split(strings.Trim(u.Path, "/"), "/")
		id := strings.ToLower(u.Host) + "/" + strings.Join(segments, "/")
		switch kind {
		case githubDiscovery:
			p.GitHub = append(p.GitHub, r.githubListing(item, id, u, segments))
		case githubOrg:
			if len(segments) != 1 || segments[0] == "" {
				r.fault(item.At("target").Fault("'%s' is not the URL of an organisation, such as https://github.com/acme", text))
				continue
			}
			p.GitHubOrg = append(p.GitHubOrg, github.OrgOptions{
				ID: id, URL: u.Scheme + "://" + u.Host, Host: strings.ToLower(u.Host), Orgs: segments, PageSizes: github.DefaultOrgPageSizes(),
				Flat: true, Schedule: listingSchedule(),
			})
		case gitlabDiscovery:
			p.GitLab = append(p.GitLab, r.gitlabListing(item, id, u, segments))
		}
	}
}

// githubListing reads https://host/org and
// https://host/org/<repositories>/blob/<branch>/<path>.
func (r *reader) githubListing(item Value, id string, u *url.URL, segments []string) github.DiscoveryOptions {
	o := github.DiscoveryOptions{
		ID: id, Host: strings.ToLower(u.Host), Organization: segments[0], CatalogPath: github.DefaultCatalogPath, PageSize: github.DefaultPageSize,
		Filters: github.Filters{AllowForks: true}, Schedule: listingSchedule(),
	}
	switch {
	case len(segments) == 1 && segments[0] != "":
		return o
	case len(segments) < 5 || segments[2] != "blob":
		r.fault(item.At("target").Fault("it is neither https://host/org nor https://host/org/<repositories>/blob/<branch>/<path>, with * in the name of the repositories and - for the default branch"))
		return o
	}
	o.Filters.Repository = wildcard(segments[1])
	if segments[3] != "-" {
		o.Filters.Branch = segments[3]
	}
	o.CatalogPath = "/" + strings.Join(segments[4:], "/")
	return o
}

// wildcard is the pattern of a name with * in it.
func wildcard(name string) provider.Pattern {
	p, err := provider.ParsePattern(strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, ".*"), true)
	if err != nil { // only for a name that is much too long
		return provider.Pattern{}
	}
	return p
}

// gitlabListing reads https://host[/group]/blob/<branch>/<path>.
func (r *reader) gitlabListing(item Value, id string, u *url.URL, segments []string) gitlab.DiscoveryOptions {
	o := gitlab.DiscoveryOptions{ID: id, Host: strings.ToLower(u.Host), FallbackBranch: gitlab.DefaultFallbackBranch, Schedule: listingSchedule()}
	at := slices.Index(segments, "blob")
	if at < 0 || len(segments) < at+3 {
		r.fault(item.At("target").Fault("it is not https://host/<group>/blob/<branch>/<path>, with * for the default branch"))
		return o
	}
	o.Group, o.EntityFilename = strings.Join(segments[:at], "/"), strings.Join(segments[at+2:], "/")
	if segments[at+1] != "*" {
		o.Branch = segments[at+1]
	}
	return o
}
