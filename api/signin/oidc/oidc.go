package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/oauth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"golang.org/x/oauth2"
)

// Required returns the scopes that a sign-in needs.
func Required() []string { return []string{gooidc.ScopeOpenID, "profile", "email"} }

// Algorithms are those by which an id token may be signed. None is made with a
// secret that both sides know.
func Algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}
}

// Methods of a client to prove itself at the token endpoint.
const (
	Basic = "client_secret_basic"
	Post  = "client_secret_post"
)

// Options are what a Connector needs; the zero value of a field means what is
// said beside it.
type Options struct {
	ClientID, ClientSecret, CallbackURL string // required
	// MetadataURL is the address of the provider's discovery document, or the
	// issuer that has it at its usual place. Required.
	MetadataURL string
	// AuthMethod is Basic or Post; "": Basic.
	AuthMethod string
	// Algorithm is the one of id tokens; "": RS256.
	Algorithm string
	// Prompt is the parameter of that name; "": none, which signs in only those
	// who are signed in at the provider; "auto": it is not sent.
	Prompt string
	// StartParameters are added to the URL at which people agree; nil: none.
	StartParameters map[string]string
	// Timeout bounds each request; 0: oauth.DefaultTimeout.
	Timeout time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Reserved tells whether a parameter of a start is set by the connector.
func Reserved(parameter string) bool {
	return slices.Contains([]string{
		"client_id", "response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt",
		"response_mode", "request", "request_uri",
	}, parameter)
}

// A Connector is a signin.Connector to one provider.
type Connector struct {
	options Options
	client  oauth.Client

	asking chan struct{} // holds what is below
	found  *discovered   // nil: not yet
}

var (
	_ signin.Connector = (*Connector)(nil)
	_ signin.Revoker   = (*Connector)(nil)
)

// New returns a connector. The provider is not asked yet.
func New(o Options) *Connector {
	if o.Algorithm == "" {
		o.Algorithm = "RS256"
	}
	if o.Prompt == "" {
		o.Prompt = "none"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Connector{options: o, asking: make(chan struct{}, 1), client: oauth.Client{
		HTTP:   oauth.NewClient(o.Timeout),
		Config: oauth2.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret, RedirectURL: o.CallbackURL},
	}}
}

func (c *Connector) style() oauth2.AuthStyle {
	if c.options.AuthMethod == Post {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// Location returns the URL at which people agree.
func (c *Connector) Location(ctx context.Context, r signin.Request) (string, error) {
	if _, err := c.discover(ctx); err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{gooidc.Nonce(r.Nonce)}
	if c.options.Prompt != "auto" {
		options = append(options, oauth2.SetAuthURLParam("prompt", c.options.Prompt))
	}
	for key, value := range c.options.StartParameters {
		options = append(options, oauth2.SetAuthURLParam(key, value))
	}
	return c.client.Location(r, options...), nil
}

// Exchange turns a code into a grant.
func (c *Connector) Exchange(ctx context.Context, code string, p signin.Proof) (signin.Grant, error) {
	d, err := c.discover(ctx)
	if err != nil {
		return signin.Grant{}, err
	}
	if iss := signin.IssuerFrom(ctx); iss != d.Issuer && (iss != "" || d.SendsIssuer) {
		return signin.Grant{}, wire.NotAllowed("The answer comes from another issuer than the one that was asked")
	}
	t, err := c.client.Exchange(ctx, code, p)
	if err != nil {
		return signin.Grant{}, err
	}
	g := oauth.Grant(t)
	if g.IDToken == "" {
		return signin.Grant{}, wire.Unauthenticated("The provider returned no id token")
	}
	token, err := c.verify(ctx, d, g)
	if err != nil {
		return signin.Grant{}, err
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(p.Nonce)) != 1 {
		return signin.Grant{}, wire.NotAllowed("The id token is for another sign-in")
	}
	g.Person, err = c.person(ctx, d, t, token.Subject)
	return g, err
}

// Refresh makes a new grant out of a refresh token.
func (c *Connector) Refresh(ctx context.Context, refreshToken string, _ signin.Scope) (signin.Grant, error) {
	d, err := c.discover(ctx)
	if err != nil {
		return signin.Grant{}, err
	}
	t, err := c.client.Refresh(ctx, refreshToken)
	if err != nil {
		return signin.Grant{}, err
	}
	g := oauth.Grant(t)
	subject := ""
	if g.IDToken != "" {
		token, err := c.verify(ctx, d, g)
		if err != nil {
			return signin.Grant{}, err
		}
		subject = token.Subject
	}
	g.Person, err = c.person(ctx, d, t, subject)
	return g, err
}

// verify checks an id token, and the access token against it where it says
// something about that.
func (c *Connector) verify(ctx context.Context, d *discovered, g signin.Grant) (*gooidc.IDToken, error) {
	if strings.Count(g.IDToken, ".") != 2 || strings.HasPrefix(g.IDToken, "{") {
		return nil, idTokenError(errors.New("it is not in the compact form")) // the library takes others too
	}
	token, err := d.verifier.Verify(c.client.Context(ctx), g.IDToken)
	if err != nil {
		return nil, idTokenError(err)
	}
	var claims struct {
		Party string `json:"azp"`
	}
	if err := token.Claims(&claims); err != nil {
		return nil, idTokenError(err)
	}
	switch {
	case token.Subject == "":
		return nil, idTokenError(errors.New("it names no subject"))
	case claims.Party != "" && claims.Party != c.options.ClientID, claims.Party == "" && len(token.Audience) > 1:
		return nil, idTokenError(errors.New("it was issued to another client"))
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(g.AccessToken); err != nil {
			return nil, idTokenError(err)
		}
	}
	return token, nil
}

// idTokenError says that a token does not hold. Why is for the log alone: it may
// repeat what is in the token.
func idTokenError(why error) error {
	var late *gooidc.TokenExpiredError
	if errors.As(why, &late) {
		return wire.Unauthenticated("The id token of the provider has expired")
	}
	return &unverified{why}
}

// An unverified error shows as one of authentication.
type unverified struct{ why error }

func (e *unverified) Error() string { return "verify the id token: " + e.why.Error() }

func (e *unverified) Unwrap() error {
	return wire.Unauthenticated("The id token of the provider does not hold; the log of the server says why")
}

// person asks the provider about whom the token is; subject "" is not compared.
func (c *Connector) person(ctx context.Context, d *discovered, t *oauth2.Token, subject string) (signin.Person, error) {
	info, err := d.provider.UserInfo(c.client.Context(ctx), oauth2.StaticTokenSource(t))
	if err != nil {
		return signin.Person{}, fmt.Errorf("ask for the userinfo: %w", err)
	}
	if info.Subject == "" {
		return signin.Person{}, signin.ErrNoIdentity
	}
	if subject != "" && info.Subject != subject {
		return signin.Person{}, wire.NotAllowed("The userinfo of the provider is about another person than the id token")
	}
	var claims struct {
		Name     string `json:"name"`
		Picture  string `json:"picture"`
		Username string `json:"preferred_username"`
	}
	if err := info.Claims(&claims); err != nil {
		return signin.Person{}, fmt.Errorf("read the userinfo: %w", err)
	}
	p := signin.Person{DisplayName: claims.Name, Picture: claims.Picture, Username: claims.Username, ID: info.Subject}
	if info.EmailVerified {
		p.Email = info.Email
	}
	return p, nil
}

// Revoke ends a session at a provider that has an endpoint for that.
func (c *Connector) Revoke(ctx context.Context, refreshToken string) error {
	d, err := c.discover(ctx)
	if err != nil || d.Revocation == "" {
		return err
	}
	form := url.Values{"token": {refreshToken}, "token_type_hint": {"refresh_token"}}
	if c.style() == oauth2.AuthStyleInParams {
		form.Set("client_id", c.options.ClientID)
		form.Set("client_secret", c.options.ClientSecret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Revocation, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.style() == oauth2.AuthStyleInHeader {
		req.SetBasicAuth(url.QueryEscape(c.options.ClientID), url.QueryEscape(c.options.ClientSecret))
	}
	res, err := c.client.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("revoke: the provider answers %s", res.Status)
	}
	return nil
}
