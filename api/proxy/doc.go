// Package proxy passes requests of the portal on to other servers, at routes
// that the configuration names: /api/proxy/<route>.
//
// It owns which route a path belongs to, the path and the headers that a
// target sees, and those of its answer that a browser sees. Who may ask is
// decided before, by the barrier; only routes that the configuration opens on
// purpose are exempt, which Public tells.
//
// Invariants: where a request goes is decided by the configuration alone, never
// by what the client sent, and redirects are not followed; of headers, in both
// directions, only those pass that are known to be harmless or that the
// configuration names, so that neither cookies nor tokens leak to a target,
// nor a target's cookies to a browser; nothing becomes another protocol; a path
// with ".." in it is refused in whatever form it is written. A Proxy is safe
// for concurrent use.
package proxy
