package api

import "github.com/gin-gonic/gin"

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
}

func (s *Server) mcpAdmit(c *gin.Context) {
	if err := s.portal.MCP.Admit(c); err != nil {
		s.refuse(c, err)
	}
}
