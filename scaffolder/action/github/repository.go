package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// made is a repository that there is, as it is kept in a checkpoint.
type made struct {
	CloneURL string `json:"clone_url"`
	HTMLURL  string `json:"html_url"`
}

// described is what GitHub says of a repository.
type described struct {
	made
	Description   string          `json:"description"`
	DefaultBranch string          `json:"default_branch"`
	Permissions   map[string]bool `json:"permissions"`
}

// marker is the description of a repository whose content is not there yet. It
// tells this task from all others.
func marker(c *action.Context) string {
	return "Greenroom is setting up this repository, task " + c.TaskID
}

// A creation makes one repository.
type creation struct {
	*publisher
	c    *action.Context
	r    *repository
	in   repositoryInput
	more map[string]any // of the body
	// marked: the description is the marker until finish is called.
	marked bool
}

// run makes the repository with all its settings.
func (m *creation) run(ctx context.Context) (made, error) {
	var account struct{ Type string }
	if err := m.r.api(ctx, http.MethodGet, []string{"users", m.r.Owner}, nil, &account); err != nil {
		return made{}, fmt.Errorf("look up the owner %s: %w", m.r.Owner, err)
	}
	if org, team, ok := strings.Cut(m.in.Access, "/"); ok && org == m.r.Owner {
		err := m.r.api(ctx, http.MethodGet, []string{"orgs", org, "teams", team}, nil, nil)
		if status(err) == http.StatusNotFound {
			return made{}, catalog.NewError(catalog.NameNotFound, fmt.Sprintf("the team %s of access is not in the organisation %s, or the token may not see it", team, org))
		}
		if err != nil {
			return made{}, err
		}
	}
	repo, err := m.create(ctx, account.Type == "User")
	if err != nil {
		if saysThat(err, "Resource not accessible by integration") {
			m.c.Warnf("The GitHub app or token behind the integration may not create repositories of %s: it needs the permission to administer repositories", m.r.Owner)
		}
		//lint:ignore ST1005 these are the words of the reference
		return made{}, fmt.Errorf("Failed to create the %s repository %s/%s, %w", kindOf(account.Type), m.r.Owner, m.r.Repo, err)
	}
	if err := m.settings(ctx); err != nil {
		return made{}, left(err, repo)
	}
	return repo, nil
}

func kindOf(accountType string) string { return or(accountType, "User") }

// left says what there is after a failure, and what can be done.
func left(err error, repo made) error {
	return fmt.Errorf("%w. The repository %s exists now and is not complete: retry the task to go on with it, or delete it at %s/settings", err, repo.HTMLURL, repo.HTMLURL)
}

const createAttempts = 3

// create makes the repository, or goes on with one that this task has begun. A
// host that fails while it makes one may have made it.
func (m *creation) create(ctx context.Context, forUser bool) (made, error) {
	path, body := []string{"orgs", m.r.Owner, "repos"}, m.body(forUser)
	if forUser {
		path = []string{"user", "repos"}
	}
	pause := time.Second
	for attempt := 1; ; attempt++ {
		var repo described
		err := m.r.api(ctx, http.MethodPost, path, body, &repo)
		if err == nil {
			m.c.Infof("Created the repository %s", repo.HTMLURL)
			return repo.made, nil
		}
		taken := saysThat(err, "already exists")
		if !taken && status(err) < http.StatusInternalServerError && status(err) != 0 {
			return made{}, err
		}
		if begun, ok := m.begun(ctx); ok {
			m.c.Infof("Going on with the repository %s, which this task has begun", begun.HTMLURL)
			return begun, nil
		}
		if taken || attempt == createAttempts || ctx.Err() != nil {
			return made{}, err
		}
		if err := m.Sleep(ctx, pause); err != nil {
			return made{}, err
		}
		pause *= 2
	}
}

// begun finds the repository if this task has begun it.
func (m *creation) begun(ctx context.Context) (made, bool) {
	var repo described
	if !m.marked || m.r.at(ctx, http.MethodGet, nil, nil, &repo) != nil {
		return made{}, false
	}
	return repo.made, repo.Description == marker(m.c)
}

