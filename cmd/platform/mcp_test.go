package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/require"
)

// bearerOf adds a token to requests.
type bearerOf string

func (b bearerOf) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// An assistant is a client of MCP, which is that of the SDK, with what it has
// called.
type assistant struct {
	*instance
	session *mcp.ClientSession
	called  []string
	outputs map[string]*jsonschema.Schema // by id of the action
}

// assist connects to the MCP server at a path as the owner of a token.
func (i *instance) assist(path, token string) *assistant {
	i.t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(i.t.Context(), &mcp.StreamableClientTransport{Endpoint: i.base + "/api/mcp-actions" + path,
		HTTPClient: &http.Client{Transport: bearerOf(token)}, DisableStandaloneSSE: true}, nil)
	require.NoError(i.t, err)
	i.t.Cleanup(func() { _ = session.Close() })
	return &assistant{instance: i, session: session, outputs: i.outputSchemas()}
}

// outputSchemas are what the plugins promise of the output of their actions.
func (i *instance) outputSchemas() map[string]*jsonschema.Schema {
	i.t.Helper()
	out := map[string]*jsonschema.Schema{}
	for _, plugin := range []string{"auth", "catalog", "scaffolder"} {
		status, list := i.send(http.MethodGet, "/api/"+plugin+"/.backstage/actions/v1/actions", nil)
		require.Equal(i.t, 200, status, list)
		for _, a := range list["actions"].([]any) {
			action := a.(map[string]any)
			text, err := json.Marshal(action["schema"].(map[string]any)["output"])
			require.NoError(i.t, err)
			id := action["id"].(string)
			schema, err := jsonschema.CompileString(id, string(text))
			require.NoError(i.t, err)
			out[id] = schema
		}
	}
	return out
}

func (a *assistant) tools() (names []string) {
	a.t.Helper()
	res, err := a.session.ListTools(a.t.Context(), nil)
	require.NoError(a.t, err)
	for _, tool := range res.Tools {
		names = append(names, tool.Name)
	}
	return names
}

// call calls a tool, and returns what it says: its output, which fits the
// schema, or its error.
func (a *assistant) call(tool, arguments string) (output map[string]any, fault string) {
	a.t.Helper()
	a.called = append(a.called, tool)
	res, err := a.session.CallTool(a.t.Context(), &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
	require.NoError(a.t, err)
	require.Len(a.t, res.Content, 1)
	text := res.Content[0].(*mcp.TextContent).Text
	if res.IsError {
		return nil, text
	}
	require.NoError(a.t, json.Unmarshal([]byte(text), &output))
	schema := a.outputs[strings.Replace(tool, ".", ":", 1)]
	require.NotNil(a.t, schema, "%s is an action, too", tool)
	require.NoError(a.t, schema.Validate(map[string]any(output)), "%s: %s", tool, text)
	return output, ""
}

// must calls a tool that works.
func (a *assistant) must(tool, arguments string) map[string]any {
	a.t.Helper()
	output, fault := a.call(tool, arguments)
	require.Empty(a.t, fault, tool)
	return output
}

// refused calls a tool that does not work.
func (a *assistant) refused(tool, arguments, says string) {
	a.t.Helper()
	output, fault := a.call(tool, arguments)
	require.Nil(a.t, output, tool)
	require.Contains(a.t, fault, says, tool)
}

const guestProvider = `
auth: {providers: {guest: {dangerouslyAllowOutsideDevelopment: true, userEntityRef: 'user:default/jane'}}}
`

// sampleYAML is the sample template as templateConfig serves it.
func sampleYAML() string {
	return strings.Replace(sampleTemplate, "${{ parameters.wait }}", "'${{ parameters.wait }}'", 1)
}

// mcpConfig has the sample template, the shop, and a repository whose
// descriptor can be registered at the URL.
func mcpConfig(t *testing.T, more string) (configuration, descriptor string) {
	t.Helper()
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, component("remote", "from afar"))
	}))
	t.Cleanup(host.Close)
	shop := writeFile(t, t.TempDir(), "shop.yaml", shopDescriptors)
	template := templateConfig(t, more)
	return strings.Replace(template, "locations: [", "locations: [{type: file, target: '"+shop+"'}, ", 1), host.URL + "/catalog-info.yaml"
}

