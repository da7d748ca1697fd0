package github_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
)

func TestClientGraphQL(t *testing.T) {
	b := newBench(t, nil, github.ReaderOptions{})
	clients, ctx := clientsOf(t, b), context.Background()
	key, _ := appKey(t)
	b.AddApp(forgetest.App{ID: 7, Key: &key.PublicKey})
	b.AddToken("pat")
	b.add("acme/shop", map[string]string{"a.yaml": "1"})
	// The app of clientsOf has a key that the host does not know.
	var answer struct {
		Repository struct{ Name string }
	}
	query := `query($owner: String!) { repository(owner: $owner, name: "shop") { name } }`
	variables := map[string]any{"owner": "acme"}
	err := clients.GraphQL(ctx, b.Host(), "acme", query, variables, &answer)
	require.ErrorContains(t, err, "list the installations of app 7: 401")

	client := b.signedIn("pat")
	require.NoError(t, client.GraphQL(ctx, b.Host(), "acme", query, variables, &answer))
	require.Equal(t, "shop", answer.Repository.Name)
	_, remaining := b.Budget("pat", "graphql")
	require.Less(t, remaining, 5000)

	b.Inject(forgetest.Fault{Status: 502, Times: 1, When: isGraphQL})
	require.NoError(t, client.GraphQL(ctx, b.Host(), "acme", query, variables, &answer), "a query may be sent again")
	b.Inject(forgetest.Fault{CutAfter: 5, Times: 1, When: isGraphQL})
	require.NoError(t, client.GraphQL(ctx, b.Host(), "acme", query, variables, &answer), "an answer that breaks off")
	remove := b.Inject(forgetest.Fault{Status: 502, When: isGraphQL})
	err = client.GraphQL(ctx, b.Host(), "acme", query, variables, &answer)
	var tooMuch interface{ TooMuch() bool }
	require.ErrorAs(t, err, &tooMuch)
	require.True(t, tooMuch.TooMuch(), "a smaller query may do")
	remove()
	err = client.GraphQL(ctx, b.Host(), "acme", "query { nonsense }", nil, &answer)
	var inAnswer *github.GraphQLError
	require.ErrorAs(t, err, &inAnswer)
}

func isGraphQL(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/graphql") }

// signedIn are clients of the double with a token.
func (b *bench) signedIn(token string) *github.Clients {
	set, err := parseGitHub(map[string]any{"host": b.Host(), "apiBaseUrl": b.API(), "token": token})
	require.NoError(b.t, err)
	clients, err := github.NewClients(set, github.ClientOptions{Sleep: b.clock.sleep})
	require.NoError(b.t, err)
	return clients
}

func TestClientRenames(t *testing.T) {
	b := newBench(t, nil, github.ReaderOptions{})
	b.add("acme/shop", map[string]string{"a.yaml": "one\ntwo\n", "b.yaml": "other"})
	c, err := b.Push("acme/shop", "main", "Rename", map[string]forgetest.Change{
		"a.yaml": {Remove: true}, "dir/a.yaml": {Content: "one\ntwo\n"}, "c.yaml": {Content: "new"}, "b.yaml": {Remove: true},
	})
	require.NoError(t, err)
	clients, ctx := b.signedIn("pat"), context.Background()
	renamed, err := clients.Renames(ctx, b.Host(), "acme", "shop", c.SHA)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"dir/a.yaml": "a.yaml"}, renamed)
	_, err = clients.Renames(ctx, b.Host(), "acme", "shop", "main")
	require.ErrorContains(t, err, "is not a commit")
	_, err = clients.Renames(ctx, b.Host(), "acme", "nothing", c.SHA)
	require.ErrorContains(t, err, "404")
	require.NotContains(t, err.Error(), "pat")
}
