package github_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/openapi"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

const descriptor = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: %s}\nspec: {type: service, lifecycle: production, owner: team-a}\n"

// add makes a repository with a descriptor.
func add(t testing.TB, g *forgetest.GitHub, r forgetest.Repository) {
	t.Helper()
	_, err := g.Add(r, map[string]string{"catalog-info.yaml": fmt.Sprintf(descriptor, r.Name())})
	require.NoError(t, err)
}

// options are those of a discovery that says nothing but where.
func options(g *forgetest.GitHub) github.DiscoveryOptions {
	return github.DiscoveryOptions{
		ID: "default", Organization: "acme", Host: g.Host(), CatalogPath: github.DefaultCatalogPath, PageSize: github.DefaultPageSize,
		Filters:  github.Filters{AllowForks: true},
		Schedule: provider.Schedule{Every: 3 * time.Hour, Timeout: time.Hour},
	}
}

// targets are where the locations of a listing point, without the host, sorted.
func targets(g *forgetest.GitHub, list []engine.Deferred) []string {
	out := []string{}
	for _, d := range list {
		out = append(out, strings.TrimPrefix(d.Entity.Spec().String("target"), g.URL()+"/"))
	}
	slices.Sort(out)
	return out
}

func pattern(t testing.TB, text string) provider.Pattern {
	t.Helper()
	p, err := provider.ParsePattern(text, true)
	require.NoError(t, err)
	return p
}

func poll(t testing.TB, p provider.Provider) provider.Listing {
	t.Helper()
	l, err := p.Poll(t.Context())
	require.NoError(t, err)
	return l
}

// fleet makes one repository of each kind that a filter knows.
func fleet(t *testing.T) *forgetest.GitHub {
	t.Helper()
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	g.AddToken("secret")
	for _, r := range []forgetest.Repository{
		{FullName: "acme/shop", Topics: []string{"service", "go"}},
		{FullName: "acme/site", Topics: []string{"web"}, DefaultBranch: "trunk"},
		{FullName: "acme/old", Archived: true},
		{FullName: "acme/fork", Fork: true},
		{FullName: "acme/inner", Visibility: forgetest.Internal},
		{FullName: "acme/secret", Visibility: forgetest.Private, Topics: []string{"service", "internal"}},
		{FullName: "other/shop"},
	} {
		add(t, g, r)
	}
	_, err := g.Add(forgetest.Repository{FullName: "acme/bare"}, map[string]string{"README.md": "no descriptor here"})
	require.NoError(t, err)
	_, err = g.Add(forgetest.Repository{FullName: "acme/blank"}, map[string]string{"catalog-info.yaml": ""})
	require.NoError(t, err)
	_, err = g.CreateRepository(forgetest.Repository{FullName: "acme/empty"})
	require.NoError(t, err)
	return g
}

