package github_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

const secret = "it's a secret"

func sign(key string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// sink notes what webhooks change, and what they do to registered locations.
type sink struct {
	added, removed []string // refs
	groups         map[string]string
	keys           []string
	triggered      []string
	from           []string
	locations      map[string]string // id to target
	observed       []string
	fail           error
}

func (s *sink) Apply(_ context.Context, name string, c provider.Change) error {
	for _, d := range c.Added {
		ref := d.Entity.Ref().String()
		if target := d.Entity.Spec().String("target"); target != "" {
			ref = target
		}
		s.added = append(s.added, ref)
	}
	if s.groups == nil {
		s.groups = map[string]string{}
	}
	for ref, text := range byRef(c.Added) {
		s.groups[ref] = text
	}
	s.removed = append(s.removed, c.Removed...)
	return s.fail
}

func (s *sink) RefreshKeys(_ context.Context, keys []string) error {
	s.keys = append(s.keys, keys...)
	return s.fail
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

func (s *sink) Observe(repository, branch, commit string, _ time.Time) {
	s.observed = append(s.observed, repository+" "+branch+" "+commit)
}

var allEffects = webhook.Effects{Refresh: true, Unregister: true, Move: true}

// hook is a webhook with what it acts upon.
func hook(s *sink, effects webhook.Effects, change func(o *github.WebhookOptions)) *github.Webhook {
	o := github.WebhookOptions{Secrets: []string{"another", secret}, Sink: s, SCM: webhook.NewSCM(s, effects, nil), Heads: s}
	if change != nil {
		change(&o)
	}
	return github.NewWebhook(o)
}

func accept(w *github.Webhook, event, id string, body []byte) (webhook.Delivery, error) {
	h := http.Header{}
	h.Set("X-GitHub-Event", event)
	h.Set("X-GitHub-Delivery", id)
	h.Set("X-Hub-Signature-256", sign(secret, body))
	return w.Accept(h, body)
}

// deliver takes a payload and acts upon it.
func deliver(t *testing.T, w *github.Webhook, event string, payload any) error {
	t.Helper()
	body, err := json.Marshal(payload)
	require.NoError(t, err)
	d, err := accept(w, event, "id", body)
	require.NoError(t, err)
	return w.Handle(t.Context(), d)
}

func TestSignature(t *testing.T) {
	body := []byte(`{"zen":"Keep it logically awesome."}`)
	weak := hmac.New(sha1.New, []byte(secret))
	weak.Write(body)
	cases := []struct {
		name, signature string
		ok              bool
	}{
		{"the right one", sign(secret, body), true},
		{"one of several secrets", sign("another", body), true},
		{"another secret", sign("wrong", body), false},
		{"another body", sign(secret, []byte("{}")), false},
		{"none", "", false},
		{"without its kind", strings.TrimPrefix(sign(secret, body), "sha256="), false},
		{"of a weaker kind", "sha1=" + hex.EncodeToString(weak.Sum(nil)), false},
		{"not hexadecimal", "sha256=zz", false},
		{"cut short", sign(secret, body)[:40], false},
		{"too long", sign(secret, body) + "00", false},
		{"in capitals", "sha256=" + strings.ToUpper(strings.TrimPrefix(sign(secret, body), "sha256=")), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{"X-Hub-Signature-256": {c.signature}, "X-Github-Event": {"ping"}}
			_, err := hook(&sink{}, allEffects, nil).Accept(h, body)
			if c.ok {
				require.NoError(t, err)
				return
			}
			var refused *webhook.RefusedError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, "invalid signature", refused.Error())
		})
	}
	_, err := hook(&sink{}, allEffects, func(o *github.WebhookOptions) { o.Secrets = nil }).Accept(http.Header{"X-Hub-Signature-256": {sign("", body)}}, body)
	require.Error(t, err, "no secret lets nobody in")
}

