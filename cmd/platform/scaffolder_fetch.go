package main

import (
	"context"
	"io"
	"net/url"

	"github.com/greenroom-idp/greenroom/catalog"
	taskaction "github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fetch"
	"github.com/greenroom-idp/greenroom/scaffolder/filters"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

// fetchActions are the actions that fetch files and render skeletons.
func fetchActions(p scaffolderParts, added filterFuncs) []taskaction.Action {
	return fetch.Actions(fetch.Options{
		Reader:                 p.reader,
		Engine:                 skeleton.NewEngine(skeleton.EngineOptions{Filters: added, Compatible: filters.Compatible()}),
		RequireUserCredentials: p.settings.Scaffolder.RequireUserCredentials,
	})
}

var _ fetch.Reader = taskReader{}

// ReadFile implements fetch.Reader.
func (r taskReader) ReadFile(ctx context.Context, request fetch.Request) (io.ReadCloser, error) {
	return r.open(ctx, request.URL)
}

// ReadTree implements fetch.Reader. Where a host has no reader of its own there
// is no way to list a folder.
func (r taskReader) ReadTree(_ context.Context, request fetch.Request, _ func(fetch.Entry) error) error {
	host := request.URL
	if u, err := url.Parse(request.URL); err == nil {
		host = u.Host
	}
	return catalog.NewError(catalog.NameInput, "The folder "+request.URL+" cannot be read: "+host+
		" serves single files only. Use fetch:plain:file, or a host with an integration for Git")
}
