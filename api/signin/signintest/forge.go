package signintest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// A ClientApp is what an operator registers at a provider.
type ClientApp struct{ ID, Secret, CallbackURL string }

// An Account is somebody who can sign in.
type Account struct {
	Login, Name, Email string
	// NodeID is that of GitHub, and Number that of GitLab.
	NodeID string
	Number int
	// Unconfirmed says that the address is still to be confirmed, at GitLab and
	// at the provider of OpenID Connect.
	Unconfirmed bool
}

// A Forge is a double of GitHub or of GitLab: a handler of HTTP.
type Forge struct {
	app      ClientApp
	accounts []Account
	paths    forgePaths
	gitlab   bool

	mu      sync.Mutex
	codes   map[string]grant
	access  map[string]grant
	refresh map[string]grant
}

type forgePaths struct{ authorize, exchange, user string }

type grant struct {
	account          Account
	scope, challenge string
}

// NewGitHub returns a double of a GitHub Enterprise instance, with the paths
// that one has.
func NewGitHub(app ClientApp, accounts ...Account) *Forge {
	return newForge(app, accounts, forgePaths{"/login/oauth/authorize", "/login/oauth/access_token", "/api/v3/user"}, false)
}

// NewGitLab returns a double of a GitLab instance.
func NewGitLab(app ClientApp, accounts ...Account) *Forge {
	return newForge(app, accounts, forgePaths{"/oauth/authorize", "/oauth/token", "/api/v4/user"}, true)
}

func newForge(app ClientApp, accounts []Account, paths forgePaths, gitlab bool) *Forge {
	return &Forge{
		app: app, accounts: accounts, paths: paths, gitlab: gitlab,
		codes: map[string]grant{}, access: map[string]grant{}, refresh: map[string]grant{},
	}
}

// RevokeAll ends all access and refresh tokens, as a person can in their
// settings.
func (f *Forge) RevokeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.access)
	clear(f.refresh)
}

// ServeHTTP answers as the instance would.
func (f *Forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == f.paths.authorize && r.Method == http.MethodGet:
		f.ask(w, r)
	case r.URL.Path == f.paths.authorize && r.Method == http.MethodPost:
		f.agree(w, r)
	case r.URL.Path == f.paths.exchange && r.Method == http.MethodPost:
		f.issue(w, r)
	case r.URL.Path == f.paths.user && r.Method == http.MethodGet:
		f.profile(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (f *Forge) known(w http.ResponseWriter, q url.Values) bool {
	if q.Get("client_id") != f.app.ID || q.Get("redirect_uri") != f.app.CallbackURL || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || q.Get("code_challenge") == "" || q.Get("state") == "" {
		http.Error(w, "this is not an application that is known here", http.StatusBadRequest)
		return false
	}
	return true
}

// ask shows a page with a button for each account.
func (f *Forge) ask(w http.ResponseWriter, r *http.Request) {
	if !f.known(w, r.URL.Query()) {
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!DOCTYPE html><title>Authorize</title><form method=post>")
	for _, a := range f.accounts {
		fmt.Fprintf(w, "<p><button name=login value=%q>Authorize as %s</button>", html.EscapeString(a.Login), html.EscapeString(a.Login))
	}
	fmt.Fprint(w, "<p><button name=login value=''>Cancel</button></form>")
}

// agree sends the browser back with a code, or without one.
func (f *Forge) agree(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !f.known(w, q) {
		return
	}
	back := url.Values{"state": {q.Get("state")}}
	back.Set("error", "access_denied")
	back.Set("error_description", "The person has denied the application access")
	for _, a := range f.accounts {
		if a.Login != "" && a.Login == r.FormValue("login") {
			back = url.Values{"state": {q.Get("state")}, "code": {f.keep(f.codes, grant{a, q.Get("scope"), q.Get("code_challenge")})}}
		}
	}
	http.Redirect(w, r, f.app.CallbackURL+"?"+back.Encode(), http.StatusFound)
}

func (f *Forge) keep(in map[string]grant, g grant) string {
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	token := hex.EncodeToString(b)
	f.mu.Lock()
	defer f.mu.Unlock()
	in[token] = g
	return token
}

func (f *Forge) take(from map[string]grant, token string) (grant, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	g, ok := from[token]
	delete(from, token)
	return g, ok
}

// issue answers the token endpoint.
func (f *Forge) issue(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("client_id") != f.app.ID || subtle.ConstantTimeCompare([]byte(r.FormValue("client_secret")), []byte(f.app.Secret)) != 1 {
		f.refuse(w, "incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
		return
	}
	var g grant
	var ok bool
	if r.FormValue("grant_type") == "refresh_token" {
		g, ok = f.take(f.refresh, r.FormValue("refresh_token"))
	} else {
		g, ok = f.take(f.codes, r.FormValue("code"))
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		ok = ok && g.challenge == base64.RawURLEncoding.EncodeToString(sum[:]) && r.FormValue("redirect_uri") == f.app.CallbackURL
	}
	switch {
	case ok && f.gitlab:
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": f.keep(f.access, g), "refresh_token": f.keep(f.refresh, g), "token_type": "Bearer", "expires_in": 7200, "scope": g.scope,
		})
	case ok:
		writeJSON(w, http.StatusOK, map[string]any{
			"access_token": f.keep(f.access, g), "token_type": "bearer", "scope": strings.ReplaceAll(g.scope, " ", ","),
		})
	case f.gitlab:
		f.refuse(w, "invalid_grant", "The provided authorization grant is invalid, expired or revoked.")
	default:
		f.refuse(w, "bad_verification_code", "The code passed is incorrect or expired.")
	}
}

// refuse answers 200 as GitHub does, or 400 as GitLab does.
func (f *Forge) refuse(w http.ResponseWriter, code, why string) {
	status := http.StatusOK
	if f.gitlab {
		status = http.StatusBadRequest
	}
	writeJSON(w, status, map[string]any{"error": code, "error_description": why})
}

func (f *Forge) profile(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	g, ok := f.access[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	f.mu.Unlock()
	a := g.account
	switch {
	case !ok:
		writeJSON(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
	case f.gitlab:
		user := map[string]any{"id": a.Number, "username": a.Login, "name": a.Name, "email": a.Email, "avatar_url": nil, "confirmed_at": "2024-01-02T03:04:05Z"}
		if a.Unconfirmed {
			user["confirmed_at"] = nil
		}
		writeJSON(w, http.StatusOK, user)
	default:
		user := map[string]any{"login": a.Login, "node_id": a.NodeID, "name": nil, "email": nil, "avatar_url": "https://avatars.example.com/" + a.Login}
		if a.Name != "" {
			user["name"] = a.Name
		}
		if a.Email != "" {
			user["email"] = a.Email
		}
		writeJSON(w, http.StatusOK, user)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone; there is nobody to tell
}