func TestDiscoveryOptions(t *testing.T) {
	g := fleet(t)
	main := func(names ...string) (out []string) {
		for _, n := range names {
			branch := "main"
			if n == "site" {
				branch = "trunk"
			}
			out = append(out, "acme/"+n+"/blob/"+branch+"/catalog-info.yaml")
		}
		return out
	}
	cases := []struct {
		name   string
		change func(o *github.DiscoveryOptions)
		want   []string
	}{
		{"nothing said", func(*github.DiscoveryOptions) {}, main("bare", "blank", "fork", "inner", "secret", "shop", "site")},
		{"validateLocationsExist", func(o *github.DiscoveryOptions) { o.ValidateLocationsExist = true }, main("fork", "inner", "secret", "shop", "site")},
		{"filters.branch", func(o *github.DiscoveryOptions) {
			o.Filters.Branch = "release"
			o.Filters.Repository = pattern(t, "shop|site")
		},
			[]string{"acme/shop/blob/release/catalog-info.yaml", "acme/site/blob/release/catalog-info.yaml"}},
		{"filters.branch with validateLocationsExist", func(o *github.DiscoveryOptions) {
			o.Filters.Branch, o.ValidateLocationsExist = "trunk", true
		}, main("site")},
		{"filters.repository", func(o *github.DiscoveryOptions) { o.Filters.Repository = pattern(t, "s.*") }, main("secret", "shop", "site")},
		{"filters.repository with a look-ahead", func(o *github.DiscoveryOptions) { o.Filters.Repository = pattern(t, "(?!s).*") }, main("bare", "blank", "fork", "inner")},
		{"filters.topic.include", func(o *github.DiscoveryOptions) { o.Filters.TopicInclude = []string{"service", "web"} }, main("secret", "shop", "site")},
		{"filters.topic.exclude", func(o *github.DiscoveryOptions) { o.Filters.TopicExclude = []string{"internal", "web"} }, main("bare", "blank", "fork", "inner", "shop")},
		{"exclude wins", func(o *github.DiscoveryOptions) {
			o.Filters.TopicInclude, o.Filters.TopicExclude = []string{"service"}, []string{"internal"}
		}, main("shop")},
		{"filters.allowForks: false", func(o *github.DiscoveryOptions) { o.Filters.AllowForks = false }, main("bare", "blank", "inner", "secret", "shop", "site")},
		{"filters.allowArchived", func(o *github.DiscoveryOptions) { o.Filters.AllowArchived = true }, main("bare", "blank", "fork", "inner", "old", "secret", "shop", "site")},
		{"filters.visibility", func(o *github.DiscoveryOptions) { o.Filters.Visibility = []string{"Private", "internal"} }, main("inner", "secret")},
		{"catalogPath", func(o *github.DiscoveryOptions) {
			o.CatalogPath = "a/b.yaml"
			o.Filters.Repository = pattern(t, "shop")
		},
			[]string{"acme/shop/blob/main/a/b.yaml"}},
		{"catalogPath with wildcards", func(o *github.DiscoveryOptions) {
			o.CatalogPath = "/**/catalog-info.yaml"
			o.Filters.Repository = pattern(t, "shop")
		}, []string{"acme/shop/blob/main/**/catalog-info.yaml"}},
		{"pageSizes.repositories", func(o *github.DiscoveryOptions) { o.PageSize = 1 }, main("bare", "blank", "fork", "inner", "secret", "shop", "site")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := options(g)
			c.change(&o)
			l := poll(t, github.NewDiscovery(o, newAPI(t, g)).Provider())
			require.False(t, l.Delta)
			require.Equal(t, c.want, targets(g, l.Added))
		})
	}
}

func TestDiscoveredLocation(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	add(t, g, forgetest.Repository{FullName: "acme/shop"})
	d := github.NewDiscovery(options(g), newAPI(t, g))
	require.Equal(t, "github-provider:default", d.Name())
	l := poll(t, d.Provider())
	require.Len(t, l.Added, 1)
	require.Equal(t, "github-provider:default", l.Added[0].LocationKey)
	entity, target := l.Added[0].Entity, g.URL()+"/acme/shop/blob/main/catalog-info.yaml"
	require.Equal(t, "Location", entity.Kind())
	require.Equal(t, catalog.LocationRef{Type: "url", Target: target}.GeneratedName(), entity.Name())
	require.Equal(t, "url:"+target, entity.Annotation(catalog.AnnotationManagedBy))
	require.Equal(t, "url:"+target, entity.Annotation(catalog.AnnotationManagedByOrigin))
	require.Equal(t, "optional", entity.Spec().String("presence"))
	require.Equal(t, "url", entity.Spec().String("type"))
}

func TestDiscoveryOfAUser(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	g.AddUser(forgetest.User{Login: "ada"})
	add(t, g, forgetest.Repository{FullName: "ada/notes"})
	o := options(g)
	o.Organization = "ada"
	l := poll(t, github.NewDiscovery(o, newAPI(t, g)).Provider())
	require.Equal(t, []string{"ada/notes/blob/main/catalog-info.yaml"}, targets(g, l.Added))
}

func TestDiscoveryOfAnApp(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	for _, name := range []string{"acme/shop", "beta/site", "gamma/else"} {
		add(t, g, forgetest.Repository{FullName: name})
	}
	o := options(g)
	o.Organization, o.App = "", 7
	a := newAPI(t, g)
	a.installations = map[int64][]string{7: {"acme", "beta"}, 8: {"gamma"}}
	l := poll(t, github.NewDiscovery(o, a).Provider())
	require.Equal(t, []string{"acme/shop/blob/main/catalog-info.yaml", "beta/site/blob/main/catalog-info.yaml"}, targets(g, l.Added))
	a.fail = errors.New("the app's key is wrong")
	_, err := github.NewDiscovery(o, a).Provider().Poll(t.Context())
	require.ErrorContains(t, err, "app 7")
}

