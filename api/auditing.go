package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
)

// An auditRule says how the requests of one route are audited.
type auditRule struct {
	id       string
	severity audit.Severity
	// fixed is what all events of the route have in meta.
	fixed []slog.Attr
	// about reads from the path what the request is about; nil: nothing.
	about func(*gin.Context) []slog.Attr
	// late leaves it to the handler to say, with audit.About, when the event
	// begins, as it knows from the body what it is about.
	late bool
	// quietDryRun makes events of dry runs ones of low severity.
	quietDryRun bool
}

// rule returns the rule of an id and a severity, with keys and values in turn
// for meta.
func rule(id string, severity audit.Severity, keysAndValues ...string) auditRule {
	r := auditRule{id: id, severity: severity}
	for i := 0; i < len(keysAndValues); i += 2 {
		r.fixed = append(r.fixed, slog.String(keysAndValues[i], keysAndValues[i+1]))
	}
	return r
}

// of adds what the path says.
func (r auditRule) of(about func(*gin.Context) []slog.Attr) auditRule {
	r.about = about
	return r
}

func (r auditRule) later() auditRule {
	r.late = true
	return r
}

// parameter tells a parameter of the path under a name.
func parameter(param, name string) func(*gin.Context) []slog.Attr {
	return func(c *gin.Context) []slog.Attr {
		value, _ := wire.Param(c, param)
		return []slog.Attr{slog.String(name, value)}
	}
}

// entityOfPath tells the ref that three parameters of the path make.
func entityOfPath(name string) func(*gin.Context) []slog.Attr {
	return func(c *gin.Context) []slog.Attr {
		kind, _ := wire.Param(c, "kind")
		namespace, _ := wire.Param(c, "namespace")
		entity, _ := wire.Param(c, "name")
		return []slog.Attr{slog.String(name, kind+":"+namespace+"/"+entity)}
	}
}

// catalogAudits are the rules of the catalog, by method and path below its
// mount. The ids, severities and discriminators are those of the reference,
// but for what the reference does not have: unprocessed entities and providers.
func catalogAudits() map[string]auditRule {
	const fetch, mutate, location, change = "entity-fetch", "entity-mutate", "location-fetch", "location-mutate"
	create := rule(change, audit.Medium, "actionType", "create").later()
	create.quietDryRun = true
	return map[string]auditRule{
		"GET /entities":                                         rule(fetch, audit.Low, "queryType", "all"),
		"GET /entities/by-query":                                rule(fetch, audit.Low, "queryType", "by-query"),
		"POST /entities/by-query":                               rule(fetch, audit.Low, "queryType", "by-query"),
		"POST /entities/by-refs":                                rule(fetch, audit.Low, "queryType", "by-refs"),
		"GET /entities/by-uid/:uid":                             rule(fetch, audit.Low, "queryType", "by-uid").of(parameter("uid", "uid")),
		"DELETE /entities/by-uid/:uid":                          rule(mutate, audit.Medium, "actionType", "delete").of(parameter("uid", "uid")),
		"GET /entities/by-name/:kind/:namespace/:name":          rule(fetch, audit.Low, "queryType", "by-name").of(entityOfPath("entityRef")),
		"GET /entities/by-name/:kind/:namespace/:name/ancestry": rule(fetch, audit.Low, "actionType", "ancestry").of(entityOfPath("rootEntityRef")),
		"DELETE /entities/unprocessed/delete/:entity_id":        rule(mutate, audit.Medium, "actionType", "delete").of(parameter("entity_id", "entityId")),
		"GET /entity-facets":                                    rule("entity-facets", audit.Low),
		"POST /entity-facets":                                   rule("entity-facets", audit.Low),
		"POST /refresh":                                         rule(mutate, audit.Medium, "queryType", "refresh").later(),
		"POST /validate-entity":                                 rule("entity-validate", audit.Low),
		"POST /analyze-location":                                rule("location-analyze", audit.Low).later(),
		"GET /locations":                                        rule(location, audit.Low, "queryType", "all"),
		"POST /locations/by-query":                              rule(location, audit.Low, "queryType", "by-query"),
		"GET /locations/:id":                                    rule(location, audit.Low, "queryType", "by-id").of(parameter("id", "id")),
		"GET /locations/by-entity/:kind/:namespace/:name":       rule(location, audit.Low, "queryType", "by-entity").of(entityOfPath("locationRef")),
		"POST /locations":                                       create,
		"PUT /locations/:id":                                    rule(change, audit.Medium, "actionType", "update").of(parameter("id", "id")).later(),
		"DELETE /locations/:id":                                 rule(change, audit.Medium, "actionType", "delete").of(parameter("id", "id")),
		"POST /providers/:id/release":                           rule("provider-mutate", audit.Medium, "actionType", "release").of(parameter("id", "provider")),
		"POST /providers/:id/discard":                           rule("provider-mutate", audit.Medium, "actionType", "discard").of(parameter("id", "provider")),
	}
}

