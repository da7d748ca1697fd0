package forgetest

import (
	"crypto/rsa"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// An App is a GitHub App with its installations.
type App struct {
	ID            int64
	Slug          string
	Key           *rsa.PublicKey // checks the app's own tokens
	Installations []Installation
	// Lifetime of installation tokens; 0 means an hour.
	Lifetime time.Duration

	issued int
}

// An Installation is an app in an organisation or of a user.
type Installation struct {
	ID      int64
	Account string
	// Suspended installations give no tokens.
	Suspended bool
	// Selected is set when it covers chosen repositories only.
	Selected bool
}

// AddApp makes an app known. From then on only its tokens and those of AddToken
// are accepted.
func (g *GitHub) AddApp(a App) {
	if a.Lifetime == 0 {
		a.Lifetime = time.Hour
	}
	if a.Slug == "" {
		a.Slug = fmt.Sprintf("app-%d", a.ID)
	}
	g.mu.Lock()
	g.apps[a.ID] = &a
	g.mu.Unlock()
	g.tokens.add("", grant{revoked: true})
}

func (g *GitHub) appRoutes() {
	g.rest("GET /app", "app", "", g.asApp(g.getApp))
	g.rest("GET /app/installations", "installations", "", g.asApp(g.listInstallations))
	g.rest("POST /app/installations/{id}/access_tokens", "installation token", "", g.asApp(g.createToken))
	for _, pattern := range []string{"/orgs/{owner}/installation", "/users/{owner}/installation", "/repos/{owner}/{repo}/installation"} {
		g.rest("GET "+pattern, "installation", "", g.asApp(g.findInstallation))
	}
	g.rest("GET /installation/repositories", "installation repositories", "core", g.listInstallationRepositories)
}

// asApp checks the token of an app: signed by its key, issued by its id, and
// valid for ten minutes at most.
func (g *GitHub) asApp(handler func(http.ResponseWriter, *http.Request, *App)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var found *App
		claims := &jwt.RegisteredClaims{}
		_, err := jwt.ParseWithClaims(token(r), claims, func(*jwt.Token) (any, error) {
			id, err := strconv.ParseInt(claims.Issuer, 10, 64)
			if err != nil {
				return nil, err
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			if found = g.apps[id]; found == nil {
				return nil, fmt.Errorf("no app %d", id)
			}
			return found.Key, nil
		}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(g.now), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
		switch {
		case err != nil:
			g.fail(w, http.StatusUnauthorized, "A JSON web token could not be decoded")
		case claims.ExpiresAt.Sub(g.now()) > 10*time.Minute:
			g.fail(w, http.StatusUnauthorized, "'Expiration time' claim ('exp') is too far in the future")
		default:
			handler(w, r, found)
		}
	}
}

func (g *GitHub) getApp(w http.ResponseWriter, _ *http.Request, a *App) {
	stamp := g.now().UTC().Format(time.RFC3339)
	writeJSON(w, http.StatusOK, map[string]any{
		"id": a.ID, "slug": a.Slug, "node_id": nodeID("Integration", a.ID), "owner": g.account("acme"), "name": a.Slug, "description": nil,
		"external_url": g.URL(), "html_url": g.URL() + "/apps/" + a.Slug, "created_at": stamp, "updated_at": stamp,
		"permissions": map[string]any{"contents": "read", "metadata": "read", "members": "read"}, "events": []string{"push", "repository"},
	})
}

func (g *GitHub) installation(a *App, i Installation) map[string]any {
	account := g.account(i.Account)
	stamp := "2024-01-01T00:00:00Z"
	out := map[string]any{
		"id": i.ID, "account": account, "repository_selection": "all", "app_id": a.ID, "app_slug": a.Slug, "target_id": account["id"],
		"target_type": account["type"], "permissions": map[string]any{"contents": "read", "metadata": "read", "members": "read"},
		"events": []string{"push", "repository"}, "single_file_name": nil, "created_at": stamp, "updated_at": stamp,
		"access_tokens_url": fmt.Sprintf("%s/app/installations/%d/access_tokens", g.API(), i.ID),
		"repositories_url":  g.API() + "/installation/repositories",
		"html_url":          fmt.Sprintf("%s/organizations/%s/settings/installations/%d", g.URL(), i.Account, i.ID),
		"suspended_at":      nil, "suspended_by": nil,
	}
	if i.Selected {
		out["repository_selection"] = "selected"
	}
	if i.Suspended {
		out["suspended_at"], out["suspended_by"] = stamp, g.account("ada")
	}
	return out
}

func (g *GitHub) listInstallations(w http.ResponseWriter, r *http.Request, a *App) {
	list := []any{}
	for _, i := range pageOf(w, r, a.Installations, 30, 100, githubLinks) {
		list = append(list, g.installation(a, i))
	}
	writeJSON(w, http.StatusOK, list)
}

func (g *GitHub) findInstallation(w http.ResponseWriter, r *http.Request, a *App) {
	for _, i := range a.Installations {
		if strings.EqualFold(i.Account, r.PathValue("owner")) {
			writeJSON(w, http.StatusOK, g.installation(a, i))
			return
		}
	}
	g.fail(w, http.StatusNotFound, "Not Found")
}

func (g *GitHub) createToken(w http.ResponseWriter, r *http.Request, a *App) {
	n := slices.IndexFunc(a.Installations, func(i Installation) bool { return strconv.FormatInt(i.ID, 10) == r.PathValue("id") })
	switch {
	case n < 0:
		g.fail(w, http.StatusNotFound, "Not Found")
		return
	case a.Installations[n].Suspended:
		g.fail(w, http.StatusForbidden, "This installation has been suspended")
		return
	}
	i := a.Installations[n]
	g.mu.Lock()
	a.issued++
	token := fmt.Sprintf("ghs_%d_%d", i.ID, a.issued)
	g.mu.Unlock()
	expires := g.now().Add(a.Lifetime)
	g.tokens.add(token, grant{owner: i.Account, expires: expires})
	writeJSON(w, http.StatusCreated, map[string]any{
		"token": token, "expires_at": expires.UTC().Format(time.RFC3339), "repository_selection": "all",
		"permissions": map[string]any{"contents": "read", "metadata": "read", "members": "read"},
	})
}

func (g *GitHub) listInstallationRepositories(w http.ResponseWriter, r *http.Request) {
	scope, ok := g.tokens.find(token(r))
	if !ok || scope.owner == "" {
		g.fail(w, http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
		return
	}
	var mine []Repository
	for _, repository := range g.Repositories() {
		if strings.EqualFold(repository.Owner(), scope.owner) {
			mine = append(mine, repository)
		}
	}
	list := []any{}
	for _, repository := range pageOf(w, r, mine, 30, 100, githubLinks) {
		list = append(list, g.fullRepository(repository))
	}
	writeJSON(w, http.StatusOK, map[string]any{"total_count": len(mine), "repositories": list})
}
