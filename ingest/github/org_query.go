package github

import (
	"context"
	"fmt"
	"strings"
)

// A user is a member of an organisation.
type user struct {
	ID, Login, Name, Email, Bio, Avatar string
	Suspended                           bool
}

// A team belongs to an organisation. Combined is its slug with that of the
// organisation, Parent the slug of the team above it.
type team struct {
	Org, Slug, Combined, Name, Description, Avatar, EditURL, Parent string
	// Members are the logins of those who are in this team itself.
	Members []string
}

// userFields are what is asked of a user. Only GitHub Enterprise Server knows
// of suspended users; verified addresses need a permission of their own.
func (o *OrgOptions) userFields() string {
	fields := "id login name email bio avatarUrl"
	if o.UseVerifiedEmails {
		fields += " organizationVerifiedDomainEmails(login: $org)"
	}
	if o.ExcludeSuspendedUsers {
		fields += " suspendedAt"
	}
	return fields
}

type userNode struct {
	ID, Login, Name, Email, Bio, AvatarURL string
	SuspendedAt                            string
	Verified                               []string `json:"organizationVerifiedDomainEmails"`
}

func (n *userNode) user() user {
	u := user{ID: n.ID, Login: n.Login, Name: n.Name, Email: n.Email, Bio: n.Bio, Avatar: n.AvatarURL, Suspended: n.SuspendedAt != ""}
	if len(n.Verified) > 0 {
		u.Email = withoutTag(n.Verified[0])
	}
	return u
}

// withoutTag turns ada+github@example.com into ada@example.com.
func withoutTag(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address
	}
	local, _, _ := strings.Cut(address[:at], "+")
	return local + address[at:]
}

const teamFields = `slug combinedSlug name description avatarUrl editTeamUrl parentTeam { slug }
	members(first: $members, membership: IMMEDIATE) { nodes { login } pageInfo { hasNextPage endCursor } }`

type memberPage struct {
	Nodes []*struct {
		Login string `json:"login"`
	} `json:"nodes"`
	PageInfo *pageInfo `json:"pageInfo"`
}

// logins returns the members of a page, an error if anything is missing.
func (p *memberPage) logins() ([]string, error) {
	if p.PageInfo == nil {
		return nil, errIncomplete
	}
	var out []string
	for _, n := range p.Nodes {
		if n == nil || n.Login == "" {
			return nil, errIncomplete
		}
		out = append(out, n.Login)
	}
	return out, nil
}

type teamNode struct {
	Slug, CombinedSlug, Name, Description, AvatarURL, EditTeamURL string
	ParentTeam                                                    *struct{ Slug string }
	Members                                                       memberPage
}

// An orgReader reads one organisation.
type orgReader struct {
	api  API
	opts *OrgOptions
	org  string
}

func (r *orgReader) ask(ctx context.Context, query string, variables map[string]any, into any) error {
	variables["org"] = r.org
	if err := r.api.GraphQL(ctx, r.opts.Host, r.org, query, variables, into); err != nil {
		return fmt.Errorf("read organisation %s: %w", r.org, err)
	}
	return nil
}

func (r *orgReader) fault(err error) error { return fmt.Errorf("read organisation %s: %w", r.org, err) }

// users reads all members.
func (r *orgReader) users(ctx context.Context) ([]user, error) {
	query := `query listMembers($org: String!, $size: Int!, $after: String) {
		organization(login: $org) {
			membersWithRole(first: $size, after: $after) { nodes { ` + r.opts.userFields() + ` } pageInfo { hasNextPage endCursor } }
		}
	}`
	var out []user
	err := pages(ctx, r.opts.PageSizes.OrganizationMembers, func(size int, after *string) (pageInfo, error) {
		var answer struct {
			Organization *struct {
				MembersWithRole struct {
					Nodes    []*userNode
					PageInfo *pageInfo
				}
			}
		}
		if err := r.ask(ctx, query, map[string]any{"size": size, "after": after}, &answer); err != nil {
			return pageInfo{}, err
		}
		if answer.Organization == nil {
			return pageInfo{}, r.fault(errNoOwner)
		}
		page := answer.Organization.MembersWithRole
		if page.PageInfo == nil {
			return pageInfo{}, r.fault(errIncomplete)
		}
		for _, n := range page.Nodes {
			if n == nil || n.Login == "" {
				return pageInfo{}, r.fault(errIncomplete)
			}
			out = append(out, n.user())
		}
		return *page.PageInfo, nil
	})
	return out, err
}

