package github

import (
	"context"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// handle acts upon pushes to, and changes of, the repositories that are meant.
func (d *Discovery) handle(ctx context.Context, e *event, to Sink) error {
	if e.Name == "installation" {
		if d.opts.App != 0 && d.opts.App == e.Installation.AppID {
			return to.Trigger(d.Name())
		}
		return nil
	}
	if hostOf(e.Repository.HTMLURL) != d.opts.Host {
		return nil
	}
	var change provider.Change
	var keys []string
	switch e.Name {
	case "push":
		mine, err := d.owns(ctx, e.Repository.owner())
		if err != nil || !mine {
			return err
		}
		change, keys, err = d.push(e)
		if err != nil {
			return err
		}
	case "repository":
		var err error
		if change, err = d.changed(ctx, e); err != nil {
			return err
		}
	}
	if err := to.Apply(ctx, d.Name(), change); err != nil {
		return err
	}
	if len(keys) == 0 {
		return nil
	}
	return to.RefreshKeys(ctx, keys)
}

// repository is what an event says of one, without whether a descriptor
// exists.
func (e *event) repository() repository {
	r := e.Repository
	visibility := r.Visibility
	if visibility == "" { // hosts did not always say
		visibility = "public"
		if r.Private {
			visibility = "private"
		}
	}
	return repository{
		Name: r.Name, URL: r.HTMLURL, Branch: r.DefaultBranch, Archived: r.Archived, Fork: r.Fork, Visibility: visibility, Topics: r.Topics,
	}
}

// push returns what a push changes. With wildcards there is one location for
// all descriptors of a repository: it is added if need be and read again.
func (d *Discovery) push(e *event) (change provider.Change, keys []string, err error) {
	r := e.repository()
	branch := d.opts.branch(r)
	if branch == "" || e.branch() != branch {
		return change, nil, nil
	}
	if wanted, err := d.opts.Filters.match(r); err != nil || !wanted {
		return change, nil, err
	}
	for _, f := range e.net() {
		if ok, err := doublestar.Match(d.opts.path(), f.Path); err != nil || !ok {
			continue
		}
		keys = append(keys, refreshKeys(r.URL, branch, f.Path)...)
		if f.Kind == webhook.FileDeleted && !d.opts.wildcards() {
			change.Removed = append(change.Removed, d.opts.location(r.URL, branch).EntityRef())
		} else if f.Kind == webhook.FileAdded && len(change.Added) == 0 {
			change.Added = append(change.Added, d.deferred(r.URL, branch))
		}
	}
	if len(keys) > 0 {
		keys = append(keys, refreshKeys(r.URL, branch, d.opts.path())...)
		slices.Sort(keys)
		keys = slices.Compact(keys)
	}
	return change, keys, nil
}

// refreshKeys are the keys that an entity may hold that was read from a file.
func refreshKeys(page, branch, file string) []string {
	forms := fileForms(page, branch, file)
	for i := range forms {
		forms[i] = "url:" + forms[i]
	}
	return forms
}

// wildcards tells whether one location stands for several files.
func (o *DiscoveryOptions) wildcards() bool { return strings.ContainsAny(o.CatalogPath, "*?[{") }

// changed returns what an event of a repository changes.
func (d *Discovery) changed(ctx context.Context, e *event) (change provider.Change, err error) {
	if change.Removed, err = d.left(ctx, e); err != nil {
		return change, err
	}
	mine, err := d.owns(ctx, e.Repository.owner())
	if err != nil || !mine {
		return change, err
	}
	r := e.repository()
	here := d.opts.location(r.URL, d.opts.branch(r)).EntityRef()
	switch e.Action {
	case "deleted":
		change.Removed = append(change.Removed, here)
		return change, nil
	case "archived", "edited", "privatized", "publicized", "renamed", "transferred", "unarchived":
	default:
		return change, nil
	}
	r.Archived = r.Archived || e.Action == "archived"
	wanted, err := d.opts.Filters.match(r)
	if err == nil && wanted && d.opts.ValidateLocationsExist {
		r, wanted, err = lookUp(ctx, d.api, &d.opts, e.Repository.owner(), r.Name)
		wanted = wanted && r.Exists
	}
	switch {
	case err != nil:
		return change, err
	case wanted:
		change.Added = append(change.Added, d.deferred(e.Repository.HTMLURL, d.opts.branch(e.repository())))
	default:
		change.Removed = append(change.Removed, here)
	}
	return change, nil
}

// left returns the location that a repository had before it was renamed, moved
// away, or got another default branch.
func (d *Discovery) left(ctx context.Context, e *event) ([]string, error) {
	r := e.repository()
	if from := e.from(); from != "" {
		owner := strings.Split(strings.TrimPrefix(from, "https://"), "/")
		mine, err := d.owns(ctx, owner[max(len(owner)-2, 0)])
		if err != nil || !mine {
			return nil, err
		}
		return []string{d.opts.location(from, d.opts.branch(r)).EntityRef()}, nil
	}
	before := e.Changes.DefaultBranch.From
	if before == "" || before == r.Branch || d.opts.Filters.Branch != "" {
		return nil, nil
	}
	return []string{d.opts.location(r.URL, before).EntityRef()}, nil
}
