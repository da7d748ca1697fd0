package github

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// treeTimeout bounds the reading of a whole tree.
const treeTimeout = 10 * time.Minute

// Tree reads all files below the folder or repository at a URL and calls yield
// for each; for a file it is the only one. Token is used in place of the
// integration's credentials if it is not "". Paths are relative to the folder.
// A folder that is not there is catalog.ErrNotFound.
func (r *Reader) Tree(ctx context.Context, target, token string, yield func(archive.Entry) error) error {
	if r.client == nil {
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("%s cannot be read: %s has no apiBaseUrl", target, r.host))
	}
	place, err := r.host.Place(target)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(withToken(ctx, token), treeTimeout, errTooSlow)
	defer cancel()
	commit := place.Ref
	if !forge.IsCommit(commit) {
		// What one may see, another may not: this is not remembered.
		head, err := r.askHead(ctx, target, place, "")
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
	err := r.tarball(ctx, target, place, commit, archive.Options{Strip: 1, Below: place.Path, Limits: r.o.Archive}, func(e archive.Entry) error {
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
	if r.client == nil {
		return "", catalog.NewError(catalog.NameInput, fmt.Sprintf("%s cannot be read: %s has no apiBaseUrl", target, r.host))
	}
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

// ReadAs reads the file at a URL with a token in place of the integration's
// credentials, if it is not "". Nothing is remembered of it: what one may see,
// another may not.
func (r *Reader) ReadAs(ctx context.Context, target, token string) ([]byte, error) {
	if token == "" || r.client == nil {
		data, _, _, err := r.Read(ctx, target, "")
		return data, err
	}
	place, err := r.filePlace(target)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(withToken(ctx, token), readTimeout, errTooSlow)
	defer cancel()
	data, _, _, err := (&fileRead{reader: r, target: target, place: place}).contents(ctx, place.Ref)
	return data, err
}

// tarball reads the archive of a commit.
func (r *Reader) tarball(ctx context.Context, target string, place integration.Place, commit string, o archive.Options, yield func(archive.Entry) error) error {
	path := repositoryPath(place) + "/tarball/" + url.PathEscape(commit)
	res, err := r.client.get(ctx, place.Owner(), target, path, http.Header{"Accept": {"*/*"}})
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
