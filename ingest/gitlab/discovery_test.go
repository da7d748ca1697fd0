package gitlab_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

const descriptor = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: %s}\nspec: {type: service, lifecycle: production, owner: team-a}\n"

func add(t testing.TB, g *forgetest.GitLab, r forgetest.Repository, files ...string) {
	t.Helper()
	if len(files) == 0 {
		files = []string{"catalog-info.yaml"}
	}
	content := map[string]string{}
	for _, f := range files {
		content[f] = fmt.Sprintf(descriptor, r.Name())
	}
	_, err := g.Add(r, content)
	require.NoError(t, err)
}

func options(g *forgetest.GitLab) gitlab.DiscoveryOptions {
	return gitlab.DiscoveryOptions{
		ID: "one", Host: g.Host(), FallbackBranch: gitlab.DefaultFallbackBranch, EntityFilename: gitlab.DefaultEntityFilename,
		Schedule: provider.Schedule{Every: time.Hour, Timeout: time.Hour},
	}
}

func targets(g *forgetest.GitLab, list []engine.Deferred) []string {
	out := []string{}
	for _, d := range list {
		out = append(out, strings.TrimPrefix(d.Entity.Spec().String("target"), g.URL()+"/"))
	}
	slices.Sort(out)
	return out
}

func patterns(t testing.TB, texts ...string) (out []provider.Pattern) {
	t.Helper()
	for _, text := range texts {
		p, err := provider.ParsePattern(text, false)
		require.NoError(t, err)
		out = append(out, p)
	}
	return out
}

func poll(t testing.TB, p provider.Provider) provider.Listing {
	t.Helper()
	l, err := p.Poll(t.Context())
	require.NoError(t, err)
	return l
}

// fleet makes one project of each kind that an option knows.
func fleet(t *testing.T) *forgetest.GitLab {
	t.Helper()
	g := forgetest.NewGitLab(t)
	g.AddToken("secret")
	for _, p := range []string{"acme", "acme/web", "acme/web/deep", "other"} {
		g.PutGroup(forgetest.Group{FullPath: p})
	}
	add(t, g, forgetest.Repository{FullName: "acme/shop", Topics: []string{"go", "service"}})
	add(t, g, forgetest.Repository{FullName: "acme/web/site", DefaultBranch: "trunk", Topics: []string{"service"}})
	add(t, g, forgetest.Repository{FullName: "acme/web/deep/api", Visibility: forgetest.Private})
	add(t, g, forgetest.Repository{FullName: "acme/old", Archived: true})
	add(t, g, forgetest.Repository{FullName: "acme/fork", Fork: true})
	add(t, g, forgetest.Repository{FullName: "acme/bare"}, "README.md", "docs/catalog-info.yaml")
	add(t, g, forgetest.Repository{FullName: "other/thing"})
	_, err := g.CreateRepository(forgetest.Repository{FullName: "acme/empty"})
	require.NoError(t, err)
	return g
}

