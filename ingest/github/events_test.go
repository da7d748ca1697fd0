package github_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/openapi"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

func locationRef(target string) string {
	return catalog.LocationRef{Type: "url", Target: target}.EntityRef()
}

// push commits changes to the shop and returns the payload that tells of it.
func push(t *testing.T, g *forgetest.GitHub, branch string, pushes ...map[string]forgetest.Change) map[string]any {
	t.Helper()
	var commits []forgetest.Commit
	for i, changes := range pushes {
		c, err := g.Push("acme/shop", branch, fmt.Sprint("change ", i), changes)
		require.NoError(t, err)
		commits = append(commits, c)
	}
	return g.PushEvent(commits...)
}

func write(paths ...string) map[string]forgetest.Change {
	out := map[string]forgetest.Change{}
	for _, p := range paths {
		out[p] = forgetest.Change{Content: "kind: " + p}
	}
	return out
}

func erase(paths ...string) map[string]forgetest.Change {
	out := map[string]forgetest.Change{}
	for _, p := range paths {
		out[p] = forgetest.Change{Remove: true}
	}
	return out
}

func TestDiscoveryHearsOfPushes(t *testing.T) {
	type result struct{ added, removed, keys []string }
	cases := []struct {
		name   string
		change func(g *forgetest.GitHub, o *github.DiscoveryOptions)
		push   func(t *testing.T, g *forgetest.GitHub) map[string]any
		want   func(page string) result
	}{
		{"a descriptor changed", nil, func(t *testing.T, g *forgetest.GitHub) map[string]any {
			return push(t, g, "main", write("catalog-info.yaml", "other.txt"))
		}, func(page string) result {
			return result{keys: []string{"url:" + page + "/blob/main/catalog-info.yaml", "url:" + page + "/tree/main/catalog-info.yaml"}}
		}},
		{"a descriptor appeared", nil, func(t *testing.T, g *forgetest.GitHub) map[string]any {
			push(t, g, "main", erase("catalog-info.yaml"))
			return push(t, g, "main", write("catalog-info.yaml"))
		}, func(page string) result {
			return result{added: []string{page + "/blob/main/catalog-info.yaml"},
				keys: []string{"url:" + page + "/blob/main/catalog-info.yaml", "url:" + page + "/tree/main/catalog-info.yaml"}}
		}},
		{"a descriptor is gone", nil, func(t *testing.T, g *forgetest.GitHub) map[string]any {
			return push(t, g, "main", erase("catalog-info.yaml"))
		}, func(page string) result {
			return result{removed: []string{locationRef(page + "/blob/main/catalog-info.yaml")},
				keys: []string{"url:" + page + "/blob/main/catalog-info.yaml", "url:" + page + "/tree/main/catalog-info.yaml"}}
		}},
		{"gone and back within a push", nil, func(t *testing.T, g *forgetest.GitHub) map[string]any {
			return push(t, g, "main", erase("catalog-info.yaml"), write("catalog-info.yaml"))
		}, func(page string) result {
			return result{keys: []string{"url:" + page + "/blob/main/catalog-info.yaml", "url:" + page + "/tree/main/catalog-info.yaml"}}
		}},
		{"another file", nil, func(t *testing.T, g *forgetest.GitHub) map[string]any {
			return push(t, g, "main", write("docs/catalog-info.yaml"))
		}, nil},
		{"another branch", nil, func(t *testing.T, g *forgetest.GitHub) map[string]any {
			return push(t, g, "feature", write("catalog-info.yaml"))
		}, nil},
		{"the branch of the filter", func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.Filters.Branch = "feature" },
			func(t *testing.T, g *forgetest.GitHub) map[string]any {
				return push(t, g, "feature", write("catalog-info.yaml"))
			},
			func(page string) result {
				return result{keys: []string{"url:" + page + "/blob/feature/catalog-info.yaml", "url:" + page + "/tree/feature/catalog-info.yaml"}}
			}},
		{"a pattern, a new file", func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.CatalogPath = "/**/catalog-info.yaml" },
			func(t *testing.T, g *forgetest.GitHub) map[string]any {
				return push(t, g, "main", write("a/b/catalog-info.yaml"))
			},
			func(page string) result {
				return result{added: []string{page + "/blob/main/**/catalog-info.yaml"}, keys: []string{
					"url:" + page + "/blob/main/**/catalog-info.yaml", "url:" + page + "/blob/main/a/b/catalog-info.yaml",
					"url:" + page + "/tree/main/**/catalog-info.yaml", "url:" + page + "/tree/main/a/b/catalog-info.yaml"}}
			}},
		{"a pattern, a file is gone", func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.CatalogPath = "/*.yaml" },
			func(t *testing.T, g *forgetest.GitHub) map[string]any {
				return push(t, g, "main", erase("catalog-info.yaml"))
			},
			func(page string) result {
				return result{keys: []string{"url:" + page + "/blob/main/*.yaml", "url:" + page + "/blob/main/catalog-info.yaml",
					"url:" + page + "/tree/main/*.yaml", "url:" + page + "/tree/main/catalog-info.yaml"}}
			}},
		{"a repository that the filters leave out", func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.Filters.TopicInclude = []string{"other"} },
			func(t *testing.T, g *forgetest.GitHub) map[string]any {
				return push(t, g, "main", write("catalog-info.yaml"))
			}, nil},
		{"another organisation", func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.Organization = "beta" },
			func(t *testing.T, g *forgetest.GitHub) map[string]any {
				return push(t, g, "main", write("catalog-info.yaml"))
			}, nil},
		{"an organisation in other letters", func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.Organization = "ACME" },
			func(t *testing.T, g *forgetest.GitHub) map[string]any {
				return push(t, g, "main", write("catalog-info.yaml"))
			},
			func(page string) result {
				return result{keys: []string{"url:" + page + "/blob/main/catalog-info.yaml", "url:" + page + "/tree/main/catalog-info.yaml"}}
			}},
		{"another host", func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.Host = "github.com" },
			func(t *testing.T, g *forgetest.GitHub) map[string]any {
				return push(t, g, "main", write("catalog-info.yaml"))
			}, nil},
		{"so many commits that some may be missing", nil, func(t *testing.T, g *forgetest.GitHub) map[string]any {
			e := push(t, g, "main", write("catalog-info.yaml"))
			e["commits"] = slices.Repeat(e["commits"].([]any), 2048)
			return e
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := forgetest.NewGitHub(t)
			openapi.WatchGitHub(t, g)
			add(t, g, forgetest.Repository{FullName: "acme/shop"})
			o := options(g)
			if c.change != nil {
				c.change(g, &o)
			}
			s := &sink{}
			w := hook(s, webhook.Effects{}, func(w *github.WebhookOptions) {
				w.Discoveries = []*github.Discovery{github.NewDiscovery(o, newAPI(t, g))}
			})
			payload := c.push(t, g)
			require.NoError(t, deliver(t, w, "push", payload))
			want := result{}
			if c.want != nil {
				want = c.want(g.URL() + "/acme/shop")
			}
			require.Equal(t, want.added, s.added)
			require.Equal(t, want.removed, s.removed)
			require.Equal(t, want.keys, s.keys)
			require.Equal(t, []string{fmt.Sprint(g.URL(), "/acme/shop ", payload["ref"].(string)[len("refs/heads/"):], " ", payload["after"])}, s.observed)
			require.Zero(t, g.TotalRequests().Total, "a push is acted upon without a question")
		})
	}
}

