package forgetest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xanzy/go-gitlab"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

//lint:ignore SA1019 the client that production uses
func gitlabClient(t *testing.T, g *forgetest.GitLab, token string) *gitlab.Client {
	//lint:ignore SA1019 the client that production uses
	client, err := gitlab.NewOAuthClient(token, gitlab.WithBaseURL(g.API()), gitlab.WithCustomRetryMax(0))
	require.NoError(t, err)
	return client
}

// TestGitLabClient reads with the client that production uses.
func TestGitLabClient(t *testing.T) {
	g := forgetest.NewGitLab(t)
	c, err := g.Add(forgetest.Repository{FullName: "acme/web/shop"}, map[string]string{"a/catalog-info.yaml": "kind: A\n", "b.txt": "b"})
	require.NoError(t, err)
	client, main := gitlabClient(t, g, "secret"), gitlab.Ptr("main")

	raw, _, err := client.RepositoryFiles.GetRawFile("acme/web/shop", "a/catalog-info.yaml", &gitlab.GetRawFileOptions{Ref: main})
	require.NoError(t, err)
	require.Equal(t, "kind: A\n", string(raw))
	meta, _, err := client.RepositoryFiles.GetFileMetaData("acme/web/shop", "b.txt", &gitlab.GetFileMetaDataOptions{Ref: main})
	require.NoError(t, err)
	require.Equal(t, c.SHA, meta.CommitID)

	commits, _, err := client.Commits.ListCommits("acme/web/shop", &gitlab.ListCommitsOptions{RefName: main})
	require.NoError(t, err)
	require.Len(t, commits, 1)
	require.Equal(t, c.SHA, commits[0].ID)
	tree, _, err := client.Repositories.ListTree("acme/web/shop", &gitlab.ListTreeOptions{Ref: main, Recursive: gitlab.Ptr(true)})
	require.NoError(t, err)
	require.Len(t, tree, 3)
	archive, _, err := client.Repositories.Archive("acme/web/shop", &gitlab.ArchiveOptions{Format: gitlab.Ptr("tar.gz"), SHA: main, Path: gitlab.Ptr("a")})
	require.NoError(t, err)
	require.NotEmpty(t, archive)

	require.NoError(t, g.Rename("acme/web/shop", "acme/store"))
	project, _, err := client.Projects.GetProject("acme/web/shop", nil)
	require.NoError(t, err)
	require.Equal(t, "acme/store", project.PathWithNamespace)
	_, resp, err := client.Projects.GetProject("acme/nothing", nil)
	require.Error(t, err)
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestGitLabBudget(t *testing.T) {
	g := forgetest.NewGitLab(t)
	_, err := g.Add(forgetest.Repository{FullName: "acme/shop"}, map[string]string{"a": "b"})
	require.NoError(t, err)
	g.SetBudget("secret", "core", 2000, 1, time.Now().Add(time.Minute))
	_, resp, err := gitlabClient(t, g, "secret").Projects.GetProject("acme/shop", nil)
	require.NoError(t, err)
	require.Equal(t, "0", resp.Header.Get("RateLimit-Remaining"))
	_, resp, err = gitlabClient(t, g, "secret").Projects.GetProject("acme/shop", nil)
	require.Error(t, err)
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
}
