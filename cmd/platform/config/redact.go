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
// where one of the secrets stood, as it is or as JSON escapes it.
func Redact(w io.Writer, secrets []string) io.Writer {
	if len(secrets) == 0 {
		return w
	}
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
	if _, err := r.w.Write(masked); err != nil {
		return 0, err
	}
	return len(p), nil
}
