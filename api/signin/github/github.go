package github

import (
	"context"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/oauth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"golang.org/x/oauth2"
)

// Annotation is the one of a User that holds the account's node id.
const Annotation = "github.com/user-id"

// Required returns the scopes that a sign-in needs.
func Required() []string { return []string{"read:user"} }

// Options are what a Connector needs.
type Options struct {
	ClientID, ClientSecret, CallbackURL string
	// URL is that of an Enterprise instance; "": https://github.com.
	URL string
	// Timeout bounds each request; 0: oauth.DefaultTimeout.
	Timeout time.Duration
}

// A Connector is a signin.Connector to GitHub.
type Connector struct {
	client  oauth.Client
	profile string
}

var _ signin.Connector = (*Connector)(nil)

// New returns a connector.
func New(o Options) *Connector {
	base, profile := "https://github.com", "https://api.github.com/user"
	if o.URL != "" {
		base = strings.TrimRight(o.URL, "/")
		profile = base + "/api/v3/user"
	}
	return &Connector{
		client: oauth.Client{HTTP: oauth.NewClient(o.Timeout), Config: oauth2.Config{
			ClientID: o.ClientID, ClientSecret: o.ClientSecret, RedirectURL: o.CallbackURL,
			Endpoint: oauth2.Endpoint{
				AuthURL: base + "/login/oauth/authorize", TokenURL: base + "/login/oauth/access_token", AuthStyle: oauth2.AuthStyleInParams,
			},
		}},
		profile: profile,
	}
}

// accessTokenPrefix marks an access token that stands for a refresh token, in
// the way of the reference.
const accessTokenPrefix = "access-token-v2."

// Location returns the URL at which people agree.
func (c *Connector) Location(_ context.Context, r signin.Request) (string, error) {
	return c.client.Location(r), nil
}

// Exchange turns a code into a grant.
func (c *Connector) Exchange(ctx context.Context, code string, p signin.Proof) (signin.Grant, error) {
	t, err := c.client.Exchange(ctx, code, p)
	if err != nil {
		return signin.Grant{}, err
	}
	return c.grant(ctx, t)
}

// Refresh makes a new grant out of a refresh token, or of an access token in
// its place.
func (c *Connector) Refresh(ctx context.Context, refreshToken string, s signin.Scope) (signin.Grant, error) {
	accessToken, standsIn := strings.CutPrefix(refreshToken, accessTokenPrefix)
	if !standsIn {
		t, err := c.client.Refresh(ctx, refreshToken)
		if err != nil {
			return signin.Grant{}, err
		}
		return c.grant(ctx, t)
	}
	if !s.Granted {
		return signin.Grant{}, wire.Unauthenticated("The session has not been granted the requested scope")
	}
	p, err := c.person(ctx, accessToken)
	return signin.Grant{Person: p, AccessToken: accessToken, RefreshToken: refreshToken}, err
}

func (c *Connector) grant(ctx context.Context, t *oauth2.Token) (signin.Grant, error) {
	g := oauth.Grant(t)
	if g.RefreshToken == "" && g.ExpiresIn == 0 {
		g.RefreshToken = accessTokenPrefix + g.AccessToken
	}
	var err error
	g.Person, err = c.person(ctx, g.AccessToken)
	return g, err
}

func (c *Connector) person(ctx context.Context, accessToken string) (signin.Person, error) {
	var user struct {
		Login   string `json:"login"`
		NodeID  string `json:"node_id"`
		Name    string `json:"name"`
		Email   string `json:"email"` // public, and so verified; null where there is none
		Picture string `json:"avatar_url"`
	}
	if err := c.client.Profile(ctx, c.profile, accessToken, &user); err != nil {
		return signin.Person{}, err
	}
	if user.Login == "" {
		return signin.Person{}, signin.ErrNoIdentity
	}
	p := signin.Person{Email: user.Email, DisplayName: user.Name, Picture: user.Picture, Username: user.Login, ID: user.NodeID}
	if p.DisplayName == "" {
		p.DisplayName = user.Login
	}
	return p, nil
}
