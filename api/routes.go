package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/metricnames"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// plugins are those that are mounted below /api. What is not here has no
// barrier and is not found.
var plugins = [...]string{"app", "auth", "catalog", "events", "mcp-actions", "notifications", "permission", "proxy", "scaffolder", "search", "signals",
	"user-settings"}

// Plugins returns the ids of the plugins that this process has.
func Plugins() []string { return slices.Clone(plugins[:]) }

func isPlugin(name string) bool { return slices.Contains(plugins[:], name) }

const (
	pluginKeysPath = "/.backstage/auth/v1/jwks.json"
	cookiePath     = "/.backstage/auth/v1/cookie"
	healthPath     = "/.backstage/health"
	metricsPath    = "/metrics"
)

// routes are all routes of the program. GET routes answer HEAD as well.
func (s *Server) routes() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.UseEscapedPath, e.UnescapePathValues = true, false // wire.Param decodes, once
	e.RedirectTrailingSlash, e.HandleMethodNotAllowed = false, false
	e.Use(s.edge, s.limit, s.barrier)
	e.NoRoute(s.notFound)

	root := group{s, e.Group("")}
	e.GET("/", s.home)
	e.HEAD("/", s.home)
	root.get(healthPath+"/v1/liveness", s.liveness)
	root.get(healthPath+"/v1/readiness", s.readiness)
	e.GET(metricsPath, gin.WrapH(promhttp.HandlerFor(metricnames.Gatherer{From: s.registry}, promhttp.HandlerOpts{})))

	for _, plugin := range plugins {
		p := group{s, e.Group("/api/" + plugin)}
		p.get(pluginKeysPath, s.auth.PluginJWKS(plugin))
		p.get(cookiePath, s.auth.IssueCookie(plugin))
		p.delete(cookiePath, s.auth.DropCookie)
	}

	s.authRoutes(group{s, e.Group("/api/auth")})
	perm := group{s, e.Group("/api/permission")}
	perm.get("/health", permission.Health)
	perm.post("/authorize", s.permission.Authorize)

	cat := group{s, e.Group("/api/catalog")}
	s.catalogRoutes(cat)

	if s.search != nil {
		s.searchRoutes(group{s, e.Group("/api/search")})
	}
	if s.scaffolder != nil {
		s.scaffolderRoutes(group{s, e.Group("/api/scaffolder")})
	}
	if s.events != nil {
		s.eventRoutes(group{s, e.Group("/api/events")})
	}
	if s.providers != nil {
		cat.get("/providers", s.providers.List)
		cat.post("/providers/:id/release", s.providers.Release)
		cat.post("/providers/:id/discard", s.providers.Discard)
		cat.get("/.backstage/scheduler/v1/tasks", s.providers.Tasks)
		cat.post("/.backstage/scheduler/v1/tasks/:id/trigger", s.providers.TriggerTask)
	}
	s.portalRoutes(e)
	return e
}

func (s *Server) searchRoutes(g group) {
	g.get("/openapi.json", s.search.OpenAPI)
	g.get("/query", s.search.Query)
	g.get("/.well-known/backstage/permissions/metadata", s.search.PermissionMetadata)
	g.post("/.well-known/backstage/permissions/apply-conditions", s.search.ApplyConditions)
}

func (s *Server) eventRoutes(g group) {
	g.post("/http/:topic", s.events.Post)
	if s.events.HasBus() {
		g.get("/openapi.json", s.events.OpenAPI)
		g.post("/bus/v1/events", s.events.Publish)
		g.put("/bus/v1/subscriptions/:subscriptionId", s.events.Subscribe)
		g.on(http.MethodGet, "/bus/v1/subscriptions/:subscriptionId/events", s.events.Events) // HEAD would take events away
	}
}

