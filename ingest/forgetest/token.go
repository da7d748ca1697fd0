package forgetest

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// tokens are the credentials that a forge accepts.
type tokens struct {
	now     func() time.Time
	mu      sync.Mutex
	granted map[string]grant
}

// A grant says what a token is good for.
type grant struct {
	owner   string    // whose private repositories it opens; "" for all
	expires time.Time // zero for never
	revoked bool
}

// AddToken makes a token that the forge accepts and that opens every
// repository. As soon as there is one, other tokens are refused; requests
// without any see public repositories only.
func (f *Forge) AddToken(token string) { f.tokens.add(token, grant{}) }

// RemoveToken makes the forge refuse a token from now on.
func (f *Forge) RemoveToken(token string) { f.tokens.add(token, grant{revoked: true}) }

func (t *tokens) add(token string, g grant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.granted[token] = g
}

// find returns what a token is good for; without any token made, all are good
// for everything.
func (t *tokens) find(token string) (grant, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.granted[token]
	if len(t.granted) == 0 {
		return grant{}, true
	}
	expired := !g.expires.IsZero() && !t.now().Before(g.expires)
	return g, ok && !g.revoked && !expired
}

// token returns the credentials of a request: Bearer or token of the
// Authorization header, the password of Basic, or GitLab's own header.
func token(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") || strings.EqualFold(scheme, "token") {
		return strings.TrimSpace(value)
	}
	return r.Header.Get("Private-Token")
}

// known tells whether the forge accepts a token.
func (f *Forge) known(token string) bool {
	_, ok := f.tokens.find(token)
	return ok
}

// mayRead tells whether a request may know of a repository.
func (f *Forge) mayRead(r *http.Request, repository Repository) bool {
	if repository.Visibility == Public {
		return true
	}
	token := token(r)
	g, ok := f.tokens.find(token)
	return token != "" && ok && (g.owner == "" || strings.EqualFold(g.owner, repository.Owner()))
}

// readable returns the repository of a name as far as the request may know of
// it; moved is set when the repository has another name by now.
func (f *Forge) readable(r *http.Request, name string) (repository Repository, moved, ok bool) {
	repository, ok = f.Repository(name)
	if !ok || !f.mayRead(r, repository) {
		return Repository{}, false, false
	}
	return repository, !strings.EqualFold(repository.FullName, name), true
}
