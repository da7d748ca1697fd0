package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Portal is what the small plugins of the portal take from the configuration.
type Portal struct {
	// Dist is app.dist, the folder of a built frontend; "": none is named.
	Dist string
	// BaseURL is app.baseUrl, without a slash at its end; "": unknown.
	BaseURL string
	// ForgetStatic is app.disableStaticFallbackCache.
	ForgetStatic bool
	// Frontend is what browsers may see of the configuration, as plain JSON.
	Frontend any

	Proxy         Proxy
	Notifications Notifications
	RateLimit     RateLimit
	Actions       Actions
	OAuth         OAuth
}

// Proxy is the section proxy.
type Proxy struct {
	Endpoints   []ProxyEndpoint // in the order of the files
	SkipInvalid bool
}

// ProxyEndpoint is an entry of proxy.endpoints.
type ProxyEndpoint struct {
	Route, Target  string
	Rewrites       []Rewrite // nil: the default
	KeepHost       bool      // changeOrigin: false
	Headers        map[string]string
	Methods        []string // nil: all
	AllowedHeaders []string
	Credentials    string // "": the default
	SkipVerify     bool   // secure: false
	Timeout        time.Duration
}

// Rewrite is an entry of pathRewrite.
type Rewrite struct{ Pattern, Replacement string }

// Notifications is the section notifications.
type Notifications struct {
	// Retention is how long they are kept; 0: the default; less: for ever.
	Retention time.Duration
	// Defaults is notifications.defaultSettings as plain JSON, nil for none.
	Defaults any
}

// RateLimit is backend.rateLimit, and backend.trustProxy beside it.
type RateLimit struct {
	Global     *RateRule // nil: there is none
	Plugins    map[string]*RateRule
	TrustProxy TrustProxy
}

// RateRule is one limit; zero fields are the defaults.
type RateRule struct {
	Window                     time.Duration
	Limit                      int
	Allow                      []netip.Addr
	SkipSuccessful, SkipFailed bool
}

// TrustProxy is backend.trustProxy in one of its forms.
type TrustProxy struct {
	All      bool
	Hops     int
	Networks []string
}

func (r *reader) portal(c *Config) Portal {
	p := Portal{
		Dist:         r.text(c.At("app.dist"), ""),
		BaseURL:      strings.TrimRight(r.text(c.At("app.baseUrl"), ""), "/"),
		ForgetStatic: r.boolean(c.At("app.disableStaticFallbackCache"), false),
		Frontend:     frontend(c),
		Proxy:        r.proxy(c.At("proxy")),
		Notifications: Notifications{
			Retention: r.retention(c.At("notifications.retention")),
			Defaults:  c.At("notifications.defaultSettings").Plain(),
		},
		RateLimit: r.rateLimit(c.At("backend.rateLimit"), c.At("backend.trustProxy")),
		Actions:   r.actions(c),
		OAuth:     r.oauth(c.At("auth")),
	}
	if u, err := url.Parse(p.BaseURL); p.BaseURL != "" && (err != nil || u.Host == "") {
		r.fault(c.At("app.baseUrl").Fault("'%s' is not an absolute URL", p.BaseURL))
	}
	if o := p.OAuth; p.BaseURL == "" && (o.Registration != nil || o.Documents != nil) {
		r.fault(c.At("auth").Fault("programs get tokens by a page of the portal: set app.baseUrl"))
	}
	if k := c.At("kubernetes"); k.IsObject() {
		r.warnings = append(r.warnings, "kubernetes is not supported in this release and is ignored: leave the section out")
	}
	return p
}

// retention reads a duration, or false for ever.
func (r *reader) retention(v Value) time.Duration {
	if v.Is(false) {
		return -1
	}
	d := r.duration(v, 0)
	if v.Exists() && d <= 0 {
		r.fault(v.Fault("it must be longer than nothing, or false to keep everything"))
	}
	return d
}

