package gitlab_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/gitlab"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

const secret = "it's a secret"

// sink notes what webhooks change.
type sink struct {
	added, removed, keys, triggered, from, observed []string
	entities                                        map[string]string
	locations                                       map[string]string
}

func (s *sink) Apply(_ context.Context, _ string, c provider.Change) error {
	if s.entities == nil {
		s.entities = map[string]string{}
	}
	for ref, text := range byRef(c.Added) {
		s.entities[ref] = text
	}
	for _, d := range c.Added {
		if target := d.Entity.Spec().String("target"); target != "" {
			s.added = append(s.added, target)
			continue
		}
		s.added = append(s.added, d.Entity.Ref().String())
	}
	s.removed = append(s.removed, c.Removed...)
	return nil
}

func (s *sink) RefreshKeys(_ context.Context, keys []string) error {
	s.keys = append(s.keys, keys...)
	return nil
}

func (s *sink) Trigger(name string) error {
	s.triggered = append(s.triggered, name)
	return nil
}

func (s *sink) RefreshFrom(_ context.Context, urls []string, below bool) error {
	for _, u := range urls {
		if below {
			u += "/**"
		}
		s.from = append(s.from, u)
	}
	return nil
}

func (s *sink) Locations(context.Context) (out []catalog.Location, err error) {
	for id, target := range s.locations {
		out = append(out, catalog.Location{ID: id, Type: "url", Target: target})
	}
	return out, nil
}

func (s *sink) UpdateLocation(_ context.Context, id string, to catalog.LocationRef) (catalog.Location, error) {
	s.locations[id] = to.Target
	return catalog.Location{}, nil
}

func (s *sink) DeleteLocation(_ context.Context, id string) error {
	delete(s.locations, id)
	return nil
}

func (s *sink) Observe(project, branch, commit string, _ time.Time) {
	s.observed = append(s.observed, project+" "+branch+" "+commit)
}

var allEffects = webhook.Effects{Refresh: true, Unregister: true, Move: true}

func hook(s *sink, effects webhook.Effects, change func(o *gitlab.WebhookOptions)) *gitlab.Webhook {
	o := gitlab.WebhookOptions{Secret: secret, Sink: s, SCM: webhook.NewSCM(s, effects, nil), Heads: s}
	if change != nil {
		change(&o)
	}
	return gitlab.NewWebhook(o)
}

// deliver takes a payload and acts upon it.
func deliver(t *testing.T, w *gitlab.Webhook, instance string, payload any) error {
	t.Helper()
	body, err := json.Marshal(payload)
	require.NoError(t, err)
	d, err := w.Accept(http.Header{"X-Gitlab-Token": {secret}, "X-Gitlab-Instance": {instance}, "Idempotency-Key": {"1"}}, body)
	require.NoError(t, err)
	return w.Handle(t.Context(), d)
}

func TestToken(t *testing.T) {
	for name, c := range map[string]struct {
		token string
		ok    bool
	}{
		"the right one": {secret, true}, "another": {"wrong", false}, "none": {"", false}, "a part": {secret[:5], false}, "more": {secret + " ", false},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := hook(&sink{}, allEffects, nil).Accept(http.Header{"X-Gitlab-Token": {c.token}, "Idempotency-Key": {"k"}}, []byte(`{"object_kind":"push","project":{"web_url":"https://gitlab.com/a/b"}}`))
			if c.ok {
				require.NoError(t, err)
				require.Equal(t, webhook.Delivery{Source: "gitlab", Event: "push", ID: "k", Lane: "gitlab:https://gitlab.com/a/b", Body: d.Body}, d)
				return
			}
			var refused *webhook.RefusedError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "invalid token", refused.Error())
		})
	}
	_, err := hook(&sink{}, allEffects, func(o *gitlab.WebhookOptions) { o.Secret = "" }).Accept(http.Header{}, []byte(`{}`))
	require.Error(t, err, "no secret lets nobody in")
	for _, bad := range []string{"", "[]", "{", `{"project":1}`} {
		_, err := hook(&sink{}, allEffects, nil).Accept(http.Header{"X-Gitlab-Token": {secret}}, []byte(bad))
		require.ErrorIs(t, err, webhook.ErrUnusable, "%q", bad)
	}
}

