package github

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// handle acts upon what happens to members and teams. What an event leaves
// open, such as all members of a team, is read from the host.
func (d *OrgData) handle(ctx context.Context, e *event, to Sink) error {
	org := e.Org.Login
	if e.Name == "installation" {
		org = e.Installation.Account.Login
	}
	if !concernsPeople(e) || !d.covers(org) || !d.fromHost(e) {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events++
	if d.model == nil || e.Name == "installation" {
		d.model = nil
		return to.Trigger(d.Name())
	}
	u := &update{data: d, reader: d.reader(org), org: org, users: map[string]bool{}, teams: map[string]bool{}}
	if err := u.apply(ctx, e); err != nil {
		d.model = nil // nobody knows how much of it has been done
		return err
	}
	if err := to.Apply(ctx, d.Name(), u.change()); err != nil {
		d.model = nil
		return err
	}
	return nil
}

// concernsPeople tells whether an event can change a user or a team.
func concernsPeople(e *event) bool {
	switch e.Name + "." + e.Action {
	case "installation.created", "organization.member_added", "organization.member_removed",
		"team.created", "team.edited", "team.deleted", "membership.added", "membership.removed":
		return true
	}
	return false
}

// fromHost tells whether an event comes from the host of the options, as far as
// it says.
func (d *OrgData) fromHost(e *event) bool {
	if e.Team == nil || e.Team.HTMLURL == "" {
		return true
	}
	return hostOf(e.Team.HTMLURL) == d.opts.Host
}

// An update is what an event changes in a model. The caller holds the lock.
type update struct {
	data   *OrgData
	reader *orgReader
	org    string
	// users and teams are the keys of those whose entities may have changed.
	users, teams map[string]bool
}

func (u *update) apply(ctx context.Context, e *event) error {
	switch e.Name {
	case "organization":
		login := e.Membership.User.Login
		if login == "" {
			return nil
		}
		if e.Action == "member_removed" {
			u.leave(login)
			return nil
		}
		return u.join(ctx, login)
	case "membership":
		if e.Member.Login == "" || e.Team == nil || e.Team.Slug == "" { // as where the team is gone
			return nil
		}
		if err := u.join(ctx, e.Member.Login); err != nil {
			return err
		}
		return u.reload(ctx, e.Team.Slug)
	case "team":
		if e.Team == nil || e.Team.Slug == "" {
			return nil
		}
		if e.Action == "deleted" {
			u.remove(e.Team.Slug)
			return nil
		}
		u.rename(slugOf(e.Changes.Name.From), e.Team.Slug)
		return u.reload(ctx, e.Team.Slug)
	}
	return nil
}

var blanks = regexp.MustCompile(`\s+`)

// slugOf returns the slug of the team of a name.
func slugOf(name string) string { return blanks.ReplaceAllString(strings.ToLower(name), "-") }

// join reads a user and notes that he is in the organisation.
func (u *update) join(ctx context.Context, login string) error {
	found, exists, err := u.reader.user(ctx, login)
	if err != nil {
		return err
	}
	if !exists {
		u.leave(login)
		return nil
	}
	u.data.model.addUser(u.org, found)
	u.users[strings.ToLower(login)] = true
	return nil
}

// leave takes a user out of the organisation and all of its teams.
func (u *update) leave(login string) {
	key := strings.ToLower(login)
	u.users[key] = true
	if m := u.data.model.users[key]; m != nil {
		delete(m.orgs, strings.ToLower(u.org))
		if len(m.orgs) == 0 {
			delete(u.data.model.users, key)
		}
	}
	for teamID, t := range u.data.model.teams {
		if !strings.EqualFold(t.Org, u.org) {
			continue
		}
		is := func(other string) bool { return strings.EqualFold(other, login) }
		if slices.ContainsFunc(t.Members, is) {
			t.Members = slices.DeleteFunc(t.Members, is)
			u.teams[teamID] = true
		}
	}
}

// touchMembers marks the users of a team.
func (u *update) touchMembers(t *team) {
	for _, login := range t.Members {
		u.users[strings.ToLower(login)] = true
	}
}

// touch marks a team, and the one above it, whose children it is among.
func (u *update) touch(t *team) {
	u.teams[teamKey(t.Org, t.Slug)] = true
	if t.Parent != "" {
		u.teams[teamKey(t.Org, t.Parent)] = true
	}
}

// reload reads a team and puts it in the place of what was known of it.
func (u *update) reload(ctx context.Context, slug string) error {
	t, found, err := u.reader.team(ctx, slug)
	if err != nil {
		return err
	}
	if !found {
		u.remove(slug)
		return nil
	}
	if old := u.data.model.teams[teamKey(u.org, slug)]; old != nil {
		u.touch(old)
		u.touchMembers(old)
	}
	u.data.model.addTeam(t)
	u.touch(&t)
	u.touchMembers(&t)
	return nil
}

// rename moves a team to its new slug, and tells those below it.
func (u *update) rename(from, to string) {
	old := u.data.model.teams[teamKey(u.org, from)]
	if old == nil || from == "" || from == to {
		return
	}
	delete(u.data.model.teams, teamKey(u.org, from))
	u.touch(old)
	u.touchMembers(old)
	for _, slug := range u.data.model.children(old) {
		child := u.data.model.teams[teamKey(u.org, slug)]
		child.Parent = to
		u.touch(child)
	}
}

// maxTeamDepth bounds how deep teams are nested.
const maxTeamDepth = 64

// remove takes a team out, with those below it: GitHub deletes them as well.
func (u *update) remove(slug string) { u.removeBelow(slug, 0) }

func (u *update) removeBelow(slug string, depth int) {
	t := u.data.model.teams[teamKey(u.org, slug)]
	if t == nil {
		u.teams[teamKey(u.org, slug)] = true
		return
	}
	children := u.data.model.children(t)
	delete(u.data.model.teams, teamKey(u.org, slug))
	u.touch(t)
	u.touchMembers(t)
	if depth == maxTeamDepth {
		return
	}
	for _, child := range children {
		u.removeBelow(child, depth+1)
	}
}

// change makes the entities of all that was marked.
func (u *update) change() provider.Change {
	m, maker := u.data.model, &u.data.maker
	var c provider.Change
	teams := m.teamsOf(u.users)
	for _, key := range sortedKeys(u.users) {
		known := m.users[key]
		if known == nil || maker.hidden(known) {
			c.Removed = append(c.Removed, userRef(key))
			continue
		}
		c.Added = append(c.Added, maker.user(known, teams[key]))
	}
	for _, key := range sortedKeys(u.teams) {
		t := m.teams[key]
		if t == nil {
			org, slug, _ := strings.Cut(key, "/")
			c.Removed = append(c.Removed, maker.teamRef(org, slug))
			continue
		}
		c.Added = append(c.Added, maker.group(t, m.children(t), maker.members(m, t)))
	}
	return c
}

func sortedKeys(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for key := range set {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// teamsOf returns the teams of some users, in order, by lower-case login.
func (m *model) teamsOf(users map[string]bool) map[string][]*team {
	out := map[string][]*team{}
	for _, t := range m.sortedTeams() {
		for _, login := range t.Members {
			if key := strings.ToLower(login); users[key] {
				out[key] = append(out[key], t)
			}
		}
	}
	return out
}
