package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"golang.org/x/oauth2"
)

const (
	// DefaultTimeout bounds each request to a provider.
	DefaultTimeout = 10 * time.Second
	// maxAnswer bounds an answer of a provider, in bytes.
	maxAnswer = 1 << 20
	// maxToken bounds each token of a provider, in bytes.
	maxToken = 32 << 10
)

// NewClient returns a client of HTTP for talking to providers. A timeout of 0
// is DefaultTimeout.
func NewClient(timeout time.Duration) *http.Client {
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	return &http.Client{
		Timeout: timeout, Transport: bounded{http.DefaultTransport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded cuts answers off. What was cut does not parse.
type bounded struct{ base http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.base.RoundTrip(r)
	if err == nil {
		res.Body = cut{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

type cut struct {
	io.Reader
	io.Closer
}

// A Client gets tokens of one provider.
type Client struct {
	Config oauth2.Config
	HTTP   *http.Client
}

// Context returns one with which package oauth2 uses the client of HTTP.
func (c *Client) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.HTTP)
}

// Location returns the URL at which people agree, with PKCE by SHA-256.
func (c *Client) Location(r signin.Request, options ...oauth2.AuthCodeOption) string {
	config := c.Config
	config.Scopes = strings.Fields(r.Scope)
	return config.AuthCodeURL(r.State, append(options, oauth2.S256ChallengeOption(r.Verifier))...)
}

// Exchange turns a code into tokens.
func (c *Client) Exchange(ctx context.Context, code string, p signin.Proof) (*oauth2.Token, error) {
	t, err := c.Config.Exchange(c.Context(ctx), code, oauth2.VerifierOption(p.Verifier))
	return checked(t, err)
}

// Refresh turns a refresh token into tokens.
func (c *Client) Refresh(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	t, err := c.Config.TokenSource(c.Context(ctx), &oauth2.Token{RefreshToken: refreshToken}).Token()
	return checked(t, err)
}

func checked(t *oauth2.Token, err error) (*oauth2.Token, error) {
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.ErrorCode != "":
		message := "Authentication failed, the provider says " + short(refused.ErrorCode)
		if refused.ErrorDescription != "" {
			message += ": " + short(refused.ErrorDescription)
		}
		return nil, wire.Unauthenticated(message)
	case refused != nil:
		return nil, fmt.Errorf("the provider's token endpoint answers %s", refused.Response.Status) // its body may hold anything
	case err != nil:
		return nil, fmt.Errorf("ask the provider for a token: %w", err)
	}
	idToken, _ := t.Extra("id_token").(string)
	for _, token := range []string{t.AccessToken, t.RefreshToken, idToken} {
		if len(token) > maxToken {
			return nil, wire.Unauthenticated("Authentication failed, the provider returned a token that is too long")
		}
	}
	return t, nil
}

// short bounds what is repeated of a provider's words.
func short(text string) string {
	const most = 200
	text = strings.ToValidUTF8(text, "?")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// Grant returns the tokens as a grant about nobody yet. Scopes that stand
// between commas come out with blanks in between.
func Grant(t *oauth2.Token) signin.Grant {
	scope, _ := t.Extra("scope").(string)
	idToken, _ := t.Extra("id_token").(string)
	g := signin.Grant{
		AccessToken: t.AccessToken, IDToken: idToken, RefreshToken: t.RefreshToken,
		Scope: strings.Join(strings.FieldsFunc(scope, func(c rune) bool { return c == ' ' || c == ',' }), " "),
	}
	if t.ExpiresIn > 0 {
		g.ExpiresIn = t.ExpiresIn
	}
	return g
}

// ErrUnauthorized is returned by Profile when the provider does not take the
// token.
var ErrUnauthorized error = wire.Unauthenticated("Invalid access token")

// Profile reads the JSON at a URL of the provider into a value, with an access
// token.
func (c *Client) Profile(ctx context.Context, url, accessToken string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("ask for the profile: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	req.Header.Set("Accept", "application/json")
	res, err := c.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("ask for the profile: %w", err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return ErrUnauthorized
	default:
		return fmt.Errorf("ask for the profile: the provider answers %s", res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("read the profile: %w", err)
	}
	return nil
}
