package usersettings_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/usersettings"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/stretchr/testify/require"
)

// memory is a Store by user and name.
type memory struct {
	values map[string]map[usersettings.Name][]byte
	err    error
}

func (m *memory) Values(_ context.Context, user string, names []usersettings.Name) ([][]byte, error) {
	out := make([][]byte, len(names))
	for i, n := range names {
		out[i] = m.values[user][n]
	}
	return out, m.err
}

func (m *memory) Put(_ context.Context, user string, n usersettings.Name, value []byte) error {
	if m.values[user] == nil {
		m.values[user] = map[usersettings.Name][]byte{}
	}
	if m.err == nil {
		m.values[user][n] = value
	}
	return m.err
}

func (m *memory) Delete(_ context.Context, user string, n usersettings.Name) error {
	delete(m.values[user], n)
	return m.err
}

// heard collects signals as text.
type heard []string

func (h *heard) Publish(channel string, refs []string, message any) {
	text, _ := wire.AppendJSON(nil, message)
	*h = append(*h, fmt.Sprintf("%s %v %s", channel, refs, text))
}

func serve(t *testing.T) (*apitest.Server, *memory, *heard) {
	store, signals := &memory{values: map[string]map[usersettings.Name][]byte{}}, &heard{}
	return apitest.New(t, func(o *api.Options, _ *auth.Options) {
		o.Portal.UserSettings = usersettings.New(store, signals)
	}), store, signals
}

const at = "/api/user-settings"

func TestSettingsOfAUser(t *testing.T) {
	s, store, signals := serve(t)
	res := s.Do("GET", at+"/buckets/default.starredEntities/keys/entityRefs", "")
	require.Equal(t, 404, res.Status)
	require.Contains(t, res.Text(), `"name":"NotFoundError"`)

	res = s.Do("PUT", at+"/buckets/default.starredEntities/keys/entityRefs", `{"value":["component:default/a"]}`)
	require.Equal(t, 200, res.Status, res.Text())
	require.JSONEq(t, `{"bucket":"default.starredEntities","key":"entityRefs","value":["component:default/a"]}`, res.Text())
	res = s.Do("GET", at+"/buckets/default.starredEntities/keys/entityRefs", "")
	require.JSONEq(t, `{"bucket":"default.starredEntities","key":"entityRefs","value":["component:default/a"]}`, res.Text())

	res = s.Do("PUT", at+"/buckets/b/keys/nothing", `{"value":null}`)
	require.Equal(t, 200, res.Status, "null is a value")
	res = s.Do("POST", at+"/multiget", `{"items":[{"bucket":"b","key":"nothing"},{"bucket":"b","key":"gone"},{"bucket":"default.starredEntities","key":"entityRefs"}]}`)
	require.Equal(t, 200, res.Status)
	require.JSONEq(t, `{"items":[{"value":null},null,{"value":["component:default/a"]}]}`, res.Text())
	require.JSONEq(t, `{"items":[]}`, s.Do("POST", at+"/multiget", `{"items":[]}`).Text())

	for range 2 {
		res = s.Do("DELETE", at+"/buckets/b/keys/nothing", "")
		require.Equal(t, 204, res.Status)
		require.Empty(t, res.Text())
	}
	require.Equal(t, heard{
		`user-settings [user:default/guest] {"type":"key-changed","key":"entityRefs"}`,
		`user-settings [user:default/guest] {"type":"key-changed","key":"nothing"}`,
		`user-settings [user:default/guest] {"type":"key-deleted","key":"nothing"}`,
		`user-settings [user:default/guest] {"type":"key-deleted","key":"nothing"}`,
	}, *signals)
	require.Len(t, store.values, 1, "the user is that of the token")
}

func TestKeysInPaths(t *testing.T) {
	s, store, _ := serve(t)
	for _, tc := range []struct{ name, path, bucket, key string }{
		{"plain", "/buckets/b/keys/k", "b", "k"},
		{"a slash in the key", "/buckets/b/keys/k/l/m", "b", "k/l/m"},
		{"an encoded slash in the key", "/buckets/b/keys/k%2Fl", "b", "k/l"},
		{"an encoded slash in the bucket", "/buckets/a%2Fb/keys/k", "a/b", "k"},
		{"decoded once", "/buckets/a%252Fb/keys/%2525", "a%2Fb", "%25"},
		{"case is kept", "/buckets/Default.Home/keys/MyKey", "Default.Home", "MyKey"},
		{"no letters", "/buckets/%F0%9F%9A%B2/keys/%20", "🚲", " "},
		{"dots are names here", "/buckets/../keys/..", "..", ".."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := s.Do("PUT", at+tc.path, `{"value":1}`)
			require.Equal(t, 200, res.Status, res.Text())
			require.Contains(t, store.values["user:default/guest"], usersettings.Name{Bucket: tc.bucket, Key: tc.key})
		})
	}
}

