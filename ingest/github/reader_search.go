package github

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	if err := s.collect(ctx, head.Commit); err != nil {
		return nil, "", false, err
	}
	return s.Sorted(), head.Commit, false, nil
}

// A search is for the files of one repository that match a pattern.
type search struct {
	forge.Search
	reader *Reader
	place  integration.Place
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
	return &search{reader: r, place: place, Search: forge.Search{Target: target, PatternPath: place.Path, Pattern: pattern, Limits: r.o.Limits}}, nil
}

// collect reads the files of a commit that match.
func (s *search) collect(ctx context.Context, commit string) error {
	t, err := s.tree(ctx, commit)
	if err != nil {
		return err
	}
	if t.Truncated {
		return s.fromArchive(ctx, commit)
	}
	var matches []treeEntry
	var size int64
	for _, e := range t.Tree {
		if e.Type != "blob" || e.Mode == "120000" || !s.Pattern.Match(e.Path) {
			continue
		}
		if size += e.Size; e.Size > s.Limits.File {
			return forge.TooLarge(e.Path+" of "+s.Target, s.Limits.File)
		}
		matches = append(matches, e)
	}
	switch {
	case len(matches) > s.Limits.Matches:
		return s.TooMany()
	case size > s.Limits.Search:
		return forge.TooLarge("what "+s.Target+" names", s.Limits.Search)
	case s.missing(matches) > manyBlobs:
		return s.fromArchive(ctx, commit)
	}
	return s.fromBlobs(ctx, matches)
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
		res, err := s.reader.client.get(ctx, s.place.Owner(), s.Target, path, header)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return nil, forge.Status(s.Target, res)
		}
		data, err := forge.ReadBounded(res.Body, "an answer about "+s.Target, limit)
		if err != nil {
			return nil, err
		}
		out := new(V)
		if err := json.Unmarshal(data, out); err != nil {
			return nil, fmt.Errorf("%s could not be read, the answer of the host is not what it should be: %w", s.Target, err)
		}
		return out, nil
	})
}

// fromBlobs reads files one by one, as far as they are not at hand.
func (s *search) fromBlobs(ctx context.Context, matches []treeEntry) error {
	s.Files = make([]source.HostFile, len(matches))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(blobsAtOnce)
	for i, e := range matches {
		group.Go(func() (err error) {
			if s.Files[i].URL, err = forge.FileURL(s.Target, s.PatternPath, e.Path); err != nil {
				return err
			}
			s.Files[i].Data, err = s.blob(ctx, e.SHA)
			return err
		})
	}
	return group.Wait()
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
		return nil, fmt.Errorf("%s could not be read, the host lists a file without its hash", s.Target)
	}
	// In base64, with line breaks and some JSON around it.
	b, err := getJSON[blob](ctx, s, repositoryPath(s.place)+"/git/blobs/"+sha, s.Limits.File/2*3+4096)
	if err != nil {
		return nil, err
	}
	data := []byte(b.Content)
	if b.Encoding == "base64" {
		if data, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(b.Content, "\n", "")); err != nil {
			return nil, fmt.Errorf("%s could not be read, a content is not base64: %w", s.Target, err)
		}
	}
	if len(sha) == 2*sha1.Size && hashOf(data) != sha {
		return nil, fmt.Errorf("%s could not be read, a content does not have the hash %s", s.Target, sha)
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
func (s *search) fromArchive(ctx context.Context, commit string) error {
	return s.reader.tarball(ctx, s.Target, s.place, commit, archive.Options{Strip: 1, Limits: s.reader.o.Archive}, func(e archive.Entry) error {
		known := len(s.Files)
		if err := s.Add(e); err != nil {
			return err
		}
		for _, f := range s.Files[known:] {
			s.reader.blobs.Add(hashOf(f.Data), f.Data)
		}
		return nil
	})
}
