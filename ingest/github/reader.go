package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// ReaderOptions say how much is read, and how often; the zero value of a field
// means what is said beside it.
type ReaderOptions struct {
	// Window is for how long crawling believes what commit a branch is at; 0: a
	// minute.
	Window time.Duration
	// Limits bound files and searches, Archive whole trees.
	Limits  forge.Limits
	Archive archive.Limits
	// Blobs is how many bytes of file contents are kept in memory, so that a
	// search reads what has changed only; 0: 64 MiB.
	Blobs int
	// Next sends what needs no API; nil: forge.NewTransport. Now is the clock;
	// nil: time.Now.
	Next http.RoundTripper
	Now  func() time.Time
}

// A Reader reads from one GitHub host. It is a source.Host.
type Reader struct {
	host     integration.Host
	client   *Client // nil for a host with nothing but files
	plain    *http.Client
	o        ReaderOptions
	heads    *forge.Heads
	absences *forge.Absences
	loners   *forge.Loners
	blobs    *forge.Blobs
	// knowsCommits is set once the host has answered what commit a ref is at.
	knowsCommits atomic.Bool
}

// NewReader makes the reader of a host. Client is nil if the host has no API.
func NewReader(h integration.Host, client *Client, o ReaderOptions) *Reader {
	if o.Blobs == 0 {
		o.Blobs = 64 << 20
	}
	if o.Next == nil {
		o.Next = forge.NewTransport()
	}
	o.Limits = o.Limits.Complete()
	return &Reader{
		host: h, client: client, o: o,
		plain: &http.Client{Transport: o.Next, CheckRedirect: forge.CheckRedirect},
		heads: forge.NewHeads(o.Window, o.Now), absences: forge.NewAbsences(), loners: forge.NewLoners(), blobs: forge.NewBlobs(o.Blobs),
	}
}

// Matches tells whether a URL is of this host.
func (r *Reader) Matches(raw string) bool { return r.host.Matches(raw) }

// readTimeout bounds one read of a file or search.
const readTimeout = time.Minute

