package forgetest

import (
	"hash/fnv"
	"net/http"
	"strings"
	"time"
)

// minimalRepository is a repository as it appears inside of other answers.
func (g *GitHub) minimalRepository(r Repository) map[string]any {
	self := g.API() + "/repos/" + r.FullName
	out := map[string]any{
		"id": r.ID, "node_id": nodeID("Repository", r.ID), "name": r.Name(), "full_name": r.FullName, "owner": g.account(r.Owner()),
		"private": r.Visibility != Public, "html_url": g.URL() + "/" + r.FullName, "description": nullable(r.Description), "fork": r.Fork, "url": self,
	}
	for name, suffix := range map[string]string{
		"archive": "/{archive_format}{/ref}", "assignees": "/assignees{/user}", "blobs": "/git/blobs{/sha}", "branches": "/branches{/branch}",
		"collaborators": "/collaborators{/collaborator}", "comments": "/comments{/number}", "commits": "/commits{/sha}",
		"compare": "/compare/{base}...{head}", "contents": "/contents/{+path}", "contributors": "/contributors", "deployments": "/deployments",
		"downloads": "/downloads", "events": "/events", "forks": "/forks", "git_commits": "/git/commits{/sha}", "git_refs": "/git/refs{/sha}",
		"git_tags": "/git/tags{/sha}", "hooks": "/hooks", "issue_comment": "/issues/comments{/number}", "issue_events": "/issues/events{/number}",
		"issues": "/issues{/number}", "keys": "/keys{/key_id}", "labels": "/labels{/name}", "languages": "/languages", "merges": "/merges",
		"milestones": "/milestones{/number}", "notifications": "/notifications{?since,all,participating}", "pulls": "/pulls{/number}",
		"releases": "/releases{/id}", "stargazers": "/stargazers", "statuses": "/statuses/{sha}", "subscribers": "/subscribers",
		"subscription": "/subscription", "tags": "/tags", "teams": "/teams", "trees": "/git/trees{/sha}",
	} {
		out[name+"_url"] = self + suffix
	}
	return out
}

// fullRepository is a repository asked for by itself or in a list.
func (g *GitHub) fullRepository(r Repository) map[string]any {
	out := g.minimalRepository(r)
	page := g.URL() + "/" + r.FullName
	stamp := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	for key, value := range map[string]any{
		"clone_url": page + ".git", "git_url": "git:" + strings.TrimPrefix(page, "http:") + ".git", "ssh_url": "git@" + g.Host() + ":" + r.FullName + ".git",
		"svn_url": page, "mirror_url": nil, "homepage": nil, "language": nil, "license": nil, "size": 1, "default_branch": r.DefaultBranch,
		"forks": 0, "forks_count": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0, "open_issues": 0, "open_issues_count": 0,
		"subscribers_count": 0, "network_count": 0, "topics": append([]string{}, r.Topics...), "archived": r.Archived, "disabled": false,
		"visibility": r.Visibility, "has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true,
		"has_discussions": false, "is_template": false, "created_at": stamp(r.Created), "updated_at": stamp(r.Pushed), "pushed_at": stamp(r.Pushed),
	} {
		out[key] = value
	}
	return out
}

func (g *GitHub) getRepository(w http.ResponseWriter, _ *http.Request, repository Repository) {
	writeJSON(w, http.StatusOK, g.fullRepository(repository))
}

// listRepositories answers with what an owner has, as far as the token may know.
func (g *GitHub) listRepositories(w http.ResponseWriter, r *http.Request) {
	var mine []Repository
	for _, repository := range g.Repositories() {
		if strings.EqualFold(repository.Owner(), r.PathValue("owner")) && g.mayRead(r, repository) {
			mine = append(mine, repository)
		}
	}
	list := []any{}
	for _, repository := range pageOf(w, r, mine, 30, 100, githubLinks) {
		list = append(list, g.fullRepository(repository))
	}
	writeJSON(w, http.StatusOK, list)
}

// accountID makes up the id of an account from its login.
func accountID(login string) int64 {
	h := fnv.New32a()
	h.Write([]byte(strings.ToLower(login)))
	return int64(h.Sum32() >> 1)
}

// account is an owner in the short form.
func (g *GitHub) account(login string) map[string]any {
	self, kind := g.API()+"/users/"+login, "Organization"
	if g.isUser(login) {
		kind = "User"
	}
	return map[string]any{
		"login": login, "id": accountID(login), "node_id": nodeID(kind, accountID(login)), "type": kind, "site_admin": false,
		"avatar_url": g.URL() + "/avatars/" + login, "gravatar_id": "", "url": self, "html_url": g.URL() + "/" + login,
		"followers_url": self + "/followers", "following_url": self + "/following{/other_user}", "gists_url": self + "/gists{/gist_id}",
		"starred_url": self + "/starred{/owner}{/repo}", "subscriptions_url": self + "/subscriptions", "organizations_url": self + "/orgs",
		"repos_url": self + "/repos", "events_url": self + "/events{/privacy}", "received_events_url": self + "/received_events",
	}
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
