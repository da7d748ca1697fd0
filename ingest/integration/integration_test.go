package integration_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

func set(t *testing.T) *integration.Set {
	s, warnings, err := integration.Parse(map[string]any{
		"github": []any{map[string]any{"host": "ghe.acme.com", "apiBaseUrl": "https://ghe.acme.com/api/v3"}},
		"gitlab": []any{
			map[string]any{"host": "gl.acme.com", "apiBaseUrl": "https://gl.acme.com/api/v4", "token": "x"},
			map[string]any{"host": "code.acme.com", "baseUrl": "https://code.acme.com/gitlab", "apiBaseUrl": "https://code.acme.com/gitlab/api/v4"},
		},
		"gitea": []any{map[string]any{"host": "tea.acme.com", "username": "robot", "password": "x"}},
	})
	require.NoError(t, err)
	require.Empty(t, warnings)
	return s
}

// TestReference compares with what was recorded from the reference: lines of
// ["resolve", target, base, answer], ["edit", url, answer], ["type", url,
// answer].
func TestReference(t *testing.T) {
	f, err := os.Open("testdata/reference.jsonl")
	require.NoError(t, err)
	defer f.Close()
	s, n := set(t), 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var c []string
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		want := c[len(c)-1]
		switch c[0] {
		case "resolve":
			got, err := s.Resolve(c[1], c[2])
			require.NoError(t, err, lines.Text())
			require.Equal(t, want, got, lines.Text())
		case "edit":
			edit, _, ok := s.SourceURLs(c[1])
			if ok {
				require.Equal(t, want, edit, lines.Text())
			}
		case "type":
			if want == "undefined" {
				want = ""
			}
			require.Equal(t, want, s.Kind(c[1]), lines.Text())
		}
	}
	require.Greater(t, n, 300)
}

func TestResolveErrors(t *testing.T) {
	for _, c := range []struct{ target, base string }{
		{"./x.yaml", "/etc/catalog.yaml"},
		{"./x.yaml", "::"},
		{"./x.yaml", "mailto:a@b"},
		{"https://", "https://h/x"},
	} {
		_, err := set(t).Resolve(c.target, c.base)
		require.ErrorContains(t, err, "invalid URL", "%q from %q", c.target, c.base)
	}
}

func TestSourceURLs(t *testing.T) {
	for _, c := range []struct{ in, edit, folder string }{
		{"https://github.com/acme/shop/tree/main/catalog-info.yaml", "https://github.com/acme/shop/edit/main/catalog-info.yaml", "https://github.com/acme/shop/tree/main/"},
		{"https://gl.acme.com/a/b/c/-/blob/main/d/x.yaml", "https://gl.acme.com/a/b/c/-/edit/main/d/x.yaml", "https://gl.acme.com/a/b/c/-/blob/main/d/"},
		{"https://tea.acme.com/a/b/src/branch/main/d/x.yaml", "https://tea.acme.com/a/b/_edit/main/d/x.yaml", "https://tea.acme.com/a/b/src/branch/main/d/"},
		{"https://tea.acme.com/a/b/src/tag/v1/x.yaml", "", "https://tea.acme.com/a/b/src/tag/v1/"},
		{"https://bitbucket.org/a/b/src/main/d/x.yaml", "https://bitbucket.org/a/b/src/main/d/x.yaml?at=main&mode=edit&spa=0", "https://bitbucket.org/a/b/src/main/d/"},
		{"https://bitbucket.org/a/b/src/main", "", "https://bitbucket.org/a/b/src/"},
		{"https://example.com/acme/shop/tree/main/x.yaml", "", ""},
		{"%", "", ""},
	} {
		edit, folder, ok := set(t).SourceURLs(c.in)
		require.Equal(t, c.edit, edit)
		require.Equal(t, c.folder, folder)
		require.Equal(t, c.folder != "", ok)
	}
}

func TestSameRepository(t *testing.T) {
	const shop = "https://github.com/acme/shop/tree/main/x.yaml"
	for _, c := range []struct {
		a, b        string
		same, known bool
		why         string
	}{
		{shop, "https://github.com/acme/shop/blob/dev/y.yaml", true, true, "another branch and form"},
		{shop, "https://github.com/Acme/Shop/blob/main/y.yaml", true, true, "names differ in case only"},
		{shop, "https://github.com/acme/other/blob/main/y.yaml", false, true, "another repository"},
		{shop, "https://gitlab.com/acme/shop/-/blob/main/y.yaml", false, true, "another host"},
		{"https://gitlab.com/a/b/c/-/blob/main/x", "https://gitlab.com/a/b/-/blob/main/x", false, true, "a group is not its project"},
		{shop, "https://github.com/acme/shop/blob/main/../../../other/blob/main/y.yaml", false, true, "dots lead out"},
		{"http://127.0.0.1:8099/x.yaml", shop, false, false, "a plain file server has no repositories"},
		{shop, "https://example.com/openapi.yaml", false, false, ""},
	} {
		same, known := set(t).SameRepository(c.a, c.b)
		require.Equal(t, c.known, known, c.why)
		if known {
			require.Equal(t, c.same, same, c.why)
		}
	}
}

