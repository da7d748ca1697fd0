package main

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	taskaction "github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
)

// Actions push with the credentials of the integrations, each to its own host.
func TestActionsPublishWithTheIntegrations(t *testing.T) {
	github, gitlab, plain := forgetest.NewGitHub(t), forgetest.NewGitLab(t), forgetest.NewPlain(t)
	github.AddToken("of-github")
	gitlab.AddToken("of-gitlab")
	plain.AddToken("of-git")
	for _, f := range []*forgetest.Forge{github.Forge, gitlab.Forge, plain} {
		_, err := f.CreateRepository(forgetest.Repository{FullName: "acme/there", Visibility: forgetest.Private})
		require.NoError(t, err)
	}
	set, _, err := integration.Parse(map[string]any{
		"github": []any{map[string]any{"host": github.Host(), "apiBaseUrl": github.API(), "token": "of-github"}},
		"gitlab": []any{map[string]any{"host": gitlab.Host(), "apiBaseUrl": gitlab.API(), "baseUrl": gitlab.URL(), "token": "of-gitlab"}},
		"git":    []any{map[string]any{"host": plain.Host(), "token": "of-git"}},
	})
	require.NoError(t, err)
	f, err := newForges(set, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	p := scaffolderParts{hosts: set, forges: f, settings: &config.Settings{Scaffolder: config.Scaffolder{AuthorName: "Robot", CommitMessage: "Made"}}}
	registry, err := taskaction.NewRegistry(builtinActions(p, nil)...)
	require.NoError(t, err)
	run := func(id, input string) error {
		a, err := registry.Lookup(id)
		require.NoError(t, err)
		c, r := actiontest.NewContext(t)
		require.NoError(t, c.Workspace.WriteFile("a", []byte("1"), 0o644))
		return r.Run(t.Context(), a, c, input)
	}
	require.NoError(t, run("publish:github", `{"repoUrl":"`+github.Host()+`?owner=acme&repo=new"}`))
	require.NoError(t, run("publish:gitlab", `{"repoUrl":"`+gitlab.Host()+`?owner=acme&repo=new"}`))
	for _, host := range []*forgetest.Forge{github.Forge, gitlab.Forge, plain} {
		require.NoError(t, run("publish:git", `{"remoteUrl":"`+host.URL()+`/acme/there.git"}`))
	}
	require.ErrorContains(t, run("publish:git", `{"remoteUrl":"https://git.example.com/a/b"}`), "Nothing is pushed to git.example.com")
	require.ErrorContains(t, run("publish:github", `{"repoUrl":"github.com?owner=acme&repo=new"}`), "No token available for host: github.com")

	for provider, resource := range map[string]string{"github": "owners", "gitlab": "groups"} {
		host := map[string]string{"github": github.Host(), "gitlab": gitlab.Host()}[provider]
		found, err := completers(p)[provider].Complete(t.Context(), resource, "of-"+provider, map[string]string{"host": host})
		require.NoError(t, err)
		require.NotEmpty(t, found, provider)
	}
}

// A key that cannot sign is found out at the start, by the name of its setting.
func TestSigningKeysOfTheConfiguration(t *testing.T) {
	key := actiontest.SigningKey(t)
	for name, c := range map[string]struct{ standard, host, want string }{
		"none": {}, "both": {standard: key, host: strings.ReplaceAll(key, "\n", `\n`)},
		"a bad default":       {standard: "sesame", want: "scaffolder.defaultCommitSigningKey: expected an OpenPGP private key"},
		"a bad one of a host": {host: "sesame", want: "integrations.gitea, host tea.example.com, commitSigningKey: expected an OpenPGP private key"},
	} {
		t.Run(name, func(t *testing.T) {
			tea := map[string]any{"host": "tea.example.com"}
			if c.host != "" {
				tea["commitSigningKey"] = c.host
			}
			set, _, err := integration.Parse(map[string]any{"gitea": []any{tea}})
			require.NoError(t, err)
			s, err := signingKeys(scaffolderParts{hosts: set, settings: &config.Settings{Scaffolder: config.Scaffolder{CommitSigningKey: c.standard}}})
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				require.NotContains(t, err.Error(), "sesame")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.standard != "", s.Default != nil)
			require.Equal(t, c.host != "", s.Key("tea.example.com") != s.Default)
		})
	}
}
