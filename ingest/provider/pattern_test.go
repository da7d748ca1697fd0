package provider_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/provider"
)

func TestPattern(t *testing.T) {
	cases := []struct {
		name, pattern string
		anchored      bool
		yes, no       []string
	}{
		{"anchored at both ends", "shop", true, []string{"shop"}, []string{"shops", "a-shop"}},
		{"all alternatives are", "a|b", true, []string{"a", "b"}, []string{"ab", "xb"}},
		{"anchors of the author's own", "^service-.*$", true, []string{"service-a"}, []string{"my-service-a"}},
		{"anywhere", "shop", false, []string{"a-shop-b"}, []string{"sho"}},
		{"a look-ahead, as in JavaScript", "(?!legacy-).*", true, []string{"shop"}, []string{"legacy-shop"}},
		{"nothing said", "", false, []string{"", "anything"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := provider.ParsePattern(c.pattern, c.anchored)
			require.NoError(t, err)
			for _, s := range c.yes {
				ok, err := p.Match(s)
				require.NoError(t, err)
				require.True(t, ok, s)
			}
			for _, s := range c.no {
				ok, err := p.Match(s)
				require.NoError(t, err)
				require.False(t, ok, s)
			}
		})
	}
	for _, bad := range []string{"(", "[", strings.Repeat("a", 1001)} {
		_, err := provider.ParsePattern(bad, true)
		require.Error(t, err)
	}
}

// A pattern that blows up must not look like one that does not match: what does
// not match is removed.
func TestPatternThatTakesTooLong(t *testing.T) {
	p, err := provider.ParsePattern(`(?=a)(a+)+b`, true)
	require.NoError(t, err)
	_, err = p.Match(strings.Repeat("a", 64) + "c")
	require.Error(t, err)
}

func TestFingerprint(t *testing.T) {
	type options struct {
		Name    string
		Pattern provider.Pattern
	}
	pattern := func(s string) provider.Pattern {
		p, err := provider.ParsePattern(s, false)
		require.NoError(t, err)
		return p
	}
	a := provider.Fingerprint(options{"a", pattern("x")})
	require.Equal(t, a, provider.Fingerprint(options{"a", pattern("x")}))
	require.NotEqual(t, a, provider.Fingerprint(options{"a", pattern("y")}), "a pattern counts")
	require.NotEqual(t, a, provider.Fingerprint(options{"b", pattern("x")}))
}
