package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	gl "github.com/xanzy/go-gitlab"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/source"
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
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// A Reader reads from one GitLab host. It is a source.Host.
type Reader struct {
	host     integration.Host
	client   *Client
	o        ReaderOptions
	heads    *forge.Heads
	absences *forge.Absences
	// knowsCommits is set once the host has answered what commit a ref is at.
	knowsCommits atomic.Bool
}

var _ source.Host = (*Reader)(nil)

// NewReader makes the reader of a host.
func NewReader(client *Client, o ReaderOptions) *Reader {
	o.Limits = o.Limits.Complete()
	return &Reader{host: client.host, client: client, o: o, heads: forge.NewHeads(o.Window, o.Now), absences: forge.NewAbsences()}
}

// Readers are those of several hosts.
type Readers []*Reader

var _ Heads = Readers(nil)

// Observe tells the reader of the host.
func (rs Readers) Observe(project, branch, commit string, at time.Time) {
	for _, r := range rs {
		if r.Matches(project) {
			r.Observe(project, branch, commit, at)
		}
	}
}

// Observe takes in what commit a branch of a project, by the URL of its page,
// was at at a time, as a webhook or a listing says: the host need not be asked.
func (r *Reader) Observe(project, branch, commit string, at time.Time) {
	if place, err := r.host.Place(project); err == nil && place.Ref == "" && branch != "" {
		place.Ref = branch
		r.heads.Observe(forge.BranchKey(place.Repository, place.Ref), commit, at)
	}
}

// Matches tells whether a URL is of this host.
func (r *Reader) Matches(raw string) bool { return r.host.Matches(raw) }

const (
	// readTimeout bounds one read of a file or search, treeTimeout that of a
	// whole tree.
	readTimeout = time.Minute
	treeTimeout = 10 * time.Minute
)

// Read reads the file at a URL, of a repository or left behind by a job. When
// etag still holds, notModified is true and there is no data. A missing file is
// catalog.ErrNotFound.
func (r *Reader) Read(ctx context.Context, target, etag string) (data []byte, newETag string, notModified bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	if place, job, ok := r.host.ProjectOfArtifact(target); ok {
		data, err = r.artifact(ctx, target, place, job)
		return data, "", false, err
	}
	place, err := r.filePlace(target)
	if err != nil {
		return nil, "", false, err
	}
	known := forge.ParseTag(etag)
	head, err := r.head(ctx, target, place, known.Commit)
	key := forge.BranchKey(place.Repository, place.Ref) + "\x00" + place.Path
	switch {
	case errors.Is(err, catalog.ErrNotFound) && !r.knowsCommits.Load(): // the host may not know what was asked
		head = forge.Head{}
	case err != nil:
		return nil, "", false, err
	case head.Commit == known.Commit:
		return nil, etag, true, nil
	case r.absences.Has(key, head.Commit):
		return nil, "", false, &forge.StatusError{URL: target, Asked: r.host.API() + "/" + filePath(place), Status: http.StatusNotFound}
	}
	data, validator, err := r.file(ctx, target, place, head.Commit, known.Validator)
	if errors.Is(err, catalog.ErrNotFound) && head.Commit != "" && !head.Observed {
		r.absences.Add(key, head.Commit)
	}
	if err != nil {
		return nil, "", false, err
	}
	same := validator != "" && validator == known.Validator
	if same {
		data = nil
	}
	return data, forge.Tag{Commit: head.Commit, Validator: validator}.String(), same, nil
}

func (r *Reader) filePlace(target string) (integration.Place, error) {
	place, err := r.host.Place(target)
	if err == nil && (place.Ref == "" || place.Path == "") {
		err = catalog.NewError(catalog.NameInput, target+" is not the URL of a file: it must have /-/blob/ with a branch and a path behind it")
	}
	return place, err
}

func projectPath(p integration.Place) string { return "projects/" + url.PathEscape(p.Repository) }

func filePath(p integration.Place) string {
	return projectPath(p) + "/repository/files/" + url.PathEscape(p.Path) + "/raw"
}

// ofBlob marks a validator that is the hash of the content.
const ofBlob = "blob:"

