package github_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/openapi"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// company is a host with one organisation: teams in a tree, and users of whom
// one is suspended.
func company(t testing.TB) *forgetest.GitHub {
	t.Helper()
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	g.AddUser(forgetest.User{Login: "Ada", Name: "Ada Lovelace", Email: "ada@home.example", Bio: "Counts", Verified: []string{"ada+gh@acme.example"}})
	g.AddUser(forgetest.User{Login: "bob"})
	g.AddUser(forgetest.User{Login: "eve", Suspended: true})
	g.AddOrganization("Acme", "Ada", "bob", "eve")
	g.PutTeam("Acme", forgetest.Team{Slug: "all", Name: "All", Description: "Everybody"})
	g.PutTeam("Acme", forgetest.Team{Slug: "web-team", Name: "Web Team", Parent: "all", Members: []string{"bob", "eve"}})
	g.PutTeam("Acme", forgetest.Team{Slug: "core", Name: "Core", Parent: "all", Members: []string{"Ada", "bob"}})
	return g
}

func orgOptions(g *forgetest.GitHub, orgs ...string) github.OrgOptions {
	return github.OrgOptions{
		ID: "people", URL: g.URL(), Host: g.Host(), Orgs: orgs, PageSizes: github.DefaultOrgPageSizes(), Flat: len(orgs) == 1,
		Schedule: provider.Schedule{Every: time.Hour, Timeout: time.Hour},
	}
}

// byRef returns the entities of a list as JSON, by ref.
func byRef(list []engine.Deferred) map[string]string {
	out := map[string]string{}
	for _, d := range list {
		out[d.Entity.Ref().String()] = string(jsonvalue.Append(nil, d.Entity.Object))
	}
	return out
}

func refs(list []engine.Deferred) []string {
	out := []string{}
	for _, d := range list {
		out = append(out, d.Entity.Ref().String())
	}
	return out
}

func TestOrgEntities(t *testing.T) {
	g := company(t)
	d := github.NewOrgData(orgOptions(g, "Acme"), newAPI(t, g))
	require.Equal(t, "GithubMultiOrgEntityProvider:people", d.Name())
	require.Equal(t, "GithubOrgEntityProvider:people", d.Predecessor())
	l := poll(t, d.Provider())
	require.Equal(t, []string{"user:default/ada", "user:default/bob", "user:default/eve", "group:default/all", "group:default/core", "group:default/web-team"}, refs(l.Added))
	for _, e := range l.Added {
		require.Equal(t, "github-multi-org-provider:people", e.LocationKey)
	}
	entities := byRef(l.Added)
	ada := poll(t, d.Provider()).Added[0].Entity.Annotation("github.com/user-id")
	require.NotEmpty(t, ada)
	require.JSONEq(t, fmt.Sprintf(`{"apiVersion":"backstage.io/v1alpha1","kind":"User","metadata":{"name":"Ada","description":"Counts","annotations":{
		"backstage.io/managed-by-location":"url:%[1]s/Ada","backstage.io/managed-by-origin-location":"url:%[1]s/Ada",
		"github.com/user-login":"Ada","github.com/user-id":"%[2]s"}},
		"spec":{"profile":{"displayName":"Ada Lovelace","email":"ada@home.example","picture":"%[1]s/avatars/Ada"},"memberOf":["core"]}}`, g.URL(), ada),
		entities["user:default/ada"])
	require.JSONEq(t, fmt.Sprintf(`{"apiVersion":"backstage.io/v1alpha1","kind":"Group","metadata":{"name":"web-team","annotations":{
		"backstage.io/managed-by-location":"url:%[1]s/orgs/Acme/teams/web-team","backstage.io/managed-by-origin-location":"url:%[1]s/orgs/Acme/teams/web-team",
		"github.com/team-slug":"Acme/web-team","backstage.io/edit-url":"%[1]s/orgs/Acme/teams/web-team/edit"}},
		"spec":{"type":"team","profile":{"displayName":"Web Team","picture":"%[1]s/avatars/t/web-team"},"children":[],"parent":"all",
		"members":["default/bob","default/eve"]}}`, g.URL()), entities["group:default/web-team"])
	require.JSONEq(t, fmt.Sprintf(`{"apiVersion":"backstage.io/v1alpha1","kind":"Group","metadata":{"name":"all","description":"Everybody","annotations":{
		"backstage.io/managed-by-location":"url:%[1]s/orgs/Acme/teams/all","backstage.io/managed-by-origin-location":"url:%[1]s/orgs/Acme/teams/all",
		"github.com/team-slug":"Acme/all","backstage.io/edit-url":"%[1]s/orgs/Acme/teams/all/edit"}},
		"spec":{"type":"team","profile":{"displayName":"All","picture":"%[1]s/avatars/t/all"},"children":["core","web-team"],"members":[]}}`, g.URL()),
		entities["group:default/all"], "members of the teams below are not its own")
}

