package main

import (
	"context"
	"fmt"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/servicetokens"
	"github.com/greenroom-idp/greenroom/api/discovery"
)

// newAuthority opens the service tokens, and returns who issues and verifies
// tokens, and who knows where other plugins live.
func (p *platform) newAuthority(ctx context.Context) (*auth.Authority, *discovery.Directory, error) {
	peers, err := discovery.New(p.settings.Discovery, api.Plugins(), nil)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: discovery.endpoints: %w", err)
	}
	registry, err := newServiceTokens(ctx, p.keys)
	if err != nil {
		return nil, nil, err
	}
	o := authOptions(p.settings, p.keys, directory{p.view})
	o.Peers, o.PluginKeys, o.Logger, o.Issued = peers, p.keys.Plugin, p.log, registry
	authority, err := auth.New(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: backend.auth: %w", err)
	}
	p.authority = authority
	p.serviceTokens = servicetokens.NewAPI(registry, authority, p.log)
	return authority, peers, nil
}

// newServiceTokens reads the tokens in a store.
func newServiceTokens(ctx context.Context, store servicetokens.Store) (*servicetokens.Registry, error) {
	return servicetokens.Open(ctx, servicetokens.Options{Store: store, Plugins: api.Plugins()})
}
