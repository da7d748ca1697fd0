package github

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forge"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/source"
)

const (
	// maxTreeAnswer bounds the listing of a tree; GitHub cuts it at 7 MB.
	maxTreeAnswer = 64 << 20
	// manyBlobs is how many files are read one by one; more come as an archive,
	// which is one request.
	manyBlobs = 100
	// blobsAtOnce is how many are read at the same time.
	blobsAtOnce = 5
)

// Search reads every file that a URL with a pattern in its path names, sorted by
// URL. When etag still holds, notModified is true and there are no files. A
// repository or branch that is not there has none.
func (r *Reader) Search(ctx context.Context, target, etag string) (files []source.HostFile, newETag string, notModified bool, err error) {
	s, err := r.newSearch(target)
	if err != nil {
		return nil, "", false, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readTimeout, errTooSlow)
	defer cancel()
	head, err := r.head(ctx, target, s.place, forge.ParseTag(etag).Commit)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return nil, "", false, nil
	case err != nil:
		return nil, "", false, err
	case head.Commit == etag:
		return nil, etag, true, nil
	}
	found, err := s.files(ctx, head.Commit)
	if err != nil {
		return nil, "", false, err
	}
	for name, data := range found {
		at, err := forge.FileURL(target, s.place.Path, name)
		if err != nil {
			return nil, "", false, err
		}
		files = append(files, source.HostFile{URL: at, Data: data})
	}
	slices.SortFunc(files, func(a, b source.HostFile) int { return strings.Compare(a.URL, b.URL) })
	return files, head.Commit, false, nil
}

// A search is for the files of one repository that match a pattern.
type search struct {
	reader  *Reader
	target  string
	place   integration.Place
	pattern *forge.Pattern
}

func (r *Reader) newSearch(target string) (*search, error) {
	if r.client == nil {
		return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("%s has a pattern, which %s can only read with an apiBaseUrl", target, r.host))
	}
	place, err := r.filePlace(target)
	if err != nil {
		return nil, err
	}
	pattern, err := forge.ParsePattern(place.Path)
	if err != nil {
		return nil, err
	}
	return &search{reader: r, target: target, place: place, pattern: pattern}, nil
}

// files returns the contents of a commit that match, by path.
func (s *search) files(ctx context.Context, commit string) (map[string][]byte, error) {
	t, err := s.tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	if t.Truncated {
		return s.fromArchive(ctx, commit)
	}
	var matches []treeEntry
	var size int64
	for _, e := range t.Tree {
		if e.Type != "blob" || e.Mode == "120000" || !s.pattern.Match(e.Path) {
			continue
		}
		if size += e.Size; e.Size > s.reader.o.Limits.File {
			return nil, forge.TooLarge(e.Path+" of "+s.target, s.reader.o.Limits.File)
		}
		matches = append(matches, e)
	}
	switch {
	case len(matches) > s.reader.o.Limits.Matches:
		return nil, s.tooMany()
	case size > s.reader.o.Limits.Search:
		return nil, forge.TooLarge("what "+s.target+" names", s.reader.o.Limits.Search)
	case s.missing(matches) > manyBlobs:
		return s.fromArchive(ctx, commit)
	}
	return s.fromBlobs(ctx, matches)
}

func (s *search) tooMany() error {
	return catalog.NewError(catalog.NameInput, fmt.Sprintf("%s names more than %d files", s.target, s.reader.o.Limits.Matches))
}

// missing counts the contents that are not at hand.
func (s *search) missing(matches []treeEntry) (n int) {
	for _, e := range matches {
		if _, ok := s.reader.blobs.Get(e.SHA); !ok {
			n++
		}
	}
	return n
}

// A tree is the listing of a commit.
type tree struct {
	Tree      []treeEntry `json:"tree"`
	Truncated bool        `json:"truncated"`
}

type treeEntry struct {
	Path string `json:"path"`
	Mode string `json:"mode"`
	Type string `json:"type"`
	SHA  string `json:"sha"`
	Size int64  `json:"size"`
}