func (s *Server) authRoutes(auth group) {
	auth.get("/.well-known/jwks.json", s.auth.JWKS)
	if s.portal.OAuth == nil { // which knows more
		auth.get("/.well-known/openid-configuration", s.auth.Discovery)
	}
	auth.get("/v1/userinfo", s.auth.UserInfo)
	auth.get("/v1/whoami", s.auth.WhoAmI)
	if s.tokens != nil {
		auth.get("/v1/service-tokens", s.tokens.List)
		auth.post("/v1/service-tokens", s.tokens.Create)
		auth.delete("/v1/service-tokens/:id", s.tokens.Revoke)
	}
	auth.get("/guest/refresh", s.auth.GuestRefresh)
	auth.post("/guest/refresh", s.auth.GuestRefresh)
	auth.get("/guest/start", s.auth.GuestRedirect)
	auth.get("/guest/handler/frame", s.auth.GuestRedirect)
	auth.post("/guest/handler/frame", s.auth.GuestRedirect)
	s.signInRoutes(auth)
}

func (s *Server) catalogRoutes(cat group) {
	cat.get("/openapi.json", s.catalog.OpenAPI)
	cat.get("/entities", s.catalog.Entities)
	cat.get("/entities/by-query", s.catalog.QueryEntities)
	cat.post("/entities/by-query", s.catalog.QueryEntitiesByPredicate)
	cat.post("/entities/by-refs", s.catalog.EntitiesByRefs)
	cat.get("/entities/by-uid/:uid", s.catalog.EntityByUID)
	cat.delete("/entities/by-uid/:uid", s.catalog.DeleteEntity)
	cat.get("/entities/by-name/:kind/:namespace/:name", s.catalog.EntityByName)
	cat.get("/entities/by-name/:kind/:namespace/:name/ancestry", s.catalog.Ancestry)
	cat.get("/entities/unprocessed/failed", s.catalog.UnprocessedFailed)
	cat.get("/entities/unprocessed/pending", s.catalog.UnprocessedPending)
	cat.delete("/entities/unprocessed/delete/:entity_id", s.catalog.DeleteUnprocessed)
	cat.get("/entity-facets", s.catalog.Facets)
	cat.post("/entity-facets", s.catalog.FacetsByPredicate)
	cat.post("/refresh", s.catalog.Refresh)
	cat.post("/validate-entity", s.catalog.ValidateEntity)
	cat.post("/analyze-location", s.catalog.AnalyzeLocation)
	cat.get("/locations", s.catalog.Locations)
	cat.post("/locations", s.catalog.CreateLocation)
	cat.post("/locations/by-query", s.catalog.QueryLocations)
	cat.get("/locations/:id", s.catalog.Location)
	cat.put("/locations/:id", s.catalog.UpdateLocation)
	cat.delete("/locations/:id", s.catalog.DeleteLocation)
	cat.get("/locations/by-entity/:kind/:namespace/:name", s.catalog.LocationByEntity)
	cat.get("/.well-known/backstage/permissions/metadata", s.catalog.PermissionMetadata)
	cat.post("/.well-known/backstage/permissions/apply-conditions", s.catalog.ApplyConditions)
}

func (s *Server) scaffolderRoutes(sc group) {
	sc.get("/openapi.json", s.scaffolder.OpenAPI)
	sc.get("/v2/templates/:namespace/:kind/:name/parameter-schema", s.scaffolder.ParameterSchema)
	sc.get("/v2/actions", s.scaffolder.ListActions)
	sc.get("/v2/tasks", s.scaffolder.ListTasks)
	sc.post("/v2/tasks", s.scaffolder.CreateTask)
	sc.get("/v2/tasks/:taskId", s.scaffolder.GetTask)
	sc.post("/v2/tasks/:taskId/cancel", s.scaffolder.CancelTask)
	sc.post("/v2/tasks/:taskId/retry", s.scaffolder.RetryTask)
	sc.get("/v2/tasks/:taskId/eventstream", s.scaffolder.EventStream)
	sc.get("/v2/tasks/:taskId/events", s.scaffolder.Events)
	sc.post("/v2/dry-run", s.scaffolder.DryRun)
	sc.post("/v2/autocomplete/:provider/:resource", s.scaffolder.Autocomplete)
	sc.get("/v2/templating-extensions", s.scaffolder.TemplatingExtensions)
	sc.get("/.well-known/backstage/permissions/metadata", s.scaffolder.PermissionMetadata)
	sc.post("/.well-known/backstage/permissions/apply-conditions", s.scaffolder.ApplyConditions)
}

