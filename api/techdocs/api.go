package techdocs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/techdocs/located"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// A Library has sites. Implementations are safe for concurrent use.
type Library interface {
	// Open opens a file of the site of an entity, by a path that is valid for
	// io/fs. The error of one that is not there is fs.ErrNotExist. The caller
	// closes it.
	Open(ctx context.Context, ref catalog.EntityRef, path string) (site.Content, error)
	// IsFolder tells whether there is a page at a path with a slash behind it.
	IsFolder(ctx context.Context, ref catalog.EntityRef, path string) (bool, error)
	// Sync brings the site of an entity up to date, and tells whether it has
	// changed. Log gets what happens, line by line; its error ends the waiting.
	Sync(ctx context.Context, e catalog.Entity, log func(line string) error) (updated bool, err error)
}

// Catalog finds entities as far as somebody may read them; *catalogapi.API does.
type Catalog interface {
	Lookup(ctx context.Context, who auth.Principal, ref string) (e catalog.Entity, ok bool, err error)
}

// Options are what an API needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Library, Catalog, Decider and Resolve are required. Resolve returns the
	// URL that a path means relative to another.
	Library Library
	Catalog Catalog
	Decider permission.Decider
	Resolve func(target, base string) (string, error)
	// Visibility is the permission to read an entity. Required.
	Visibility permission.Permission
	// CaseSensitive says that paths have the letters of the entity's name as
	// they are; false: they are in lower case, and others are sent there.
	CaseSensitive bool
	// KeepAlive is how often a client that waits hears something; 0: 15 s.
	KeepAlive time.Duration
	// Logger takes what clients are not told; nil: it is lost.
	Logger *slog.Logger
}

// API answers for the documentation.
type API struct {
	Options
	stop chan struct{}
	once sync.Once
}

// New checks the options.
func New(o Options) (*API, error) {
	if o.Library == nil || o.Catalog == nil || o.Decider == nil || o.Resolve == nil || o.Visibility.Name == "" {
		return nil, errors.New("techdocs API needs a library, a catalog, a decider, a resolver and a permission")
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = 15 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Visibility.Plugin = "techdocs" // a token that is restricted to this plugin may see what it shows
	return &API{Options: o, stop: make(chan struct{})}, nil
}

// Stop ends the streams of clients that wait for builds.
func (a *API) Stop() { a.once.Do(func() { close(a.stop) }) }

// refOf reads the entity of a path.
func refOf(c *gin.Context) (catalog.EntityRef, error) {
	var parts [3]string
	for i, name := range []string{"kind", "namespace", "name"} {
		value, ok := wire.Param(c, name)
		if !ok {
			return catalog.EntityRef{}, wire.MalformedPath()
		}
		parts[i] = value
	}
	return catalog.EntityRef{Kind: parts[0], Namespace: parts[1], Name: parts[2]}, nil
}

// entity returns the entity of a path as far as the caller may read it.
func (a *API) entity(c *gin.Context) (catalog.EntityRef, catalog.Entity, error) {
	ref, err := refOf(c)
	if err != nil {
		return ref, catalog.Entity{}, err
	}
	ctx := c.Request.Context()
	e, ok, err := a.Catalog.Lookup(ctx, auth.PrincipalFrom(ctx), ref.String())
	if err != nil {
		return ref, e, err
	}
	if !ok {
		return ref, e, wire.NotFound("Unable to get metadata for '" + ref.String() + "': there is no such entity")
	}
	return ref, e, nil
}

// EntityMetadata answers GET /metadata/entity/:namespace/:kind/:name.
func (a *API) EntityMetadata(c *gin.Context) (any, error) {
	_, e, err := a.entity(c)
	if err != nil {
		return nil, err
	}
	at, err := located.Of(e, a.Resolve)
	if err != nil {
		return nil, wire.NotFound("Unable to get metadata for '" + e.Ref().String() + "': " + err.Error())
	}
	out := e.Clone().Object
	out.Set("locationMetadata", wire.Obj("type", at.Type, "target", at.Target))
	return out, nil
}

const (
	metadataName = "techdocs_metadata.json"
	maxMetadata  = 16 << 20 // bytes
)

// firstBuild is how long the metadata of a site waits for its first build: the
// reader asks for both at once, and shows no title where there is no metadata.
const firstBuild = 15 * time.Second

// SiteMetadata answers GET /metadata/techdocs/:namespace/:kind/:name.
func (a *API) SiteMetadata(c *gin.Context) (any, error) {
	ref, e, err := a.entity(c)
	if err != nil {
		return nil, err
	}
	f, err := a.Library.Open(c.Request.Context(), ref, metadataName)
	if errors.Is(err, fs.ErrNotExist) && e.Annotation(located.Annotation) != "" {
		ctx, cancel := context.WithTimeout(c.Request.Context(), firstBuild)
		defer cancel()
		if _, failed := a.Library.Sync(ctx, e, func(string) error { return nil }); failed == nil {
			f, err = a.Library.Open(ctx, ref, metadataName)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, wire.NotFound("Unable to get metadata for '" + ref.String() + "': its documentation has not been built")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxMetadata))
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Sync answers GET /sync/:namespace/:kind/:name with events.
func (a *API) Sync(c *gin.Context) (any, error) {
	_, e, err := a.entity(c)
	if err != nil {
		return nil, err
	}
	if e.Metadata().String("uid") == "" {
		return nil, wire.NotFound("Entity metadata UID missing")
	}
	return wire.Stream{ContentType: "text/event-stream", Run: func(ctx context.Context, send func([]byte) error) error {
		return a.follow(ctx, e, send)
	}}, nil
}

// follow sends what happens until the end of the build.
func (a *API) follow(ctx context.Context, e catalog.Entity, send func([]byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines, end := make(chan string), make(chan []byte, 1)
	go func() {
		updated, err := a.Library.Sync(ctx, e, func(line string) error {
			select {
			case lines <- line:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		if err != nil {
			end <- event("error", a.shown(ctx, e, err))
			return
		}
		end <- event("finish", wire.Obj("updated", updated))
	}()
	alive := time.NewTicker(a.KeepAlive)
	defer alive.Stop()
	for {
		var piece []byte
		select {
		case line := <-lines:
			piece = event("log", line)
		case piece = <-end:
			return send(piece)
		case <-alive.C:
			piece = []byte(":\n\n")
		case <-a.stop:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := send(piece); err != nil {
			return err
		}
	}
}

// event is one server-sent event.
func event(name string, value any) []byte {
	data, err := wire.AppendJSON([]byte("event: "+name+"\ndata: "), value)
	if err != nil {
		panic(err) // strings and objects of booleans can always be written
	}
	return append(data, "\n\n"...)
}

// shown is what a client is told of an error: all of it, unless it is about
// files of the server.
func (a *API) shown(ctx context.Context, e catalog.Entity, err error) string {
	var named *catalog.Error
	var file *fs.PathError
	if errors.As(err, &named) || site.IsConfigured(err) || !errors.As(err, &file) {
		return "Failed to build the documentation of " + e.Ref().String() + ": " + strings.TrimSpace(err.Error())
	}
	a.Logger.ErrorContext(ctx, "documentation", slog.String("entity_ref", e.Ref().String()), slog.Any("error", err))
	return "Failed to build the documentation of " + e.Ref().String() + ": the log of the server says why"
}
