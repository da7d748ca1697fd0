package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

type accessTokenInput struct {
	ProjectID   any      `json:"projectId" schema:"{\"type\":[\"number\",\"string\"]}" doc:"The project, by number or path"`
	Token       string   `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	Name        string   `json:"name,omitempty" doc:"The name of the new token"`
	RepoURL     string   `json:"repoUrl" doc:"The host, as gitlab.com"`
	AccessLevel *float64 `json:"accessLevel,omitempty" doc:"What it may do, as a level of GitLab; 40 if nothing is said"`
	Scopes      []string `json:"scopes,omitempty" doc:"What it is good for; read_repository if nothing is said"`
	ExpiresAt   string   `json:"expiresAt,omitempty" doc:"The day on which it ends; in a year if nothing is said"`
}

type accessTokenOutput struct {
	Token string `json:"access_token" doc:"The token"`
}

func (p *publisher) accessToken() action.Action {
	const id = "gitlab:projectAccessToken:create"
	return action.NewWithOutput(action.Spec{
		ID: id, Description: "Makes a token for one GitLab project.",
		Examples: []action.Example{{Description: "Make a token that may read", Example: example(id, "Make a token", "projectId: acme/shop", "name: reader", "scopes:", "  - read_repository")}},
	}, func(ctx context.Context, c *action.Context, in accessTokenInput) (out accessTokenOutput, err error) {
		t, project, err := p.within(c, in.RepoURL, in.Token, in.ProjectID)
		if err != nil {
			return out, err
		}
		body := map[string]any{"name": or(in.Name, "tokenname"), "access_level": 40.0, "scopes": in.Scopes,
			"expires_at": or(in.ExpiresAt, p.Now().UTC().AddDate(0, 0, 365).Format("2006-01-02"))}
		if in.AccessLevel != nil {
			body["access_level"] = *in.AccessLevel
		}
		if len(in.Scopes) == 0 {
			body["scopes"] = []string{"read_repository"}
		}
		var made struct{ Token string }
		if err := t.call(ctx, http.MethodPost, []string{"projects", project, "access_tokens"}, body, &made); err != nil {
			return out, fmt.Errorf("make an access token for project %s: %w", project, err)
		}
		c.Redact(made.Token)
		return accessTokenOutput{Token: made.Token}, nil
	})
}

// within is host for actions that name their project.
func (p *publisher) within(c *action.Context, repoURL, token string, project any) (*target, string, error) {
	id, err := idOf("projectId", project)
	if err != nil {
		return nil, "", err
	}
	t, err := p.host(c, repoURL, token)
	return t, id, err
}

type deployTokenInput struct {
	RepoURL   string   `json:"repoUrl" doc:"The host, as gitlab.com"`
	Token     string   `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	ProjectID any      `json:"projectId" schema:"{\"type\":[\"number\",\"string\"]}" doc:"The project, by number or path"`
	Name      string   `json:"name" doc:"The name of the new token"`
	Username  string   `json:"username,omitempty" doc:"The user name that goes with it; made up by GitLab if nothing is said"`
	Scopes    []string `json:"scopes" doc:"What it is good for"`
}

type deployTokenOutput struct {
	Token string `json:"deploy_token" doc:"The token"`
	User  string `json:"user" doc:"The user name that goes with it"`
}

func (p *publisher) deployToken() action.Action {
	const id = "gitlab:projectDeployToken:create"
	return action.NewWithOutput(action.Spec{
		ID: id, Description: "Makes a deploy token for a GitLab project.",
		Examples: []action.Example{{Description: "Make a token for the registry", Example: example(id, "Make a token", "projectId: acme/shop", "name: puller", "scopes:", "  - read_registry")}},
	}, func(ctx context.Context, c *action.Context, in deployTokenInput) (out deployTokenOutput, err error) {
		if len(in.Scopes) == 0 {
			return out, catalog.NewError(catalog.NameInput, "scopes must name at least one scope, such as read_repository or read_registry")
		}
		t, project, err := p.within(c, in.RepoURL, in.Token, in.ProjectID)
		if err != nil {
			return out, err
		}
		body := map[string]any{"name": in.Name, "scopes": in.Scopes}
		if in.Username != "" {
			body["username"] = in.Username
		}
		var made struct{ Token, Username string }
		if err := t.call(ctx, http.MethodPost, []string{"projects", project, "deploy_tokens"}, body, &made); err != nil {
			return out, fmt.Errorf("make a deploy token for project %s: %w", project, err)
		}
		c.Redact(made.Token)
		return deployTokenOutput{Token: made.Token, User: made.Username}, nil
	})
}

