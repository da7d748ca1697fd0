package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	taskaction "github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/greenroom-idp/greenroom/schemas"
)

// benchOptions say what templates are worked on with.
type benchOptions struct {
	configs []string
	// transport sends the requests to Git hosts; nil: the network.
	transport http.RoundTripper
	catalog   taskCatalog
}

// A bench is the scaffolder of the configuration without a server: what an
// author tries templates on.
type bench struct {
	settings *config.Settings
	kinds    *schemas.Set
	hosts    *integration.Set
	forges   *forges
	filters  filterFuncs
	registry *taskaction.Registry
}

var _ io.Closer = (*bench)(nil)

func newBench(o benchOptions) (_ *bench, err error) {
	b := &bench{settings: &config.Settings{}}
	if len(o.configs) > 0 {
		if _, b.settings, err = loadConfig(o.configs); err != nil {
			return nil, err
		}
	}
	if b.kinds, _, err = newKinds(b.settings.Catalog); err != nil {
		return nil, err
	}
	if b.hosts, _, err = integration.Parse(b.settings.Integrations); err != nil {
		return nil, err
	}
	if b.forges, err = newForges(b.hosts, prometheus.NewRegistry(), slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	reader, err := newReader(b.settings, b.hosts, b.forges.sources(), b.kinds)
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.filters = filters.Funcs(filters.Backstage(hostKinds{b.hosts}))
	parts := scaffolderParts{settings: b.settings, kinds: b.kinds, hosts: b.hosts, forges: b.forges, catalog: o.catalog,
		reader: taskReader{b.hosts, reader, b.forges.gitHosts()}}
	if b.registry, err = taskaction.NewRegistry(builtinActions(parts, b.filters)...); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// linter returns what finds faults in templates.
func (b *bench) linter(foreign, foreignFilters []string) (*lint.Linter, error) {
	return lint.New(lint.Options{Actions: b.registry, Kinds: b.kinds, Filters: b.filters, Foreign: foreign, ForeignFilters: foreignFilters,
		Skeletons: skeleton.NewEngine(skeleton.EngineOptions{Filters: b.filters, Compatible: filters.Compatible()})})
}

// Close lets go of what readers keep.
func (b *bench) Close() error { return b.forges.Close() }
