package remote_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/permission/remote"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type issuer func(plugin, target string, who auth.Principal) (string, error)

func (i issuer) PluginToken(_ context.Context, plugin, target string, who auth.Principal) (string, error) {
	return i(plugin, target, who)
}

var (
	jane = auth.Principal{Kind: auth.User, Subject: "user:default/jane"}
	read = permission.Permission{Plugin: "catalog", Name: "catalog.entity.read", Action: "read", ResourceType: "catalog-entity"}
)

func named(plugin, target string, who auth.Principal) (string, error) {
	return "token-of-" + plugin + "-for-" + target + "-and-" + who.Subject, nil
}

// policy returns one whose plugin is a server of the test.
func policy(t *testing.T, handler http.HandlerFunc, change func(*remote.Options)) *remote.Policy {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	o := remote.Options{
		Base:   func(_ context.Context, plugin string) (string, error) { return server.URL + "/api/" + plugin, nil },
		Issuer: issuer(named), Plugins: []string{"catalog", "scaffolder"}, Own: permission.AllowAll{},
	}
	if change != nil {
		change(&o)
	}
	return remote.New(o)
}

// answering answers with the id of the question in place of ID.
func answering(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Items []struct{ ID string } }
		_ = json.NewDecoder(r.Body).Decode(&q)
		_, _ = io.WriteString(w, strings.ReplaceAll(text, "ID", q.Items[0].ID))
	}
}

func TestQuestion(t *testing.T) {
	for _, tc := range []struct {
		asked        permission.Permission
		token, items string
	}{
		{read, "token-of-catalog-for-permission-and-user:default/jane", `{"type":"resource","name":"catalog.entity.read","attributes":{"action":"read"},"resourceType":"catalog-entity"}`},
		{permission.Permission{Plugin: "scaffolder", Name: "scaffolder.task.create"}, "token-of-scaffolder-for-permission-and-user:default/jane", `{"type":"basic","name":"scaffolder.task.create","attributes":{}}`},
		{permission.Permission{Plugin: "kubernetes", Name: "kubernetes.proxy"}, "token-of-catalog-for-permission-and-user:default/jane", `{"type":"basic","name":"kubernetes.proxy","attributes":{}}`},
	} {
		p := policy(t, func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "POST /api/permission/authorize", r.Method+" "+r.URL.Path)
			assert.Equal(t, "Bearer "+tc.token, r.Header.Get("Authorization"))
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			o, err := jsonvalue.ParseObject(body)
			assert.NoError(t, err)
			item := o.Value("items").([]any)[0].(*jsonvalue.Object)
			assert.JSONEq(t, tc.items, string(jsonvalue.Append(nil, item.Value("permission"))))
			assert.False(t, item.Has("resourceRef"))
			_, _ = io.WriteString(w, `{"items":[{"id":"`+item.String("id")+`","result":"ALLOW"}]}`)
		}, nil)
		d, err := p.Handle(t.Context(), jane, tc.asked)
		require.NoError(t, err)
		assert.Equal(t, permission.Decision{Result: permission.Allow}, d)
	}
}

func TestNobodyComesWithoutAToken(t *testing.T) {
	p := policy(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Values("Authorization"))
		answering(`{"items":[{"id":"ID","result":"DENY"}]}`)(w, r)
	}, func(o *remote.Options) {
		o.Issuer = issuer(func(string, string, auth.Principal) (string, error) { return "", nil })
	})
	d, err := p.Handle(t.Context(), auth.Principal{}, read)
	require.NoError(t, err)
	assert.Equal(t, permission.Deny, d.Result)
}

func TestAnswers(t *testing.T) {
	const rule = `{"rule":"IS_ENTITY_OWNER","resourceType":"catalog-entity","params":{"claims":["user:default/jane"]}}`
	p := policy(t, answering(`{"items":[{"id":"ID","result":"CONDITIONAL","pluginId":"catalog","resourceType":"catalog-entity","conditions":{"not":`+rule+`}}]}`), nil)
	d, err := p.Handle(t.Context(), jane, read)
	require.NoError(t, err)
	assert.Equal(t, permission.Conditional, d.Result)
	assert.JSONEq(t, `{"not":`+rule+`}`, string(jsonvalue.Append(nil, d.Criteria.JSON())))

	redirected := false
	for name, handler := range map[string]http.HandlerFunc{
		"no JSON":               answering(`<html>`),
		"nothing":               answering(``),
		"no items":              answering(`{}`),
		"two items":             answering(`{"items":[{"id":"ID","result":"ALLOW"},{"id":"ID","result":"ALLOW"}]}`),
		"about another":         answering(`{"items":[{"id":"x","result":"ALLOW"}]}`),
		"about nothing":         answering(`{"items":[{"result":"ALLOW"}]}`),
		"no result":             answering(`{"items":[{"id":"ID"}]}`),
		"a result that is none": answering(`{"items":[{"id":"ID","result":"allow"}]}`),
		"a list of results":     answering(`{"items":[{"id":"ID","result":["ALLOW"]}]}`),
		"no condition":          answering(`{"items":[{"id":"ID","result":"CONDITIONAL"}]}`),
		"an empty condition":    answering(`{"items":[{"id":"ID","result":"CONDITIONAL","conditions":{"anyOf":[]}}]}`),
		"too much":              answering(`{"items":[{"id":"ID","result":"ALLOW","x":"` + strings.Repeat("x", 1<<20) + `"}]}`),
		"refused":               func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		"broken":                func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			redirected = redirected || strings.HasSuffix(r.URL.Path, "/x")
			http.Redirect(w, r, "/x", http.StatusTemporaryRedirect)
		},
		"hung up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		d, err := policy(t, handler, nil).Handle(t.Context(), jane, read)
		assert.ErrorIs(t, err, &catalog.Error{Name: catalog.NameUnavailable}, name)
		assert.Zero(t, d, "what could not be asked is not allowed")
	}
	assert.False(t, redirected, "the token goes nowhere else")
}

func TestWhatCannotBeAsked(t *testing.T) {
	never := func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }
	p := policy(t, never, func(o *remote.Options) {
		o.Issuer = issuer(func(string, string, auth.Principal) (string, error) { return "", errors.New("no key") })
	})
	_, err := p.Handle(t.Context(), jane, read)
	assert.ErrorIs(t, err, &catalog.Error{Name: catalog.NameUnavailable})
	p = policy(t, never, func(o *remote.Options) {
		o.Base = func(context.Context, string) (string, error) { return "", errors.New("no DNS") }
	})
	_, err = p.Handle(t.Context(), jane, read)
	assert.ErrorIs(t, err, &catalog.Error{Name: catalog.NameUnavailable})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("client gone"))
	_, err = policy(t, never, nil).Handle(ctx, jane, read)
	assert.EqualError(t, err, "client gone", "that is no fault of the plugin")
}

// A configuration that says that we live elsewhere leads to our own policy, and
// to no loop.
func TestCallsToOurselves(t *testing.T) {
	authority, err := auth.New(t.Context(), auth.Options{BaseURL: "http://localhost:7007", Store: &apitest.Users{}})
	require.NoError(t, err)
	token, err := authority.PluginToken(t.Context(), "catalog", "permission", jane)
	require.NoError(t, err)
	who, err := authority.Authenticate(token, "permission")
	require.NoError(t, err)
	p := policy(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") }, nil)
	d, err := p.Handle(t.Context(), who, read)
	require.NoError(t, err)
	assert.Equal(t, permission.Allow, d.Result)
}
