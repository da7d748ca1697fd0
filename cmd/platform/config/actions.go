package config

import "regexp"

// Actions are backend.actions and mcpActions: what programs that choose for
// themselves can do here.
type Actions struct {
	// Sources are backend.actions.pluginSources; nil: all plugins.
	Sources []string
	// Filter is backend.actions.filter.
	Filter ActionFilter
	// Default is the MCP server that has all actions, and Servers are those of
	// mcpActions.servers, in the order of the files.
	Default MCPServer
	Servers []MCPServer
	// PlainToolNames is the inverse of mcpActions.namespacedToolNames.
	PlainToolNames bool
	// SimpleToolNames is mcpActions.simpleToolNames, which is ours.
	SimpleToolNames bool
}

// ActionFilter chooses actions.
type ActionFilter struct{ Include, Exclude []ActionRule }

// ActionRule matches actions by their id and by what they say of themselves;
// empty and nil mean any.
type ActionRule struct {
	ID                                string
	ReadOnly, Idempotent, Destructive *bool
}

// MCPServer is a server that clients of MCP can connect to.
type MCPServer struct {
	Key                             string // below /v1; "" for the default
	Name, Description, Instructions string
	Filter                          ActionFilter
}

var serverKey = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

func (r *reader) actions(c *Config) Actions {
	mcp := c.At("mcpActions")
	a := Actions{
		Sources: r.list(c.At("backend.actions.pluginSources")), Filter: r.actionFilter(c.At("backend.actions.filter")),
		Default:        r.mcpServer("", mcp),
		PlainToolNames: !r.boolean(mcp.At("namespacedToolNames"), true), SimpleToolNames: r.boolean(mcp.At("simpleToolNames"), false),
	}
	a.Default.Name = r.text(mcp.At("name"), "backstage")
	servers := mcp.At("servers")
	for _, key := range servers.Keys() {
		v := servers.Child(key)
		if !serverKey.MatchString(key) {
			r.fault(v.Fault("the key of an MCP server has lower-case letters, digits and hyphens, and does not start with a hyphen"))
			continue
		}
		s := r.mcpServer(key, v)
		s.Name = r.required(v.At("name"))
		s.Filter = r.actionFilter(v.At("filter"))
		a.Servers = append(a.Servers, s)
	}
	return a
}

func (r *reader) mcpServer(key string, v Value) MCPServer {
	return MCPServer{Key: key, Description: r.text(v.At("description"), ""), Instructions: r.text(v.At("instructions"), "")}
}

// actionFilter reads a filter. A rule that loses what it is about would be one
// about all actions.
func (r *reader) actionFilter(v Value) ActionFilter {
	r.complete(v)
	return ActionFilter{Include: r.actionRules(v.At("include")), Exclude: r.actionRules(v.At("exclude"))}
}

func (r *reader) actionRules(v Value) (out []ActionRule) {
	for item := range r.items(v) {
		attributes := item.At("attributes")
		out = append(out, ActionRule{ID: r.text(item.At("id"), ""), ReadOnly: r.either(attributes.At("readOnly")),
			Idempotent: r.either(attributes.At("idempotent")), Destructive: r.either(attributes.At("destructive"))})
	}
	return out
}

// either reads a boolean that may be left out.
func (r *reader) either(v Value) *bool {
	if !v.Exists() {
		return nil
	}
	b := r.boolean(v, false)
	return &b
}
