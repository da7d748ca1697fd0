package github_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// api asks a double without credentials, budgets and retries.
type api struct {
	forge         *forgetest.GitHub
	installations map[int64][]string
	fail          error
}

func newAPI(t testing.TB, g *forgetest.GitHub) *api {
	t.Helper()
	return &api{forge: g}
}

func (a *api) GraphQL(ctx context.Context, host, _, query string, variables map[string]any, into any) error {
	if host != a.forge.Host() {
		return fmt.Errorf("no integration for %s", host)
	}
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.forge.URL()+"/api/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return github.DecodeGraphQL(data, into)
}

func (a *api) Installations(_ context.Context, _ string, app int64) ([]string, error) {
	return a.installations[app], a.fail
}

// clients are those of production, for the double.
func clients(t testing.TB, g *forgetest.GitHub) *github.Clients {
	t.Helper()
	set, _, err := integration.Parse(map[string]any{"github": []any{map[string]any{"host": g.Host(), "apiBaseUrl": g.API(), "rawBaseUrl": g.Raw(), "token": "secret"}}})
	require.NoError(t, err)
	all, err := github.NewClients(set, github.ClientOptions{})
	require.NoError(t, err)
	return all
}
