package main

import (
	"fmt"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/oauthserver"
	"github.com/greenroom-idp/greenroom/api/auth/oauthserver/boltgrants"
)

// openOAuth lets programs get tokens from users, if the configuration says so.
func (o *portal) openOAuth(p *platform, authority *auth.Authority) error {
	s := p.settings.Portal.OAuth
	if s.Registration == nil && s.Documents == nil {
		return nil
	}
	store, err := boltgrants.Open(p.db)
	if err != nil {
		return err
	}
	options := oauthserver.Options{BaseURL: p.settings.Backend.BaseURL, AppURL: p.settings.Portal.BaseURL,
		Issuer: authority, Store: store, Log: p.log}
	if r := s.Registration; r != nil {
		options.Registration = &oauthserver.Registration{Redirects: r.Redirects}
	}
	if d := s.Documents; d != nil {
		options.Documents = &oauthserver.Documents{Clients: d.IDs, Redirects: d.Redirects}
	}
	if r := s.Refresh; r != nil {
		options.Refresh = &oauthserver.Refresh{Lifetime: r.Lifetime, MaxLifetime: r.MaxLifetime, PerUser: r.PerUser, GoneUsers: r.GoneUsers}
	}
	for _, path := range o.plugins.MCP.Paths() {
		options.Resources = append(options.Resources, "/api/mcp-actions"+path)
	}
	if o.plugins.OAuth, err = oauthserver.New(options); err != nil {
		return fmt.Errorf("configuration: auth: %w", err)
	}
	return nil
}
