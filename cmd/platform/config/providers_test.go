package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/git"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

func pattern(t *testing.T, text string, anchored bool) provider.Pattern {
	t.Helper()
	p, err := provider.ParsePattern(text, anchored)
	require.NoError(t, err)
	return p
}

var threeHourly = provider.Schedule{Every: 3 * time.Hour, Timeout: time.Hour}

func TestGitHubProviders(t *testing.T) {
	s, err := read(t, minimal+`
catalog:
  providers:
    github:
      plain: {organization: acme}
      full:
        app: 4711
        host: GHE.example.com
        catalogPath: /services/**/info.yaml
        filters:
          branch: trunk
          repository: 'service-.*'
          topic: {include: [a, b], exclude: [c]}
          allowForks: false
          visibility: [Public, internal]
          allowArchived: true
        schedule: {frequency: PT30M, timeout: {minutes: 3}, initialDelay: 15s, scope: local}
        pageSizes: {repositories: 50}
    githubOrg:
      - {id: one, githubUrl: 'https://github.com/', orgs: [Acme, Beta], schedule: {frequency: {cron: '0 * * * *'}, timeout: 1m}}
      - id: two
        githubUrl: https://ghe.example.com
        schedule: {frequency: {trigger: manual}, timeout: 1m}
        pageSizes: {teams: 10, teamMembers: 20, organizationMembers: 30}
        excludeSuspendedUsers: true
        defaultUserTransformer: {useVerifiedEmails: true}
`)
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	p := s.Providers
	require.Equal(t, []github.DiscoveryOptions{
		{ID: "plain", Organization: "acme", Host: "github.com", CatalogPath: "/catalog-info.yaml", PageSize: 25, Filters: github.Filters{AllowForks: true}, Schedule: threeHourly},
		{ID: "full", App: 4711, Host: "ghe.example.com", CatalogPath: "/services/**/info.yaml", PageSize: 50, Filters: github.Filters{
			Branch: "trunk", Repository: pattern(t, "service-.*", true), TopicInclude: []string{"a", "b"}, TopicExclude: []string{"c"},
			Visibility: []string{"Public", "internal"}, AllowArchived: true,
		}, Schedule: provider.Schedule{Every: 30 * time.Minute, Timeout: 3 * time.Minute, InitialDelay: 15 * time.Second}},
	}, p.GitHub)
	require.Equal(t, []github.OrgOptions{
		{ID: "one", URL: "https://github.com", Host: "github.com", Orgs: []string{"Acme", "Beta"}, PageSizes: github.DefaultOrgPageSizes(),
			Schedule: provider.Schedule{Cron: "0 * * * *", Timeout: time.Minute}},
		{ID: "two", URL: "https://ghe.example.com", Host: "ghe.example.com", PageSizes: github.OrgPageSizes{Teams: 10, TeamMembers: 20, OrganizationMembers: 30},
			ExcludeSuspendedUsers: true, UseVerifiedEmails: true, Schedule: provider.Schedule{Manual: true, Timeout: time.Minute}},
	}, p.GitHubOrg)
	require.Equal(t, provider.DefaultGuard(), p.Guard)
}

func TestOneGitHubProvider(t *testing.T) {
	s, err := read(t, minimal+`
catalog:
  providers:
    github: {organization: acme, validateLocationsExist: true}
    githubOrg: {id: one, githubUrl: 'https://github.com', orgs: [acme], schedule: {frequency: 1h, timeout: 1m}}
  removalGuard: {maxShare: 50%, atLeast: 3}
  providerOptions: {'github-provider:default': {disabled: true}, 'other': {disabled: false}}
`)
	require.NoError(t, err)
	require.Equal(t, "default", s.Providers.GitHub[0].ID)
	require.True(t, s.Providers.GitHub[0].ValidateLocationsExist)
	require.True(t, s.Providers.GitHubOrg[0].Flat, "one organisation in all has no namespace of its own")
	require.Equal(t, []string{"github-provider:default"}, s.Providers.Disabled)
	require.Equal(t, provider.Guard{Share: 0.5, AtLeast: 3}, s.Providers.Guard)
}

