package gitlab

import (
	"net/http"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
)

// An Account is how to work at a host, for those who write there.
type Account struct {
	// API is the base of the REST API, without a slash at the end.
	API string
	// HTTP signs requests to the API, and keeps to the budget of the host as
	// work that a user waits for.
	HTTP *http.Client
	// Token is for Git over HTTP; "" where there are no credentials.
	Token string
}

// Account returns how to work at a host: with the token of the caller or, where
// that is "", with that of the integration. It is false for hosts that are not
// configured.
func (all *Clients) Account(host, token string) (Account, bool) {
	c, ok := all.Client(host)
	if !ok {
		return Account{}, false
	}
	a := Account{API: c.host.API(), Token: token,
		HTTP: &http.Client{Transport: &accountTransport{c.http.Transport, token}, CheckRedirect: forge.CheckRedirect, Timeout: askTimeout}}
	if token == "" {
		a.Token = c.host.Token.Value()
	}
	return a, true
}

// An accountTransport sends the requests of one account.
type accountTransport struct {
	next  http.RoundTripper
	token string
}

// RoundTrip signs a request. One that sets a thing to a state, or removes it,
// does the same when it is sent twice.
func (t *accountTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := withToken(budget.Urgent(req.Context(), time.Time{}), t.token)
	if req.Method == http.MethodPut || req.Method == http.MethodDelete {
		ctx = budget.Repeatable(ctx)
	}
	return t.next.RoundTrip(req.WithContext(ctx))
}
