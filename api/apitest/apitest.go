package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/stretchr/testify/require"
)

// Who may ask, beside the guest: Token is that of a Server.
const (
	// ServiceToken is the token of the service "ci".
	ServiceToken = "a-static-token-for-tests"
	// OtherServiceToken is the token of the service "cron".
	OtherServiceToken = "another-static-token-for-tests"
)

// A Server is the edge with the plugins of a test.
type Server struct {
	*api.Server
	Auth  *auth.Authority
	Token string // of the user user:default/guest
	t     testing.TB
	log   *lockedBuffer
}

// catalog has nothing, and must not be asked.
type catalog struct {
	catalogapi.Reader
	catalogapi.Engine
	catalogapi.Validator
}

// New starts a server. The options and those of auth may be changed before.
func New(t testing.TB, change func(*api.Options, *auth.Options)) *Server {
	t.Helper()
	s := &Server{t: t, log: &lockedBuffer{}}
	decider := permission.NewEngine(permission.Options{})
	o := api.Options{
		Permission: decider, AccessLog: true,
		Logger: slog.New(api.LogHandler(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	}
	ao := auth.Options{
		BaseURL: "http://localhost:7007", Store: &Users{},
		Guest: &auth.Guest{Allowed: true, UserEntityRef: "user:default/guest"},
		External: []auth.ExternalAccess{
			{Type: "static", Token: ServiceToken, Subject: "ci"},
			{Type: "static", Token: OtherServiceToken, Subject: "cron"},
		},
	}
	if change != nil {
		change(&o, &ao)
	}
	var err error
	if o.Auth == nil {
		o.Auth, err = auth.New(t.Context(), ao)
		require.NoError(t, err)
	}
	s.Auth = o.Auth
	none := catalog{}
	o.Catalog, err = catalogapi.New(catalogapi.Options{
		Reader: none, Engine: none, Validator: none, Decider: decider, Authenticator: o.Auth,
	})
	require.NoError(t, err)
	s.Server, err = api.New(o)
	require.NoError(t, err)
	s.Started()
	s.Token = s.signIn()
	return s
}

func (s *Server) signIn() string {
	var session struct {
		BackstageIdentity struct{ Token string } `json:"backstageIdentity"`
	}
	res := s.Do("GET", "/api/auth/guest/refresh", "", Anonymous)
	require.Equal(s.t, 200, res.Status, res.Text())
	require.NoError(s.t, json.Unmarshal(res.Body, &session))
	return session.BackstageIdentity.Token
}

// Log returns what was logged so far.
func (s *Server) Log() string { return s.log.String() }

// A Response is an answer that has been read.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Text returns the body.
func (r Response) Text() string { return string(r.Body) }

// A RequestOption changes a request before it is sent.
type RequestOption func(*http.Request)

// Anonymous sends no token.
func Anonymous(r *http.Request) { r.Header.Del("Authorization") }

// As sends another token.
func As(token string) RequestOption { return With("Authorization", "Bearer "+token) }

// With sets a header.
func With(key, value string) RequestOption {
	return func(r *http.Request) { r.Header.Set(key, value) }
}

// Do sends a request with the token of the guest. A body that is not empty is
// sent as JSON.
func (s *Server) Do(method, target, body string, options ...RequestOption) Response {
	s.t.Helper()
	var payload io.Reader
	if body != "" {
		payload = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(s.t.Context(), method, target, payload)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+s.Token)
	for _, o := range options {
		o(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	res := w.Result()
	data, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return Response{res.StatusCode, res.Header, data}
}

// Users is an auth.Store without a file.
type Users struct {
	mu    sync.Mutex
	keys  []auth.PublicKey
	users map[string]auth.UserInfo
}

var _ auth.Store = (*Users)(nil)

// PutKey adds a key.
func (u *Users) PutKey(_ context.Context, k auth.PublicKey, _ time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keys = append(u.keys, k)
	return nil
}

// Keys returns all keys.
func (u *Users) Keys(context.Context) ([]auth.PublicKey, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]auth.PublicKey(nil), u.keys...), nil
}

// PutUser records a user.
func (u *Users) PutUser(_ context.Context, info auth.UserInfo) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.users == nil {
		u.users = map[string]auth.UserInfo{}
	}
	u.users[info.Subject] = info
	return nil
}

// User returns the record of a user.
func (u *Users) User(_ context.Context, subject string) (auth.UserInfo, bool, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	info, ok := u.users[subject]
	return info, ok, nil
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
