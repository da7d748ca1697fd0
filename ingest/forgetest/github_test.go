package forgetest_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-github/v60/github"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

func githubClient(t *testing.T, g *forgetest.GitHub, token string) *github.Client {
	client := github.NewClient(nil)
	if token != "" {
		client = client.WithAuthToken(token)
	}
	client, err := client.WithEnterpriseURLs(g.URL(), g.URL())
	require.NoError(t, err)
	return client
}

// TestGitHubClient reads with the client that production uses.
func TestGitHubClient(t *testing.T) {
	g, ctx := forgetest.NewGitHub(t), context.Background()
	c, err := g.Add(forgetest.Repository{FullName: "acme/shop"}, map[string]string{"a/catalog-info.yaml": "kind: A\n", "b.txt": "b"})
	require.NoError(t, err)
	client := githubClient(t, g, "secret")

	file, _, resp, err := client.Repositories.GetContents(ctx, "acme", "shop", "a/catalog-info.yaml", nil)
	require.NoError(t, err)
	text, err := file.GetContent()
	require.NoError(t, err)
	require.Equal(t, "kind: A\n", text)
	require.Equal(t, 5000, resp.Rate.Limit)
	_, folder, _, err := client.Repositories.GetContents(ctx, "acme", "shop", "a", nil)
	require.NoError(t, err)
	require.Len(t, folder, 1)

	sha, _, err := client.Repositories.GetCommitSHA1(ctx, "acme", "shop", "main", "")
	require.NoError(t, err)
	require.Equal(t, c.SHA, sha)
	_, resp, err = client.Repositories.GetCommitSHA1(ctx, "acme", "shop", "main", sha)
	require.Error(t, err)
	require.Equal(t, http.StatusNotModified, resp.StatusCode)
	require.Equal(t, forgetest.Count{Total: 2, Billable: 1, NotModified: 1}, g.Requests()["commit"])

	tree, _, err := client.Git.GetTree(ctx, "acme", "shop", sha, true)
	require.NoError(t, err)
	require.Len(t, tree.Entries, 3)
	blob, _, err := client.Git.GetBlobRaw(ctx, "acme", "shop", tree.Entries[1].GetSHA())
	require.NoError(t, err)
	require.Equal(t, "kind: A\n", string(blob))

	require.NoError(t, g.Rename("acme/shop", "acme/store"))
	repo, _, err := client.Repositories.Get(ctx, "acme", "shop")
	require.NoError(t, err)
	require.Equal(t, "acme/store", repo.GetFullName())
	_, _, _, err = client.Repositories.GetContents(ctx, "acme", "nothing", "a", nil)
	var failure *github.ErrorResponse
	require.ErrorAs(t, err, &failure)
	require.Equal(t, http.StatusNotFound, failure.Response.StatusCode)
}

func TestGitHubPages(t *testing.T) {
	g, ctx := forgetest.NewGitHub(t), context.Background()
	for i := range 7 {
		_, err := g.CreateRepository(forgetest.Repository{FullName: fmt.Sprintf("acme/%d", i)})
		require.NoError(t, err)
	}
	_, err := g.CreateRepository(forgetest.Repository{FullName: "other/x"})
	require.NoError(t, err)
	o := &github.RepositoryListByOrgOptions{ListOptions: github.ListOptions{PerPage: 3}}
	var names []string
	for pages := 1; ; pages++ {
		list, res, err := githubClient(t, g, "").Repositories.ListByOrg(ctx, "acme", o)
		require.NoError(t, err)
		for _, r := range list {
			names = append(names, r.GetName())
		}
		if o.Page = res.NextPage; o.Page == 0 {
			require.Equal(t, 3, pages)
			break
		}
	}
	require.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6"}, names)
}

