package bitbucketcloud_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
)

func TestPublish(t *testing.T) {
	for name, credentials := range map[string]map[string]any{
		"with an app password":   signedIn(),
		"with a token of a user": {"username": "robot@example.com", "token": password},
		"with a token alone":     {"token": password},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, credentials)
			b.options.Defaults.Message = "Configured"
			c, r := actiontest.NewContext(t)
			content(t, c)
			err := r.Run(t.Context(), b.action("publish:bitbucketCloud"), c, b.input("shop", ""))
			require.NoError(t, err)
			noSecret(t, r, err)
			require.Equal(t, contentTree, b.tree("acme/shop", "master"))
			require.Equal(t, "Scaffolder <scaffolder@backstage.io> Configured", b.git("acme/shop", "log", "--format=%an <%ae> %s", "master"))
			repository, _ := b.Repository("acme/shop")
			require.Equal(t, forgetest.Private, repository.Visibility)
			require.Empty(t, repository.Description, "the marker is gone")
			require.Equal(t, "SHOP", b.Project("acme/shop"))
			require.Equal(t, map[string]any{"remoteUrl": b.URL() + "/acme/shop.git", "repoContentsUrl": b.URL() + "/acme/shop/src/master",
				"commitHash": b.git("acme/shop", "rev-parse", "master")}, outputs(t, r))
		})
	}
}

func TestPublishEverything(t *testing.T) {
	b := newBench(t, map[string]any{})
	b.sign()
	c, r := actiontest.NewContext(t)
	content(t, c)
	require.NoError(t, r.Run(t.Context(), b.action("publish:bitbucketCloud"), c,
		b.input("shop", `,"description":"D","defaultBranch":"trunk","repoVisibility":"public","gitCommitMessage":"M","sourcePath":"src","token":"mine","signCommit":true`)))
	require.Equal(t, "100644 main.go", b.tree("acme/shop", "trunk"))
	require.Equal(t, "M", b.git("acme/shop", "log", "--format=%s", "trunk"))
	require.Contains(t, b.git("acme/shop", "cat-file", "commit", "trunk"), "gpgsig -----BEGIN PGP SIGNATURE-----")
	repository, _ := b.Repository("acme/shop")
	require.Equal(t, []string{forgetest.Public, "D"}, []string{repository.Visibility, repository.Description})
	require.Contains(t, r.Redacted(), "mine")
}

func TestPublishAgain(t *testing.T) {
	b := newBench(t, signedIn())
	a := b.action("publish:bitbucketCloud")
	c, r := actiontest.NewContext(t)
	content(t, c)
	remove := b.Inject(forgetest.Fault{Route: "edit repository", Status: 400, Body: `{"error":{"message":"no","fields":{"project":["wrong"]}}}`})
	err := r.Run(t.Context(), a, c, b.input("shop", ""))
	require.ErrorContains(t, err, "no; project: [wrong] (status 400). The repository "+b.URL()+"/acme/shop exists now and is not complete: retry the task")
	remove()
	require.NoError(t, c.Workspace.RemoveAll(".git"), "the workspace is set back")
	require.NoError(t, r.Run(t.Context(), a, c, b.input("shop", "")))
	require.Equal(t, "1", b.git("acme/shop", "rev-list", "--count", "master"))
	require.Len(t, b.Writes("create repository"), 1)

	t.Run("an answer that was lost", func(t *testing.T) {
		b.Inject(forgetest.Fault{Route: "create repository", CutAfter: -1, Times: 1})
		c, r := actiontest.NewContext(t)
		require.NoError(t, r.Run(t.Context(), a, c, b.input("lost", "")))
		require.Contains(t, strings.Join(r.Lines(), "\n"), "Going on with the repository")
	})
	t.Run("a stranger's repository", func(t *testing.T) {
		_, err := b.Add(forgetest.Repository{FullName: "acme/theirs"}, map[string]string{"a": "theirs"})
		require.NoError(t, err)
		c, r := actiontest.NewContext(t)
		before := len(b.Writes(""))
		err = r.Run(t.Context(), a, c, b.input("theirs", ""))
		require.EqualError(t, err, "create the repository acme/theirs: Repository with this Slug and Owner already exists. (status 400)")
		require.Len(t, b.Writes(""), before)
	})
	t.Run("a host that is busy", func(t *testing.T) {
		b.Inject(forgetest.Fault{Route: "create repository", Status: 429, Header: map[string][]string{"Retry-After": {"0"}}, Times: 1})
		b.Inject(forgetest.Fault{Route: "git push", Status: 503, Times: 1})
		b.Inject(forgetest.Fault{Route: "edit repository", Status: 502, Times: 2})
		c, r := actiontest.NewContext(t)
		require.NoError(t, r.Run(t.Context(), a, c, b.input("busy", "")))
		require.Len(t, b.Writes("edit repository"), 3, "each of the other tasks has done it once")
	})
}

func TestPublishFails(t *testing.T) {
	for name, c := range map[string]struct {
		credentials map[string]any
		url, more   string
		fault       forgetest.Fault
		required    bool
		want        string
		is          error
	}{
		"no credentials":         {credentials: map[string]any{}, want: "Authorization has not been provided for Bitbucket Cloud", is: catalog.ErrInput},
		"only those of users":    {required: true, want: "No user credentials provided for host", is: catalog.ErrInput},
		"another host":           {url: "git.example.com?workspace=a&project=b&repo=c", want: "No matching integration configuration for host git.example.com", is: catalog.ErrInput},
		"no workspace":           {url: "HOST?project=b&repo=c", want: "missing workspace", is: catalog.ErrInput},
		"no project":             {url: "HOST?workspace=a&repo=c", want: "missing project", is: catalog.ErrInput},
		"a project not there":    {url: "HOST?workspace=acme&project=NOPE&repo=c", want: "Project with key 'NOPE' does not exist", is: catalog.ErrInput},
		"a workspace not there":  {url: "HOST?workspace=nobody&project=SHOP&repo=c", want: "No workspace with identifier 'nobody'", is: catalog.ErrNotFound},
		"a folder not there":     {more: `,"sourcePath":"nope"`, want: "there is no folder nope", is: catalog.ErrInput},
		"no key":                 {more: `,"signCommit":true`, want: "Signing commits is enabled but no signing key is provided", is: catalog.ErrInput},
		"a bad token":            {more: `,"token":"wr0ng"`, want: "Bad credentials (status 401)", is: catalog.ErrNotAllowed},
		"no scope":               {fault: forgetest.Fault{Route: "create repository", Status: 403, Body: `{"error":{"message":"Your credentials lack one or more required privilege scopes."}}`}, want: "privilege scopes.: the token needs the scopes", is: catalog.ErrNotAllowed},
		"a push that is refused": {fault: forgetest.Fault{Route: "git push", Status: 403}, want: "the credentials may not push there", is: catalog.ErrNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			if c.credentials == nil {
				c.credentials = signedIn()
			}
			b := newBench(t, c.credentials)
			b.options.RequireUserCredentials = c.required
			if c.fault.Status != 0 {
				b.Inject(c.fault)
			}
			in := b.input("shop", c.more)
			if c.url != "" {
				in = strings.Replace(in, b.url("shop"), strings.Replace(c.url, "HOST", b.Host(), 1), 1)
			}
			ctx, r := actiontest.NewContext(t)
			content(t, ctx)
			err := r.Run(t.Context(), b.action("publish:bitbucketCloud"), ctx, in)
			require.ErrorContains(t, err, c.want)
			require.ErrorIs(t, err, c.is)
			noSecret(t, r, err)
		})
	}
}
