package signin_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/boltflows"
	"github.com/greenroom-idp/greenroom/api/signin/github"
	"github.com/greenroom-idp/greenroom/api/signin/gitlab"
	"github.com/greenroom-idp/greenroom/api/signin/oidc"
	"github.com/greenroom-idp/greenroom/api/signin/signintest"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	clientSecret  = "the-secret-of-the-client"
	sessionSecret = "the-secret-of-the-sessions"
)

// The people who can sign in at the providers.
var people = []signintest.Account{
	{Login: "Jane", Name: "Jane Doe", Email: "Jane+portal@example.com", NodeID: "U_aBc", Number: 11},
	{Login: "mallory", Name: "</script><script>alert('it\u2028')//", Email: "mallory@elsewhere.example", NodeID: "U_abc", Number: 12},
	{Login: "nobody", Number: 13, NodeID: "U_x"},
	{Login: "newcomer", Name: "New", Email: "jane@example.com", Unconfirmed: true, NodeID: "U_new", Number: 14},
}

// staff is the catalog: Jane, and two Users with one address.
var staff = directory{
	user(`{"kind":"User","metadata":{"name":"jane","annotations":{"github.com/user-id":"U_aBc","gitlab.com/user-id":"11"}},
		"spec":{"profile":{"email":"jane@example.com"}},
		"relations":[{"type":"memberOf","targetRef":"group:default/team"},{"type":"memberOf","targetRef":"system:default/x"},{"type":"ownerOf","targetRef":"group:default/other"}]}`),
	user(`{"kind":"User","metadata":{"name":"twin","namespace":"one"},"spec":{"profile":{"email":"twin@example.com"}}}`),
	user(`{"kind":"User","metadata":{"name":"twin","namespace":"two"},"spec":{"profile":{"email":"Twin@example.com"}}}`),
}

func user(text string) *jsonvalue.Object {
	o, err := jsonvalue.ParseObject([]byte(text))
	if err != nil {
		panic(err)
	}
	return o
}

// A directory holds Users, and compares like the catalog.
type directory []*jsonvalue.Object

func (d directory) User(_ context.Context, ref string) (*jsonvalue.Object, error) {
	for _, u := range d {
		if "user:default/"+strings.ToLower(u.Object("metadata").String("name")) == ref && u.Object("metadata").String("namespace") == "" {
			return u, nil
		}
	}
	return nil, nil
}

func (d directory) Users(_ context.Context, path, value string) (out []*jsonvalue.Object, _ error) {
	for _, u := range d {
		at := u.Object("spec").Object("profile").String("email")
		if key, ok := strings.CutPrefix(path, "metadata.annotations."); ok {
			at = u.Object("metadata").Object("annotations").String(key)
		}
		if form := strings.ToLower(at); at != "" && form == strings.ToLower(value) {
			out = append(out, u)
		}
	}
	return out, nil
}

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// A world is the edge with all providers, each against its double.
type world struct {
	t              *testing.T
	base           string
	clock          *clock
	db             *bbolt.DB
	options        signin.Options
	github, gitlab *signintest.Forge
	doubles        []string // their addresses
	edge           *apitest.Server
	handler        http.Handler
}

func resolvers(names ...string) (out []signin.Resolver) {
	for _, n := range names {
		out = append(out, signin.Resolver{Name: n, Annotation: "github.com/user-id"})
	}
	return out
}

func newWorld(t *testing.T, change func(*signin.Options)) *world {
	w := &world{t: t, clock: &clock{time.Now()}}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }))
	t.Cleanup(front.Close)
	w.base = front.URL
	var err error
	w.db, err = bbolt.Open(filepath.Join(t.TempDir(), "db"), 0o600, &bbolt.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { w.db.Close() })
	w.github = signintest.NewGitHub(w.app(signin.GitHub), people...)
	w.gitlab = signintest.NewGitLab(w.app(signin.GitLab), people...)
	w.options = signin.Options{
		BaseURL: w.base, Directory: staff, Secret: sessionSecret, Now: w.clock.now,
		Providers: map[string]signin.Provider{
			signin.GitHub: w.provider(signin.Provider{Required: github.Required(), Persists: true}, github.New(github.Options{
				ClientID: "id", ClientSecret: clientSecret, CallbackURL: w.app(signin.GitHub).CallbackURL, URL: w.serve(w.github),
			}), signin.GitHub, signin.ByUserID, signin.ByUsername),
			signin.GitLab: w.provider(signin.Provider{Required: gitlab.Required()}, gitlab.New(gitlab.Options{
				ClientID: "id", ClientSecret: clientSecret, CallbackURL: w.app(signin.GitLab).CallbackURL, URL: w.serve(w.gitlab),
			}), signin.GitLab, signin.ByEmail),
			signin.OIDC: w.provider(signin.Provider{Required: oidc.Required(), Persists: true, Keeps: true}, oidc.New(oidc.Options{
				ClientID: "id", ClientSecret: clientSecret, CallbackURL: w.app(signin.OIDC).CallbackURL, MetadataURL: w.serveOIDC(), Prompt: "auto",
			}), signin.OIDC, signin.ByEmail),
		},
	}
	w.environment(signin.OIDC, func(e *signin.Environment) { e.Scopes = []string{"offline_access"} })
	if change != nil {
		change(&w.options)
	}
	w.restart()
	return w
}

