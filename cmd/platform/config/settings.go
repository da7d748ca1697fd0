package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/discovery"
)

// Settings are everything that the program takes from the configuration.
type Settings struct {
	// Title is the name of the portal, and Organization of the company; "" for
	// none.
	Title, Organization string
	Backend             Backend
	Database            Database
	Auth                Auth
	Discovery           []discovery.Endpoint
	Catalog             Catalog
	Search              Search
	Scaffolder          Scaffolder
	Providers           Providers
	Events              Events
	Log                 Log
	Tracing             Tracing
	Portal              Portal
	// PermissionEnabled is permission.enabled, and Policy what decides then.
	PermissionEnabled bool
	Policy            Policy
	// Integrations is the value of the key integrations as plain JSON, nil for
	// none.
	Integrations any
	// Warnings are what an operator should know, one line each.
	Warnings []string
}

// Backend are the keys below backend that concern HTTP.
type Backend struct {
	// BaseURL is the external URL, without a slash at its end.
	BaseURL string
	// Listen is where requests are taken: a host, which may be empty for all
	// interfaces, and a port, 0 for any.
	Listen string
	// Metrics is where metrics are served beside /metrics of Listen, in the same
	// form; "": nowhere. Ours.
	Metrics string
	// CORS is nil where there is no such section.
	CORS *CORS
	// CSP are changes of the Content-Security-Policy by directive in
	// kebab-case; an empty list drops one.
	CSP map[string][]string
	// Reading are the hosts that may be read without an integration.
	Reading []ReadingAllow
	// StartupWait is how long requests wait for the start to end; 0: default.
	StartupWait time.Duration
	// ShutdownDelay is how long requests are still served after a signal, with
	// readiness failing.
	ShutdownDelay time.Duration
	// HealthHeaders are added to health answers.
	HealthHeaders map[string]string
	// LogHealth has requests for health in the access log.
	LogHealth bool
}

// CORS is backend.cors.
type CORS struct {
	Origins, Methods, AllowedHeaders, ExposedHeaders []string
	Credentials                                      bool
	MaxAge                                           int // seconds
}

// ReadingAllow is an entry of backend.reading.allow.
type ReadingAllow struct {
	Host  string
	Paths []string // nil: all
}

// Log is backend.logger.
type Log struct {
	// Level is error, warn, info or debug; "" is info.
	Level string
	// Meta is added to every line, by key.
	Meta map[string]string
	// Overrides give some lines another lowest level; the first that matches
	// counts.
	Overrides []LogOverride
	// Audit is backend.auditor.
	Audit Audit
}

// Audit says where events of the audit log go.
type Audit struct {
	// Levels are those of severityLogLevelMappings, by severity.
	Levels map[string]string
	// File gets all events from the severity FileFrom on; "": there is none.
	// Ours.
	File, FileFrom string
}

// Tracing is backend.tracing.
type Tracing struct {
	// Endpoint is the URL of a collector, and Headers are sent to it; ours.
	Endpoint string
	Headers  map[string]string
	// Ratio is the share of traces that is kept; nil: all are. Ours.
	Ratio *float64
	// EndUser is capture.endUser: spans name who asks.
	EndUser bool
}

const defaultPort = 7007

// Read returns the settings that c holds. The error joins all faults, of type
// and of meaning.
func Read(c *Config) (*Settings, error) {
	r := &reader{}
	s := &Settings{
		Title:             r.text(c.At("app.title"), ""),
		Organization:      r.text(c.At("organization.name"), ""),
		PermissionEnabled: r.boolean(c.At("permission.enabled"), false),
		Integrations:      c.At("integrations").Plain(),
	}
	s.Backend = r.backend(c.At("backend"))
	s.Database = r.database(c)
	s.Auth = r.auth(c)
	s.Discovery = r.discovery(c.At("discovery.endpoints"))
	s.Catalog = r.catalog(c.At("catalog"))
	s.Policy = r.policy(c)
	s.Search = r.search(c.At("search"))
	s.Scaffolder = r.scaffolder(c)
	s.Providers = r.providers(c)
	s.Events = r.events(c)
	s.Log = r.log(c.At("backend.logger"))
	s.Tracing = r.tracing(c.At("backend.tracing"))
	s.Log.Audit = r.audit(c.At("backend.auditor"))
	s.Portal = r.portal(c)
	s.Warnings = append(r.warnings, unserved(c)...)
	return s, errors.Join(append(r.faults, s.Validate())...)
}

// Validate returns all faults of meaning together.
func (s *Settings) Validate() error {
	var faults []error
	if s.Backend.BaseURL != "" {
		if u, err := url.Parse(s.Backend.BaseURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			faults = append(faults, fmt.Errorf("config key 'backend.baseUrl': %q is not an http or https URL", s.Backend.BaseURL))
		}
	}
	faults = append(faults, s.Database.validate())
	return errors.Join(faults...)
}

// Lines returns the faults that an error of Read joins, one line each.
func Lines(err error) []string {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, e := range joined.Unwrap() {
			out = append(out, Lines(e)...)
		}
		return out
	}
	return []string{err.Error()}
}