// Read reads the file at a URL. When etag still holds, notModified is true and
// there is no data. A missing file is catalog.ErrNotFound.
func (r *Reader) Read(ctx context.Context, target, etag string) (data []byte, newETag string, notModified bool, err error) {
	place, err := r.filePlace(target)
	if err != nil {
		return nil, "", false, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	raw, err := r.readsRaw(ctx, place.Owner())
	if err != nil {
		return nil, "", false, forge.Failed(ctx, target, err)
	}
	f := &fileRead{reader: r, target: target, place: place, known: forge.ParseTag(etag)}
	if raw {
		return f.raw(ctx)
	}
	return f.viaAPI(ctx)
}

func (r *Reader) filePlace(target string) (integration.Place, error) {
	place, err := r.host.Place(target)
	if err == nil && (place.Ref == "" || place.Path == "") {
		err = catalog.NewError(catalog.NameInput, target+" is not the URL of a file: it has no branch or no path")
	}
	return place, err
}

// readsRaw tells whether files are read from where they are without a token.
func (r *Reader) readsRaw(ctx context.Context, owner string) (bool, error) {
	if r.client == nil {
		return true, nil
	}
	if r.host.RawBaseURL == "" {
		return false, nil
	}
	signs, err := r.client.signer.signs(ctx, owner)
	return !signs, err
}

// A fileRead is one read of a file.
type fileRead struct {
	reader *Reader
	target string
	place  integration.Place
	known  forge.Tag
}

func (f *fileRead) branch() string { return forge.BranchKey(f.place.Repository, f.place.Ref) }

func (f *fileRead) key() string { return f.branch() + "\x00" + f.place.Path }

// viaAPI reads the file from the API. The only file of its branch that anybody
// reads is asked for directly; otherwise the host is first asked for the commit
// of the branch, once for all of its files.
func (f *fileRead) viaAPI(ctx context.Context) (data []byte, etag string, notModified bool, err error) {
	r := f.reader
	alone := r.loners.Alone(f.branch(), f.place.Path)
	if alone && f.known.Commit == "" && !r.heads.Knows(f.branch()) && !forge.IsCommit(f.place.Ref) {
		data, validator, notModified, err := f.contents(ctx, f.place.Ref)
		if !errors.Is(err, catalog.ErrNotFound) {
			return data, forge.Tag{Validator: validator}.String(), notModified, err
		}
		// As long as the branch stays where it is, the file need not be missed
		// again: so it is worth to know where that is.
	}
	return f.atHead(ctx)
}

// atHead asks for the commit of the branch and, if that is new, for the file.
func (f *fileRead) atHead(ctx context.Context) (data []byte, etag string, notModified bool, err error) {
	r := f.reader
	head, err := r.head(ctx, f.target, f.place, f.known.Commit)
	switch {
	case errors.Is(err, catalog.ErrNotFound) && !r.knowsCommits.Load(): // the host may not know what was asked
		head = forge.Head{}
	case err != nil:
		return nil, "", false, err
	case head.Commit == f.known.Commit:
		return nil, f.known.String(), true, nil
	case r.absences.Has(f.key(), head.Commit):
		return nil, "", false, &forge.StatusError{URL: f.target, Asked: r.client.host.APIBaseURL + "/" + f.path(""), Status: http.StatusNotFound}
	}
	ref := f.place.Ref
	if head.Commit != "" { // the state that the etag will stand for
		ref = head.Commit
	}
	tag := forge.Tag{Commit: head.Commit}
	data, tag.Validator, notModified, err = f.contents(ctx, ref)
	if errors.Is(err, catalog.ErrNotFound) && head.Commit != "" && !head.Observed {
		r.absences.Add(f.key(), head.Commit)
	}
	if err != nil {
		return nil, "", false, err
	}
	return data, tag.String(), notModified, nil
}

// path is that of the file in the API.
func (f *fileRead) path(ref string) string {
	p := repositoryPath(f.place) + "/contents/" + forge.EscapePath(f.place.Path)
	if ref != "" {
		p += "?ref=" + url.QueryEscape(ref)
	}
	return p
}

// contents reads the file from the API.
func (f *fileRead) contents(ctx context.Context, ref string) (data []byte, validator string, notModified bool, err error) {
	header := http.Header{"Accept": {"application/vnd.github.v3.raw"}}
	setCondition(header, f.known.Validator)
	data, err = forge.Whole(ctx, func() ([]byte, error) {
		res, err := f.reader.client.get(ctx, f.place.Owner(), f.target, f.path(ref), header)
		if err != nil {
			return nil, err
		}
		validator, notModified = validatorOf(res.Header), res.StatusCode == http.StatusNotModified
		return f.body(res)
	})
	if notModified && validator == "" {
		validator = f.known.Validator
	}
	return data, validator, notModified && err == nil, err
}

// raw reads the file from where those without a token do.
func (f *fileRead) raw(ctx context.Context) (data []byte, etag string, notModified bool, err error) {
	target := fmt.Sprintf("%s/%s/%s/%s", f.reader.host.RawBaseURL, forge.EscapePath(f.place.Repository), url.PathEscape(f.place.Ref), forge.EscapePath(f.place.Path))
	data, err = forge.Whole(ctx, func() ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return nil, err
		}
		setCondition(req.Header, f.known.Validator)
		res, err := f.reader.plain.Do(req)
		if err != nil {
			return nil, forge.Failed(ctx, f.target, err)
		}
		etag, notModified = validatorOf(res.Header), res.StatusCode == http.StatusNotModified
		return f.body(res)
	})
	if notModified && etag == "" {
		etag = f.known.Validator
	}
	return data, etag, notModified && err == nil, err
}

// body reads and closes the body of an answer; there is none for 304.
func (f *fileRead) body(res *http.Response) ([]byte, error) {
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified && f.known.Validator != "":
		return nil, nil
	case res.StatusCode != http.StatusOK:
		return nil, forge.Status(f.target, res)
	}
	data, err := forge.ReadBounded(res.Body, f.target, f.reader.o.Limits.File)
	if err == nil && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") && strings.HasPrefix(string(data), "[") {
		return nil, catalog.NewError(catalog.NameInput, f.target+" is a folder, not a file")
	}
	return data, err
}

// dated marks a validator that is the date of the last change.
const dated = "date:"

