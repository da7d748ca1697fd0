package github

import (
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// repoURLDoc describes the input that all actions have.
const retiredHosts = "Which hosts a template may use is set in its form, with allowedHosts of the RepoUrlPicker"

// An allowance names who is let through.
type allowance struct {
	Apps  []string `json:"apps,omitempty"`
	Users []string `json:"users,omitempty"`
	Teams []string `json:"teams,omitempty"`
}

// A restriction names who may push.
type restriction struct {
	Apps  []string `json:"apps,omitempty"`
	Users []string `json:"users"`
	Teams []string `json:"teams"`
}

// A customization says what is in the subject of the tokens of workflows.
type customization struct {
	UseDefault       *bool    `json:"useDefault,omitempty" default:"true" doc:"Take the default subject; includeClaimKeys must not be set then"`
	IncludeClaimKeys []string `json:"includeClaimKeys,omitempty" doc:"The claims that the subject is made of"`
}

// repositoryInput is what can be said of a new repository.
type repositoryInput struct {
	Description              string              `json:"description,omitempty" doc:"What the repository is for"`
	Homepage                 string              `json:"homepage,omitempty" doc:"The URL of its home page"`
	Access                   string              `json:"access,omitempty" doc:"A user, or a team as organisation/team, that becomes administrator"`
	RepoVisibility           string              `json:"repoVisibility,omitempty" enum:"private,public,internal" doc:"Who may see the repository; private if nothing is said"`
	DeleteBranchOnMerge      *bool               `json:"deleteBranchOnMerge,omitempty" default:"false" doc:"Delete the branch of a pull request when it is merged"`
	AllowMergeCommit         *bool               `json:"allowMergeCommit,omitempty" default:"true" doc:"Pull requests may be merged with a merge commit"`
	AllowSquashMerge         *bool               `json:"allowSquashMerge,omitempty" default:"true" doc:"Pull requests may be squashed into one commit"`
	SquashMergeCommitTitle   string              `json:"squashMergeCommitTitle,omitempty" enum:"PR_TITLE,COMMIT_OR_PR_TITLE" default:"COMMIT_OR_PR_TITLE" doc:"The title of such a commit"`
	SquashMergeCommitMessage string              `json:"squashMergeCommitMessage,omitempty" enum:"PR_BODY,COMMIT_MESSAGES,BLANK" default:"COMMIT_MESSAGES" doc:"The message of such a commit"`
	AllowRebaseMerge         *bool               `json:"allowRebaseMerge,omitempty" default:"true" doc:"Pull requests may be rebased"`
	AllowAutoMerge           *bool               `json:"allowAutoMerge,omitempty" default:"false" doc:"Pull requests may merge themselves when all is fulfilled"`
	AllowUpdateBranch        *bool               `json:"allowUpdateBranch,omitempty" default:"false" doc:"Offer to bring branches of pull requests up to date"`
	Collaborators            []*jsonvalue.Object `json:"collaborators,omitempty" schema:"{\"items\":{\"anyOf\":[{\"type\":\"object\",\"properties\":{\"access\":{\"type\":\"string\",\"description\":\"What the user may do\"},\"user\":{\"type\":\"string\",\"description\":\"The user\"}},\"required\":[\"access\",\"user\"],\"additionalProperties\":false},{\"type\":\"object\",\"properties\":{\"access\":{\"type\":\"string\",\"description\":\"What the team may do\"},\"team\":{\"type\":\"string\",\"description\":\"The team\"}},\"required\":[\"access\",\"team\"],\"additionalProperties\":false}]}}" doc:"Users and teams that get access"`
	HasProjects              *bool               `json:"hasProjects,omitempty" doc:"The repository has projects"`
	HasWiki                  *bool               `json:"hasWiki,omitempty" default:"true" doc:"The repository has a wiki"`
	HasIssues                *bool               `json:"hasIssues,omitempty" default:"true" doc:"The repository has issues"`
	Token                    string              `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
	Topics                   []string            `json:"topics,omitempty" doc:"Topics of the repository"`
	RepoVariables            map[string]string   `json:"repoVariables,omitempty" doc:"Variables for workflows"`
	Secrets                  map[string]string   `json:"secrets,omitempty" doc:"Secrets for workflows"`
	OIDCCustomization        *customization      `json:"oidcCustomization,omitempty" doc:"What the tokens of workflows say of themselves"`
	CustomProperties         map[string]any      `json:"customProperties,omitempty" schema:"{\"additionalProperties\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}}" doc:"Custom properties, for repositories of organisations"`
	Subscribe                *bool               `json:"subscribe,omitempty" doc:"Watch the repository"`
}

// protectionInput is what can be said of a protected branch.
type protectionInput struct {
	BypassPullRequestAllowances    *allowance   `json:"bypassPullRequestAllowances,omitempty" doc:"Who may push without a pull request"`
	RequiredApprovingReviewCount   *float64     `json:"requiredApprovingReviewCount,omitempty" doc:"How many reviews must approve a pull request"`
	Restrictions                   *restriction `json:"restrictions,omitempty" doc:"Who alone may push, in repositories of organisations"`
	RequireCodeOwnerReviews        *bool        `json:"requireCodeOwnerReviews,omitempty" doc:"An owner of the code must approve"`
	DismissStaleReviews            *bool        `json:"dismissStaleReviews,omitempty" doc:"New commits undo approvals"`
	RequiredStatusCheckContexts    []string     `json:"requiredStatusCheckContexts,omitempty" doc:"The checks that must pass"`
	RequireBranchesToBeUpToDate    *bool        `json:"requireBranchesToBeUpToDate,omitempty" default:"true" doc:"A branch must be up to date before it is merged"`
	RequiredConversationResolution *bool        `json:"requiredConversationResolution,omitempty" doc:"All conversations must be resolved"`
	RequireLastPushApproval        *bool        `json:"requireLastPushApproval,omitempty" default:"false" doc:"Somebody else than who pushed last must approve"`
	RequiredCommitSigning          *bool        `json:"requiredCommitSigning,omitempty" doc:"Commits must be signed"`
	RequiredLinearHistory          *bool        `json:"requiredLinearHistory,omitempty" doc:"There are no merge commits"`
}

// commitInput is what can be said of the commit that is pushed and its branch.
type commitInput struct {
	DefaultBranch        string `json:"defaultBranch,omitempty" default:"master" doc:"The branch that is pushed to; main if nothing is said"`
	ProtectDefaultBranch *bool  `json:"protectDefaultBranch,omitempty" default:"true" doc:"Protect that branch"`
	ProtectEnforceAdmins *bool  `json:"protectEnforceAdmins,omitempty" default:"true" doc:"Protect it from administrators as well"`
	GitCommitMessage     string `json:"gitCommitMessage,omitempty" default:"initial commit" doc:"The message of the commit"`
	GitAuthorName        string `json:"gitAuthorName,omitempty" default:"Scaffolder" doc:"Who has made the commit"`
	GitAuthorEmail       string `json:"gitAuthorEmail,omitempty" doc:"The e-mail address of who has made it"`
	SourcePath           string `json:"sourcePath,omitempty" doc:"The folder of the workspace that is published; all of it if nothing is said"`
}

func (in commitInput) branch() string { return or(in.DefaultBranch, "main") }

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func yes(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

// lastPart is the name in an entity ref, or in what is no ref at all.
func lastPart(ref string) string { return ref[strings.LastIndexAny(ref, ":/")+1:] }

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
