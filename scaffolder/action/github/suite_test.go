package github_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/github"
)

// suites are inputs that use every key of every action.
func suites(b *bench) map[string]actiontest.Options {
	one := func(more string) []actiontest.Case {
		return []actiontest.Case{{Name: "all", Input: b.input("acme/monorepo", more), Setup: content}}
	}
	fresh := func(more string) []actiontest.Case {
		return []actiontest.Case{{Name: "all", Input: b.input("acme/shop", more), Setup: func(t *testing.T, c *action.Context) {
			content(t, c)
			_ = b.Delete("acme/shop")
		}}}
	}
	return map[string]actiontest.Options{
		"publish:github":     {Cases: fresh(everything + protections + commits)},
		"github:repo:create": {Cases: fresh(everything + `,"autoInit":true,"workflowAccess":"organization"`)},
		"github:repo:push": {Cases: []actiontest.Case{{Name: "all", Input: b.input("acme/blank", protections+commits+`,"token":"mine"`), Setup: func(t *testing.T, c *action.Context) {
			content(t, c)
			_ = b.Delete("acme/blank")
			_, err := b.CreateRepository(forgetest.Repository{FullName: "acme/blank"})
			require.NoError(t, err)
		}}}},
		"publish:github:pull-request": {Cases: []actiontest.Case{{Name: "all", Input: b.input("acme/monorepo", `,"branchName":"add","filesToDelete":["old.txt"],"targetBranchName":"main",
			"title":"Add","description":"D","draft":true,"sourcePath":"src","targetPath":"services/shop","token":"mine","reviewers":["eva"],"assignees":["eva"],
			"teamReviewers":["platform"],"commitMessage":"Add it","update":true,"forceFork":false,"gitAuthorName":"Ada","gitAuthorEmail":"ada@example.com",
			"forceEmptyGitAuthor":false,"createWhenEmpty":true`), Setup: content}}},
		"github:webhook":          {Cases: one(`,"webhookUrl":"https://ci.example.com","webhookSecret":"s3cret","events":["push","pull_request"],"active":false,"contentType":"json","insecureSsl":true,"token":"mine"`)},
		"github:actions:dispatch": {Cases: one(`,"workflowId":"deploy.yaml","branchOrTagName":"main","workflowInputs":{"a":"b"},"returnWorkflowRunDetails":true,"token":"mine"`)},
		"github:issues:create":    {Cases: one(`,"title":"T","body":"B","assignees":["eva"],"milestone":"3","labels":["bug"],"token":"mine"`)},
		"github:issues:label":     {Cases: one(`,"number":7,"labels":["bug"],"token":"mine"`)},
		"github:deployKey:create": {Cases: one(`,"publicKey":"ssh-ed25519 A","privateKey":"PRIVATE","deployKeyName":"Push it","privateKeySecretName":"KEY","token":"mine"`)},
		"github:environment:create": {Cases: one(`,"name":"prod","deploymentBranchPolicy":{"protected_branches":false,"custom_branch_policies":true},"customBranchPolicyNames":["main"],
			"customTagPolicyNames":["v*"],"environmentVariables":{"A":"1"},"secrets":{"KEY":"s3cret"},"token":"mine","waitTimer":5,"preventSelfReview":true,
			"reviewers":["user:default/eva","group:default/unknown"]`)},
		"github:autolinks:create":         {Cases: one(`,"keyPrefix":"T-","urlTemplate":"https://t.example.com/<num>","isAlphanumeric":false,"token":"mine"`)},
		"github:pages:enable":             {Cases: one(`,"buildType":"legacy","sourceBranch":"main","sourcePath":"/docs","token":"mine"`)},
		"github:branch-protection:create": {Cases: one(`,"branch":"main","enforceAdmins":false,"blockCreations":true,"token":"mine"` + protections)},
	}
}

func TestActions(t *testing.T) {
	b := newBench(t, secretToken)
	b.org()
	_, err := b.Add(forgetest.Repository{FullName: "acme/monorepo"}, map[string]string{"README.md": "x"})
	require.NoError(t, err)
	all := suites(b)
	for _, a := range github.Actions(b.options) {
		t.Run(a.ID(), func(t *testing.T) {
			o, ok := all[a.ID()]
			require.True(t, ok, "there is no suite for it")
			o.Effects = func() int { return len(b.Writes("")) }
			actiontest.Run(t, a, o)
		})
	}
}
