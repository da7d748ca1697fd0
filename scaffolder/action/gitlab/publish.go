package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
)

// settings are those of a new project, which are sent as they are.
type settings struct {
	Name                       string   `json:"name,omitempty" doc:"The name of the project"`
	Path                       string   `json:"path,omitempty" doc:"The last part of its URL"`
	AutoDevops                 *bool    `json:"auto_devops_enabled,omitempty" doc:"Auto DevOps is on"`
	CIConfigPath               string   `json:"ci_config_path,omitempty" doc:"The path of the file that describes pipelines"`
	Description                string   `json:"description,omitempty" doc:"What the project is for"`
	MergeMethod                string   `json:"merge_method,omitempty" enum:"merge,rebase_merge,ff" doc:"How merge requests are merged"`
	SquashOption               string   `json:"squash_option,omitempty" enum:"default_off,default_on,never,always" doc:"Whether they are squashed"`
	Topics                     []string `json:"topics,omitempty" doc:"Topics of the project"`
	Visibility                 string   `json:"visibility,omitempty" enum:"private,public,internal" doc:"Who may see the project"`
	OnlyIfDiscussionsResolved  *bool    `json:"only_allow_merge_if_all_discussions_are_resolved,omitempty" doc:"All discussions must be resolved before a merge"`
	OnlyIfPipelineSucceeds     *bool    `json:"only_allow_merge_if_pipeline_succeeds,omitempty" doc:"The pipeline must succeed before a merge"`
	AllowMergeOnSkippedPipline *bool    `json:"allow_merge_on_skipped_pipeline,omitempty" doc:"A pipeline that was skipped counts as one that has succeeded"`
}

// A branch is one that is made or protected after the push.
type branch struct {
	Name    string `json:"name" doc:"The name of the branch"`
	Protect *bool  `json:"protect,omitempty" doc:"Protect it"`
	Create  *bool  `json:"create,omitempty" doc:"Make it"`
	Ref     string `json:"ref,omitempty" doc:"What it begins at; master if nothing is said"`
}

// A projectVariable is one for pipelines.
type projectVariable struct {
	Key              string `json:"key" doc:"The name of the variable"`
	Value            string `json:"value" doc:"Its value"`
	Description      string `json:"description,omitempty" doc:"What it is for"`
	VariableType     string `json:"variable_type,omitempty" enum:"env_var,file" doc:"Whether it is a variable or a file"`
	Protected        *bool  `json:"protected,omitempty" doc:"Only protected branches have it"`
	Masked           *bool  `json:"masked,omitempty" doc:"Logs do not show it"`
	MaskedAndHidden  *bool  `json:"masked_and_hidden,omitempty" doc:"Neither do the settings"`
	Raw              *bool  `json:"raw,omitempty" doc:"References in it are not resolved"`
	EnvironmentScope string `json:"environment_scope,omitempty" doc:"Which environments have it; all if nothing is said"`
}