func (w *world) app(provider string) signintest.ClientApp {
	return signintest.ClientApp{ID: "id", Secret: clientSecret, CallbackURL: signin.CallbackURL(w.base, provider)}
}

func (w *world) serve(h http.Handler) string {
	s := httptest.NewServer(h)
	w.t.Cleanup(s.Close)
	w.doubles = append(w.doubles, s.URL)
	return s.URL
}

func (w *world) serveOIDC() string {
	var issuer string
	provider := sync.OnceValue(func() http.Handler { return signintest.NewOIDC(issuer, w.app(signin.OIDC), people...) }) // making its key takes a while
	issuer = w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { provider().ServeHTTP(rw, r) }))
	return issuer + "/.well-known/openid-configuration"
}

func (w *world) provider(p signin.Provider, c signin.Connector, name string, resolverNames ...string) signin.Provider {
	p.Environments = map[string]signin.Environment{"development": {
		Connector: c, Secret: clientSecret, CallbackURL: w.app(name).CallbackURL, Resolvers: resolvers(resolverNames...),
	}}
	return p
}

// environment changes the one of a provider.
func (w *world) environment(provider string, change func(*signin.Environment)) {
	e := w.options.Providers[provider].Environments["development"]
	change(&e)
	w.options.Providers[provider].Environments["development"] = e
}

// restart makes all of the edge anew on the same store, as a new process would.
func (w *world) restart() {
	flows, err := boltflows.Open(w.db)
	require.NoError(w.t, err)
	w.options.Flows = flows
	w.edge = apitest.New(w.t, func(o *api.Options, a *auth.Options) {
		a.Now = w.clock.now
		authority, err := auth.New(w.t.Context(), *a)
		require.NoError(w.t, err)
		o.Auth = authority
		w.options.Issuer, w.options.Logger = authority, o.Logger
		o.SignIn, err = signin.New(w.options)
		require.NoError(w.t, err)
	})
	w.handler = w.edge
}

// A browser keeps cookies and follows no redirects by itself.
type browser struct {
	t *testing.T
	w *world
	*http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	return &browser{w.t, w, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// An answer has been read.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(method, address string, form url.Values, headers ...string) answer {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	if strings.HasPrefix(address, "/") {
		address = b.w.base + address
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	require.NoError(b.t, err)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := b.Do(req)
	require.NoError(b.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(b.t, err)
	return answer{res, string(text)}
}

func (b *browser) get(address string, headers ...string) answer {
	return b.do("GET", address, nil, headers...)
}

// script calls as the frontend does.
func (b *browser) script(method, path string) answer {
	return b.do(method, path, nil, "X-Requested-With", "XMLHttpRequest", "Origin", b.w.base)
}

// start goes to the provider, and returns where that is.
func (b *browser) start(provider string) string {
	a := b.get("/api/auth/" + provider + "/start?env=development&flow=popup&scope=&origin=" + url.QueryEscape(b.w.base))
	require.Equal(b.t, 302, a.StatusCode, a.body)
	return a.Header.Get("Location")
}

// agree signs in at the provider, and returns where that sends the browser.
func (b *browser) agree(location, login string) string {
	a := b.get(location)
	if a.StatusCode == 200 {
		a = b.do("POST", location, url.Values{"login": {login}})
		require.Equal(b.t, 302, a.StatusCode, a.body)
		return a.Header.Get("Location")
	}
	require.Equal(b.t, 302, a.StatusCode, a.body)
	page, err := a.Request.URL.Parse(a.Header.Get("Location"))
	require.NoError(b.t, err)
	id := page.Query().Get("authRequestID")
	a = b.do("POST", page.String(), url.Values{"id": {id}, "username": {login}, "password": {signintest.Password}})
	require.Equal(b.t, 302, a.StatusCode, a.body)
	next, err := page.Parse(a.Header.Get("Location"))
	require.NoError(b.t, err)
	return b.get(next.String()).Header.Get("Location")
}

func (b *browser) signIn(provider, login string) answer {
	return b.get(b.agree(b.start(provider), login))
}

// An outcome is what the page of a callback posts.
type outcome struct {
	Type     string
	Response *session
	Error    *struct{ Name, Message string }
	origin   string
}

type session struct {
	Profile      struct{ Email, DisplayName, Picture string }
	ProviderInfo struct {
		AccessToken, IDToken, Scope string
		ExpiresInSeconds            int
	}
	BackstageIdentity *struct {
		Token    string
		Identity struct {
			Type, UserEntityRef string
			OwnershipEntityRefs []string
		}
	}
}

var argument = regexp.MustCompile(`decodeURIComponent\('([^']*)'\)`)

func (a answer) outcome(t *testing.T) (o outcome) {
	require.Equal(t, 200, a.StatusCode, a.body)
	found := argument.FindAllStringSubmatch(a.body, -1)
	require.Len(t, found, 2, a.body)
	var err error
	o.origin, err = url.PathUnescape(found[0][1])
	require.NoError(t, err)
	text, err := url.PathUnescape(found[1][1])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(text), &o))
	assert.Equal(t, "authorization_response", o.Type)
	assert.Equal(t, o.Error != nil, strings.Contains(text, `"error"`), "the opener takes the key for a failure")
	return o
}