func TestGitHubTarball(t *testing.T) {
	g, ctx := forgetest.NewGitHub(t), context.Background()
	_, err := g.Add(forgetest.Repository{FullName: "acme/shop"}, map[string]string{"a/catalog-info.yaml": "kind: A\n"})
	require.NoError(t, err)
	link, _, err := githubClient(t, g, "").Repositories.GetArchiveLink(ctx, "acme", "shop", github.Tarball, nil, 0)
	require.NoError(t, err)
	resp, err := http.Get(link.String())
	require.NoError(t, err)
	defer resp.Body.Close()
	unzipped, err := gzip.NewReader(resp.Body)
	require.NoError(t, err)
	names := []string{}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		names = append(names, header.Name)
	}
	require.Len(t, names, 4, "pax header, root, folder, file: %v", names)
	again, err := http.Get(link.String())
	require.NoError(t, err)
	require.Equal(t, http.StatusNotFound, again.StatusCode, "the link is good once")
}

func TestGitHubBudget(t *testing.T) {
	g, ctx := forgetest.NewGitHub(t), context.Background()
	_, err := g.Add(forgetest.Repository{FullName: "acme/shop"}, map[string]string{"a": "b"})
	require.NoError(t, err)
	g.SetBudget("secret", "core", 5000, 1, time.Now().Add(time.Hour))
	_, _, err = githubClient(t, g, "secret").Repositories.Get(ctx, "acme", "shop")
	require.NoError(t, err)
	_, _, err = githubClient(t, g, "secret").Repositories.Get(ctx, "acme", "shop")
	var limit *github.RateLimitError
	require.ErrorAs(t, err, &limit)
	_, _, err = githubClient(t, g, "other").Repositories.Get(ctx, "acme", "shop")
	require.NoError(t, err, "each token has its own")

	g.InjectSecondaryLimit("repository", 1, 30*time.Second)
	_, _, err = githubClient(t, g, "other").Repositories.Get(ctx, "acme", "shop")
	var abuse *github.AbuseRateLimitError
	require.ErrorAs(t, err, &abuse)
	require.Equal(t, 30*time.Second, abuse.GetRetryAfter())
}

func TestGitHubApp(t *testing.T) {
	g, ctx := forgetest.NewGitHub(t), context.Background()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	g.AddApp(forgetest.App{ID: 7, Key: &key.PublicKey, Installations: []forgetest.Installation{{ID: 1, Account: "acme"}, {ID: 2, Account: "other", Suspended: true}}})
	for owner := range map[string]bool{"acme": true, "other": true} {
		_, err = g.Add(forgetest.Repository{FullName: owner + "/secret", Visibility: forgetest.Private}, map[string]string{"a": "b"})
		require.NoError(t, err)
	}
	sign := func(key *rsa.PrivateKey, lifetime time.Duration) string {
		now := time.Now()
		claims := jwt.RegisteredClaims{Issuer: "7", IssuedAt: jwt.NewNumericDate(now.Add(-time.Minute)), ExpiresAt: jwt.NewNumericDate(now.Add(lifetime))}
		signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(key)
		require.NoError(t, err)
		return signed
	}
	app := githubClient(t, g, sign(key, time.Minute))
	installations, _, err := app.Apps.ListInstallations(ctx, nil)
	require.NoError(t, err)
	require.Len(t, installations, 2)
	token, _, err := app.Apps.CreateInstallationToken(ctx, 1, nil)
	require.NoError(t, err)
	_, _, err = app.Apps.CreateInstallationToken(ctx, 2, nil)
	require.Error(t, err, "suspended")

	_, _, err = githubClient(t, g, token.GetToken()).Repositories.Get(ctx, "acme", "secret")
	require.NoError(t, err)
	_, _, err = githubClient(t, g, token.GetToken()).Repositories.Get(ctx, "other", "secret")
	require.Error(t, err, "another account's")
	_, _, err = githubClient(t, g, "made up").Repositories.Get(ctx, "acme", "secret")
	require.Error(t, err)

	_, _, err = githubClient(t, g, sign(key, time.Hour)).Apps.ListInstallations(ctx, nil)
	require.Error(t, err, "valid for too long")
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, _, err = githubClient(t, g, sign(other, time.Minute)).Apps.ListInstallations(ctx, nil)
	require.Error(t, err, "another key")
}
