package integration

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// ByURL returns the integration of the host of a URL.
func (s *Set) ByURL(raw string) (Host, bool) {
	u, err := url.Parse(raw)
	if err != nil {
		return Host{}, false
	}
	name := HostPort(u)
	for _, h := range s.hosts {
		if h.Host == name {
			return h, true
		}
	}
	return Host{}, false
}

// HostPort returns the host of a URL in lower case, with its port unless that
// is the default of the scheme.
func HostPort(u *url.URL) string {
	host, port := strings.ToLower(u.Host), u.Port()
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" || u.Scheme == "ssh" && port == "22" {
		return strings.TrimSuffix(host, ":"+port)
	}
	return strings.TrimSuffix(host, ":")
}

// Kind returns which kind of Git host a URL is of, as far as it says what its
// repositories are called: github, gitlab, git or azure; "" for others.
func (s *Set) Kind(raw string) string {
	if h, ok := s.ByURL(raw); ok {
		return h.Kind
	}
	if u, err := url.Parse(raw); err == nil && HostPort(u) == "dev.azure.com" {
		return "azure"
	}
	return ""
}

// hasScheme matches what begins like an absolute URL.
var hasScheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

// Resolve returns what a descriptor at the URL base means by target: an
// absolute URL, a path relative to it, or, with a leading slash, one from the
// root of its repository. The query of base is kept. On GitHub, blob and edit
// become tree, since a folder and a file are both found there.
func (s *Set) Resolve(target, base string) (string, error) {
	resolved, err := resolve(target, base)
	if err != nil {
		return "", err
	}
	if h, ok := s.ByURL(base); ok && h.Kind == KindGitHub {
		resolved = githubForm(resolved, "tree")
	}
	return resolved, nil
}

func resolve(target, base string) (string, error) {
	if hasScheme.MatchString(target) {
		u, err := url.Parse(target)
		if isWeb := err == nil && (u.Scheme == "http" || u.Scheme == "https"); isWeb && u.Host == "" {
			return "", fmt.Errorf("invalid URL: %s", target)
		}
		return target, nil
	}
	b, err := url.Parse(base)
	if err != nil || b.Scheme == "" || b.Host == "" {
		return "", fmt.Errorf("invalid URL: %s", base)
	}
	path, fragment := b.EscapedPath(), b.EscapedFragment()
	switch {
	case strings.HasPrefix(target, "/"):
		path = strings.TrimRight(repositoryRoot(path), "/") + strings.ReplaceAll(target, "?", "%3F")
	default:
		var relative string
		relative, fragment, _ = strings.Cut(target, "#")
		relative, _, _ = strings.Cut(relative, "?")
		if relative != "" {
			path = path[:strings.LastIndexByte(path, '/')+1] + strings.ReplaceAll(relative, `\`, "/")
		}
	}
	out := b.Scheme + "://" + authority(b) + removeDots(escape(path))
	if b.RawQuery != "" {
		out += "?" + b.RawQuery
	}
	if fragment != "" {
		out += "#" + fragment
	}
	return out, nil
}

func authority(u *url.URL) string {
	if u.User != nil {
		return u.User.String() + "@" + HostPort(u)
	}
	return HostPort(u)
}

// inRepository matches the path of a file or folder in a repository.
var inRepository = regexp.MustCompile(`^/([^/]+(?:/[^/]+)*?/[^/]+|[^/]+\.git)(/-)?/(blob|tree|raw|edit|src(?:/branch|/tag|/commit)?)/([^/]+)(?:/(.*))?$`)

// repositoryRoot returns the path of the root folder of the repository that
// path is in, and path itself where it is in none.
func repositoryRoot(path string) string {
	m := inRepository.FindStringSubmatchIndex(path)
	if m == nil || m[10] < 0 {
		return path
	}
	return path[:m[10]]
}

// escape encodes what must not stand in the path of a URL.
func escape(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>`{}#?^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// removeDots resolves the segments . and .. of a path, encoded or not.
func removeDots(path string) string {
	var out []string
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".":
			if last {
				out = append(out, "")
			}
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, segment)
		}
	}
	return "/" + strings.Join(out, "/")
}

var githubURL = regexp.MustCompile(`//([^/]+)/([^/]+)/([^/]+)/(blob|tree|edit)/`)

// githubForm replaces the word in a GitHub URL that says what it shows.
func githubForm(raw, form string) string {
	m := githubURL.FindStringSubmatchIndex(raw)
	if m == nil {
		return raw
	}
	return raw[:m[8]] + form + raw[m[9]:]
}

var gitlabURL = regexp.MustCompile(`/-/(blob|tree|edit)/`)

func gitlabForm(raw, form string) string {
	m := gitlabURL.FindStringSubmatchIndex(raw)
	if m == nil {
		return raw
	}
	return raw[:m[2]] + form + raw[m[3]:]
}

var giteaURL = regexp.MustCompile(`(/[^/]+/[^/]+)/src/branch/([^/]+/)`)

// giteaForm is the page of Gitea that edits a file; there is none for a tag or
// a commit.
func giteaForm(raw string) string {
	m := giteaURL.FindStringSubmatchIndex(raw)
	if m == nil {
		return ""
	}
	return raw[:m[3]] + "/_edit/" + raw[m[4]:]
}

// bitbucketForm is the page of Bitbucket Cloud that edits a file.
func bitbucketForm(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	m := inRepository.FindStringSubmatch(u.EscapedPath())
	if m == nil || m[5] == "" {
		return ""
	}
	ref, err := url.PathUnescape(m[4])
	if err != nil {
		return ""
	}
	query := u.Query()
	query.Set("mode", "edit")
	query.Set("spa", "0")
	query.Set("at", ref)
	u.RawQuery = query.Encode()
	return u.String()
}

// SourceURLs returns the URL that edits the file at raw, "" where there is no
// such page, and that of its folder; false where the host has no integration.
func (s *Set) SourceURLs(raw string) (edit, folder string, ok bool) {
	h, ok := s.ByURL(raw)
	if !ok {
		return "", "", false
	}
	switch h.Kind {
	case KindGitHub:
		edit = githubForm(raw, "edit")
	case KindGitLab:
		edit = gitlabForm(raw, "edit")
	case KindGitea:
		edit = giteaForm(raw)
	case KindBitbucketCloud:
		edit = bitbucketForm(raw)
	case KindGit: // a server that is not known to have pages
	}
	folder, err := s.Resolve("./", raw)
	if err != nil {
		return "", "", false
	}
	return edit, folder, true
}

// SameRepository tells whether two URLs are in one repository; known is false
// where one of them is not recognisably in a repository.
func (s *Set) SameRepository(a, b string) (same, known bool) {
	x, okX := s.repository(a)
	y, okY := s.repository(b)
	return x == y, okX && okY
}

// repository returns the host and full name of the repository of a URL.
func (s *Set) repository(raw string) (string, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return "", false
	}
	path := removeDots(u.EscapedPath())
	name := ""
	if m := inRepository.FindStringSubmatch(path); m != nil {
		name = m[1]
	} else if _, ok := s.ByURL(raw); ok {
		segments := strings.SplitN(strings.Trim(path, "/"), "/", 3)
		if len(segments) < 2 {
			return "", false
		}
		name = segments[0] + "/" + segments[1]
	}
	name = strings.TrimSuffix(name, ".git")
	return HostPort(u) + "/" + strings.ToLower(name), name != ""
}

// Matches tells whether a URL is of the host, whose port counts.
func (h Host) Matches(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && HostPort(u) == h.Host
}
