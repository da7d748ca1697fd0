package filters_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// The recorded cases lie in a folder beside this checkout.
const casesPath = "../../../shared/conformance/nunjucks/cases.jsonl"

type hosts map[string]string

func (h hosts) HostKind(host string) (string, bool) {
	kind, ok := h[host]
	return kind, ok
}

func TestRecordedCases(t *testing.T) {
	f, err := os.Open(casesPath)
	if os.IsNotExist(err) {
		t.Skip("SKIPPED: the conformance cases are not beside this checkout")
	}
	require.NoError(t, err)
	defer f.Close()
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags(), Filters: filters.Funcs(filters.Backstage(nil))})
	n := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c struct {
			ID, Group, Template, Expected string
			Context                       json.RawMessage
			Error                         bool
			Reference                     *struct{ Expected string }
		}
		// Cases of other types belong to other groups.
		if json.Unmarshal(lines.Bytes(), &c) != nil || c.Group != "backstage-filters" {
			continue
		}
		n++
		vars, err := nunjucks.ParseJSON(c.Context)
		require.NoError(t, err)
		template, err := env.Compile(c.ID, c.Template)
		var out string
		if err == nil {
			out, err = template.Render(context.Background(), vars)
		}
		require.Equal(t, c.Error, err != nil, "%s %s: %v", c.ID, c.Template, err)
		if !c.Error && (c.Reference == nil || c.Reference.Expected != out) {
			require.Equal(t, c.Expected, out, "%s %s", c.ID, c.Template)
		}
	}
	require.NoError(t, lines.Err())
	require.Greater(t, n, 45)
}

func TestParseRepoURL(t *testing.T) {
	known := hosts{"ghe.acme.com:8443": "github", "gitea.acme.com": "gitea", "bbs": "bitbucketServer", "gerrit": "gerrit", "gl": "gitlab"}
	for _, c := range []struct {
		in   string
		want filters.RepoURL
		err  string
		why  string
	}{
		{in: "github.com?owner=acme&repo=shop", want: filters.RepoURL{Kind: "github", Host: "github.com", Owner: "acme", Repo: "shop"}},
		{in: "GitHub.com:443?owner=%2Facme%2F&repo=shop/", want: filters.RepoURL{Kind: "github", Host: "github.com", Owner: "acme", Repo: "shop"},
			why: "hosts are compared in lower case and slashes trimmed"},
		{in: "ghe.acme.com:8443?owner=o&repo=r", want: filters.RepoURL{Kind: "github", Host: "ghe.acme.com:8443", Owner: "o", Repo: "r"}},
		{in: "gl?project=12&repo=r", want: filters.RepoURL{Kind: "gitlab", Host: "gl", Project: "12", Repo: "r"}, why: "a project stands for an owner"},
		{in: "gl?repo=r", err: "Invalid repo URL passed to publisher: https://gl/?repo=r, missing owner"},
		{in: "gitea.acme.com?repo=r", want: filters.RepoURL{Kind: "gitea", Host: "gitea.acme.com", Repo: "r"}},
		{in: "gerrit?repo=r&workspace=w", want: filters.RepoURL{Kind: "gerrit", Host: "gerrit", Repo: "r", Workspace: "w"}},
		{in: "bbs?repo=r", err: "Invalid repo URL passed to publisher: https://bbs/?repo=r, missing project"},
		{in: "bitbucket.org?repo=r&project=p", err: "Invalid repo URL passed to publisher: https://bitbucket.org/?repo=r&project=p, missing workspace"},
		{in: "dev.azure.com?organization=o&project=p&repo=r", want: filters.RepoURL{Kind: "azure", Host: "dev.azure.com", Organization: "o", Project: "p", Repo: "r"}},
		{in: "github.com?repo=&owner=", err: "Invalid repo URL passed to publisher: https://github.com/?repo=&owner=, missing repo"},
		{in: "example.com?owner=o&repo=r", err: "No matching integration configuration for host example.com, please check your integrations config"},
		{in: "https://github.com/acme/shop", err: "No matching integration configuration for host https:, please check your integrations config",
			why: "a whole URL is refused"},
		{in: "", err: "Invalid repo URL passed to publisher, got , it must be of the form host?owner=...&repo=..."},
		{in: "me:secret@%zz?owner=o", err: "Invalid repo URL passed to publisher, got ***@%zz?owner=o, it must be of the form host?owner=...&repo=...",
			why: "credentials stay out of errors"},
		{in: "me:secret@github.com?owner=o", err: "Invalid repo URL passed to publisher: https://github.com/?owner=o, missing repo"},
	} {
		got, err := filters.ParseRepoURL(c.in, known)
		if c.err != "" {
			var invalid *filters.InvalidRepoURLError
			require.ErrorAs(t, err, &invalid, "%s %s", c.in, c.why)
			require.EqualError(t, err, c.err, "%s %s", c.in, c.why)
			continue
		}
		require.NoError(t, err, c.in)
		require.Equal(t, c.want, got, "%s %s", c.in, c.why)
	}
}

func TestPickPaths(t *testing.T) {
	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags(), Filters: filters.Funcs(filters.Backstage(nil))})
	vars, err := nunjucks.ParseJSON([]byte(`{"v":{"a":{"b":[{"c":"found"}]},"x.y":"dotted","q":{"k.l":"quoted","":"empty"},"n":null}}`))
	require.NoError(t, err)
	for _, c := range []struct{ path, want string }{
		{"'a.b[0].c'", "found"}, {"'a[b][0]c'", "found"}, {"'[\"a\"].b[0].c'", "found"}, {"'x.y'", "dotted"}, {"'q[\"k.l\"]'", "quoted"},
		{"'q.'", "empty"}, {"'a.nothing.c'", ""}, {"'n.c'", ""}, {"['a','b',0,'c']", "found"}, {"'a.b[0'", "[object Object]"}, {"missing", ""},
	} {
		template, err := env.Compile("", "${{ v | pick("+c.path+") }}")
		require.NoError(t, err, c.path)
		out, err := template.Render(context.Background(), vars)
		require.NoError(t, err, c.path)
		require.Equal(t, c.want, out, c.path)
	}
}

func TestEveryFilterDescribesItself(t *testing.T) {
	for _, f := range filters.Backstage(nil) {
		require.NotEmpty(t, f.Description, f.Name)
		require.NotNil(t, f.Input, f.Name)
		require.NotNil(t, f.Output, f.Name)
		require.NotEmpty(t, f.Examples, f.Name)
		for _, e := range f.Examples {
			require.Contains(t, e.Example, "| "+f.Name, "an example shows the filter")
		}
	}
}

func FuzzParseRepoURL(f *testing.F) {
	f.Add("github.com?owner=acme&repo=shop")
	f.Add("user:pw@[::1]:80?owner=%00")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := filters.ParseRepoURL(s, nil)
		if err == nil {
			require.NotEmpty(t, r.Host)
			require.Equal(t, strings.ToLower(r.Host), r.Host)
		}
	})
}
