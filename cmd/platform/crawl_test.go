package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

const hookSecret = "a-secret-of-the-hook"

// crawlConfig is baseConfig with a double of GitHub and what is below
// catalog.providers.
func crawlConfig(g *forgetest.GitHub, providers string) string {
	return baseConfig + fmt.Sprintf(`  providers:
%s
integrations:
  github: [{host: '%s', apiBaseUrl: '%s', rawBaseUrl: '%s', token: hush-token}]
events:
  modules: {github: {webhookSecret: %s}}
`, indent(providers), g.Host(), g.API(), g.Raw(), hookSecret)
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

// hook is where the double reports to an instance.
func (i *instance) hook() forgetest.Hook {
	return forgetest.Hook{URL: i.base + "/api/events/http/github", Secret: hookSecret}
}

func addService(t testing.TB, g *forgetest.GitHub, name, description string) {
	t.Helper()
	_, err := g.Add(forgetest.Repository{FullName: "acme/" + name}, map[string]string{"catalog-info.yaml": component(name, description)})
	require.NoError(t, err)
}

// status returns how a provider fares.
func (i *instance) status(id string) map[string]any {
	i.t.Helper()
	code, answer := i.send(http.MethodGet, "/api/catalog/providers", nil)
	require.Equal(i.t, http.StatusOK, code)
	for _, p := range answer["providers"].([]any) {
		if p := p.(map[string]any); p["id"] == id {
			return p
		}
	}
	i.t.Fatalf("there is no provider %s in %v", id, answer)
	return nil
}

// ran waits until a provider has had n good runs more than it had.
func (i *instance) ran(id string, since time.Time) map[string]any {
	i.t.Helper()
	var status map[string]any
	require.Eventually(i.t, func() bool {
		status = i.status(id)
		run, _ := status["lastRun"].(map[string]any)
		if run == nil {
			return false
		}
		at, err := time.Parse(time.RFC3339Nano, run["startedAt"].(string))
		return err == nil && !at.Before(since)
	}, patience, 20*time.Millisecond)
	return status
}

func (i *instance) trigger(id string) map[string]any {
	i.t.Helper()
	since := time.Now()
	code, _ := i.send(http.MethodPost, "/api/catalog/.backstage/scheduler/v1/tasks/"+id+":refresh/trigger", nil)
	require.Equal(i.t, http.StatusOK, code)
	return i.ran(id, since)
}

// What is in Git appears by itself, changes within moments of a push, and stays
// when the host has a bad day.
func TestCrawl(t *testing.T) {
	g := forgetest.NewGitHub(t)
	addService(t, g, "cart", "Holds what is bought")
	addService(t, g, "shop", "Sells")
	g.AddUser(forgetest.User{Login: "ada", Name: "Ada"})
	g.AddOrganization("acme", "ada")
	g.PutTeam("acme", forgetest.Team{Slug: "team-a", Name: "Team A", Members: []string{"ada"}})
	i := boot(t, crawlConfig(g, `
github: {organization: acme, host: '`+g.Host()+`'}
githubOrg: {id: people, githubUrl: '`+g.URL()+`', orgs: [acme], schedule: {frequency: 1h, timeout: 1m}}
`), "--data", t.TempDir())

	cart := i.until("component/default/cart", served)
	require.Equal(t, "url:"+g.URL()+"/acme/cart/tree/main/catalog-info.yaml", cart["metadata"].(map[string]any)["annotations"].(map[string]any)["backstage.io/managed-by-location"])
	i.until("component/default/shop", served)
	i.until("group/default/team-a", func(status int, e map[string]any) bool {
		return served(status, e) && strings.Contains(fmt.Sprint(e["relations"]), "user:default/ada") && strings.Contains(fmt.Sprint(e["relations"]), "component:default/cart")
	})

	c, err := g.Commit("acme/cart", "main", "Say it better", map[string]string{"catalog-info.yaml": component("cart", "Holds what will be bought")})
	require.NoError(t, err)
	d, err := g.Deliver(t.Context(), i.hook(), "push", "", g.PushEvent(c))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, d.Status)
	require.Equal(t, `{"status":"accepted"}`, d.Body)
	i.until("component/default/cart", describes("Holds what will be bought"))

	forged := i.hook()
	forged.Secret = "another"
	d, err = g.Deliver(t.Context(), forged, "push", "", g.PushEvent(c))
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, d.Status)
	require.Equal(t, `{"message":"invalid signature"}`, d.Body)

	remove := g.Inject(forgetest.Fault{Status: http.StatusServiceUnavailable, Body: "hush-answer"})
	status := i.trigger("github-provider:default")
	require.Equal(t, "failed", status["lastRun"].(map[string]any)["result"])
	require.Contains(t, fmt.Sprint(status["lastError"]), "503")
	remove()
	i.until("component/default/cart", served)
	require.NotContains(t, i.log.String(), "hush-token")
	require.NotContains(t, i.log.String(), hookSecret)
}

func describes(text string) func(int, map[string]any) bool {
	return func(status int, e map[string]any) bool {
		m, _ := e["metadata"].(map[string]any)
		return status == http.StatusOK && m["description"] == text
	}
}

