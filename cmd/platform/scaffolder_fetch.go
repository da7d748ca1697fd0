package main

import (
	"bytes"
	"context"
	"io"
	"net/url"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
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
		Root:                   p.root,
		RequireUserCredentials: p.settings.Scaffolder.RequireUserCredentials,
	})
}

var _ fetch.Reader = taskReader{}

// A gitHost reads from a Git host, with a token in place of the credentials of
// the integration where that is not "".
type gitHost interface {
	Matches(url string) bool
	ReadAs(ctx context.Context, url, token string) ([]byte, error)
	Tree(ctx context.Context, url, token string, yield func(archive.Entry) error) error
}

// ReadFile implements fetch.Reader.
func (r taskReader) ReadFile(ctx context.Context, request fetch.Request) (io.ReadCloser, error) {
	host := r.gitHost(request.URL)
	if host == nil || request.Token == "" {
		return r.open(ctx, request.URL)
	}
	data, err := host.ReadAs(ctx, request.URL, request.Token)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// ReadTree implements fetch.Reader. Where a host has no reader of its own there
// is no way to list a folder.
func (r taskReader) ReadTree(ctx context.Context, request fetch.Request, visit func(fetch.Entry) error) error {
	if host := r.gitHost(request.URL); host != nil {
		return host.Tree(ctx, request.URL, request.Token, func(e archive.Entry) error {
			return visit(fetch.Entry{Path: e.Path, Mode: e.Mode, Link: e.Link, Content: e.Content})
		})
	}
	host := request.URL
	if u, err := url.Parse(request.URL); err == nil {
		host = u.Host
	}
	return catalog.NewError(catalog.NameInput, "The folder "+request.URL+" cannot be read: "+host+
		" serves single files only. Use fetch:plain:file, or a host with an integration for Git")
}

func (r taskReader) gitHost(url string) gitHost {
	for _, host := range r.git {
		if host.Matches(url) {
			return host
		}
	}
	return nil
}
