package gitlab_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/gitlab"
)

// suites are inputs that use every key of every action.
func suites(b *bench) map[string]actiontest.Options {
	one := func(more string) actiontest.Options {
		return actiontest.Options{Cases: []actiontest.Case{{Name: "all", Input: b.input("acme/monorepo", more), Setup: content}}}
	}
	return map[string]actiontest.Options{
		"publish:gitlab": {Cases: []actiontest.Case{{Name: "all", Input: b.input("acme/shop", everything), Setup: func(t *testing.T, c *action.Context) {
			content(t, c)
			_ = b.Delete("acme/shop")
		}}}},
		"publish:gitlab:merge-request": one(`,"title":"Add","description":"D","branchName":"add","targetBranchName":"main","sourcePath":"src","targetPath":"services/shop","token":"mine",
			"commitAction":"auto","projectid":"acme/monorepo","removeSourceBranch":true,"assignee":"eva","reviewers":["ada","unknown"],"assignReviewersFromApprovalRules":true,"labels":["a","b"],"autoMerge":true`),
		"gitlab:repo:push":          one(`,"branchName":"next","commitMessage":"Add","sourcePath":"src","targetPath":"services","token":"mine","commitAction":"auto","allowEmpty":true`),
		"gitlab:group:ensureExists": one(`,"token":"mine","description":"D","path":["acme/new",{"name":"The Platform","slug":"platform"}]`),
		"gitlab:group:access":       one(`,"token":"mine","path":"acme","userIds":[7],"groupIds":[8],"action":"add","accessLevel":"maintainer"`),
		"gitlab:issues:create": one(`,"token":"mine","projectId":"acme/monorepo","title":"T","assignees":[7],"confidential":true,"description":"D","createdAt":"2026-01-02T03:04:05Z","dueDate":"2026-02-02T03:04:05.000Z",
			"discussionToResolve":"d","epicId":3,"labels":"a,b","issueType":"task","mergeRequestToResolveDiscussionsOf":2,"milestoneId":4,"weight":5`),
		"gitlab:issue:edit": one(`,"token":"mine","projectId":1001,"issueIid":3,"addLabels":"a","assignees":[7],"confidential":true,"description":"D","discussionLocked":true,"dueDate":"2026-02-02","epicId":3,
			"issueType":"task","labels":"b","milestoneId":4,"removeLabels":"c","stateEvent":"close","title":"T","updatedAt":"2026-01-02T03:04:05Z","weight":5`),
		"gitlab:pipeline:trigger":          one(`,"token":"mine","projectId":1001,"tokenDescription":"D","branch":"main","variables":{"A":"1"}`),
		"gitlab:projectAccessToken:create": one(`,"token":"mine","projectId":"acme/monorepo","name":"N","accessLevel":30,"scopes":["api"],"expiresAt":"2026-12-31"`),
		"gitlab:projectDeployToken:create": one(`,"token":"mine","projectId":1001,"name":"N","username":"U","scopes":["read_registry"]`),
		"gitlab:projectVariable:create": {Cases: []actiontest.Case{{Name: "all", Input: b.input("acme/monorepo", `,"token":"mine","projectId":1001,"key":"KEY","value":"s3cret","variableType":"env_var",
			"variableProtected":true,"masked":true,"maskedAndHidden":true,"raw":true,"environmentScope":"prod"`)}}},
		"gitlab:user:info": one(`,"token":"mine","userId":7`),
		"gitlab:group:migrate": {Cases: []actiontest.Case{{Name: "all", Input: `{"destinationAccessToken":"mine","destinationUrl":"` + b.url("acme/shop") +
			`","sourceAccessToken":"theirs","sourceFullPath":"old/shop","sourceUrl":"https://gitlab.example.com"}`}}},
	}
}

func TestActions(t *testing.T) {
	b := newBench(t, secretToken)
	b.PutGroup(forgetest.Group{FullPath: "acme"})
	_, err := b.Add(forgetest.Repository{FullName: "acme/monorepo"}, map[string]string{"README.md": "x"})
	require.NoError(t, err)
	for _, a := range gitlab.Actions(b.options) {
		t.Run(a.ID(), func(t *testing.T) {
			o, ok := suites(b)[a.ID()]
			require.True(t, ok, "there is no suite for it")
			o.Effects = func() int { return len(b.Writes("")) }
			actiontest.Run(t, a, o)
		})
	}
}
