package integration

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Place is a file or folder in a repository, as a URL names it.
type Place struct {
	// Repository is its full name: owner and name at GitHub, groups and name
	// at GitLab, without .git at either. At other Git servers it is the path
	// of the repository as the URL has it.
	Repository string
	// Ref is a branch, tag or commit; "" where the URL names none, which means
	// the default branch.
	Ref string
	// Path is without a slash at either end; "" is the root.
	Path string
}

// Owner is the first part of the full name.
func (p Place) Owner() string {
	owner, _, _ := strings.Cut(p.Repository, "/")
	return owner
}

// Name is the rest of the full name.
func (p Place) Name() string {
	_, name, _ := strings.Cut(p.Repository, "/")
	return name
}

// markers are what stands in a URL between the repository and the ref.
var markers = []string{"blob", "tree", "raw", "edit"}

// Place returns what a URL of the host names. Segments that lead out of a
// folder, refs that Git would not take and control characters are refused.
func (h Host) Place(raw string) (Place, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Place{}, catalog.NewError(catalog.NameTypeError, "Invalid URL: "+raw)
	}
	segments, err := h.segments(u)
	if err != nil {
		return Place{}, fmt.Errorf("%s %w", u.Redacted(), err)
	}
	place, ok := h.place(segments)
	switch {
	case !ok:
		return Place{}, catalog.NewError(catalog.NameInput, u.Redacted()+" is not the URL of a repository or of a file in one")
	case place.Ref != "" && !isRef(place.Ref):
		return Place{}, catalog.NewError(catalog.NameInput, fmt.Sprintf("%s: %q cannot be a branch, tag or commit", u.Redacted(), place.Ref))
	}
	return place, nil
}

// segments returns the decoded path of a URL below the pages of the host.
func (h Host) segments(u *url.URL) ([]string, error) {
	path := u.EscapedPath()
	if h.Kind == KindGitLab {
		if base, err := url.Parse(h.BaseURL); err == nil {
			path = strings.TrimPrefix(path, strings.TrimRight(base.EscapedPath(), "/"))
		}
	}
	var out []string
	for _, segment := range strings.Split(strings.Trim(path, "/"), "/") {
		decoded, err := url.PathUnescape(segment)
		switch {
		case err != nil:
			return nil, catalog.NewError(catalog.NameInput, "is not a valid URL")
		case decoded == "." || decoded == "..":
			return nil, catalog.NewError(catalog.NameNotAllowed, "has a path that leads out of its folder")
		case strings.ContainsFunc(decoded, isControl) || strings.Contains(decoded, `\`):
			return nil, catalog.NewError(catalog.NameInput, "has control characters or backslashes in its path")
		case decoded != "":
			out = append(out, decoded)
		}
	}
	return out, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }

// place finds the parts in the segments of a path. Only a ref may hold an
// encoded slash.
func (h Host) place(segments []string) (Place, bool) {
	marker := h.marker(segments)
	if marker < 0 {
		name := strings.TrimSuffix(strings.Join(segments, "/"), ".git")
		if h.OverGit() {
			name = strings.Join(segments, "/")
		}
		valid := len(segments) == 2 || h.Kind != KindGitHub && len(segments) > 1 || h.OverGit() && len(segments) == 1 && segments[0] != ""
		return Place{Repository: name}, valid && !slices.ContainsFunc(segments, hasSlash)
	}
	repository, rest := segments[:marker], segments[marker+1:]
	if len(rest) > 1 && segments[marker] == "src" && slices.Contains([]string{"branch", "tag", "commit"}, rest[0]) {
		rest = rest[1:]
	}
	if repository[len(repository)-1] == "-" {
		repository = repository[:len(repository)-1]
	}
	if len(rest) == 0 || len(repository) == 0 || slices.ContainsFunc(repository, hasSlash) || slices.ContainsFunc(rest[1:], hasSlash) {
		return Place{}, false
	}
	name := strings.Join(repository, "/")
	if !h.OverGit() {
		name = strings.TrimSuffix(name, ".git")
	}
	return Place{Repository: name, Ref: rest[0], Path: strings.Join(rest[1:], "/")}, true
}

func hasSlash(segment string) bool { return strings.Contains(segment, "/") }

// marker returns the index of the segment behind the repository, -1 for none.
// What follows .git is one for certain; else it is the first that can be one.
func (h Host) marker(segments []string) int {
	known, from := markers, 2
	if h.OverGit() {
		known, from = append([]string{"src"}, markers...), 1
	}
	for i, segment := range segments {
		if h.OverGit() && strings.HasSuffix(segment, ".git") && i+1 < len(segments) && segments[i+1] != "-" {
			return i + 1
		}
		if i < from || !slices.Contains(known, segment) {
			continue
		}
		if h.Kind == KindGitHub && i > 2 {
			return -1
		}
		return i
	}
	return -1
}

// inRef matches what Git allows in the name of a ref, as far as characters go.
var inRef = regexp.MustCompile(`^[^\x00-\x20\x7f~^:?*\[\\]+$`)

// isRef tells whether s can be a ref or commit. What begins with a dash would
// be an option to many a program.
func isRef(s string) bool {
	if !inRef.MatchString(s) || len(s) > 250 || strings.ContainsAny(s[:1], "-/.") || strings.HasSuffix(s, "/") || strings.HasSuffix(s, ".lock") {
		return false
	}
	return !strings.Contains(s, "..") && !strings.Contains(s, "//") && !strings.Contains(s, "@{") && !strings.Contains(s, "/.")
}

// ProjectOfArtifact returns the parts of a URL of GitLab that names a file which
// a job has left behind: project, ref, path and job.
func (h Host) ProjectOfArtifact(raw string) (place Place, job string, ok bool) {
	u, err := url.Parse(raw)
	if err != nil || h.Kind != KindGitLab {
		return Place{}, "", false
	}
	segments, err := h.segments(u)
	at := slices.Index(segments, "-")
	if err != nil || at < 2 || len(segments) < at+6 || segments[at+1] != "jobs" || segments[at+2] != "artifacts" || segments[at+4] != "raw" {
		return Place{}, "", false
	}
	place = Place{Repository: strings.Join(segments[:at], "/"), Ref: segments[at+3], Path: strings.Join(segments[at+5:], "/")}
	return place, u.Query().Get("job"), isRef(place.Ref)
}
