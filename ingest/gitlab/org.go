package gitlab

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// OrgOptions say whose groups and users are read.
type OrgOptions struct {
	ID, Host string
	// URL is where the pages of the host are, without a slash at the end.
	URL string
	// Group is the full path of the group in which to begin; "" means the whole
	// instance, which gitlab.com does not allow.
	Group string
	// GroupPatterns are for full paths of groups, UserPatterns for the mail
	// addresses of users, or their names where those are not known. One must
	// match; none means all.
	GroupPatterns, UserPatterns []provider.Pattern
	// Relations are how a user may belong to a group, besides DIRECT, which
	// always counts: INHERITED, DESCENDANTS and SHARED_FROM_GROUPS.
	Relations []string
	// RestrictUsersToGroup leaves out users who are not in Group.
	RestrictUsersToGroup bool
	// IncludeUsersWithoutSeat lets users of gitlab.com in that take up no seat.
	IncludeUsersWithoutSeat bool
	Schedule                provider.Schedule `json:"-"`
}

// Relations of users to groups.
const (
	Direct           = "DIRECT"
	Inherited        = "INHERITED"
	Descendants      = "DESCENDANTS"
	SharedFromGroups = "SHARED_FROM_GROUPS"
)

// relations are all that count.
func (o *OrgOptions) relations() []string {
	out := []string{Direct}
	for _, r := range o.Relations {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// OrgData feeds in groups and users.
type OrgData struct {
	opts OrgOptions
	api  API

	mu sync.Mutex // guards what follows
	// model is what the last poll found, with what events changed since; nil
	// where it may be out of date.
	model  *model
	events int // how many came
}

// NewOrgData returns what reads the groups and users of the options.
func NewOrgData(o OrgOptions, api API) *OrgData { return &OrgData{opts: o, api: api} }

// Name is the name of the provider and the location key of what it feeds in.
func (d *OrgData) Name() string { return "GitlabOrgDiscoveryEntityProvider:" + d.opts.ID }

// Provider returns what to poll.
func (d *OrgData) Provider() provider.Provider {
	return provider.Provider{
		Name: d.Name(), Schedule: d.opts.Schedule, Fingerprint: provider.Fingerprint(d.opts), Poll: d.poll,
	}
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
	return provider.Listing{Added: d.entities(m)}, nil
}

// A model is what is known of groups and users, by id.
type model struct {
	users  map[int64]*user
	groups map[int64]*group
}

func (d *OrgData) read(ctx context.Context) (*model, error) {
	users, err := d.readUsers(ctx)
	if err != nil {
		return nil, err
	}
	groups, err := d.readGroups(ctx)
	if err != nil {
		return nil, err
	}
	m := &model{users: map[int64]*user{}, groups: map[int64]*group{}}
	for _, u := range users {
		ok, err := d.opts.wantsUser(u)
		if err != nil {
			return nil, err
		}
		if ok {
			m.users[u.ID] = u
		}
	}
	for _, g := range groups {
		m.groups[g.ID] = g
	}
	return m, nil
}

// tokenUser matches the users that GitLab makes for access tokens of groups and
// projects. Lists of members do not say that they are bots.
var tokenUser = regexp.MustCompile(`^(group|project)_\d+_bot(_?[0-9a-f]+)?$`)

// wantsUser tells whether a user is meant.
func (o *OrgOptions) wantsUser(u *user) (bool, error) {
	if u.State != "active" || u.Bot || tokenUser.MatchString(u.Username) {
		return false, nil
	}
	name := u.mail()
	if name == "" {
		name = u.Username
	}
	return matchAny(o.UserPatterns, name)
}

// wantsGroup tells whether a group is meant.
func (o *OrgOptions) wantsGroup(path string) (bool, error) {
	if o.Group != "" && !strings.EqualFold(path, o.Group) && !strings.HasPrefix(strings.ToLower(path), strings.ToLower(o.Group)+"/") {
		return false, nil
	}
	return matchAny(o.GroupPatterns, path)
}
