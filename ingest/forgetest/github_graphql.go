package forgetest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// githubSchema is the part of GitHub's schema that is answered here.
const githubSchema = `
scalar URI
scalar DateTime
scalar GitObjectID
type Query {
	organization(login: String!): Organization
	repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
	repositoryOwner(login: String!): RepositoryOwner
	user(login: String!): User
	rateLimit(dryRun: Boolean = false): RateLimit
}
type RateLimit { cost: Int! limit: Int! remaining: Int! used: Int! nodeCount: Int! resetAt: DateTime! }
enum RepositoryAffiliation { COLLABORATOR ORGANIZATION_MEMBER OWNER }
enum RepositoryVisibility { INTERNAL PRIVATE PUBLIC }
enum TeamMembershipType { ALL CHILD_TEAM IMMEDIATE }
interface RepositoryOwner {
	login: String!
	repositories(first: Int, after: String, affiliations: [RepositoryAffiliation], ownerAffiliations: [RepositoryAffiliation] = [OWNER, COLLABORATOR], isFork: Boolean, isArchived: Boolean): RepositoryConnection!
}
type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }
type RepositoryConnection { nodes: [Repository] pageInfo: PageInfo! totalCount: Int! }
type Repository {
	name: String! nameWithOwner: String! url: URI! description: String isArchived: Boolean! isFork: Boolean! isEmpty: Boolean! visibility: RepositoryVisibility!
	repositoryTopics(first: Int, after: String): RepositoryTopicConnection!
	defaultBranchRef: Ref
	object(expression: String): GitObject
}
type RepositoryTopicConnection { nodes: [RepositoryTopic] pageInfo: PageInfo! totalCount: Int! }
type RepositoryTopic { topic: Topic! }
type Topic { name: String! }
type Ref { name: String! target: GitObject }
interface GitObject { oid: GitObjectID! }
type Blob implements GitObject { oid: GitObjectID! byteSize: Int! text: String }
type Tree implements GitObject { oid: GitObjectID! }
type Commit implements GitObject { oid: GitObjectID! }
type Organization implements RepositoryOwner {
	login: String! name: String
	repositories(first: Int, after: String, affiliations: [RepositoryAffiliation], ownerAffiliations: [RepositoryAffiliation] = [OWNER, COLLABORATOR], isFork: Boolean, isArchived: Boolean): RepositoryConnection!
	membersWithRole(first: Int, after: String): OrganizationMemberConnection!
	teams(first: Int, after: String, userLogins: [String!], rootTeamsOnly: Boolean = false): TeamConnection!
	team(slug: String!): Team
}
type OrganizationMemberConnection { nodes: [User] pageInfo: PageInfo! totalCount: Int! }
type TeamConnection { nodes: [Team] pageInfo: PageInfo! totalCount: Int! }
type Team {
	slug: String! combinedSlug: String! name: String! description: String avatarUrl(size: Int = 400): URI editTeamUrl: URI! parentTeam: Team
	members(first: Int, after: String, membership: TeamMembershipType = ALL): TeamMemberConnection!
}
type TeamMemberConnection { nodes: [User] pageInfo: PageInfo! totalCount: Int! }
type User implements RepositoryOwner {
	id: ID! login: String! name: String email: String! bio: String avatarUrl(size: Int): URI! suspendedAt: DateTime
	organizationVerifiedDomainEmails(login: String!): [String!]!
	repositories(first: Int, after: String, affiliations: [RepositoryAffiliation], ownerAffiliations: [RepositoryAffiliation] = [OWNER, COLLABORATOR], isFork: Boolean, isArchived: Boolean): RepositoryConnection!
}`

// field is a value that depends on arguments.
func field(fn func(args map[string]any) (any, error)) func(map[string]any) (any, error) { return fn }

func argument(args map[string]any, name string) string {
	s, _ := args[name].(string)
	return s
}

func unresolved(kind, login string) error {
	return &graphError{"NOT_FOUND", fmt.Sprintf("Could not resolve to %s with the login of '%s'.", kind, login)}
}

