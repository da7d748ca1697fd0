package gitlab

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/oauth"
	"golang.org/x/oauth2"
)

// Annotation is the one of a User that holds the account's number.
const Annotation = "gitlab.com/user-id"

// Required returns the scopes that a sign-in needs.
func Required() []string { return []string{"read_user"} }

// Options are what a Connector needs.
type Options struct {
	ClientID, ClientSecret, CallbackURL string
	// URL is that of the instance; "": https://gitlab.com.
	URL string
	// Timeout bounds each request; 0: oauth.DefaultTimeout.
	Timeout time.Duration
}

// A Connector is a signin.Connector to GitLab.
type Connector struct {
	client  oauth.Client
	profile string
}

var _ signin.Connector = (*Connector)(nil)

// New returns a connector.
func New(o Options) *Connector {
	base := "https://gitlab.com"
	if o.URL != "" {
		base = strings.TrimRight(o.URL, "/")
	}
	return &Connector{
		client: oauth.Client{HTTP: oauth.NewClient(o.Timeout), Config: oauth2.Config{
			ClientID: o.ClientID, ClientSecret: o.ClientSecret, RedirectURL: o.CallbackURL,
			Endpoint: oauth2.Endpoint{AuthURL: base + "/oauth/authorize", TokenURL: base + "/oauth/token", AuthStyle: oauth2.AuthStyleInParams},
		}},
		profile: base + "/api/v4/user",
	}
}

// Location returns the URL at which people agree.
func (c *Connector) Location(_ context.Context, r signin.Request) (string, error) {
	return c.client.Location(r), nil
}

// Exchange turns a code into a grant.
func (c *Connector) Exchange(ctx context.Context, code string, p signin.Proof) (signin.Grant, error) {
	t, err := c.client.Exchange(ctx, code, p)
	return c.grant(ctx, t, err)
}

// Refresh makes a new grant out of a refresh token.
func (c *Connector) Refresh(ctx context.Context, refreshToken string, _ signin.Scope) (signin.Grant, error) {
	t, err := c.client.Refresh(ctx, refreshToken)
	return c.grant(ctx, t, err)
}

func (c *Connector) grant(ctx context.Context, t *oauth2.Token, err error) (signin.Grant, error) {
	if err != nil {
		return signin.Grant{}, err
	}
	g := oauth.Grant(t)
	var user struct {
		ID        int64           `json:"id"`
		Username  string          `json:"username"`
		Name      string          `json:"name"`
		Email     string          `json:"email"`
		Picture   string          `json:"avatar_url"`
		Confirmed json.RawMessage `json:"confirmed_at"`
	}
	if err := c.client.Profile(ctx, c.profile, g.AccessToken, &user); err != nil {
		return signin.Grant{}, err
	}
	if user.Username == "" || user.ID == 0 {
		return signin.Grant{}, signin.ErrNoIdentity
	}
	g.Person = signin.Person{
		Email: user.Email, DisplayName: user.Name, Picture: user.Picture, Username: user.Username, ID: strconv.FormatInt(user.ID, 10),
	}
	if string(user.Confirmed) == "null" {
		g.Email = ""
	}
	if g.DisplayName == "" {
		g.DisplayName = user.Username
	}
	return g, nil
}
