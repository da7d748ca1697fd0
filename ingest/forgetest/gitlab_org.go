package forgetest

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Group holds projects and further groups of a GitLab.
type Group struct {
	ID                int64 // given unless set
	FullPath          string
	Name, Description string
	Visibility        string // Public unless set
	// Members are the user names of those who are in the group itself; Shared
	// are the full paths of groups whose members are in it as well.
	Members, Shared []string
}

// A GitLabUser is a person, or a bot, at a GitLab.
type GitLabUser struct {
	ID                        int64 // given unless set
	Username, Name            string
	Email, PublicEmail, SAML  string
	Bot, Blocked, WithoutSeat bool
}

// gitlabOrg is what a GitLab knows of its groups and users. It is guarded by
// the mutex of the GitLab.
type gitlabOrg struct {
	groups []Group
	users  []GitLabUser
	nextID int64
	graph  *graph
}

// orgRoutes registers the operations on groups, users and lists of projects.
func (g *GitLab) orgRoutes() {
	g.org.nextID = 40
	g.org.graph = newGraph(gitlabSchema, g.graphRoot)
	g.rest("GET /projects", "projects", g.listProjects)
	g.rest("GET /groups/{group}/projects", "group projects", g.listProjects)
	g.rest("GET /search", "search", g.searchBlobs)
	g.rest("GET /groups/{group}/search", "search", g.searchBlobs)
	g.rest("GET /groups", "groups", g.listGroups)
	g.rest("GET /groups/{group}", "group", g.getGroup)
	g.rest("GET /groups/{group}/descendant_groups", "descendant groups", g.listGroups)
	g.rest("GET /groups/{group}/members", "members", g.listGroupMembers)
	g.rest("GET /groups/{group}/members/all", "all members", g.listGroupMembers)
	g.rest("GET /users", "users", g.listUsers)
	g.rest("GET /users/{user}", "user", g.getUser)
	g.handle("POST /api/graphql", "graphql", g.style, "core", g.org.graph.serve)
}

// PutGroup makes a group, or changes that of the path.
func (g *GitLab) PutGroup(group Group) Group {
	g.mu.Lock()
	defer g.mu.Unlock()
	if group.Visibility == "" {
		group.Visibility = Public
	}
	if group.Name == "" {
		group.Name = path.Base(group.FullPath)
	}
	if i := slices.IndexFunc(g.org.groups, func(other Group) bool { return other.FullPath == group.FullPath }); i >= 0 {
		group.ID = g.org.groups[i].ID
		g.org.groups[i] = group
		return group
	}
	if group.ID == 0 {
		group.ID = g.org.id()
	}
	g.org.groups = append(g.org.groups, group)
	return group
}

// RenameGroup moves a group, and those below it, to another path.
func (g *GitLab) RenameGroup(from, to string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.org.groups {
		if rest, ok := strings.CutPrefix(g.org.groups[i].FullPath+"/", from+"/"); ok {
			g.org.groups[i].FullPath = strings.TrimSuffix(to+"/"+rest, "/")
		}
	}
}

// RemoveGroup deletes a group and those below it.
func (g *GitLab) RemoveGroup(fullPath string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.org.groups = slices.DeleteFunc(g.org.groups, func(other Group) bool { return strings.HasPrefix(other.FullPath+"/", fullPath+"/") })
}

// PutUser makes a user, or changes that of the name.
func (g *GitLab) PutUser(u GitLabUser) GitLabUser {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.IndexFunc(g.org.users, func(other GitLabUser) bool { return other.Username == u.Username }); i >= 0 {
		u.ID = g.org.users[i].ID
		g.org.users[i] = u
		return u
	}
	if u.ID == 0 {
		u.ID = g.org.id()
	}
	g.org.users = append(g.org.users, u)
	return u
}

// RemoveUser deletes a user, who is in no group any more.
func (g *GitLab) RemoveUser(username string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.org.users = slices.DeleteFunc(g.org.users, func(other GitLabUser) bool { return other.Username == username })
	for i := range g.org.groups {
		g.org.groups[i].Members = slices.DeleteFunc(slices.Clone(g.org.groups[i].Members), func(m string) bool { return m == username })
	}
}