type variableInput struct {
	RepoURL           string `json:"repoUrl" doc:"The host, as gitlab.com"`
	Token             string `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	ProjectID         any    `json:"projectId" schema:"{\"type\":[\"number\",\"string\"]}" doc:"The project, by number or path"`
	Key               string `json:"key" schema:"{\"pattern\":\"^[A-Za-z0-9_]{1,255}$\"}" doc:"The name of the variable"`
	Value             string `json:"value" doc:"Its value"`
	VariableType      string `json:"variableType" doc:"env_var or file"`
	VariableProtected *bool  `json:"variableProtected,omitempty" default:"false" doc:"Only protected branches have it"`
	Masked            *bool  `json:"masked,omitempty" default:"false" doc:"Logs do not show it"`
	MaskedAndHidden   *bool  `json:"maskedAndHidden,omitempty" default:"false" doc:"Neither do the settings"`
	Raw               *bool  `json:"raw,omitempty" default:"false" doc:"References in it are not resolved"`
	EnvironmentScope  string `json:"environmentScope,omitempty" default:"*" doc:"Which environments have it"`
}

func (p *publisher) variable() action.Action {
	const id = "gitlab:projectVariable:create"
	return action.New(action.Spec{
		ID: id, Description: "Makes a variable for the pipelines of a GitLab project.",
		Examples: []action.Example{{Description: "Make a variable that logs do not show", Example: example(id, "Make a variable", "projectId: acme/shop", "key: KEY",
			"value: ${{ secrets.key }}", "variableType: env_var", "masked: true")}},
	}, func(ctx context.Context, c *action.Context, in variableInput) error {
		t, project, err := p.within(c, in.RepoURL, in.Token, in.ProjectID)
		if err != nil {
			return err
		}
		if yes(in.Masked, false) || yes(in.MaskedAndHidden, false) {
			c.Redact(in.Value)
		}
		body := map[string]any{"key": in.Key, "value": in.Value, "variable_type": in.VariableType, "protected": yes(in.VariableProtected, false),
			"masked": yes(in.Masked, false), "masked_and_hidden": yes(in.MaskedAndHidden, false), "raw": yes(in.Raw, false), "environment_scope": or(in.EnvironmentScope, "*")}
		_, err = action.Checkpoint(ctx, c, each(c, "create.variable."+project+"."+in.Key), func(ctx context.Context) (bool, error) {
			return true, t.call(ctx, http.MethodPost, []string{"projects", project, "variables"}, body, nil)
		})
		if err != nil {
			return fmt.Errorf("make the variable %s of project %s: %w", in.Key, project, err)
		}
		return nil
	})
}

type pipelineInput struct {
	RepoURL          string            `json:"repoUrl" doc:"The host, as gitlab.com"`
	Token            string            `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	ProjectID        float64           `json:"projectId" doc:"The project, by number"`
	TokenDescription string            `json:"tokenDescription" doc:"What the token is called that runs the pipeline"`
	Branch           string            `json:"branch" doc:"The branch"`
	Variables        map[string]string `json:"variables,omitempty" doc:"Variables for the pipeline"`
}

type pipelineOutput struct {
	PipelineURL string `json:"pipelineUrl" doc:"The page of the pipeline"`
}

func (p *publisher) pipeline() action.Action {
	const id = "gitlab:pipeline:trigger"
	return action.NewWithOutput(action.Spec{
		ID: id, Description: "Runs a pipeline of a GitLab project.",
		Examples: []action.Example{{Description: "Run a pipeline with a variable", Example: example(id, "Run the pipeline", "projectId: 12", "tokenDescription: Run by a template",
			"branch: main", "variables:", "  STAGE: test")}},
	}, func(ctx context.Context, c *action.Context, in pipelineInput) (out pipelineOutput, err error) {
		t, project, err := p.within(c, in.RepoURL, in.Token, in.ProjectID)
		if err != nil {
			return out, err
		}
		var trigger struct {
			ID    float64
			Token string
		}
		path := []string{"projects", project, "triggers"}
		if err := t.call(ctx, http.MethodPost, path, map[string]any{"description": in.TokenDescription}, &trigger); err != nil {
			return out, fmt.Errorf("make a trigger token for project %s: %w", project, err)
		}
		c.Redact(trigger.Token)
		defer func() {
			path := append(path, fmt.Sprintf("%.0f", trigger.ID))
			if err := t.call(context.WithoutCancel(ctx), http.MethodDelete, path, nil, nil); err != nil {
				c.Log.Error(fmt.Sprintf("The trigger token %.0f of project %s could not be removed: %s", trigger.ID, project, err))
			}
		}()
		body := map[string]any{"ref": in.Branch, "token": trigger.Token}
		if in.Variables != nil {
			body["variables"] = in.Variables
		}
		var run struct {
			WebURL string `json:"web_url"`
		}
		if err := t.call(ctx, http.MethodPost, []string{"projects", project, "trigger", "pipeline"}, body, &run); err != nil {
			return out, fmt.Errorf("run the pipeline of project %s on %s: %w", project, in.Branch, err)
		}
		return pipelineOutput{PipelineURL: run.WebURL}, nil
	})
}

