package scaffolderapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
)

// Offers are what the scaffolder offers to programs that choose for themselves
// what to do. The caller's permissions decide, as on the routes.
func (a *API) Offers() []actions.Action {
	list := []actions.Action{a.offerTasks(), a.offerDryRun(), a.offerActions(), a.offerExecute(), a.offerLogs()}
	if finder, ok := a.Catalog.(TemplateFinder); ok {
		list = append(list, offerTemplates(finder))
	}
	return list
}

// taskEvent is about a task.
func taskEvent(actionType string, severity audit.Severity) *actions.Event {
	return &actions.Event{ID: "task", Severity: severity, Meta: []slog.Attr{slog.String("actionType", actionType)}}
}

// defaultTasks is how many tasks are listed if nothing is said.
const defaultTasks = 100

func (a *API) offerTasks() actions.Action {
	const status = `{"type":"string","enum":["open","processing","completed","failed","cancelled","skipped"]}`
	return actions.Action{
		Plugin: "scaffolder", Name: "list-scaffolder-tasks", Title: "List Scaffolder Tasks", ReadOnly: true, Idempotent: true,
		Audit: taskEvent("list", audit.Low),
		Description: "Lists the tasks, which are runs of templates, that you may see, the newest first: what they were to do, and how far they are. " +
			"With owned, only those that you started.",
		Input: actions.Schema(`{"type":"object","properties":{
			"owned":{"type":"boolean","default":false,"description":"Only tasks that you started; for users alone"},
			"limit":{"type":"integer","minimum":1,"maximum":1000,"description":"How many to return at most; 100 if it is left out"},
			"offset":{"type":"integer","minimum":0,"description":"How many to skip"},
			"status":{"anyOf":[` + status + `,{"type":"array","minItems":1,"items":` + status + `}],"description":"State, or states, that the tasks are in"}},
			"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{
			"tasks":{"type":"array","description":"The tasks","items":{"type":"object","properties":{
				"id":{"type":"string","description":"Id of the task"},
				"spec":{"description":"What the task is to do"},
				"status":{"type":"string","description":"open, processing, completed, failed, cancelled or skipped"},
				"createdAt":{"type":"string","description":"When it was created"},
				"lastHeartbeatAt":{"type":"string","description":"When something last happened"}},
				"required":["id","status","createdAt"],"additionalProperties":false}},
			"totalTasks":{"type":"number","description":"How many such tasks there are"}},
			"required":["tasks","totalTasks"],"additionalProperties":false}`),
		Run: a.runTasks,
	}
}

func (a *API) runTasks(ctx context.Context, c actions.Call) (any, error) {
	q := engine.Query{Limit: defaultTasks}
	if n, ok := c.Input.Value("limit").(float64); ok {
		q.Limit = int(n)
	}
	if n, ok := c.Input.Value("offset").(float64); ok {
		q.Offset = int(min(n, 1<<30))
	}
	if one := c.Input.String("status"); one != "" {
		q.Status = []scaffolder.Status{scaffolder.Status(one)}
	}
	several, _ := c.Input.Value("status").([]any)
	for _, s := range several {
		q.Status = append(q.Status, scaffolder.Status(s.(string)))
	}
	if c.Input.Value("owned") == true {
		if c.Kind != auth.User {
			return nil, wire.NotAllowed("Filtering by owned tasks requires a user identity.")
		}
		q.CreatedBy = []string{c.Subject}
	}
	page, total, err := a.tasks(ctx, q)
	if err != nil {
		return nil, lacking(err, taskRead)
	}
	return describeTasks(page, total)
}

func describeTasks(page []engine.Listed, total int) (any, error) {
	tasks := make([]any, len(page))
	for i, t := range page {
		o, err := jsonvalue.ParseObject(appendTask(nil, t.Task, t.Spec))
		if err != nil {
			return nil, err
		}
		o.Delete("createdBy")
		if o.Value("lastHeartbeatAt") == nil {
			o.Delete("lastHeartbeatAt")
		}
		tasks[i] = o
	}
	return wire.Obj("tasks", tasks, "totalTasks", float64(total)), nil
}

