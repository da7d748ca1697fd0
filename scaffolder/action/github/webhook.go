package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// webhookEvents are the events that GitHub tells webhooks of.
const webhookEvents = "branch_protection_configuration branch_protection_rule check_run check_suite code_scanning_alert commit_comment create " +
	"custom_property custom_property_values delete dependabot_alert deploy_key deployment deployment_protection_rule deployment_review deployment_status " +
	"discussion discussion_comment fork github_app_authorization gollum installation installation_repositories installation_target issue_comment issues " +
	"label marketplace_purchase member membership merge_group meta milestone org_block organization package page_build personal_access_token_request ping " +
	"project project_card project_column projects_v2 projects_v2_item projects_v2_status_update public pull_request pull_request_review " +
	"pull_request_review_comment pull_request_review_thread push registry_package release repository repository_advisory repository_dispatch " +
	"repository_import repository_ruleset repository_vulnerability_alert secret_scanning_alert secret_scanning_alert_location secret_scanning_scan " +
	"security_advisory security_and_analysis sponsorship star status sub_issues team team_add watch workflow_dispatch workflow_job workflow_run"

// events is a list of events, or of "*" for all.
type events []string

// JSONSchema implements action.Described.
func (events) JSONSchema() *jsonvalue.Object {
	list := func(names ...string) *jsonvalue.Object {
		values := make([]any, len(names))
		for i, n := range names {
			values[i] = n
		}
		item := jsonvalue.NewObject(jsonvalue.Member{Key: "type", Value: "string"}, jsonvalue.Member{Key: "enum", Value: values})
		return jsonvalue.NewObject(jsonvalue.Member{Key: "type", Value: "array"}, jsonvalue.Member{Key: "items", Value: item})
	}
	return jsonvalue.NewObject(jsonvalue.Member{Key: "anyOf", Value: []any{list(strings.Fields(webhookEvents)...), list("*")}})
}

// UnmarshalValue implements action.Described.
func (e *events) UnmarshalValue(v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("events is not a list")
	}
	for _, name := range list {
		text, ok := name.(string)
		if !ok {
			return fmt.Errorf("events is not a list of texts")
		}
		*e = append(*e, text)
	}
	return nil
}

type webhookInput struct {
	RepoURL       string `json:"repoUrl" doc:"The repository, as github.com?owner=owner&repo=name"`
	WebhookURL    string `json:"webhookUrl" doc:"The URL that GitHub tells"`
	WebhookSecret string `json:"webhookSecret,omitempty" doc:"The secret that GitHub signs with"`
	Events        events `json:"events,omitempty" schema:"{\"default\":[\"push\"]}" doc:"What GitHub tells of"`
	Active        *bool  `json:"active,omitempty" default:"true" doc:"It is told from now on"`
	ContentType   string `json:"contentType,omitempty" enum:"form,json" default:"form" doc:"How GitHub tells"`
	InsecureSSL   *bool  `json:"insecureSsl,omitempty" default:"false" doc:"Certificates are not checked"`
	Token         string `json:"token,omitempty" doc:"The token to use in place of the credentials of the integration"`
}

func (p *publisher) webhook() action.Action {
	const id = "github:webhook"
	return action.New(action.Spec{
		ID: id, DryRun: true, Description: "Adds a webhook to a GitHub repository.",
		Examples: []action.Example{
			{Description: "Tell a server of pushes", Example: example(id, "Add a webhook", "webhookUrl: https://ci.example.com/hook", "webhookSecret: ${{ secrets.hook }}")},
			{Description: "Tell of everything, as JSON", Example: example(id, "Add a webhook", "webhookUrl: https://ci.example.com/hook", "events:", `  - "*"`, "contentType: json")},
		},
	}, func(ctx context.Context, c *action.Context, in webhookInput) error {
		r, err := p.open(ctx, c, in.RepoURL, in.Token)
		if err != nil {
			return err
		}
		c.Infof("Creating webhook %s for repo %s", in.WebhookURL, in.RepoURL)
		if c.DryRun {
			c.Infof("Dry run complete")
			return nil
		}
		c.Redact(in.WebhookSecret)
		config := map[string]any{"url": in.WebhookURL, "content_type": or(in.ContentType, "form"), "insecure_ssl": "0"}
		if yes(in.InsecureSSL, false) {
			config["insecure_ssl"] = "1"
		}
		if in.WebhookSecret != "" {
			config["secret"] = in.WebhookSecret
		}
		names := []string(in.Events)
		if len(names) == 0 {
			names = []string{"push"}
		}
		body := map[string]any{"name": "web", "config": config, "events": slices.Clone(names), "active": yes(in.Active, true)}
		err = once(ctx, c, "create.webhook."+r.Owner+"."+r.Repo+"."+in.WebhookURL, func(ctx context.Context) error {
			return r.at(ctx, http.MethodPost, []string{"hooks"}, body, nil)
		})
		if err != nil && ctx.Err() == nil {
			c.Warnf("Failed: create webhook '%s' on repo: '%s', %s", in.WebhookURL, r.Repo, err)
			return nil
		}
		return err
	})
}