func TestOrgOptions(t *testing.T) {
	cases := []struct {
		name   string
		change func(g *forgetest.GitHub, o *github.OrgOptions)
		check  func(t *testing.T, g *forgetest.GitHub, l provider.Listing)
	}{
		{"excludeSuspendedUsers", func(_ *forgetest.GitHub, o *github.OrgOptions) { o.ExcludeSuspendedUsers = true },
			func(t *testing.T, _ *forgetest.GitHub, l provider.Listing) {
				require.NotContains(t, refs(l.Added), "user:default/eve")
				require.Contains(t, byRef(l.Added)["group:default/web-team"], `"members":["default/bob"]`, "nor is she a member")
			}},
		{"useVerifiedEmails", func(_ *forgetest.GitHub, o *github.OrgOptions) { o.UseVerifiedEmails = true },
			func(t *testing.T, _ *forgetest.GitHub, l provider.Listing) {
				require.Contains(t, byRef(l.Added)["user:default/ada"], `"email":"ada@acme.example"`)
			}},
		{"page sizes", func(_ *forgetest.GitHub, o *github.OrgOptions) {
			o.PageSizes = github.OrgPageSizes{Teams: 1, TeamMembers: 1, OrganizationMembers: 1}
		}, func(t *testing.T, g *forgetest.GitHub, l provider.Listing) {
			require.Len(t, l.Added, 6)
			require.Contains(t, byRef(l.Added)["group:default/core"], `"members":["default/Ada","default/bob"]`)
			require.Equal(t, 3+3+2, g.Requests()["graphql"].Total, "members, teams, and the second members of two teams")
		}},
		{"two organisations", func(g *forgetest.GitHub, o *github.OrgOptions) {
			g.AddOrganization("Beta", "bob")
			g.PutTeam("Beta", forgetest.Team{Slug: "core", Name: "Core", Members: []string{"bob"}})
			o.Orgs, o.Flat = []string{"Acme", "Beta"}, false
		}, func(t *testing.T, _ *forgetest.GitHub, l provider.Listing) {
			require.Equal(t, []string{"user:default/ada", "user:default/bob", "user:default/eve",
				"group:acme/all", "group:acme/core", "group:acme/web-team", "group:beta/core"}, refs(l.Added))
			require.Contains(t, byRef(l.Added)["user:default/bob"], `"memberOf":["acme/core","acme/web-team","beta/core"]`)
			require.Contains(t, byRef(l.Added)["group:beta/core"], `"namespace":"beta"`)
		}},
		{"all installations of an app", func(_ *forgetest.GitHub, o *github.OrgOptions) { o.Orgs, o.Apps = nil, []int64{7, 8} },
			func(t *testing.T, _ *forgetest.GitHub, l provider.Listing) { require.Len(t, l.Added, 6) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := company(t)
			o, a := orgOptions(g, "Acme"), newAPI(t, g)
			a.installations = map[int64][]string{7: {"Acme"}}
			c.change(g, &o)
			c.check(t, g, poll(t, github.NewOrgData(o, a).Provider()))
		})
	}
}

func TestOrgFailsWhole(t *testing.T) {
	cases := []struct {
		name  string
		orgs  []string
		fault forgetest.Fault
		want  string
	}{
		{"no such organisation", []string{"Acme", "nobody"}, forgetest.Fault{Times: -1}, "nobody"},
		{"no organisation at all", nil, forgetest.Fault{Times: -1}, "no organisation"},
		{"a server error", []string{"Acme"}, forgetest.Fault{Route: "graphql", Status: http.StatusBadGateway}, "502"},
		{"an answer cut off", []string{"Acme"}, forgetest.Fault{Route: "graphql", CutAfter: 300}, "EOF"},
		{"members without a page", []string{"Acme"}, forgetest.Fault{Route: "graphql", Status: http.StatusOK,
			Body: `{"data":{"organization":{"membersWithRole":{"nodes":[]}}}}`}, "incomplete"},
		{"a member left out", []string{"Acme"}, forgetest.Fault{Route: "graphql", Status: http.StatusOK,
			Body: `{"data":{"organization":{"membersWithRole":{"nodes":[null],"pageInfo":{"hasNextPage":false}}}}}`}, "incomplete"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := company(t)
			if c.fault.Times == 0 {
				g.Inject(c.fault)
			}
			_, err := github.NewOrgData(orgOptions(g, c.orgs...), newAPI(t, g)).Provider().Poll(t.Context())
			require.ErrorContains(t, err, c.want)
		})
	}
	// The same for what comes after the members.
	g := company(t)
	n := 0
	g.Inject(forgetest.Fault{Route: "graphql", When: func(*http.Request) bool { n++; return n > 1 }, Status: http.StatusOK,
		Body: `{"data":{"organization":{"teams":{"nodes":[{"slug":"a","members":{"nodes":[]}}],"pageInfo":{"hasNextPage":false}}}}}`})
	_, err := github.NewOrgData(orgOptions(g, "Acme"), newAPI(t, g)).Provider().Poll(t.Context())
	require.ErrorContains(t, err, "incomplete", "a team whose members are not all known would lose them")
}
