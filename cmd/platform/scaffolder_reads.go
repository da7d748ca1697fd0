package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"

	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/scaffolderapi"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	taskaction "github.com/greenroom-idp/greenroom/scaffolder/action"
	catalogaction "github.com/greenroom-idp/greenroom/scaffolder/action/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// filterFuncs are filters by name.
type filterFuncs = map[string]nunjucks.Func

// hostKinds tells filters which hosts have integrations.
type hostKinds struct{ hosts *integration.Set }

var _ filters.Hosts = hostKinds{}

// HostKind implements filters.Hosts.
func (h hostKinds) HostKind(host string) (string, bool) {
	for _, known := range h.hosts.Hosts() {
		if known.Host == host {
			return known.Kind, true
		}
	}
	return "", false
}

// taskCatalog is the catalog as tasks use it: with the rights of whoever
// started them.
type taskCatalog struct {
	*catalogapi.API
	auditor *audit.Auditor
}

var _ catalogaction.Catalog = taskCatalog{}

// EntitiesByRefs implements the catalog of actions.
func (t taskCatalog) EntitiesByRefs(ctx context.Context, by taskaction.Initiator, refs []catalog.EntityRef) ([]catalog.Entity, error) {
	who, err := scaffolderapi.PrincipalOf(by.Credentials)
	if err != nil {
		return nil, err
	}
	out := make([]catalog.Entity, len(refs))
	for i, ref := range refs {
		if out[i], _, err = t.Lookup(ctx, who, ref.String()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// RegisterLocation implements the catalog of actions.
func (t taskCatalog) RegisterLocation(ctx context.Context, by taskaction.Initiator, l catalog.LocationRef) error {
	who, err := scaffolderapi.PrincipalOf(by.Credentials)
	if err != nil {
		return err
	}
	// No request of the catalog stands for it, and an audit log must know of it
	// all the same.
	event := t.auditor.Event(audit.Kind{Plugin: "catalog", ID: "location-mutate", Severity: audit.Medium}, audit.Actor{ID: who.Subject}, nil,
		slog.String("actionType", "create"), slog.Group("location", slog.String("type", l.Type), slog.String("target", wire.LoggedURL(l.Target))))
	event.Begin(ctx)
	err = t.Register(ctx, who, l)
	event.End(ctx, err)
	return err
}

// PreviewLocation implements the catalog of actions.
func (t taskCatalog) PreviewLocation(ctx context.Context, by taskaction.Initiator, l catalog.LocationRef) ([]catalog.Entity, error) {
	who, err := scaffolderapi.PrincipalOf(by.Credentials)
	if err != nil {
		return nil, err
	}
	return t.Preview(ctx, who, l)
}

// A fileReader reads single files from the outside, with the rules and limits
// of the catalog.
type fileReader interface {
	ReadURL(ctx context.Context, url string) ([]byte, error)
}

// taskReader reads from the outside for actions.
type taskReader struct {
	hosts *integration.Set
	files fileReader
	git   []gitHost
}

// ResolveURL tells what a template at the URL base means by a path.
func (r taskReader) ResolveURL(path, base string) (string, bool, error) {
	if _, ok := r.hosts.ByURL(base); !ok {
		return "", false, nil
	}
	url, err := r.hosts.Resolve(path, base)
	return url, true, err
}

// open reads a file.
func (r taskReader) open(ctx context.Context, url string) (io.ReadCloser, error) {
	data, err := r.files.ReadURL(ctx, url)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

var _ catalogaction.Resolver = taskReader{}