type userInput struct {
	RepoURL string   `json:"repoUrl" doc:"The host, as gitlab.com"`
	Token   string   `json:"token,omitempty" doc:"The token to use in place of that of the integration"`
	UserID  *float64 `json:"userId,omitempty" doc:"The user, by number; that of the token if nothing is said"`
}

type userOutput struct {
	ID          float64 `json:"id" doc:"The number of the user"`
	Username    string  `json:"username" doc:"The user name"`
	Name        string  `json:"name" doc:"The name"`
	State       string  `json:"state" doc:"Whether the user is active"`
	WebURL      string  `json:"webUrl" doc:"The page of the user"`
	Email       string  `json:"email,omitempty" doc:"The e-mail address, as far as the token may see it"`
	CreatedAt   string  `json:"createdAt,omitempty" doc:"When the user came to be"`
	PublicEmail string  `json:"publicEmail,omitempty" doc:"The e-mail address for everybody"`
}

func (p *publisher) user() action.Action {
	const id = "gitlab:user:info"
	return action.NewWithOutput(action.Spec{
		ID: id, Repeatable: true, Description: "Looks up a user of GitLab.",
		Examples: []action.Example{{Description: "Look up the user of a token", Example: example(id, "Look me up", "token: ${{ secrets.USER_OAUTH_TOKEN }}")}},
	}, func(ctx context.Context, c *action.Context, in userInput) (userOutput, error) {
		t, err := p.host(c, in.RepoURL, in.Token)
		if err != nil {
			return userOutput{}, err
		}
		path := []string{"user"}
		if in.UserID != nil {
			id, err := idOf("userId", *in.UserID)
			if err != nil {
				return userOutput{}, err
			}
			path = []string{"users", id}
		}
		var who person
		if err := t.call(ctx, http.MethodGet, path, nil, &who); err != nil {
			return userOutput{}, fmt.Errorf("look up the user: %w", err)
		}
		return userOutput{ID: who.ID, Username: who.Username, Name: who.Name, State: who.State, WebURL: who.WebURL, Email: who.Email,
			CreatedAt: who.CreatedAt, PublicEmail: who.PublicEmail}, nil
	})
}

type migrateInput struct {
	DestinationAccessToken string `json:"destinationAccessToken" doc:"The token for where the project goes to"`
	DestinationURL         string `json:"destinationUrl" doc:"Where it goes to, as gitlab.com?owner=group&repo=name"`
	SourceAccessToken      string `json:"sourceAccessToken" doc:"The token for where it comes from"`
	SourceFullPath         string `json:"sourceFullPath" doc:"Its path there"`
	SourceURL              string `json:"sourceUrl" doc:"The URL of the GitLab that it comes from"`
}

type migrateOutput struct {
	ImportedRepoURL string  `json:"importedRepoUrl" doc:"The URL of the project where it goes to"`
	MigrationID     float64 `json:"migrationId" doc:"The number of the migration"`
}

func (p *publisher) migrate() action.Action {
	const id = "gitlab:group:migrate"
	return action.NewWithOutput(action.Spec{
		ID: id, Description: "Moves a project from one GitLab to another, by direct transfer.",
		Examples: []action.Example{{Description: "Move a project", Example: "steps:\n  - id: step\n    name: Move the project\n    action: " + id + "\n    input:\n" +
			"      destinationAccessToken: ${{ secrets.to }}\n      destinationUrl: gitlab.com?owner=acme&repo=shop\n      sourceAccessToken: ${{ secrets.from }}\n" +
			"      sourceFullPath: old/shop\n      sourceUrl: https://gitlab.example.com\n"}},
	}, func(ctx context.Context, c *action.Context, in migrateInput) (out migrateOutput, err error) {
		c.Redact(in.SourceAccessToken)
		t, err := p.project(c, in.DestinationURL, in.DestinationAccessToken)
		if err != nil {
			return out, err
		}
		body := map[string]any{
			"configuration": map[string]any{"url": in.SourceURL, "access_token": in.SourceAccessToken},
			"entities": []any{map[string]any{"source_type": "project_entity", "source_full_path": in.SourceFullPath,
				"destination_slug": t.Repo, "destination_namespace": t.Owner}},
		}
		begun, err := action.Checkpoint(ctx, c, each(c, "gitlab.migrate."+in.SourceFullPath), func(ctx context.Context) (out group, err error) {
			return out, t.call(ctx, http.MethodPost, []string{"bulk_imports"}, body, &out)
		})
		if err != nil {
			return out, fmt.Errorf("move %s: %w", in.SourceFullPath, err)
		}
		web := strings.TrimSuffix(t.account.API, "/api/v4")
		return migrateOutput{ImportedRepoURL: web + "/" + t.Owner + "/" + t.Repo, MigrationID: begun.ID}, nil
	})
}