func TestDiscoveryOptions(t *testing.T) {
	g := fleet(t)
	shop, site, api := "acme/shop/-/blob/main/catalog-info.yaml", "acme/web/site/-/blob/trunk/catalog-info.yaml", "acme/web/deep/api/-/blob/main/catalog-info.yaml"
	fork, old, thing := "acme/fork/-/blob/main/catalog-info.yaml", "acme/old/-/blob/main/catalog-info.yaml", "other/thing/-/blob/main/catalog-info.yaml"
	yes := true
	cases := []struct {
		name   string
		change func(o *gitlab.DiscoveryOptions)
		want   []string
	}{
		{"the whole instance", func(*gitlab.DiscoveryOptions) {}, []string{fork, shop, api, site, thing}},
		{"group", func(o *gitlab.DiscoveryOptions) { o.Group = "acme" }, []string{fork, shop, api, site}},
		{"a group within", func(o *gitlab.DiscoveryOptions) { o.Group = "acme/web" }, []string{api, site}},
		{"branch", func(o *gitlab.DiscoveryOptions) { o.Branch = "trunk" }, []string{site}},
		{"entityFilename", func(o *gitlab.DiscoveryOptions) { o.EntityFilename = "docs/catalog-info.yaml" }, []string{"acme/bare/-/blob/main/docs/catalog-info.yaml"}},
		{"projectPattern", func(o *gitlab.DiscoveryOptions) { o.ProjectPatterns = patterns(t, "web/") }, []string{api, site}},
		{"several projectPatterns", func(o *gitlab.DiscoveryOptions) { o.ProjectPatterns = patterns(t, "^other/", "shop$") }, []string{shop, thing}},
		{"skipForkedRepos", func(o *gitlab.DiscoveryOptions) { o.SkipForkedRepos = true; o.Group = "acme" }, []string{shop, api, site}},
		{"includeArchivedRepos", func(o *gitlab.DiscoveryOptions) { o.IncludeArchivedRepos = true; o.Group = "acme" }, []string{fork, old, shop, api, site}},
		{"excludeRepos", func(o *gitlab.DiscoveryOptions) { o.ExcludeRepos = []string{"acme/shop", "web/site"} }, []string{fork, api, site, thing}},
		{"topics", func(o *gitlab.DiscoveryOptions) { o.Topics = []string{"service", "go"} }, []string{shop}},
		{"membership", func(o *gitlab.DiscoveryOptions) { o.Membership = &yes }, []string{fork, shop, api, site, thing}},
		{"useSearch", func(o *gitlab.DiscoveryOptions) { o.UseSearch = true; o.Group = "acme"; o.SkipForkedRepos = true },
			[]string{"acme/bare/-/blob/main/docs/catalog-info.yaml", shop, api, site}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := options(g)
			c.change(&o)
			l := poll(t, gitlab.NewDiscovery(o, newAPI(t, g), nil).Provider())
			require.False(t, l.Delta)
			slices.Sort(c.want)
			require.Equal(t, c.want, targets(g, l.Added))
			for _, d := range l.Added {
				require.Equal(t, "GitlabDiscoveryEntityProvider:one", d.LocationKey)
				require.Equal(t, "optional", d.Entity.Spec().String("presence"))
			}
		})
	}
}

func TestFallbackBranch(t *testing.T) {
	g := forgetest.NewGitLab(t)
	add(t, g, forgetest.Repository{FullName: "acme/shop", DefaultBranch: "master"})
	require.NoError(t, g.Update("acme/shop", func(r *forgetest.Repository) { r.DefaultBranch = "" }))
	l := poll(t, gitlab.NewDiscovery(options(g), newAPI(t, g), nil).Provider())
	require.Empty(t, l.Added, "a project without a default branch is empty")
}

