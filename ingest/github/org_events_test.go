package github_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

func TestOrgHearsOfPeople(t *testing.T) {
	core := forgetest.Team{Slug: "core", Name: "Core", Parent: "all", Members: []string{"Ada", "bob"}}
	cases := []struct {
		name    string
		happens func(g *forgetest.GitHub) (event string, payload map[string]any)
		added   []string
		removed []string
		has     map[string]string // part of the entity of a ref
	}{
		{"a user came", func(g *forgetest.GitHub) (string, map[string]any) {
			g.AddUser(forgetest.User{Login: "cyd", Name: "Cyd"})
			g.AddOrganization("Acme", "cyd")
			return "organization", g.OrganizationEvent("member_added", "Acme", "cyd")
		}, []string{"user:default/cyd"}, nil, map[string]string{"user:default/cyd": `"displayName":"Cyd"`}},
		{"a user left", func(g *forgetest.GitHub) (string, map[string]any) {
			g.RemoveMember("Acme", "bob")
			return "organization", g.OrganizationEvent("member_removed", "Acme", "bob")
		}, []string{"group:default/core", "group:default/web-team"}, []string{"user:default/bob"}, map[string]string{"group:default/core": `"members":["default/Ada"]`}},
		{"a user joined a team", func(g *forgetest.GitHub) (string, map[string]any) {
			g.PutTeam("Acme", forgetest.Team{Slug: "core", Name: "Core", Parent: "all", Members: []string{"Ada", "bob", "eve"}})
			return "membership", g.MembershipEvent("added", "Acme", core, "eve")
		}, []string{"user:default/ada", "user:default/bob", "user:default/eve", "group:default/all", "group:default/core"}, nil,
			map[string]string{"user:default/eve": `"memberOf":["core","web-team"]`, "group:default/core": `"default/eve"`}},
		{"a user left a team", func(g *forgetest.GitHub) (string, map[string]any) {
			g.PutTeam("Acme", forgetest.Team{Slug: "core", Name: "Core", Parent: "all", Members: []string{"Ada"}})
			return "membership", g.MembershipEvent("removed", "Acme", core, "bob")
		}, []string{"user:default/ada", "user:default/bob", "group:default/all", "group:default/core"}, nil,
			map[string]string{"user:default/bob": `"memberOf":["web-team"]`, "group:default/core": `"members":["default/Ada"]`}},
		{"a team was made", func(g *forgetest.GitHub) (string, map[string]any) {
			ops := forgetest.Team{Slug: "ops", Name: "Ops", Parent: "core", Members: []string{"Ada"}}
			g.PutTeam("Acme", ops)
			return "team", g.TeamEvent("created", "Acme", ops, nil)
		}, []string{"user:default/ada", "group:default/core", "group:default/ops"}, nil,
			map[string]string{"group:default/core": `"children":["ops"]`, "user:default/ada": `"memberOf":["core","ops"]`}},
		{"a team got another name", func(g *forgetest.GitHub) (string, map[string]any) {
			site := forgetest.Team{Slug: "site-team", Name: "Site  Team", Parent: "all", Members: []string{"bob", "eve"}}
			g.RenameTeam("Acme", "web-team", site)
			return "team", g.TeamEvent("edited", "Acme", site, map[string]any{"name": map[string]any{"from": "Web  Team"}})
		}, []string{"user:default/bob", "user:default/eve", "group:default/all", "group:default/site-team"}, []string{"group:default/web-team"},
			map[string]string{"group:default/all": `"children":["core","site-team"]`, "user:default/bob": `"memberOf":["core","site-team"]`}},
		{"a team above others got another name", func(g *forgetest.GitHub) (string, map[string]any) {
			every := forgetest.Team{Slug: "every", Name: "Every"}
			g.RenameTeam("Acme", "all", every)
			return "team", g.TeamEvent("edited", "Acme", every, map[string]any{"name": map[string]any{"from": "All"}})
		}, []string{"group:default/core", "group:default/every", "group:default/web-team"}, []string{"group:default/all"},
			map[string]string{"group:default/core": `"parent":"every"`, "group:default/every": `"children":["core","web-team"]`}},
		{"a team moved", func(g *forgetest.GitHub) (string, map[string]any) {
			moved := forgetest.Team{Slug: "core", Name: "Core", Parent: "web-team", Members: []string{"Ada", "bob"}}
			g.PutTeam("Acme", moved)
			return "team", g.TeamEvent("edited", "Acme", moved, map[string]any{})
		}, []string{"user:default/ada", "user:default/bob", "group:default/all", "group:default/core", "group:default/web-team"}, nil,
			map[string]string{"group:default/all": `"children":["web-team"]`, "group:default/web-team": `"children":["core"]`}},
		{"a team is gone with those below it", func(g *forgetest.GitHub) (string, map[string]any) {
			g.RemoveTeam("Acme", "all")
			return "team", g.TeamEvent("deleted", "Acme", forgetest.Team{Slug: "all", Name: "All"}, nil)
		}, []string{"user:default/ada", "user:default/bob", "user:default/eve"}, []string{"group:default/all", "group:default/core", "group:default/web-team"},
			map[string]string{"user:default/ada": `"memberOf":[]`}},
		{"a team that was gone before anybody looked", func(g *forgetest.GitHub) (string, map[string]any) {
			g.RemoveTeam("Acme", "core")
			return "team", g.TeamEvent("edited", "Acme", core, nil)
		}, []string{"user:default/ada", "user:default/bob", "group:default/all"}, []string{"group:default/core"},
			map[string]string{"user:default/ada": `"memberOf":[]`}},
		{"another organisation", func(g *forgetest.GitHub) (string, map[string]any) {
			return "membership", g.MembershipEvent("added", "Beta", core, "eve")
		}, nil, nil, nil},
		{"an invitation", func(g *forgetest.GitHub) (string, map[string]any) {
			return "organization", g.OrganizationEvent("member_invited", "Acme", "cyd")
		}, nil, nil, nil},
		{"a repository for a team", func(g *forgetest.GitHub) (string, map[string]any) {
			return "team", g.TeamEvent("added_to_repository", "Acme", core, nil)
		}, nil, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := company(t)
			d := github.NewOrgData(orgOptions(g, "Acme"), newAPI(t, g))
			poll(t, d.Provider())
			s := &sink{}
			w := hook(s, webhook.Effects{}, func(w *github.WebhookOptions) { w.Organizations = []*github.OrgData{d} })
			event, payload := c.happens(g)
			g.ResetRequests()
			require.NoError(t, deliver(t, w, event, payload))
			require.LessOrEqual(t, g.Requests()["graphql"].Total, 2, "an event costs at most a question about the user and one about the team")
			require.Equal(t, c.added, s.added)
			require.Equal(t, c.removed, s.removed)
			for ref, part := range c.has {
				require.Contains(t, s.groups[ref], part)
			}
			require.Empty(t, s.triggered)
			want := byRef(poll(t, d.Provider()).Added)
			for ref, text := range s.groups {
				require.Equal(t, want[ref], text, "an event and a poll make the same of it")
			}
			for _, ref := range s.removed {
				require.NotContains(t, want, ref)
			}
		})
	}
}

