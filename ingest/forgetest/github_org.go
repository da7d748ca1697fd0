package forgetest

import (
	"net/http"
	"slices"
	"strings"
)

// A User is a person at a host.
type User struct {
	Login, Name, Email, Bio string
	// Verified are the addresses in domains that the organisations of the user
	// have verified.
	Verified  []string
	Suspended bool
}

// A Team is a group of members of an organisation.
type Team struct {
	Slug, Name, Description string
	Parent                  string // slug
	Members                 []string
}

// githubOrg is what a GitHub knows of its organisations, users and teams. It is
// guarded by the mutex of the GitHub.
type githubOrg struct {
	users map[string]User          // by lower-case login
	orgs  map[string]*organization // by lower-case login
	graph *graph
}

type organization struct {
	login   string
	members []string // logins, in the order in which they came
	teams   []Team
}

// orgRoutes registers the operations on organisations. They are all GraphQL.
func (g *GitHub) orgRoutes() {
	g.org = githubOrg{users: map[string]User{}, orgs: map[string]*organization{}}
	g.org.graph = newGraph(githubSchema, g.graphRoot)
	g.handle("POST /api/graphql", "graphql", g.style, "graphql", func(w http.ResponseWriter, r *http.Request) {
		if token(r) == "" {
			g.fail(w, http.StatusUnauthorized, "This endpoint requires you to be authenticated.")
			return
		}
		g.org.graph.serve(w, r)
	})
}

// isUser tells whether the owner of repositories is a user.
func (g *GitHub) isUser(login string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.org.users[strings.ToLower(login)]
	return ok
}

// AddUser makes a user known, or changes one.
func (g *GitHub) AddUser(u User) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.org.users[strings.ToLower(u.Login)] = u
}

// AddOrganization makes an organisation, with members that AddUser has made
// known. Owners of repositories are organisations without it, which have no
// members.
func (g *GitHub) AddOrganization(login string, members ...string) {
	g.changeOrg(login, func(o *organization) { o.members = append(o.members, members...) })
}

// RemoveMember takes a user out of an organisation and its teams.
func (g *GitHub) RemoveMember(org, login string) {
	is := func(other string) bool { return strings.EqualFold(other, login) }
	g.changeOrg(org, func(o *organization) {
		o.members = slices.DeleteFunc(o.members, is)
		for i := range o.teams {
			o.teams[i].Members = slices.DeleteFunc(slices.Clone(o.teams[i].Members), is)
		}
	})
}

// PutTeam makes a team, or changes that of the slug.
func (g *GitHub) PutTeam(org string, t Team) {
	g.changeOrg(org, func(o *organization) {
		if i := slices.IndexFunc(o.teams, func(other Team) bool { return other.Slug == t.Slug }); i >= 0 {
			o.teams[i] = t
			return
		}
		o.teams = append(o.teams, t)
	})
}

// RenameTeam puts a team in the place of that of a slug; those below it stay
// below it.
func (g *GitHub) RenameTeam(org, slug string, t Team) {
	g.changeOrg(org, func(o *organization) {
		for i := range o.teams {
			switch slug {
			case o.teams[i].Slug:
				o.teams[i] = t
			case o.teams[i].Parent:
				o.teams[i].Parent = t.Slug
			}
		}
	})
}

// RemoveTeam deletes a team and those below it.
func (g *GitHub) RemoveTeam(org, slug string) {
	g.changeOrg(org, func(o *organization) { o.removeTeam(slug) })
}

func (o *organization) removeTeam(slug string) {
	o.teams = slices.DeleteFunc(o.teams, func(t Team) bool { return t.Slug == slug })
	for _, t := range slices.Clone(o.teams) {
		if t.Parent == slug {
			o.removeTeam(t.Slug)
		}
	}
}

func (g *GitHub) changeOrg(login string, change func(*organization)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.org.orgs[strings.ToLower(login)]
	if o == nil {
		o = &organization{login: login}
		g.org.orgs[strings.ToLower(login)] = o
	}
	change(o)
}