func TestGitLabAndGitProviders(t *testing.T) {
	s, err := read(t, minimal+`
catalog:
  providers:
    gitlab:
      plain: {host: gitlab.com, schedule: {frequency: 30m, timeout: 3m}}
      full:
        host: gitlab.example.com
        group: /acme/web/
        branch: main
        fallbackBranch: trunk
        entityFilename: info.yaml
        projectPattern: '^acme/'
        userPattern: ['@acme\.example$', bob]
        groupPattern: web
        useSearch: true
        skipForkedRepos: true
        includeArchivedRepos: true
        excludeRepos: [acme/old]
        membership: false
        topics: 'a, b'
        orgEnabled: true
        relations: [INHERITED, DESCENDANTS]
        restrictUsersToGroup: true
        includeUsersWithoutSeat: true
        schedule: {frequency: 30m, timeout: 3m}
    git:
      repositories: [https://git.example.com/a.git]
      catalogPath: '**/catalog-info.yaml'
`)
	require.NoError(t, err)
	half, no := provider.Schedule{Every: 30 * time.Minute, Timeout: 3 * time.Minute}, false
	require.Equal(t, []gitlab.DiscoveryOptions{
		{ID: "plain", Host: "gitlab.com", FallbackBranch: "master", EntityFilename: "catalog-info.yaml", Schedule: half},
		{ID: "full", Host: "gitlab.example.com", Group: "acme/web", Branch: "main", FallbackBranch: "trunk", EntityFilename: "info.yaml",
			ProjectPatterns: []provider.Pattern{pattern(t, "^acme/", false)}, UseSearch: true, SkipForkedRepos: true, IncludeArchivedRepos: true,
			ExcludeRepos: []string{"acme/old"}, Membership: &no, Topics: []string{"a", "b"}, Schedule: half},
	}, s.Providers.GitLab)
	require.Equal(t, []gitlab.OrgOptions{{
		ID: "full", Host: "gitlab.example.com", Group: "acme/web", GroupPatterns: []provider.Pattern{pattern(t, "web", false)},
		UserPatterns: []provider.Pattern{pattern(t, `@acme\.example$`, false), pattern(t, "bob", false)},
		Relations:    []string{"INHERITED", "DESCENDANTS"}, RestrictUsersToGroup: true, IncludeUsersWithoutSeat: true, Schedule: half,
	}}, s.Providers.GitLabOrg)
	require.Equal(t, []git.ListOptions{{ID: "default", Repositories: []string{"https://git.example.com/a.git"}, CatalogPath: "**/catalog-info.yaml", Schedule: threeHourly}}, s.Providers.Git)
}

// Locations of the types that were there before providers are read as such.
func TestListingLocations(t *testing.T) {
	s, err := read(t, minimal+`
catalog:
  locations:
    - {type: github-discovery, target: 'https://github.com/acme'}
    - {type: github-discovery, target: 'https://GHE.example.com/acme/service-*/blob/-/deploy/info.yaml'}
    - {type: github-discovery, target: 'https://github.com/acme/a.b/blob/trunk/info.yaml'}
    - {type: github-org, target: 'https://github.com/acme/'}
    - {type: gitlab-discovery, target: 'https://gitlab.com/acme/web/blob/*/catalog-info.yaml'}
    - {type: gitlab-discovery, target: 'https://gitlab.example.com/blob/main/catalog-info.yaml'}
`)
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	half := provider.Schedule{Every: 30 * time.Minute, Timeout: 15 * time.Minute}
	all := github.Filters{AllowForks: true}
	require.Equal(t, []github.DiscoveryOptions{
		{ID: "github.com/acme", Organization: "acme", Host: "github.com", CatalogPath: "/catalog-info.yaml", PageSize: 25, Filters: all, Schedule: half},
		{ID: "ghe.example.com/acme/service-*/blob/-/deploy/info.yaml", Organization: "acme", Host: "ghe.example.com", CatalogPath: "/deploy/info.yaml", PageSize: 25,
			Filters: github.Filters{AllowForks: true, Repository: pattern(t, "service-.*", true)}, Schedule: half},
		{ID: "github.com/acme/a.b/blob/trunk/info.yaml", Organization: "acme", Host: "github.com", CatalogPath: "/info.yaml", PageSize: 25,
			Filters: github.Filters{AllowForks: true, Repository: pattern(t, `a\.b`, true), Branch: "trunk"}, Schedule: half},
	}, s.Providers.GitHub)
	require.Equal(t, []github.OrgOptions{{ID: "github.com/acme", URL: "https://github.com", Host: "github.com", Orgs: []string{"acme"},
		PageSizes: github.DefaultOrgPageSizes(), Flat: true, Schedule: half}}, s.Providers.GitHubOrg)
	require.Equal(t, []gitlab.DiscoveryOptions{
		{ID: "gitlab.com/acme/web/blob/*/catalog-info.yaml", Host: "gitlab.com", Group: "acme/web", FallbackBranch: "master", EntityFilename: "catalog-info.yaml", Schedule: half},
		{ID: "gitlab.example.com/blob/main/catalog-info.yaml", Host: "gitlab.example.com", Branch: "main", FallbackBranch: "master", EntityFilename: "catalog-info.yaml", Schedule: half},
	}, s.Providers.GitLab)
	_, err = read(t, minimal+`
catalog:
  locations:
    - {type: github-discovery, target: 'https://github.com/acme/a'}
    - {type: github-org, target: 'https://github.com'}
    - {type: gitlab-discovery, target: 'https://gitlab.com/acme'}
    - {type: github-org, target: 'nowhere'}
`)
	require.Len(t, config.Lines(err), 4)
}

