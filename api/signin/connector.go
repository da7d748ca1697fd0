package signin

import (
	"context"
	"errors"
)

// A Connector speaks to one provider for one environment. It is safe for
// concurrent use, bounds in size and time what it reads, and returns errors
// that are a *catalog.Error where people may read them; all others are logged
// and not shown.
type Connector interface {
	// Location returns the URL of the provider at which people agree.
	Location(ctx context.Context, r Request) (string, error)
	// Exchange turns the code of a callback into a grant.
	Exchange(ctx context.Context, code string, p Proof) (Grant, error)
	// Refresh turns the refresh token of an earlier grant, in whose place it may
	// return another, into a new grant. Its context does not end with the request.
	Refresh(ctx context.Context, refreshToken string, s Scope) (Grant, error)
}

// A Revoker is a Connector that can end a grant at the provider.
type Revoker interface {
	Revoke(ctx context.Context, refreshToken string) error
}

// A Proof ties a callback to its start.
type Proof struct {
	// Verifier is that of PKCE; the provider was sent its SHA-256.
	Verifier string
	// Nonce is what the provider must repeat in an id token; "": it was not sent
	// one.
	Nonce string
}

// A Request is what a person is sent to the provider with.
type Request struct {
	Scope, State string
	Proof
}

// A Scope is what a refresh is for.
type Scope struct {
	// Wanted are scopes with blanks in between, those of the first sign-in
	// among them.
	Wanted string
	// Granted tells whether the person has agreed to all of them before.
	Granted bool
}

// A Grant is what a provider says after a person has agreed.
type Grant struct {
	Person
	AccessToken, IDToken, RefreshToken string
	// Scope is what was granted, with blanks in between; "" if the provider
	// does not say.
	Scope string
	// ExpiresIn is the life of the access token in seconds; 0: it has no end.
	ExpiresIn int64
}

// A Person is an account at a provider. Fields are "" where it does not say.
type Person struct {
	// Email is an address that the provider vouches for.
	Email                string
	DisplayName, Picture string
	// Username is the account's name there, and ID what stays the same when
	// that changes.
	Username, ID string
	// PreferredUsername is what a proxy says beside Username.
	PreferredUsername string
}

// ErrNoIdentity is returned by a Connector whose answer is about nobody.
var ErrNoIdentity = errors.New("the provider says nothing about who signed in")