// scaffolderAudits are the rules of the scaffolder.
func scaffolderAudits() map[string]auditRule {
	task := func(actionType string, severity audit.Severity) auditRule {
		return rule("task", severity, "actionType", actionType)
	}
	one := parameter("taskId", "taskId")
	return map[string]auditRule{
		"GET /v2/templates/:namespace/:kind/:name/parameter-schema": rule("template-parameter-schema", audit.Low).of(entityOfPath("templateRef")),
		"GET /v2/actions":                   rule("action-fetch", audit.Low),
		"GET /v2/tasks":                     task("list", audit.Low),
		"POST /v2/tasks":                    task("create", audit.Medium).later(),
		"GET /v2/tasks/:taskId":             task("get", audit.Low).of(one),
		"POST /v2/tasks/:taskId/cancel":     task("cancel", audit.Medium).of(one),
		"POST /v2/tasks/:taskId/retry":      task("retry", audit.Medium).of(one),
		"GET /v2/tasks/:taskId/eventstream": task("stream", audit.Low).of(one),
		"GET /v2/tasks/:taskId/events":      task("events", audit.Low).of(one),
		"POST /v2/dry-run":                  task("dry-run", audit.Low),
	}
}

// audited returns a handler that writes the events of its route, or the handler
// itself where there are none to write: what is not audited costs nothing.
func (s *Server) audited(method, path string, h wire.Handler) wire.Handler {
	plugin, below := splitMount(path)
	r, ok := s.audits[plugin][method+" "+below]
	if !ok || !s.auditor.Enabled(r.severity) {
		return h
	}
	return func(c *gin.Context) (any, error) {
		event := s.event(c, plugin, r)
		ctx := c.Request.Context()
		if own, ok := ctx.(*requestContext); ok {
			own.event = event
		}
		if !r.late {
			event.Begin(ctx)
		}
		outcome := errAborted // unless the handler returns
		defer func() { event.End(ctx, outcome) }()
		answer, err := h(c)
		outcome = err
		if refused, ok := answer.(wire.Status); ok && err == nil && refused.Code >= http.StatusBadRequest {
			outcome = fmt.Errorf("answered with status %d", refused.Code)
		}
		return answer, err
	}
}

// errAborted is how an event ends whose handler did not come to its end.
var errAborted = errors.New("the request was not answered")

func (s *Server) event(c *gin.Context, plugin string, r auditRule) *audit.Event {
	severity := r.severity
	if r.quietDryRun && wire.IsTrue(c.Query("dryRun")) {
		severity = audit.Low
	}
	meta := r.fixed
	if r.about != nil {
		meta = append(slices.Clip(meta), r.about(c)...)
	}
	return s.auditor.Event(audit.Kind{Plugin: plugin, ID: r.id, Severity: severity}, s.actor(c.Request),
		&audit.Request{Method: c.Request.Method, URL: wire.LoggedURL(sentURL(c.Request))}, meta...)
}

// actor returns who sent a request.
func (s *Server) actor(r *http.Request) audit.Actor {
	a := audit.Actor{ID: auth.PrincipalFrom(r.Context()).Subject, UserAgent: r.UserAgent(), Hostname: r.Host}
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		a.Hostname = host
	}
	a.Hostname = strings.Trim(a.Hostname, "[]")
	if ip := s.limits.Trust.Client(r); ip.IsValid() {
		a.IP = ip.String()
	}
	return a
}
