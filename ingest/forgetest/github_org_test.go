package forgetest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// ask sends a GraphQL query and returns the answer.
func ask(t *testing.T, url, query string, variables map[string]any) map[string]any {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	var answer map[string]any
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer
}

func TestGitHubGraphQL(t *testing.T) {
	g := forgetest.NewGitHub(t)
	_, err := g.Add(forgetest.Repository{FullName: "acme/shop", Topics: []string{"a"}}, map[string]string{"catalog-info.yaml": "kind: A\n"})
	require.NoError(t, err)
	g.AddUser(forgetest.User{Login: "ada", Name: "Ada"})
	g.AddUser(forgetest.User{Login: "bob"})
	g.AddOrganization("acme", "ada", "bob")
	g.PutTeam("acme", forgetest.Team{Slug: "all", Name: "All"})
	g.PutTeam("acme", forgetest.Team{Slug: "web", Name: "Web", Parent: "all", Members: []string{"bob"}})
	cases := []struct {
		name, query string
		variables   map[string]any
		want        string
	}{
		{"paging", `query($n: Int) { organization(login: "ACME") { membersWithRole(first: $n) { nodes { login name } pageInfo { hasNextPage endCursor } totalCount } } }`,
			map[string]any{"n": 1},
			`{"data":{"organization":{"membersWithRole":{"nodes":[{"login":"ada","name":"Ada"}],"pageInfo":{"hasNextPage":true,"endCursor":"Y3Vyc29yOnYyOjE="},"totalCount":2}}}}`},
		{"the next page", `{ organization(login: "acme") { membersWithRole(first: 5, after: "Y3Vyc29yOnYyOjE=") { nodes { login } pageInfo { hasNextPage } } } }`, nil,
			`{"data":{"organization":{"membersWithRole":{"nodes":[{"login":"bob"}],"pageInfo":{"hasNextPage":false}}}}}`},
		{"members of a team itself, and of those below", `{ organization(login: "acme") { team(slug: "all") {
				own: members(first: 5, membership: IMMEDIATE) { totalCount } every: members(first: 5) { nodes { login } } } } }`, nil,
			`{"data":{"organization":{"team":{"own":{"totalCount":0},"every":{"nodes":[{"login":"bob"}]}}}}}`},
		{"objects, fragments and directives", `query($no: Boolean!) { repository(owner: "acme", name: "shop") {
				file: object(expression: "HEAD:catalog-info.yaml") { __typename ... on Blob { byteSize } }
				object(expression: "main:nothing") { __typename } left: name @include(if: $no) visibility } }`, map[string]any{"no": false},
			`{"data":{"repository":{"file":{"__typename":"Blob","byteSize":8},"object":null,"visibility":"PUBLIC"}}}`},
		{"a field that GitHub does not have", `{ repositoryOwner(login: "acme") { nonsense } }`, nil,
			`{"errors":[{"message":"Cannot query field \"nonsense\" on type \"RepositoryOwner\"."}]}`},
		{"too many at once", `{ organization(login: "acme") { teams(first: 101) { totalCount } } }`, nil,
			`{"data":{"organization":{"teams":null}},"errors":[{"type":"EXCESSIVE_PAGINATION","path":["organization","teams"],
			"message":"Requesting 101 records on the ` + "`teams`" + ` connection exceeds the ` + "`first`" + ` limit of 100 records."}]}`},
		{"nobody", `{ organization(login: "nobody") { login } repositoryOwner(login: "nobody") { login } }`, nil,
			`{"data":{"organization":null,"repositoryOwner":null},"errors":[{"type":"NOT_FOUND","path":["organization"],
			"message":"Could not resolve to an Organization with the login of 'nobody'."}]}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := json.Marshal(ask(t, g.URL()+"/api/graphql", c.query, c.variables))
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(got))
		})
	}
	require.Equal(t, len(cases), g.Requests()["graphql"].Billable)
}
