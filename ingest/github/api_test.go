package github_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
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
	if app == 0 {
		var all []string
		for _, list := range a.installations {
			all = append(all, list...)
		}
		return all, a.fail
	}
	return a.installations[app], a.fail
}