func TestDiscoveryHearsOfRepositories(t *testing.T) {
	name := func(from string) map[string]any {
		return map[string]any{"repository": map[string]any{"name": map[string]any{"from": from}}}
	}
	cases := []struct {
		name, action string
		changes      map[string]any
		prepare      func(g *forgetest.GitHub, o *github.DiscoveryOptions)
		added, gone  []string // targets below the host
	}{
		{"archived", "archived", nil, func(g *forgetest.GitHub, _ *github.DiscoveryOptions) { archive(g) }, nil, []string{"acme/shop/blob/main"}},
		{"archived, and that is fine", "archived", nil, func(g *forgetest.GitHub, o *github.DiscoveryOptions) {
			archive(g)
			o.Filters.AllowArchived = true
		}, []string{"acme/shop/blob/main"}, nil},
		{"deleted", "deleted", nil, nil, nil, []string{"acme/shop/blob/main"}},
		{"edited, and still meant", "edited", nil, nil, []string{"acme/shop/blob/main"}, nil},
		{"edited, and no longer meant", "edited", nil, func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.Filters.TopicInclude = []string{"x"} },
			nil, []string{"acme/shop/blob/main"}},
		{"another default branch", "edited", map[string]any{"default_branch": map[string]any{"from": "trunk"}}, nil,
			[]string{"acme/shop/blob/main"}, []string{"acme/shop/blob/trunk"}},
		{"renamed", "renamed", name("store"), nil, []string{"acme/shop/blob/main"}, []string{"acme/store/blob/main"}},
		{"renamed to what is not meant", "renamed", name("store"), func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.Filters.TopicInclude = []string{"x"} },
			nil, []string{"acme/shop/blob/main", "acme/store/blob/main"}},
		{"came from elsewhere", "transferred", map[string]any{"owner": map[string]any{"from": map[string]any{"organization": map[string]any{"login": "beta"}}}}, nil,
			[]string{"acme/shop/blob/main"}, nil},
		{"went elsewhere", "transferred", map[string]any{"owner": map[string]any{"from": map[string]any{"organization": map[string]any{"login": "beta"}}}},
			func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.Organization = "beta" }, nil, []string{"beta/shop/blob/main"}},
		{"unarchived", "unarchived", nil, nil, []string{"acme/shop/blob/main"}, nil},
		{"unarchived, with a descriptor to be", "unarchived", nil, func(_ *forgetest.GitHub, o *github.DiscoveryOptions) { o.ValidateLocationsExist = true },
			[]string{"acme/shop/blob/main"}, nil},
		{"unarchived, without a descriptor", "unarchived", nil, func(_ *forgetest.GitHub, o *github.DiscoveryOptions) {
			o.ValidateLocationsExist, o.CatalogPath = true, "/nothing.yaml"
		}, nil, []string{"acme/shop/blob/main"}},
		{"created", "created", nil, nil, nil, nil},
		{"something that is none of our business", "starred", nil, nil, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := forgetest.NewGitHub(t)
			openapi.WatchGitHub(t, g)
			add(t, g, forgetest.Repository{FullName: "acme/shop"})
			o := options(g)
			if c.prepare != nil {
				c.prepare(g, &o)
			}
			s := &sink{}
			w := hook(s, webhook.Effects{}, func(w *github.WebhookOptions) {
				w.Discoveries = []*github.Discovery{github.NewDiscovery(o, newAPI(t, g))}
			})
			require.NoError(t, deliver(t, w, "repository", g.RepositoryEvent(c.action, "acme/shop", c.changes)))
			var added, gone []string
			for _, target := range c.added {
				added = append(added, g.URL()+"/"+target+o.CatalogPath)
			}
			for _, target := range c.gone {
				gone = append(gone, locationRef(g.URL()+"/"+target+o.CatalogPath))
			}
			require.Equal(t, added, s.added)
			require.ElementsMatch(t, gone, s.removed)
		})
	}
}

