package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

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

// Gitea and Bitbucket Cloud are published to by their APIs, pushed to with what
// the integration has for Git, and read as Git servers afterwards.
func TestPublishedRepositoriesAreRead(t *testing.T) {
	tea, bucket := forgetest.NewGitea(t), forgetest.NewBitbucket(t)
	tea.AddToken("of-gitea")
	bucket.AddToken("of-bitbucket")
	set, _, err := integration.Parse(map[string]any{
		"gitea":          []any{map[string]any{"host": tea.Host(), "baseUrl": tea.URL(), "username": "robot", "password": "of-gitea"}},
		"bitbucketCloud": []any{map[string]any{"host": bucket.Host(), "apiBaseUrl": bucket.API(), "token": "of-bitbucket"}},
	})
	require.NoError(t, err)
	f, err := newForges(set, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	p := scaffolderParts{hosts: set, forges: f, settings: &config.Settings{}}
	registry, err := taskaction.NewRegistry(builtinActions(p, nil)...)
	require.NoError(t, err)
	for id, input := range map[string]string{
		"publish:gitea":          `{"repoUrl":"` + tea.Host() + `?owner=acme&repo=new","description":"D","repoVisibility":"private"}`,
		"publish:bitbucketCloud": `{"repoUrl":"` + bucket.Host() + `?workspace=acme&project=SHOP&repo=new"}`,
	} {
		a, err := registry.Lookup(id)
		require.NoError(t, err)
		c, r := actiontest.NewContext(t)
		require.NoError(t, c.Workspace.WriteFile("catalog-info.yaml", []byte("kind: X"), 0o644))
		require.NoError(t, r.Run(t.Context(), a, c, input))
		var out struct{ RepoContentsURL, RemoteURL string }
		require.NoError(t, json.Unmarshal([]byte(r.Outputs()), &out))
		target := strings.TrimSuffix(out.RepoContentsURL, "/") + "/catalog-info.yaml"
		data := readFrom(t, f, target)
		require.Equal(t, "kind: X", data, target)

		git, err := registry.Lookup("publish:git")
		require.NoError(t, err)
		c, r = actiontest.NewContext(t)
		require.NoError(t, c.Workspace.WriteFile("a", []byte("1"), 0o644))
		require.NoError(t, r.Run(t.Context(), git, c, `{"remoteUrl":"`+out.RemoteURL+`","defaultBranch":"next"}`))
	}
	found, err := completers(p)["bitbucket-cloud"].Complete(t.Context(), "projects", "of-bitbucket", map[string]string{"host": bucket.Host(), "workspace": "acme"})
	require.NoError(t, err)
	require.Len(t, found, 2)
}

// readFrom reads a file as locations do.
func readFrom(t *testing.T, f *forges, target string) string {
	for _, s := range f.sources() {
		if s.Matches(target) {
			data, _, _, err := s.Read(t.Context(), target, "")
			require.NoError(t, err)
			return string(data)
		}
	}
	t.Fatalf("nobody reads %s", target)
	return ""
}

// publish:git pushes over SSH with the key of the integration.
func TestActionsPublishOverSSH(t *testing.T) {
	plain := forgetest.NewPlain(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	key, err := ssh.NewPublicKey(public)
	require.NoError(t, err)
	server, err := plain.ServeSSH(key)
	require.NoError(t, err)
	_, err = plain.CreateRepository(forgetest.Repository{FullName: "acme/new"})
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	set, _, err := integration.Parse(map[string]any{"git": []any{map[string]any{"host": server.Host(),
		"ssh": map[string]any{"privateKey": string(pem.EncodeToMemory(block)), "knownHosts": server.KnownHosts()}}}})
	require.NoError(t, err)
	f, err := newForges(set, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	registry, err := taskaction.NewRegistry(builtinActions(scaffolderParts{hosts: set, forges: f, settings: &config.Settings{}}, nil)...)
	require.NoError(t, err)
	a, err := registry.Lookup("publish:git")
	require.NoError(t, err)
	c, r := actiontest.NewContext(t)
	require.NoError(t, c.Workspace.WriteFile("a", []byte("1"), 0o644))
	require.NoError(t, r.Run(t.Context(), a, c, `{"remoteUrl":"`+server.URL()+`/acme/new.git"}`))
	require.FileExists(t, plain.GitDir("acme/new")+"/refs/heads/main")
	require.ErrorContains(t, r.Run(t.Context(), a, c, `{"remoteUrl":"git@github.com:acme/new.git"}`), "integrations.git has no entry with ssh.privateKey")
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