func (r *reader) proxy(v Value) Proxy {
	if !v.Exists() {
		return Proxy{}
	}
	p := Proxy{SkipInvalid: r.boolean(v.At("skipInvalidProxies"), false)}
	if endpoints := v.At("endpoints"); endpoints.Exists() {
		for _, route := range endpoints.Keys() {
			p.Endpoints = append(p.Endpoints, r.proxyEndpoint(route, endpoints.Child(route)))
		}
		return p
	}
	for _, route := range v.Keys() {
		if strings.HasPrefix(route, "/") {
			p.Endpoints = append(p.Endpoints, r.proxyEndpoint(route, v.Child(route)))
		}
	}
	if p.Endpoints != nil {
		r.warnings = append(r.warnings, "proxy endpoints directly under 'proxy' are deprecated: move them to 'proxy.endpoints'")
	}
	return p
}

func (r *reader) proxyEndpoint(route string, v Value) ProxyEndpoint {
	e := ProxyEndpoint{Route: route}
	if !v.IsObject() {
		e.Target = r.required(v)
		return e
	}
	e.Target = r.required(v.At("target"))
	e.KeepHost = !r.boolean(v.At("changeOrigin"), true)
	e.SkipVerify = !r.boolean(v.At("secure"), true)
	e.Headers = r.texts(v.At("headers"))
	e.AllowedHeaders = r.list(v.At("allowedHeaders"))
	e.Credentials = r.text(v.At("credentials"), "")
	e.Timeout = r.milliseconds(v.At("proxyTimeout"), 0)
	if methods := v.At("allowedMethods"); methods.Exists() {
		e.Methods = append([]string{}, r.list(methods)...)
	}
	if rewrites := v.At("pathRewrite"); rewrites.Exists() {
		e.Rewrites = []Rewrite{}
		if !rewrites.IsObject() {
			r.fault(rewrites.wrongType("object"))
		}
		for _, pattern := range rewrites.Keys() {
			replacement, ok := rewrites.Child(pattern).Plain().(string) // which may be empty
			if !ok {
				r.fault(rewrites.Child(pattern).wrongType("string"))
			}
			e.Rewrites = append(e.Rewrites, Rewrite{pattern, replacement})
		}
	}
	return e
}

func (r *reader) rateLimit(v, trust Value) RateLimit {
	l := RateLimit{TrustProxy: r.trustProxy(trust)}
	switch {
	case !v.Exists(), v.Is(false):
		return l
	case !v.IsObject():
		if r.boolean(v, false) {
			l.Global = &RateRule{}
		}
		return l
	}
	if r.boolean(v.At("global"), true) {
		l.Global = r.rateRule(v)
	}
	for _, id := range v.At("plugin").Keys() {
		if l.Plugins == nil {
			l.Plugins = map[string]*RateRule{}
		}
		l.Plugins[id] = r.rateRule(v.At("plugin").Child(id))
	}
	return l
}

func (r *reader) rateRule(v Value) *RateRule {
	rule := &RateRule{
		Window: r.milliseconds(v.At("window"), 0), Limit: r.integer(v.At("incomingRequestLimit"), 0),
		SkipSuccessful: r.boolean(v.At("skipSuccessfulRequests"), false), SkipFailed: r.boolean(v.At("skipFailedRequests"), false),
	}
	if limit := v.At("incomingRequestLimit"); limit.Exists() && rule.Limit < 1 {
		r.fault(limit.Fault("it must be 1 or more"))
	}
	if list := v.At("ipAllowList"); list.Exists() {
		rule.Allow = []netip.Addr{}
		for _, text := range r.list(list) {
			a, err := netip.ParseAddr(text)
			if err != nil {
				r.fault(list.Fault("'%s' is not an IP address", text))
			}
			rule.Allow = append(rule.Allow, a.Unmap())
		}
	}
	store := v.At("store")
	if store.IsObject() {
		store = store.At("client")
	}
	if store.Exists() && !store.Is("memory") {
		r.fault(store.Fault("requests are counted in memory in this release: leave the key out"))
	}
	return rule
}

// trustProxy reads true, a number of proxies, or networks, as a list or with
// commas between them.
func (r *reader) trustProxy(v Value) (t TrustProxy) {
	switch x := v.Plain().(type) {
	case nil:
	case bool:
		t.All = x
	case float64:
		t.Hops = r.integer(v, 0)
		if t.Hops < 0 {
			r.fault(v.Fault("%v is not a number of proxies", x))
		}
	case string:
		t.Networks = strings.Split(x, ",")
	case []any:
		t.Networks = r.list(v)
	default:
		r.fault(v.Fault("%s is not true, a number of proxies, or a list of networks", fmt.Sprint(x)))
	}
	return t
}