func (o *gitlabOrg) id() int64 { o.nextID++; return o.nextID }

// allGroups and allUsers return copies.
func (g *GitLab) allGroups() []Group {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.org.groups)
}

func (g *GitLab) allUsers() []GitLabUser {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.org.users)
}

// groupOf finds the group that a request names by id or path.
func (g *GitLab) groupOf(w http.ResponseWriter, r *http.Request) (Group, bool) {
	name := r.PathValue("group")
	for _, group := range g.allGroups() {
		if strings.EqualFold(group.FullPath, name) || strconv.FormatInt(group.ID, 10) == name {
			return group, true
		}
	}
	g.fail(w, http.StatusNotFound, "Group Not Found")
	return Group{}, false
}

func below(fullPath, group string) bool {
	return strings.HasPrefix(strings.ToLower(fullPath), strings.ToLower(group)+"/")
}

// listProjects lists projects, in ascending order of their ids, as far as the
// query asks.
func (g *GitLab) listProjects(w http.ResponseWriter, r *http.Request) {
	q, group := r.URL.Query(), Group{}
	if r.PathValue("group") != "" {
		var ok bool
		if group, ok = g.groupOf(w, r); !ok {
			return
		}
	}
	var list []Repository
	for _, p := range g.Repositories() {
		inGroup := group.FullPath == "" || strings.EqualFold(p.Owner(), group.FullPath) || q.Get("include_subgroups") == "true" && below(p.FullName, group.FullPath)
		topics := q.Get("topic") == "" || !slices.ContainsFunc(strings.Split(q.Get("topic"), ","), func(t string) bool { return !slices.Contains(p.Topics, t) })
		archived := q.Get("archived") == "" || q.Get("archived") == strconv.FormatBool(p.Archived)
		if inGroup && topics && archived && g.mayRead(r, p) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Repository) int { return int(a.ID - b.ID) })
	out := []any{}
	for _, p := range pageOf(w, r, list, 20, 100, gitlabPages) {
		out = append(out, g.listedProject(p))
	}
	writeJSON(w, http.StatusOK, out)
}

// listedProject is a project as lists have it.
func (g *GitLab) listedProject(p Repository) map[string]any {
	out := g.projectJSON(p)
	if _, err := readRef(g.repositories.path(p.FullName), p.DefaultBranch); err != nil {
		out["empty_repo"], out["default_branch"] = true, nil
	}
	return out
}

// searchBlobs finds files by name, in default branches.
func (g *GitLab) searchBlobs(w http.ResponseWriter, r *http.Request) {
	q, group := r.URL.Query(), Group{}
	if r.PathValue("group") != "" {
		var ok bool
		if group, ok = g.groupOf(w, r); !ok {
			return
		}
	}
	name, ok := strings.CutPrefix(q.Get("search"), "filename:")
	if !ok || q.Get("scope") != "blobs" {
		g.fail(w, http.StatusBadRequest, "Scope not supported without Elasticsearch!")
		return
	}
	found := []map[string]any{}
	for _, p := range g.Repositories() {
		if group.FullPath != "" && !below(p.FullName, group.FullPath) || !g.mayRead(r, p) {
			continue
		}
		entries, _, err := readTree(g.repositories.path(p.FullName), p.DefaultBranch, "", true)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.kind == "blob" && strings.Contains(path.Base(e.path), name) {
				found = append(found, map[string]any{
					"basename": strings.TrimSuffix(path.Base(e.path), path.Ext(e.path)), "data": "", "path": e.path, "filename": e.path,
					"id": nil, "ref": p.DefaultBranch, "startline": 1, "project_id": p.ID,
				})
			}
		}
	}
	writeJSON(w, http.StatusOK, pageOf(w, r, found, 20, 100, gitlabPages))
}

func (g *GitLab) groupJSON(group Group) map[string]any {
	out := map[string]any{
		"id": group.ID, "web_url": g.URL() + "/groups/" + group.FullPath, "name": group.Name, "path": path.Base(group.FullPath),
		"description": group.Description, "visibility": group.Visibility, "avatar_url": nil, "full_path": group.FullPath,
		"full_name": strings.ReplaceAll(group.FullPath, "/", " / "), "parent_id": nil,
	}
	for _, other := range g.allGroups() {
		if other.FullPath == path.Dir(group.FullPath) {
			out["parent_id"] = other.ID
		}
	}
	return out
}

