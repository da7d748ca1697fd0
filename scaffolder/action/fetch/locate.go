package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// A place is where the url of a step leads: to a URL, or to a name in a folder
// of this machine.
type place struct {
	request      Request
	folder, name string
}

func (p place) isLocal() bool { return p.folder != "" }

// hasScheme matches what begins like an absolute URL.
var hasScheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

// locate finds out where the url of a step leads.
func (f *fetcher) locate(c *action.Context, target, token string) (place, error) {
	base := c.Template.BaseURL
	switch {
	case hasScheme.MatchString(target):
		return f.remote(target, token)
	case base == "":
		return place{}, input("Failed to fetch, template location could not be determined and the fetch URL is relative, %s", target)
	case strings.HasPrefix(base, "file://"):
		return f.local(strings.TrimPrefix(base, "file://"), target)
	}
	resolved, ok, err := f.Reader.ResolveURL(target, base)
	if err != nil {
		return place{}, input("url: %s", err)
	}
	if !ok {
		return place{}, input("No integration found for location %s", base)
	}
	return f.remote(resolved, token)
}

func (f *fetcher) remote(target, token string) (place, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return place{}, input("url: only http and https URLs, and paths relative to the template, can be fetched")
	}
	if f.RequireUserCredentials && token == "" {
		return place{}, input("No user credentials provided for host %s, but scaffolder.requireScmUserCredentials is enabled; "+
			"set the input token to a secret of the user", u.Host)
	}
	return place{request: Request{URL: target, Token: token}}, nil
}

// local finds a name in the folder of a template that is a file, or in the
// repository that this lies in.
func (f *fetcher) local(template, target string) (place, error) {
	folder := filepath.Dir(template)
	if own, err := filepath.Rel(f.Root, folder); f.Root != "" && err == nil && filepath.IsLocal(own) {
		name := filepath.Join(own, filepath.FromSlash(target))
		if strings.HasPrefix(target, "/") {
			name = filepath.Clean(strings.TrimLeft(target, "/"))
		}
		if !filepath.IsLocal(name) {
			return place{}, workspace.NotAllowed()
		}
		return place{folder: f.Root, name: name}, nil
	}
	name := filepath.Clean(filepath.FromSlash(target))
	if filepath.IsAbs(name) {
		rel, err := filepath.Rel(folder, name)
		if err != nil {
			return place{}, workspace.NotAllowed()
		}
		name = rel
	}
	if !filepath.IsLocal(name) {
		return place{}, workspace.NotAllowed()
	}
	return place{folder: folder, name: name}, nil
}

// holds tells whether the workspace lies in a local folder, as it does where
// workspaces are kept beside templates. Those of other tasks would be read too.
func (p place) holds(ws *workspace.Workspace) bool {
	if !p.isLocal() {
		return false
	}
	folder, err := filepath.EvalSymlinks(filepath.Join(p.folder, p.name))
	if err != nil {
		return false // what is wrong is said when it is opened
	}
	rel, err := filepath.Rel(folder, ws.Path())
	return err == nil && filepath.IsLocal(rel)
}

// openFolder opens a local folder, which no path and no link leads out of. The
// caller closes it.
func (p place) openFolder() (*os.Root, error) {
	base, info, err := p.look()
	if err != nil {
		return nil, err
	}
	defer base.Close() //nolint:errcheck // only read
	if !info.IsDir() {
		return nil, input("url: %s is a file, not a folder", p.name)
	}
	folder, err := base.OpenRoot(p.name)
	return folder, p.explain(err)
}

// openFile opens a local file. The caller closes it.
func (p place) openFile() (*os.File, error) {
	base, info, err := p.look()
	if err != nil {
		return nil, err
	}
	defer base.Close() //nolint:errcheck // only read
	if !info.Mode().IsRegular() {
		return nil, input("url: %s is a folder, not a file", p.name)
	}
	file, err := base.Open(p.name)
	return file, p.explain(err)
}

// look opens the folder of the template and says what the name in it is.
func (p place) look() (*os.Root, fs.FileInfo, error) {
	base, err := os.OpenRoot(p.folder)
	if err != nil {
		return nil, nil, p.explain(err)
	}
	info, err := base.Stat(p.name)
	if err != nil {
		return nil, nil, errors.Join(p.explain(err), base.Close())
	}
	return base, info, nil
}

func (p place) explain(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return input("url: there is no %s in the folder of the template", p.name)
	}
	return workspace.Outside(err)
}

// failed says which URL could not be read, unless the task was cancelled. An
// error that has a name keeps it.
func failed(ctx context.Context, r Request, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("fetching %s: %w", shown(r.URL), err)
}

// shown is a URL without credentials and without its query, which may hold
// some.
func shown(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the url"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func input(format string, args ...any) error {
	return catalog.NewError(catalog.NameInput, fmt.Sprintf(format, args...))
}