// body is what GitHub is told of the new repository.
func (m *creation) body(forUser bool) map[string]any {
	visibility := or(m.in.RepoVisibility, "private")
	body := map[string]any{
		"name": m.r.Repo, "private": visibility == "private", "description": m.in.Description,
		"delete_branch_on_merge": yes(m.in.DeleteBranchOnMerge, false), "allow_merge_commit": yes(m.in.AllowMergeCommit, true),
		"allow_squash_merge":          yes(m.in.AllowSquashMerge, true),
		"squash_merge_commit_title":   or(m.in.SquashMergeCommitTitle, "COMMIT_OR_PR_TITLE"),
		"squash_merge_commit_message": or(m.in.SquashMergeCommitMessage, "COMMIT_MESSAGES"),
		"allow_rebase_merge":          yes(m.in.AllowRebaseMerge, true), "allow_auto_merge": yes(m.in.AllowAutoMerge, false),
	}
	if m.marked {
		body["description"] = marker(m.c)
	}
	if m.in.Homepage != "" {
		body["homepage"] = m.in.Homepage
	}
	for key, b := range map[string]*bool{"has_projects": m.in.HasProjects, "has_wiki": m.in.HasWiki, "has_issues": m.in.HasIssues} {
		if b != nil {
			body[key] = *b
		}
	}
	if !forUser {
		body["visibility"] = visibility
		if len(m.in.CustomProperties) > 0 {
			properties := map[string]any{}
			for name, value := range m.in.CustomProperties {
				properties[name] = jsonvalue.Plain(value)
			}
			body["custom_properties"] = properties
		}
	}
	for key, value := range m.more {
		body[key] = value
	}
	return body
}

// finish takes the marker away, and sets what can only be set later: the
// repository is what was asked for.
func (m *creation) finish(ctx context.Context) error {
	body := map[string]any{"description": m.in.Description, "allow_update_branch": yes(m.in.AllowUpdateBranch, false)}
	return m.r.at(ctx, http.MethodPatch, nil, body, nil)
}

// settings sets what a new repository cannot be made with. All of it may be
// done again.
func (m *creation) settings(ctx context.Context) error {
	if err := m.administrator(ctx); err != nil {
		return fmt.Errorf("give %s access: %w", m.in.Access, err)
	}
	m.collaborators(ctx)
	if len(m.in.Topics) > 0 {
		topics := make([]string, len(m.in.Topics))
		for i, t := range m.in.Topics {
			topics[i] = strings.ToLower(t)
		}
		if err := m.r.at(ctx, http.MethodPut, []string{"topics"}, map[string]any{"names": topics}, nil); err != nil {
			m.c.Warnf("Skipping topics %s, %s", strings.Join(topics, " "), err)
		}
	}
	if err := m.r.variables(ctx, []string{"actions"}, m.in.RepoVariables); err != nil {
		return err
	}
	if err := m.r.secrets(ctx, m.c, []string{"actions"}, m.in.Secrets); err != nil {
		return err
	}
	return errors.Join(m.oidc(ctx), m.subscribe(ctx))
}

// administrator gives the access of the input: a team of the owner, or a user.
func (m *creation) administrator(ctx context.Context) error {
	org, team, isTeam := strings.Cut(m.in.Access, "/")
	switch {
	case isTeam && org == m.r.Owner:
		return m.allow(ctx, "", team, "admin")
	case m.in.Access != "" && m.in.Access != m.r.Owner:
		return m.allow(ctx, m.in.Access, "", "admin")
	}
	return nil
}

// allow gives access to a user or a team.
func (m *creation) allow(ctx context.Context, user, team, access string) error {
	body := map[string]any{"permission": access}
	if team != "" {
		return m.r.api(ctx, http.MethodPut, []string{"orgs", m.r.Owner, "teams", team, "repos", m.r.Owner, m.r.Repo}, body, nil)
	}
	return m.r.at(ctx, http.MethodPut, []string{"collaborators", user}, body, nil)
}

// collaborators gives access to all that it can.
func (m *creation) collaborators(ctx context.Context) {
	for _, who := range m.in.Collaborators {
		user, team, access := lastPart(who.String("user")), lastPart(who.String("team")), who.String("access")
		if err := m.allow(ctx, user, team, access); err != nil {
			m.c.Warnf("Skipping %s access for %s, %s", access, or(user, team), err)
		}
	}
}

func (m *creation) oidc(ctx context.Context) error {
	if m.in.OIDCCustomization == nil {
		return nil
	}
	body := map[string]any{"use_default": yes(m.in.OIDCCustomization.UseDefault, true)}
	if keys := m.in.OIDCCustomization.IncludeClaimKeys; keys != nil {
		body["include_claim_keys"] = keys
	}
	if err := m.r.at(ctx, http.MethodPut, []string{"actions", "oidc", "customization", "sub"}, body, nil); err != nil {
		return fmt.Errorf("set the OIDC subject: %w", err)
	}
	return nil
}

func (m *creation) subscribe(ctx context.Context) error {
	if !yes(m.in.Subscribe, false) {
		return nil
	}
	if err := m.r.at(ctx, http.MethodPut, []string{"subscription"}, map[string]any{"subscribed": true, "ignored": false}, nil); err != nil {
		return fmt.Errorf("watch the repository: %w", err)
	}
	return nil
}
