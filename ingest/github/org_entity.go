package github

import (
	"cmp"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// Annotations of users and groups from GitHub.
const (
	annotationUserLogin = "github.com/user-login"
	annotationUserID    = "github.com/user-id"
	annotationTeamSlug  = "github.com/team-slug"
)

// A model is what is known of users and teams.
type model struct {
	users map[string]*member // by lower-case login
	teams map[string]*team   // by teamKey
}

// A member is a user with the organisations that he is in.
type member struct {
	user
	orgs map[string]bool // in lower case
}

func newModel() *model { return &model{users: map[string]*member{}, teams: map[string]*team{}} }

func teamKey(org, slug string) string { return strings.ToLower(org + "/" + slug) }

// addUser notes that a user is in an organisation.
func (m *model) addUser(org string, u user) {
	key := strings.ToLower(u.Login)
	known := m.users[key]
	if known == nil {
		known = &member{orgs: map[string]bool{}}
		m.users[key] = known
	}
	if _, again := known.orgs[strings.ToLower(org)]; !again && u.Email == "" {
		u.Email = known.Email // as another organisation has verified it
	}
	known.user = u
	known.orgs[strings.ToLower(org)] = true
}

func (m *model) addTeam(t team) { m.teams[teamKey(t.Org, t.Slug)] = &t }

// children returns the slugs of the teams directly below another, sorted.
func (m *model) children(t *team) []string {
	var out []string
	for _, c := range m.teams {
		if strings.EqualFold(c.Org, t.Org) && c.Parent == t.Slug {
			out = append(out, c.Slug)
		}
	}
	slices.Sort(out)
	return out
}

// An entityMaker makes entities of users and teams.
type entityMaker struct {
	opts *OrgOptions
	key  string // the location key
}

// namespace is that of the teams of an organisation, "" for the default one.
func (e *entityMaker) namespace(org string) string {
	if e.opts.Flat {
		return ""
	}
	return strings.ToLower(org)
}

func (e *entityMaker) teamRef(org, slug string) string {
	ns := e.namespace(org)
	if ns == "" {
		ns = catalog.DefaultNamespace
	}
	return catalog.EntityRef{Kind: "Group", Namespace: ns, Name: slug}.String()
}

func userRef(login string) string {
	return catalog.EntityRef{Kind: "User", Namespace: catalog.DefaultNamespace, Name: login}.String()
}

// user makes the entity of a user who is in the teams.
func (e *entityMaker) user(u *member, teams []*team) engine.Deferred {
	memberOf := make([]any, 0, len(teams))
	for _, t := range teams {
		name := t.Slug
		if ns := e.namespace(t.Org); ns != "" {
			name = ns + "/" + name
		}
		memberOf = append(memberOf, name)
	}
	metadata := jsonvalue.NewObject(
		jsonvalue.Member{Key: "name", Value: u.Login},
		jsonvalue.Member{Key: "annotations", Value: e.annotations(
			"url:"+e.opts.URL+"/"+u.Login, annotationUserLogin, u.Login, annotationUserID, u.ID)},
	)
	setText(metadata, "description", u.Bio)
	profile := jsonvalue.NewObject()
	setText(profile, "displayName", u.Name)
	setText(profile, "email", u.Email)
	setText(profile, "picture", u.Avatar)
	spec := jsonvalue.NewObject(
		jsonvalue.Member{Key: "profile", Value: profile}, jsonvalue.Member{Key: "memberOf", Value: memberOf},
	)
	return e.deferred("User", metadata, spec)
}

// group makes the entity of a team.
func (e *entityMaker) group(t *team, children, members []string) engine.Deferred {
	metadata := jsonvalue.NewObject(jsonvalue.Member{Key: "name", Value: t.Slug})
	setText(metadata, "namespace", e.namespace(t.Org))
	setText(metadata, "description", t.Description)
	annotations := e.annotations("url:"+e.opts.URL+"/orgs/"+t.Org+"/teams/"+t.Slug, annotationTeamSlug, cmp.Or(t.Combined, t.Org+"/"+t.Slug))
	setText(annotations, catalog.AnnotationEditURL, t.EditURL)
	metadata.Set("annotations", annotations)
	profile := jsonvalue.NewObject()
	setText(profile, "displayName", t.Name)
	setText(profile, "picture", t.Avatar)
	refs := make([]any, len(members))
	for i, login := range members {
		refs[i] = catalog.DefaultNamespace + "/" + login
	}
	slugs := make([]any, len(children))
	for i, slug := range children {
		slugs[i] = slug
	}
	spec := jsonvalue.NewObject(
		jsonvalue.Member{Key: "type", Value: "team"}, jsonvalue.Member{Key: "profile", Value: profile},
		jsonvalue.Member{Key: "children", Value: slugs},
	)
	setText(spec, "parent", t.Parent)
	spec.Set("members", refs)
	return e.deferred("Group", metadata, spec)
}

// annotations returns the two of the location and further ones in pairs.
func (e *entityMaker) annotations(location string, pairs ...string) *jsonvalue.Object {
	o := jsonvalue.NewObject(
		jsonvalue.Member{Key: catalog.AnnotationManagedBy, Value: location},
		jsonvalue.Member{Key: catalog.AnnotationManagedByOrigin, Value: location},
	)
	for i := 0; i+1 < len(pairs); i += 2 {
		setText(o, pairs[i], pairs[i+1])
	}
	return o
}

func (e *entityMaker) deferred(kind string, metadata, spec *jsonvalue.Object) engine.Deferred {
	return engine.Deferred{LocationKey: e.key, Entity: catalog.Entity{Object: jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: "backstage.io/v1alpha1"}, jsonvalue.Member{Key: "kind", Value: kind},
		jsonvalue.Member{Key: "metadata", Value: metadata}, jsonvalue.Member{Key: "spec", Value: spec},
	)}}
}