func TestAcceptDescribesTheDelivery(t *testing.T) {
	w := hook(&sink{}, allEffects, nil)
	d, err := accept(w, "push", "72d3162e", []byte(`{"repository":{"full_name":"acme/shop","html_url":"https://github.com/acme/shop"},"organization":{"login":"acme"}}`))
	require.NoError(t, err)
	require.Equal(t, "github", d.Source)
	require.Equal(t, "push", d.Event)
	require.Equal(t, "72d3162e", d.ID)
	require.Equal(t, "github:https://github.com/acme/shop", d.Lane)
	d, err = accept(w, "membership", "2", []byte(`{"organization":{"login":"acme"}}`))
	require.NoError(t, err)
	require.Equal(t, "github:acme", d.Lane)
	for _, bad := range []string{"", "[]", "{", `"text"`, `{"repository":"shop"}`} {
		_, err = accept(w, "push", "3", []byte(bad))
		require.ErrorIs(t, err, webhook.ErrUnusable, "%q", bad)
	}
	_, err = accept(w, strings.Repeat("x", 100_000), "4", []byte("{}"))
	require.NoError(t, err, "an event that nobody knows is not refused")
}

// examples returns published payloads of an event.
func examples(t testing.TB, event string) (out []json.RawMessage) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "octokit-webhooks", event+".json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &out))
	require.NotEmpty(t, out)
	return out
}

// Published examples, for the organisation that most of them are about.
func TestPublishedExamples(t *testing.T) {
	page := "https://github.com/Octocoders/Hello-World"
	at := func(repository, branch string) string { return repository + "/blob/" + branch + "/catalog-info.yaml" }
	ref := func(target string) string { return catalog.LocationRef{Type: "url", Target: target}.EntityRef() }
	discover := func(o *github.DiscoveryOptions) *github.Discovery {
		o.ID, o.Host, o.CatalogPath = "default", "github.com", "/catalog-info.yaml"
		return github.NewDiscovery(*o, &api{fail: errors.New("nobody must be asked")})
	}
	type want struct {
		added, removed []string
	}
	registered := at(page, "master")
	wants := map[string]want{
		"repository archived":    {removed: []string{ref(at(page, "master"))}},
		"repository created":     {},
		"repository deleted":     {removed: []string{ref(at(page, "master"))}},
		"repository edited":      {added: []string{at(page, "master")}},
		"repository privatized":  {added: []string{at(page, "master")}},
		"repository publicized":  {added: []string{at(page, "master")}},
		"repository renamed":     {added: []string{at(page, "master")}},
		"repository transferred": {added: []string{at(page, "master")}},
		"repository unarchived":  {added: []string{at(page, "master")}},
		"push ":                  {},
	}
	seen := map[string]bool{}
	for event, actions := range map[string]bool{"push": false, "repository": true} {
		for i, body := range examples(t, event) {
			var e struct {
				Action     string
				Changes    map[string]any
				Repository struct {
					HTMLURL string `json:"html_url"`
				}
			}
			require.NoError(t, json.Unmarshal(body, &e)) // the repository that was "renamed" has its name as before
			t.Run(fmt.Sprintf("%s %s %d", event, e.Action, i), func(t *testing.T) {
				s := &sink{locations: map[string]string{"1": registered}}
				o := &github.DiscoveryOptions{Organization: "octocoders", Filters: github.Filters{AllowForks: true}}
				require.NoError(t, deliver(t, hook(s, allEffects, func(w *github.WebhookOptions) { w.Discoveries = []*github.Discovery{discover(o)} }), event, body))
				w, ok := wants[event+" "+e.Action]
				require.True(t, ok, "what is to be expected of it?")
				seen[event+" "+e.Action] = true
				if e.Repository.HTMLURL != page {
					require.Empty(t, s.added, "it is about somebody else")
					return
				}
				require.Equal(t, w.added, s.added)
				for _, r := range w.removed {
					require.Contains(t, s.removed, r)
				}
				if actions && e.Changes["default_branch"] != nil {
					require.NotEmpty(t, s.removed, "what was there before is gone")
					require.NotContains(t, s.removed, ref(at(page, "master")))
				}
			})
		}
	}
	for _, must := range []string{"repository renamed", "repository transferred", "repository edited", "push "} {
		require.True(t, seen[must], "%s was among the examples", must)
	}
}