func setCondition(h http.Header, validator string) {
	if date, ok := strings.CutPrefix(validator, dated); ok {
		h.Set("If-Modified-Since", date)
	} else if validator != "" {
		h.Set("If-None-Match", validator)
	}
}

func validatorOf(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" {
		return tag
	}
	if date := h.Get("Last-Modified"); date != "" {
		return dated + date
	}
	return ""
}

func repositoryPath(p integration.Place) string {
	return "repos/" + url.PathEscape(p.Owner()) + "/" + url.PathEscape(p.Name())
}

func refOr(ref string) string {
	if ref == "" {
		return "HEAD"
	}
	return ref
}

// Observe takes in what commit a branch of a repository, by the URL of its page,
// was at at a time, as a webhook or a listing says: the host need not be asked.
func (r *Reader) Observe(repository, branch, commit string, at time.Time) {
	if place, err := r.host.Place(repository); err == nil && place.Ref == "" && branch != "" {
		place.Ref = branch
		r.heads.Observe(forge.BranchKey(place.Repository, place.Ref), commit, at)
	}
}

// Readers are those of several hosts.
type Readers []*Reader

var _ Heads = Readers(nil)

// Observe tells the reader of the host.
func (rs Readers) Observe(repository, branch, commit string, at time.Time) {
	for _, r := range rs {
		if r.Matches(repository) {
			r.Observe(repository, branch, commit, at)
		}
	}
}

// head returns the commit of a place, as remembered or from the host.
func (r *Reader) head(ctx context.Context, target string, place integration.Place, known string) (forge.Head, error) {
	if forge.IsCommit(place.Ref) {
		return forge.Head{Commit: place.Ref}, nil
	}
	return r.heads.At(ctx, forge.BranchKey(place.Repository, place.Ref), known, func(ctx context.Context, known forge.Head) (forge.Head, error) {
		return r.askHead(ctx, target, place, known.Commit)
	})
}

// askHead asks what commit a ref is at, on condition that it is another than
// the one that is known: then an answer costs nothing.
func (r *Reader) askHead(ctx context.Context, target string, place integration.Place, known string) (forge.Head, error) {
	path := repositoryPath(place) + "/commits/" + url.PathEscape(refOr(place.Ref))
	head, err := r.commitAt(ctx, target, place, path, "application/vnd.github.sha", known)
	if errors.Is(err, catalog.ErrNotFound) && !r.knowsCommits.Load() { // as an API does that knows only the other way
		head, err = r.commitAt(ctx, target, place, path+"/status", "application/vnd.github+json", "")
	}
	if err == nil {
		r.knowsCommits.Store(true)
	}
	return head, err
}

func (r *Reader) commitAt(ctx context.Context, target string, place integration.Place, path, accept, known string) (forge.Head, error) {
	header := http.Header{"Accept": {accept}}
	if known != "" {
		header.Set("If-None-Match", `"`+known+`"`)
	}
	return forge.Whole(ctx, func() (forge.Head, error) {
		res, err := r.client.get(ctx, place.Owner(), target, path, header)
		if err != nil {
			return forge.Head{}, err
		}
		defer res.Body.Close()
		switch res.StatusCode {
		case http.StatusNotModified:
			return forge.Head{Commit: known}, nil
		case http.StatusOK:
			return readCommit(res.Body, target)
		case http.StatusConflict, http.StatusUnprocessableEntity: // an empty repository, no such ref
			failure := forge.Status(target, res)
			failure.Status = http.StatusNotFound
			return forge.Head{}, failure
		}
		return forge.Head{}, forge.Status(target, res)
	})
}

// readCommit understands the hash by itself and the field sha of an object.
func readCommit(body io.Reader, target string) (forge.Head, error) {
	data, err := forge.ReadBounded(body, "the commit of "+target, 8<<20)
	if err != nil {
		return forge.Head{}, err
	}
	commit := strings.TrimSpace(string(data))
	if !forge.IsCommit(commit) {
		var object struct{ SHA string }
		if json.Unmarshal(data, &object) != nil || !forge.IsCommit(object.SHA) {
			return forge.Head{}, fmt.Errorf("%s could not be read, the host does not say which commit it is at", target)
		}
		commit = object.SHA
	}
	return forge.Head{Commit: commit}, nil
}
