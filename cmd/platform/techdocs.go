package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/techdocs"
	"github.com/greenroom-idp/greenroom/api/techdocs/builder"
	"github.com/greenroom-idp/greenroom/api/techdocs/found"
	"github.com/greenroom-idp/greenroom/api/techdocs/located"
	"github.com/greenroom-idp/greenroom/api/techdocs/markdown"
	"github.com/greenroom-idp/greenroom/api/techdocs/published"
	"github.com/greenroom-idp/greenroom/api/techdocs/s3sites"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/query"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// documentation is what the portal shows of documents: either a builder, or an
// indexer of what others have built.
type documentation struct {
	builder *builder.Builder
	indexer *published.Indexer
	every   time.Duration
	closers []func() error
}

const (
	// docsCheck is how often sites whose source nobody told of are looked at.
	docsCheck = time.Hour
	// docsIndex is how often published sites are.
	docsIndex = 10 * time.Minute
)

// openTechDocs builds the plugin. It is called by openAPI, once there are a
// catalog and a search.
func (p *platform) openTechDocs(decider *permission.Engine, catalogAPI *catalogapi.API) error {
	s := p.settings.TechDocs
	p.docs = &documentation{every: s.Every}
	if p.docs.every == 0 {
		p.docs.every = docsIndex
	}
	library, err := p.docs.open(p, s)
	if err != nil {
		return fmt.Errorf("configuration: techdocs: %w", err)
	}
	p.portal.plugins.TechDocs, err = techdocs.New(techdocs.Options{
		Library: library, Catalog: catalogAPI, Decider: decider, Resolve: p.hosts.Resolve, Visibility: catalogapi.EntityRead(),
		CaseSensitive: s.CaseSensitive, Logger: p.log,
	})
	return err
}

// open returns the library that the configuration asks for.
func (d *documentation) open(p *platform, s config.TechDocs) (techdocs.Library, error) {
	finder := found.New(p.found.docs, s.Location)
	if s.External {
		store, err := d.openStore(s)
		if err != nil {
			return nil, err
		}
		library := published.New(store, s.CaseSensitive)
		d.indexer = &published.Indexer{Library: library, Finder: finder, Entities: p.documented, Logger: p.log}
		return library, nil
	}
	dir := filepath.Join(p.dataDir, "techdocs")
	if p.settings.Database.Memory {
		var err error
		if dir, err = os.MkdirTemp("", "greenroom-techdocs-"); err != nil {
			return nil, err
		}
		d.closers = append(d.closers, func() error { return os.RemoveAll(dir) })
	}
	var err error
	d.builder, err = builder.Open(builder.Options{
		Dir: dir, Trees: docTrees{p.hosts, p.forges.gitHosts()}, Renderer: markdown.New(markdown.Options{FrameHosts: s.FrameHosts}),
		Entity: func(ctx context.Context, ref string) (catalog.Entity, bool, error) { return p.entity(ctx, ref) },
		Finder: finder, Logger: p.log,
	})
	return builtHere{d.builder}, err
}

func (d *documentation) openStore(s config.TechDocs) (published.Store, error) {
	if s.S3 != nil {
		store, err := s3sites.New(s3sites.Options{
			Bucket: s.S3.Bucket, Region: s.S3.Region, Root: s.S3.Root, Endpoint: s.S3.Endpoint, PathStyle: s.S3.PathStyle,
			AccessKey: s.S3.AccessKey, SecretKey: s.S3.SecretKey,
		})
		if err != nil {
			return nil, fmt.Errorf("publisher.awsS3: %w", err)
		}
		return store, nil
	}
	folder, err := published.OpenFolder(s.Folder)
	if err != nil {
		return nil, fmt.Errorf("publisher.local.publishDirectory: %w: make the folder, or name the one that sites are published to", err)
	}
	d.closers = append(d.closers, folder.Close)
	return folder, nil
}

