package config

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/greenroom-idp/greenroom/ingest/git"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// Providers are catalog.providers, and what guards against mass deletion.
type Providers struct {
	GitHub    []github.DiscoveryOptions
	GitHubOrg []github.OrgOptions
	GitLab    []gitlab.DiscoveryOptions
	GitLabOrg []gitlab.OrgOptions
	Git       []git.ListOptions
	// Disabled are the names of providers that are left out.
	Disabled []string
	// Guard is catalog.removalGuard.
	Guard provider.Guard
}

// percent reads "30%".
func percent(text string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	return n / 100, err
}

// providers reads catalog.providers. Kinds that this release has not are a
// warning.
func (r *reader) providers(c *Config) Providers {
	v := c.At("catalog.providers")
	p := Providers{Guard: r.guard(c.At("catalog.removalGuard"))}
	options := c.At("catalog.providerOptions")
	for _, name := range options.Keys() {
		if r.boolean(options.Child(name).At("disabled"), false) {
			p.Disabled = append(p.Disabled, name)
		}
	}
	for _, kind := range v.Keys() {
		section := v.Child(kind)
		switch kind {
		case "github":
			p.GitHub = r.githubDiscoveries(section)
		case "githubOrg":
			p.GitHubOrg = r.githubOrgs(section)
		case "gitlab":
			r.gitlabs(section, &p)
		case "git":
			p.Git = r.gitLists(section)
		default:
			r.warnings = append(r.warnings, section.Key()+" is not supported in this release and is ignored")
		}
	}
	r.listings(c, &p)
	return p
}

func (r *reader) guard(v Value) provider.Guard {
	g := provider.DefaultGuard()
	g.Share = r.share(v.At("maxShare"), g.Share)
	if g.AtLeast = r.integer(v.At("atLeast"), g.AtLeast); g.AtLeast < 0 {
		r.fault(v.At("atLeast").Fault("%d is less than nothing", g.AtLeast))
	}
	return g
}

// entries returns the objects of a map by id, or the one object that has one of
// the keys, whose id is default.
func (r *reader) entries(v Value, single ...string) map[string]Value {
	if !v.IsObject() {
		r.fault(v.wrongType("object"))
		return nil
	}
	for _, key := range single {
		if entry := v.Child(key); entry.Exists() && !entry.IsObject() {
			return map[string]Value{"default": v}
		}
	}
	out := map[string]Value{}
	for _, id := range v.Keys() {
		if entry := v.Child(id); entry.IsObject() {
			out[id] = entry
		} else {
			r.fault(entry.wrongType("object"))
		}
	}
	return out
}

// inOrder calls fn for entries in the order of the configuration.
func inOrder(v Value, entries map[string]Value, fn func(id string, entry Value)) {
	if only, ok := entries["default"]; ok && len(entries) == 1 && only.Key() == v.Key() {
		fn("default", only)
		return
	}
	for _, id := range v.Keys() {
		if entry, ok := entries[id]; ok {
			fn(id, entry)
		}
	}
}

func (r *reader) githubDiscoveries(v Value) (out []github.DiscoveryOptions) {
	inOrder(v, r.entries(v, "organization", "app"), func(id string, e Value) {
		out = append(out, r.githubDiscovery(id, e))
	})
	return out
}

func (r *reader) githubDiscovery(id string, v Value) github.DiscoveryOptions {
	o := github.DiscoveryOptions{
		ID: id, Host: strings.ToLower(r.text(v.At("host"), "github.com")), Organization: r.text(v.At("organization"), ""),
		CatalogPath:            r.catalogPath(v.At("catalogPath"), github.DefaultCatalogPath),
		ValidateLocationsExist: r.boolean(v.At("validateLocationsExist"), false),
		PageSize:               r.size(v.At("pageSizes.repositories"), github.DefaultPageSize, 100),
		Schedule:               r.schedule(v.At("schedule"), everyThreeHours()),
	}
	if app := v.At("app"); app.Exists() {
		if o.App = int64(r.integer(app, 0)); o.App <= 0 {
			r.fault(app.Fault("%v is not the id of a GitHub App, which is a number", app.Plain()))
		}
	}
	switch {
	case o.Organization == "" && !v.At("app").Exists():
		r.fault(v.Fault("organization or app is required"))
	case o.Organization != "" && v.At("app").Exists():
		r.fault(v.Fault("there is an organization or an app, not both"))
	}
	if o.ValidateLocationsExist && strings.ContainsAny(o.CatalogPath, "*?[{") {
		r.fault(v.At("validateLocationsExist").Fault("it does not go with wildcards in catalogPath, which is '%s'", o.CatalogPath))
	}
	o.Filters = r.githubFilters(v.At("filters"))
	return o
}