func archive(g *forgetest.GitHub) {
	if err := g.Update("acme/shop", func(r *forgetest.Repository) { r.Archived = true }); err != nil {
		panic(err)
	}
}

func TestDiscoveryOfAnAppHearsOfInstallations(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	add(t, g, forgetest.Repository{FullName: "beta/shop"})
	o, a := options(g), newAPI(t, g)
	o.Organization, o.App = "", 29310
	a.installations = map[int64][]string{29310: {"Beta"}}
	s := &sink{}
	d := github.NewDiscovery(o, a)
	w := hook(s, webhook.Effects{}, func(w *github.WebhookOptions) { w.Discoveries = []*github.Discovery{d} })
	require.NoError(t, deliver(t, w, "repository", g.RepositoryEvent("unarchived", "beta/shop", nil)))
	require.Len(t, s.added, 1, "whose repositories are meant is asked where it is not known")
	require.NoError(t, deliver(t, w, "installation", examples(t, "installation")[1]))
	require.Equal(t, []string{d.Name()}, s.triggered, "a new installation is polled")
}

// What went wrong is reported, so that the delivery is tried again.
func TestFailuresAreReported(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	add(t, g, forgetest.Repository{FullName: "acme/shop"})
	s := &sink{fail: errors.New("disk full")}
	w := hook(s, webhook.Effects{}, func(w *github.WebhookOptions) {
		w.Discoveries = []*github.Discovery{github.NewDiscovery(options(g), newAPI(t, g))}
	})
	require.ErrorContains(t, deliver(t, w, "push", push(t, g, "main", write("catalog-info.yaml"))), "disk full")
}