// file reads a file at a commit, or at the ref where that is not known. There is
// no data when the validator still holds.
func (r *Reader) file(ctx context.Context, target string, place integration.Place, commit, known string) (data []byte, validator string, err error) {
	ref := place.Ref
	if commit != "" { // the state that the etag will stand for
		ref = commit
	}
	header := http.Header{}
	if known != "" && !strings.HasPrefix(known, ofBlob) {
		header.Set("If-None-Match", known)
	}
	data, err = forge.Whole(ctx, func() ([]byte, error) {
		res, err := r.client.send(ctx, http.MethodGet, target, filePath(place), url.Values{"ref": {ref}}, header)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		switch {
		case res.StatusCode == http.StatusNotModified && known != "":
			validator = known
			return nil, nil
		case res.StatusCode != http.StatusOK:
			return nil, forge.Status(target, res)
		}
		validator = res.Header.Get("ETag")
		if id := res.Header.Get("X-Gitlab-Blob-Id"); validator == "" && id != "" {
			validator = ofBlob + id
		}
		return forge.ReadBounded(res.Body, target, r.o.Limits.File)
	})
	return data, validator, err
}

// artifact reads a file that a job has left behind.
func (r *Reader) artifact(ctx context.Context, target string, place integration.Place, job string) ([]byte, error) {
	path := projectPath(place) + "/jobs/artifacts/" + url.PathEscape(place.Ref) + "/raw/" + forge.EscapePath(place.Path)
	return forge.Whole(ctx, func() ([]byte, error) {
		res, err := r.client.send(ctx, http.MethodGet, target, path, url.Values{"job": {job}}, nil)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return nil, forge.Status(target, res)
		}
		return forge.ReadBounded(res.Body, target, r.o.Limits.File)
	})
}

// head returns the commit of a place, as remembered or from the host.
func (r *Reader) head(ctx context.Context, target string, place integration.Place, known string) (forge.Head, error) {
	if forge.IsCommit(place.Ref) {
		return forge.Head{Commit: place.Ref}, nil
	}
	head, err := r.heads.At(ctx, forge.BranchKey(place.Repository, place.Ref), known, func(ctx context.Context, known forge.Head) (forge.Head, error) {
		return r.askHead(ctx, target, place, known)
	})
	if err == nil {
		r.knowsCommits.Store(true)
	}
	return head, err
}

// askHead asks for the newest commit of a ref, on condition that the answer is
// another than the one that is known.
func (r *Reader) askHead(ctx context.Context, target string, place integration.Place, known forge.Head) (forge.Head, error) {
	o := &gl.ListCommitsOptions{ListOptions: gl.ListOptions{PerPage: 1}}
	if place.Ref != "" {
		o.RefName = &place.Ref
	}
	options := []gl.RequestOptionFunc{gl.WithContext(ctx)}
	if known.Validator != "" {
		options = append(options, gl.WithHeader("If-None-Match", known.Validator))
	}
	return forge.Whole(ctx, func() (forge.Head, error) {
		commits, res, err := r.client.rest.Commits.ListCommits(place.Repository, o, options...)
		switch {
		case res != nil && res.StatusCode == http.StatusNotModified && known.Validator != "":
			return known, nil
		case res != nil && res.StatusCode != http.StatusOK:
			return forge.Head{}, forge.Status(target, res.Response)
		case err != nil:
			return forge.Head{}, forge.Failed(ctx, target, err)
		case len(commits) == 0:
			return forge.Head{}, catalog.NewError(catalog.NameNotFound, target+" could not be read, the repository is empty")
		case !forge.IsCommit(commits[0].ID):
			return forge.Head{}, fmt.Errorf("%s could not be read, the host does not say which commit it is at", target)
		}
		return forge.Head{Commit: commits[0].ID, Validator: res.Header.Get("ETag")}, nil
	})
}