func (i *instance) awaitShop() {
	i.t.Helper()
	for _, ref := range []string{"component/default/cart", "component/default/booking", "user/default/jane", "group/default/shop", "template/default/service"} {
		i.until(ref, served)
	}
}

func TestAnMCPClientCallsEveryTool(t *testing.T) {
	configuration, descriptor := mcpConfig(t, guestProvider)
	i := boot(t, configuration, "--data", t.TempDir())
	i.awaitShop()
	a := i.assist("/v1", i.guestToken())

	me := a.must("auth.who-am-i", `{}`)
	require.Equal(t, "jane", me["entity"].(map[string]any)["metadata"].(map[string]any)["name"])
	require.Contains(t, me["userInfo"].(map[string]any)["ownershipEntityRefs"], "group:default/shop")

	// The catalog.
	require.Contains(t, a.must("catalog.get-catalog-model-description", `{}`)["description"], "| Component |")
	cart := a.must("catalog.get-catalog-entity", `{"name":"cart"}`)
	require.Equal(t, "production", cart["spec"].(map[string]any)["lifecycle"])
	require.Equal(t, cart, a.must("catalog.get-catalog-entity", `{"name":"component:default/cart"}`))
	a.refused("catalog.get-catalog-entity", `{"name":"nothing"}`, `InputError: No entity found with name "nothing"`)
	a.refused("catalog.get-catalog-entity", `{"kind":"Component"}`, "InputError: Invalid input")
	page := a.must("catalog.query-catalog-entities", `{"query":{"kind":"Component"},"limit":1,"orderFields":{"field":"metadata.name","order":"asc"},"fields":["metadata.name"]}`)
	require.Equal(t, map[string]any{"items": []any{map[string]any{"metadata": map[string]any{"name": "booking"}}},
		"totalItems": 2.0, "hasMoreEntities": true, "nextPageCursor": page["nextPageCursor"]}, page)
	page = a.must("catalog.query-catalog-entities", fmt.Sprintf(`{"cursor":%q,"limit":100000}`, page["nextPageCursor"]))
	require.Len(t, page["items"], 1)
	require.Equal(t, false, page["hasMoreEntities"])
	a.refused("catalog.query-catalog-entities", `{"query":{"$any":"thing"}}`, "InputError")
	found := a.must("catalog.query-catalog-entities", `{"query":{"relations.ownedBy":"group:default/shop"},"fullTextFilter":{"term":"car","fields":["metadata.name"]}}`)
	require.Equal(t, 1.0, found["totalItems"])

	fine := a.must("catalog.validate-entity", asJSON(t, map[string]string{"entity": component("new", "x"), "location": descriptor}))
	require.Equal(t, true, fine["isValid"], fine["errors"])
	wrong := a.must("catalog.validate-entity", asJSON(t, map[string]string{"entity": "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a b}\nspec: {}"}))
	require.Equal(t, false, wrong["isValid"])
	require.Equal(t, true, wrong["isValidYaml"])
	require.NotEmpty(t, wrong["errors"])
	require.Equal(t, false, a.must("catalog.validate-entity", `{"entity":"a: [b"}`)["isValidYaml"])

	location := a.must("catalog.register-entity", asJSON(t, map[string]string{"locationUrl": descriptor}))["locationId"].(string)
	a.refused("catalog.register-entity", asJSON(t, map[string]string{"locationUrl": descriptor}), "ConflictError")
	a.refused("catalog.register-entity", `{"locationUrl":"somewhere"}`, "somewhere is an invalid URL")
	i.until("component/default/remote", served)
	require.Equal(t, map[string]any{"entityRef": "component:default/remote"}, a.must("catalog.refresh-catalog-entity", `{"name":"remote","kind":"component"}`))
	a.must("catalog.unregister-entity", asJSON(t, map[string]any{"type": map[string]string{"locationId": location}}))
	i.until("component/default/remote", func(status int, _ map[string]any) bool { return status == 404 })
	a.refused("catalog.unregister-entity", asJSON(t, map[string]any{"type": map[string]string{"locationUrl": descriptor}}), "NotFoundError: Location with URL")
	a.must("catalog.register-entity", asJSON(t, map[string]string{"locationUrl": descriptor}))
	a.must("catalog.unregister-entity", asJSON(t, map[string]any{"type": map[string]string{"locationUrl": strings.ToUpper(descriptor)}}))
	a.refused("catalog.unregister-entity", `{"type":{}}`, "InputError")

	// The scaffolder.
	require.Equal(t, map[string]any{"totalTemplates": 1.0, "templates": []any{map[string]any{"templateRef": "template:default/service",
		"title": "A service", "type": "service", "owner": "team-a"}}}, a.must("scaffolder.list-scaffolder-templates", `{"text":"serv"}`))
	require.Equal(t, 0.0, a.must("scaffolder.list-scaffolder-templates", `{"text":"nothing like it"}`)["totalTemplates"])
	actions := asJSON(t, a.must("scaffolder.list-scaffolder-actions", `{}`)["actions"])
	require.Contains(t, actions, `"fetch:template"`)
	dry := a.must("scaffolder.dry-run-template", asJSON(t, map[string]any{"templateYaml": sampleYAML(),
		"values": map[string]any{"name": "my-svc", "wait": 1}, "files": []any{map[string]string{"path": "skeleton/a.txt", "content": "hello ${{ values.name }}"}}}))
	require.Equal(t, true, dry["valid"], dry)
	require.Contains(t, dry["output"].(map[string]any)["files"], "a.txt")
	require.Len(t, dry["steps"], 4)
	require.Equal(t, false, a.must("scaffolder.dry-run-template", `{"templateYaml":"a: [b"}`)["valid"])
	a.refused("scaffolder.dry-run-template", asJSON(t, map[string]any{"templateYaml": sampleYAML(), "values": map[string]any{"name": "NO"}}), "InputError: The values do not fit the template: ")
	a.refused("scaffolder.dry-run-template", `{"templateYaml":"kind: Component"}`, "Input template is not a template")

	a.refused("scaffolder.execute-template", `{"templateRef":"service","values":{"name":"NO"}}`, "InputError: The values do not fit the template: ")
	a.refused("scaffolder.execute-template", `{"templateRef":"nothing","values":{}}`, "NotFoundError: Template template:default/nothing not found")
	task := a.must("scaffolder.execute-template", `{"templateRef":"template:default/service","values":{"name":"my-svc","wait":1}}`)["taskId"].(string)
	events := a.follow(task)
	require.Equal(t, "completion", events[len(events)-1]["type"])
	require.Equal(t, "Run completed with status: completed", events[len(events)-1]["body"].(map[string]any)["message"])
	a.refused("scaffolder.get-scaffolder-task-logs", `{"taskId":"nothing"}`, "NotFoundError: No task with id 'nothing' found")
	mine := a.must("scaffolder.list-scaffolder-tasks", `{"owned":true,"status":["completed","failed"]}`)
	require.Equal(t, 1.0, mine["totalTasks"])
	require.Equal(t, task, mine["tasks"].([]any)[0].(map[string]any)["id"])
	require.Equal(t, 0.0, a.must("scaffolder.list-scaffolder-tasks", `{"status":"open"}`)["totalTasks"])

	// What it did is in the audit log as what it is, not only as calls of tools.
	for _, want := range []string{"mcp-actions.tool-execution", "scaffolder.task", "catalog.location-mutate", "catalog.entity-mutate"} {
		found, _ := i.log.find(func(line map[string]any) bool {
			actor, _ := line["actor"].(map[string]any)
			return line["message"] == want && line["status"] == "succeeded" && actor["actorId"] == "user:default/jane"
		})
		require.NotEmpty(t, found, want)
	}

	called := slices.Compact(slices.Sorted(slices.Values(a.called)))
	require.Equal(t, called, slices.Sorted(slices.Values(a.tools())), "every tool has been called")
	require.Len(t, called, 14)
}

