package ratelimit_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api/ratelimit"
	"github.com/stretchr/testify/require"
)

func TestWindows(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := ratelimit.New(ratelimit.Rule{Limit: 2}, func() time.Time { return now })
	jane, joe := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i, want := range []ratelimit.Verdict{
		{Limited: true, OK: true, Limit: 2, Remaining: 1}, {Limited: true, OK: true, Limit: 2, Remaining: 0}, {Limited: true, Limit: 2}, {Limited: true, Limit: 2},
	} {
		v := l.Take(jane)
		require.Equal(t, [4]any{want.Limited, want.OK, want.Limit, want.Remaining}, [4]any{v.Limited, v.OK, v.Limit, v.Remaining}, i)
		require.Equal(t, time.Unix(1_700_000_060, 0), v.Reset)
	}
	now = now.Add(20 * time.Second)
	require.True(t, l.Take(joe).OK, "everybody has a count of their own")
	require.Equal(t, 40*time.Second, l.Take(jane).Wait)
	now = now.Add(40 * time.Second)
	require.True(t, l.Take(jane).OK, "the window has ended")
	require.Equal(t, 0, l.Take(joe).Remaining, "another one has not")
}

func TestWhoIsOneClient(t *testing.T) {
	for _, tc := range []struct {
		name, first, second string
		same                bool
	}{
		{"one IPv4 address", "192.0.2.1", "192.0.2.1", true},
		{"two", "192.0.2.1", "192.0.2.2", false},
		{"one written in two ways", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"one household", "2001:db8:0:100::1", "2001:db8:0:1ff::2", true},
		{"two households", "2001:db8:0:100::1", "2001:db8:0:200::1", false},
		{"a zone changes nothing", "fe80::1%eth0", "fe80::1%eth1", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := ratelimit.New(ratelimit.Rule{Limit: 1}, nil)
			require.True(t, l.Take(netip.MustParseAddr(tc.first)).OK)
			require.Equal(t, tc.same, !l.Take(netip.MustParseAddr(tc.second)).OK)
		})
	}
}

func TestAllowList(t *testing.T) {
	l := ratelimit.New(ratelimit.Rule{Limit: 1}, nil)
	for _, a := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"} {
		for range 3 {
			require.Equal(t, ratelimit.Verdict{}, l.Take(netip.MustParseAddr(a)), "loopback is not limited by default")
		}
	}
	l = ratelimit.New(ratelimit.Rule{Limit: 1, Allow: []netip.Addr{}}, nil)
	require.True(t, l.Take(netip.MustParseAddr("::1")).Limited)
	require.True(t, l.Take(netip.Addr{}).OK, "a client without an address is one as well")
	require.False(t, l.Take(netip.Addr{}).OK)
}

func TestSkips(t *testing.T) {
	for _, tc := range []struct {
		name       string
		rule       ratelimit.Rule
		status     int
		stillCount bool
	}{
		{"all count", ratelimit.Rule{}, 200, true},
		{"what succeeds does not", ratelimit.Rule{SkipSuccessful: true}, 304, false},
		{"but what fails does", ratelimit.Rule{SkipSuccessful: true}, 404, true},
		{"what fails does not", ratelimit.Rule{SkipFailed: true}, 400, false},
		{"but what succeeds does", ratelimit.Rule{SkipFailed: true}, 200, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.rule.Limit = 1
			l := ratelimit.New(tc.rule, nil)
			a := netip.MustParseAddr("192.0.2.1")
			l.Answered(l.Take(a), tc.status)
			require.Equal(t, tc.stillCount, !l.Take(a).OK)
		})
	}
}

func TestManyClientsShareACount(t *testing.T) {
	l := ratelimit.New(ratelimit.Rule{Limit: 1}, nil)
	a := netip.MustParseAddr("10.0.0.0")
	for range 100_000 {
		require.True(t, l.Take(a).OK)
		a = a.Next()
	}
	require.True(t, l.Take(a).OK)
	require.False(t, l.Take(a.Next()).OK, "to come from many addresses is no way around")
	require.False(t, l.Take(netip.MustParseAddr("10.0.0.0")).OK, "those who were there before are still known")
}

func TestClient(t *testing.T) {
	trust := func(list ...string) ratelimit.Trust {
		out, err := ratelimit.TrustNetworks(list)
		require.NoError(t, err)
		return out
	}
	for _, tc := range []struct {
		name      string
		trust     ratelimit.Trust
		peer      string
		forwarded []string
		want      string
	}{
		{"nobody is trusted", ratelimit.Trust{}, "192.0.2.1:1", []string{"203.0.113.9"}, "192.0.2.1"},
		{"all are", ratelimit.TrustAll(), "192.0.2.1:1", []string{"203.0.113.9, 10.0.0.1"}, "203.0.113.9"},
		{"one proxy is", ratelimit.TrustHops(1), "192.0.2.1:1", []string{"6.6.6.6, 203.0.113.9"}, "203.0.113.9"},
		{"two are", ratelimit.TrustHops(2), "192.0.2.1:1", []string{"6.6.6.6, 203.0.113.9, 10.0.0.1"}, "203.0.113.9"},
		{"networks are", trust("loopback", "10.0.0.0/8"), "127.0.0.1:1", []string{"6.6.6.6", "203.0.113.9, 10.1.2.3"}, "203.0.113.9"},
		{"a client that is no proxy cannot name another", trust("loopback"), "203.0.113.9:1", []string{"6.6.6.6"}, "203.0.113.9"},
		{"one address is", trust("192.0.2.1"), "192.0.2.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"all the way are proxies", trust("uniquelocal"), "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"nonsense is nobody", trust("loopback"), "127.0.0.1:1", []string{"6.6.6.6, unknown"}, "127.0.0.1"},
		{"nothing is forwarded", ratelimit.TrustAll(), "[2001:db8::1]:1", nil, "2001:db8::1"},
		{"a mapped address", ratelimit.TrustAll(), "192.0.2.1:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: tc.peer, Header: http.Header{"X-Forwarded-For": tc.forwarded}}
			require.Equal(t, tc.want, tc.trust.Client(r).String())
		})
	}
	require.False(t, ratelimit.TrustAll().Client(&http.Request{RemoteAddr: "@"}).IsValid())
	for _, bad := range []string{"", "everyone", "10.0.0.0/99", "300.1.1.1"} {
		_, err := ratelimit.TrustNetworks([]string{bad})
		require.ErrorContains(t, err, "uniquelocal", bad)
	}
}