// A user in two organisations stays until he has left both.
func TestOrgKeepsUsersOfOtherOrganizations(t *testing.T) {
	g := company(t)
	g.AddOrganization("Beta", "bob")
	d := github.NewOrgData(orgOptions(g, "Acme", "Beta"), newAPI(t, g))
	poll(t, d.Provider())
	s := &sink{}
	w := hook(s, webhook.Effects{}, func(w *github.WebhookOptions) { w.Organizations = []*github.OrgData{d} })
	g.RemoveMember("Acme", "bob")
	require.NoError(t, deliver(t, w, "organization", g.OrganizationEvent("member_removed", "Acme", "bob")))
	require.Empty(t, s.removed)
	require.Contains(t, s.groups["user:default/bob"], `"memberOf":[]`)
	g.RemoveMember("Beta", "bob")
	require.NoError(t, deliver(t, w, "organization", g.OrganizationEvent("member_removed", "Beta", "bob")))
	require.Equal(t, []string{"user:default/bob"}, s.removed)
}

// After an event that could not be acted upon nobody knows what holds: the next
// one makes the organisation be read again.
func TestOrgAfterAFailure(t *testing.T) {
	g := company(t)
	d := github.NewOrgData(orgOptions(g, "Acme"), newAPI(t, g))
	poll(t, d.Provider())
	s := &sink{}
	w := hook(s, webhook.Effects{}, func(w *github.WebhookOptions) { w.Organizations = []*github.OrgData{d} })
	g.Inject(forgetest.Fault{Route: "graphql", Times: 1, Status: http.StatusBadGateway})
	e := g.OrganizationEvent("member_added", "Acme", "bob")
	require.ErrorContains(t, deliver(t, w, "organization", e), "502")
	require.Empty(t, s.added)
	require.NoError(t, deliver(t, w, "organization", e))
	require.Equal(t, []string{d.Name()}, s.triggered)
}
