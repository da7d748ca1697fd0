package github_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/github"
)

// What each of the small actions asks for with defaults, and puts out.
func TestSmallActions(t *testing.T) {
	for _, c := range []struct {
		id, more  string
		operation string
		body      map[string]any
		outputs   string
	}{
		{"github:webhook", `,"webhookUrl":"https://ci.example.com"`, "webhook", map[string]any{"name": "web", "active": true, "events": []any{"push"},
			"config": map[string]any{"url": "https://ci.example.com", "content_type": "form", "insecure_ssl": "0"}}, `{}`},
		{"github:webhook", `,"webhookUrl":"https://ci.example.com","events":["*"],"webhookSecret":"s3cret"`, "webhook", map[string]any{"name": "web", "active": true, "events": []any{"*"},
			"config": map[string]any{"url": "https://ci.example.com", "content_type": "form", "insecure_ssl": "0", "secret": "s3cret"}}, `{}`},
		{"github:issues:create", `,"title":"T","milestone":"3"`, "issue", map[string]any{"title": "T", "milestone": 3.0}, `{"issueUrl":"URL/acme/monorepo/issues/1","issueNumber":1}`},
		{"github:issues:label", `,"number":7,"labels":["a"]`, "labels", map[string]any{"labels": []any{"a"}}, `{}`},
		{"github:actions:dispatch", `,"workflowId":"w.yaml","branchOrTagName":"main"`, "dispatch", map[string]any{"ref": "main"}, `{}`},
		{"github:actions:dispatch", `,"workflowId":"w.yaml","branchOrTagName":"main","returnWorkflowRunDetails":true`, "dispatch", map[string]any{"ref": "main", "return_run_details": true},
			`{"workflowRunId":99,"workflowRunUrl":"URL/api/v3/repos/acme/monorepo/actions/runs/99","workflowRunHtmlUrl":"URL/acme/monorepo/actions/runs/99"}`},
		{"github:autolinks:create", `,"keyPrefix":"T-","urlTemplate":"https://t.example.com/<num>"`, "autolink", map[string]any{"key_prefix": "T-", "url_template": "https://t.example.com/<num>"}, `{}`},
		{"github:pages:enable", ``, "pages", map[string]any{"build_type": "workflow", "source": map[string]any{"branch": "main", "path": "/"}}, `{}`},
		{"github:deployKey:create", `,"publicKey":"PUB","privateKey":"PRIV","deployKeyName":"Push it"`, "deploy key", map[string]any{"title": "Push it", "key": "PUB"}, `{"privateKeySecretName":"PUSH_IT_PRIVATE_KEY"}`},
		{"github:environment:create", `,"name":"prod","reviewers":["user:default/eva","team-a","group:default/unknown","user:default/nobody"]`, "environment",
			map[string]any{"deployment_branch_policy": nil, "reviewers": []any{map[string]any{"type": "User", "id": 0.0}}}, `{}`},
		{"github:branch-protection:create", ``, "protection", map[string]any{"enforce_admins": true, "restrictions": nil, "required_conversation_resolution": false,
			"required_linear_history": false, "block_creations": false, "required_status_checks": map[string]any{"strict": true, "contexts": []any{}},
			"required_pull_request_reviews": map[string]any{"required_approving_review_count": 1.0, "require_code_owner_reviews": false, "dismiss_stale_reviews": false, "require_last_push_approval": false}}, `{}`},
	} {
		t.Run(c.id+" "+c.more, func(t *testing.T) {
			b := monorepo(t)
			ctx, r := actiontest.NewContext(t)
			require.NoError(t, r.Run(t.Context(), b.action(c.id), ctx, b.input("acme/monorepo", c.more)))
			require.Len(t, b.Writes(c.operation), 1)
			body := b.Writes(c.operation)[0].Body
			if list, ok := body["reviewers"].([]any); ok {
				list[0].(map[string]any)["id"] = 0.0 // made up by the double
			}
			require.Equal(t, c.body, body)
			require.JSONEq(t, strings.ReplaceAll(c.outputs, "URL", b.URL()), r.Outputs())
			require.NoError(t, r.Run(t.Context(), b.action(c.id), ctx, b.input("acme/monorepo", c.more)), "a second run of the step does no harm")
		})
	}
}

