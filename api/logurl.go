package api

import (
	"net/url"
	"strings"
)

// maxLoggedURL bounds what of a URL is written to the log, in bytes.
const maxLoggedURL = 2048

// loggedURL returns a URL as it may be written to the log: without the values
// of parameters that may hold secrets, though nobody should send those there.
// Codes and states of sign-ins come that way by design.
func loggedURL(uri string) string {
	path, query, found := strings.Cut(uri, "?")
	if found {
		uri = path + "?" + withoutSecrets(query)
	}
	if len(uri) > maxLoggedURL {
		uri = uri[:maxLoggedURL] + "..."
	}
	return uri
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