// refused returns the message of a sign-in that did not work.
func (a answer) refused(t *testing.T) string {
	o := a.outcome(t)
	require.NotNil(t, o.Error, a.body)
	assert.Nil(t, o.Response)
	return o.Error.Message
}

func (a answer) message() string {
	var e struct{ Error struct{ Message string } }
	_ = json.Unmarshal([]byte(a.body), &e)
	return e.Error.Message
}

func (a answer) session(t *testing.T) (s session) {
	require.Equal(t, 200, a.StatusCode, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &s))
	return s
}

// stateOf returns the query string in a state.
func stateOf(t *testing.T, location string) url.Values {
	u, err := url.Parse(location)
	require.NoError(t, err)
	text, err := hex.DecodeString(u.Query().Get("state"))
	require.NoError(t, err)
	q, err := url.ParseQuery(string(text))
	require.NoError(t, err)
	return q
}

func encodeState(q url.Values) string { return hex.EncodeToString([]byte(q.Encode())) }

// golden compares with a file.
func golden(t *testing.T, name, got string) {
	file := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// shape writes an answer with everything that differs from run to run replaced.
func (w *world) shape(a answer) string {
	var b strings.Builder
	b.WriteString(a.Status + "\n")
	for _, key := range []string{"Content-Type", "Content-Length", "Content-Security-Policy", "X-Frame-Options", "Cache-Control", "Cross-Origin-Opener-Policy", "Location", "Set-Cookie"} {
		if key == "Content-Length" && a.body != "" {
			continue
		}
		values := slices.Clone(a.Header.Values(key))
		for _, v := range values {
			b.WriteString(key + ": " + v + "\n")
		}
	}
	text := b.String() + "\n" + a.body
	if strings.Contains(a.body, "decodeURIComponent") {
		text = argument.ReplaceAllStringFunc(text, func(s string) string {
			plain, err := url.PathUnescape(s)
			require.NoError(w.t, err)
			return plain
		})
	}
	for i, d := range w.doubles {
		for _, s := range []string{d, url.QueryEscape(d)} {
			text = strings.ReplaceAll(text, s, "PROVIDER"+string(rune('0'+i)))
		}
	}
	for _, s := range []string{w.base, url.QueryEscape(w.base)} {
		text = strings.ReplaceAll(text, s, "BASE")
	}
	text = regexp.MustCompile(`state=[0-9a-f]+`).ReplaceAllStringFunc(text, func(s string) string {
		q, err := hex.DecodeString(s[len("state="):])
		require.NoError(w.t, err)
		return "state=hex(" + strings.ReplaceAll(string(q), url.QueryEscape(w.base), "BASE") + ")"
	})
	for pattern, with := range map[string]string{
		`eyJ[\w-]+\.[\w.-]+`: "JWT", `Expires=[^;\n]*GMT`: "Expires=WHEN", `sha256-[\w+/=]+`: "sha256-HASH", `\b[0-9a-f]{40}\b`: "TOKEN",
		`nonce=[\w%.+/=-]{20,}`: "nonce=NONCE", `challenge=[\w-]{43}`: "challenge=CHALLENGE", `"expiresInSeconds":(3600|3599|300|299)`: `"expiresInSeconds":LEFT`, `oidc-refresh-token=[^;]+;`: "oidc-refresh-token=TOKEN;",
		`logId=\w+`: "logId=ID",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	return text + "\n"
}