func TestEnvironment(t *testing.T) {
	b := monorepo(t)
	c, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), b.action("github:environment:create"), c, b.input("acme/monorepo", `,"name":"my prod","customBranchPolicyNames":["main"],
		"customTagPolicyNames":["v*"],"environmentVariables":{"A":"1"},"secrets":{"KEY":"s3cret"},"reviewers":["group:default/unknown"]`)))
	secret, ok := b.Secret("acme/monorepo", "environments/my prod", "KEY")
	require.True(t, ok)
	require.Equal(t, "s3cret", secret)
	require.Equal(t, map[string]any{"name": "main", "type": "branch"}, b.Writes("branch policy")[0].Body)
	require.Equal(t, map[string]any{"name": "v*", "type": "tag"}, b.Writes("branch policy")[1].Body)
	require.Equal(t, map[string]any{"name": "A", "value": "1"}, b.Writes("variable")[0].Body)
	require.Contains(t, strings.Join(r.Lines(), "\n"), "The reviewer group:default/unknown is not in the catalog and is left out")
	require.ErrorContains(t, r.Run(t.Context(), b.action("github:environment:create"), c, b.input("acme/monorepo", `,"name":"p","reviewers":[""]`)), "reviewers: ")
}

// Where the reference warns and goes on, and where it fails.
func TestRefusals(t *testing.T) {
	const refused = `{"message":"Resource not accessible by integration"}`
	header := http.Header{"X-Accepted-Oauth-Scopes": {"repo"}, "X-Oauth-Scopes": {"read:user"}}
	for _, c := range []struct {
		id, more, operation string
		warns               string
		fails               string
	}{
		{"github:webhook", `,"webhookUrl":"https://ci.example.com"`, "webhook", "warn: Failed: create webhook 'https://ci.example.com' on repo: 'monorepo', Resource not accessible", ""},
		{"github:issues:label", `,"number":7,"labels":["a"]`, "labels", "warn: Failed: adding labels to issue: '7' on repo: 'monorepo', Resource", ""},
		{"github:issues:create", `,"title":"T"`, "issue", "warn: Failed: creating issue: 'T' on repo: 'monorepo', Resource", "Resource not accessible"},
		{"github:actions:dispatch", `,"workflowId":"w","branchOrTagName":"main"`, "dispatch", "warn: Failed: dispatching workflow 'w' on repo: 'monorepo', Resource", "Resource"},
		{"github:branch-protection:create", ``, "protection", "", "protect the branch main of acme/monorepo: Resource not accessible by integration (the token needs one of these scopes: repo) (status 403)"},
		{"github:autolinks:create", `,"keyPrefix":"T-","urlTemplate":"u"`, "autolink", "", "add the autolink T- to acme/monorepo: Resource"},
		{"github:pages:enable", ``, "pages", "", "switch pages on for acme/monorepo: Resource"},
		{"github:deployKey:create", `,"publicKey":"PUB","privateKey":"PRIV","deployKeyName":"K"`, "secret", "", "The deploy key K exists now"},
		{"github:environment:create", `,"name":"prod"`, "environment", "", "make the environment prod of acme/monorepo: Resource"},
	} {
		t.Run(c.id, func(t *testing.T) {
			b := monorepo(t)
			b.Inject(forgetest.Fault{Route: c.operation, Status: 403, Header: header, Body: refused})
			ctx, r := actiontest.NewContext(t)
			err := r.Run(t.Context(), b.action(c.id), ctx, b.input("acme/monorepo", c.more))
			noToken(t, r, err)
			if c.fails == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.fails)
				require.ErrorIs(t, err, catalog.ErrNotAllowed)
			}
			require.Contains(t, strings.Join(r.Lines(), "\n"), c.warns)
			require.NotContains(t, strings.Join(r.Lines(), "\n"), "PRIV")
		})
	}
}

