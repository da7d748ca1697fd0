// Package mcpactions offers the actions of package actions to programs that
// speak MCP, the Model Context Protocol: editors and assistants.
//
// It owns the servers below /api/mcp-actions/v1, the names and hints under
// which actions are tools, the form of results and errors, the check of where
// browsers come from, and the audit lines and metrics of all this. The protocol
// is spoken by the Go SDK of MCP. What tools do, who sees them and what limits
// they have is the business of package actions.
//
// A server keeps no sessions: every POST is answered by itself, with the tools
// that there are for whoever sent it. Servers send nothing that was not asked
// for, so GET and DELETE are refused.
//
// Invariants: no request is answered without a credential, nor one that a page
// of an origin that is not allowed has sent; what a caller may not see is no
// tool; what goes wrong in a tool is a result that says so, and what only the
// log may know of is an id there. A Service is safe for concurrent use.
package mcpactions
