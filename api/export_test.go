package api

import (
	"strings"

	"github.com/greenroom-idp/greenroom/api/wire"
)

// LoggedURL returns what of a URL is written to the log.
func LoggedURL(uri string) string { return wire.LoggedURL(uri) }

// AuditRules returns method and path of what is audited.
func (s *Server) AuditRules() (out []string) {
	for plugin, rules := range s.audits {
		for route := range rules {
			method, path, _ := strings.Cut(route, " ")
			out = append(out, method+" /api/"+plugin+path)
		}
	}
	return out
}
