package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A user is a person at the host.
type user struct {
	ID          int64  `json:"id"`
	Username    string `json:"username"`
	Name        string `json:"name"`
	State       string `json:"state"`
	WebURL      string `json:"web_url"`
	AvatarURL   string `json:"avatar_url"`
	Email       string `json:"email"`
	PublicEmail string `json:"public_email"`
	Bot         bool   `json:"bot"`
	// IsUsingSeat is only known of members of a group.
	IsUsingSeat *bool `json:"is_using_seat"`
	SAML        *struct {
		ExternUID string `json:"extern_uid"`
	} `json:"group_saml_identity"`
}

// mail is the address of a user, "" if it is not known.
func (u *user) mail() string {
	if u.Email != "" {
		return u.Email
	}
	return u.PublicEmail
}

// A group holds projects and further groups.
type group struct {
	ID          int64  `json:"id"`
	ParentID    int64  `json:"parent_id"`
	FullPath    string `json:"full_path"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Visibility  string `json:"visibility"`
	AvatarURL   string `json:"avatar_url"`

	// members are the ids of those who are in the group by one of the
	// relations that count.
	members []int64
}

// cloud is the instance that is shared by all the world: its users cannot be
// listed, only those of a group.
const cloud = "gitlab.com"

// readUsers reads the users that are meant, apart from the pattern.
func (d *OrgData) readUsers(ctx context.Context) ([]*user, error) {
	path, query := "users", url.Values{"active": {"true"}, "without_project_bots": {"true"}, "order_by": {"id"}, "sort": {"asc"}}
	switch {
	case d.opts.Group != "" && d.opts.RestrictUsersToGroup:
		path, query = "groups/"+url.PathEscape(d.opts.Group)+"/members/all", url.Values{}
	case d.opts.Host == cloud:
		root, _, _ := strings.Cut(d.opts.Group, "/")
		path, query = "groups/"+url.PathEscape(root)+"/members/all", url.Values{"show_seat_info": {"true"}}
	}
	seats := d.opts.Host == cloud && !d.opts.IncludeUsersWithoutSeat
	var out []*user
	err := list(ctx, d.api, d.opts.Host, path, query, func(u *user) error {
		if u == nil || u.ID == 0 || u.Username == "" {
			return errIncomplete
		}
		if seats && u.IsUsingSeat != nil && !*u.IsUsingSeat {
			return nil
		}
		out = append(out, u)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return out, nil
}

// readGroups reads the groups that are meant, with their members.
func (d *OrgData) readGroups(ctx context.Context) ([]*group, error) {
	path, query := "groups", url.Values{"order_by": {"id"}, "sort": {"asc"}, "all_available": {"true"}}
	var out []*group
	if d.opts.Group != "" {
		path = "groups/" + url.PathEscape(d.opts.Group) + "/descendant_groups"
		top := &group{}
		if _, err := d.api.Get(ctx, d.opts.Host, "groups/"+url.PathEscape(d.opts.Group), url.Values{"with_projects": {"false"}}, top); err != nil {
			return nil, fmt.Errorf("read group %s: %w", d.opts.Group, err)
		}
		out = append(out, top)
	}
	err := list(ctx, d.api, d.opts.Host, path, query, func(g *group) error {
		out = append(out, g)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	var meant []*group
	for _, g := range out {
		if g == nil || g.ID == 0 || g.FullPath == "" {
			return nil, fmt.Errorf("list groups: %w", errIncomplete)
		}
		ok, err := matchAny(d.opts.GroupPatterns, g.FullPath)
		if err != nil {
			return nil, err
		}
		if ok {
			meant = append(meant, g)
		}
	}
	asking, ctx := errgroup.WithContext(ctx)
	asking.SetLimit(looks)
	for _, g := range meant {
		asking.Go(func() (err error) {
			g.members, err = d.readMembers(ctx, g.FullPath)
			return err
		})
	}
	return meant, asking.Wait()
}

const listMembers = `query listMembers($path: ID!, $relations: [GroupMemberRelation!], $after: String) {
	group(fullPath: $path) {
		groupMembers(first: 100, after: $after, relations: $relations) { nodes { user { id } } pageInfo { hasNextPage endCursor } }
	}
}`

// readMembers returns the ids of the users in a group. Those whose account is
// gone are left out.
func (d *OrgData) readMembers(ctx context.Context, path string) ([]int64, error) {
	var out []int64
	after := ""
	for range maxPages {
		var answer struct {
			Group *struct {
				GroupMembers *struct {
					Nodes []*struct {
						User *struct{ ID string }
					}
					PageInfo *struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		variables := map[string]any{"path": path, "relations": d.opts.relations()}
		if after != "" {
			variables["after"] = after
		}
		if err := d.api.GraphQL(ctx, d.opts.Host, listMembers, variables, &answer); err != nil {
			return nil, fmt.Errorf("list members of group %s: %w", path, err)
		}
		if answer.Group == nil || answer.Group.GroupMembers == nil || answer.Group.GroupMembers.PageInfo == nil {
			return nil, fmt.Errorf("list members of group %s: %w", path, errIncomplete)
		}
		page := answer.Group.GroupMembers
		for _, n := range page.Nodes {
			if n == nil || n.User == nil {
				continue
			}
			id, err := strconv.ParseInt(n.User.ID[strings.LastIndexByte(n.User.ID, '/')+1:], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("list members of group %s: %w: %q is not the id of a user", path, errIncomplete, n.User.ID)
			}
			out = append(out, id)
		}
		if !page.PageInfo.HasNextPage {
			return out, nil
		}
		if page.PageInfo.EndCursor == "" || page.PageInfo.EndCursor == after {
			return nil, fmt.Errorf("list members of group %s: %w: it goes on, and does not say where", path, errIncomplete)
		}
		after = page.PageInfo.EndCursor
	}
	return nil, fmt.Errorf("list members of group %s: %w: it has more than %d pages", path, errIncomplete, maxPages)
}

// oneUser reads a user by id, found false where there is none.
func (d *OrgData) oneUser(ctx context.Context, id int64) (u *user, found bool, err error) {
	u = &user{}
	_, err = d.api.Get(ctx, d.opts.Host, "users/"+strconv.FormatInt(id, 10), nil, u)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read user %d: %w", id, err)
	}
	return u, u.ID != 0 && u.Username != "", nil
}

// oneGroup reads a group by id with its members, found false where there is
// none.
func (d *OrgData) oneGroup(ctx context.Context, id int64) (g *group, found bool, err error) {
	g = &group{}
	_, err = d.api.Get(ctx, d.opts.Host, "groups/"+strconv.FormatInt(id, 10), url.Values{"with_projects": {"false"}}, g)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read group %d: %w", id, err)
	}
	if g.ID == 0 || g.FullPath == "" {
		return nil, false, fmt.Errorf("read group %d: %w", id, errIncomplete)
	}
	g.members, err = d.readMembers(ctx, g.FullPath)
	return g, err == nil, err
}
