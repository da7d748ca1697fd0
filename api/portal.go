package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/app"
	"github.com/greenroom-idp/greenroom/api/auth/oauthserver"
	"github.com/greenroom-idp/greenroom/api/mcpactions"
	"github.com/greenroom-idp/greenroom/api/notifications"
	"github.com/greenroom-idp/greenroom/api/proxy"
	"github.com/greenroom-idp/greenroom/api/schedule"
	"github.com/greenroom-idp/greenroom/api/signals"
	"github.com/greenroom-idp/greenroom/api/usersettings"
)

// A Portal holds the small plugins of the portal. Each may be nil: then its
// routes are not there.
type Portal struct {
	// App serves the frontend; nil: Welcome is shown in its place.
	App           *app.Site
	Welcome       app.Welcome
	Notifications *notifications.Service
	Proxy         *proxy.Proxy
	Signals       *signals.Hub
	// Actions are offered below the plugins that have some.
	Actions *actions.Registry
	// MCP offers them to clients of MCP.
	MCP *mcpactions.Service
	// OAuth lets them get tokens from users.
	OAuth *oauthserver.Server
	// Tasks are shown below the plugins that have some.
	Tasks        *schedule.Scheduler
	UserSettings *usersettings.API
}

// home answers /, with the portal if there is one.
func (s *Server) home(c *gin.Context) {
	if s.portal.App != nil {
		s.portal.App.Serve(c, "/")
		return
	}
	w := s.portal.Welcome
	w.Ready = closed(s.ready) && !closed(s.leaving)
	c.Writer.Header().Set("Cache-Control", "no-store, max-age=0")
	c.Data(http.StatusOK, "text/html; charset=utf-8", w.Page())
}

// notFound answers what no route does: with the portal outside of /api, and
// with an empty 404 below it. Below auth, the first segment names a provider,
// and below proxy, a route of the configuration.
func (s *Server) notFound(c *gin.Context) {
	path := c.Request.URL.EscapedPath()
	plugin, rest := splitMount(path)
	switch provider := firstSegment(rest); {
	case strings.EqualFold(plugin, "auth") && provider != "":
		s.writeError(c, s.signIn.NotFound(provider))
	case s.portal.Proxy != nil && plugin == "proxy":
		if err := s.portal.Proxy.Serve(c, relativeURL(c.Request)); err != nil {
			s.writeError(c, err)
		}
	case s.portal.App != nil && plugin == "app":
		s.portal.App.Serve(c, rest)
	case s.portal.App != nil && !belowAPI(path):
		s.portal.App.Serve(c, path)
	default:
		c.Status(http.StatusNotFound)
		c.Writer.Header()["Content-Length"] = zeroLength
		c.Writer.WriteHeaderNow()
	}
}

// belowAPI tells whether a path is /api or below it, in any case.
func belowAPI(path string) bool {
	const prefix = "/api"
	return len(path) >= len(prefix) && strings.EqualFold(path[:len(prefix)], prefix) &&
		(len(path) == len(prefix) || path[len(prefix)] == '/')
}
