package auth

import (
	"net/http"
	"net/url"
	"strings"
)

// CookieName is the cookie that stands for a limited token on paths that
// browsers load by themselves.
const CookieName = "backstage-auth"

type openness uint8

const (
	closed openness = iota
	cookie          // a cookie will do
	open            // no credential is needed, and none is looked at
)

// An exception opens the paths of a plugin at and below a path.
type exception struct {
	plugin, path string
	open         openness
}

// exceptions are all paths that are not behind the barrier.
var exceptions = [...]exception{
	{"app", "", open},
	{"auth", "", open},
	{"signals", "", open}, // the socket carries its token as a subprotocol
	{"permission", "/health", open},
	{"events", "/http", open}, // webhooks prove themselves by signature
	{"techdocs", "/static", cookie},
}

func opennessOf(plugin, path string) openness {
	for _, e := range &exceptions {
		if e.plugin == plugin && below(path, e.path) && !crooked(path) {
			return e.open
		}
	}
	return closed
}

// crooked tells whether a path as it was sent leads elsewhere for whoever
// resolves its dots, or takes encoded slashes and backslashes for slashes.
func crooked(path string) bool {
	if !strings.ContainsAny(path, `.%\`) {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		decoded, err := url.PathUnescape(segment)
		if err != nil || decoded == "." || decoded == ".." || strings.ContainsAny(decoded, `/\`) {
			return true
		}
	}
	return false
}

// below tells whether path is prefix or below it, at a segment boundary.
func below(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// Admit decides whether a request may go on to the routes of a plugin, and who
// it comes from. Path is that below the mount of the plugin, as it was sent.
// On open paths everybody is nobody: routes there read credentials themselves.
func (s *Authority) Admit(r *http.Request, plugin, path string) (*Principal, error) {
	openness := opennessOf(plugin, path)
	if openness == open {
		return &nobody, nil
	}
	v, err := s.fromRequest(r, plugin, openness == cookie)
	if err != nil {
		return nil, err
	}
	if v != nil {
		return &v.principal, nil
	}
	if s.openPolicy {
		return &nobody, nil
	}
	return nil, errMissing
}

var nobody Principal

// fromRequest reads the credential of a request, nil if it has none. Only
// where a cookie will do, limited tokens do too.
func (s *Authority) fromRequest(r *http.Request, plugin string, cookies bool) (*verified, error) {
	token := bearer(r)
	if token == "" && cookies {
		token = cookieToken(r)
	}
	if token == "" {
		return nil, nil
	}
	return s.authenticate(r.Context(), token, plugin, cookies)
}

// bearer returns the bearer token of a request, "" for any other credential.
func bearer(r *http.Request) string {
	const scheme = "bearer"
	h := r.Header.Get("Authorization")
	if len(h) <= len(scheme) || !strings.EqualFold(h[:len(scheme)], scheme) || h[len(scheme)] != ' ' {
		return ""
	}
	token := strings.TrimLeft(h[len(scheme):], " ")
	if strings.ContainsAny(token, " \t\r\n\v\f") {
		return ""
	}
	return token
}

func cookieToken(r *http.Request) string {
	if c, err := r.Cookie(CookieName); err == nil {
		return c.Value
	}
	return ""
}
