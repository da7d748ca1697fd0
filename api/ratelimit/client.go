package ratelimit

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Trust says which proxies before us name their clients truthfully. The zero
// value trusts none: the client is whoever connected.
type Trust struct {
	all  bool
	hops int
	nets []netip.Prefix
}

// TrustAll believes whatever X-Forwarded-For says.
func TrustAll() Trust { return Trust{all: true} }

// TrustHops believes that many proxies, counted from us.
func TrustHops(n int) Trust { return Trust{hops: n} }

// named are networks that have names.
var named = map[string][]string{
	"loopback":    {"127.0.0.1/8", "::1/128"},
	"linklocal":   {"169.254.0.0/16", "fe80::/10"},
	"uniquelocal": {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"},
}

// TrustNetworks believes proxies in networks: addresses, CIDR, or one of
// loopback, linklocal and uniquelocal.
func TrustNetworks(list []string) (Trust, error) {
	var t Trust
	for _, text := range list {
		text = strings.TrimSpace(text)
		nets := named[text]
		if nets == nil {
			nets = []string{text}
		}
		for _, n := range nets {
			p, err := netip.ParsePrefix(n)
			if a, addrErr := netip.ParseAddr(n); err != nil && addrErr == nil {
				p, err = a.Unmap().Prefix(a.Unmap().BitLen())
			}
			if err != nil {
				return t, fmt.Errorf("%q is not an address, a network such as 10.0.0.0/8, or one of loopback, linklocal and uniquelocal", text)
			}
			t.nets = append(t.nets, p.Masked())
		}
	}
	return t, nil
}

// maxForwarded bounds how many addresses of X-Forwarded-For are looked at.
const maxForwarded = 32

// Client returns the address that a request comes from: going back from us,
// the first that is not a trusted proxy. It is the zero address if that is
// none.
func (t Trust) Client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	client := peer.Addr().Unmap()
	if !t.all && t.hops == 0 && t.nets == nil {
		return client
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	slices.Reverse(chain)
	for i, text := range chain[:min(len(chain), maxForwarded)] {
		if !t.trusts(client, i) {
			break
		}
		a, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			break // who names nonsense is the last that is known
		}
		client = a.Unmap()
	}
	return client
}

func (t Trust) trusts(a netip.Addr, hop int) bool {
	return t.all || hop < t.hops || slices.ContainsFunc(t.nets, func(p netip.Prefix) bool { return p.Contains(a) })
}