// An unchanged project is not asked again, once it has been still for long
// enough that the host would have noted activity.
func TestDiscoveryAsksAgainOnlyWhereSomethingMayHaveHappened(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	g, err := forgetest.StartGitLab(forgetest.Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	require.NoError(t, err)
	t.Cleanup(func() { g.Close() })
	for i := range 30 {
		add(t, g, forgetest.Repository{FullName: fmt.Sprintf("acme/repo-%d", i)})
	}
	d := gitlab.NewDiscovery(options(g), newAPI(t, g), func() time.Time { return now })
	asked := func() int {
		g.ResetRequests()
		require.Len(t, poll(t, d.Provider()).Added, 30)
		require.Equal(t, 1, g.Requests()["projects"].Total)
		return g.Requests()["raw file"].Total + g.Requests()["file"].Total
	}
	require.Equal(t, 30, asked(), "the first time")
	now = now.Add(30 * time.Minute)
	require.Equal(t, 30, asked(), "something may have happened that the host does not show yet")
	now = now.Add(2 * time.Hour)
	require.Equal(t, 30, asked(), "the answers are from a time too soon after the last activity")
	now = now.Add(time.Hour)
	require.Zero(t, asked(), "nothing can have happened")
	_, err = g.Commit("acme/repo-3", "main", "change", map[string]string{"a": "b"})
	require.NoError(t, err)
	require.Equal(t, 1, asked(), "one has changed")
	now = now.Add(48 * time.Hour)
	require.Equal(t, 30, asked(), "after a day everything is asked again")
}

func TestDiscoveryFailsWhole(t *testing.T) {
	second := func() func(*http.Request) bool {
		n := 0
		return func(*http.Request) bool { n++; return n > 1 }
	}
	jsonHeader := http.Header{"Content-Type": {"application/json"}}
	cases := []struct {
		name  string
		fault forgetest.Fault
		want  string
	}{
		{"a server error", forgetest.Fault{Route: "projects", Status: http.StatusInternalServerError}, "500"},
		{"the second page fails", forgetest.Fault{Route: "projects", Status: http.StatusBadGateway, When: second()}, "502"},
		{"an answer cut off", forgetest.Fault{Route: "projects", CutAfter: 200}, "EOF"},
		{"too many requests", forgetest.Fault{Route: "projects", Status: http.StatusTooManyRequests}, "429"},
		{"no pages", forgetest.Fault{Route: "projects", Status: http.StatusOK, Body: `[]`, Header: jsonHeader}, "last page"},
		{"fewer than announced", forgetest.Fault{Route: "projects", Status: http.StatusOK, Body: `[]`,
			Header: http.Header{"X-Next-Page": {""}, "X-Total": {"3"}}}, "0 of 3"},
		{"a list that goes on nowhere", forgetest.Fault{Route: "projects", Status: http.StatusOK, Body: `[]`,
			Header: http.Header{"X-Next-Page": {"2"}}}, "incomplete"},
		{"a list that goes in circles", forgetest.Fault{Route: "projects", Status: http.StatusOK, Body: `[{"id":1,"path_with_namespace":"a/b","web_url":"http://x"}]`,
			Header: http.Header{"X-Next-Page": {"1"}}}, "incomplete"},
		{"a project without a path", forgetest.Fault{Route: "projects", Status: http.StatusOK, Body: `[{"id":1}]`,
			Header: http.Header{"X-Next-Page": {""}}}, "incomplete"},
		{"nothing in the place of a project", forgetest.Fault{Route: "projects", Status: http.StatusOK, Body: `[null]`,
			Header: http.Header{"X-Next-Page": {""}}}, "incomplete"},
		{"a question about one file fails", forgetest.Fault{Route: "file", Status: http.StatusInternalServerError, Every: 4}, "500"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := forgetest.NewGitLab(t)
			projects := 5
			if c.fault.When != nil {
				projects = 101 // two pages
			}
			for i := range projects {
				_, err := g.CreateRepository(forgetest.Repository{FullName: fmt.Sprintf("acme/repo-%d", i)})
				require.NoError(t, err)
			}
			for i := range 4 {
				_, err := g.Commit(fmt.Sprintf("acme/repo-%d", i), "main", "a", map[string]string{"catalog-info.yaml": "a"})
				require.NoError(t, err)
			}
			g.Inject(c.fault)
			_, err := gitlab.NewDiscovery(options(g), newAPI(t, g), nil).Provider().Poll(t.Context())
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSearchFailsWhole(t *testing.T) {
	g := fleet(t)
	o := options(g)
	o.UseSearch = true
	g.Inject(forgetest.Fault{Route: "project", Status: http.StatusBadGateway, Every: 2})
	_, err := gitlab.NewDiscovery(o, newAPI(t, g), nil).Provider().Poll(t.Context())
	require.ErrorContains(t, err, "502")
	o.Group = "nobody"
	_, err = gitlab.NewDiscovery(o, newAPI(t, g), nil).Provider().Poll(t.Context())
	require.Error(t, err)
}