// follow reads the log of a task, piece by piece, until it has ended.
func (a *assistant) follow(task string) (events []map[string]any) {
	a.t.Helper()
	after := 0.0
	for deadline := time.Now().Add(patience); ; {
		for _, e := range a.must("scaffolder.get-scaffolder-task-logs", fmt.Sprintf(`{"taskId":%q,"after":%v}`, task, after))["events"].([]any) {
			event := e.(map[string]any)
			events, after = append(events, event), event["id"].(float64)
			if event["type"] == "completion" {
				return events
			}
		}
		require.True(a.t, time.Now().Before(deadline), "the task did not end: %v", events)
		time.Sleep(2 * time.Millisecond) // between two questions, not instead of one
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// What a user without permissions gets from each tool.
func TestAUserWithoutPermissionIsRefusedEachTool(t *testing.T) {
	configuration, descriptor := mcpConfig(t, guestProvider+"permission: {enabled: true, policy: {default: deny, rules: [{allow: 'catalog.location.read'}]}}\n")
	i := boot(t, configuration, "--data", t.TempDir())
	i.awaitShop()
	status, created := i.send(http.MethodPost, "/api/catalog/locations", map[string]string{"type": "url", "target": descriptor})
	require.Equal(t, 201, status, created)
	location := created["location"].(map[string]any)["id"].(string)
	i.until("component/default/remote", served)
	status, made := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{"templateRef": "service", "values": map[string]any{"name": "my-svc", "wait": 1}})
	require.Equal(t, 201, status, made)

	a := i.assist("/v1", i.guestToken())
	a.refused("catalog.get-catalog-entity", `{"name":"cart"}`, `No entity found with name "cart"`)
	require.Equal(t, 0.0, a.must("catalog.query-catalog-entities", `{}`)["totalItems"])
	a.refused("catalog.validate-entity", asJSON(t, map[string]string{"entity": component("new", "x")}), "NotAllowedError: The permission catalog.entity.validate is needed")
	a.refused("catalog.register-entity", asJSON(t, map[string]string{"locationUrl": descriptor}), "NotAllowedError: The permission catalog.location.create is needed")
	for _, which := range []map[string]string{{"locationId": location}, {"locationUrl": descriptor}} {
		a.refused("catalog.unregister-entity", asJSON(t, map[string]any{"type": which}), "NotAllowedError: The permission catalog.location.delete is needed")
	}
	a.refused("catalog.refresh-catalog-entity", `{"name":"cart"}`, `No entity found with name "cart"`)
	require.Equal(t, 0.0, a.must("scaffolder.list-scaffolder-templates", `{}`)["totalTemplates"])
	a.refused("scaffolder.list-scaffolder-tasks", `{}`, "NotAllowedError: A permission is needed: scaffolder.task.read")
	a.refused("scaffolder.dry-run-template", asJSON(t, map[string]any{"templateYaml": sampleYAML()}), `NotFoundError: Action "scaffolder.dry-run-template" not found`)
	a.refused("scaffolder.execute-template", `{"templateRef":"service","values":{"name":"x","wait":1}}`, "NotAllowedError: A permission is needed: scaffolder.task.create")
	a.refused("scaffolder.get-scaffolder-task-logs", asJSON(t, map[string]any{"taskId": made["id"]}), "NotAllowedError: A permission is needed: scaffolder.task.read")

	free := []string{
		"auth.who-am-i",                         // says nothing of others
		"catalog.get-catalog-model-description", // the same everywhere
		"scaffolder.list-scaffolder-actions",    // as its route, open to whoever is signed in
	}
	for _, tool := range a.tools() {
		require.True(t, slices.Contains(a.called, tool) || slices.Contains(free, tool), "%s is not in the test", tool)
	}
	i.until("component/default/remote", served)
}

// Between nothing and everything: what is whose, decides.
func TestOwnershipDecidesForTools(t *testing.T) {
	configuration, _ := mcpConfig(t, guestProvider+`
permission:
  enabled: true
  policy:
    default: deny
    rules:
      - {allow: [catalog.entity.read], kind: [Component, Template, User]}
      - {allow: [catalog.entity.refresh, 'scaffolder.task.*'], owner: caller}
      - {allow: [scaffolder.task.create, 'scaffolder.template.*', scaffolder.action.execute]}
`)
	i := boot(t, configuration, "--data", t.TempDir())
	i.awaitShop()
	status, others := i.send(http.MethodPost, "/api/scaffolder/v2/tasks", map[string]any{"templateRef": "service", "values": map[string]any{"name": "my-svc", "wait": 1}})
	require.Equal(t, 201, status, others)

	a := i.assist("/v1", i.guestToken())
	require.Equal(t, map[string]any{"entityRef": "component:default/cart"}, a.must("catalog.refresh-catalog-entity", `{"name":"cart"}`))
	a.refused("catalog.refresh-catalog-entity", `{"name":"booking"}`, "NotAllowedError: The permission catalog.entity.refresh is needed")
	a.refused("catalog.get-catalog-entity", `{"name":"shop"}`, "No entity found")
	require.Equal(t, 0.0, a.must("scaffolder.list-scaffolder-tasks", `{}`)["totalTasks"])
	a.refused("scaffolder.get-scaffolder-task-logs", asJSON(t, map[string]any{"taskId": others["id"]}), "NotAllowedError")
	require.Contains(t, a.tools(), "scaffolder.dry-run-template")
	task := a.must("scaffolder.execute-template", `{"templateRef":"service","values":{"name":"my-svc","wait":1}}`)["taskId"].(string)
	a.follow(task)
	require.Equal(t, 1.0, a.must("scaffolder.list-scaffolder-tasks", `{}`)["totalTasks"])
}

// Programs with a static token do what its restrictions leave them.
func TestServiceTokensAndTools(t *testing.T) {
	const narrow, bare, elsewhere = "a-token-for-reading-entities", "a-token-for-nothing-at-all", "a-token-for-another-plugin"
	configuration, descriptor := mcpConfig(t, guestProvider+`
mcpActions:
  name: bikes
  instructions: Ask before you delete.
  servers:
    read: {name: Bikes to read, filter: {exclude: [{attributes: {readOnly: false}}]}}
`)
	configuration = strings.Replace(configuration, "subject: tests}}\n", `subject: tests}}
      - type: static
        options: {token: `+narrow+`, subject: reader}
        accessRestrictions: [{plugin: mcp-actions}, {plugin: catalog, permission: catalog.entity.read}]
      - type: static
        options: {token: `+bare+`, subject: bare}
        accessRestrictions: [{plugin: mcp-actions}, {plugin: catalog, permission: none}, {plugin: scaffolder, permission: none}]
      - type: static
        options: {token: `+elsewhere+`, subject: elsewhere}
        accessRestrictions: [{plugin: catalog}]
`, 1)
	i := boot(t, configuration, "--data", t.TempDir())
	i.awaitShop()
	full := i.assist("/v1", testToken)
	require.Equal(t, "bikes", full.session.InitializeResult().ServerInfo.Name)
	require.Equal(t, "Ask before you delete.", full.session.InitializeResult().Instructions)
	full.refused("auth.who-am-i", `{}`, "NotAllowedError: This action requires user credentials")
	full.refused("scaffolder.list-scaffolder-tasks", `{"owned":true}`, "NotAllowedError: Filtering by owned tasks requires a user identity.")
	require.Equal(t, 2.0, full.must("catalog.query-catalog-entities", `{"query":{"kind":"component"}}`)["totalItems"])

	reader := i.assist("/v1", narrow)
	for _, tool := range reader.tools() {
		require.True(t, strings.HasPrefix(tool, "catalog."), tool)
	}
	reader.must("catalog.get-catalog-entity", `{"name":"cart"}`)
	reader.refused("catalog.register-entity", asJSON(t, map[string]string{"locationUrl": descriptor}), "NotAllowedError")
	reader.refused("catalog.refresh-catalog-entity", `{"name":"cart"}`, "NotAllowedError: The permission catalog.entity.refresh is needed")
	reader.refused("scaffolder.list-scaffolder-tasks", `{}`, "NotFoundError")

	task := full.must("scaffolder.execute-template", `{"templateRef":"service","values":{"name":"my-svc","wait":1}}`)["taskId"]
	nothing := i.assist("/v1", bare)
	for tool, arguments := range map[string]string{
		"auth.who-am-i": `{}`, "catalog.get-catalog-entity": `{"name":"cart"}`, "catalog.validate-entity": `{"entity":"kind: Component"}`,
		"catalog.register-entity": asJSON(t, map[string]string{"locationUrl": descriptor}), "catalog.unregister-entity": `{"type":{"locationId":"x"}}`,
		"catalog.refresh-catalog-entity": `{"name":"cart"}`, "scaffolder.list-scaffolder-tasks": `{}`,
		"scaffolder.dry-run-template":         asJSON(t, map[string]any{"templateYaml": sampleYAML()}),
		"scaffolder.execute-template":         `{"templateRef":"service","values":{"name":"x","wait":1}}`,
		"scaffolder.get-scaffolder-task-logs": asJSON(t, map[string]any{"taskId": task}),
	} {
		_, fault := nothing.call(tool, arguments)
		require.Regexp(t, `^(NotAllowedError: |NotFoundError: Action ".*" not found|InputError: No entity found)`, fault, tool)
	}
	require.Equal(t, 0.0, nothing.must("catalog.query-catalog-entities", `{}`)["totalItems"])
	require.Equal(t, 0.0, nothing.must("scaffolder.list-scaffolder-templates", `{}`)["totalTemplates"])
	for _, tool := range nothing.tools() { // two say only what is the same for all
		require.True(t, slices.Contains(nothing.called, tool) ||
			slices.Contains([]string{"catalog.get-catalog-model-description", "scaffolder.list-scaffolder-actions"}, tool), "%s is not in the test", tool)
	}
	res, text := i.fetch("POST", "/api/mcp-actions/v1", elsewhere, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	require.Equal(t, 403, res.StatusCode, text)

	some := i.assist("/v1/read", testToken)
	require.Equal(t, "Bikes to read", some.session.InitializeResult().ServerInfo.Name)
	require.Contains(t, some.tools(), "catalog.get-catalog-entity")
	require.NotContains(t, some.tools(), "scaffolder.execute-template")

	res, text = i.fetch("POST", "/api/mcp-actions/v1", "", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	require.Equal(t, 401, res.StatusCode, text)
}

// The configuration that docs/mcp.md shows does what the page says, and the
// page has all tools.
func TestTheDocumentationOfTools(t *testing.T) {
	t.Setenv("MCP_TOKEN", "a-token-of-the-documentation")
	documented, err := filepath.Abs("../../testdata/configs/mcp.yaml")
	require.NoError(t, err)
	configuration, _ := mcpConfig(t, guestProvider+"app: {baseUrl: 'http://localhost:7007'}\n")
	first := writeFile(t, t.TempDir(), "app-config.yaml", configuration)
	i := bootArgs(t, "--config", first, "--config", documented, "--data", t.TempDir())
	i.token = i.guestToken()
	i.awaitShop()

	page, err := os.ReadFile("../../docs/mcp.md")
	require.NoError(t, err)
	var inPage []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+\\.[a-z-]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		inPage = append(inPage, m[1])
	}
	all := i.assist("/v1", i.token)
	require.ElementsMatch(t, all.tools(), inPage)
	require.Equal(t, "Fernweh Bikes", all.session.InitializeResult().ServerInfo.Name)

	read := i.assist("/v1/read", i.token)
	require.Contains(t, read.tools(), "catalog.get-catalog-entity")
	for _, tool := range []string{"catalog.register-entity", "catalog.unregister-entity", "catalog.refresh-catalog-entity", "scaffolder.execute-template"} {
		require.NotContains(t, read.tools(), tool)
		require.Contains(t, all.tools(), tool)
	}
	program := i.assist("/v1", "a-token-of-the-documentation")
	program.must("catalog.get-catalog-entity", `{"name":"cart"}`)
	program.refused("catalog.unregister-entity", `{"type":{"locationId":"x"}}`, "NotAllowedError")
	require.NotContains(t, program.tools(), "scaffolder.execute-template")
	_, discovery := i.send("GET", "/api/auth/.well-known/openid-configuration", nil)
	require.Contains(t, discovery, "registration_endpoint")
	require.Equal(t, true, discovery["client_id_metadata_document_supported"])
}