// lacking names the permission that an error of a denied one is about.
func lacking(err error, of ...permission.Permission) error {
	if err != error(errDenied) {
		return err
	}
	names := make([]string, len(of))
	for i, p := range of {
		names[i] = p.Name
	}
	return wire.NotAllowed("A permission is needed: " + strings.Join(names, ", "))
}

func (a *API) offerDryRun() actions.Action {
	return actions.Action{
		Plugin: "scaffolder", Name: "dry-run-template", Title: "Dry Run Scaffolder Template", ReadOnly: true, Idempotent: true,
		Audit:      taskEvent("dry-run", audit.Low),
		Visibility: &templateDryRun,
		Description: "Runs a template without effects, to see whether it is right: returns the log of its steps and its output, " +
			"or what is wrong with it. Files that its steps fetch from beside the template are given in files.",
		Input: actions.Schema(`{"type":"object","properties":{
			"templateYaml":{"type":"string","description":"The template as YAML"},
			"values":{"type":"object","additionalProperties":{},"description":"Values of its parameters"},
			"files":{"type":"array","description":"Files beside the template","items":{"type":"object","properties":{
				"path":{"type":"string","minLength":1,"description":"Path from the folder of the template"},
				"content":{"type":"string","description":"Text of the file"}},
				"required":["path","content"],"additionalProperties":false}}},
			"required":["templateYaml"],"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{
			"valid":{"type":"boolean","description":"Whether the template is right"},
			"message":{"type":"string","description":"How it went, or what is wrong"},
			"errors":{"type":"array","items":{"type":"string"},"description":"What is wrong, one by one"},
			"log":{"type":"array","description":"Log of the steps","items":{"type":"object","properties":{
				"message":{"type":"string"},"stepId":{"type":"string"},"status":{"type":"string"}},
				"required":["message"],"additionalProperties":false}},
			"output":{"type":"object","additionalProperties":{},"description":"Output of the template"},
			"steps":{"type":"array","description":"Its steps","items":{"type":"object","properties":{
				"id":{"type":"string"},"name":{"type":"string"},"action":{"type":"string"}},
				"required":["id","name","action"],"additionalProperties":false}}},
			"required":["valid","message"],"additionalProperties":false}`),
		Run: a.runDryRun,
	}
}

func (a *API) runDryRun(ctx context.Context, c actions.Call) (any, error) {
	docs := yaml.Parse([]byte(c.Input.String("templateYaml")), yaml.Limits{})
	if len(docs) != 1 {
		return invalidTemplate("Failed to parse YAML template", "a template is one YAML document"), nil
	}
	if err := docs[0].Err; err != nil {
		return invalidTemplate("Failed to parse YAML template", "YAML parsing error: "+err.Error()), nil
	}
	template, ok := docs[0].Value.(*jsonvalue.Object)
	if !ok {
		return invalidTemplate("Failed to parse YAML template", "a template is an object"), nil
	}
	values := c.Input.Object("values")
	if values == nil {
		values = jsonvalue.NewObject()
	}
	body := wire.Obj("template", template, "values", values, "directoryContents", filesOf(c.Input))
	result, err := a.dryRun(ctx, body, c.Token)
	if err != nil {
		return nil, lacking(told(err), taskCreate, templateDryRun)
	}
	return describeOffer(result)
}

func invalidTemplate(message string, faults ...string) any {
	return wire.Obj("valid", false, "message", message, "errors", wire.Strings(faults))
}

// filesOf returns the files of a dry-run as its route takes them.
func filesOf(input *jsonvalue.Object) []any {
	files, _ := input.Value("files").([]any)
	out := make([]any, len(files))
	for i, f := range files {
		o, _ := f.(*jsonvalue.Object)
		out[i] = wire.Obj("path", o.String("path"), "base64Content", base64.StdEncoding.EncodeToString([]byte(o.String("content"))))
	}
	return out
}

