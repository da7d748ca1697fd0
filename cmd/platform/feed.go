package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/source"
)

// configProvider is the name under which the locations of the configuration
// are fed in.
const configProvider = "ConfigLocationProvider"

// feed hands the locations of the configuration to the engine, forgets
// providers that are configured no more, and begins to follow folders.
func (p *platform) feed(ctx context.Context) error {
	locations, err := configuredLocations(p.settings.Catalog)
	if err != nil {
		return err
	}
	mutation := engine.Mutation{Full: true}
	var folders []string
	for _, l := range locations {
		mutation.Added = append(mutation.Added, engine.Deferred{Entity: catalog.LocationEntity(l, "", "", ""), LocationKey: l.String()})
		if l.Type == "directory" {
			folders = append(folders, l.Target)
		}
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	p.stop = stop
	if len(folders) > 0 {
		// Watching begins before the first reading, or a change in between
		// would be seen by neither.
		if err := p.watch(background, folders); err != nil {
			return err
		}
	}
	if err := p.engine.ApplyMutation(ctx, configProvider, mutation); err != nil {
		return fmt.Errorf("catalog.locations: %w", err)
	}
	if !p.settings.Catalog.KeepOrphanProviders {
		if err := p.engine.RetainProviders(ctx, append(p.crawl.names(), configProvider)); err != nil {
			return err
		}
	}
	p.background.Go(func() error {
		p.news.run(background)
		return nil
	})
	p.background.Go(func() error {
		err := p.crawl.run(background)
		if err != nil {
			p.log.Error("crawling has ended", slog.Any("error", err))
		}
		return err
	})
	return nil
}

// configuredLocations returns the locations of the configuration, each once,
// with paths made absolute from the working directory.
func configuredLocations(c config.Catalog) ([]catalog.LocationRef, error) {
	var out []catalog.LocationRef
	seen := map[catalog.LocationRef]bool{}
	for _, l := range c.Locations {
		if config.IsListing(l.Type) {
			continue // a provider stands for it
		}
		ref, err := absoluteLocation(l)
		if err != nil {
			return nil, err
		}
		if !seen[ref] {
			seen[ref] = true
			out = append(out, ref)
		}
	}
	return out, nil
}

func absoluteLocation(l config.Location) (catalog.LocationRef, error) {
	ref := catalog.LocationRef{Type: l.Type, Target: l.Target}
	if l.Type != "file" && l.Type != "directory" {
		return ref, nil
	}
	path, err := filepath.Abs(l.Target)
	if err != nil {
		return ref, fmt.Errorf("catalog.locations: %s: %w", l.Target, err)
	}
	ref.Target = path
	return ref, nil
}

// watch refreshes what folders hold when it changes.
func (p *platform) watch(ctx context.Context, folders []string) error {
	w, err := source.Watch(folders, p.log)
	if err != nil {
		return err
	}
	p.background.Go(func() error {
		return w.Run(ctx, func(keys []string) {
			if err := p.engine.RefreshKeys(ctx, keys); err != nil && ctx.Err() == nil {
				p.log.Error("refresh of changed files", slog.Any("error", err))
			}
		})
	})
	return nil
}
