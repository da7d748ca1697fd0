package process

import (
	"context"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Reader reads descriptors and the files they refer to from the outside.
// Implementations are safe for concurrent use, bound what they read in size
// and time, and end when ctx does.
type Reader interface {
	// ReadLocation reads every descriptor that the target of the location
	// names, in a stable order. When request.ETag is still that of the source
	// the result has NotModified set and no files. No file at all for a
	// pattern, or a missing file, is an error that is catalog.ErrNotFound.
	ReadLocation(ctx context.Context, request ReadRequest) (*ReadResult, error)
	// ReadURL reads one file by its absolute URL.
	ReadURL(ctx context.Context, url string) ([]byte, error)
	// ResolveURL resolves a target that a descriptor at the URL base names:
	// absolute URLs, paths relative to it, and paths from the root of its
	// repository.
	ResolveURL(target, base string) (string, error)
	// SourceURLs returns, for a URL whose host is a known Git host, the URL
	// that edits the file ("" where there is none) and that of its folder.
	// The answer is false for other hosts.
	SourceURLs(url string) (edit, folder string, ok bool)
	// SameRepository tells whether two URLs are in one repository; known is
	// false where one of them is not in a recognisable repository.
	SameRepository(a, b string) (same, known bool)
}

// A ReadRequest names what to read.
type ReadRequest struct {
	Location catalog.LocationRef
	ETag     string // of the last successful read; empty for none
}

// A ReadResult holds what the files at a location contain.
type ReadResult struct {
	Files []File
	// ETag marks this state of the source, for the next request; empty where
	// the source has none.
	ETag        string
	NotModified bool
	// RefreshKeys are the keys under which a change of the source is reported
	// beyond those of the files, such as "directory:<path>".
	RefreshKeys []string
}

// A File is one file that was read.
type File struct {
	// Location is that of the file itself: type and absolute target.
	Location catalog.LocationRef
	// Documents are the YAML documents of the file in order, empty ones left
	// out.
	Documents []Document
}

// A Document is one YAML document: an entity that nobody has checked yet, or
// the error that says why it is none.
type Document struct {
	Entity catalog.Entity
	Err    error
	// Line is where the document starts in its file, from 1.
	Line int
}
