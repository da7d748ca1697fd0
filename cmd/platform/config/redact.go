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

// Mask returns a function that does to a text what Redact does to what is
// written.
func Mask(secrets []string) func(string) string {
	return func(text string) string {
		var out bytes.Buffer
		_, _ = Redact(&out, secrets).Write([]byte(text)) // to a buffer, this does not fail
		return out.String()
	}
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
	if suspicious(masked) {
		for _, l := range looks {
			masked = l.pattern.ReplaceAll(masked, l.with)
		}
	}
	if _, err := r.w.Write(masked); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A look is one of secrets that are known by it.
type look struct {
	pattern *regexp.Regexp
	with    []byte
}

var looks = [...]look{
	newLook(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`, "***"), // a JSON web token
	newLook(`(?i)\b(bearer|basic) +[A-Za-z0-9._~+/-]{16,}=*`, "$1 ***"),
	newLook(`\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,})`, "***"),
	newLook(`\bgl(pat|dt|rt|cbt|ptt|ft)-[A-Za-z0-9_-]{16,}`, "***"),
	newLook(`(://)[^/\s@"']*:[^/\s@"']+@`, "$1***@"),
}

func newLook(pattern, with string) look {
	return look{regexp.MustCompile(pattern), []byte(with)}
}

// suspicious tells whether one of the looks may match: in most lines none does,
// and to look closer costs more than all else that is done with a line.
func suspicious(p []byte) bool {
	for i, c := range p {
		if c != '@' && c != 'J' && c != ' ' && c != '_' && c != '-' || i < 3 {
			continue
		}
		switch x, y, z := p[i-3], p[i-2], p[i-1]; c {
		case '@':
			return true
		case 'J':
			if y == 'e' && z == 'y' {
				return true
			}
		case ' ':
			if last := z | 0x20; last == 'r' && y|0x20 == 'e' || last == 'c' && y|0x20 == 'i' {
				return true // bearer, basic
			}
		case '_':
			if x == 'g' && y == 'h' || x == 'p' && y == 'a' && z == 't' {
				return true
			}
		case '-':
			if z == 't' {
				return true
			}
		}
	}
	return false
}