func (g *GitHub) graphRoot(r *http.Request) map[string]any {
	return map[string]any{
		"__typename": "Query",
		"organization": field(func(args map[string]any) (any, error) {
			login := argument(args, "login")
			if g.isUser(login) || !g.ownerExists(login) {
				return nil, unresolved("an Organization", login)
			}
			return g.graphOrg(r, login), nil
		}),
		"user": field(func(args map[string]any) (any, error) {
			login := argument(args, "login")
			if !g.isUser(login) {
				return nil, unresolved("a User", login)
			}
			return g.graphUser(r, login), nil
		}),
		"repositoryOwner": field(func(args map[string]any) (any, error) {
			login := argument(args, "login")
			switch {
			case g.isUser(login):
				return g.graphUser(r, login), nil
			case g.ownerExists(login):
				return g.graphOrg(r, login), nil
			}
			return nil, nil
		}),
		"repository": field(func(args map[string]any) (any, error) {
			name := argument(args, "owner") + "/" + argument(args, "name")
			repository, _, ok := g.readable(r, name)
			if !ok {
				return nil, &graphError{"NOT_FOUND", fmt.Sprintf("Could not resolve to a Repository with the name '%s'.", name)}
			}
			return g.graphRepository(repository), nil
		}),
		"rateLimit": field(func(map[string]any) (any, error) {
			b := g.budgets.state(token(r), "graphql")
			return map[string]any{"cost": 1, "limit": b.Limit, "remaining": b.Remaining, "used": b.Used, "nodeCount": 1, "resetAt": b.Reset.UTC()}, nil
		}),
	}
}

// ownerExists tells whether there is an organisation, or at least a repository
// of that owner.
func (g *GitHub) ownerExists(login string) bool {
	g.mu.Lock()
	_, ok := g.org.orgs[strings.ToLower(login)]
	g.mu.Unlock()
	return ok || slices.ContainsFunc(g.Repositories(), func(r Repository) bool { return strings.EqualFold(r.Owner(), login) })
}

func (g *GitHub) graphRepositories(r *http.Request, owner string) func(map[string]any) (any, error) {
	return field(func(args map[string]any) (any, error) {
		var mine []Repository
		for _, repository := range g.Repositories() {
			if !strings.EqualFold(repository.Owner(), owner) || !g.mayRead(r, repository) {
				continue
			}
			if is, ok := args["isArchived"].(bool); ok && is != repository.Archived {
				continue
			}
			if is, ok := args["isFork"].(bool); ok && is != repository.Fork {
				continue
			}
			mine = append(mine, repository)
		}
		return connection(args, "repositories", mine, g.graphRepository)
	})
}

func (g *GitHub) graphRepository(r Repository) map[string]any {
	dir := g.repositories.path(r.FullName)
	out := map[string]any{
		"__typename": "Repository", "name": r.Name(), "nameWithOwner": r.FullName, "url": g.URL() + "/" + r.FullName, "description": nullable(r.Description),
		"isArchived": r.Archived, "isFork": r.Fork, "isEmpty": true, "visibility": strings.ToUpper(r.Visibility), "defaultBranchRef": nil,
		"repositoryTopics": field(func(args map[string]any) (any, error) {
			return connection(args, "repositoryTopics", r.Topics, func(t string) map[string]any {
				return map[string]any{"topic": map[string]any{"name": t}}
			})
		}),
		"object": field(func(args map[string]any) (any, error) { return g.graphObject(r, argument(args, "expression")), nil }),
	}
	if sha, err := readRef(dir, r.DefaultBranch); err == nil {
		out["isEmpty"] = false
		out["defaultBranchRef"] = map[string]any{"name": r.DefaultBranch, "target": map[string]any{"__typename": "Commit", "oid": sha}}
	}
	return out
}

