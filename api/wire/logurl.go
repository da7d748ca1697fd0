package wire

import (
	"net/url"
	"strings"
)

// maxLoggedURL bounds what of a URL is written to the log, in bytes.
const maxLoggedURL = 2048

// LoggedURL returns a URL, or a path and query, as it may be written to the
// log: without the values of parameters that may hold secrets, though nobody
// should send those there, and without a password before the host. Codes and
// states of sign-ins come that way by design. It is at most 2 KiB.
func LoggedURL(uri string) string {
	uri, fragment, hasFragment := strings.Cut(uri, "#")
	if hasFragment {
		uri += "#" + withoutSecrets(fragment)
	}
	path, query, found := strings.Cut(uri, "?")
	if path = withoutUser(path); found {
		path += "?" + withoutSecrets(query)
	}
	uri = path
	if len(uri) > maxLoggedURL {
		uri = uri[:maxLoggedURL] + "..."
	}
	return uri
}

// withoutUser masks what stands before the host of an absolute URL.
func withoutUser(u string) string {
	scheme, rest, absolute := strings.Cut(u, "://")
	if !absolute {
		return u
	}
	end := strings.IndexAny(rest, `/\\`)
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 {
		return u
	}
	return scheme + "://***" + rest[at:]
}

// secretParameters are parts of names of parameters, in lower case.
var secretParameters = [...]string{"token", "secret", "password", "passwd", "apikey", "api_key", "api-key", "credential", "authorization", "signature", "jwt", "session"}

func isSecretParameter(name string) bool {
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	name = strings.ToLower(name)
	if name == "code" || name == "state" || name == "key" || name == "sig" {
		return true
	}
	for _, part := range secretParameters {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

func withoutSecrets(query string) string {
	if !strings.Contains(query, "=") {
		return query
	}
	parts := strings.Split(query, "&")
	for i, part := range parts {
		if name, value, _ := strings.Cut(part, "="); value != "" && isSecretParameter(name) {
			parts[i] = name + "=***"
		}
	}
	return strings.Join(parts, "&")
}
