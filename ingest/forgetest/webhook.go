package forgetest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Hook is where a host reports what happens.
type Hook struct {
	URL    string
	Secret string
	// Instance is the URL of the host that reports, as GitLab says it.
	Instance string
	// Client sends the requests; nil means http.DefaultClient.
	Client *http.Client
}

// A Delivered is how a receiver answered.
type Delivered struct {
	ID     string
	Status int
	Body   string
}

func (h Hook) post(ctx context.Context, body []byte, header map[string]string) (Delivered, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return Delivered{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	for key, value := range header {
		r.Header.Set(key, value)
	}
	client := h.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return Delivered{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return Delivered{Status: resp.StatusCode, Body: string(answer)}, err
}

func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Deliver reports an event as GitHub does, signed, with a new id unless one is
// given.
func (g *GitHub) Deliver(ctx context.Context, h Hook, event, id string, payload any) (Delivered, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return Delivered{}, err
	}
	return DeliverGitHub(ctx, h, event, id, body)
}

// DeliverGitHub is Deliver for a payload as it came from somewhere else.
func DeliverGitHub(ctx context.Context, h Hook, event, id string, body []byte) (Delivered, error) {
	if id == "" {
		id = newUUID()
	}
	mac := hmac.New(sha256.New, []byte(h.Secret))
	mac.Write(body)
	d, err := h.post(ctx, body, map[string]string{
		"User-Agent": "GitHub-Hookshot/abcdef0", "X-GitHub-Event": event, "X-GitHub-Delivery": id, "X-GitHub-Hook-ID": "1",
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	})
	d.ID = id
	return d, err
}

const noCommit = "0000000000000000000000000000000000000000"

func orNone(sha string) string {
	if sha == "" {
		return noCommit
	}
	return sha
}

func orEmpty(list []string) []string { return append([]string{}, list...) }

// PushEvent is what GitHub reports of commits to one branch, in order.
func (g *GitHub) PushEvent(commits ...Commit) map[string]any {
	first, last := commits[0], commits[len(commits)-1]
	repository, _ := g.Repository(last.Repository)
	var list []any
	for _, c := range commits {
		person := map[string]any{"name": "Ada Example", "email": "ada@example.com", "username": "ada"}
		list = append(list, map[string]any{
			"id": c.SHA, "tree_id": noCommit, "distinct": true, "message": c.Message, "timestamp": c.Time.Format(time.RFC3339),
			"url": g.URL() + "/" + repository.FullName + "/commit/" + c.SHA, "author": person, "committer": person,
			"added": orEmpty(c.Added), "removed": orEmpty(c.Removed), "modified": orEmpty(c.Modified),
		})
	}
	r := g.fullRepository(repository)
	r["url"] = r["html_url"] // in a push this is the page, and times are numbers
	r["created_at"], r["pushed_at"] = repository.Created.Unix(), repository.Pushed.Unix()
	owner := g.account(repository.Owner())
	owner["name"], owner["email"] = repository.Owner(), nil
	r["owner"] = owner
	out := map[string]any{
		"ref": "refs/heads/" + last.Branch, "before": orNone(first.Before), "after": last.SHA, "created": first.Before == "", "deleted": false,
		"forced": false, "base_ref": nil, "compare": g.URL() + "/" + repository.FullName + "/compare/a...b", "commits": list,
		"head_commit": list[len(list)-1], "repository": r, "pusher": map[string]any{"name": "ada", "email": "ada@example.com"},
		"sender": g.account("ada"),
	}
	g.addOrganization(out, repository.Owner())
	return out
}

func (g *GitHub) addOrganization(to map[string]any, login string) {
	if g.isUser(login) {
		return
	}
	to["organization"] = map[string]any{
		"login": login, "id": accountID(login), "node_id": nodeID("Organization", accountID(login)), "url": g.API() + "/orgs/" + login,
		"avatar_url": g.URL() + "/avatars/" + login, "description": "",
	}
}

// RepositoryEvent is what GitHub reports when something happens to a
// repository; changes are the values before, nil where the action has none.
func (g *GitHub) RepositoryEvent(action, fullName string, changes map[string]any) map[string]any {
	repository, ok := g.Repository(fullName)
	if !ok {
		repository = Repository{FullName: fullName, DefaultBranch: "main", Visibility: Public}
	}
	out := map[string]any{"action": action, "repository": g.fullRepository(repository), "sender": g.account("ada")}
	if changes != nil {
		out["changes"] = changes
	}
	g.addOrganization(out, repository.Owner())
	return out
}

// teamJSON is a team as events have it.
func (g *GitHub) teamJSON(org string, t Team) map[string]any {
	out := map[string]any{
		"name": t.Name, "id": accountID(org + t.Slug), "node_id": nodeID("Team", org+t.Slug), "slug": t.Slug, "description": nullable(t.Description),
		"privacy": "closed", "url": g.API() + "/teams/1", "html_url": g.URL() + "/orgs/" + org + "/teams/" + t.Slug, "permission": "pull", "parent": nil,
	}
	for _, other := range g.orgOf(org).teams {
		if t.Parent != "" && other.Slug == t.Parent {
			out["parent"] = g.teamJSON(org, Team{Slug: other.Slug, Name: other.Name})
		}
	}
	return out
}

// TeamEvent is what GitHub reports when a team was created, edited or deleted.
func (g *GitHub) TeamEvent(action, org string, t Team, changes map[string]any) map[string]any {
	out := map[string]any{"action": action, "team": g.teamJSON(org, t), "sender": g.account("ada")}
	if changes != nil {
		out["changes"] = changes
	}
	g.addOrganization(out, org)
	return out
}

// MembershipEvent is what GitHub reports when a user was added to or removed
// from a team.
func (g *GitHub) MembershipEvent(action, org string, t Team, login string) map[string]any {
	out := map[string]any{"action": action, "scope": "team", "member": g.account(login), "team": g.teamJSON(org, t), "sender": g.account("ada")}
	g.addOrganization(out, org)
	return out
}

// OrganizationEvent is what GitHub reports when a user came or left.
func (g *GitHub) OrganizationEvent(action, org, login string) map[string]any {
	out := map[string]any{
		"action": action, "sender": g.account("ada"),
		"membership": map[string]any{"url": g.API() + "/orgs/" + org + "/memberships/" + login, "state": "active", "role": "member", "user": g.account(login)},
	}
	g.addOrganization(out, org)
	return out
}

// Deliver reports an event as GitLab does, with its token.
func (g *GitLab) Deliver(ctx context.Context, h Hook, event, id string, payload any) (Delivered, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return Delivered{}, err
	}
	if h.Instance == "" {
		h.Instance = g.URL()
	}
	return DeliverGitLab(ctx, h, event, id, body)
}