// A listing that would remove too much is held, over restarts, until an
// operator decides.
func TestHeldListing(t *testing.T) {
	g := forgetest.NewGitHub(t)
	const all, kept, id = 25, 5, "github-provider:default"
	for n := range all {
		addService(t, g, fmt.Sprintf("service-%d", n), "Serves")
	}
	data := t.TempDir()
	configuration := crawlConfig(g, "github: {organization: acme, host: '"+g.Host()+"'}")
	i := boot(t, configuration, "--data", data)
	for n := range all {
		i.until(fmt.Sprintf("component/default/service-%d", n), served)
	}
	for n := range all - kept {
		require.NoError(t, g.Delete(fmt.Sprintf("acme/service-%d", n)))
	}
	status := i.trigger(id)
	require.Equal(t, "held", status["lastRun"].(map[string]any)["result"])
	require.Len(t, status["held"].(map[string]any)["removals"], all-kept)
	i.until("component/default/service-0", served)
	i.end()

	i = boot(t, configuration, "--data", data)
	require.Len(t, i.status(id)["held"].(map[string]any)["removals"], all-kept, "it survives a restart")
	code, _ := i.send(http.MethodPost, "/api/catalog/providers/"+id+"/discard", nil)
	require.Equal(t, http.StatusOK, code)
	require.Nil(t, i.status(id)["held"])
	code, _ = i.send(http.MethodPost, "/api/catalog/providers/"+id+"/release", nil)
	require.Equal(t, http.StatusConflict, code)
	i.until("component/default/service-0", served)
	require.NotNil(t, i.trigger(id)["held"])
	code, answer := i.send(http.MethodPost, "/api/catalog/providers/"+id+"/release", nil)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "released", answer["decision"])
	i.until("component/default/service-0", func(status int, _ map[string]any) bool { return status == http.StatusNotFound })
	i.until(fmt.Sprintf("component/default/service-%d", all-1), served)
	text, err := json.Marshal(i.status(id))
	require.NoError(t, err)
	require.NotContains(t, string(text), "removals")
}

// The same for GitLab, with its groups and users, and for a Git server that has
// no API at all.
func TestCrawlOtherHosts(t *testing.T) {
	g, plain := forgetest.NewGitLab(t), forgetest.NewPlain(t)
	g.PutUser(forgetest.GitLabUser{Username: "ada", Name: "Ada"})
	g.PutGroup(forgetest.Group{FullPath: "acme", Name: "Acme", Members: []string{"ada"}})
	_, err := g.Add(forgetest.Repository{FullName: "acme/cart"}, map[string]string{"catalog-info.yaml": component("cart", "Holds what is bought")})
	require.NoError(t, err)
	_, err = plain.Add(forgetest.Repository{FullName: "team/deep"}, map[string]string{"a/b/catalog-info.yaml": component("deep", "Lies deep")})
	require.NoError(t, err)
	i := boot(t, baseConfig+fmt.Sprintf(`  providers:
    gitlab:
      acme: {host: '%[1]s', group: acme, orgEnabled: true, schedule: {frequency: 1h, timeout: 1m}}
    git: {repositories: ['%[4]s/team/deep.git'], catalogPath: '**/catalog-info.yaml', branch: main}
integrations:
  gitlab: [{host: '%[1]s', baseUrl: '%[2]s', apiBaseUrl: '%[3]s', token: hush-token}]
  git: [{host: '%[5]s'}]
events:
  modules: {gitlab: {webhookSecret: %[6]s}}
  http: {topics: [github, own]}
`, g.Host(), g.URL(), g.API(), plain.URL(), plain.Host(), hookSecret), "--data", t.TempDir())

	i.until("component/default/cart", served)
	i.until("user/default/ada", func(status int, e map[string]any) bool {
		return served(status, e) && strings.Contains(fmt.Sprint(e["relations"]), "group:default/acme")
	})
	deep := i.until("component/default/deep", served)
	require.Contains(t, fmt.Sprint(deep["metadata"]), "/a/b/catalog-info.yaml")

	c, err := g.Commit("acme/cart", "main", "Say it better", map[string]string{"catalog-info.yaml": component("cart", "Holds what will be bought")})
	require.NoError(t, err)
	hook := forgetest.Hook{URL: i.base + "/api/events/http/gitlab", Secret: hookSecret}
	d, err := g.Deliver(t.Context(), hook, "Push Hook", "", g.PushEvent(c))
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, d.Status)
	i.until("component/default/cart", describes("Holds what will be bought"))
	hook.Secret = "another"
	d, err = g.Deliver(t.Context(), hook, "Push Hook", "", g.PushEvent(c))
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, d.Status)
	require.Equal(t, `{"message":"invalid token"}`, d.Body)

	for topic, want := range map[string]int{"own": http.StatusAccepted, "github": http.StatusAccepted, "other": http.StatusNotFound} {
		status, _ := i.send(http.MethodPost, "/api/events/http/"+topic, map[string]string{})
		require.Equal(t, want, status, topic)
	}
	warned, _ := i.log.find(func(line map[string]any) bool {
		return strings.Contains(fmt.Sprint(line["warning"]), "events.http.topics")
	})
	require.Len(t, warned, 1, "a topic that nobody can prove is named")
}

// A provider of a host that has no integration cannot work: the start says so.
func TestProviderWithoutIntegration(t *testing.T) {
	path := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig+"  providers: {github: {organization: acme, host: ghe.example.com}}\n")
	_, _, err := try(t, "serve", "--config", path, "--data", t.TempDir())
	oneLine(t, err, "catalog.providers.github.default", "integrations.github", "ghe.example.com")
}
