package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A header is set on every answer. The values are shared between requests, so
// that setting them allocates nothing.
type header struct {
	key    string // in canonical form
	values []string
}

// defaultCSP are the directives of the Content-Security-Policy, in order.
func defaultCSP() (names []string, directives map[string][]string) {
	directives = map[string][]string{
		"default-src":               {"'self'"},
		"base-uri":                  {"'self'"},
		"font-src":                  {"'self'", "https:", "data:"},
		"frame-ancestors":           {"'self'"},
		"img-src":                   {"'self'", "data:"},
		"object-src":                {"'none'"},
		"script-src":                {"'self'", "'unsafe-eval'"},
		"script-src-attr":           {"'none'"},
		"style-src":                 {"'self'", "https:", "'unsafe-inline'"},
		"upgrade-insecure-requests": {},
	}
	return []string{"default-src", "base-uri", "font-src", "frame-ancestors", "img-src", "object-src",
		"script-src", "script-src-attr", "style-src", "upgrade-insecure-requests"}, directives
}

func contentSecurityPolicy(changes map[string][]string) string {
	names, directives := defaultCSP()
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if _, known := directives[name]; !known {
			names = append(names, name)
		}
		directives[name] = changes[name]
	}
	var parts []string
	for _, name := range names {
		_, changed := changes[name]
		switch values := directives[name]; {
		case len(values) > 0:
			parts = append(parts, name+" "+strings.Join(values, " "))
		case !changed:
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, ";")
}

func securityHeaders(csp map[string][]string) []header {
	list := []struct{ key, value string }{
		{"Content-Security-Policy", contentSecurityPolicy(csp)},
		{"Referrer-Policy", "no-referrer"},
		{"Strict-Transport-Security", "max-age=15552000; includeSubDomains"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-DNS-Prefetch-Control", "off"},
		{"X-Download-Options", "noopen"},
		{"X-Frame-Options", "SAMEORIGIN"},
		{"X-Permitted-Cross-Domain-Policies", "none"},
		{"X-XSS-Protection", "0"},
	}
	out := make([]header, len(list))
	for i, h := range list {
		out[i] = header{http.CanonicalHeaderKey(h.key), []string{h.value}}
	}
	return out
}