// teams reads all teams with their members.
func (r *orgReader) teams(ctx context.Context) ([]team, error) {
	const query = `query listTeams($org: String!, $size: Int!, $after: String, $members: Int!) {
		organization(login: $org) {
			teams(first: $size, after: $after) { nodes { ` + teamFields + ` } pageInfo { hasNextPage endCursor } }
		}
	}`
	var out []team
	err := pages(ctx, r.opts.PageSizes.Teams, func(size int, after *string) (pageInfo, error) {
		var answer struct {
			Organization *struct {
				Teams struct {
					Nodes    []*teamNode
					PageInfo *pageInfo
				}
			}
		}
		variables := map[string]any{"size": size, "after": after, "members": r.opts.PageSizes.TeamMembers}
		if err := r.ask(ctx, query, variables, &answer); err != nil {
			return pageInfo{}, err
		}
		if answer.Organization == nil {
			return pageInfo{}, r.fault(errNoOwner)
		}
		page := answer.Organization.Teams
		if page.PageInfo == nil {
			return pageInfo{}, r.fault(errIncomplete)
		}
		for _, n := range page.Nodes {
			t, err := r.complete(ctx, n)
			if err != nil {
				return pageInfo{}, err
			}
			out = append(out, t)
		}
		return *page.PageInfo, nil
	})
	return out, err
}

// complete reads the members of a team that its first page has left out.
func (r *orgReader) complete(ctx context.Context, n *teamNode) (team, error) {
	if n == nil || n.Slug == "" {
		return team{}, r.fault(errIncomplete)
	}
	t := team{Org: r.org, Slug: n.Slug, Combined: n.CombinedSlug, Name: n.Name, Description: n.Description, Avatar: n.AvatarURL, EditURL: n.EditTeamURL}
	if n.ParentTeam != nil {
		t.Parent = n.ParentTeam.Slug
	}
	var err error
	if t.Members, err = n.Members.logins(); err != nil {
		return team{}, r.fault(err)
	}
	if !n.Members.PageInfo.HasNextPage {
		return t, nil
	}
	rest, err := r.members(ctx, n.Slug, n.Members.PageInfo.EndCursor)
	t.Members = append(t.Members, rest...)
	return t, err
}

// members reads the members of a team from a place in the list on.
func (r *orgReader) members(ctx context.Context, slug, from string) ([]string, error) {
	const query = `query listTeamMembers($org: String!, $slug: String!, $size: Int!, $after: String) {
		organization(login: $org) {
			team(slug: $slug) {
				members(first: $size, after: $after, membership: IMMEDIATE) { nodes { login } pageInfo { hasNextPage endCursor } }
			}
		}
	}`
	var out []string
	err := pages(ctx, r.opts.PageSizes.TeamMembers, func(size int, after *string) (pageInfo, error) {
		if after == nil {
			after = &from
		}
		var answer struct {
			Organization *struct{ Team *struct{ Members memberPage } }
		}
		if err := r.ask(ctx, query, map[string]any{"slug": slug, "size": size, "after": after}, &answer); err != nil {
			return pageInfo{}, err
		}
		if answer.Organization == nil || answer.Organization.Team == nil {
			return pageInfo{}, r.fault(errIncomplete)
		}
		logins, err := answer.Organization.Team.Members.logins()
		if err != nil {
			return pageInfo{}, r.fault(err)
		}
		out = append(out, logins...)
		return *answer.Organization.Team.Members.PageInfo, nil
	})
	return out, err
}

// team reads one team, found false where it is gone.
func (r *orgReader) team(ctx context.Context, slug string) (t team, found bool, err error) {
	const query = `query oneTeam($org: String!, $slug: String!, $members: Int!) {
		organization(login: $org) { team(slug: $slug) { ` + teamFields + ` } }
	}`
	var answer struct {
		Organization *struct{ Team *teamNode }
	}
	variables := map[string]any{"slug": slug, "members": r.opts.PageSizes.TeamMembers}
	if err := r.ask(ctx, query, variables, &answer); err != nil && !isNotFound(err) {
		return team{}, false, err
	}
	if answer.Organization == nil || answer.Organization.Team == nil {
		return team{}, false, nil
	}
	t, err = r.complete(ctx, answer.Organization.Team)
	return t, err == nil, err
}

// user reads one user, found false where there is none.
func (r *orgReader) user(ctx context.Context, login string) (u user, found bool, err error) {
	declared := "$login: String!"
	if r.opts.UseVerifiedEmails {
		declared += ", $org: String!"
	}
	query := "query oneUser(" + declared + ") { user(login: $login) { " + r.opts.userFields() + " } }"
	var answer struct{ User *userNode }
	variables := map[string]any{"login": login}
	if err := r.ask(ctx, query, variables, &answer); err != nil && !isNotFound(err) {
		return user{}, false, err
	}
	if answer.User == nil || answer.User.Login == "" {
		return user{}, false, nil
	}
	return answer.User.user(), true, nil
}
