package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/forgetest/demo"
)

// services is how many repositories each host has.
const services = 10

// A world is the two hosts.
type world struct {
	github *forgetest.GitHub
	gitlab *forgetest.GitLab
}

func newWorld(dir string) (w *world, err error) {
	w = &world{}
	for _, name := range []string{"github", "gitlab"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return nil, err
		}
	}
	if w.github, err = forgetest.StartGitHub(forgetest.Options{Dir: filepath.Join(dir, "github")}); err != nil {
		return nil, err
	}
	if w.gitlab, err = forgetest.StartGitLab(forgetest.Options{Dir: filepath.Join(dir, "gitlab")}); err != nil {
		return nil, errors.Join(err, w.github.Close())
	}
	if err := errors.Join(w.fillGitHub(), w.fillGitLab()); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) close() error { return errors.Join(w.github.Close(), w.gitlab.Close()) }

// component is the descriptor of a component.
func component(name, description, owner string) string {
	return fmt.Sprintf(`apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: %s, description: %s}
spec: {type: service, lifecycle: production, owner: %s}
`, name, description, owner)
}

func (w *world) fillGitHub() error {
	g := w.github
	for _, u := range []forgetest.User{{Login: "ada", Name: "Ada Example"}, {Login: "bob", Name: "Bob Example"}, {Login: "cyd", Name: "Cyd Example"}} {
		g.AddUser(u)
	}
	g.AddOrganization("acme", "ada", "bob", "cyd")
	g.PutTeam("acme", forgetest.Team{Slug: "everybody", Name: "Everybody"})
	g.PutTeam("acme", forgetest.Team{Slug: "web", Name: "Web", Parent: "everybody", Members: []string{"ada"}})
	g.PutTeam("acme", forgetest.Team{Slug: "core", Name: "Core", Parent: "everybody", Members: []string{"bob"}})
	for n := range services {
		name := fmt.Sprintf("shop-%d", n)
		_, err := g.Add(forgetest.Repository{FullName: "acme/" + name}, map[string]string{"catalog-info.yaml": component(name, "As it was", "web")})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) fillGitLab() error {
	g := w.gitlab
	g.PutUser(forgetest.GitLabUser{Username: "dan", Name: "Dan Example", Email: "dan@tools.example"})
	g.PutUser(forgetest.GitLabUser{Username: "eve", Name: "Eve Example", Email: "eve@tools.example"})
	g.PutGroup(forgetest.Group{FullPath: "tools", Name: "Tools", Members: []string{"dan", "eve"}})
	for n := range services {
		name := fmt.Sprintf("tool-%d", n)
		_, err := g.Add(forgetest.Repository{FullName: "tools/" + name}, map[string]string{"catalog-info.yaml": component(name, "As it was", "tools")})
		if err != nil {
			return err
		}
	}
	return nil
}

// configuration is that of the server.
func (w *world) configuration() string {
	return strings.NewReplacer(
		"GITHUB_HOST", w.github.Host(), "GITHUB_URL", w.github.URL(), "GITHUB_API", w.github.API(), "GITHUB_RAW", w.github.Raw(),
		"GITLAB_HOST", w.gitlab.Host(), "GITLAB_URL", w.gitlab.URL(), "GITLAB_API", w.gitlab.API(), "SECRET", hookSecret, "TOKEN", demo.Token,
	).Replace(`
backend:
  baseUrl: http://localhost:7007
  listen: {host: 127.0.0.1, port: 0}
  auth: {externalAccess: [{type: static, options: {token: TOKEN, subject: demo}}]}
integrations:
  github: [{host: 'GITHUB_HOST', apiBaseUrl: 'GITHUB_API', rawBaseUrl: 'GITHUB_RAW', token: a-token}]
  gitlab: [{host: 'GITLAB_HOST', baseUrl: 'GITLAB_URL', apiBaseUrl: 'GITLAB_API', token: a-token}]
events:
  modules: {github: {webhookSecret: SECRET}, gitlab: {webhookSecret: SECRET}}
catalog:
  rules: [{allow: [Component, API, Location, User, Group]}]
  providers:
    github: {organization: acme, host: 'GITHUB_HOST'}
    githubOrg: {id: acme, githubUrl: 'GITHUB_URL', orgs: [acme], schedule: {frequency: 1h, timeout: 5m}}
    gitlab:
      tools: {host: 'GITLAB_HOST', group: tools, orgEnabled: true, schedule: {frequency: 1h, timeout: 5m}}
`)
}

func hook(s *demo.Server, topic string) forgetest.Hook {
	return forgetest.Hook{URL: s.Base + "/api/events/http/" + topic, Secret: hookSecret}
}

func accepted(d forgetest.Delivered, err error) error {
	if err == nil && d.Status != http.StatusAccepted {
		err = fmt.Errorf("the webhook was answered with %d %s", d.Status, d.Body)
	}
	return err
}

func (w *world) pushGitHub(ctx context.Context, s *demo.Server, n int) (time.Duration, error) {
	name, text := fmt.Sprintf("shop-%d", n%services), fmt.Sprintf("Change %d", n)
	c, err := w.github.Commit("acme/"+name, "main", text, map[string]string{"catalog-info.yaml": component(name, text, "core")})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := accepted(w.github.Deliver(ctx, hook(s, "github"), "push", "", w.github.PushEvent(c))); err != nil {
		return 0, err
	}
	_, err = s.Until(ctx, "component/default/"+name, demo.Has(text, "group:default/core"))
	return time.Since(began), err
}

func (w *world) pushGitLab(ctx context.Context, s *demo.Server, n int) (time.Duration, error) {
	name, text := fmt.Sprintf("tool-%d", n%services), fmt.Sprintf("Change %d", n)
	c, err := w.gitlab.Commit("tools/"+name, "main", text, map[string]string{"catalog-info.yaml": component(name, text, "tools")})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := accepted(w.gitlab.Deliver(ctx, hook(s, "gitlab"), "Push Hook", "", w.gitlab.PushEvent(c))); err != nil {
		return 0, err
	}
	_, err = s.Until(ctx, "component/default/"+name, demo.Has(text, "group:default/tools"))
	return time.Since(began), err
}

func (w *world) join(ctx context.Context, s *demo.Server) (time.Duration, error) {
	web := forgetest.Team{Slug: "web", Name: "Web", Parent: "everybody", Members: []string{"ada", "cyd"}}
	w.github.PutTeam("acme", web)
	began := time.Now()
	if err := accepted(w.github.Deliver(ctx, hook(s, "github"), "membership", "", w.github.MembershipEvent("added", "acme", web, "cyd"))); err != nil {
		return 0, err
	}
	_, err := s.Until(ctx, "group/default/web", demo.Has("hasMember", "user:default/cyd"))
	return time.Since(began), err
}

func (w *world) archive(ctx context.Context, s *demo.Server) (time.Duration, error) {
	if err := w.github.Update("acme/shop-9", func(r *forgetest.Repository) { r.Archived = true }); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := accepted(w.github.Deliver(ctx, hook(s, "github"), "repository", "", w.github.RepositoryEvent("archived", "acme/shop-9", nil))); err != nil {
		return 0, err
	}
	_, err := s.Until(ctx, "component/default/shop-9", demo.IsGone)
	return time.Since(began), err
}