func (g *GitLab) getGroup(w http.ResponseWriter, r *http.Request) {
	if group, ok := g.groupOf(w, r); ok {
		writeJSON(w, http.StatusOK, g.groupJSON(group))
	}
}

func (g *GitLab) listGroups(w http.ResponseWriter, r *http.Request) {
	list := g.allGroups()
	if r.PathValue("group") != "" {
		top, ok := g.groupOf(w, r)
		if !ok {
			return
		}
		list = slices.DeleteFunc(list, func(other Group) bool { return !below(other.FullPath, top.FullPath) })
	}
	out := []any{}
	for _, group := range pageOf(w, r, list, 20, 100, gitlabPages) {
		out = append(out, g.groupJSON(group))
	}
	writeJSON(w, http.StatusOK, out)
}

func (g *GitLab) userJSON(u GitLabUser) map[string]any {
	state := "active"
	if u.Blocked {
		state = "blocked"
	}
	return map[string]any{
		"id": u.ID, "username": u.Username, "name": u.Name, "state": state, "locked": false, "avatar_url": g.URL() + "/avatars/" + u.Username,
		"web_url": g.URL() + "/" + u.Username, "public_email": nullable(u.PublicEmail), "email": nullable(u.Email), "bot": u.Bot, "bio": "",
	}
}

func (g *GitLab) listUsers(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	list := slices.DeleteFunc(g.allUsers(), func(u GitLabUser) bool {
		return q.Get("active") == "true" && u.Blocked || q.Get("without_project_bots") == "true" && u.Bot ||
			q.Get("username") != "" && !strings.EqualFold(q.Get("username"), u.Username)
	})
	out := []any{}
	for _, u := range pageOf(w, r, list, 20, 100, gitlabPages) {
		out = append(out, g.userJSON(u))
	}
	writeJSON(w, http.StatusOK, out)
}

func (g *GitLab) getUser(w http.ResponseWriter, r *http.Request) {
	for _, u := range g.allUsers() {
		if strconv.FormatInt(u.ID, 10) == r.PathValue("user") {
			writeJSON(w, http.StatusOK, g.userJSON(u))
			return
		}
	}
	g.fail(w, http.StatusNotFound, "User Not Found")
}

// listGroupMembers lists those of a group itself, or with all those of the
// groups above it too.
func (g *GitLab) listGroupMembers(w http.ResponseWriter, r *http.Request) {
	group, ok := g.groupOf(w, r)
	if !ok {
		return
	}
	relations := []string{"DIRECT"}
	if strings.HasSuffix(r.URL.Path, "/all") {
		relations = append(relations, "INHERITED", "SHARED_FROM_GROUPS")
	}
	out := []any{}
	for _, u := range pageOf(w, r, g.membersOf(group, relations), 20, 100, gitlabPages) {
		m := g.userJSON(u)
		delete(m, "bot")
		m["access_level"], m["expires_at"], m["membership_state"] = 30, nil, "active"
		if r.URL.Query().Get("show_seat_info") == "true" {
			m["is_using_seat"] = !u.WithoutSeat
		}
		if u.SAML != "" {
			m["group_saml_identity"] = map[string]any{"extern_uid": u.SAML, "provider": "group_saml", "saml_provider_id": 10}
		}
		out = append(out, m)
	}
	writeJSON(w, http.StatusOK, out)
}

// membersOf returns the users who belong to a group by one of the relations.
func (g *GitLab) membersOf(group Group, relations []string) []GitLabUser {
	names := map[string]bool{}
	note := func(list []string) {
		for _, n := range list {
			names[n] = true
		}
	}
	for _, other := range g.allGroups() {
		switch {
		case other.FullPath == group.FullPath && slices.Contains(relations, "DIRECT"),
			below(group.FullPath, other.FullPath) && slices.Contains(relations, "INHERITED"),
			below(other.FullPath, group.FullPath) && slices.Contains(relations, "DESCENDANTS"),
			slices.Contains(group.Shared, other.FullPath) && slices.Contains(relations, "SHARED_FROM_GROUPS"):
			note(other.Members)
		}
	}
	return slices.DeleteFunc(g.allUsers(), func(u GitLabUser) bool { return !names[u.Username] })
}

