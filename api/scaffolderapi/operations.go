package scaffolderapi

import (
	"net/http"

	"github.com/greenroom-idp/greenroom/api/wire/operation"
)

// bodyLimit is the largest body, in bytes: the files of a dry-run come in one.
const bodyLimit = 10 << 20

var (
	textSchema    = &operation.Schema{Type: "string"}
	objectSchema  = &operation.Schema{Type: "object"}
	secretsSchema = &operation.Schema{Type: "object", Values: textSchema}
)

// The operations. They are not changed after start-up.
var (
	opSchema = &operation.Operation{Method: http.MethodGet, Path: "/v2/templates/{namespace}/{kind}/{name}/parameter-schema",
		ID: "GetTemplateParameterSchema", OK: 200, About: "Get the pages of parameters of a template."}
	opActions = &operation.Operation{Method: http.MethodGet, Path: "/v2/actions", ID: "ListActions", OK: 200,
		About: "List the actions that steps of templates can call."}
	opTasks = &operation.Operation{Method: http.MethodGet, Path: "/v2/tasks", ID: "ListTasks", OK: 200,
		About: "List tasks, the newest first if nothing else is said.",
		Query: []operation.Parameter{
			{Name: "createdBy", Kind: operation.List, About: "Entity refs of users, one of whom created the task."},
			{Name: "limit", Kind: operation.Count, About: "How many to return at most."},
			{Name: "offset", Kind: operation.Count, About: "How many to skip."},
			{Name: "order", Kind: operation.List, About: "asc:<field> or desc:<field>; fields are created_at, status and created_by."},
			{Name: "status", Kind: operation.List, About: "States, one of which the task has."}}}
	opCreate = &operation.Operation{Method: http.MethodPost, Path: "/v2/tasks", ID: "Scaffold", OK: 201, BodyRequired: true,
		BodyLimit: bodyLimit, About: "Run a template with these values.",
		Body: &operation.Schema{Type: "object", Required: []string{"templateRef", "values"}, Properties: []operation.Property{
			{Name: "templateRef", Schema: textSchema}, {Name: "values", Schema: objectSchema}, {Name: "secrets", Schema: secretsSchema}}}}
	opTask   = &operation.Operation{Method: http.MethodGet, Path: "/v2/tasks/{taskId}", ID: "GetTask", OK: 200, About: "Get a task."}
	opCancel = &operation.Operation{Method: http.MethodPost, Path: "/v2/tasks/{taskId}/cancel", ID: "CancelTask", OK: 200,
		About: "Make a task end."}
	opRetry = &operation.Operation{Method: http.MethodPost, Path: "/v2/tasks/{taskId}/retry", ID: "Retry", OK: 201,
		BodyLimit: bodyLimit, About: "Run a task that has ended once more.",
		Body: &operation.Schema{Type: "object", Properties: []operation.Property{{Name: "secrets", Schema: secretsSchema}}}}
	opEvents = &operation.Operation{Method: http.MethodGet, Path: "/v2/tasks/{taskId}/events", ID: "StreamLogsPolling", OK: 200,
		About: "Get the events of a task, waiting for some if there are none.",
		Query: []operation.Parameter{{Name: "after", Kind: operation.Integer, About: "The id of the last event that is known."}}}
	opDryRun = &operation.Operation{Method: http.MethodPost, Path: "/v2/dry-run", ID: "DryRun", OK: 200, BodyRequired: true,
		BodyLimit: bodyLimit, About: "Run a template without effects, and get what it would make.",
		Body: &operation.Schema{Type: "object", Required: []string{"template", "values", "directoryContents"}, Properties: []operation.Property{
			{Name: "template", Schema: objectSchema}, {Name: "values", Schema: objectSchema}, {Name: "secrets", Schema: secretsSchema},
			{Name: "directoryContents", Schema: &operation.Schema{Type: "array", Items: &operation.Schema{Type: "object",
				Properties: []operation.Property{{Name: "path", Schema: textSchema}, {Name: "base64Content", Schema: textSchema}}}}}}}}
	opAutocomplete = &operation.Operation{Method: http.MethodPost, Path: "/v2/autocomplete/{provider}/{resource}", ID: "Autocomplete",
		OK: 200, BodyRequired: true, About: "Get what a field of a form can be completed to.",
		Body: &operation.Schema{Type: "object", Required: []string{"context", "token"}, Properties: []operation.Property{
			{Name: "context", Schema: secretsSchema}, {Name: "token", Schema: textSchema}}}}
	opExtensions = &operation.Operation{Method: http.MethodGet, Path: "/v2/templating-extensions", ID: "ListTemplatingExtensions",
		OK: 200, About: "List what is added to the template language."}
)

// operations are all of them, in the order of the description.
func operations() []*operation.Operation {
	return []*operation.Operation{opSchema, opActions, opTasks, opCreate, opTask, opCancel, opRetry, opEvents, opDryRun,
		opAutocomplete, opExtensions}
}