func TestRefusals(t *testing.T) {
	s, store, signals := serve(t)
	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	one := `{"bucket":"b","key":"k"},`
	for _, tc := range []struct {
		name, method, path, body string
		options                  []apitest.RequestOption
		status                   int
	}{
		{"nobody", "GET", "/buckets/b/keys/k", "", []apitest.RequestOption{apitest.Anonymous}, 401},
		{"nobody, many", "POST", "/multiget", `{"items":[]}`, []apitest.RequestOption{apitest.Anonymous}, 401},
		{"a service", "PUT", "/buckets/b/keys/k", `{"value":1}`, []apitest.RequestOption{apitest.As(apitest.ServiceToken)}, 403},
		{"a service, many", "POST", "/multiget", `{"items":[]}`, []apitest.RequestOption{apitest.As(apitest.ServiceToken)}, 403},
		{"no value", "PUT", "/buckets/b/keys/k", `{}`, nil, 400},
		{"no body", "PUT", "/buckets/b/keys/k", ``, nil, 400},
		{"an array for a body", "PUT", "/buckets/b/keys/k", `[1]`, nil, 400},
		{"no JSON", "PUT", "/buckets/b/keys/k", `{value`, nil, 400},
		{"another type of content", "PUT", "/buckets/b/keys/k", `{"value":1}`, []apitest.RequestOption{apitest.With("Content-Type", "text/plain")}, 400},
		{"too deep", "PUT", "/buckets/b/keys/k", `{"value":` + deep + `}`, nil, 400},
		{"too large", "PUT", "/buckets/b/keys/k", `{"value":"` + strings.Repeat("x", 100<<10) + `"}`, nil, 413},
		{"no key", "PUT", "/buckets/b/keys/", `{"value":1}`, nil, 404},
		{"a key too long", "PUT", "/buckets/b/keys/" + strings.Repeat("k", 1025), `{"value":1}`, nil, 400},
		{"a bucket too long", "GET", "/buckets/" + strings.Repeat("b", 1025) + "/keys/k", ``, nil, 400},
		{"what is no UTF-8", "GET", "/buckets/%FF/keys/k", "", nil, 400},
		{"items are missing", "POST", "/multiget", `{}`, nil, 400},
		{"items are no list", "POST", "/multiget", `{"items":{"bucket":"b","key":"k"}}`, nil, 400},
		{"an item is no object", "POST", "/multiget", `{"items":["b"]}`, nil, 400},
		{"an item without a key", "POST", "/multiget", `{"items":[{"bucket":"b"}]}`, nil, 400},
		{"a key that is a number", "POST", "/multiget", `{"items":[{"bucket":"b","key":1}]}`, nil, 400},
		{"too many items", "POST", "/multiget", `{"items":[` + strings.TrimSuffix(strings.Repeat(one, 1001), ",") + `]}`, nil, 400},
		{"no such route", "GET", "/buckets", "", nil, 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			res := s.Do(tc.method, at+tc.path, tc.body, tc.options...)
			require.Equal(t, tc.status, res.Status, res.Text())
		})
	}
	require.Empty(t, store.values)
	require.Empty(t, *signals, "nobody hears of what did not happen")
}

func TestFaultsOfTheStore(t *testing.T) {
	s, store, signals := serve(t)
	store.err = usersettings.ErrFull
	res := s.Do("PUT", at+"/buckets/b/keys/k", `{"value":1}`)
	require.Equal(t, 400, res.Status)
	require.Contains(t, res.Text(), "delete some first")
	store.err = errors.New("disk hunter2")
	for _, do := range [][2]string{{"GET", ""}, {"PUT", `{"value":1}`}, {"DELETE", ""}} {
		res := s.Do(do[0], at+"/buckets/b/keys/k", do[1])
		require.Equal(t, 500, res.Status)
		require.NotContains(t, res.Text(), "hunter2")
	}
	require.Equal(t, 500, s.Do("POST", at+"/multiget", `{"items":[]}`).Status)
	require.Empty(t, *signals, "nobody hears of what was not stored")
}