// portalRoutes are those of the small plugins of the portal, as far as they
// are there.
func (s *Server) portalRoutes(e *gin.Engine) {
	if u := s.portal.UserSettings; u != nil {
		settings := group{s, e.Group("/api/user-settings")}
		settings.post("/multiget", u.MultiGet)
		settings.get("/buckets/:bucket/keys/*key", u.Setting)
		settings.put("/buckets/:bucket/keys/*key", u.SetSetting)
		settings.delete("/buckets/:bucket/keys/*key", u.DeleteSetting)
	}
	if a := s.portal.Actions; a != nil {
		for _, plugin := range a.Plugins() {
			offered := group{s, e.Group("/api/" + plugin + "/.backstage/actions")}
			offered.get("/v1/actions", a.List(plugin))
			offered.get("/v1/status", a.Status(plugin))
			offered.post("/v1/actions/:id/invoke", a.Handler(plugin, false))
			offered.post("/v2/actions/:id/invoke", a.Handler(plugin, true))
		}
	}
	if s.portal.MCP != nil {
		s.mcpRoutes(e)
	}
	if s.portal.OAuth != nil {
		s.oauthRoutes(e)
	}
	if t := s.portal.Tasks; t != nil {
		for _, plugin := range t.Plugins() {
			tasks := group{s, e.Group("/api/" + plugin + "/.backstage/scheduler/v1/tasks")}
			tasks.get("", t.List(plugin))
			tasks.post("/:id/trigger", t.Trigger(plugin))
			tasks.post("/:id/cancel", t.Cancel(plugin))
		}
	}
	if n := s.portal.Notifications; n != nil {
		news := group{s, e.Group("/api/notifications")}
		news.get("/status", n.Status)
		news.get("/topics", n.Topics)
		news.get("/settings", n.UserSettings)
		news.post("/settings", n.SetUserSettings)
		news.get("/notifications", n.List)
		news.post("/notifications", n.Create)
		news.get("/notifications/:id", n.One)
		news.post("/notifications/update", n.Update)
		// The same without their last segment, as older clients ask.
		news.get("", n.List)
		news.post("", n.Create)
		news.get("/:id", n.One)
		news.post("/update", n.Update)
	}
	if h := s.portal.Signals; h != nil {
		e.GET("/api/signals", h.Connect) // takes the connection over, so it has no adapter
		group{s, e.Group("/api/signals")}.get("/health", h.Health)
	}
}

// A group mounts handlers below a path, through the adapter.
type group struct {
	s *Server
	r *gin.RouterGroup
}

func (g group) get(path string, h wire.Handler) {
	h = g.s.audited(http.MethodGet, g.r.BasePath()+path, h)
	g.r.GET(path, g.s.handle(h))
	g.r.HEAD(path, g.s.handle(h))
}
func (g group) post(path string, h wire.Handler)   { g.on(http.MethodPost, path, h) }
func (g group) put(path string, h wire.Handler)    { g.on(http.MethodPut, path, h) }
func (g group) delete(path string, h wire.Handler) { g.on(http.MethodDelete, path, h) }

func (g group) on(method, path string, h wire.Handler) {
	g.r.Handle(method, path, g.s.handle(g.s.audited(method, g.r.BasePath()+path, h)))
}

func firstSegment(path string) string {
	segment, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return segment
}
