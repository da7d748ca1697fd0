// Package oauth holds what the connectors of package signin have in common: a
// client of HTTP that is bounded in time and size and follows no redirects, the
// exchange and refresh of tokens, and how the errors of a provider become those
// of ours.
//
// It knows no provider. Its values are safe for concurrent use.
package oauth
