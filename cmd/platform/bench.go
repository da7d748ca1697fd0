package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	taskaction "github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/notification"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/greenroom-idp/greenroom/schemas"
)

// benchOptions say what templates are worked on with; the zero value is no
// configuration, the real network, and all of the folder of a template.
type benchOptions struct {
	settings *config.Settings
	network  network
	// root is what the template may read from.
	root    string
	catalog *benchCatalog
	notices notification.Sender
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
	runner   *runner.Runner
}

var _ io.Closer = (*bench)(nil)

// authorSettings reads the configuration that an author names, if any.
func authorSettings(configs []string) (*config.Settings, error) {
	if len(configs) == 0 {
		return &config.Settings{}, nil
	}
	_, settings, err := loadConfig(configs)
	return settings, err
}

func newBench(o benchOptions) (_ *bench, err error) {
	if o.settings == nil {
		o.settings = &config.Settings{}
	}
	b := &bench{settings: o.settings}
	if b.kinds, _, err = newKinds(b.settings.Catalog); err != nil {
		return nil, err
	}
	if b.hosts, _, err = integration.Parse(b.settings.Integrations); err != nil {
		return nil, fmt.Errorf("integrations: %w", err)
	}
	for _, h := range b.hosts.Hosts() {
		if o.network.next != nil && !h.Git.SSH.PrivateKey.IsZero() {
			return nil, fmt.Errorf("integrations.git, host %s: a test case cannot use ssh, of which nothing is recorded; leave ssh out and use https", h.Host)
		}
	}
	if b.forges, err = newForgesOver(o.network, b.hosts, prometheus.NewRegistry(), slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	reader, err := newReader(b.settings, b.hosts, b.forges.sources(), b.kinds, o.network.next)
	if err != nil {
		return nil, err
	}
	b.filters = filters.Funcs(filters.Backstage(hostKinds{b.hosts}))
	parts := scaffolderParts{settings: b.settings, kinds: b.kinds, hosts: b.hosts, forges: b.forges, network: o.network, root: o.root,
		reader: taskReader{b.hosts, reader, b.forges.gitHosts()}, notices: o.notices}
	if parts.signing, err = signingKeys(parts); err != nil {
		return nil, err
	}
	if o.catalog != nil {
		o.catalog.files = reader
		parts.catalog = o.catalog
	}
	if b.registry, err = taskaction.NewRegistry(builtinActions(parts, b.filters)...); err != nil {
		return nil, err
	}
	s := b.settings.Scaffolder
	b.runner, err = runner.New(runner.Options{Actions: b.registry, Filters: b.filters, Parameters: s.Parameters, Secrets: s.Secrets,
		Level: taskLogLevel(os.Getenv("LOG_LEVEL"))})
	return b, err
}

// linter returns what finds faults in templates. Foreign are globs of actions,
// and names of filters, that plugins bring.
func (b *bench) linter(foreign, foreignFilters []string) (*lint.Linter, error) {
	return lint.New(lint.Options{Actions: b.registry, Kinds: b.kinds, Filters: b.filters, Foreign: foreign, ForeignFilters: foreignFilters,
		Skeletons: skeleton.NewEngine(skeleton.EngineOptions{Filters: b.filters, Compatible: filters.Compatible()})})
}

// Close lets go of what readers keep.
func (b *bench) Close() error { return b.forges.Close() }

// benchNotices tells an author which notifications a server would send.
type benchNotices struct{ note func(string) }

var _ notification.Sender = benchNotices{}

// Send implements notification.Sender.
func (n benchNotices) Send(_ context.Context, x notification.Notification) error {
	n.note(fmt.Sprintf("there is no server to send the notification %q", x.Title))
	return nil
}
