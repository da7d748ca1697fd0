package scaffolderapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
)

// The types of resources that conditions are about.
const (
	TemplateType = "scaffolder-template"
	ActionType   = "scaffolder-action"
	TaskType     = "scaffolder-task"
)

func permissionOf(name, action, resourceType string) permission.Permission {
	return permission.Permission{Plugin: "scaffolder", Name: name, Action: action, ResourceType: resourceType}
}

// The permissions of the scaffolder.
var (
	parameterRead      = permissionOf("scaffolder.template.parameter.read", "read", TemplateType)
	stepRead           = permissionOf("scaffolder.template.step.read", "read", TemplateType)
	templateDryRun     = permissionOf("scaffolder.template.dry-run", "", "")
	templateManagement = permissionOf("scaffolder.template.management", "", "")
	actionExecute      = permissionOf("scaffolder.action.execute", "", ActionType)
	taskRead           = permissionOf("scaffolder.task.read", "read", TaskType)
	taskCreate         = permissionOf("scaffolder.task.create", "create", "")
	taskCancel         = permissionOf("scaffolder.task.cancel", "", TaskType)
)

func published() []permission.Permission {
	return []permission.Permission{templateDryRun, parameterRead, stepRead, templateManagement, actionExecute, taskRead, taskCreate, taskCancel}
}

// Permissions are all permissions of the scaffolder.
func Permissions() []permission.Permission { return published() }

// rules are those that conditions can be made of. What they say of themselves
// is part of the recorded answer of the metadata route.
func rules() []permission.RuleSpec {
	property := func(kind string, t permission.RuleType) permission.RuleSpec {
		return permission.RuleSpec{Name: "HAS_" + kind + "_PROPERTY", ResourceType: ActionType, About: "Allow actions with the specified property",
			Params: []permission.RuleParam{{Name: "key", About: "Property within the action parameters to match on", Required: true},
				{Name: "value", About: "Value of the given property to match on", Type: t}}}
	}
	return []permission.RuleSpec{
		{Name: "HAS_TAG", ResourceType: TemplateType, About: "Match parameters or steps with the given tag",
			Params: []permission.RuleParam{{Name: "tag", About: "Name of the tag to match on", Required: true}}},
		{Name: "HAS_ACTION_ID", ResourceType: ActionType, About: "Match actions with the given actionId",
			Params: []permission.RuleParam{{Name: "actionId", About: "Name of the actionId to match on", Required: true}}},
		property("BOOLEAN", permission.RuleBoolean), property("NUMBER", permission.RuleNumber), property("STRING", permission.RuleText),
		{Name: "IS_TASK_OWNER", ResourceType: TaskType, About: "Allows tasks created by certain users to be accessible",
			Params: []permission.RuleParam{{Name: "createdBy", Type: permission.RuleTexts, Required: true,
				About: "List of creator entity refs; only tasks created by these users will be viewable"}}},
	}
}

var errDenied = wire.NotAllowed("")

// decide asks what the caller may do in general.
func (a *API) decide(ctx context.Context, p permission.Permission) (permission.Decision, error) {
	return a.Decider.Decide(ctx, auth.PrincipalFrom(ctx), p, "")
}

// require returns the error of a denied permission unless the caller may.
func (a *API) require(ctx context.Context, p permission.Permission) error {
	d, err := a.decide(ctx, p)
	if err != nil {
		return err
	}
	if d.Result != permission.Allow {
		return errDenied
	}
	return nil
}

// requireOf is require for something done to one task.
func (a *API) requireOf(ctx context.Context, p permission.Permission, t scaffolder.Task) error {
	d, err := a.decide(ctx, p)
	if err != nil {
		return err
	}
	ok, err := d.Meets(taskHolds(t))
	if err != nil {
		return err
	}
	if !ok {
		return errDenied
	}
	return nil
}