// All faults are reported together, each with its key.
func TestProviderFaults(t *testing.T) {
	_, err := read(t, minimal+`
catalog:
  removalGuard: {maxShare: 3, atLeast: -1}
  scmEvents: sometimes
  providers:
    github:
      a: {host: github.com}
      b: {organization: acme, app: 1}
      c: {app: many}
      d: {organization: acme, catalogPath: '/*/info.yaml', validateLocationsExist: true}
      e: {organization: acme, filters: {branch: a/b, repository: '(', visibility: [secret]}}
      f: {organization: acme, catalogPath: '../x', pageSizes: {repositories: 101}}
      g: {organization: acme, schedule: {frequency: soon, timeout: 1m}}
      h: {organization: acme, schedule: {frequency: 1h}}
      i: {organization: acme, schedule: {frequency: {cron: often}, timeout: 1m}}
      j: text
    githubOrg:
      - {id: a, githubUrl: nowhere, schedule: {frequency: 1h, timeout: 1m}}
      - {id: a, githubUrl: 'https://github.com'}
    gitlab:
      a: {schedule: {frequency: 1h, timeout: 1m}}
      b: {host: gitlab.com, orgEnabled: true, relations: [COUSIN], schedule: {frequency: 1h, timeout: 1m}}
      c: {host: gitlab.example.com}
    git:
      a: {branch: main}
      b: {repositories: ['https://user:hush@git.example.com/a.git']}
`)
	faults := config.Lines(err)
	for _, want := range []string{
		"'catalog.removalGuard.maxShare' in 'app-config.yaml': 3 is not a share", "'catalog.removalGuard.atLeast'", "'catalog.scmEvents'",
		"'catalog.providers.github.a' in 'app-config.yaml': organization or app is required",
		"'catalog.providers.github.b' in 'app-config.yaml': there is an organization or an app, not both", "catalog.providers.github.c.app",
		"'catalog.providers.github.d.validateLocationsExist' in 'app-config.yaml': it does not go with wildcards",
		"catalog.providers.github.e.filters.branch", "catalog.providers.github.e.filters.repository", "catalog.providers.github.e.filters.visibility",
		"catalog.providers.github.f.catalogPath", "catalog.providers.github.f.pageSizes.repositories", "catalog.providers.github.g.schedule.frequency",
		"Missing required config value at 'catalog.providers.github.h.schedule.timeout'", "catalog.providers.github.i.schedule", "catalog.providers.github.j",
		"catalog.providers.githubOrg[0].githubUrl", "catalog.providers.githubOrg[1].id", "Missing required config value at 'catalog.providers.githubOrg[1].schedule'",
		"Missing required config value at 'catalog.providers.gitlab.a.host'", "catalog.providers.gitlab.b.group", "catalog.providers.gitlab.b.relations[0]",
		"Missing required config value at 'catalog.providers.gitlab.c.schedule'", "catalog.providers.git.a", "catalog.providers.git.b.repositories",
	} {
		require.Contains(t, err.Error(), want)
	}
	require.GreaterOrEqual(t, len(faults), 25)
	require.NotContains(t, err.Error(), "hush")
}

func TestEvents(t *testing.T) {
	all := webhook.Effects{Refresh: true, Unregister: true, Move: true}
	for text, want := range map[string]webhook.Effects{
		"": {Refresh: true}, "catalog: {scmEvents: false}": {}, "catalog: {scmEvents: true}": all, "catalog: {scmEvents: {}}": all,
		"catalog: {scmEvents: {unregister: false}}": {Refresh: true, Move: true},
	} {
		s, err := read(t, minimal+text)
		require.NoError(t, err)
		require.Equal(t, want, s.Events.SCM, "%q", text)
	}
	s, err := read(t, minimal+`
events:
  http: {topics: [github, own, own]}
  modules: {github: {webhookSecret: hush-a}, gitlab: {webhookSecret: hush-b}}
`)
	require.NoError(t, err)
	require.Equal(t, config.Events{GitHubSecret: "hush-a", GitLabSecret: "hush-b", Topics: []string{"github", "own"}, SCM: webhook.Effects{Refresh: true}}, s.Events)
}
