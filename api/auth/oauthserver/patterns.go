package oauthserver

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A pattern matches URLs: a scheme, a host and a path in which * stands for
// anything, and a port, which is the one given, none, or any for *.
type pattern struct {
	text         string
	any          bool
	scheme, port string
	host, path   *regexp.Regexp
	exact        bool
}

var patternForm = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9+.-]*)://(\[[^\]/]*\]|[^/:\[\]]*)(?::(\*|\d+))?(/[^?#]*)?$`)

// parsePattern reads a pattern such as http://localhost:*/*.
func parsePattern(text string) (pattern, error) {
	if text == "*" {
		return pattern{text: text, any: true}, nil
	}
	m := patternForm.FindStringSubmatch(text)
	if m == nil {
		return pattern{}, fmt.Errorf("%q is not a pattern of URLs, such as http://localhost:*/* or https://example.com/callback", text)
	}
	host, path := strings.ToLower(m[2]), m[4]
	if host == "" {
		host = "*"
	}
	if path == "" {
		path = "*"
	}
	return pattern{text: text, scheme: strings.ToLower(m[1]), port: m[3], host: globbed(host), path: globbed(path),
		exact: !strings.Contains(text, "*")}, nil
}

func globbed(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
}

func parsePatterns(list []string) (out []pattern, err error) {
	for _, text := range list {
		p, err := parsePattern(text)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (p pattern) matches(u *url.URL) bool {
	if p.any {
		return true
	}
	host := strings.ToLower(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme == p.scheme && p.host.MatchString(host) && (p.port == "*" || p.port == u.Port()) && p.path.MatchString(u.EscapedPath())
}

func anyMatches(list []pattern, u *url.URL) bool {
	return slices.ContainsFunc(list, func(p pattern) bool { return p.matches(u) })
}

// maxURL is the longest URL of a client, in bytes.
const maxURL = 2000

// parseRedirect reads a place to send a browser to, as far as one may at all.
func parseRedirect(text string) (*url.URL, bool) {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Scheme == "" || u.Opaque != "" || u.User != nil || strings.Contains(text, "#") || strings.ContainsAny(text, "\\ \t\r\n") {
		return nil, false
	}
	switch u.Scheme {
	case "javascript", "data", "vbscript", "file", "blob", "about":
		return nil, false
	case "http", "https":
		return u, u.Host != ""
	}
	return u, true
}

func isLoopback(u *url.URL) bool {
	return u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())
}

// registeredFor tells whether a place is one of those of a client. Programs on
// the user's machine listen on whatever port is free.
func registeredFor(list []string, asked string, u *url.URL) bool {
	return slices.ContainsFunc(list, func(text string) bool {
		if text == asked {
			return true
		}
		known, ok := parseRedirect(text)
		return ok && isLoopback(known) && isLoopback(u) && known.Hostname() == u.Hostname() && known.EscapedPath() == u.EscapedPath() &&
			known.RawQuery == u.RawQuery
	})
}