func (r *reader) githubFilters(v Value) github.Filters {
	f := github.Filters{
		Branch: r.text(v.At("branch"), ""), Repository: r.pattern(v.At("repository"), true),
		TopicInclude: r.list(v.At("topic.include")), TopicExclude: r.list(v.At("topic.exclude")),
		AllowForks: r.boolean(v.At("allowForks"), true), AllowArchived: r.boolean(v.At("allowArchived"), false),
		Visibility: r.list(v.At("visibility")),
	}
	if strings.Contains(f.Branch, "/") {
		r.fault(v.At("branch").Fault("a branch with a slash, such as '%s', cannot be part of a URL of a file", f.Branch))
	}
	for _, name := range f.Visibility {
		switch strings.ToLower(name) {
		case "public", "private", "internal":
		default:
			r.fault(v.At("visibility").Fault("'%s' is not one of private, internal, public", name))
		}
	}
	return f
}

// catalogPath reads where descriptors are.
func (r *reader) catalogPath(v Value, absent string) string {
	path := r.text(v, absent)
	if !doublestar.ValidatePattern(path) {
		r.fault(v.Fault("'%s' is not a path, nor a glob pattern", path))
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == ".." {
			r.fault(v.Fault("'%s' leads out of the repository", path))
		}
	}
	return path
}

func (r *reader) githubOrgs(v Value) (out []github.OrgOptions) {
	entries := []Value{v}
	if v.IsArray() {
		entries = nil
		for item := range r.items(v) {
			entries = append(entries, item)
		}
	}
	ids := map[string]bool{}
	for _, e := range entries {
		if !e.IsObject() {
			r.fault(e.wrongType("object or array of objects"))
			continue
		}
		o := r.githubOrg(e)
		if ids[o.ID] {
			r.fault(e.At("id").Fault("'%s' is the id of another entry", o.ID))
		}
		ids[o.ID] = true
		out = append(out, o)
	}
	if len(out) == 1 {
		out[0].Flat = len(out[0].Orgs) == 1
	}
	return out
}

func (r *reader) githubOrg(v Value) github.OrgOptions {
	sizes := github.DefaultOrgPageSizes()
	o := github.OrgOptions{
		ID: r.required(v.At("id")), Orgs: r.list(v.At("orgs")), Schedule: r.schedule(v.At("schedule"), provider.Schedule{}),
		ExcludeSuspendedUsers: r.boolean(v.At("excludeSuspendedUsers"), false),
		UseVerifiedEmails:     r.boolean(v.At("defaultUserTransformer.useVerifiedEmails"), false),
		PageSizes: github.OrgPageSizes{
			Teams: r.size(v.At("pageSizes.teams"), sizes.Teams, 100), TeamMembers: r.size(v.At("pageSizes.teamMembers"), sizes.TeamMembers, 100),
			OrganizationMembers: r.size(v.At("pageSizes.organizationMembers"), sizes.OrganizationMembers, 100),
		},
	}
	page := v.At("githubUrl")
	o.URL = strings.TrimRight(r.required(page), "/")
	if u, err := url.Parse(o.URL); o.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		r.fault(page.Fault("'%s' is not a URL, such as https://github.com", o.URL))
	} else if err == nil {
		o.Host = strings.ToLower(u.Host)
	}
	return o
}

