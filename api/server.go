package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/servicetokens"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/eventsapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/providerapi"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/api/searchapi"
	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// Options are what a Server needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Auth, Permission and Catalog answer for their plugins. Required.
	Auth       *auth.Authority
	Permission *permission.Engine
	Catalog    *catalogapi.API
	// Search answers for the search plugin; nil: there is none.
	Search *searchapi.API
	// Scaffolder answers for the scaffolder plugin; nil: there is none.
	Scaffolder *scaffolderapi.API
	// Events takes webhooks, and Providers tells of crawlers; nil: there are
	// none.
	Events    *eventsapi.API
	Providers *providerapi.API
	// ServiceTokens issues and revokes tokens; nil: there are none.
	ServiceTokens *servicetokens.API
	// Portal are the small plugins of the portal; those that are nil are not
	// mounted.
	Portal Portal
	// SignIn answers for providers of accounts; nil: there is the guest alone.
	SignIn *signin.Service
	// Limits refuse clients that ask too often; the zero value refuses nobody.
	Limits Limits
	// Logger takes access log, faults and panics; nil: they are lost.
	Logger *slog.Logger
	// AccessLog writes a line at level info for every request; false: none.
	AccessLog bool
	// LogHealth has requests for health in the access log at level info, too;
	// false: they are at level debug.
	LogHealth bool
	// Registry is served at /metrics and gets the metrics of HTTP; nil: one of
	// its own.
	Registry *prometheus.Registry
	// CatalogStats feeds the gauges of the catalog; nil: there are none. It is
	// called at every scrape.
	CatalogStats func() CatalogStats
	// CORS says which origins may read answers; nil: no CORS headers at all.
	CORS *CORS
	// CSP changes directives of the Content-Security-Policy, by their name in
	// kebab-case; an empty list drops one. nil: the defaults.
	CSP map[string][]string
	// StartupWait is how long requests wait for the start to end before they
	// are refused; 0: 5 seconds.
	StartupWait time.Duration
	// HealthHeaders are added to health answers; nil: none.
	HealthHeaders map[string]string
	// Auditor writes who did what; nil: nobody does.
	Auditor *audit.Auditor
	// Tracer makes a span of every request; nil: nothing is traced.
	Tracer trace.Tracer
	// TraceUsers names in spans who asks; false: it is not told.
	TraceUsers bool
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Server is the handler of all requests. It starts in the state of starting.
type Server struct {
	auth        *auth.Authority
	permission  *permission.Engine
	catalog     *catalogapi.API
	search      *searchapi.API
	scaffolder  *scaffolderapi.API
	events      *eventsapi.API
	providers   *providerapi.API
	tokens      *servicetokens.API
	portal      Portal
	signIn      *signin.Service
	limits      Limits
	log         *slog.Logger
	accessLog   bool
	logHealth   bool
	auditor     *audit.Auditor
	tracer      trace.Tracer
	traceUsers  bool
	audits      map[string]map[string]auditRule // by plugin, and by method and path
	registry    *prometheus.Registry
	metrics     *httpMetrics
	cors        *cors
	headers     []header
	health      map[string]string
	now         func() time.Time
	ids         *requestIDs
	paths       *pathIndex
	engine      *gin.Engine
	handler     http.Handler
	startupWait time.Duration

	mu       sync.Mutex
	ready    chan struct{} // closed once started
	leaving  chan struct{} // closed once readiness fails, as the end is near
	stopping chan struct{} // closed once stopping
}

// compressFrom is the size of a body, in bytes, from which it is compressed.
const compressFrom = 1024

// New checks the options and builds the routes.
func New(o Options) (*Server, error) {
	if o.Auth == nil || o.Permission == nil || o.Catalog == nil {
		return nil, errors.New("api needs auth, permission and catalog")
	}
	s := &Server{
		auth: o.Auth, permission: o.Permission, catalog: o.Catalog, scaffolder: o.Scaffolder, events: o.Events, providers: o.Providers,
		search: o.Search, portal: o.Portal, signIn: o.SignIn, limits: o.Limits, log: o.Logger, accessLog: o.AccessLog, logHealth: o.LogHealth,
		tracer: o.Tracer, traceUsers: o.TraceUsers,
		auditor: o.Auditor, audits: map[string]map[string]auditRule{"catalog": catalogAudits(), "scaffolder": scaffolderAudits()},
		registry: o.Registry, headers: securityHeaders(o.CSP), health: o.HealthHeaders, now: o.Now,
		ids: newRequestIDs(o.Tracer != nil), startupWait: o.StartupWait, ready: make(chan struct{}), leaving: make(chan struct{}), stopping: make(chan struct{}),
	}
	s.tokens = o.ServiceTokens
	s.setDefaults()
	o.Permission.SetApplier(catalogapi.EntityType, o.Catalog)
	if o.Scaffolder != nil {
		o.Permission.SetApplier(scaffolderapi.TaskType, o.Scaffolder)
	}
	var err error
	if s.cors, err = newCORS(o.CORS); err != nil {
		return nil, err
	}
	if s.metrics, err = newHTTPMetrics(s.registry); err != nil {
		return nil, err
	}
	if o.CatalogStats != nil {
		if err := s.registry.Register(&catalogCollector{stats: o.CatalogStats}); err != nil {
			return nil, fmt.Errorf("register catalog metrics: %w", err)
		}
	}
	s.engine = s.routes()
	s.paths = newPathIndex(s.engine.Routes())
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	s.handler = compress(http.HandlerFunc(s.canonical))
	return s, nil
}

func (s *Server) setDefaults() {
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.registry == nil {
		s.registry = prometheus.NewRegistry()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.startupWait == 0 {
		s.startupWait = 5 * time.Second
	}
}

// Routes returns all routes, for those who look at the surface as a whole.
func (s *Server) Routes() gin.RoutesInfo { return s.engine.Routes() }

// ServeHTTP answers one request. What becomes another protocol is not
// compressed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		s.canonical(w, r)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// canonical hands the request on with the path as the routes spell it.
func (s *Server) canonical(w http.ResponseWriter, r *http.Request) {
	if path := r.URL.EscapedPath(); needsCanonical(path) {
		r = s.paths.rewrite(r, path)
	}
	s.engine.ServeHTTP(w, r)
}

// Started lets requests to plugins through, and makes readiness succeed.
func (s *Server) Started() { s.closeOnce(s.ready) }

// Leaving makes readiness fail, so that load balancers look for somebody else.
// Requests are answered as before.
func (s *Server) Leaving() { s.closeOnce(s.leaving) }

// Stopping refuses requests to plugins, makes readiness fail, ends those
// requests that wait for events, and sends the open connections of signals
// away: nothing else would end them.
func (s *Server) Stopping() {
	s.Leaving()
	s.closeOnce(s.stopping)
	if s.scaffolder != nil {
		s.scaffolder.Stop()
	}
	if s.events != nil {
		s.events.Stop()
	}
	if s.portal.Signals != nil {
		s.portal.Signals.Stop()
	}
}

func (s *Server) closeOnce(c chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !closed(c) {
		close(c)
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