func TestSCMEvents(t *testing.T) {
	page := "/acme/shop"
	cases := []struct {
		name      string
		event     func(t *testing.T, g *forgetest.GitHub) (string, map[string]any)
		from      []string          // what is refreshed, below the host
		locations map[string]string // registered ones afterwards, if others
	}{
		{"a file changed", func(t *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			return "push", push(t, g, "main", write("catalog-info.yaml", "a.txt"))
		}, []string{page + "/blob/main/catalog-info.yaml", page + "/tree/main/catalog-info.yaml"}, nil},
		{"on another branch", func(t *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			return "push", push(t, g, "feature", write("catalog-info.yaml"))
		}, nil, nil},
		{"a file is gone", func(t *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			return "push", push(t, g, "main", erase("catalog-info.yaml"))
		}, []string{page + "/blob/main/catalog-info.yaml", page + "/tree/main/catalog-info.yaml"}, map[string]string{}},
		{"a file has moved", func(t *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			return "push", push(t, g, "main", map[string]forgetest.Change{
				"catalog-info.yaml": {Remove: true}, "docs/info.yaml": {Content: fmt.Sprintf(descriptor, "shop")}})
		}, []string{page + "/blob/main/catalog-info.yaml", page + "/tree/main/catalog-info.yaml"}, map[string]string{"1": page + "/blob/main/docs/info.yaml"}},
		{"a file has moved twice", func(t *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			return "push", push(t, g, "main", map[string]forgetest.Change{
				"catalog-info.yaml": {Remove: true}, "a.yaml": {Content: fmt.Sprintf(descriptor, "shop")}},
				map[string]forgetest.Change{"a.yaml": {Remove: true}, "b.yaml": {Content: fmt.Sprintf(descriptor, "shop")}})
		}, []string{page + "/blob/main/catalog-info.yaml", page + "/tree/main/catalog-info.yaml"}, map[string]string{"1": page + "/blob/main/b.yaml"}},
		{"a repository archived", func(_ *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			return "repository", g.RepositoryEvent("archived", "acme/shop", nil)
		}, []string{page + "/**"}, nil},
		{"a repository is gone", func(_ *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			return "repository", g.RepositoryEvent("deleted", "acme/shop", nil)
		}, []string{page + "/**"}, map[string]string{}},
		{"a repository renamed", func(t *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			require.NoError(t, g.Rename("acme/shop", "acme/store"))
			return "repository", g.RepositoryEvent("renamed", "acme/store", map[string]any{"repository": map[string]any{"name": map[string]any{"from": "shop"}}})
		}, nil, map[string]string{"1": "/acme/store/blob/main/catalog-info.yaml"}},
		{"a repository has another owner", func(t *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			require.NoError(t, g.Rename("acme/shop", "beta/shop"))
			return "repository", g.RepositoryEvent("transferred", "beta/shop", map[string]any{"owner": map[string]any{"from": map[string]any{"organization": map[string]any{"login": "acme"}}}})
		}, nil, map[string]string{"1": "/beta/shop/blob/main/catalog-info.yaml"}},
		{"another default branch", func(t *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			require.NoError(t, g.Update("acme/shop", func(r *forgetest.Repository) { r.DefaultBranch = "trunk" }))
			return "repository", g.RepositoryEvent("edited", "acme/shop", map[string]any{"default_branch": map[string]any{"from": "main"}})
		}, nil, map[string]string{"1": page + "/blob/trunk/catalog-info.yaml"}},
		{"a repository created", func(_ *testing.T, g *forgetest.GitHub) (string, map[string]any) {
			return "repository", g.RepositoryEvent("created", "acme/shop", nil)
		}, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := forgetest.NewGitHub(t)
			openapi.WatchGitHub(t, g)
			add(t, g, forgetest.Repository{FullName: "acme/shop"})
			registered := page + "/blob/main/catalog-info.yaml"
			s := &sink{locations: map[string]string{"1": g.URL() + registered}}
			w := hook(s, allEffects, func(w *github.WebhookOptions) { w.Commits = clients(t, g) })
			event, payload := c.event(t, g)
			require.NoError(t, deliver(t, w, event, payload))
			var from []string
			for _, u := range c.from {
				from = append(from, g.URL()+u)
			}
			require.Equal(t, from, s.from)
			want := map[string]string{"1": g.URL() + registered}
			if c.locations != nil {
				want = map[string]string{}
			}
			for id, target := range c.locations {
				want[id] = g.URL() + target
			}
			require.Equal(t, want, s.locations)
		})
	}
}

// A host without an integration cannot be read: what it reports has no effect.
func TestEventsOfUnknownHosts(t *testing.T) {
	g := forgetest.NewGitHub(t)
	openapi.WatchGitHub(t, g)
	add(t, g, forgetest.Repository{FullName: "acme/shop"})
	s := &sink{}
	w := hook(s, allEffects, func(w *github.WebhookOptions) { w.Known = func(host string) bool { return host == "github.com" } })
	require.NoError(t, deliver(t, w, "push", push(t, g, "main", write("catalog-info.yaml"))))
	require.Empty(t, s.from)
	require.Empty(t, s.keys)
}