func setText(o *jsonvalue.Object, key, value string) {
	if value != "" {
		o.Set(key, value)
	}
}

// hidden tells whether a user is left out.
func (e *entityMaker) hidden(u *member) bool { return e.opts.ExcludeSuspendedUsers && u.Suspended }

// members returns the members of a team that are not left out.
func (e *entityMaker) members(m *model, t *team) []string {
	out := make([]string, 0, len(t.Members))
	for _, login := range t.Members {
		if u := m.users[strings.ToLower(login)]; u == nil || !e.hidden(u) {
			out = append(out, login)
		}
	}
	return out
}

// all makes every entity of a model, users first, both in order of name.
func (e *entityMaker) all(m *model) []engine.Deferred {
	teams := m.sortedTeams()
	of, children := map[string][]*team{}, map[string][]string{}
	for _, t := range teams {
		for _, login := range t.Members {
			of[strings.ToLower(login)] = append(of[strings.ToLower(login)], t)
		}
		if t.Parent != "" {
			children[teamKey(t.Org, t.Parent)] = append(children[teamKey(t.Org, t.Parent)], t.Slug)
		}
	}
	logins := make([]string, 0, len(m.users))
	for login, u := range m.users {
		if !e.hidden(u) {
			logins = append(logins, login)
		}
	}
	slices.Sort(logins)
	out := make([]engine.Deferred, 0, len(logins)+len(teams))
	for _, login := range logins {
		out = append(out, e.user(m.users[login], of[login]))
	}
	for _, t := range teams {
		out = append(out, e.group(t, children[teamKey(t.Org, t.Slug)], e.members(m, t)))
	}
	return out
}

func (m *model) sortedTeams() []*team {
	teams := make([]*team, 0, len(m.teams))
	for _, t := range m.teams {
		teams = append(teams, t)
	}
	slices.SortFunc(teams, func(a, b *team) int { return strings.Compare(teamKey(a.Org, a.Slug), teamKey(b.Org, b.Slug)) })
	return teams
}