func describeOffer(r *engine.DryRunResult) (any, error) {
	log := make([]any, len(r.Log))
	for i, body := range r.Log {
		entry, err := logEntry(body)
		if err != nil {
			return nil, err
		}
		log[i] = entry
	}
	steps := make([]any, 0, len(r.Steps))
	for _, s := range r.Steps {
		if o, ok := s.(*jsonvalue.Object); ok {
			steps = append(steps, wire.Obj("id", o.String("id"), "name", o.String("name"), "action", o.String("action")))
		}
	}
	out := wire.Obj("valid", true, "message", "Template validation successful", "log", log)
	if o, ok := r.Output.(*jsonvalue.Object); ok {
		out.Set("output", o)
	}
	out.Set("steps", steps)
	return out, nil
}

// logEntry returns what those who read a log need of the body of an event.
func logEntry(body []byte) (*jsonvalue.Object, error) {
	o, err := jsonvalue.ParseObject(body)
	if err != nil {
		return nil, err
	}
	out := wire.Obj("message", o.String("message"))
	for _, key := range []string{"stepId", "status"} {
		if s := o.String(key); s != "" {
			out.Set(key, s)
		}
	}
	return out, nil
}

// told makes values that do not fit an error whose message says which.
func told(err error) error {
	var p *scaffolder.ParameterError
	if !errors.As(err, &p) {
		return err
	}
	const most = 10
	var list []string
	for _, f := range p.Faults[:min(most, len(p.Faults))] {
		list = append(list, f.Stack())
	}
	what := "values"
	if p.Secrets {
		what = "secrets"
	}
	return wire.InputError("The " + what + " do not fit the template: " + strings.Join(list, "; "))
}

func (a *API) offerActions() actions.Action {
	return actions.Action{
		Plugin: "scaffolder", Name: "list-scaffolder-actions", Title: "List Scaffolder Actions", ReadOnly: true, Idempotent: true,
		Audit:       &actions.Event{ID: "action-fetch"},
		Description: "Lists the actions that steps of templates can call, with the schemas of their input and output, and examples.",
		Input:       actions.Schema(`{"type":"object","properties":{},"additionalProperties":false,"description":"No input is required"}`),
		Output: actions.Schema(`{"type":"object","properties":{"actions":{"type":"array","items":{"type":"object","properties":{
			"id":{"type":"string"},"description":{"type":"string"},
			"schema":{"type":"object","properties":{
				"input":{"type":"object","properties":{},"additionalProperties":true,"description":"JSON Schema of the input"},
				"output":{"type":"object","properties":{},"additionalProperties":true,"description":"JSON Schema of the output"}},
				"required":["input","output"],"additionalProperties":false},
			"examples":{"type":"array"}},
			"required":["id","description","schema"],"additionalProperties":false}}},
			"required":["actions"],"additionalProperties":false}`),
		Run: a.runActions,
	}
}

func (a *API) runActions(context.Context, actions.Call) (any, error) {
	parsed, err := jsonvalue.Parse(a.actions)
	if err != nil {
		return nil, err
	}
	list, _ := parsed.([]any)
	out := make([]any, 0, len(list))
	for _, item := range list {
		if o, ok := item.(*jsonvalue.Object); ok {
			out = append(out, offeredAction(o))
		}
	}
	slices.SortFunc(out, func(x, y any) int {
		return strings.Compare(x.(*jsonvalue.Object).String("id"), y.(*jsonvalue.Object).String("id"))
	})
	return wire.Obj("actions", out), nil
}

func offeredAction(o *jsonvalue.Object) *jsonvalue.Object {
	schema := o.Object("schema")
	half := func(key string) *jsonvalue.Object {
		if s := schema.Object(key); s != nil {
			return s
		}
		return jsonvalue.NewObject()
	}
	examples, _ := o.Value("examples").([]any)
	if examples == nil {
		examples = []any{}
	}
	return wire.Obj("id", o.String("id"), "description", o.String("description"),
		"schema", wire.Obj("input", half("input"), "output", half("output")), "examples", examples)
}