func TestDefaultProtectionWarns(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"an account that does not pay", `{"message":"Upgrade to GitHub Pro or make this repository public to enable this feature."}`, "for paying accounts alone"},
		{"anything else", `{"message":"No"}`, "Skipping: default branch protection on 'shop', No (status 403)"},
		{"a branch that is not known yet", `{"message":"Branch not found"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, secretToken)
			b.Inject(forgetest.Fault{Route: "protection", Times: 1, Status: 403, Body: c.body})
			ctx, r := actiontest.NewContext(t)
			require.NoError(t, r.Run(t.Context(), b.action("publish:github"), ctx, b.input("acme/shop", "")))
			require.Contains(t, strings.Join(r.Lines(), "\n"), c.want)
			if c.want == "" {
				require.Len(t, b.Writes("protection"), 1)
				require.Len(t, b.slept, 1)
			}
		})
	}
}

func TestRepositoryCreate(t *testing.T) {
	b := newBench(t, secretToken)
	c, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), b.action("github:repo:create"), c, b.input("acme/shop", `,"autoInit":true,"workflowAccess":"organization","access":"eva"`)))
	require.Equal(t, `{"remoteUrl":"`+b.URL()+`/acme/shop.git"}`, r.Outputs())
	require.Equal(t, "100644 README.md", b.tree("acme/shop", "main"))
	require.Equal(t, "organization", b.Writes("workflow access")[0].Body["access_level"])
	require.Equal(t, "admin", b.Writes("collaborator")[0].Body["permission"])
	b.org()
	require.ErrorContains(t, r.Run(t.Context(), b.action("github:repo:create"), c, b.input("acme/other", `,"access":"acme/nobody"`)), "the team nobody of access is not in the organisation acme")
	_, made := b.Repository("acme/other")
	require.False(t, made)
}

// A push goes on top of nothing but what it knows.
func TestPushToAStranger(t *testing.T) {
	b := monorepo(t)
	c, r := actiontest.NewContext(t)
	content(t, c)
	err := r.Run(t.Context(), b.action("github:repo:push"), c, b.input("acme/monorepo", ""))
	require.ErrorIs(t, err, catalog.ErrConflict)
	require.ErrorContains(t, err, "somebody else has pushed to it")
	require.Equal(t, "1", b.git("acme/monorepo", "rev-list", "--count", "main"))
	require.ErrorIs(t, r.Run(t.Context(), b.action("github:repo:push"), c, b.input("acme/none", "")), catalog.ErrNotFound)
}

func TestRatesAreRespected(t *testing.T) {
	b := monorepo(t)
	b.InjectSecondaryLimit("issue", 1, 0)
	c, r := actiontest.NewContext(t)
	require.NoError(t, r.Run(t.Context(), b.action("github:issues:create"), c, b.input("acme/monorepo", `,"title":"T"`)), "what was refused for its rate is sent again")
	require.Len(t, b.Writes("issue"), 1)
	b.Inject(forgetest.Fault{Route: "issue", Status: 502, Times: 1})
	require.Error(t, r.Run(t.Context(), b.action("github:issues:create"), c, b.input("acme/monorepo", `,"title":"U"`)), "what may have been done is not")
	b.Inject(forgetest.Fault{Route: "topics", Status: 502, Times: 1})
	require.NoError(t, r.Run(t.Context(), b.action("github:repo:create"), c, b.input("acme/new", `,"topics":["a"]`)))
	require.Len(t, b.Writes("topics"), 1, "setting something to a state may be done twice")
}

func TestComplete(t *testing.T) {
	b := monorepo(t)
	for i := range 120 {
		_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/r" + strings.Repeat("x", i+1)})
		require.NoError(t, err)
	}
	about := map[string]string{"host": b.Host(), "owner": "acme", "repository": "monorepo"}
	found, err := github.Complete(t.Context(), b.options.Hosts, "repositoriesWithOwner", "mine", about)
	require.NoError(t, err)
	require.Len(t, found, 121)
	require.Equal(t, "acme/monorepo", found[0].ID)
	found, err = github.Complete(t.Context(), b.options.Hosts, "branches", "mine", about)
	require.NoError(t, err)
	require.Equal(t, []github.Completion{{ID: "main"}}, found)
	found, err = github.Complete(t.Context(), b.options.Hosts, "owners", "mine", about)
	require.NoError(t, err)
	require.Equal(t, []github.Completion{{ID: "acme"}, {ID: "globex"}}, found)
	for _, c := range []struct {
		resource string
		about    map[string]string
		want     string
	}{
		{"nonsense", about, "Invalid resource: nonsense"},
		{"branches", map[string]string{"host": b.Host()}, "Missing owner and/or repository context parameters"},
		{"owners", map[string]string{"host": "git.example.com"}, "No integration for host git.example.com"},
	} {
		_, err := github.Complete(t.Context(), b.options.Hosts, c.resource, "mine", c.about)
		require.ErrorContains(t, err, c.want)
		require.ErrorIs(t, err, catalog.ErrInput)
	}
	_, err = github.Complete(t.Context(), b.options.Hosts, "owners", "wrong", about)
	require.ErrorContains(t, err, "Bad credentials")
	require.ErrorIs(t, err, catalog.ErrNotAllowed, "the token is the user's, and so is the mistake")
}
