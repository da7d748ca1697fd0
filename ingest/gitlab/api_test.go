package gitlab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// api asks a double without credentials, budgets and retries. As gitlab.com it
// can be asked under that name.
type api struct {
	forge *forgetest.GitLab
	as    string
}

func newAPI(t testing.TB, g *forgetest.GitLab) *api {
	t.Helper()
	return &api{forge: g, as: g.Host()}
}

func (a *api) send(ctx context.Context, method, host, url string, body []byte, into any) (*http.Response, error) {
	if host != a.as {
		return nil, fmt.Errorf("no integration for %s", host)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer secret")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return resp, catalog.ErrNotFound
	case resp.StatusCode != http.StatusOK:
		return resp, fmt.Errorf("status %d", resp.StatusCode)
	case into == nil:
		return resp, nil
	}
	return resp, json.NewDecoder(resp.Body).Decode(into)
}

func (a *api) Get(ctx context.Context, host, path string, query url.Values, into any) (http.Header, error) {
	resp, err := a.send(ctx, http.MethodGet, host, a.forge.API()+"/"+path+"?"+query.Encode(), nil, into)
	if err != nil {
		return nil, err
	}
	return resp.Header, nil
}

func (a *api) Exists(ctx context.Context, host, path string, query url.Values) (bool, error) {
	_, err := a.send(ctx, http.MethodHead, host, a.forge.API()+"/"+path+"?"+query.Encode(), nil, nil)
	if errors.Is(err, catalog.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (a *api) GraphQL(ctx context.Context, host, query string, variables map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if _, err := a.send(ctx, http.MethodPost, host, a.forge.URL()+"/api/graphql", body, &answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		return errors.New(answer.Errors[0].Message)
	}
	return json.Unmarshal(answer.Data, into)
}