// Every published payload must pass, whatever it is about.
func TestEveryPublishedExampleIsHandled(t *testing.T) {
	files, err := filepath.Glob("testdata/octokit-webhooks/*.json")
	require.NoError(t, err)
	n := 0
	for _, file := range files {
		event := strings.TrimSuffix(filepath.Base(file), ".json")
		for i, body := range examples(t, event) {
			n++
			s := &sink{}
			a := &api{}
			o := github.DiscoveryOptions{ID: "d", Organization: "Codertocat", Host: "github.com", CatalogPath: "/**/*.yaml"}
			orgs := github.NewOrgData(github.OrgOptions{ID: "o", Host: "github.com"}, a)
			w := hook(s, allEffects, func(w *github.WebhookOptions) {
				w.Discoveries, w.Organizations = []*github.Discovery{github.NewDiscovery(o, a)}, []*github.OrgData{orgs}
			})
			require.NoError(t, deliver(t, w, event, body), "%s %d", event, i)
		}
	}
	require.Greater(t, n, 40)
}

// For an organisation whose people are not known yet, an event makes it be
// polled, and nothing else.
func TestPublishedExamplesOfPeople(t *testing.T) {
	triggers := map[string]bool{
		"organization member_added": true, "organization member_removed": true, "organization member_invited": false, "organization renamed": false,
		"team created": true, "team deleted": true, "team edited": true, "team added_to_repository": false, "team removed_from_repository": false,
		"membership added": true, "membership removed": true, "installation created": true, "installation deleted": false,
		"installation new_permissions_accepted": false, "installation suspend": false, "installation unsuspend": false,
	}
	for _, event := range []string{"organization", "team", "membership", "installation"} {
		for i, body := range examples(t, event) {
			var e struct{ Action string }
			require.NoError(t, json.Unmarshal(body, &e))
			want, known := triggers[event+" "+e.Action]
			require.True(t, known, "%s %s", event, e.Action)
			s := &sink{}
			orgs := github.NewOrgData(github.OrgOptions{ID: "o", Host: "github.com"}, &api{})
			require.NoError(t, deliver(t, hook(s, allEffects, func(w *github.WebhookOptions) { w.Organizations = []*github.OrgData{orgs} }), event, body))
			require.Equal(t, want, slices.Contains(s.triggered, orgs.Name()), "%s %s %d", event, e.Action, i)
			require.Empty(t, s.added)
			require.Empty(t, s.removed)
		}
	}
}

func FuzzWebhook(f *testing.F) {
	for _, event := range []string{"push", "repository", "organization", "team", "membership", "installation"} {
		for _, body := range examples(f, event)[:2] {
			f.Add(event, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		s := &sink{locations: map[string]string{"1": "https://github.com/Codertocat/Hello-World/blob/master/a.yaml"}}
		a := &api{fail: errors.New("nobody must be asked")}
		w := hook(s, allEffects, func(w *github.WebhookOptions) {
			o := github.DiscoveryOptions{ID: "d", Organization: "Codertocat", Host: "github.com", CatalogPath: "/**/*.yaml"}
			w.Discoveries = []*github.Discovery{github.NewDiscovery(o, a)}
			w.Organizations = []*github.OrgData{github.NewOrgData(github.OrgOptions{ID: "o", Host: "github.com"}, a)}
		})
		d, err := accept(w, event, "", body)
		if err != nil {
			require.ErrorIs(t, err, webhook.ErrUnusable)
			return
		}
		require.True(t, bytes.Equal(body, d.Body))
		if err := w.Handle(t.Context(), d); err != nil {
			require.ErrorIs(t, err, webhook.ErrUnusable)
		}
	})
}