// graphObject resolves what git rev-parse takes: a commit, or a path in one.
func (g *GitHub) graphObject(r Repository, expression string) any {
	ref, path, ok := strings.Cut(expression, ":")
	if ref == "HEAD" {
		ref = r.DefaultBranch
	}
	dir := g.repositories.path(r.FullName)
	if !ok {
		if c, err := commitOf(dir, ref); err == nil {
			return map[string]any{"__typename": "Commit", "oid": c.Hash.String()}
		}
		return nil
	}
	if data, err := readBlob(dir, ref, path); err == nil {
		return map[string]any{"__typename": "Blob", "oid": gitHash("blob", data), "byteSize": len(data), "text": string(data)}
	}
	if _, sha, err := readTree(dir, ref, strings.Trim(path, "/"), false); err == nil {
		return map[string]any{"__typename": "Tree", "oid": sha}
	}
	return nil
}

func (g *GitHub) graphUser(r *http.Request, login string) map[string]any {
	g.mu.Lock()
	u := g.org.users[strings.ToLower(login)]
	g.mu.Unlock()
	if u.Login == "" {
		u.Login = login
	}
	out := map[string]any{
		"__typename": "User", "id": nodeID("User", accountID(u.Login)), "login": u.Login, "name": nullable(u.Name), "email": u.Email, "bio": nullable(u.Bio),
		"avatarUrl": g.URL() + "/avatars/" + u.Login, "suspendedAt": nil, "repositories": g.graphRepositories(r, u.Login),
		"organizationVerifiedDomainEmails": append([]string{}, u.Verified...),
	}
	if u.Suspended {
		out["suspendedAt"] = "2024-01-01T00:00:00Z"
	}
	return out
}

// orgOf returns a copy of what is known of an organisation.
func (g *GitHub) orgOf(login string) organization {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.org.orgs[strings.ToLower(login)]
	if o == nil {
		return organization{login: login}
	}
	return organization{login: o.login, members: slices.Clone(o.members), teams: slices.Clone(o.teams)}
}

func (g *GitHub) graphOrg(r *http.Request, login string) map[string]any {
	o := g.orgOf(login)
	user := func(login string) map[string]any { return g.graphUser(r, login) }
	return map[string]any{
		"__typename": "Organization", "login": o.login, "name": o.login, "repositories": g.graphRepositories(r, o.login),
		"membersWithRole": field(func(args map[string]any) (any, error) {
			return connection(args, "membersWithRole", o.members, user)
		}),
		"teams": field(func(args map[string]any) (any, error) {
			return connection(args, "teams", o.teams, func(t Team) map[string]any { return g.graphTeam(o, t, user) })
		}),
		"team": field(func(args map[string]any) (any, error) {
			if i := slices.IndexFunc(o.teams, func(t Team) bool { return t.Slug == argument(args, "slug") }); i >= 0 {
				return g.graphTeam(o, o.teams[i], user), nil
			}
			return nil, nil
		}),
	}
}

func (g *GitHub) graphTeam(o organization, t Team, user func(string) map[string]any) map[string]any {
	page := g.URL() + "/orgs/" + o.login + "/teams/" + t.Slug
	out := map[string]any{
		"__typename": "Team", "slug": t.Slug, "combinedSlug": o.login + "/" + t.Slug, "name": t.Name, "description": nullable(t.Description),
		"avatarUrl": g.URL() + "/avatars/t/" + t.Slug, "editTeamUrl": page + "/edit", "parentTeam": nil,
		"members": field(func(args map[string]any) (any, error) {
			members := t.Members
			if argument(args, "membership") != "IMMEDIATE" {
				members = o.allMembers(t)
			}
			return connection(args, "members", members, user)
		}),
	}
	if i := slices.IndexFunc(o.teams, func(other Team) bool { return other.Slug == t.Parent }); i >= 0 {
		out["parentTeam"] = g.graphTeam(o, o.teams[i], user)
	}
	return out
}

// allMembers are those of a team and of all teams below it.
func (o organization) allMembers(t Team) []string {
	out := slices.Clone(t.Members)
	for _, child := range o.teams {
		if child.Parent != t.Slug {
			continue
		}
		for _, login := range o.allMembers(child) {
			if !slices.Contains(out, login) {
				out = append(out, login)
			}
		}
	}
	return out
}
