package catalog_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordedRefs is what testdata/reference/refs.mjs wrote: for each ref its parts
// and the text they make, or the message of the error, whose name is in Name.
type recordedRefs struct {
	Entities []struct {
		Ref, DefaultKind, DefaultNamespace string
		Kind, Namespace, Name              string
		Text, Message                      string
	}
	Locations []struct {
		Ref, Type, Target   string
		Text, Name, Message string
	}
}

func readRefs(t testing.TB) (r recordedRefs) {
	t.Helper()
	raw, err := os.ReadFile("testdata/reference/refs.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &r))
	return r
}

func TestEntityRefsAreReadLikeInTheReference(t *testing.T) {
	recorded := readRefs(t).Entities
	require.Greater(t, len(recorded), 300, "the file is whole")
	for _, r := range recorded {
		got, err := catalog.ParseEntityRef(r.Ref, r.DefaultKind, r.DefaultNamespace)
		if r.Message != "" {
			assert.EqualError(t, err, r.Message, "%q", r.Ref)
			assert.Equal(t, r.Name, catalog.ErrorName(err), "%q", r.Ref)
			assert.Zero(t, got, "%q", r.Ref)
			continue
		}
		if assert.NoError(t, err, "%q", r.Ref) {
			assert.Equal(t, catalog.EntityRef{Kind: r.Kind, Namespace: r.Namespace, Name: r.Name}, got, "%q", r.Ref)
			assert.Equal(t, r.Text, got.String(), "%q", r.Ref)
		}
	}
}

func TestLocationRefsAreReadLikeInTheReference(t *testing.T) {
	recorded := readRefs(t).Locations
	require.Greater(t, len(recorded), 100, "the file is whole")
	for _, r := range recorded {
		got, err := catalog.ParseLocationRef(r.Ref)
		if r.Message != "" {
			assert.EqualError(t, err, r.Message, "%q", r.Ref)
			assert.Equal(t, r.Name, catalog.ErrorName(err), "%q", r.Ref)
			continue
		}
		if assert.NoError(t, err, "%q", r.Ref) {
			assert.Equal(t, catalog.LocationRef{Type: r.Type, Target: r.Target}, got, "%q", r.Ref)
			assert.Equal(t, r.Text, got.String(), "%q", r.Ref)
		}
	}
}

func TestScriptURLs(t *testing.T) {
	for _, tc := range []struct {
		url    string
		script bool
		why    string
	}{
		{"javascript:alert(1)", true, "plain"},
		{"JaVaScRiPt:x", true, "a scheme has no case"},
		{" \t\n\x00\x1fjavascript:x", true, "browsers skip blanks and control characters at the start"},
		{"java\nscr\tipt\r:x", true, "and tabs and line breaks anywhere"},
		{"javascript", false, "no scheme at all"},
		{"java script:x", false, "a blank inside makes it no scheme"},
		{"https://x/javascript:", false, "only at the start"},
		{"xjavascript:x", false, "another scheme"},
		{"\u00a0javascript:x", false, "a browser does not skip this blank"},
	} {
		assert.Equal(t, tc.script, catalog.IsScriptURL(tc.url), "%q: %s", tc.url, tc.why)
	}
}

// FuzzEntityRef reads any text: what is read prints as a canonical ref that
// reads as itself, and what is refused is refused in known words.
func FuzzEntityRef(f *testing.F) {
	for _, r := range readRefs(f).Entities {
		f.Add(r.Ref, r.DefaultKind, r.DefaultNamespace)
	}
	f.Add("Component:Ns/\xff", "", "")
	f.Fuzz(func(t *testing.T, s, kind, namespace string) {
		r, err := catalog.ParseEntityRef(s, kind, namespace)
		if err != nil {
			var named *catalog.Error
			require.True(t, errors.As(err, &named))
			require.NotEmpty(t, named.Name)
			return
		}
		require.NotEmpty(t, r.Kind)
		require.NotEmpty(t, r.Namespace)
		require.NotEmpty(t, r.Name)
		require.True(t, strings.HasSuffix(s, r.Name), "the name is the end of what was written")
		if strings.ContainsAny(kind+namespace, ":/") {
			return // defaults are ours, and have no separators
		}
		text := r.String()
		again, err := catalog.ParseEntityRef(text, "", "")
		require.NoError(t, err)
		require.Equal(t, text, again.String(), "the canonical form of %q", s)
	})
}

// FuzzLocationRef reads any text: what is read prints as a ref that reads as
// the same.
func FuzzLocationRef(f *testing.F) {
	for _, r := range readRefs(f).Locations {
		f.Add(r.Ref)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := catalog.ParseLocationRef(s)
		if err != nil {
			require.Equal(t, catalog.NameTypeError, catalog.ErrorName(err))
			return
		}
		require.False(t, catalog.IsScriptURL(l.Target))
		again, err := catalog.ParseLocationRef(l.String())
		require.NoError(t, err)
		require.Equal(t, l, again)
		require.Len(t, l.GeneratedName(), len("generated-")+40)
	})
}