func TestParse(t *testing.T) {
	s, warnings, err := integration.Parse(nil)
	require.NoError(t, err)
	require.Empty(t, warnings)
	require.Len(t, s.Hosts(), 3, "github.com, gitlab.com and bitbucket.org are always there")

	config := jsonvalue.NewObject(
		jsonvalue.Member{Key: "github", Value: []any{jsonvalue.NewObject(jsonvalue.Member{Key: "apiBaseUrl", Value: "https://api.github.com/"})}},
		jsonvalue.Member{Key: "jenkins", Value: []any{map[string]any{"baseUrl": "https://jenkins"}}},
		jsonvalue.Member{Key: "azure", Value: []any{}},
	)
	s, warnings, err = integration.Parse(config)
	require.NoError(t, err)
	require.Equal(t, []string{
		"integrations.azure is not supported in this release and is ignored",
		"integrations.jenkins is not a known kind of integration and is ignored",
	}, warnings)
	h, ok := s.ByURL("https://github.com/a/b")
	require.True(t, ok)
	require.Equal(t, "https://api.github.com", h.API())
	require.Equal(t, "https://raw.githubusercontent.com", h.RawBaseURL)
}

func TestParseErrors(t *testing.T) {
	one := func(kind string, fields map[string]any) any { return map[string]any{kind: []any{fields}} }
	for _, c := range []struct {
		config any
		want   string
	}{
		{"text", "integrations: expected an object"},
		{map[string]any{"github": "x"}, "integrations.github: expected a list"},
		{map[string]any{"gitlab": []any{"x"}}, "integrations.gitlab[0]: expected an object"},
		{one("github", map[string]any{"host": 1}), "integrations.github[0].host: expected a string that is not empty"},
		{one("github", map[string]any{"host": "a/b"}), `integrations.github[0].host: "a/b" is not a valid host`},
		{one("github", map[string]any{"host": "ghe"}), "integrations.github[0]: host ghe needs apiBaseUrl or rawBaseUrl"},
		{one("gitlab", map[string]any{"host": "gl"}), "integrations.gitlab[0]: host gl needs apiBaseUrl"},
		{one("github", map[string]any{"apiBaseUrl": "secret"}), "integrations.github[0].apiBaseUrl: not a valid URL"},
		{one("github", map[string]any{"token": 12}), "integrations.github[0].token: expected a string that is not empty"},
		{map[string]any{"github": []any{map[string]any{}, map[string]any{}}}, "integrations.github[1]: host github.com is configured twice"},
		{one("github", map[string]any{"apps": "x"}), "integrations.github[0].apps: expected a list"},
		{one("github", map[string]any{"apps": []any{map[string]any{"privateKey": "x"}}}), "integrations.github[0].apps[0].appId: missing"},
		{one("github", map[string]any{"apps": []any{map[string]any{"appId": 1.5, "privateKey": "x"}}}), "integrations.github[0].apps[0].appId: expected a whole number"},
		{one("github", map[string]any{"apps": []any{map[string]any{"appId": 1}}}), "integrations.github[0].apps[0].privateKey: missing"},
		{one("github", map[string]any{"apps": []any{map[string]any{"appId": 1, "privateKey": "sesame"}}}), "integrations.github[0].apps[0].privateKey: expected an RSA private key in PEM form"},
		{one("github", map[string]any{"apiBaseUrl": "https://u:secret@h/"}), "integrations.github[0].apiBaseUrl: not a valid URL"},
		{one("gitlab", map[string]any{"retry": map[string]any{"retryStatusCodes": []any{7}}}), "integrations.gitlab[0].retry.retryStatusCodes[0]: expected an HTTP status"},
		{one("gitlab", map[string]any{"retry": map[string]any{"maxRetries": 11}}), "integrations.gitlab[0].retry.maxRetries: expected a number from 0 to 10"},
		{one("git", map[string]any{}), "integrations.git[0].host: missing"},
		{one("git", map[string]any{"host": "h", "token": "a", "password": "b"}), "integrations.git[0]: host h has both a token and a password: use one"},
		{one("gitea", map[string]any{}), "integrations.gitea[0].host: missing"},
		{one("gitea", map[string]any{"host": "h", "baseUrl": "h"}), "integrations.gitea[0].baseUrl: not a valid URL"},
		{one("gitea", map[string]any{"host": "h", "token": "sesame"}), "integrations.gitea[0].token: Gitea takes a token as password"},
		{one("bitbucketCloud", map[string]any{"host": "h"}), "integrations.bitbucketCloud[0]: host h needs apiBaseUrl"},
		{one("bitbucketCloud", map[string]any{"appPassword": "sesame"}), "integrations.bitbucketCloud[0].username: missing: appPassword is of a user"},
		{one("bitbucketCloud", map[string]any{"username": "u", "appPassword": "a", "token": "b"}), "integrations.bitbucketCloud[0]: host bitbucket.org has both a token and a password: use one"},
		{one("git", map[string]any{"host": "h", "ssh": map[string]any{"privateKey": "sesame"}}),
			"integrations.git[0].ssh.knownHosts: missing: without the keys of the server its answers cannot be trusted; ssh-keyscan h prints them"},
	} {
		_, _, err := integration.Parse(c.config)
		require.EqualError(t, err, c.want)
	}
}

