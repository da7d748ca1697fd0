package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/auth/boltkeys"
	"github.com/greenroom-idp/greenroom/api/auth/servicetokens"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/eventbus"
	"github.com/greenroom-idp/greenroom/api/eventsapi"
	"github.com/greenroom-idp/greenroom/api/providerapi"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/catalog/view"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/source"
	"github.com/greenroom-idp/greenroom/schemas"
)

// A platform is everything behind the HTTP server.
type platform struct {
	api       *api.Server
	storePath string

	log      *slog.Logger
	observed *observation
	settings *config.Settings
	registry *prometheus.Registry
	db       *bbolt.DB
	store    *boltstore.Store
	bus      *eventbus.Bus
	news     *catalogNews
	index    *index.Index
	view     *view.View
	pipeline *process.Pipeline
	hosts    *integration.Set
	forges   *forges
	engine   *engine.Engine
	crawl    *crawl
	keys     *boltkeys.Store
	// authority is nil until the API is built.
	authority *auth.Authority
	// serviceTokens is nil until there is an authority.
	serviceTokens *servicetokens.API
	found         searchIndexes
	kinds         *schemas.Set
	reader        *source.Reader
	// scaffolder is nil until the API is built.
	scaffolder *scaffoldery
	dataDir    string
	portal     *portal

	// background holds what runs until stop is called.
	background errgroup.Group
	stop       context.CancelFunc
}

