package github

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// OrgOptions say whose users and teams are read.
type OrgOptions struct {
	ID string
	// URL is where the pages of the host are, without a slash at the end; Host
	// is its host and port.
	URL, Host string
	// Orgs are the organisations; none means all in which one of Apps, the
	// GitHub Apps of the integration, is installed.
	Orgs      []string
	Apps      []int64
	PageSizes OrgPageSizes
	// ExcludeSuspendedUsers leaves out users whom a GitHub Enterprise Server
	// has suspended.
	ExcludeSuspendedUsers bool
	// UseVerifiedEmails prefers an address in a domain that the organisation
	// has verified to the one that a user shows.
	UseVerifiedEmails bool
	// Flat puts all groups into the default namespace, as where there is one
	// organisation in all of the configuration. Otherwise each organisation is
	// a namespace.
	Flat     bool
	Schedule provider.Schedule `json:"-"`
}

// OrgPageSizes are how many things are asked for at once.
type OrgPageSizes struct{ Teams, TeamMembers, OrganizationMembers int }

// DefaultOrgPageSizes are those that operators need not think about.
func DefaultOrgPageSizes() OrgPageSizes {
	return OrgPageSizes{Teams: 25, TeamMembers: 50, OrganizationMembers: 50}
}

// OrgData feeds in the users and teams of organisations.
type OrgData struct {
	opts  OrgOptions
	api   API
	maker entityMaker

	mu sync.Mutex // guards what follows
	// model is what the last poll found, with what events changed since; nil
	// where it may be out of date.
	model *model
	// events counts those that came.
	events int
}

// NewOrgData returns what reads the organisations of the options.
func NewOrgData(o OrgOptions, api API) *OrgData {
	d := &OrgData{opts: o, api: api}
	d.maker = entityMaker{opts: &d.opts, key: "github-multi-org-provider:" + o.ID}
	return d
}

// Name is the name of the provider.
func (d *OrgData) Name() string { return "GithubMultiOrgEntityProvider:" + d.opts.ID }

// Predecessor is the name under which an older kind of provider of the same id
// fed in the same data. What is left of it is to be removed.
func (d *OrgData) Predecessor() string { return "GithubOrgEntityProvider:" + d.opts.ID }

// Provider returns what to poll.
func (d *OrgData) Provider() provider.Provider {
	return provider.Provider{
		Name: d.Name(), Schedule: d.opts.Schedule, Fingerprint: provider.Fingerprint(d.opts), Poll: d.poll,
	}
}

func (d *OrgData) reader(org string) *orgReader {
	return &orgReader{api: d.api, opts: &d.opts, org: org}
}

func (d *OrgData) poll(ctx context.Context) (provider.Listing, error) {
	d.mu.Lock()
	events := d.events
	d.mu.Unlock()
	m, err := d.read(ctx)
	if err != nil {
		return provider.Listing{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.model = m; d.events != events {
		d.model = nil // it may have been read before they happened
	}
	return provider.Listing{Added: d.maker.all(m)}, nil
}

var errNoOrgs = errors.New("no organisation is named, and no app of the integration is installed in one")

func (d *OrgData) orgs(ctx context.Context) ([]string, error) {
	if len(d.opts.Orgs) > 0 {
		return d.opts.Orgs, nil
	}
	var orgs []string
	for _, app := range d.opts.Apps {
		list, err := d.api.Installations(ctx, d.opts.Host, app)
		if err != nil {
			return nil, fmt.Errorf("list installations: %w", err)
		}
		orgs = append(orgs, list...)
	}
	if len(orgs) == 0 {
		return nil, errNoOrgs
	}
	slices.Sort(orgs)
	return slices.Compact(orgs), nil
}

// read reads all organisations. One that cannot be read ends it.
func (d *OrgData) read(ctx context.Context) (*model, error) {
	orgs, err := d.orgs(ctx)
	if err != nil {
		return nil, err
	}
	m := newModel()
	for _, org := range orgs {
		r := d.reader(org)
		users, err := r.users(ctx)
		if err != nil {
			return nil, err
		}
		teams, err := r.teams(ctx)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			m.addUser(org, u)
		}
		for _, t := range teams {
			m.addTeam(t)
		}
	}
	return m, nil
}

// covers tells whether an organisation is one of those that are read.
func (d *OrgData) covers(org string) bool {
	return org != "" && (len(d.opts.Orgs) == 0 || slices.ContainsFunc(d.opts.Orgs, func(o string) bool { return strings.EqualFold(o, org) }))
}
