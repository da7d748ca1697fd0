package gitlab

import (
	"context"
	"errors"
	"path"
	"slices"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/provider"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// handle acts upon pushes to, and changes of, the projects that are meant.
func (d *Discovery) handle(ctx context.Context, e *event, to Sink) error {
	if e.host() != d.opts.Host {
		return nil
	}
	switch e.name() {
	case "push":
		return d.push(ctx, e, to)
	case "project_destroy", "project_rename", "project_transfer":
		return d.moved(ctx, e, to)
	}
	return nil
}

// push adds and removes descriptors, and refreshes those that changed.
func (d *Discovery) push(ctx context.Context, e *event, to Sink) error {
	p := &project{ID: e.Project.ID, Path: e.Project.Path, WebURL: e.Project.WebURL, DefaultBranch: e.Project.DefaultBranch}
	branch := d.opts.branch(p.DefaultBranch)
	if e.branch() != branch || p.WebURL == "" {
		return nil
	}
	if ok, err := d.opts.match(p); err != nil || !ok {
		return err
	}
	changes, known := e.net()
	if !known {
		return to.RefreshKeys(ctx, refreshKeys(p.WebURL, branch, d.opts.EntityFilename))
	}
	var change provider.Change
	var keys []string
	for _, f := range changes {
		if !d.isDescriptor(f.Path) {
			continue
		}
		keys = append(keys, refreshKeys(p.WebURL, branch, f.Path)...)
		switch f.Kind {
		case webhook.FileAdded:
			change.Added = append(change.Added, d.deferred(p.WebURL, branch, f.Path))
		case webhook.FileDeleted:
			change.Removed = append(change.Removed, d.location(p.WebURL, branch, f.Path).EntityRef())
		}
	}
	if len(keys) == 0 {
		return nil
	}
	d.lookAgain(e.ProjectID)
	if err := d.onlyMeant(ctx, e, &change); err != nil {
		return err
	}
	if err := to.Apply(ctx, d.Name(), change); err != nil {
		return err
	}
	return to.RefreshKeys(ctx, keys)
}

// onlyMeant leaves out what would be added of a project that a listing would
// not have: an event does not say whether a project is a fork or archived.
func (d *Discovery) onlyMeant(ctx context.Context, e *event, change *provider.Change) error {
	if len(change.Added) == 0 || !d.opts.SkipForkedRepos && d.opts.IncludeArchivedRepos {
		return nil
	}
	p, err := d.one(ctx, e.ProjectID)
	if errors.Is(err, catalog.ErrNotFound) {
		change.Added = nil
		return nil
	}
	if err != nil {
		return err
	}
	p.EmptyRepo = false
	if ok, err := d.opts.match(p); err != nil || !ok {
		change.Added = nil
		return err
	}
	return nil
}

// isDescriptor tells whether a file is one that a listing would find.
func (d *Discovery) isDescriptor(file string) bool {
	if d.opts.UseSearch {
		return path.Base(file) == path.Base(d.opts.EntityFilename)
	}
	return file == d.opts.EntityFilename
}

// lookAgain makes the next poll ask whether the descriptor of a project exists.
func (d *Discovery) lookAgain(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.looked, id)
}

func refreshKeys(page, branch, file string) []string {
	forms := fileForms(page, branch, file)
	for i := range forms {
		forms[i] = "url:" + forms[i]
	}
	slices.Sort(forms)
	return forms
}

// moved takes back the location of a project that is gone or has another path,
// and adds the new one where a listing would have it.
func (d *Discovery) moved(ctx context.Context, e *event, to Sink) error {
	if e.instance == "" || e.ProjectID == 0 {
		return nil
	}
	d.lookAgain(e.ProjectID)
	gone := e.Path
	if e.name() != "project_destroy" {
		gone = e.OldPath
	}
	p, err := d.one(ctx, e.ProjectID)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	var change provider.Change
	branch := d.opts.branch("")
	if err == nil {
		branch = d.opts.branch(p.DefaultBranch)
	}
	change.Removed = append(change.Removed, d.location(e.instance+"/"+gone, branch, d.opts.EntityFilename).EntityRef())
	if err != nil || e.name() == "project_destroy" {
		if d.opts.Branch == "" { // which branch it had is not known any more
			return errors.Join(to.Apply(ctx, d.Name(), change), to.Trigger(d.Name()))
		}
		return to.Apply(ctx, d.Name(), change)
	}
	ok, err := d.opts.match(p)
	if err != nil {
		return err
	}
	if ok {
		if ok, err = d.exists(ctx, p, branch); err != nil {
			return err
		}
	}
	if ok {
		change.Added = append(change.Added, d.deferred(p.WebURL, branch, d.opts.EntityFilename))
	}
	return to.Apply(ctx, d.Name(), change)
}