// gitlabs reads entries that may be a discovery and organisation data at once.
func (r *reader) gitlabs(v Value, p *Providers) {
	inOrder(v, r.entries(v), func(id string, e Value) {
		schedule := r.schedule(e.At("schedule"), provider.Schedule{})
		p.GitLab = append(p.GitLab, r.gitlabDiscovery(id, e, schedule))
		if r.boolean(e.At("orgEnabled"), false) {
			p.GitLabOrg = append(p.GitLabOrg, r.gitlabOrg(id, e, schedule))
		}
	})
}

func (r *reader) gitlabDiscovery(id string, v Value, s provider.Schedule) gitlab.DiscoveryOptions {
	o := gitlab.DiscoveryOptions{
		ID: id, Host: strings.ToLower(r.required(v.At("host"))), Group: strings.Trim(r.text(v.At("group"), ""), "/"), Branch: r.text(v.At("branch"), ""),
		FallbackBranch: r.text(v.At("fallbackBranch"), gitlab.DefaultFallbackBranch), EntityFilename: r.text(v.At("entityFilename"), gitlab.DefaultEntityFilename),
		ProjectPatterns: r.patterns(v.At("projectPattern")), UseSearch: r.boolean(v.At("useSearch"), false),
		SkipForkedRepos: r.boolean(v.At("skipForkedRepos"), false), IncludeArchivedRepos: r.boolean(v.At("includeArchivedRepos"), false),
		ExcludeRepos: r.list(v.At("excludeRepos")), Topics: r.topics(v.At("topics")), Schedule: s,
	}
	o.EntityFilename = strings.TrimPrefix(o.EntityFilename, "/")
	if m := v.At("membership"); m.Exists() {
		is := r.boolean(m, false)
		o.Membership = &is
	}
	return o
}

// topics reads a list, or a text with commas.
func (r *reader) topics(v Value) (out []string) {
	for _, item := range r.list(v) {
		for topic := range strings.SplitSeq(item, ",") {
			if topic = strings.TrimSpace(topic); topic != "" {
				out = append(out, topic)
			}
		}
	}
	return out
}

func (r *reader) gitlabOrg(id string, v Value, s provider.Schedule) gitlab.OrgOptions {
	o := gitlab.OrgOptions{
		ID: id, Host: strings.ToLower(r.text(v.At("host"), "")), Group: strings.Trim(r.text(v.At("group"), ""), "/"),
		GroupPatterns: r.patterns(v.At("groupPattern")), UserPatterns: r.patterns(v.At("userPattern")),
		RestrictUsersToGroup:    r.boolean(v.At("restrictUsersToGroup"), false),
		IncludeUsersWithoutSeat: r.boolean(v.At("includeUsersWithoutSeat"), false), Schedule: s,
	}
	for item := range r.items(v.At("relations")) {
		o.Relations = append(o.Relations, r.choice(item, "", gitlab.Direct, gitlab.Inherited, gitlab.Descendants, gitlab.SharedFromGroups))
	}
	if o.Group == "" && o.Host == "gitlab.com" {
		r.fault(v.At("group").Fault("it is required for organisation data of gitlab.com, where users cannot be listed without one"))
	}
	return o
}

func (r *reader) gitLists(v Value) (out []git.ListOptions) {
	inOrder(v, r.entries(v, "repositories", "listFile"), func(id string, e Value) {
		o := git.ListOptions{
			ID: id, Repositories: r.list(e.At("repositories")), ListFile: r.text(e.At("listFile"), ""), Branch: r.text(e.At("branch"), ""),
			CatalogPath: r.catalogPath(e.At("catalogPath"), git.DefaultCatalogPath), Schedule: r.schedule(e.At("schedule"), everyThreeHours()),
		}
		if !e.At("repositories").Exists() && o.ListFile == "" {
			r.fault(e.Fault("repositories, a list of URLs, or listFile, a file with one on each line, is required"))
		}
		for i, repository := range o.Repositories {
			if _, err := git.Address(repository); err != nil {
				r.fault(e.At("repositories").Fault("entry %d: %v", i, err))
			}
		}
		out = append(out, o)
	})
	return out
}
