package main

import (
	"fmt"
	"net/url"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/mcpactions"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// openActions builds the registry of what programs can do here, and what they
// can connect to.
func (o *portal) openActions(p *platform, authority *auth.Authority, decider permission.Decider) (err error) {
	s := p.settings.Portal.Actions
	o.plugins.Actions, err = actions.New(actions.Options{
		Authenticator: authority, Decider: decider, Sources: s.Sources, Filter: actionFilter(s.Filter), Auditor: p.observed.auditor,
	})
	if err != nil {
		return fmt.Errorf("configuration: backend.actions.filter: %w", err)
	}
	if err := o.plugins.Actions.Add(actions.WhoAmI(people{entities{p.view}, p.keys})); err != nil {
		return err
	}
	options := mcpactions.Options{
		Actions: o.plugins.Actions, PlainNames: s.PlainToolNames, SimpleNames: s.SimpleToolNames, Version: versionText(), Origins: portalOrigins(p.settings),
		Log: p.log, Auditor: p.observed.auditor, Registerer: p.registry,
	}
	for _, server := range append([]config.MCPServer{s.Default}, s.Servers...) {
		options.Servers = append(options.Servers, mcpactions.Server{Key: server.Key, Name: server.Name,
			Description: server.Description, Instructions: server.Instructions, Filter: actionFilter(server.Filter)})
	}
	if o.plugins.MCP, err = mcpactions.New(options); err != nil {
		return fmt.Errorf("configuration: mcpActions: %w", err)
	}
	return nil
}

// offerActions adds the actions of plugins that are there by now.
func (p *platform) offerActions(c *catalogapi.API) error {
	registry := p.portal.plugins.Actions
	if err := registry.Add(c.Offers()...); err != nil {
		return err
	}
	return registry.Add(p.scaffolder.api.Offers()...)
}

func actionFilter(f config.ActionFilter) actions.Filter {
	rules := func(list []config.ActionRule) (out []actions.Rule) {
		for _, r := range list {
			out = append(out, actions.Rule(r))
		}
		return out
	}
	return actions.Filter{Include: rules(f.Include), Exclude: rules(f.Exclude)}
}

// portalOrigins are the origins whose pages belong to the portal: its own, and
// those that CORS lets in.
func portalOrigins(s *config.Settings) (out []string) {
	for _, base := range []string{s.Portal.BaseURL, s.Backend.BaseURL} {
		if u, err := url.Parse(base); err == nil && u.Host != "" {
			out = append(out, u.Scheme+"://"+u.Host)
		}
	}
	if s.Backend.CORS != nil {
		out = append(out, s.Backend.CORS.Origins...)
	}
	return out
}