func (s *search) tree(ctx context.Context, commit string) (*tree, error) {
	path := repositoryPath(s.place) + "/git/trees/" + commit + "?recursive=true"
	return getJSON[tree](ctx, s, path, maxTreeAnswer)
}

// getJSON reads the answer to a GET request.
func getJSON[V any](ctx context.Context, s *search, path string, limit int64) (*V, error) {
	return forge.Whole(ctx, func() (*V, error) {
		header := http.Header{"Accept": {"application/vnd.github+json"}}
		res, err := s.reader.client.get(ctx, s.place.Owner(), s.target, path, header)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return nil, forge.Status(s.target, res)
		}
		data, err := forge.ReadBounded(res.Body, "an answer about "+s.target, limit)
		if err != nil {
			return nil, err
		}
		out := new(V)
		if err := json.Unmarshal(data, out); err != nil {
			return nil, fmt.Errorf("%s could not be read, the answer of the host is not what it should be: %w", s.target, err)
		}
		return out, nil
	})
}

// fromBlobs reads files one by one, as far as they are not at hand.
func (s *search) fromBlobs(ctx context.Context, matches []treeEntry) (map[string][]byte, error) {
	contents := make([][]byte, len(matches))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(blobsAtOnce)
	for i, e := range matches {
		group.Go(func() (err error) {
			contents[i], err = s.blob(ctx, e.SHA)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := make(map[string][]byte, len(matches))
	for i, e := range matches {
		out[e.Path] = contents[i]
	}
	return out, nil
}

// blob returns the content that has a hash.
func (s *search) blob(ctx context.Context, sha string) ([]byte, error) {
	if data, ok := s.reader.blobs.Get(sha); ok {
		return data, nil
	}
	type blob struct {
		Content  string `json:"content"`
		Encoding string `json:"encoding"`
	}
	if !forge.IsCommit(sha) {
		return nil, fmt.Errorf("%s could not be read, the host lists a file without its hash", s.target)
	}
	// In base64, with line breaks and some JSON around it.
	b, err := getJSON[blob](ctx, s, repositoryPath(s.place)+"/git/blobs/"+sha, s.reader.o.Limits.File/2*3+4096)
	if err != nil {
		return nil, err
	}
	data := []byte(b.Content)
	if b.Encoding == "base64" {
		if data, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(b.Content, "\n", "")); err != nil {
			return nil, fmt.Errorf("%s could not be read, a content is not base64: %w", s.target, err)
		}
	}
	if len(sha) == 2*sha1.Size && hashOf(data) != sha {
		return nil, fmt.Errorf("%s could not be read, a content does not have the hash %s", s.target, sha)
	}
	s.reader.blobs.Add(sha, data)
	return data, nil
}

// hashOf is the name of a content in Git.
func hashOf(data []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// fromArchive reads files from an archive of the whole commit, which is held in
// memory as far as it matches only.
func (s *search) fromArchive(ctx context.Context, commit string) (map[string][]byte, error) {
	out := map[string][]byte{}
	var size int64
	err := s.reader.tarball(ctx, s.target, s.place, commit, archive.Options{Strip: 1}, func(e archive.Entry) error {
		if !e.Mode.IsRegular() || !s.pattern.Match(e.Path) {
			return nil
		}
		size += e.Size
		switch {
		case len(out) == s.reader.o.Limits.Matches:
			return s.tooMany()
		case e.Size > s.reader.o.Limits.File:
			return forge.TooLarge(e.Path+" of "+s.target, s.reader.o.Limits.File)
		case size > s.reader.o.Limits.Search:
			return forge.TooLarge("what "+s.target+" names", s.reader.o.Limits.Search)
		}
		data, err := io.ReadAll(e.Content)
		if err != nil {
			return err
		}
		out[e.Path] = data
		s.reader.blobs.Add(hashOf(data), data)
		return nil
	})
	return out, err
}
