package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/signin"
	"github.com/greenroom-idp/greenroom/api/signin/boltflows"
	"github.com/greenroom-idp/greenroom/api/signin/github"
	"github.com/greenroom-idp/greenroom/api/signin/gitlab"
	"github.com/greenroom-idp/greenroom/api/signin/oidc"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/view"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// newSignIn builds the providers of accounts that the configuration has.
func (p *platform) newSignIn(authority *auth.Authority) (*signin.Service, error) {
	s := p.settings.Auth.SignIn
	flows, err := boltflows.Open(p.db)
	if err != nil {
		return nil, err
	}
	o := signin.Options{
		BaseURL: p.settings.Backend.BaseURL, AppURL: p.settings.Portal.BaseURL, ExtraOrigins: s.ExtraOrigins,
		Issuer: authority, Directory: people{entities{p.view}, p.keys}, Flows: flows, Secret: s.Secret, Logger: p.log,
		Providers: map[string]signin.Provider{},
	}
	base := o.BaseURL
	if s.GitHub != nil {
		o.Providers[signin.GitHub] = signin.Provider{Required: github.Required(), Persists: true, Environments: environments(base, signin.GitHub, s.GitHub, connectGitHub)}
	}
	if s.GitLab != nil {
		o.Providers[signin.GitLab] = signin.Provider{Required: gitlab.Required(), Environments: environments(base, signin.GitLab, s.GitLab, connectGitLab)}
	}
	if s.OIDC != nil {
		o.Providers[signin.OIDC] = signin.Provider{Required: oidc.Required(), Persists: true, Keeps: true, Environments: environments(base, signin.OIDC, s.OIDC, connectOIDC)}
	}
	if h := s.Proxy; h != nil {
		o.Proxy = &signin.Proxy{Addresses: h.Addresses, SecretHeader: h.SecretHeader, Secret: h.Secret, Resolvers: resolvers(h.Resolvers, "")}
	}
	service, err := signin.New(o)
	if err != nil {
		return nil, fmt.Errorf("configuration: auth.providers: %w", err)
	}
	return service, nil
}

func environments(base, provider string, clients map[string]config.OAuthClient, connect func(config.OAuthClient) (signin.Connector, string)) map[string]signin.Environment {
	out := map[string]signin.Environment{}
	for name, c := range clients {
		if c.CallbackURL == "" {
			c.CallbackURL = signin.CallbackURL(base, provider)
		}
		connector, annotation := connect(c)
		out[name] = signin.Environment{
			Connector: connector, Secret: c.ClientSecret, CallbackURL: c.CallbackURL, Scopes: c.Scopes,
			SessionDuration: c.SessionDuration, Resolvers: resolvers(c.Resolvers, annotation),
		}
	}
	return out
}

// connectGitHub and the others return the connector, and the annotation that
// holds the ID of an account.
func connectGitHub(c config.OAuthClient) (signin.Connector, string) {
	return github.New(github.Options{ClientID: c.ClientID, ClientSecret: c.ClientSecret, CallbackURL: c.CallbackURL, URL: c.URL}), github.Annotation
}

func connectGitLab(c config.OAuthClient) (signin.Connector, string) {
	annotation := gitlab.Annotation
	if u, err := url.Parse(c.URL); err == nil && u.Host != "" {
		annotation = strings.ToLower(u.Hostname()) + "/user-id"
	}
	return gitlab.New(gitlab.Options{ClientID: c.ClientID, ClientSecret: c.ClientSecret, CallbackURL: c.CallbackURL, URL: c.URL}), annotation
}

func connectOIDC(c config.OAuthClient) (signin.Connector, string) {
	return oidc.New(oidc.Options{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, CallbackURL: c.CallbackURL, MetadataURL: c.URL,
		AuthMethod: c.AuthMethod, Algorithm: c.Algorithm, Prompt: c.Prompt, StartParameters: c.StartParameters, Timeout: c.Timeout,
	}), ""
}

func resolvers(list []config.SignInResolver, annotation string) []signin.Resolver {
	var out []signin.Resolver
	for _, r := range list {
		out = append(out, signin.Resolver{Name: r.Name, AllowedDomains: r.AllowedDomains, WithoutUser: r.WithoutUser, Annotation: annotation})
	}
	return out
}

var _ signin.Directory = people{}

// User returns a User of the catalog, nil if there is none of that ref.
func (p people) User(ctx context.Context, ref string) (*jsonvalue.Object, error) {
	body, err := p.Entity(ctx, ref)
	if err != nil || body == nil {
		return nil, err
	}
	return jsonvalue.ParseObject(body)
}

// manyUsers is how many Users are looked at that the index takes for equal:
// those of one address but for the case of letters, say.
const manyUsers = 20

// Users returns Users with a value at a path of keys.
func (p people) Users(ctx context.Context, path, value string) ([]*jsonvalue.Object, error) {
	limit := manyUsers
	page, err := p.view.Query(ctx, view.Search{Selection: view.Selection{Query: jsonvalue.NewObject(
		jsonvalue.Member{Key: "kind", Value: "user"}, jsonvalue.Member{Key: path, Value: value},
	)}, Limit: &limit, NoTotal: true})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Items []json.RawMessage `json:"items"`
	}
	err = json.Unmarshal(page.Body, &answer)
	if page.Release != nil {
		page.Release()
	}
	var out []*jsonvalue.Object
	for _, item := range answer.Items {
		entity, parseErr := jsonvalue.ParseObject(item)
		if parseErr != nil {
			return nil, fmt.Errorf("stored form of a user: %w", parseErr)
		}
		out = append(out, entity)
	}
	return out, err
}
