package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/ingest/descriptor"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

// MaxFileBytes bounds one file that is read.
const MaxFileBytes = 10 << 20

const (
	// readTimeout bounds the reading of one location.
	readTimeout = 60 * time.Second
	// maxErrorText bounds the words of an error about a URL.
	maxErrorText = 5000
)

// A Host reads from a Git host. Implementations are safe for concurrent use and
// bound what they read in size, count and time.
type Host interface {
	// Matches tells whether a URL is of this host.
	Matches(url string) bool
	// Read reads one file. With the etag of an earlier answer that still holds,
	// notModified is true and there is no data. A missing file is
	// catalog.ErrNotFound.
	Read(ctx context.Context, url, etag string) (data []byte, newETag string, notModified bool, err error)
	// Search reads every file that the pattern in the path of a URL names, in
	// order of their URLs. None is no error.
	Search(ctx context.Context, url, etag string) (files []HostFile, newETag string, notModified bool, err error)
}

// A HostFile is one file of a search.
type HostFile struct {
	URL  string
	Data []byte
}

// Options say what a Reader may read; the zero value of a field means what is
// said beside it.
type Options struct {
	// Integrations know the URLs of Git hosts. Required.
	Integrations *integration.Set
	// Hosts read from Git hosts; nil: none is read.
	Hosts []Host
	// Allow are the hosts that may be read over plain HTTP; nil: none.
	Allow []Allow
	// Known says which apiVersion and kind are entities beyond those of
	// backstage.io, for telling descriptors in folders from other YAML; nil:
	// none.
	Known func(apiVersion, kind string) bool
	// Transport carries the requests; nil: http.DefaultTransport.
	Transport http.RoundTripper
}

// A Reader reads from the outside.
type Reader struct {
	*integration.Set
	hosts   []Host
	allow   []allowed
	known   func(apiVersion, kind string) bool
	client  *http.Client
	folders *folderCache
}

var _ process.Reader = (*Reader)(nil)

// New checks the options.
func New(o Options) (*Reader, error) {
	if o.Integrations == nil {
		return nil, errors.New("a reader needs integrations")
	}
	r := &Reader{Set: o.Integrations, hosts: o.Hosts, known: o.Known, folders: newFolderCache()}
	for i, a := range o.Allow {
		parsed, err := parseAllow(a)
		if err != nil {
			return nil, fmt.Errorf("config key 'backend.reading.allow[%d]': %w", i, err)
		}
		r.allow = append(r.allow, parsed)
	}
	r.client = &http.Client{
		Transport: o.Transport,
		// Redirects are followed by hand, since each has to be allowed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r, nil
}

// ReadLocation reads the descriptors at a location of type url, file or
// directory.
func (r *Reader) ReadLocation(ctx context.Context, request process.ReadRequest) (*process.ReadResult, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	switch request.Location.Type {
	case "url":
		return r.readURLLocation(ctx, request)
	case "file":
		return r.readFiles(ctx, request.Location)
	case "directory":
		return r.readFolder(ctx, request.Location)
	}
	return nil, catalog.NewError(catalog.NameInput, "No processor was able to handle reading of "+request.Location.String())
}

var errTooSlow = fmt.Errorf("it took longer than %s", readTimeout)

// ReadURL reads one file by its URL.
func (r *Reader) ReadURL(ctx context.Context, target string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	data, _, _, err := r.read(ctx, target, "")
	return data, err
}

// ResolveURL resolves a target that a descriptor at the URL base names.
func (r *Reader) ResolveURL(target, base string) (string, error) { return r.Resolve(target, base) }

func (r *Reader) read(ctx context.Context, target, etag string) (data []byte, newETag string, notModified bool, err error) {
	if h := r.host(target); h != nil {
		return h.Read(ctx, target, etag)
	}
	return r.fetch(ctx, target, etag)
}

func (r *Reader) host(target string) Host {
	for _, h := range r.hosts {
		if h.Matches(target) {
			return h
		}
	}
	return nil
}

// readURLLocation reads one file, or all that a pattern names.
func (r *Reader) readURLLocation(ctx context.Context, request process.ReadRequest) (*process.ReadResult, error) {
	target := request.Location.Target
	files, etag, notModified, err := r.search(ctx, target, request.ETag)
	switch {
	case errors.Is(err, catalog.ErrNotFound), err == nil && !notModified && len(files) == 0:
		return nil, catalog.NewError(catalog.NameNotFound, "Unable to read url, no matching files found for "+target)
	case err != nil:
		return nil, catalog.NewError(catalog.NameError, cut("Unable to read url, "+err.Error()))
	case notModified:
		return &process.ReadResult{ETag: etag, NotModified: true}, nil
	}
	result := &process.ReadResult{ETag: etag}
	for _, f := range files {
		at := catalog.LocationRef{Type: "url", Target: f.URL}
		result.Files = append(result.Files, process.File{Location: at, Documents: parse(f.Data, at)})
	}
	return result, nil
}

func (r *Reader) search(ctx context.Context, target, etag string) (files []HostFile, newETag string, notModified bool, err error) {
	h, pattern := r.host(target), isPattern(target)
	switch {
	case h != nil && pattern:
		return h.Search(ctx, target, etag)
	case pattern:
		return nil, "", false, catalog.NewError(catalog.NameError, "Unsupported search pattern URL")
	}
	data, newETag, notModified, err := r.read(ctx, target, etag)
	if err != nil || notModified {
		return nil, newETag, notModified, err
	}
	return []HostFile{{URL: target, Data: data}}, newETag, false, nil
}

// isPattern tells whether the path of a URL names files by a pattern.
func isPattern(target string) bool {
	u, err := url.Parse(target)
	return err == nil && strings.ContainsAny(u.Path, "*?")
}

func parse(data []byte, at catalog.LocationRef) []process.Document {
	return descriptor.Parse(data, at, yaml.Limits{Bytes: MaxFileBytes})
}

func cut(s string) string {
	if len(s) > maxErrorText {
		return strings.ToValidUTF8(s[:maxErrorText], "")
	}
	return s
}
