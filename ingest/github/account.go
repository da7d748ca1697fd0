package github

import (
	"context"
	"net/http"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
)

// An Account is how to work with what an owner has at a host, for those who
// write there.
type Account struct {
	// API is the base of the REST API, without a slash at the end.
	API string
	// HTTP signs requests to the API, and keeps to the budget of the host as
	// work that a user waits for.
	HTTP *http.Client
	// Token is for Git over HTTP; "" where there are no credentials.
	Token string
}

// accountTimeout bounds a request of an Account with its answer.
const accountTimeout = time.Minute

// Account returns how to work with what belongs to an owner: with the token of
// the caller or, where that is "", with what the integration has for the owner.
// It is false for hosts without an API.
func (all *Clients) Account(ctx context.Context, host, owner, token string) (Account, bool, error) {
	c, ok := all.Client(host)
	if !ok {
		return Account{}, false, nil
	}
	credential, err := c.signer.credential(withToken(ctx, token), owner)
	if err != nil {
		return Account{}, true, forge.Failed(ctx, host, err)
	}
	return Account{
		API:   c.host.APIBaseURL,
		HTTP:  &http.Client{Transport: &accountTransport{c.signer, owner, token}, CheckRedirect: forge.CheckRedirect, Timeout: accountTimeout},
		Token: credential.token,
	}, true, nil
}

// An accountTransport sends the requests of one account.
type accountTransport struct {
	next         http.RoundTripper
	owner, token string
}

// RoundTrip signs a request for the owner. One that sets a thing to a state,
// or removes it, does the same when it is sent twice.
func (t *accountTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := withToken(withOwner(budget.Urgent(req.Context(), time.Time{}), t.owner), t.token)
	if req.Method == http.MethodPut || req.Method == http.MethodPatch || req.Method == http.MethodDelete {
		ctx = budget.Repeatable(ctx)
	}
	return t.next.RoundTrip(req.WithContext(ctx))
}