type publishInput struct {
	RepoURL          string            `json:"repoUrl" doc:"The project, as gitlab.com?owner=group&repo=name"`
	RepoVisibility   string            `json:"repoVisibility,omitempty" enum:"private,public,internal" doc:"Who may see the project; private if nothing is said"`
	DefaultBranch    string            `json:"defaultBranch,omitempty" doc:"The branch that is pushed to; master if nothing is said"`
	GitCommitMessage string            `json:"gitCommitMessage,omitempty" doc:"The message of the commit"`
	GitAuthorName    string            `json:"gitAuthorName,omitempty" doc:"Who has made the commit"`
	GitAuthorEmail   string            `json:"gitAuthorEmail,omitempty" doc:"The e-mail address of who has made it"`
	SignCommit       bool              `json:"signCommit,omitempty" doc:"Sign the commit with the configured key"`
	SourcePath       any               `json:"sourcePath,omitempty" schema:"{\"type\":[\"string\",\"boolean\"]}" doc:"The folder of the workspace that is published; false for nothing"`
	SkipExisting     bool              `json:"skipExisting,omitempty" doc:"A project that is there already is left as it is"`
	Token            string            `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	SetUserAsOwner   bool              `json:"setUserAsOwner,omitempty" doc:"Make the user of the token an owner of the project"`
	OwnerUsername    string            `json:"ownerUsername,omitempty" doc:"A user who becomes an owner of the project"`
	Topics           []string          `json:"topics,omitempty" doc:"Topics of the project"`
	Settings         *settings         `json:"settings,omitempty" doc:"Further settings, which win over other inputs"`
	Branches         []branch          `json:"branches,omitempty" doc:"Branches to make or protect after the push"`
	ProjectVariables []projectVariable `json:"projectVariables,omitempty" doc:"Variables for pipelines"`
}

type published struct {
	RemoteURL       string  `json:"remoteUrl" doc:"The URL of the project"`
	RepoContentsURL string  `json:"repoContentsUrl" doc:"The URL of the root of the repository"`
	ProjectID       float64 `json:"projectId" doc:"The number of the project"`
	CommitHash      string  `json:"commitHash" doc:"The hash of the commit"`
	Created         bool    `json:"created" doc:"Whether the project is new"`
}

// A project is one that there is.
type project struct {
	ID            float64 `json:"id"`
	Path          string  `json:"path_with_namespace"`
	CloneURL      string  `json:"http_url_to_repo"`
	WebURL        string  `json:"web_url"`
	Description   string  `json:"description"`
	DefaultBranch string  `json:"default_branch"`
}

func (p project) id() string { return fmt.Sprintf("%.0f", p.ID) }

// remote is the URL of a project as outputs have it.
func (p project) remote() string { return strings.TrimSuffix(p.CloneURL, ".git") }

var retired = map[string]string{"allowedHosts": "Which hosts a template may use is set in its form, with allowedHosts of the RepoUrlPicker"}

func (p *publisher) publish() action.Action {
	const id = "publish:gitlab"
	return action.New(action.Spec{
		ID: id, Repeatable: true, Retired: retired, Output: outputOf[published](),
		Description: "Makes a GitLab project and pushes the workspace, or a folder of it, as its first commit.",
		Examples: []action.Example{
			{Description: "Publish the workspace", Example: example(id, "Publish", "defaultBranch: main")},
			{Description: "Publish with settings, a protected branch and a variable", Example: example(id, "Publish", "settings:", "  merge_method: ff",
				"branches:", "  - name: master", "    protect: true", "projectVariables:", "  - key: STAGE", "    value: test")},
		},
	}, func(ctx context.Context, c *action.Context, in publishInput) error {
		if err := p.check(in); err != nil {
			return err
		}
		t, err := p.project(c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		m := &creation{publisher: p, c: c, t: t, in: in}
		dir, push, err := m.source()
		if err != nil {
			return err
		}
		if m.key, err = p.Defaults.Signing.Required(t.Host, in.SignCommit); err != nil {
			return err
		}
		if in.SkipExisting {
			if found, ok, err := m.existing(ctx); err != nil || ok {
				return orElse(err, func() { m.put(found, found.DefaultBranch, "", false) })
			}
		}
		made, err := action.Checkpoint(ctx, c, each(c, "create.gitlab.project."+t.Owner+"."+t.Repo), m.create)
		if err != nil {
			return err
		}
		hash, err := m.complete(ctx, made, dir, push)
		if err != nil {
			return left(err, made)
		}
		m.put(made, m.branch(), hash, true)
		return nil
	})
}

func orElse(err error, then func()) error {
	if err == nil {
		then()
	}
	return err
}

// left says what there is after a failure, and what can be done.
func left(err error, p project) error {
	return fmt.Errorf("%w. The project %s exists now and is not complete: retry the task to go on with it, or delete it at %s/edit", err, p.WebURL, p.WebURL)
}

// check refuses what this server does not do, before anything is made.
func (p *publisher) check(in publishInput) error {
	if p.RequireUserCredentials && (in.SetUserAsOwner || in.OwnerUsername != "") {
		return catalog.NewError(catalog.NameInput, "setUserAsOwner and ownerUsername need the token of the integration, but scaffolder.requireScmUserCredentials is enabled")
	}
	return nil
}

// marker is the description of a project whose content is not there yet. It
// tells this task from all others.
func marker(c *action.Context) string {
	return "Greenroom is setting up this project, task " + c.TaskID
}

// A creation makes one project.
type creation struct {
	*publisher
	c   *action.Context
	t   *target
	in  publishInput
	key *git.SigningKey // nil: the commit is not signed
}

func (m *creation) branch() string { return or(m.in.DefaultBranch, "master") }

// source returns the folder to push; push is false where there is none.
func (m *creation) source() (dir string, push bool, err error) {
	name, _ := m.in.SourcePath.(string)
	if b, ok := m.in.SourcePath.(bool); ok && !b {
		return "", false, nil
	}
	dir, err = git.SourceDir(m.c.Workspace, name)
	return dir, true, err
}

// put sets the outputs.
func (m *creation) put(p project, branch, hash string, created bool) {
	m.c.Output("remoteUrl", p.remote())
	m.c.Output("repoContentsUrl", p.remote()+"/-/blob/"+branch)
	m.c.Output("projectId", p.ID)
	if hash != "" {
		m.c.Output("commitHash", hash)
	}
	m.c.Output("created", created)
}

// existing finds the project of that path.
func (m *creation) existing(ctx context.Context) (project, bool, error) {
	name := m.t.Repo
	if m.in.Settings != nil && m.in.Settings.Path != "" {
		name = m.in.Settings.Path
	}
	var found project
	err := m.t.call(ctx, http.MethodGet, []string{"projects", m.t.Owner + "/" + name}, nil, &found)
	if status(err) == http.StatusNotFound {
		return project{}, false, nil
	}
	return found, err == nil, err
}

// namespace looks up where the project goes.
func (m *creation) namespace(ctx context.Context) (float64, error) {
	var found struct{ ID float64 }
	err := m.t.call(ctx, http.MethodGet, []string{"namespaces", m.t.Owner}, nil, &found)
	if status(err) == http.StatusNotFound {
		return 0, catalog.NewError(catalog.NameInput, fmt.Sprintf("The namespace %s is not found or the user doesn't have permissions to access it", m.t.Owner))
	}
	return found.ID, err
}

// create makes the project, or goes on with one that this task has begun.
func (m *creation) create(ctx context.Context) (project, error) {
	namespace, err := m.namespace(ctx)
	if err != nil {
		return project{}, err
	}
	body := map[string]any{"namespace_id": namespace, "name": m.t.Repo, "visibility": or(m.in.RepoVisibility, "private")}
	if len(m.in.Topics) > 0 {
		body["topics"] = m.in.Topics
	}
	m.in.Settings.into(body)
	body["description"] = marker(m.c)
	var made project
	err = m.t.call(ctx, http.MethodPost, []string{"projects"}, body, &made)
	if err == nil {
		m.c.Infof("Created the project %s", made.WebURL)
		return made, nil
	}
	// A host that fails while it makes a project may have made it.
	if saysThat(err, "taken") || status(err) >= http.StatusInternalServerError || status(err) == 0 {
		if found, ok, _ := m.existing(ctx); ok && found.Description == marker(m.c) {
			m.c.Infof("Going on with the project %s, which this task has begun", found.WebURL)
			return found, nil
		}
	}
	return project{}, fmt.Errorf("create the project %s: %w", m.t.path(), err)
}

// into adds what is said to a body.
func (s *settings) into(body map[string]any) {
	if s == nil {
		return
	}
	for key, text := range map[string]string{"name": s.Name, "path": s.Path, "ci_config_path": s.CIConfigPath, "merge_method": s.MergeMethod,
		"squash_option": s.SquashOption, "visibility": s.Visibility, "description": s.Description} {
		if text != "" {
			body[key] = text
		}
	}
	for key, b := range map[string]*bool{"auto_devops_enabled": s.AutoDevops, "only_allow_merge_if_all_discussions_are_resolved": s.OnlyIfDiscussionsResolved,
		"only_allow_merge_if_pipeline_succeeds": s.OnlyIfPipelineSucceeds, "allow_merge_on_skipped_pipeline": s.AllowMergeOnSkippedPipline} {
		if b != nil {
			body[key] = *b
		}
	}
	if s.Topics != nil {
		body["topics"] = s.Topics
	}
}

// complete does all that comes after the project was made. All of it may be
// done again.
func (m *creation) complete(ctx context.Context, made project, dir string, push bool) (hash string, err error) {
	if err := m.owners(ctx, made); err != nil {
		return "", err
	}
	last := map[string]any{"description": ""}
	if m.in.Settings != nil {
		last["description"] = m.in.Settings.Description
	}
	if push {
		if hash, err = m.push(ctx, made, dir); err != nil {
			return "", err
		}
		last["default_branch"] = m.branch()
		for _, b := range m.in.Branches {
			if err := m.prepare(ctx, made, b); err != nil {
				return "", err
			}
		}
	}
	for _, v := range m.in.ProjectVariables {
		if err := m.variable(ctx, made, v); err != nil {
			return "", err
		}
	}
	return hash, m.t.call(ctx, http.MethodPut, []string{"projects", made.id()}, last, nil)
}

// push commits the folder and pushes it.
func (m *creation) push(ctx context.Context, made project, dir string) (string, error) {
	at, err := git.Now(ctx, m.c, m.t.path())
	if err != nil {
		return "", err
	}
	// The configured message counts for publish:github alone.
	commit, err := git.Save(ctx, m.c.Workspace, git.Commit{Dir: dir, Branch: m.branch(), Message: or(m.in.GitCommitMessage, "initial commit"),
		Author: m.Defaults.AuthorOr(m.in.GitAuthorName, m.in.GitAuthorEmail), Time: at, Key: m.key})
	if err != nil {
		return "", err
	}
	return commit.Hash(), commit.Push(ctx, git.Remote{URL: made.CloneURL, User: "oauth2", Password: m.t.account.Token, Sleep: m.Sleep}, m.branch())
}

const ownerLevel = 50

// owners makes users owners, with the rights of the integration.
func (m *creation) owners(ctx context.Context, made project) error {
	if !m.in.SetUserAsOwner && m.in.OwnerUsername == "" {
		return nil
	}
	account, ok := m.Hosts.Account(m.t.Host, "")
	if !ok || account.Token == "" {
		m.c.Warnf("Nobody was made an owner of the project: the integration of %s has no token", m.t.Host)
		return nil
	}
	admin, err := newAPI(account)
	if err != nil {
		return err
	}
	var ids []float64
	if m.in.SetUserAsOwner {
		var self person
		if err := m.t.call(ctx, http.MethodGet, []string{"user"}, nil, &self); err != nil {
			return fmt.Errorf("look up the user of the token: %w", err)
		}
		ids = append(ids, self.ID)
	}
	if m.in.OwnerUsername != "" {
		found, ok, err := admin.userNamed(ctx, m.in.OwnerUsername)
		if err != nil {
			return err
		}
		if ok {
			ids = append(ids, found.ID)
		} else {
			m.c.Warnf("There is no user %s at %s to be made an owner", m.in.OwnerUsername, m.t.Host)
		}
	}
	for _, user := range ids {
		err := admin.call(ctx, http.MethodPost, []string{"projects", made.id(), "members"}, map[string]any{"user_id": user, "access_level": ownerLevel}, nil)
		if err != nil && status(err) != http.StatusConflict { // is a member
			return fmt.Errorf("make user %.0f an owner: %w", user, err)
		}
	}
	return nil
}

// prepare makes and protects a branch.
func (m *creation) prepare(ctx context.Context, made project, b branch) error {
	if yes(b.Create, false) {
		body := map[string]any{"branch": b.Name, "ref": or(b.Ref, "master")}
		err := m.t.call(ctx, http.MethodPost, []string{"projects", made.id(), "repository", "branches"}, body, nil)
		if err != nil && !saysThat(err, "already exists") {
			return faultOf("Branch creation failed for "+b.Name, err)
		}
	}
	if yes(b.Protect, false) {
		err := m.t.call(ctx, http.MethodPost, []string{"projects", made.id(), "protected_branches"}, map[string]any{"name": b.Name}, nil)
		if err != nil && status(err) != http.StatusConflict {
			return faultOf("Branch protection failed for "+b.Name, err)
		}
	}
	return nil
}

// faultOf is the error for a branch or a variable, with the answer of GitLab in
// the form of the reference.
func faultOf(what string, err error) error {
	if status(err) == 0 {
		return fmt.Errorf("%s: %w", what, err)
	}
	return catalog.NewError(catalog.NameInput, fmt.Sprintf(`%s. {"code":%d,"message":%q}`, what, status(err), err))
}

func (m *creation) variable(ctx context.Context, made project, v projectVariable) error {
	if yes(v.Masked, false) || yes(v.MaskedAndHidden, false) {
		m.c.Redact(v.Value)
	}
	body := map[string]any{"key": v.Key, "value": v.Value, "variable_type": or(v.VariableType, "env_var"), "protected": yes(v.Protected, false),
		"masked": yes(v.Masked, false), "raw": yes(v.Raw, false), "environment_scope": or(v.EnvironmentScope, "*")}
	if v.MaskedAndHidden != nil {
		body["masked_and_hidden"] = *v.MaskedAndHidden
	}
	if v.Description != "" {
		body["description"] = v.Description
	}
	if err := m.t.setVariable(ctx, made.id(), v.Key, body); err != nil {
		return faultOf("Environment variable creation failed for "+v.Key, err)
	}
	return nil
}

// setVariable makes a variable, or changes the one of that key and scope.
func (a *api) setVariable(ctx context.Context, project, key string, body map[string]any) error {
	err := a.call(ctx, http.MethodPost, []string{"projects", project, "variables"}, body, nil)
	if saysThat(err, "taken") {
		body["filter"] = map[string]any{"environment_scope": body["environment_scope"]}
		delete(body, "key") // it is in the path
		delete(body, "masked_and_hidden")
		err = a.call(ctx, http.MethodPut, []string{"projects", project, "variables", key}, body, nil)
	}
	return err
}

// A person is a user of GitLab.
type person struct {
	ID          float64 `json:"id"`
	Username    string  `json:"username"`
	Name        string  `json:"name"`
	State       string  `json:"state"`
	WebURL      string  `json:"web_url"`
	Email       string  `json:"email"`
	PublicEmail string  `json:"public_email"`
	CreatedAt   string  `json:"created_at"`
}

// userNamed finds a user by name.
func (a *api) userNamed(ctx context.Context, name string) (person, bool, error) {
	var found []person
	query := struct {
		Username string `url:"username"`
	}{strings.TrimPrefix(name, "@")}
	if err := a.call(ctx, http.MethodGet, []string{"users"}, query, &found); err != nil {
		return person{}, false, fmt.Errorf("look up the user %s: %w", name, err)
	}
	if len(found) == 0 {
		return person{}, false, nil
	}
	return found[0], true, nil
}