func (r *reader) backend(v Value) Backend {
	b := Backend{
		Listen:        r.listen(v.At("listen")),
		CORS:          r.cors(v.At("cors")),
		CSP:           r.csp(v.At("csp")),
		StartupWait:   r.milliseconds(v.At("lifecycle.startupRequestPauseTimeout"), 0),
		ShutdownDelay: r.milliseconds(v.At("lifecycle.serverShutdownDelay"), 0),
		HealthHeaders: r.texts(v.At("health.headers")),
		LogHealth:     r.boolean(v.At("health.accessLog"), false),
	}
	if at := v.At("metrics.listen"); at.Exists() {
		b.Metrics = r.listen(at)
	}
	b.BaseURL = strings.TrimRight(r.required(v.At("baseUrl")), "/")
	for item := range r.items(v.At("reading.allow")) {
		b.Reading = append(b.Reading, ReadingAllow{Host: r.required(item.At("host")), Paths: r.list(item.At("paths"))})
	}
	if https := v.At("https"); https.Exists() && !https.Is(false) {
		r.fault(https.Fault("this release serves plain HTTP: leave the key out and put a proxy in front that ends TLS"))
	}
	return b
}

// listen reads 7007, ":7007", "host:7007" and {host, port}.
func (r *reader) listen(v Value) string {
	host, port := "", any(nil)
	switch {
	case v.IsObject():
		host = r.text(v.At("host"), "")
		if p := v.At("port"); p.Exists() {
			port = p.Plain()
		}
	case v.Exists():
		port = v.Plain()
		if text, ok := port.(string); ok && strings.Contains(text, ":") {
			h, p, err := net.SplitHostPort(text)
			if err != nil {
				r.fault(v.Fault("%q is not an address, such as 7007, \":7007\" or \"127.0.0.1:7007\"", text))
				return ""
			}
			host, port = h, p
		}
	}
	number := defaultPort
	if port != nil {
		n, err := strconv.Atoi(strings.TrimSpace(fmt.Sprint(port)))
		if err != nil || n < 0 || n > 65535 {
			r.fault(v.Fault("%v is not a port, which is a number from 0 to 65535", port))
			return ""
		}
		number = n
	}
	return net.JoinHostPort(host, strconv.Itoa(number))
}

func (r *reader) cors(v Value) *CORS {
	if !v.Exists() {
		return nil
	}
	return &CORS{
		Origins: r.list(v.At("origin")), Methods: r.list(v.At("methods")),
		AllowedHeaders: r.list(v.At("allowedHeaders")), ExposedHeaders: r.list(v.At("exposedHeaders")),
		Credentials: r.boolean(v.At("credentials"), false), MaxAge: r.integer(v.At("maxAge"), 0),
	}
}

func (r *reader) csp(v Value) map[string][]string {
	if !v.Exists() || v.Is(false) {
		return nil
	}
	out := map[string][]string{}
	for _, key := range v.Keys() {
		directive := v.Child(key)
		if directive.Is(false) {
			out[kebab(key)] = nil
			continue
		}
		out[kebab(key)] = r.list(directive)
	}
	return out
}

// kebab turns frameAncestors into frame-ancestors.
func kebab(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('-')
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

func (r *reader) log(v Value) Log {
	l := Log{Level: strings.ToLower(r.text(v.At("level"), "")), Meta: r.texts(v.At("meta")), Overrides: r.overrides(v.At("overrides"))}
	if l.Level != "" && !knownLevel(l.Level) {
		r.fault(v.At("level").Fault("%q is not one of error, warn, info, debug", l.Level))
	}
	return l
}

func (r *reader) tracing(v Value) Tracing {
	t := Tracing{Endpoint: r.text(v.At("endpoint"), ""), Headers: r.texts(v.At("headers")), EndUser: r.boolean(v.At("capture.endUser"), false)}
	if ratio := v.At("sampleRatio"); ratio.Exists() {
		n, err := ratio.Number()
		if err == nil && (n < 0 || n > 1) {
			err = ratio.Fault("%v is not a share from 0 to 1", n)
		}
		r.fault(err)
		t.Ratio = &n
	}
	return t
}

var severities = []string{"low", "medium", "high", "critical"}

func (r *reader) audit(v Value) Audit {
	a := Audit{
		Levels: r.texts(v.At("severityLogLevelMappings")), File: r.text(v.At("file"), ""),
		FileFrom: r.choice(v.At("fileSeverity"), "low", severities...),
	}
	for severity, level := range a.Levels {
		if at := v.At("severityLogLevelMappings").Child(severity); !slices.Contains(severities, severity) {
			r.fault(at.Fault("'%s' is not one of %s", severity, enumerate(severities)))
		} else if !knownLevel(level) {
			r.fault(at.Fault("'%s' is not one of error, warn, info, debug", level))
		}
	}
	return a
}

func knownLevel(s string) bool {
	switch s {
	case "error", "warn", "info", "debug":
		return true
	}
	return false
}
