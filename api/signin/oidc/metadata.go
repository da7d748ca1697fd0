package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const wellKnown = "/.well-known/openid-configuration"

// metadata is what a provider says of itself, as far as it is used.
type metadata struct {
	Issuer     string `json:"issuer"`
	Authorize  string `json:"authorization_endpoint"`
	Token      string `json:"token_endpoint"`
	UserInfo   string `json:"userinfo_endpoint"`
	Keys       string `json:"jwks_uri"`
	Revocation string `json:"revocation_endpoint"`
	// SendsIssuer says that callbacks name the issuer, by RFC 9207.
	SendsIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

// A discovered provider is ready to be used.
type discovered struct {
	metadata
	provider *gooidc.Provider
	verifier *gooidc.IDTokenVerifier
}

// discover returns the provider, which is asked once.
func (c *Connector) discover(ctx context.Context) (*discovered, error) {
	select {
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if c.found != nil {
		return c.found, nil
	}
	m, err := c.fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.options.MetadataURL, err)
	}
	d := &discovered{metadata: m}
	// The context outlives the request: the keys are fetched with it later.
	d.provider = (&gooidc.ProviderConfig{
		IssuerURL: m.Issuer, AuthURL: m.Authorize, TokenURL: m.Token, UserInfoURL: m.UserInfo, JWKSURL: m.Keys, Algorithms: []string{c.options.Algorithm},
	}).NewProvider(gooidc.ClientContext(context.WithoutCancel(ctx), c.client.HTTP))
	d.verifier = d.provider.Verifier(&gooidc.Config{
		ClientID: c.options.ClientID, SupportedSigningAlgs: []string{c.options.Algorithm}, Now: c.options.Now,
	})
	c.client.Config.Endpoint = oauth2.Endpoint{AuthURL: m.Authorize, TokenURL: m.Token, AuthStyle: c.style()}
	c.found = d
	return d, nil
}

func (c *Connector) fetch(ctx context.Context) (m metadata, err error) {
	address := c.options.MetadataURL
	if !strings.Contains(address, "/.well-known/") { // some name the issuer
		address = strings.TrimRight(address, "/") + wellKnown
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return m, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := c.client.HTTP.Do(req)
	if err != nil {
		return m, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return m, fmt.Errorf("the provider answers %s", res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		return m, err
	}
	return m, m.validate(address)
}

// validate refuses a document that cannot be used, or that is less safe than
// the way it came.
func (m metadata) validate(from string) error {
	if m.Issuer == "" {
		return errors.New("it names no issuer")
	}
	secure := strings.HasPrefix(from, "https:")
	for name, text := range map[string]string{
		"authorization_endpoint": m.Authorize, "token_endpoint": m.Token, "userinfo_endpoint": m.UserInfo, "jwks_uri": m.Keys,
	} {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "https" && (secure || u.Scheme != "http") {
			return fmt.Errorf("its %s %q is not a URL that can be used", name, text)
		}
	}
	return nil
}