// What to sign in with over HTTP differs between the hosts and the credentials.
func TestGitCredentials(t *testing.T) {
	for _, c := range []struct {
		kind           string
		config         map[string]any
		user, password string
	}{
		{"git", map[string]any{"host": "h"}, "git", ""},
		{"git", map[string]any{"host": "h", "username": "u", "token": "t"}, "u", "t"},
		{"gitea", map[string]any{"host": "h", "username": "u", "password": "p"}, "u", "p"},
		{"gitea", map[string]any{"host": "h", "password": "p"}, "git", "p"},
		{"bitbucketCloud", map[string]any{"username": "u", "appPassword": "p"}, "u", "p"},
		{"bitbucketCloud", map[string]any{"username": "u@example.com", "token": "t"}, "x-bitbucket-api-token-auth", "t"},
		{"bitbucketCloud", map[string]any{"token": "t"}, "x-token-auth", "t"},
	} {
		s, _, err := integration.Parse(map[string]any{c.kind: []any{c.config}})
		require.NoError(t, err)
		h := s.Hosts()[0]
		require.True(t, h.OverGit())
		user, password := h.GitCredentials()
		require.Equal(t, []string{c.user, c.password}, []string{user, password}, "%s %v", c.kind, c.config)
	}
}

func TestAPI(t *testing.T) {
	s, _, err := integration.Parse(map[string]any{
		"gitea":          []any{map[string]any{"host": "a"}, map[string]any{"host": "b", "baseUrl": "https://b/tea/"}},
		"bitbucketCloud": []any{map[string]any{}},
	})
	require.NoError(t, err)
	for raw, want := range map[string]string{"https://a": "https://a/api/v1", "https://b": "https://b/tea/api/v1", "https://bitbucket.org": "https://api.bitbucket.org/2.0"} {
		h, ok := s.ByURL(raw)
		require.True(t, ok)
		require.Equal(t, want, h.API())
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("./x.yaml", "https://github.com/acme/shop/blob/main/dir/all.yaml")
	f.Add("/../x.yaml?a#b", "https://h:80/d/a.yaml?z=1#y")
	f.Add("%2e%2E\\x", "http://u:p@h//")
	s, _, _ := integration.Parse(nil)
	f.Fuzz(func(t *testing.T, target, base string) {
		got, err := s.Resolve(target, base)
		if err != nil {
			return
		}
		if again, err := s.Resolve(got, base); err == nil && again != got {
			t.Fatalf("%q from %q is %q, and that is %q", target, base, got, again)
		}
		s.SourceURLs(got)
		s.SameRepository(got, base)
	})
}

func TestResolveFromTheRootOfARepository(t *testing.T) {
	for base, want := range map[string]string{
		"https://tea.acme.com/a/b/src/branch/main/d/x.yaml": "https://tea.acme.com/a/b/src/branch/main/y.yaml",
		"https://bitbucket.org/a/b/src/main/d/x.yaml":       "https://bitbucket.org/a/b/src/main/y.yaml",
	} {
		got, err := set(t).Resolve("/y.yaml", base)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
