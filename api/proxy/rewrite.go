package proxy

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf16"
)

// mount is where rewrites see paths begin.
const mount = "/api/proxy"

// errRewrite is for a path on which a rewrite takes too long.
var errRewrite = errors.New("the path takes too long to rewrite")

// destination returns the URL that a request for uri, a path and query below
// the mount as they were sent, goes to. It is always on the target.
func (e *endpoint) destination(uri string) (*url.URL, error) {
	rest := ""
	if e.rewrites == nil {
		rest = uri
		if e.route != "/" {
			rest = uri[len(e.route):]
		}
	} else {
		var err error
		if rest, err = e.rewrite(mount + uri); err != nil {
			return nil, err
		}
	}
	path, query, _ := strings.Cut(rest, "?")
	path = collapse(strings.TrimSuffix(e.target.EscapedPath(), "/") + "/" + path)
	u := *e.target
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return nil, err
	}
	u.Path, u.RawPath = decoded, path
	u.Fragment, u.RawFragment = "", ""
	switch {
	case u.RawQuery == "":
		u.RawQuery = query
	case query != "":
		u.RawQuery += "&" + query
	}
	return &u, nil
}

// collapse makes one slash of several.
func collapse(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// maxChecks bounds the work of a rewrite: the pattern comes from the operator,
// the text from anybody.
const maxChecks = 200

// rewrite applies the first rewrite that matches.
func (e *endpoint) rewrite(uri string) (string, error) {
	text := utf16.Encode([]rune(uri))
	for _, r := range e.rewrites {
		checks := 0
		match, err := r.pattern.Find(text, 0, false, func() error {
			if checks++; checks > maxChecks {
				return errRewrite
			}
			return nil
		})
		if err != nil {
			return "", err
		}
		if match != nil {
			return decode(text[:match[0]]) + expand(r.replacement, text, match) + decode(text[match[1]:]), nil
		}
	}
	return uri, nil
}

func decode(units []uint16) string { return string(utf16.Decode(units)) }

// expand puts groups into a replacement, as JavaScript does: $$, $&, $1 to $99.
func expand(replacement string, text []uint16, match []int) string {
	group := func(n int) (string, bool) {
		if 2*n+1 >= len(match) {
			return "", false
		}
		if match[2*n] < 0 {
			return "", true // it took no part
		}
		return decode(text[match[2*n]:match[2*n+1]]), true
	}
	var out strings.Builder
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if c != '$' || i+1 == len(replacement) {
			out.WriteByte(c)
			continue
		}
		switch next := replacement[i+1]; {
		case next == '$':
			out.WriteByte('$')
			i++
		case next == '&':
			whole, _ := group(0)
			out.WriteString(whole)
			i++
		case next >= '0' && next <= '9':
			i += expandGroup(&out, replacement[i+1:], group)
		default:
			out.WriteByte('$')
		}
	}
	return out.String()
}

// expandGroup writes the group that digits name, of two digits if there are so
// many groups, and returns how many digits those were. Where there is no such
// group, the dollar stands for itself.
func expandGroup(out *strings.Builder, digits string, group func(int) (string, bool)) int {
	first := int(digits[0] - '0')
	if len(digits) > 1 && digits[1] >= '0' && digits[1] <= '9' {
		if n := 10*first + int(digits[1]-'0'); n > 0 {
			if s, ok := group(n); ok {
				out.WriteString(s)
				return 2
			}
		}
	}
	if first > 0 {
		if s, ok := group(first); ok {
			out.WriteString(s)
			return 1
		}
	}
	out.WriteByte('$')
	return 0
}
