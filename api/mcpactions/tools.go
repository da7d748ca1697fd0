package mcpactions

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A visit is one request to one server.
type visit struct {
	*Service
	server  *Server
	request *http.Request
	caller  actions.Caller
	tools   map[string]string // id of the action by the name of the tool
	others  map[string]string // name of the tool by its other spelling
	needs   func(name string) bool
}

// build makes the server that answers the visit: it has those of the tools that
// there are for the caller which the visit is about.
func (v *visit) build() (*mcp.Server, error) {
	list, err := v.o.Actions.For(v.request.Context(), v.caller.Principal)
	if err != nil {
		return nil, err
	}
	server := mcp.NewServer(
		&mcp.Implementation{Name: v.server.Name, Description: v.server.Description, Version: v.o.Version},
		&mcp.ServerOptions{Instructions: v.server.Instructions, Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}}},
	)
	v.tools, v.others = map[string]string{}, map[string]string{}
	for _, a := range list {
		if !v.server.Filter.Takes(a) {
			continue
		}
		name := v.nameOf(a)
		if !v.needs(v.fullName(a)) {
			continue
		}
		if _, taken := v.tools[name]; taken {
			v.o.Log.Warn("two actions have the same name as tools, and one of them is left out",
				slog.String("tool", name), slog.String("action", a.ID()))
			continue
		}
		v.tools[name], v.others[simpleName(name)], v.others[v.fullName(a)] = a.ID(), name, name
		server.AddTool(toolOf(name, a), v.call)
	}
	server.AddReceivingMiddleware(v.around)
	return server, nil
}

func (v *visit) nameOf(a *actions.Action) string {
	if v.o.SimpleNames {
		return simpleName(v.fullName(a))
	}
	return v.fullName(a)
}

func (v *visit) fullName(a *actions.Action) string {
	if v.o.PlainNames {
		return a.Name
	}
	return a.Plugin + "." + a.Name
}

var notSimple = regexp.MustCompile(`[^a-zA-Z0-9_]+`)

// simpleName is how clients spell a name whose models take none with dots and
// hyphens.
func simpleName(name string) string { return strings.ToLower(notSimple.ReplaceAllString(name, "_")) }

func toolOf(name string, a *actions.Action) *mcp.Tool {
	no, destructive := false, a.Destructive
	return &mcp.Tool{
		Name: name, Description: a.Description, InputSchema: json.RawMessage(jsonvalue.Append(nil, a.Input)),
		Annotations: &mcp.ToolAnnotations{Title: a.Title, DestructiveHint: &destructive, IdempotentHint: a.Idempotent,
			ReadOnlyHint: a.ReadOnly, OpenWorldHint: &no},
	}
}

// around finds tools by the other spelling of their names, makes a call of one
// that is not there a result instead of an error of the protocol, and takes
// note of lists.
func (v *visit) around(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		switch params := req.GetParams().(type) {
		case *mcp.ListToolsParams:
			start, event := time.Now(), v.begin("tool-discovery", audit.Low)
			res, err := next(ctx, method, req)
			event.End(v.request.Context(), err)
			v.count(method, "", start, err)
			return res, err
		case *mcp.CallToolParamsRaw:
			if other := v.others[params.Name]; other != "" && v.tools[params.Name] == "" {
				params.Name = other
			}
			if v.tools[params.Name] == "" {
				return v.note(params.Name, func() (*mcp.CallToolResult, error) {
					return nil, wire.NotFound(`Action "` + params.Name + `" not found`)
				}), nil
			}
		}
		return next(ctx, method, req)
	}
}

// call answers for a tool. What goes wrong is a result, too.
func (v *visit) call(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return v.note(req.Params.Name, func() (*mcp.CallToolResult, error) { return v.invoke(ctx, req.Params) }), nil
}

// note does what a tool does, and takes note of it.
func (v *visit) note(tool string, do func() (*mcp.CallToolResult, error)) *mcp.CallToolResult {
	start, event := time.Now(), v.begin("tool-execution", audit.Medium, slog.String("toolName", tool[:min(len(tool), maxNoted)]))
	res, err := do()
	event.End(v.request.Context(), err)
	v.count("tools/call", tool, start, err)
	if err != nil {
		return v.failure(err)
	}
	return res
}

// invoke runs the action of a tool. It ends with the call, or with the request
// that it came in.
func (v *visit) invoke(ctx context.Context, params *mcp.CallToolParamsRaw) (*mcp.CallToolResult, error) {
	var input any = jsonvalue.NewObject()
	if args := params.Arguments; len(args) > 0 && string(args) != "null" {
		var err error
		if input, err = jsonvalue.Parse(args); err != nil {
			return nil, wire.InputError("The arguments are not JSON: " + err.Error())
		}
	}
	within, cancel := context.WithCancel(v.request.Context())
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	output, err := v.o.Actions.Invoke(within, v.caller, v.tools[params.Name], input)
	if err != nil {
		return nil, err
	}
	return &mcp.CallToolResult{
		Content:           []mcp.Content{&mcp.TextContent{Text: string(output)}},
		StructuredContent: json.RawMessage(output),
	}, nil
}

// callersFault are the names of errors that callers are told as they are.
var callersFault = []string{catalog.NameInput, catalog.NameNotAllowed, catalog.NameNotFound, catalog.NameConflict, catalog.NameUnavailable,
	wire.NameAuthentication, wire.NameNotImplemented}

// failure is the result of a tool that did not do what it was to do.
func (v *visit) failure(err error) *mcp.CallToolResult {
	var named *catalog.Error
	text := ""
	if errors.As(err, &named) && slices.Contains(callersFault, named.Name) {
		message := catalog.ErrorObject(named).String("message")
		if message == "" {
			message = "a permission that this needs is not given to you"
		}
		text = named.Name + ": " + message
	} else {
		id := rand.Text()
		v.failed("tool failed", err, slog.String("log_id", id))
		text = "Error: An internal error occurred logId=" + id
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}, IsError: true}
}

func (v *visit) failed(message string, err error, attrs ...slog.Attr) {
	v.o.Log.LogAttrs(v.request.Context(), slog.LevelError, message, append(attrs, slog.String("error", err.Error()))...)
}

// maxNoted is how much of the name of a tool is logged: clients choose it.
const maxNoted = 200

// begin writes to the audit log that something begins.
func (v *visit) begin(id string, severity audit.Severity, meta ...slog.Attr) *audit.Event {
	r := v.request
	host, _, found := strings.Cut(r.Host, ":")
	if !found {
		host = r.Host
	}
	e := v.o.Auditor.Event(audit.Kind{Plugin: "mcp-actions", ID: id, Severity: severity},
		audit.Actor{ID: v.caller.Subject, Hostname: host, UserAgent: r.UserAgent()},
		&audit.Request{Method: r.Method, URL: wire.LoggedURL(r.URL.RequestURI())}, append(meta, slog.String("server", v.server.Name))...)
	e.Begin(r.Context())
	return e
}

// count tells the metrics how something ended.
func (v *visit) count(method, tool string, start time.Time, err error) {
	fault := ""
	if err != nil {
		fault = "tool_error"
	}
	if v.tools[tool] == "" {
		tool = "" // nothing that clients make up
	}
	v.took.WithLabelValues(method, tool, fault).Observe(time.Since(start).Seconds())
}