// DeliverGitLab is Deliver for a payload as it came from somewhere else. The
// event is the header, such as "Push Hook" or "System Hook".
func DeliverGitLab(ctx context.Context, h Hook, event, id string, body []byte) (Delivered, error) {
	if id == "" {
		id = newUUID()
	}
	d, err := h.post(ctx, body, map[string]string{
		"User-Agent": "GitLab/17.4.0", "X-Gitlab-Event": event, "X-Gitlab-Event-UUID": id, "X-Gitlab-Webhook-UUID": newUUID(),
		"Idempotency-Key": id, "X-Gitlab-Token": h.Secret, "X-Gitlab-Instance": h.Instance,
	})
	d.ID = id
	return d, err
}

// PushEvent is what GitLab reports of commits to one branch, in order.
func (g *GitLab) PushEvent(commits ...Commit) map[string]any {
	first, last := commits[0], commits[len(commits)-1]
	repository, _ := g.Repository(last.Repository)
	var list []any
	for _, c := range commits {
		list = append(list, map[string]any{
			"id": c.SHA, "message": c.Message, "title": c.Message, "timestamp": c.Time.Format(time.RFC3339),
			"url":    g.URL() + "/" + repository.FullName + "/-/commit/" + c.SHA,
			"author": map[string]any{"name": "Ada Example", "email": "[REDACTED]"},
			"added":  orEmpty(c.Added), "modified": orEmpty(c.Modified), "removed": orEmpty(c.Removed),
		})
	}
	page := g.URL() + "/" + repository.FullName
	level := map[string]int{Private: 0, Internal: 10, Public: 20}[repository.Visibility]
	return map[string]any{
		"object_kind": "push", "event_name": "push", "before": orNone(first.Before), "after": last.SHA, "ref": "refs/heads/" + last.Branch,
		"ref_protected": true, "checkout_sha": last.SHA, "message": nil, "user_id": 1, "user_name": "Ada Example", "user_username": "ada",
		"user_email": "", "user_avatar": nil, "project_id": repository.ID,
		"project": map[string]any{
			"id": repository.ID, "name": repository.Name(), "description": repository.Description, "web_url": page, "avatar_url": nil,
			"git_ssh_url": "git@" + g.Host() + ":" + repository.FullName + ".git", "git_http_url": page + ".git",
			"namespace": repository.Owner(), "visibility_level": level, "path_with_namespace": repository.FullName,
			"default_branch": repository.DefaultBranch, "ci_config_path": nil, "homepage": page,
			"url": "git@" + g.Host() + ":" + repository.FullName + ".git", "http_url": page + ".git",
		},
		"commits": list, "total_commits_count": len(list), "push_options": map[string]any{},
		"repository": map[string]any{"name": repository.Name(), "url": page, "description": repository.Description, "homepage": page},
	}
}