// open builds all parts, from the store up, and begins to work. The context
// bounds the opening alone. The caller closes what it returns.
func open(ctx context.Context, s *config.Settings, dataDir string, observed *observation) (*platform, error) {
	p := &platform{settings: s, log: observed.log, observed: observed, registry: prometheus.NewRegistry(), stop: func() {}, dataDir: dataDir}
	for _, part := range []func(context.Context) error{
		func(context.Context) error { return p.openStore(dataDir) },
		p.openCatalog, p.openCrawl, p.openAPI, p.feed, p.startTasks, p.followSearch,
	} {
		if err := part(ctx); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	p.api.Started()
	return p, nil
}

// openStore opens the file, or one that nobody else can find and that is gone
// at exit.
func (p *platform) openStore(dataDir string) (err error) {
	p.observed.register(p.registry)
	p.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if !p.settings.Database.Memory {
		p.db, p.store, err = openData(dataDir, false)
	} else {
		p.log.Warn("the store is in memory and gone at exit, as database.connection ':memory:' says")
		p.db, p.store, err = openTemporary()
	}
	if err != nil {
		return err
	}
	p.storePath = p.db.Path()
	if p.settings.Database.Memory {
		p.storePath = ":memory:"
	}
	if p.keys, err = boltkeys.Open(p.db); err != nil {
		return err
	}
	return p.openBus()
}

// openTemporary opens a store whose file has no name any more, so that not even
// a killed process leaves it behind.
func openTemporary() (*bbolt.DB, *boltstore.Store, error) {
	dir, err := os.MkdirTemp("", "greenroom-")
	if err != nil {
		return nil, nil, fmt.Errorf("a folder for the store in memory cannot be made: %w: set TMPDIR to one that can be written", err)
	}
	db, store, err := openData(dir, false)
	if removed := os.RemoveAll(dir); err == nil && removed != nil {
		return nil, nil, errors.Join(removed, db.Close())
	}
	if err == nil {
		db.NoSync = true
	}
	return db, store, err
}

// openCatalog builds the pipeline, and the engine on top of it, which serves
// what is stored once it is open.
func (p *platform) openCatalog(ctx context.Context) error {
	var warnings []string
	var err error
	if p.hosts, warnings, err = integration.Parse(p.settings.Integrations); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	for _, w := range warnings {
		p.log.Warn("configuration", slog.String("warning", w))
	}
	if p.forges, err = newForges(p.hosts, p.registry, p.log); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	kinds, fingerprint, err := newKinds(p.settings.Catalog)
	if err != nil {
		return err
	}
	p.kinds = kinds
	if p.reader, err = newReader(p.settings, p.hosts, p.forges.sources(), kinds, nil); err != nil {
		return err
	}
	mark := p.observed.tracing.Mark("backstage-plugin-catalog-backend")
	if p.pipeline, err = newPipeline(p.settings.Catalog, kinds, traced(p.reader, mark), true); err != nil {
		return err
	}
	p.index = index.New()
	p.view = view.New(p.index, documents{p.store})
	c := p.settings.Catalog
	p.engine, err = engine.Open(ctx, engine.Options{
		Store: p.store, Index: p.index, Processor: p.pipeline, Logger: p.log,
		Workers:     processingWorkers,
		MinInterval: c.MinInterval, MaxInterval: c.MaxInterval, ReadOnly: c.ProcessingOff, KeepOrphans: c.KeepOrphans,
		RefreshOnConflict: c.RefreshOnConflict, Registerer: p.registry, News: p.news,
		Trace:       mark,
		Fingerprint: versionText() + " " + fingerprint,
	})
	if err != nil {
		return fmt.Errorf("the catalog cannot be loaded: %w: `platform check` says more", err)
	}
	return nil
}

// processingWorkers is how many entities are processed at once: more than there
// are cores, since some of them wait for what they read.
const processingWorkers = 8

// openCrawl builds what feeds the catalog by itself.
func (p *platform) openCrawl(context.Context) (err error) {
	p.crawl, err = newCrawl(crawlParts{
		settings: p.settings, hosts: p.hosts, forges: p.forges, db: p.db, store: p.store, index: p.index,
		engine: p.engine, registry: p.registry, log: p.log,
	})
	return err
}

// openAPI builds the HTTP edge.
func (p *platform) openAPI(ctx context.Context) error {
	s := p.settings
	authority, peers, err := p.newAuthority(ctx)
	if err != nil {
		return err
	}
	decider, err := p.newDecider(authority, peers)
	if err != nil {
		return err
	}
	if err := p.openPortal(authority, decider); err != nil {
		return err
	}
	onConflict := engine.OnConflictReject
	if s.Catalog.RefreshOnConflict {
		onConflict = engine.OnConflictRefresh
	}
	catalogAPI, err := catalogapi.New(catalogapi.Options{
		Reader: reads{p.view}, Engine: p.engine, Validator: p.pipeline, Decider: decider, Authenticator: authority,
		OnConflict: onConflict, Readonly: s.Catalog.ReadOnly,
		HostType: func(u *url.URL) string { return p.hosts.Kind(u.String()) },
	})
	if err != nil {
		return err
	}
	searchAPI, err := p.newSearch(decider)
	if err != nil {
		return err
	}
	p.scaffolder, err = newScaffolder(scaffolderParts{
		db: p.db, dataDir: p.dataDir, settings: s, log: p.log, registry: p.registry, kinds: p.kinds, hosts: p.hosts,
		decider: decider, catalog: taskCatalog{catalogAPI, p.observed.auditor}, entities: catalogAPI, reader: taskReader{p.hosts, p.reader, p.forges.gitHosts()},
		notices: taskNotices{p.portal.plugins.Notifications}, forges: p.forges, observed: p.observed, bus: p.bus,
	})
	if err != nil {
		return err
	}
	if err := p.offerActions(catalogAPI); err != nil {
		return err
	}
	events, err := eventsapi.New(eventsapi.Options{Receivers: p.crawl.receivers, Queue: p.crawl.queue, Bus: p.bus, Logger: p.log})
	if err != nil {
		return err
	}
	providers, err := providerapi.New(providerapi.Options{Loop: p.crawl.loop, Decider: decider})
	if err != nil {
		return err
	}
	signIn, err := p.newSignIn(authority)
	if err != nil {
		return err
	}
	p.api, err = api.New(api.Options{
		Auth: authority, Permission: decider, Catalog: catalogAPI, Scaffolder: p.scaffolder.api, Events: events, Providers: providers, SignIn: signIn,
		Search: searchAPI, Logger: p.log, AccessLog: true, LogHealth: s.Backend.LogHealth,
		Auditor: p.observed.auditor, Tracer: p.observed.tracing.Tracer("greenroom/http"), TraceUsers: s.Tracing.EndUser,
		Registry: p.registry, CatalogStats: p.stats, CORS: corsOptions(s.Backend.CORS), CSP: s.Backend.CSP,
		StartupWait: s.Backend.StartupWait, HealthHeaders: s.Backend.HealthHeaders,
		Portal: p.portal.plugins, Limits: p.portal.limits,
		ServiceTokens: p.serviceTokens,
	})
	return err
}

// startTasks takes up the tasks that have not ended.
func (p *platform) startTasks(ctx context.Context) error {
	if err := p.scaffolder.tasks.Start(ctx); err != nil {
		return fmt.Errorf("tasks cannot be taken up: %w", err)
	}
	return nil
}

// entities returns how many entities are served.
func (p *platform) entities() int { return p.index.Snapshot().Len() }

// Failed is closed when the catalog cannot go on.
func (p *platform) Failed() <-chan struct{} { return p.engine.Done() }

// Close ends the work and then closes the store. It may be called for a
// platform that is not whole.
func (p *platform) Close() error {
	p.stop()
	errs := []error{p.background.Wait(), p.portal.Close()}
	if p.scaffolder != nil { // its actions use the catalog
		errs = append(errs, p.scaffolder.Close())
	}
	if p.engine != nil {
		errs = append(errs, p.engine.Close())
	}
	if p.forges != nil {
		errs = append(errs, p.forges.Close())
	}
	if p.db != nil {
		errs = append(errs, p.db.Close())
	}
	return errors.Join(errs...)
}