// taskHolds tells whether rules hold for a task.
func taskHolds(t scaffolder.Task) func(*permission.Rule) (bool, error) {
	return func(r *permission.Rule) (bool, error) {
		if _, err := permission.FindRule(rules(), r, TaskType); err != nil {
			return false, err
		}
		owners, _ := r.Params.Value("createdBy").([]any)
		return t.CreatedBy != "" && slices.Contains(owners, any(t.CreatedBy)), nil
	}
}

// tagHolds tells whether rules hold for a page or step with these tags.
func tagHolds(tags []string) func(*permission.Rule) (bool, error) {
	return func(r *permission.Rule) (bool, error) {
		if _, err := permission.FindRule(rules(), r, TemplateType); err != nil {
			return false, err
		}
		return slices.Contains(tags, r.Params.String("tag")), nil
	}
}

// visible returns the template with the pages and steps that the caller may
// see.
func (a *API) visible(ctx context.Context, t *scaffolder.Template) (*scaffolder.Template, error) {
	pages, err := a.decide(ctx, parameterRead)
	if err != nil {
		return nil, err
	}
	steps, err := a.decide(ctx, stepRead)
	if err != nil {
		return nil, err
	}
	var fault error
	by := func(d permission.Decision) func([]string) bool {
		return func(tags []string) bool {
			ok, err := d.Meets(tagHolds(tags))
			fault = errors.Join(fault, err)
			return ok
		}
	}
	return t.Filter(by(pages), by(steps)), fault
}

// PermissionMetadata answers GET /.well-known/backstage/permissions/metadata.
func (a *API) PermissionMetadata(*gin.Context) (any, error) {
	return permission.Metadata(published(), rules()), nil
}

// ApplyConditions answers POST /.well-known/backstage/permissions/apply-conditions
// for services: which of some tasks meet conditions.
func (a *API) ApplyConditions(c *gin.Context) (any, error) {
	return permission.AnswerConditions(c, TaskType, a)
}

// Apply tells which tasks meet criteria; see permission.Applier.
func (a *API) Apply(_ context.Context, ids []string, c *permission.Criteria) ([]bool, error) {
	out := make([]bool, len(ids))
	for i, id := range ids {
		t, _, err := a.Engine.Task(id)
		if errors.Is(err, catalog.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if out[i], err = c.Evaluate(taskHolds(t)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var _ permission.Applier = (*API)(nil)

// credentials write down who started a task, to decide for them later what it
// may do. They hold no token.
type credentials struct {
	Kind         auth.Kind          `json:"kind"`
	Subject      string             `json:"subject"`
	Restrictions []auth.Restriction `json:"restrictions,omitempty"`
}

func credentialsOf(who auth.Principal) string {
	data, _ := json.Marshal(credentials{who.Kind, who.Subject, who.Restrictions}) // cannot fail
	return string(data)
}

// PrincipalOf returns who the credentials of a task stand for: nobody if there
// are none, as after a cancel.
func PrincipalOf(text string) (auth.Principal, error) {
	if text == "" {
		return auth.Principal{}, nil
	}
	var c credentials
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return auth.Principal{}, fmt.Errorf("credentials of the task: %w", err)
	}
	return auth.Principal{Kind: c.Kind, Subject: c.Subject, Restrictions: c.Restrictions}, nil
}

// A Policy decides which actions a task may run, at the point that decides
// everything else.
type Policy struct{ Decider permission.Decider }

var _ runner.ActionPolicy = Policy{}

// Actions implements runner.ActionPolicy.
func (p Policy) Actions(ctx context.Context, who action.Initiator) (func(string, *jsonvalue.Object) bool, error) {
	principal, err := PrincipalOf(who.Credentials)
	if err != nil {
		return nil, err
	}
	d, err := p.Decider.Decide(ctx, principal, actionExecute, "")
	if err != nil {
		return nil, err
	}
	return func(id string, input *jsonvalue.Object) bool {
		for _, in := range meant(id, input, d.Criteria) {
			if ok, err := d.Meets(actionHolds(id, in)); !ok || err != nil {
				return false
			}
		}
		return true
	}, nil
}
