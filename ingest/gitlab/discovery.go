package gitlab

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// DiscoveryOptions say which projects are looked for a descriptor.
type DiscoveryOptions struct {
	ID, Host string
	// Group is the full path of a group; "" means the whole instance.
	Group string
	// Branch is where descriptors are; "" means the default branch of each
	// project, or FallbackBranch where it has none.
	Branch, FallbackBranch string
	// EntityFilename is the path of the descriptor in a project.
	EntityFilename string
	// ProjectPatterns are for full paths, of which one must match; none means
	// all.
	ProjectPatterns []provider.Pattern
	// UseSearch finds descriptors with the host's search, wherever they are in
	// a project, in place of a list of all projects.
	UseSearch            bool
	SkipForkedRepos      bool
	IncludeArchivedRepos bool
	// ExcludeRepos are the full paths of projects that are left out.
	ExcludeRepos []string
	Membership   *bool
	Topics       []string
	Schedule     provider.Schedule `json:"-"`
}

// Defaults of options.
const (
	DefaultFallbackBranch = "master"
	DefaultEntityFilename = "catalog-info.yaml"
)

// A Discovery finds the projects that have descriptors.
type Discovery struct {
	opts DiscoveryOptions
	api  API
	now  func() time.Time

	mu sync.Mutex
	// looked is what was found in a project when it was last looked into.
	looked map[int64]look
}

// A look is an answer to the question whether a descriptor exists.
type look struct {
	at       time.Time
	activity time.Time // of the project at that time
	branch   string
	exists   bool
}

// NewDiscovery returns the discovery that the options ask for. Now is time.Now
// where it is nil.
func NewDiscovery(o DiscoveryOptions, api API, now func() time.Time) *Discovery {
	if now == nil {
		now = time.Now
	}
	return &Discovery{opts: o, api: api, now: now, looked: map[int64]look{}}
}

// Name is the name of the provider and the location key of what it feeds in.
func (d *Discovery) Name() string { return "GitlabDiscoveryEntityProvider:" + d.opts.ID }

// Provider returns what to poll.
func (d *Discovery) Provider() provider.Provider {
	return provider.Provider{
		Name: d.Name(), Schedule: d.opts.Schedule, Fingerprint: provider.Fingerprint(d.opts), Poll: d.poll,
	}
}

// branch is where the descriptor of a project is.
func (o *DiscoveryOptions) branch(defaultBranch string) string {
	switch {
	case o.Branch != "":
		return o.Branch
	case defaultBranch != "":
		return defaultBranch
	}
	return o.FallbackBranch
}

// match tells whether a project is meant, apart from the question whether the
// descriptor exists.
func (o *DiscoveryOptions) match(p *project) (bool, error) {
	if p.ForkedFrom != nil && o.SkipForkedRepos || p.Archived && !o.IncludeArchivedRepos || p.EmptyRepo {
		return false, nil
	}
	if slices.Contains(o.ExcludeRepos, p.Path) {
		return false, nil
	}
	if o.Group != "" && !strings.HasPrefix(strings.ToLower(p.Path), strings.ToLower(o.Group)+"/") {
		return false, nil
	}
	return matchAny(o.ProjectPatterns, p.Path)
}

func matchAny(patterns []provider.Pattern, s string) (bool, error) {
	for _, p := range patterns {
		if ok, err := p.Match(s); ok || err != nil {
			return ok, err
		}
	}
	return len(patterns) == 0, nil
}

func (d *Discovery) location(webURL, branch, file string) catalog.LocationRef {
	return catalog.LocationRef{Type: "url", Target: strings.TrimSuffix(webURL, "/") + "/-/blob/" + branch + "/" + file}
}

func (d *Discovery) deferred(webURL, branch, file string) engine.Deferred {
	return engine.Deferred{
		Entity: catalog.LocationEntity(d.location(webURL, branch, file), "optional", "", ""), LocationKey: d.Name(),
	}
}

func (d *Discovery) poll(ctx context.Context) (provider.Listing, error) {
	if d.opts.UseSearch {
		return d.pollSearch(ctx)
	}
	var wanted []*project
	err := d.projects(ctx, func(p *project) error {
		ok, err := d.opts.match(p)
		if ok {
			wanted = append(wanted, p)
		}
		return err
	})
	if err != nil {
		return provider.Listing{}, err
	}
	found, err := d.lookAll(ctx, wanted)
	if err != nil {
		return provider.Listing{}, err
	}
	var listing provider.Listing
	for i, p := range wanted {
		if found[i] {
			listing.Added = append(listing.Added, d.deferred(p.WebURL, d.opts.branch(p.DefaultBranch), d.opts.EntityFilename))
		}
	}
	return listing, nil
}

// looks is how many projects are looked into at once.
const looks = 8

// lookAll tells for each project whether it has a descriptor.
func (d *Discovery) lookAll(ctx context.Context, projects []*project) ([]bool, error) {
	found := make([]bool, len(projects))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(looks)
	for i, p := range projects {
		group.Go(func() (err error) {
			found[i], err = d.look(ctx, p)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	d.forget(projects)
	return found, nil
}

const (
	// stillness is how long ago the last activity of a project must have been
	// when it was looked into, for the answer to be believed as long as that
	// time stays the same: GitLab notes activity once an hour at most.
	stillness = 65 * time.Minute
	// believed is how long an answer is believed in any case.
	believed = 24 * time.Hour
)

// look tells whether a project has a descriptor. It asks only where something
// may have happened since it was asked last.
func (d *Discovery) look(ctx context.Context, p *project) (bool, error) {
	branch := d.opts.branch(p.DefaultBranch)
	d.mu.Lock()
	last, known := d.looked[p.ID]
	d.mu.Unlock()
	now := d.now()
	if known && last.branch == branch && last.activity.Equal(p.LastActivity) &&
		last.at.Sub(last.activity) >= stillness && now.Sub(last.at) < believed {
		return last.exists, nil
	}
	exists, err := d.exists(ctx, p, branch)
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looked[p.ID] = look{at: now, activity: p.LastActivity, branch: branch, exists: exists}
	return exists, nil
}

// forget drops what is known of projects that are no longer listed.
func (d *Discovery) forget(listed []*project) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := make(map[int64]look, len(listed))
	for _, p := range listed {
		if l, ok := d.looked[p.ID]; ok {
			kept[p.ID] = l
		}
	}
	d.looked = kept
}

// pollSearch lists what the host's search finds.
func (d *Discovery) pollSearch(ctx context.Context) (provider.Listing, error) {
	blobs, err := d.search(ctx)
	if err != nil {
		return provider.Listing{}, err
	}
	var listing provider.Listing
	projects, seen := map[int64]*project{}, map[string]bool{}
	for _, b := range blobs {
		if path.Base(b.Path) != path.Base(d.opts.EntityFilename) {
			continue
		}
		p := projects[b.ProjectID]
		if p == nil {
			if p, err = d.one(ctx, b.ProjectID); err != nil {
				return provider.Listing{}, err
			}
			projects[b.ProjectID] = p
		}
		ok, err := d.opts.match(p)
		if err != nil {
			return provider.Listing{}, err
		}
		entity := d.deferred(p.WebURL, d.opts.branch(p.DefaultBranch), b.Path)
		if ref := entity.Entity.Ref().String(); ok && !seen[ref] {
			seen[ref] = true
			listing.Added = append(listing.Added, entity)
		}
	}
	return listing, nil
}