// gitlabSchema is the part of GitLab's schema that is answered here.
const gitlabSchema = `
enum GroupMemberRelation { DIRECT INHERITED DESCENDANTS SHARED_FROM_GROUPS }
type Query { group(fullPath: ID!): Group }
type Group {
	id: ID! fullPath: ID! name: String!
	groupMembers(first: Int, after: String, relations: [GroupMemberRelation!] = [DIRECT, INHERITED]): GroupMemberConnection
}
type GroupMemberConnection { nodes: [GroupMember] pageInfo: PageInfo! }
type GroupMember { id: ID! user: UserCore }
type UserCore { id: ID! username: String! name: String! publicEmail: String webUrl: String! }
type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }`

func (g *GitLab) graphRoot(*http.Request) map[string]any {
	return map[string]any{"__typename": "Query", "group": field(func(args map[string]any) (any, error) {
		for _, group := range g.allGroups() {
			if strings.EqualFold(group.FullPath, argument(args, "fullPath")) {
				return g.graphGroup(group), nil
			}
		}
		return nil, nil
	})}
}

func (g *GitLab) graphGroup(group Group) map[string]any {
	return map[string]any{
		"__typename": "Group", "id": fmt.Sprintf("gid://gitlab/Group/%d", group.ID), "fullPath": group.FullPath, "name": group.Name,
		"groupMembers": field(func(args map[string]any) (any, error) {
			var relations []string
			list, _ := args["relations"].([]any)
			for _, r := range list {
				relations = append(relations, fmt.Sprint(r))
			}
			return connection(args, "groupMembers", g.membersOf(group, relations), func(u GitLabUser) map[string]any {
				return map[string]any{"id": fmt.Sprintf("gid://gitlab/GroupMember/%d", u.ID), "user": map[string]any{
					"id": fmt.Sprintf("gid://gitlab/User/%d", u.ID), "username": u.Username, "name": u.Name,
					"publicEmail": nullable(u.PublicEmail), "webUrl": g.URL() + "/" + u.Username,
				}}
			})
		}),
	}
}

// GroupEvent is what a system hook of GitLab reports of a group: group_create,
// group_destroy or, with the path before, group_rename.
func (g *GitLab) GroupEvent(name string, group Group, oldPath string) map[string]any {
	out := map[string]any{
		"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z", "event_name": name, "name": group.Name, "owner_email": nil,
		"owner_name": nil, "path": path.Base(group.FullPath), "full_path": group.FullPath, "group_id": group.ID,
	}
	if oldPath != "" {
		out["old_path"], out["old_full_path"] = path.Base(oldPath), oldPath
	}
	return out
}

// UserEvent is what a system hook of GitLab reports of a user: user_create or
// user_destroy.
func (g *GitLab) UserEvent(name string, u GitLabUser) map[string]any {
	return map[string]any{
		"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z", "event_name": name, "name": u.Name, "email": u.Email,
		"username": u.Username, "user_id": u.ID,
	}
}

// MemberEvent is what a system hook of GitLab reports when a user comes into a
// group or leaves it: user_add_to_group or user_remove_from_group.
func (g *GitLab) MemberEvent(name string, group Group, u GitLabUser) map[string]any {
	return map[string]any{
		"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z", "event_name": name, "group_access": "Maintainer",
		"group_id": group.ID, "group_name": group.Name, "group_path": path.Base(group.FullPath), "user_email": u.Email, "user_name": u.Name,
		"user_username": u.Username, "user_id": u.ID,
	}
}

// ProjectEvent is what a system hook of GitLab reports of a project:
// project_destroy, project_update or, with the full name before,
// project_rename and project_transfer.
func (g *GitLab) ProjectEvent(name string, p Repository, oldName string) map[string]any {
	out := map[string]any{
		"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z", "event_name": name, "name": p.Name(), "path": p.Name(),
		"path_with_namespace": p.FullName, "project_id": p.ID, "project_namespace_id": 1, "owners": []any{}, "project_visibility": p.Visibility,
	}
	if oldName != "" {
		out["old_path_with_namespace"] = oldName
	}
	return out
}
