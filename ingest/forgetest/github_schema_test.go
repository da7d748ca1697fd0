package forgetest_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// schemas compiles what GitHub publishes of its answers, by operation.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	data, err := os.ReadFile("testdata/github-openapi.json")
	require.NoError(t, err)
	var document struct{ Routes map[string]any }
	require.NoError(t, json.Unmarshal(data, &document))
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft7
	require.NoError(t, compiler.AddResource("openapi.json", strings.NewReader(string(data))))
	out := map[string]*jsonschema.Schema{}
	for name := range document.Routes {
		out[name], err = compiler.Compile("openapi.json#/routes/" + strings.ReplaceAll(name, " ", "%20"))
		require.NoError(t, err, name)
	}
	return out
}

// TestGitHubAnswers holds every answer against what GitHub publishes.
func TestGitHubAnswers(t *testing.T) {
	g, compiled := forgetest.NewGitHub(t), schemas(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	g.AddApp(forgetest.App{ID: 7, Key: &key.PublicKey, Installations: []forgetest.Installation{{ID: 1, Account: "acme"}, {ID: 2, Account: "x", Suspended: true}}})
	_, err = g.Add(forgetest.Repository{FullName: "acme/shop", Topics: []string{"a"}, Description: "x"}, map[string]string{"a/catalog-info.yaml": "kind: A\n"})
	require.NoError(t, err)
	c, err := g.Push("acme/shop", "main", "Rename", map[string]forgetest.Change{
		"a/catalog-info.yaml": {Remove: true}, "b/catalog-info.yaml": {Content: "kind: A\n"}, "link": {Content: "b", Mode: forgetest.ModeSymlink},
	})
	require.NoError(t, err)
	sign := func() string {
		claims := jwt.RegisteredClaims{Issuer: "7", ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Minute))}
		signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(key)
		require.NoError(t, err)
		return signed
	}
	installed := askChecked(t, g, "POST", "/app/installations/1/access_tokens", sign(), compiled["installation token"], http.StatusCreated)["token"].(string)
	blob := gitHash(t, "kind: A\n")
	checked := map[string]bool{"installation token": true}
	for _, r := range []struct{ name, path, token string }{
		{"repository", "/repos/acme/shop", installed},
		{"contents", "/repos/acme/shop/contents/b/catalog-info.yaml", installed},
		{"contents", "/repos/acme/shop/contents/b", installed},
		{"contents", "/repos/acme/shop/contents/", installed},
		{"commit", "/repos/acme/shop/commits/main", installed},
		{"status", "/repos/acme/shop/commits/main/status", installed},
		{"tree", "/repos/acme/shop/git/trees/" + c.SHA + "?recursive=1", installed},
		{"blob", "/repos/acme/shop/git/blobs/" + blob, installed},
		{"branches", "/repos/acme/shop/branches", installed},
		{"search code", "/search/code?q=filename:catalog-info.yaml+org:acme", installed},
		{"rate limit", "/rate_limit", installed},
		{"installation repositories", "/installation/repositories", installed},
		{"app", "/app", sign()},
		{"installations", "/app/installations", sign()},
		{"installation", "/orgs/acme/installation", sign()},
	} {
		t.Run(r.name, func(t *testing.T) {
			answer := askChecked(t, g, "GET", r.path, r.token, compiled[r.name], http.StatusOK)
			if r.name == "commit" {
				require.Contains(t, answer["files"].([]any)[0].(map[string]any), "previous_filename", "a rename is one")
			}
		})
		checked[r.name] = true
	}
	for name := range compiled {
		require.True(t, checked[name], "%s is not asked for", name)
	}
}

func gitHash(t *testing.T, content string) string {
	f := forgetest.NewGitHub(t)
	_, err := f.Add(forgetest.Repository{FullName: "a/b"}, map[string]string{"x": content})
	require.NoError(t, err)
	tree, _, err := githubClient(t, f, "").Git.GetTree(context.Background(), "a", "b", "main", false)
	require.NoError(t, err)
	return tree.Entries[0].GetSHA()
}

// askChecked returns an answer that is an object; lists come as nil.
func askChecked(t *testing.T, g *forgetest.GitHub, method, path, token string, schema *jsonschema.Schema, status int) map[string]any {
	req, err := http.NewRequest(method, g.API()+path, nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(status), strconv.Itoa(res.StatusCode), string(body))
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var answer any
	require.NoError(t, decoder.Decode(&answer))
	require.NoError(t, schema.Validate(answer))
	object, _ := answer.(map[string]any)
	return object
}
