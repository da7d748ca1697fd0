package api

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth/oauthserver"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// mcpRoutes are those of the servers of MCP. They write their answers
// themselves: the protocol has forms of its own.
func (s *Server) mcpRoutes(e *gin.Engine) {
	m := s.portal.MCP
	for key, path := range m.Paths() {
		path = "/api/mcp-actions" + path
		e.POST(path, s.mcpAdmit, m.Serve(key))
		e.GET(path, m.Refuse)
		e.DELETE(path, m.Refuse)
	}
	if s.portal.OAuth == nil { // clients ask, and would take the portal's page for an answer
		for _, path := range []string{"/.well-known/oauth-authorization-server", oauthserver.ResourcePrefix} {
			e.GET(path, nothing)
			e.GET(path+"/*path", nothing)
		}
	}
}

func nothing(c *gin.Context) { c.Status(http.StatusNotFound) }

func (s *Server) mcpAdmit(c *gin.Context) {
	if err := s.portal.MCP.Admit(c); err != nil {
		s.challenge(c, err)
		s.refuse(c, err)
	}
}

// oauthRoutes are those by which programs get tokens from users.
func (s *Server) oauthRoutes(e *gin.Engine) {
	o, auth, root := s.portal.OAuth, group{s, e.Group("/api/auth")}, group{s, e.Group("")}
	auth.get("/.well-known/openid-configuration", o.Metadata)
	auth.get(oauthserver.CLIPath, o.CLI)
	auth.get("/v1/authorize", o.Authorize)
	auth.get("/v1/sessions/:id", o.Session)
	auth.post("/v1/sessions/:id/approve", o.Approve)
	auth.post("/v1/sessions/:id/reject", o.Reject)
	auth.post("/v1/token", o.Token)
	auth.post("/v1/revoke", o.Revoke)
	if o.Registers() {
		auth.post("/v1/register", o.Register)
	}
	root.get("/.well-known/oauth-authorization-server", o.Metadata)
	root.get("/.well-known/oauth-authorization-server/api/auth", o.Metadata)
	root.get("/.well-known/openid-configuration/api/auth", o.Metadata)
	root.get(oauthserver.ResourcePrefix, o.Resource)
	root.get(oauthserver.ResourcePrefix+"/*path", o.Resource)
}

// challenge tells a client without a good token where it can get one.
func (s *Server) challenge(c *gin.Context, err error) {
	var named *catalog.Error
	if s.portal.OAuth == nil || !errors.As(err, &named) || named.Name != wire.NameAuthentication {
		return
	}
	if value := s.portal.OAuth.Challenge(c.Request.URL.Path); value != "" {
		c.Writer.Header().Set("WWW-Authenticate", value)
	}
}
