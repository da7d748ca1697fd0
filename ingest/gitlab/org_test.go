package gitlab_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// company is a host with groups in a tree.
func company(t testing.TB) *forgetest.GitLab {
	t.Helper()
	g := forgetest.NewGitLab(t)
	for _, u := range []forgetest.GitLabUser{
		{Username: "ada", Name: "Ada Lovelace", Email: "ada@acme.example", SAML: "ada-saml"},
		{Username: "bob", Name: "Bob", PublicEmail: "bob@home.example", WithoutSeat: true},
		{Username: "eve", Name: "Eve", Blocked: true},
		{Username: "group_7_bot_5f3a", Name: "Bot", Bot: true},
		{Username: "out", Name: "Outsider"},
	} {
		g.PutUser(u)
	}
	g.PutGroup(forgetest.Group{FullPath: "acme", Name: "Acme", Description: "All of it", Members: []string{"ada"}})
	g.PutGroup(forgetest.Group{FullPath: "acme/web", Name: "Web", Visibility: forgetest.Private, Members: []string{"bob", "group_7_bot_5f3a"}})
	g.PutGroup(forgetest.Group{FullPath: "acme/web/deep", Name: "Deep", Members: []string{"ada", "bob"}})
	g.PutGroup(forgetest.Group{FullPath: "acme/none", Name: "None", Members: []string{"eve"}})
	g.PutGroup(forgetest.Group{FullPath: "other", Name: "Other", Members: []string{"out"}, Shared: []string{"acme/web"}})
	return g
}

func orgOptions(g *forgetest.GitLab) gitlab.OrgOptions {
	return gitlab.OrgOptions{ID: "one", Host: g.Host(), URL: g.URL(), Schedule: provider.Schedule{Every: time.Hour, Timeout: time.Hour}}
}

func byRef(list []engine.Deferred) map[string]string {
	out := map[string]string{}
	for _, d := range list {
		out[d.Entity.Ref().String()] = string(jsonvalue.Append(nil, d.Entity.Object))
	}
	return out
}

func refs(list []engine.Deferred) (out []string) {
	for _, d := range list {
		out = append(out, strings.Replace(d.Entity.Ref().String(), "default/", "", 1))
	}
	return out
}

func TestOrgEntities(t *testing.T) {
	g := company(t)
	o := orgOptions(g)
	o.Group = "acme"
	l := poll(t, gitlab.NewOrgData(o, newAPI(t, g)).Provider())
	require.Equal(t, []string{"user:ada", "user:bob", "user:out", "group:acme", "group:web", "group:web-deep"}, refs(l.Added),
		"blocked users, bots, and groups without users are left out")
	for _, d := range l.Added {
		require.Equal(t, "GitlabOrgDiscoveryEntityProvider:one", d.LocationKey)
	}
	entities := byRef(l.Added)
	require.JSONEq(t, fmt.Sprintf(`{"apiVersion":"backstage.io/v1alpha1","kind":"User","metadata":{"name":"ada","annotations":{
		"backstage.io/managed-by-location":"url:%[1]s/ada","backstage.io/managed-by-origin-location":"url:%[1]s/ada",
		"%[2]s/user-login":"%[1]s/ada","%[2]s/user-id":"41"}},
		"spec":{"profile":{"displayName":"Ada Lovelace","email":"ada@acme.example","picture":"%[1]s/avatars/ada"},"memberOf":["acme","web-deep"]}}`,
		g.URL(), "127.0.0.1"), entities["user:default/ada"])
	require.JSONEq(t, fmt.Sprintf(`{"apiVersion":"backstage.io/v1alpha1","kind":"Group","metadata":{"name":"web-deep","annotations":{
		"backstage.io/managed-by-location":"url:%[1]s/acme/web/deep","backstage.io/managed-by-origin-location":"url:%[1]s/acme/web/deep",
		"%[2]s/team-path":"acme/web/deep","%[2]s/visibility":"public"}},
		"spec":{"type":"team","children":[],"profile":{"displayName":"Deep"},"parent":"web"}}`, g.URL(), "127.0.0.1"), entities["group:default/web-deep"])
	require.Contains(t, entities["group:default/acme"], `"description":"All of it"`)
	require.NotContains(t, entities["group:default/acme"], `"parent"`)
}