// Close ends builds. It may be called for nil.
func (d *documentation) Close() error {
	if d == nil {
		return nil
	}
	var errs []error
	if d.builder != nil {
		errs = append(errs, d.builder.Close())
	}
	for _, c := range d.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// followDocs fills the search with what there is, and keeps it and the sites up
// to date until the platform stops.
func (p *platform) followDocs(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	before := p.stop
	p.stop = func() { cancel(); before() }
	changed, stop := p.engine.Watch()
	if p.docs.builder == nil {
		stop()
		p.background.Go(func() error { p.docs.indexForEver(background, p.log, p.found.docs.MarkFilled); return nil })
		return nil
	}
	p.background.Go(func() error {
		defer stop()
		if err := p.docs.builder.Follow(background, p.store, changed, p.found.docs.MarkFilled); err != nil {
			p.log.Error("documentation does not follow the catalog any more; a restart mends that", slog.Any("error", err))
		}
		return nil
	})
	p.background.Go(func() error {
		for tick := time.NewTicker(docsCheck); ; {
			select {
			case <-background.Done():
				tick.Stop()
				return nil
			case <-tick.C:
				p.docs.builder.CheckAll()
			}
		}
	})
	return nil
}

// indexForEver puts published sites into the search again and again.
func (d *documentation) indexForEver(ctx context.Context, log *slog.Logger, filled func()) {
	for tick := time.NewTicker(d.every); ; {
		if err := d.indexer.Run(ctx); err != nil && ctx.Err() == nil {
			log.Error("published documentation", slog.Any("error", err))
		}
		filled()
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// entity returns an entity by its canonical ref.
func (p *platform) entity(ctx context.Context, ref string) (catalog.Entity, bool, error) {
	body, err := entities{p.view}.Entity(ctx, ref)
	if err != nil || body == nil {
		return catalog.Entity{}, false, err
	}
	object, err := jsonvalue.ParseObject(body)
	return catalog.Entity{Object: object}, err == nil, err
}

// documented returns all entities that have documentation.
func (p *platform) documented(ctx context.Context) (out []catalog.Entity, err error) {
	snapshot := p.index.Snapshot()
	var refs []string
	snapshot.Select(query.Exists{Key: "metadata.annotations." + located.Annotation}).All(func(id index.ID) bool {
		refs = append(refs, snapshot.Ref(id))
		return true
	})
	for _, ref := range refs {
		e, ok, err := p.entity(ctx, ref)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// builtHere is the builder as a library.
type builtHere struct{ *builder.Builder }

var _ techdocs.Library = builtHere{}

// Open opens a file of a site.
func (b builtHere) Open(ctx context.Context, ref catalog.EntityRef, path string) (site.Content, error) {
	return b.Builder.Open(ctx, ref.String(), path)
}

// IsFolder tells whether there is a page.
func (b builtHere) IsFolder(ctx context.Context, ref catalog.EntityRef, path string) (bool, error) {
	return b.Builder.IsFolder(ctx, ref.String(), path)
}

// docTrees read folders from the hosts that have integrations.
type docTrees struct {
	*integration.Set
	hosts []gitHost
}

var _ builder.Trees = docTrees{}

// A treeHost reads folders as they are in a commit.
type treeHost interface {
	Commit(ctx context.Context, url string) (string, error)
	TreeAt(ctx context.Context, url, commit string, yield func(archive.Entry) error) error
}

func (t docTrees) host(raw string) (treeHost, error) {
	for _, h := range t.hosts {
		if tree, ok := h.(treeHost); ok && h.Matches(raw) {
			return tree, nil
		}
	}
	name := raw
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		name = u.Host
	}
	return nil, catalog.NewError(catalog.NameNotAllowed, "Documentation cannot be read from "+name+": there is no integration for that host")
}

// State returns the commit that a folder is at.
func (t docTrees) State(ctx context.Context, raw string) (string, error) {
	h, err := t.host(raw)
	if err != nil {
		return "", err
	}
	return h.Commit(ctx, raw)
}

// Tree reads a folder.
func (t docTrees) Tree(ctx context.Context, raw, state string, yield func(archive.Entry) error) error {
	h, err := t.host(raw)
	if err != nil {
		return err
	}
	return h.TreeAt(ctx, raw, state, yield)
}

// pushes tells readers of the commits of webhooks, and then documentation.
type pushes struct {
	heads interface {
		Observe(repository, branch, commit string, at time.Time)
	}
	pushed func(repository string)
}

// Observe notes that a branch of a repository was at a commit.
func (h pushes) Observe(repository, branch, commit string, at time.Time) {
	h.heads.Observe(repository, branch, commit, at)
	if h.pushed != nil {
		h.pushed(repository)
	}
}

// docsPushed looks at the documentation from a repository that was pushed to.
func (p *platform) docsPushed(repository string) {
	if p.docs != nil && p.docs.builder != nil {
		p.docs.builder.Pushed(repository)
	}
}
