package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action/rest"
)

func client(t *testing.T, handler http.HandlerFunc) *rest.Client {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &rest.Client{Base: server.URL + "/api", HTTP: server.Client(), Forbidden: "it needs more"}
}

func TestCall(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		fmt.Fprintf(w, `{"got":%q}`, r.Method+" "+r.RequestURI+" "+string(body)+" "+r.Header.Get("Content-Type"))
	})
	var into struct{ Got string }
	require.NoError(t, c.Call(t.Context(), "PUT", []string{"a b", "c/d"}, map[string][]string{"q": {"x"}}, map[string]int{"n": 1}, &into))
	require.Equal(t, `PUT /api/a%20b/c%2Fd?q=x {"n":1} application/json`, into.Got)
	require.NoError(t, c.Call(t.Context(), "DELETE", []string{"a"}, nil, nil, nil))
	require.ErrorContains(t, c.CallURL(t.Context(), "GET", "https://elsewhere.example.com/api/a", nil, nil), "none of its API")
	require.ErrorContains(t, c.CallURL(t.Context(), "GET", c.Base+"elsewhere", nil, nil), "none of its API")
}

func TestCallFails(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
		is     error
	}{
		"input":          {400, `{"message":"no such\n field"}`, "no such field (status 400)", catalog.ErrInput},
		"no rights":      {403, `{"message":"no"}`, "no: it needs more (status 403)", catalog.ErrNotAllowed},
		"bad token":      {401, ``, "Unauthorized (status 401)", catalog.ErrNotAllowed},
		"nothing there":  {404, `<html>`, "Not Found (status 404)", catalog.ErrNotFound},
		"there already":  {409, `{}`, "Conflict (status 409)", catalog.ErrConflict},
		"a long message": {500, `{"message":"` + strings.Repeat("x", 10_000) + `"}`, "x… (status 500)", nil},
		"no JSON":        {200, `<html>`, "not what its API promises", nil},
		"too long":       {200, strings.Repeat(" ", 33<<20), "the answer of the host has more than", nil},
	} {
		t.Run(name, func(t *testing.T) {
			api := client(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, err := io.WriteString(w, c.body)
				require.NoError(t, err)
			})
			err := api.Call(t.Context(), "GET", []string{"a"}, nil, nil, &struct{}{})
			require.ErrorContains(t, err, c.want)
			require.Less(t, len(err.Error()), 600)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			require.Equal(t, c.status >= 500 || c.status == 200, rest.Unsure(err))
		})
	}
}

func TestCallEnds(t *testing.T) {
	why := errors.New("cancelled by a test")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := client(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel(why)
		<-r.Context().Done()
	})
	require.ErrorIs(t, c.Call(ctx, "GET", []string{"a"}, nil, nil, nil), why)

	c = client(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	err := c.Call(t.Context(), "POST", []string{"secret-path"}, nil, nil, nil)
	require.ErrorContains(t, err, "the host did not answer")
	require.NotContains(t, err.Error(), "secret-path")
	require.True(t, rest.Unsure(err))
}