func (a *API) offerExecute() actions.Action {
	return actions.Action{
		Plugin: "scaffolder", Name: "execute-template", Title: "Execute Scaffolder Template", Destructive: true,
		Audit: taskEvent("create", audit.Medium),
		Description: "Runs a template with values for its parameters, in your name. Returns the id of the task that does it, which goes on after this call: " +
			"follow it with get-scaffolder-task-logs. Get the Template entity first: its spec.parameters say which values are needed, and spec.secrets which secrets.",
		Input: actions.Schema(`{"type":"object","properties":{
			"templateRef":{"type":"string","minLength":1,"description":"Entity ref of the template, such as template:default/new-service"},
			"values":{"type":"object","additionalProperties":{},"description":"Values of the parameters"},
			"secrets":{"type":"object","additionalProperties":{"type":"string"},"description":"Secrets, if the template asks for some"}},
			"required":["templateRef","values"],"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{"taskId":{"type":"string","description":"Id of the task"}},
			"required":["taskId"],"additionalProperties":false}`),
		Run: a.runExecute,
	}
}

func (a *API) runExecute(ctx context.Context, c actions.Call) (any, error) {
	ref, err := catalog.ParseEntityRef(c.Input.String("templateRef"), "template", catalog.DefaultNamespace)
	if err != nil {
		return nil, wire.InputError(err.Error())
	}
	id, err := a.create(ctx, order{ref, c.Input.Object("values"), textsOf(c.Input.Object("secrets")), c.Token})
	if err != nil {
		return nil, lacking(told(err), taskCreate)
	}
	return wire.Obj("taskId", id), nil
}

func (a *API) offerLogs() actions.Action {
	return actions.Action{
		Plugin: "scaffolder", Name: "get-scaffolder-task-logs", Title: "Get Scaffolder Task Logs", ReadOnly: true, Idempotent: true,
		Audit: taskEvent("events", audit.Low),
		Description: "Returns the log of a task: what its steps said (log), and how it ended (completion, cancelled). " +
			"A long log comes in pieces, and one of a running task grows: ask again with after, the id of the last event you have.",
		Input: actions.Schema(`{"type":"object","properties":{
			"taskId":{"type":"string","minLength":1,"description":"Id of the task"},
			"after":{"type":"integer","minimum":0,"description":"Only events after the one with this id"}},
			"required":["taskId"],"additionalProperties":false}`),
		Output: actions.Schema(`{"type":"object","properties":{"events":{"type":"array","description":"The events","items":{"type":"object","properties":{
			"id":{"type":"number","description":"Id of the event"},
			"taskId":{"type":"string","description":"Id of the task"},
			"createdAt":{"type":"string","description":"When it happened"},
			"type":{"type":"string","description":"log, completion, cancelled or recovered"},
			"body":{"type":"object","properties":{
				"message":{"type":"string"},"stepId":{"type":"string"},"status":{"type":"string"}},
				"required":["message"],"additionalProperties":false}},
			"required":["id","taskId","createdAt","type","body"],"additionalProperties":false}}},
			"required":["events"],"additionalProperties":false}`),
		Run: a.runLogs,
	}
}

func (a *API) runLogs(ctx context.Context, c actions.Call) (any, error) {
	after, _ := c.Input.Value("after").(float64)
	id := c.Input.String("taskId")
	audit.About(ctx, slog.String("taskId", id))
	t, _, err := a.Engine.Task(id)
	if err != nil {
		return nil, err
	}
	if err := a.requireOf(ctx, taskRead, t); err != nil {
		return nil, lacking(err, taskRead)
	}
	events, _, err := a.Engine.Page(t, int64(min(after, 1<<53)))
	if err != nil {
		return nil, err
	}
	out := make([]any, len(events))
	for i, event := range events {
		body, err := logEntry(event.Body)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", event.ID, err)
		}
		out[i] = wire.Obj("id", float64(event.ID), "taskId", event.TaskID,
			"createdAt", event.CreatedAt.UTC().Format("2006-01-02T15:04:05.000Z"), "type", string(event.Type), "body", body)
	}
	return wire.Obj("events", out), nil
}
