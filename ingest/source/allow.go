package source

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
)

// Allow is an entry of backend.reading.allow. Host is a host, with *. before it
// for all hosts below, and :port or :from-to behind it; without a port, URLs
// that name none. Paths are prefixes that end at a segment; nil allows all.
type Allow struct {
	Host  string
	Paths []string
}

type allowed struct {
	host     string // in lower case, without the *.
	below    bool   // hosts below it, not it
	from, to int    // ports; 0 for URLs that name none
	paths    []string
}

func parseAllow(a Allow) (allowed, error) {
	out := allowed{host: strings.ToLower(a.Host)}
	if i := strings.LastIndexByte(out.host, ':'); i >= 0 && !strings.HasSuffix(out.host, "]") {
		from, to, isRange := strings.Cut(out.host[i+1:], "-")
		if !isRange {
			to = from
		}
		var err error
		if out.from, err = parsePort(from); err != nil {
			return out, err
		}
		if out.to, err = parsePort(to); err != nil {
			return out, err
		}
		if out.from > out.to {
			return out, fmt.Errorf("the range of ports in host %q is empty", a.Host)
		}
		out.host = out.host[:i]
	}
	out.host, out.below = strings.CutPrefix(out.host, "*.")
	if out.host == "" || strings.ContainsAny(out.host, "*/ ") {
		return out, fmt.Errorf("%q is not a host, such as example.com, *.example.com or example.com:8080", a.Host)
	}
	for _, p := range a.Paths {
		if !strings.HasPrefix(p, "/") {
			return out, fmt.Errorf("path %q does not begin with a slash", p)
		}
		out.paths = append(out.paths, p)
	}
	if a.Paths != nil && out.paths == nil {
		return out, errors.New("an empty list of paths allows nothing: leave paths out to allow all")
	}
	return out, nil
}

func parsePort(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is not a port", s)
	}
	return int(n), nil
}

// matches tells whether the entry allows a URL.
func (a allowed) matches(u *url.URL) bool {
	name := strings.ToLower(u.Hostname())
	if a.below && !strings.HasSuffix(name, "."+a.host) || !a.below && name != strings.Trim(a.host, "[]") {
		return false
	}
	port := 0
	if text := u.Port(); text != "" {
		var err error
		if port, err = parsePort(text); err != nil {
			return false
		}
	}
	if port < a.from || port > a.to {
		return false
	}
	if a.paths == nil {
		return true
	}
	clean := path.Clean("/" + u.Path)
	for _, prefix := range a.paths {
		rest, ok := strings.CutPrefix(clean, strings.TrimSuffix(prefix, "/"))
		if ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// check refuses URLs that may not be read.
func (r *Reader) check(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, catalog.NewError(catalog.NameTypeError, "Invalid URL: "+target)
	}
	if (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil {
		for _, a := range r.allow {
			if a.matches(u) {
				return u, nil
			}
		}
	}
	return nil, catalog.NewError(catalog.NameNotAllowed, fmt.Sprintf(
		"Reading from '%s' is not allowed. You may need to configure an integration for the target host, or add it to the "+
			"configured list of allowed hosts at 'backend.reading.allow'", u.Redacted()))
}
