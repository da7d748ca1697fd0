package github

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// DiscoveryOptions say which repositories are looked for a descriptor. One of
// Organization and App is set.
type DiscoveryOptions struct {
	ID string
	// Organization may be a user as well. App is the id of a GitHub App: all
	// organisations that it is installed in.
	Organization string
	App          int64
	Host         string
	// CatalogPath is where the descriptor is from the root of a repository; it
	// may have wildcards.
	CatalogPath string
	// ValidateLocationsExist leaves out repositories in which there is no
	// descriptor, or an empty one. It does not go with wildcards.
	ValidateLocationsExist bool
	Filters                Filters
	// PageSize is how many repositories are asked for at once.
	PageSize int
	Schedule provider.Schedule `json:"-"`
}

// Filters say which repositories are meant.
type Filters struct {
	Branch                     string // "": the default one
	Repository                 provider.Pattern
	TopicInclude, TopicExclude []string
	AllowForks                 bool
	Visibility                 []string // nil: all
	AllowArchived              bool
}

// Defaults of options.
const (
	DefaultCatalogPath = "/catalog-info.yaml"
	DefaultPageSize    = 25
)

// path is the catalog path without its leading slash.
func (o *DiscoveryOptions) path() string { return strings.TrimPrefix(o.CatalogPath, "/") }

// expression names the descriptor for Git.
func (o *DiscoveryOptions) expression() string {
	branch := o.Filters.Branch
	if branch == "" {
		branch = "HEAD"
	}
	return branch + ":" + o.path()
}

// branch is where the descriptor of a repository is, "" if it has none.
func (o *DiscoveryOptions) branch(r repository) string {
	if r.Branch != "" && o.Filters.Branch != "" {
		return o.Filters.Branch
	}
	return r.Branch
}

// match tells whether a repository is meant, apart from the question whether
// the descriptor exists.
func (f *Filters) match(r repository) (bool, error) {
	switch {
	case r.Branch == "",
		r.Archived && !f.AllowArchived,
		r.Fork && !f.AllowForks,
		f.Visibility != nil && !slices.ContainsFunc(f.Visibility, func(v string) bool { return strings.EqualFold(v, r.Visibility) }),
		slices.ContainsFunc(f.TopicExclude, func(t string) bool { return slices.Contains(r.Topics, t) }),
		len(f.TopicInclude) > 0 && !slices.ContainsFunc(f.TopicInclude, func(t string) bool { return slices.Contains(r.Topics, t) }):
		return false, nil
	}
	return f.Repository.Match(r.Name)
}

// wanted is match with the question whether the descriptor exists.
func (o *DiscoveryOptions) wanted(r repository) (bool, error) {
	if o.ValidateLocationsExist && !r.Exists {
		return false, nil
	}
	return o.Filters.match(r)
}

// location is where the descriptors of a repository are, on a branch.
func (o *DiscoveryOptions) location(url, branch string) catalog.LocationRef {
	return catalog.LocationRef{Type: "url", Target: url + "/blob/" + branch + "/" + o.path()}
}

// A Discovery finds the repositories that have descriptors.
type Discovery struct {
	opts DiscoveryOptions
	api  API

	mu     sync.Mutex
	owners []string // of the last poll, for an app
}

// NewDiscovery returns the discovery that the options ask for.
func NewDiscovery(o DiscoveryOptions, api API) *Discovery { return &Discovery{opts: o, api: api} }

// Name is the name of the provider and the location key of what it feeds in.
func (d *Discovery) Name() string { return "github-provider:" + d.opts.ID }

// Provider returns what to poll.
func (d *Discovery) Provider() provider.Provider {
	return provider.Provider{
		Name: d.Name(), Schedule: d.opts.Schedule, Fingerprint: provider.Fingerprint(d.opts), Poll: d.poll,
	}
}

func (d *Discovery) poll(ctx context.Context) (provider.Listing, error) {
	owners, err := d.readOwners(ctx)
	if err != nil {
		return provider.Listing{}, err
	}
	var listing provider.Listing
	for _, owner := range owners {
		repositories, err := listOf(ctx, d.api, &d.opts, owner)
		if err != nil {
			return provider.Listing{}, err
		}
		for _, r := range repositories {
			wanted, err := d.opts.wanted(r)
			if err != nil {
				return provider.Listing{}, err
			}
			if wanted {
				listing.Added = append(listing.Added, d.deferred(r.URL, d.opts.branch(r)))
			}
		}
	}
	return listing, nil
}

// readOwners asks whose repositories are meant.
func (d *Discovery) readOwners(ctx context.Context) ([]string, error) {
	if d.opts.App == 0 {
		return []string{d.opts.Organization}, nil
	}
	owners, err := d.api.Installations(ctx, d.opts.Host, d.opts.App)
	if err != nil {
		return nil, fmt.Errorf("list installations of app %d: %w", d.opts.App, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.owners = owners
	return owners, nil
}

// owns tells whether the repositories of an owner are meant.
func (d *Discovery) owns(ctx context.Context, owner string) (bool, error) {
	d.mu.Lock()
	owners := d.owners
	d.mu.Unlock()
	if owners == nil {
		var err error
		if owners, err = d.readOwners(ctx); err != nil {
			return false, err
		}
	}
	return slices.ContainsFunc(owners, func(o string) bool { return strings.EqualFold(o, owner) }), nil
}

func (d *Discovery) deferred(url, branch string) engine.Deferred {
	return engine.Deferred{
		Entity: catalog.LocationEntity(d.opts.location(url, branch), "optional", "", ""), LocationKey: d.Name(),
	}
}