// published returns the payloads that the client library for GitLab has as its
// test data, which come from GitLab's documentation, by file name.
func published(t testing.TB) map[string][]byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/xanzy/go-gitlab").Output()
	require.NoError(t, err)
	out := map[string][]byte{}
	for _, folder := range []string{"webhooks", "systemhooks"} {
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "testdata", folder, "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, f := range files {
			if out[folder+"/"+filepath.Base(f)], err = os.ReadFile(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

func TestPublishedExamples(t *testing.T) {
	const instance = "http://example.com"
	page := instance + "/mike/diaspora"
	type want struct{ keys, from, added, removed, triggered int }
	wants := map[string]want{
		// Its commits are fewer than it counts: whatever is in the project may have changed.
		"webhooks/push.json": {keys: 3, from: 1}, "systemhooks/push.json": {keys: 3, from: 1},
		"systemhooks/project_destroy.json": {keys: 1, from: 1, removed: 1, triggered: 1}, "systemhooks/project_rename.json": {removed: 1, triggered: 1},
		"systemhooks/project_transfer.json": {removed: 1, triggered: 1}, "systemhooks/project_update.json": {keys: 1, from: 1},
		"systemhooks/group_create.json": {triggered: 1}, "systemhooks/group_destroy.json": {triggered: 1}, "systemhooks/group_rename.json": {triggered: 1},
		"systemhooks/user_add_to_group.json": {triggered: 1}, "systemhooks/user_remove_from_group.json": {triggered: 1},
		"systemhooks/user_update_for_group.json": {triggered: 1}, "systemhooks/user_create.json": {triggered: 1},
		"systemhooks/user_destroy.json": {triggered: 1}, "systemhooks/user_rename.json": {triggered: 1},
		"webhooks/subgroup.json": {triggered: 1}, "webhooks/member.json": {triggered: 1},
	}
	g := forgetest.NewGitLab(t) // knows none of the projects
	a := newAPI(t, g)
	a.as = "example.com"
	for name, body := range published(t) {
		t.Run(name, func(t *testing.T) {
			s := &sink{locations: map[string]string{"1": page + "/-/blob/master/a.yaml"}}
			w := hook(s, allEffects, func(o *gitlab.WebhookOptions) {
				d := options(g)
				d.Host = "example.com"
				p := orgOptions(g)
				p.Host = "example.com"
				o.Discoveries, o.Organizations = []*gitlab.Discovery{gitlab.NewDiscovery(d, a, nil)}, []*gitlab.OrgData{gitlab.NewOrgData(p, a)}
			})
			require.NoError(t, deliver(t, w, instance, json.RawMessage(body)))
			require.Equal(t, wants[name], want{len(s.keys), len(s.from), len(s.added), len(s.removed), len(s.triggered)})
			delete(wants, name)
		})
	}
	require.Empty(t, wants, "each was among the examples")
}

func locationRef(target string) string {
	return catalog.LocationRef{Type: "url", Target: target}.EntityRef()
}

func write(paths ...string) map[string]forgetest.Change {
	out := map[string]forgetest.Change{}
	for _, p := range paths {
		out[p] = forgetest.Change{Content: "kind: " + p}
	}
	return out
}

func TestDiscoveryHearsOfPushes(t *testing.T) {
	cases := []struct {
		name                 string
		change               func(o *gitlab.DiscoveryOptions)
		branch               string
		files                map[string]forgetest.Change
		tweak                func(e map[string]any)
		added, removed, keys []string // below the page
	}{
		{name: "changed", files: write("catalog-info.yaml"), keys: []string{"/-/blob/main/catalog-info.yaml", "/-/tree/main/catalog-info.yaml"}},
		{name: "appeared", change: func(o *gitlab.DiscoveryOptions) { o.EntityFilename = "info.yaml" }, files: write("info.yaml"),
			added: []string{"/-/blob/main/info.yaml"}, keys: []string{"/-/blob/main/info.yaml", "/-/tree/main/info.yaml"}},
		{name: "gone", files: map[string]forgetest.Change{"catalog-info.yaml": {Remove: true}},
			removed: []string{"/-/blob/main/catalog-info.yaml"}, keys: []string{"/-/blob/main/catalog-info.yaml", "/-/tree/main/catalog-info.yaml"}},
		{name: "deeper in the project, which a listing would not find", files: write("a/catalog-info.yaml")},
		{name: "deeper in the project, which the search would find", change: func(o *gitlab.DiscoveryOptions) { o.UseSearch = true }, files: write("a/catalog-info.yaml"),
			added: []string{"/-/blob/main/a/catalog-info.yaml"}, keys: []string{"/-/blob/main/a/catalog-info.yaml", "/-/tree/main/a/catalog-info.yaml"}},
		{name: "another branch", branch: "feature", files: write("catalog-info.yaml")},
		{name: "the branch of the option", change: func(o *gitlab.DiscoveryOptions) { o.Branch = "feature" }, branch: "feature", files: write("catalog-info.yaml"),
			keys: []string{"/-/blob/feature/catalog-info.yaml", "/-/tree/feature/catalog-info.yaml"}},
		{name: "excluded", change: func(o *gitlab.DiscoveryOptions) { o.ExcludeRepos = []string{"acme/shop"} }, files: write("catalog-info.yaml")},
		{name: "another group", change: func(o *gitlab.DiscoveryOptions) { o.Group = "other" }, files: write("catalog-info.yaml")},
		{name: "another host", change: func(o *gitlab.DiscoveryOptions) { o.Host = "gitlab.com" }, files: write("catalog-info.yaml")},
		{name: "a fork, which is skipped", change: func(o *gitlab.DiscoveryOptions) { o.SkipForkedRepos = true; o.EntityFilename = "info.yaml" }, files: write("info.yaml"),
			keys: []string{"/-/blob/main/info.yaml", "/-/tree/main/info.yaml"}},
		{name: "more commits than there is room for", files: write("other.txt"), tweak: func(e map[string]any) { e["total_commits_count"] = 30 },
			keys: []string{"/-/blob/main/catalog-info.yaml", "/-/tree/main/catalog-info.yaml"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := forgetest.NewGitLab(t)
			add(t, g, forgetest.Repository{FullName: "acme/shop", Fork: strings.Contains(c.name, "fork")})
			o := options(g)
			if c.change != nil {
				c.change(&o)
			}
			branch := c.branch
			if branch == "" {
				branch = "main"
			}
			commit, err := g.Push("acme/shop", branch, "change", c.files)
			require.NoError(t, err)
			e := g.PushEvent(commit)
			if c.tweak != nil {
				c.tweak(e)
			}
			s := &sink{}
			w := hook(s, webhook.Effects{}, func(w *gitlab.WebhookOptions) {
				w.Discoveries = []*gitlab.Discovery{gitlab.NewDiscovery(o, newAPI(t, g), nil)}
			})
			require.NoError(t, deliver(t, w, g.URL(), e))
			page := g.URL() + "/acme/shop"
			under := func(prefix string, list []string, to func(string) string) (out []string) {
				for _, x := range list {
					out = append(out, to(prefix+page+x))
				}
				return out
			}
			same := func(s string) string { return s }
			require.Equal(t, under("", c.added, same), s.added)
			require.Equal(t, under("", c.removed, locationRef), s.removed)
			require.Equal(t, under("url:", c.keys, same), s.keys)
			require.Equal(t, []string{fmt.Sprint(page, " ", branch, " ", commit.SHA)}, s.observed)
		})
	}
}

func TestDiscoveryHearsOfProjects(t *testing.T) {
	g := forgetest.NewGitLab(t)
	add(t, g, forgetest.Repository{FullName: "acme/shop"})
	old, _ := g.Repository("acme/shop")
	require.NoError(t, g.Rename("acme/shop", "acme/store"))
	now, _ := g.Repository("acme/store")
	s := &sink{locations: map[string]string{"1": g.URL() + "/acme/shop/-/blob/main/x.yaml"}}
	d := gitlab.NewDiscovery(options(g), newAPI(t, g), nil)
	w := hook(s, allEffects, func(w *gitlab.WebhookOptions) { w.Discoveries = []*gitlab.Discovery{d} })
	require.NoError(t, deliver(t, w, g.URL(), g.ProjectEvent("project_rename", now, "acme/shop")))
	require.Equal(t, []string{g.URL() + "/acme/store/-/blob/main/catalog-info.yaml"}, s.added)
	require.Equal(t, []string{locationRef(g.URL() + "/acme/shop/-/blob/main/catalog-info.yaml")}, s.removed)
	require.Equal(t, map[string]string{"1": g.URL() + "/acme/store/-/blob/main/x.yaml"}, s.locations, "registered locations move along")
	require.NoError(t, g.Delete("acme/store"))
	*s = sink{locations: s.locations}
	require.NoError(t, deliver(t, w, g.URL(), g.ProjectEvent("project_destroy", now, "")))
	require.Empty(t, s.added)
	require.Empty(t, s.locations)
	require.Equal(t, []string{d.Name()}, s.triggered, "which branch it had is not known any more")
	require.NotEqual(t, old.FullName, now.FullName)
}

func TestOrgHearsOfPeople(t *testing.T) {
	web := forgetest.Group{FullPath: "acme/web", Name: "Web", Visibility: forgetest.Private}
	cases := []struct {
		name           string
		happens        func(g *forgetest.GitLab) map[string]any
		added, removed []string
	}{
		{"a user came", func(g *forgetest.GitLab) map[string]any {
			return g.UserEvent("user_create", g.PutUser(forgetest.GitLabUser{Username: "cyd", Name: "Cyd"}))
		}, []string{"user:default/cyd"}, nil},
		{"a bot came", func(g *forgetest.GitLab) map[string]any {
			return g.UserEvent("user_create", g.PutUser(forgetest.GitLabUser{Username: "r2", Bot: true}))
		}, nil, nil},
		{"a user is gone", func(g *forgetest.GitLab) map[string]any {
			u := g.PutUser(forgetest.GitLabUser{Username: "bob"})
			g.RemoveUser("bob")
			return g.UserEvent("user_destroy", u)
		}, []string{"group:default/acme-web-deep"}, []string{"group:default/acme-web", "user:default/bob"}},
		{"a user joined a group", func(g *forgetest.GitLab) map[string]any {
			w := web
			w.Members = []string{"bob", "out"}
			return g.MemberEvent("user_add_to_group", g.PutGroup(w), g.PutUser(forgetest.GitLabUser{Username: "out", Name: "Outsider"}))
		}, []string{"user:default/out"}, nil},
		{"the last user left a group", func(g *forgetest.GitLab) map[string]any {
			return g.MemberEvent("user_remove_from_group", g.PutGroup(web), g.PutUser(forgetest.GitLabUser{Username: "bob", Name: "Bob", PublicEmail: "bob@home.example"}))
		}, []string{"user:default/bob", "group:default/acme-web-deep"}, []string{"group:default/acme-web"}},
		{"a group was made", func(g *forgetest.GitLab) map[string]any {
			return g.GroupEvent("group_create", g.PutGroup(forgetest.Group{FullPath: "acme/new", Members: []string{"ada"}}), "")
		}, []string{"user:default/ada", "group:default/acme-new"}, nil},
		{"a group was made without anybody", func(g *forgetest.GitLab) map[string]any {
			return g.GroupEvent("group_create", g.PutGroup(forgetest.Group{FullPath: "acme/new"}), "")
		}, nil, nil},
		{"a group moved, with those below it", func(g *forgetest.GitLab) map[string]any {
			g.RenameGroup("acme/web", "acme/site")
			site := web
			site.FullPath, site.Members = "acme/site", []string{"bob", "group_7_bot_5f3a"}
			return g.GroupEvent("group_rename", g.PutGroup(site), "acme/web")
		}, []string{"user:default/ada", "user:default/bob", "group:default/acme-site", "group:default/acme-site-deep"},
			[]string{"group:default/acme-web", "group:default/acme-web-deep"}},
		{"a group is gone", func(g *forgetest.GitLab) map[string]any {
			deep := g.PutGroup(forgetest.Group{FullPath: "acme/web/deep", Name: "Deep", Members: []string{"ada", "bob"}})
			g.RemoveGroup("acme/web/deep")
			return g.GroupEvent("group_destroy", deep, "")
		}, []string{"user:default/ada", "user:default/bob"}, []string{"group:default/acme-web-deep"}},
		{"something else", func(*forgetest.GitLab) map[string]any { return map[string]any{"event_name": "key_create"} }, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := company(t)
			d := gitlab.NewOrgData(orgOptions(g), newAPI(t, g))
			poll(t, d.Provider())
			s := &sink{}
			w := hook(s, webhook.Effects{}, func(w *gitlab.WebhookOptions) { w.Organizations = []*gitlab.OrgData{d} })
			e := c.happens(g)
			g.ResetRequests()
			require.NoError(t, deliver(t, w, g.URL(), e))
			require.LessOrEqual(t, g.TotalRequests().Total, 3)
			require.Equal(t, c.added, s.added)
			require.Equal(t, c.removed, s.removed)
			want := byRef(poll(t, d.Provider()).Added)
			for ref, text := range s.entities {
				require.Equal(t, want[ref], text, "an event and a poll make the same of it")
			}
			for _, ref := range s.removed {
				require.NotContains(t, want, ref)
			}
		})
	}
}

func TestOrgIsPolledWhereAnEventDoesNotTellAll(t *testing.T) {
	g := company(t)
	ada := g.PutUser(forgetest.GitLabUser{Username: "ada", Name: "Ada Lovelace"})
	for name, change := range map[string]func(o *gitlab.OrgOptions){
		"not polled before": nil, "indirect members": func(o *gitlab.OrgOptions) { o.Relations = []string{"INHERITED"} },
	} {
		t.Run(name, func(t *testing.T) {
			o := orgOptions(g)
			if change != nil {
				change(&o)
			}
			d := gitlab.NewOrgData(o, newAPI(t, g))
			if change != nil {
				poll(t, d.Provider())
			}
			s := &sink{}
			w := hook(s, webhook.Effects{}, func(w *gitlab.WebhookOptions) { w.Organizations = []*gitlab.OrgData{d} })
			require.NoError(t, deliver(t, w, g.URL(), g.UserEvent("user_create", ada)))
			require.Equal(t, []string{d.Name()}, s.triggered)
			require.NoError(t, deliver(t, w, "https://gitlab.com", g.UserEvent("user_create", ada)), "of another host")
			require.Len(t, s.triggered, 1)
		})
	}
}

func FuzzWebhook(f *testing.F) {
	for _, body := range published(f) {
		f.Add(body)
	}
	g, err := forgetest.StartGitLab(forgetest.Options{Dir: f.TempDir()})
	require.NoError(f, err)
	f.Cleanup(func() { g.Close() })
	f.Fuzz(func(t *testing.T, body []byte) {
		s := &sink{locations: map[string]string{"1": "http://example.com/mike/diaspora/-/blob/master/a.yaml"}}
		w := hook(s, allEffects, func(o *gitlab.WebhookOptions) {
			o.Discoveries = []*gitlab.Discovery{gitlab.NewDiscovery(options(g), newAPI(t, g), nil)}
			o.Organizations = []*gitlab.OrgData{gitlab.NewOrgData(orgOptions(g), newAPI(t, g))}
		})
		d, err := w.Accept(http.Header{"X-Gitlab-Token": {secret}, "X-Gitlab-Instance": {g.URL()}}, body)
		if err != nil {
			require.ErrorIs(t, err, webhook.ErrUnusable)
			return
		}
		require.NotPanics(t, func() { w.Handle(t.Context(), d) })
	})
}
