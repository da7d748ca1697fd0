package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/source"
)

// Options say how a server is read; the zero value of a field means what is
// said beside it.
type Options struct {
	// Dir is where commits are kept while the process runs; "" is the system's
	// folder for temporary files.
	Dir string
	// Limits bound commits, Files what is read of them, Archive whole trees.
	Limits  Limits
	Files   forge.Limits
	Archive archive.Limits
	// Window is for how long crawling believes what commit a branch is at; 0: a
	// minute.
	Window time.Duration
	// Concurrency is how many conversations with a server are under way; 0: 4.
	Concurrency int
	// Next sends requests over HTTP; nil: forge.NewTransport.
	Next http.RoundTripper
	// Metrics and Log tell of requests; nil: nobody is told.
	Metrics *budget.Metrics
	Log     *slog.Logger
	// Now and Sleep are the clock; nil: the real one.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

const (
	// readTimeout bounds one read of a file or search, treeTimeout that of a
	// whole tree.
	readTimeout = time.Minute
	treeTimeout = 10 * time.Minute
)

var errTooSlow = errors.New("the server did not answer in time")

// A Reader reads from one Git server. It is a source.Host.
type Reader struct {
	host     integration.Host
	o        Options
	client   *http.Client
	keys     *keyring // nil without SSH
	places   chan struct{}
	heads    *forge.Heads
	absences *forge.Absences
	store    *store
}

var _ source.Host = (*Reader)(nil)

// NewReader makes the reader of a server.
func NewReader(h integration.Host, o Options) (*Reader, error) {
	if !h.OverGit() {
		return nil, fmt.Errorf("%s is not read over Git", h)
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 4
	}
	if o.Next == nil {
		o.Next = forge.NewTransport()
	}
	o.Limits, o.Files = o.Limits.complete(), o.Files.Complete()
	r := &Reader{
		host: h, o: o, places: make(chan struct{}, o.Concurrency), heads: forge.NewHeads(o.Window, o.Now), absences: forge.NewAbsences(),
	}
	// The places of SSH are counted here; those of HTTP there.
	r.client = &http.Client{CheckRedirect: forge.CheckRedirect, Transport: budget.NewTransport(budget.Options{
		Host: h.Host, Next: o.Next, Concurrency: o.Concurrency, Metrics: o.Metrics, Log: o.Log, Now: o.Now, Sleep: o.Sleep,
	})}
	if !h.Git.SSH.PrivateKey.IsZero() {
		var err error
		if r.keys, err = newKeyring(h.Git.SSH); err != nil {
			return nil, fmt.Errorf("integrations.git, host %s: %w", h.Host, err)
		}
	}
	r.store = newStore(o.Dir, o.Limits)
	return r, nil
}

// Close removes the commits that were kept. Nobody may be reading.
func (r *Reader) Close() error { return r.store.close() }

// Matches tells whether a URL is of this server.
func (r *Reader) Matches(raw string) bool { return r.host.Matches(raw) }

// Observe takes in what commit a branch of a repository, by its URL, was at at a
// time, as a listing says: the server need not be asked.
func (r *Reader) Observe(repository, branch, commit string, at time.Time) {
	if place, err := r.host.Place(repository); err == nil && place.Ref == "" && branch != "" {
		r.heads.Observe(headKey(repository, place, branch), commit, at)
	}
}

// headKey names a branch; the same repository over another protocol is another.
func headKey(target string, place integration.Place, ref string) string {
	scheme, _, _ := strings.Cut(target, "://")
	return forge.BranchKey(scheme+"/"+place.Repository, ref)
}

// open begins a conversation about a repository. Token is used in place of the
// configured password if it is not "".
func (r *Reader) open(ctx context.Context, e endpoint, token string) (session, func() error, error) {
	if e.url.Scheme != "ssh" {
		user, password := r.credentials(token)
		s, err := openHTTP(ctx, r.client, e, user, password)
		return s, func() error { return nil }, err
	}
	if r.keys == nil {
		return nil, nil, catalog.NewError(catalog.NameNotAllowed, fmt.Sprintf("%s cannot be read: integrations.git has no ssh.privateKey for host %s", e.target, r.host.Host))
	}
	select {
	case r.places <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, e.unavailable(context.Cause(ctx))
	}
	s, err := openSSH(ctx, r.keys, e)
	if err != nil {
		<-r.places
		return nil, nil, err
	}
	return s, func() error { defer func() { <-r.places }(); return s.Close() }, nil
}

// credentials are for HTTP.
func (r *Reader) credentials(token string) (user, password string) {
	user, password = r.host.GitCredentials()
	switch {
	case token == "":
		return user, password
	case r.host.Kind == integration.KindBitbucketCloud:
		return "x-token-auth", token
	}
	return user, token
}

// ask returns the commit that a ref is at.
func (r *Reader) ask(ctx context.Context, e endpoint, ref, token string) (head forge.Head, err error) {
	s, end, err := r.open(ctx, e, token)
	if err != nil {
		return forge.Head{}, err
	}
	defer func() { err = errors.Join(err, end()) }()
	commit, ok := resolve(s.refs(), ref)
	if !ok {
		return forge.Head{}, e.missing("branch or tag")
	}
	return forge.Head{Commit: commit}, nil
}

// head returns the commit of a place, as remembered or from the server.
func (r *Reader) head(ctx context.Context, e endpoint, place integration.Place, known string) (forge.Head, error) {
	if forge.IsCommit(place.Ref) {
		return forge.Head{Commit: place.Ref}, nil
	}
	return r.heads.At(ctx, headKey(e.target, place, place.Ref), known, func(ctx context.Context, _ forge.Head) (forge.Head, error) {
		return forge.Whole(ctx, func() (forge.Head, error) { return r.ask(ctx, e, place.Ref, "") })
	})
}

// at calls f with the objects of a commit.
func (r *Reader) at(ctx context.Context, e endpoint, commit, token string, f func(*filesystem.Storage) error) error {
	get := func(ctx context.Context, to *os.File) error {
		_, err := forge.Whole(ctx, func() (struct{}, error) { return struct{}{}, r.fetch(ctx, e, commit, token, to) })
		return err
	}
	return r.store.use(ctx, e.url.String(), commit, get, f)
}

// fetch writes a commit as a pack to a file.
func (r *Reader) fetch(ctx context.Context, e endpoint, commit, token string, to *os.File) (err error) {
	_, err = to.Seek(0, io.SeekStart)
	if err = errors.Join(err, to.Truncate(0)); err != nil {
		return err
	}
	s, end, err := r.open(ctx, e, token)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if err := fetch(ctx, s, commit, r.o.Limits, to); err != nil {
		return e.unavailable(err)
	}
	return nil
}

// An address is what a URL names at this server.
type address struct {
	endpoint
	place integration.Place
}

func (r *Reader) parse(raw string) (address, error) {
	place, err := r.host.Place(raw)
	if err != nil {
		return address{}, err
	}
	e, err := endpointOf(raw, place)
	return address{endpoint: e, place: place}, err
}

func (r *Reader) parseFile(raw string) (address, error) {
	t, err := r.parse(raw)
	if err == nil && (t.place.Ref == "" || t.place.Path == "") {
		err = catalog.NewError(catalog.NameInput, raw+" is not the URL of a file: it must have /blob/ with a branch and a path behind the repository")
	}
	return t, err
}

// Read reads the file at a URL. When etag still holds, notModified is true and
// there is no data. A missing file is catalog.ErrNotFound.
func (r *Reader) Read(ctx context.Context, raw, etag string) (data []byte, newETag string, notModified bool, err error) {
	t, err := r.parseFile(raw)
	if err != nil {
		return nil, "", false, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	known := forge.ParseTag(etag)
	head, err := r.head(ctx, t.endpoint, t.place, known.Commit)
	key := headKey(raw, t.place, t.place.Ref) + "\x00" + t.place.Path
	switch {
	case err != nil:
		return nil, "", false, err
	case head.Commit == known.Commit:
		return nil, etag, true, nil
	case r.absences.Has(key, head.Commit):
		return nil, "", false, t.missing("file")
	}
	tag := forge.Tag{Commit: head.Commit}
	err = r.at(ctx, t.endpoint, head.Commit, "", func(s *filesystem.Storage) error {
		w := &walk{storage: s, address: t, commit: head.Commit}
		data, tag.Validator, err = w.file(t.place.Path, known.Validator, r.o.Files.File)
		return err
	})
	if errors.Is(err, catalog.ErrNotFound) && !head.Observed {
		r.absences.Add(key, head.Commit)
	}
	if err != nil {
		return nil, "", false, err
	}
	return data, tag.String(), tag.Validator == known.Validator, nil
}

// Search reads every file that a URL with a pattern in its path names, sorted by
// URL. When etag still holds, notModified is true and there are no files. A
// repository or branch that is not there has none.
func (r *Reader) Search(ctx context.Context, raw, etag string) (files []source.HostFile, newETag string, notModified bool, err error) {
	t, err := r.parseFile(raw)
	if err != nil {
		return nil, "", false, err
	}
	pattern, err := forge.ParsePattern(t.place.Path)
	if err != nil {
		return nil, "", false, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	head, err := r.head(ctx, t.endpoint, t.place, forge.ParseTag(etag).Commit)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return nil, "", false, nil
	case err != nil:
		return nil, "", false, err
	case head.Commit == etag:
		return nil, etag, true, nil
	}
	search := &forge.Search{Target: raw, PatternPath: t.place.Path, Pattern: pattern, Limits: r.o.Files}
	err = r.at(ctx, t.endpoint, head.Commit, "", func(s *filesystem.Storage) error {
		w := &walk{storage: s, address: t, commit: head.Commit, wanted: pattern.Match}
		return w.below(ctx, pattern.Folder(), archive.Options{Limits: archive.Limits{Entries: r.o.Limits.Objects}}, search.Add)
	})
	if errors.Is(err, catalog.ErrNotFound) { // the folder is not there
		return nil, head.Commit, false, nil
	}
	if err != nil {
		return nil, "", false, err
	}
	return search.Sorted(), head.Commit, false, nil
}

// Tree reads all files below the folder or repository at a URL and calls yield
// for each; for a file it is the only one. Token is used in place of the
// integration's password if it is not "". Paths are relative to the folder. A
// folder that is not there is catalog.ErrNotFound.
func (r *Reader) Tree(ctx context.Context, raw, token string, yield func(archive.Entry) error) error {
	t, err := r.parse(raw)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, treeTimeout, errTooSlow)
	defer cancel()
	// The server is asked with the credentials of this reader even for what is
	// kept: what one may see, another may not.
	head, err := r.ask(ctx, t.endpoint, t.place.Ref, token)
	if err != nil {
		return err
	}
	return r.treeOf(ctx, t, head.Commit, token, yield)
}

// treeOf reads all files below a place as they are in a commit.
func (r *Reader) treeOf(ctx context.Context, t address, commit, token string, yield func(archive.Entry) error) error {
	return r.at(ctx, t.endpoint, commit, token, func(s *filesystem.Storage) error {
		w := &walk{storage: s, address: t, commit: commit}
		return w.below(ctx, t.place.Path, archive.Options{Below: t.place.Path, Limits: r.o.Archive}, yield)
	})
}

// Commit returns the commit that the ref of a URL is at, as it is known to
// crawling.
func (r *Reader) Commit(ctx context.Context, raw string) (string, error) {
	t, err := r.parse(raw)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	head, err := r.head(ctx, t.endpoint, t.place, "")
	return head.Commit, err
}

// TreeAt is Tree with the credentials of the integration, for the folder as it
// is in a commit. A server that gives away only what branches are at may have
// moved on meanwhile: then it is the folder as it is now.
func (r *Reader) TreeAt(ctx context.Context, raw, commit string, yield func(archive.Entry) error) error {
	t, err := r.parse(raw)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, treeTimeout, errTooSlow)
	defer cancel()
	begun := false
	err = r.treeOf(ctx, t, commit, "", func(e archive.Entry) error {
		begun = true
		return yield(e)
	})
	if err == nil || begun || ctx.Err() != nil || errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	if now, askErr := r.ask(ctx, t.endpoint, t.place.Ref, ""); askErr == nil && now.Commit != commit {
		return r.treeOf(ctx, t, now.Commit, "", yield)
	}
	return err
}

// ReadAs reads the file at a URL with a token in place of the integration's
// password, if it is not "".
func (r *Reader) ReadAs(ctx context.Context, raw, token string) (data []byte, err error) {
	t, err := r.parseFile(raw)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	// As for Tree, the server is asked even for what is kept.
	head, err := r.ask(ctx, t.endpoint, t.place.Ref, token)
	if err != nil {
		return nil, err
	}
	err = r.at(ctx, t.endpoint, head.Commit, token, func(s *filesystem.Storage) error {
		w := &walk{storage: s, address: t, commit: head.Commit}
		data, _, err = w.file(t.place.Path, "", r.o.Files.File)
		return err
	})
	return data, err
}
