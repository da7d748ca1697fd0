package config

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
)

// secretKey matches the names of keys whose values are secrets.
var secretKey = regexp.MustCompile(`(?i)(token|secret|password|passphrase|privatekey|private_key|private-key|apikey|api_key|api-key|accesskey|credentials?|authorization|cookie|signingkey)$|^(key|connectionstring)$`)

// Secrets returns the strings that must not be written anywhere: those below
// keys whose names say so, longest first.
func (c *Config) Secrets() []string {
	var out []string
	collectSecrets(c.root, false, &out)
	slices.SortFunc(out, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(out)
}

// shortestSecret is the length from which a value is hidden: to hide "a" would
// make a log unreadable and protect nothing.
const shortestSecret = 4

func collectSecrets(n *node, secret bool, out *[]string) {
	switch v := n.value.(type) {
	case string:
		if text := strings.TrimSpace(v); secret && len(text) >= shortestSecret {
			*out = append(*out, text)
		}
	case []*node:
		for _, child := range v {
			collectSecrets(child, secret, out)
		}
	case *object:
		for _, key := range v.keys {
			collectSecrets(v.fields[key], secret || secretKey.MatchString(key), out)
		}
	}
}

// Redact returns a writer that passes every Write on to w as one, with ***
// where one of the secrets stood, as it is or as JSON escapes it, and where
// something stood that is a secret by its look: a token of ours or of a Git
// host, a credential of HTTP, a password in a URL.
func Redact(w io.Writer, secrets []string) io.Writer {
	r := &redacting{w: w}
	for _, s := range secrets {
		r.secrets = append(r.secrets, []byte(s))
		if escaped, err := json.Marshal(s); err == nil && len(escaped) != len(s)+2 {
			r.secrets = append(r.secrets, escaped[1:len(escaped)-1])
		}
	}
	return r
}

type redacting struct {
	w       io.Writer
	secrets [][]byte
}

var mask = []byte("***")

func (r *redacting) Write(p []byte) (int, error) {
	masked := p
	for _, s := range r.secrets {
		if bytes.Contains(masked, s) {
			masked = bytes.ReplaceAll(masked, s, mask)
		}
	}
	for i := range looks {
		masked = looks[i].mask(masked)
	}
	if _, err := r.w.Write(masked); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A look is one of secrets that are known by it. A text that holds none of the
// hints is not searched, since that costs more than all else.
type look struct {
	hints   [][]byte
	pattern *regexp.Regexp
	with    []byte
}

var looks = [...]look{
	newLook(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`, "***", "eyJ"), // a JSON web token
	newLook(`(?i)\b(bearer|basic) +[A-Za-z0-9._~+/-]{16,}=*`, "$1 ***", "earer ", "EARER ", "asic ", "ASIC "),
	newLook(`\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,})`, "***", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
	newLook(`\bgl(pat|dt|rt|cbt|ptt|ft)-[A-Za-z0-9_-]{16,}`, "***", "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-"),
	newLook(`(://)[^/\s@"']*:[^/\s@"']+@`, "$1***@", "@"),
}

func newLook(pattern, with string, hints ...string) look {
	l := look{pattern: regexp.MustCompile(pattern), with: []byte(with)}
	for _, h := range hints {
		l.hints = append(l.hints, []byte(h))
	}
	return l
}

func (l *look) mask(p []byte) []byte {
	for _, h := range l.hints {
		if bytes.Contains(p, h) {
			return l.pattern.ReplaceAll(p, l.with)
		}
	}
	return p
}