// Whatever goes wrong with a listing, it must be an error: an empty listing
// would delete all there is.
func TestDiscoveryFailsWhole(t *testing.T) {
	graphql := func(body string) forgetest.Fault {
		return forgetest.Fault{Route: "graphql", Status: http.StatusOK, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
	}
	second := func() func(*http.Request) bool { // leaves the first page alone
		n := 0
		return func(*http.Request) bool { n++; return n > 1 }
	}
	cases := []struct {
		name  string
		fault forgetest.Fault
		want  string
	}{
		{"a server error", forgetest.Fault{Route: "graphql", Status: http.StatusInternalServerError}, "500"},
		{"the second page fails", forgetest.Fault{Route: "graphql", Status: http.StatusBadGateway, When: second()}, "502"},
		{"an answer cut off", forgetest.Fault{Route: "graphql", CutAfter: 200}, "EOF"},
		{"the second answer cut off", forgetest.Fault{Route: "graphql", CutAfter: 200, When: second()}, "EOF"},
		{"a used-up budget", forgetest.Fault{Route: "graphql", Status: http.StatusForbidden, Header: http.Header{"X-Ratelimit-Remaining": {"0"}}}, "403"},
		{"a budget used up in words", graphql(`{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`), "rate limit"},
		{"data beside an error", graphql(`{"data":{"repositoryOwner":{"repositories":{"nodes":[],"pageInfo":{"hasNextPage":false}}}},
			"errors":[{"type":"FORBIDDEN","message":"Resource protected by organization SAML enforcement."}]}`), "SAML"},
		{"no owner", graphql(`{"data":{"repositoryOwner":null}}`), "no such organisation"},
		{"no data", graphql(`{"data":null}`), "incomplete"},
		{"nothing", graphql(`{}`), "incomplete"},
		{"a page that does not say whether it is the last", graphql(`{"data":{"repositoryOwner":{"repositories":{"nodes":[]}}}}`), "incomplete"},
		{"a repository left out", graphql(`{"data":{"repositoryOwner":{"repositories":{"nodes":[null],"pageInfo":{"hasNextPage":false}}}}}`), "incomplete"},
		{"a list that goes on nowhere", graphql(`{"data":{"repositoryOwner":{"repositories":{"nodes":[],"pageInfo":{"hasNextPage":true}}}}}`), "incomplete"},
		{"a list that goes in circles", graphql(`{"data":{"repositoryOwner":{"repositories":{"nodes":[],"pageInfo":{"hasNextPage":true,"endCursor":"a"}}}}}`), "incomplete"},
		{"a page of another host", graphql(`<html>please sign in</html>`), "invalid character"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := forgetest.NewGitHub(t)
			openapi.WatchGitHub(t, g)
			for i := range 3 {
				add(t, g, forgetest.Repository{FullName: fmt.Sprintf("acme/repo-%d", i)})
			}
			o := options(g)
			o.PageSize = 2
			g.Inject(c.fault)
			_, err := github.NewDiscovery(o, newAPI(t, g)).Provider().Poll(t.Context())
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestDiscoveryOfNobody(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	_, err := github.NewDiscovery(options(g), newAPI(t, g)).Provider().Poll(t.Context())
	require.ErrorContains(t, err, "acme")
}

// A query that is too much for the host is asked again in smaller parts.
func TestDiscoveryAsksForLess(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	for i := range 10 {
		add(t, g, forgetest.Repository{FullName: fmt.Sprintf("acme/repo-%d", i)})
	}
	g.Inject(forgetest.Fault{
		Route: "graphql", Times: 2, Status: http.StatusOK,
		Body: `{"errors":[{"message":"Something went wrong while executing your query. This may be the result of a timeout."}]}`,
	})
	o := options(g)
	o.PageSize = 8
	l := poll(t, github.NewDiscovery(o, newAPI(t, g)).Provider())
	require.Len(t, l.Added, 10)
	require.Equal(t, 2+5, g.Requests()["graphql"].Total, "eight and four at once were too many, two are not")
}

func TestDiscoveryEndsWithItsContext(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	add(t, g, forgetest.Repository{FullName: "acme/shop"})
	hold := make(chan struct{})
	defer close(hold)
	g.Inject(forgetest.Fault{Route: "graphql", Hold: hold})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := github.NewDiscovery(options(g), newAPI(t, g)).Provider().Poll(ctx)
	require.ErrorIs(t, err, context.Canceled)
}