// Search reads every file that a URL with a pattern in its path names, sorted by
// URL. When etag still holds, notModified is true and there are no files. A
// project or branch that is not there has none.
func (r *Reader) Search(ctx context.Context, target, etag string) (files []source.HostFile, newETag string, notModified bool, err error) {
	place, err := r.filePlace(target)
	if err != nil {
		return nil, "", false, err
	}
	pattern, err := forge.ParsePattern(place.Path)
	if err != nil {
		return nil, "", false, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	head, err := r.head(ctx, target, place, forge.ParseTag(etag).Commit)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return nil, "", false, nil
	case err != nil:
		return nil, "", false, err
	case head.Commit == etag:
		return nil, etag, true, nil
	}
	search := &forge.Search{Target: target, PatternPath: place.Path, Pattern: pattern, Limits: r.o.Limits}
	err = r.archive(ctx, target, place, head.Commit, pattern.Folder(), archive.Options{Strip: 1, Limits: r.o.Archive}, search.Add)
	if errors.Is(err, catalog.ErrNotFound) { // the folder is not there
		return nil, head.Commit, false, nil
	}
	if err != nil {
		return nil, "", false, err
	}
	return search.Sorted(), head.Commit, false, nil
}

// archive reads the archive of a commit, as far as it is below a folder.
func (r *Reader) archive(ctx context.Context, target string, place integration.Place, commit, folder string, o archive.Options, yield func(archive.Entry) error) error {
	query := url.Values{"sha": {commit}}
	if folder != "" {
		query.Set("path", folder)
	}
	res, err := r.client.send(ctx, http.MethodGet, target, projectPath(place)+"/repository/archive", query, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return forge.Status(target, res)
	}
	if err := archive.Tar(ctx, res.Body, o, yield); err != nil {
		return fmt.Errorf("%s could not be read, %w", target, err)
	}
	return nil
}

// Tree reads all files below the folder or project at a URL and calls yield for
// each; for a file it is the only one. Token is used in place of the
// integration's if it is not "". Paths are relative to the folder. A folder that
// is not there is catalog.ErrNotFound.
func (r *Reader) Tree(ctx context.Context, target, token string, yield func(archive.Entry) error) error {
	place, err := r.host.Place(target)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(withToken(ctx, token), treeTimeout, errTooSlow)
	defer cancel()
	commit := place.Ref
	if !forge.IsCommit(commit) {
		// What one may see, another may not: this is not remembered.
		head, err := r.askHead(ctx, target, place, forge.Head{})
		if err != nil {
			return err
		}
		commit = head.Commit
	}
	return r.treeOf(ctx, target, place, commit, yield)
}

// treeOf reads all files below a place as they are in a commit.
func (r *Reader) treeOf(ctx context.Context, target string, place integration.Place, commit string, yield func(archive.Entry) error) error {
	found := false
	o := archive.Options{Strip: 1, Below: place.Path, Limits: r.o.Archive}
	err := r.archive(ctx, target, place, commit, place.Path, o, func(e archive.Entry) error {
		found = true
		return yield(e)
	})
	if err == nil && !found && place.Path != "" {
		return catalog.NewError(catalog.NameNotFound, target+" could not be read, there is no such folder")
	}
	return err
}

// Commit returns the commit that the ref of a URL is at, as it is known to
// crawling: from the host, or from a webhook that has said so since.
func (r *Reader) Commit(ctx context.Context, target string) (string, error) {
	place, err := r.host.Place(target)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	head, err := r.head(ctx, target, place, "")
	return head.Commit, err
}

// TreeAt is Tree with the credentials of the integration, for the folder as it
// is in a commit.
func (r *Reader) TreeAt(ctx context.Context, target, commit string, yield func(archive.Entry) error) error {
	place, err := r.host.Place(target)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, treeTimeout, errTooSlow)
	defer cancel()
	return r.treeOf(ctx, target, place, commit, yield)
}

// ReadAs reads the file at a URL with a token in place of the integration's, if
// it is not "". Nothing is remembered of it: what one may see, another may not.
func (r *Reader) ReadAs(ctx context.Context, target, token string) ([]byte, error) {
	if token == "" {
		data, _, _, err := r.Read(ctx, target, "")
		return data, err
	}
	place, err := r.filePlace(target)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(withToken(ctx, token), readTimeout, errTooSlow)
	defer cancel()
	data, _, err := r.file(ctx, target, place, "", "")
	return data, err
}
