package main

import (
	"context"
	"fmt"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/discovery"
)

// newAuthority returns who issues and verifies tokens, and who knows where
// other plugins live.
func (p *platform) newAuthority(ctx context.Context) (*auth.Authority, *discovery.Directory, error) {
	peers, err := discovery.New(p.settings.Discovery, api.Plugins(), nil)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: discovery.endpoints: %w", err)
	}
	o := authOptions(p.settings, p.keys, directory{p.view})
	o.Peers, o.PluginKeys, o.Logger = peers, p.keys.Plugin, p.log
	authority, err := auth.New(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: backend.auth: %w", err)
	}
	return authority, peers, nil
}