func TestOrgOptions(t *testing.T) {
	cases := []struct {
		name   string
		change func(o *gitlab.OrgOptions)
		want   []string
		has    map[string]string
	}{
		{"the whole instance", func(*gitlab.OrgOptions) {},
			[]string{"user:ada", "user:bob", "user:out", "group:acme", "group:acme-web", "group:acme-web-deep", "group:other"}, nil},
		{"groupPattern", func(o *gitlab.OrgOptions) { o.GroupPatterns = patterns(t, "deep$", "^other$") },
			[]string{"user:ada", "user:bob", "user:out", "group:acme-web-deep", "group:other"},
			map[string]string{"group:default/acme-web-deep": `"profile":{"displayName":"Deep"}}`}},
		{"userPattern", func(o *gitlab.OrgOptions) { o.UserPatterns = patterns(t, "@acme\\.example$", "^out$") },
			[]string{"user:ada", "user:out", "group:acme", "group:acme-web-deep", "group:other"}, nil},
		{"restrictUsersToGroup", func(o *gitlab.OrgOptions) { o.Group, o.RestrictUsersToGroup = "acme/web", true },
			[]string{"user:ada", "user:bob", "group:acme-web", "group:deep"},
			map[string]string{"user:default/ada": `"memberOf":["deep"]`}},
		{"relations INHERITED", func(o *gitlab.OrgOptions) { o.Group, o.Relations = "acme", []string{"INHERITED"} },
			[]string{"user:ada", "user:bob", "user:out", "group:acme", "group:none", "group:web", "group:web-deep"},
			map[string]string{"user:default/ada": `"memberOf":["acme","none","web","web-deep"]`}},
		{"relations DESCENDANTS", func(o *gitlab.OrgOptions) { o.Group, o.Relations = "acme", []string{"DESCENDANTS"} },
			[]string{"user:ada", "user:bob", "user:out", "group:acme", "group:web", "group:web-deep"},
			map[string]string{"user:default/bob": `"memberOf":["acme","web","web-deep"]`}},
		{"relations SHARED_FROM_GROUPS", func(o *gitlab.OrgOptions) { o.Relations = []string{"SHARED_FROM_GROUPS", "DIRECT"} },
			[]string{"user:ada", "user:bob", "user:out", "group:acme", "group:acme-web", "group:acme-web-deep", "group:other"},
			map[string]string{"user:default/bob": `"memberOf":["acme-web","acme-web-deep","other"]`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := company(t)
			o := orgOptions(g)
			c.change(&o)
			l := poll(t, gitlab.NewOrgData(o, newAPI(t, g)).Provider())
			require.Equal(t, c.want, refs(l.Added))
			for ref, part := range c.has {
				require.Contains(t, byRef(l.Added)[ref], part)
			}
		})
	}
}

// Users of gitlab.com are those of the top group, and only those with a seat.
func TestOrgAtGitLabCom(t *testing.T) {
	g := company(t)
	o, a := orgOptions(g), newAPI(t, g)
	o.Host, a.as, o.Group = "gitlab.com", "gitlab.com", "acme/web"
	l := poll(t, gitlab.NewOrgData(o, a).Provider())
	require.Equal(t, []string{"user:ada", "group:deep"}, refs(l.Added))
	require.Contains(t, byRef(l.Added)["user:default/ada"], `"gitlab.com/saml-external-uid":"ada-saml"`)
	o.IncludeUsersWithoutSeat = true
	g.PutGroup(forgetest.Group{FullPath: "acme", Members: []string{"ada", "bob"}})
	l = poll(t, gitlab.NewOrgData(o, a).Provider())
	require.Equal(t, []string{"user:ada", "user:bob", "group:acme-web", "group:deep"}, refs(l.Added))
}

func TestOrgFailsWhole(t *testing.T) {
	cases := []struct {
		name  string
		group string
		fault forgetest.Fault
		want  string
	}{
		{"no such group", "nobody", forgetest.Fault{Route: "nothing"}, "nobody"},
		{"users", "", forgetest.Fault{Route: "users", Status: http.StatusBadGateway}, "502"},
		{"users cut off", "", forgetest.Fault{Route: "users", CutAfter: 100}, "EOF"},
		{"groups", "acme", forgetest.Fault{Route: "descendant groups", Status: http.StatusBadGateway}, "502"},
		{"members of one group", "acme", forgetest.Fault{Route: "graphql", Every: 3, Status: http.StatusBadGateway}, "502"},
		{"members cut off", "acme", forgetest.Fault{Route: "graphql", CutAfter: 60}, "EOF"},
		{"a group that is gone meanwhile", "acme", forgetest.Fault{Route: "graphql", Status: http.StatusOK, Body: `{"data":{"group":null}}`}, "incomplete"},
		{"members without a page", "acme", forgetest.Fault{Route: "graphql", Status: http.StatusOK, Body: `{"data":{"group":{"groupMembers":{"nodes":[]}}}}`}, "incomplete"},
		{"members that go on nowhere", "acme", forgetest.Fault{Route: "graphql", Status: http.StatusOK,
			Body: `{"data":{"group":{"groupMembers":{"nodes":[],"pageInfo":{"hasNextPage":true}}}}}`}, "incomplete"},
		{"an error beside data", "acme", forgetest.Fault{Route: "graphql", Status: http.StatusOK,
			Body: `{"data":{"group":{"groupMembers":{"nodes":[],"pageInfo":{"hasNextPage":false}}}},"errors":[{"message":"Timeout"}]}`}, "Timeout"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := company(t)
			o := orgOptions(g)
			o.Group = c.group
			g.Inject(c.fault)
			_, err := gitlab.NewOrgData(o, newAPI(t, g)).Provider().Poll(t.Context())
			require.ErrorContains(t, err, c.want)
		})
	}
}
