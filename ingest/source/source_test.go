package source_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	"github.com/greenroom-idp/greenroom/ingest/source"
)

const component = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: %s}\nspec: {type: a, lifecycle: b, owner: c}\n"

func reader(t *testing.T, change ...func(*source.Options)) *source.Reader {
	t.Helper()
	hosts, _, err := integration.Parse(nil)
	require.NoError(t, err)
	o := source.Options{Integrations: hosts}
	for _, c := range change {
		c(&o)
	}
	r, err := source.New(o)
	require.NoError(t, err)
	return r
}

// serve starts a server, and returns its URL and a reader that may read it.
func serve(t *testing.T, h http.HandlerFunc, paths ...string) (string, *source.Reader) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	return server.URL, reader(t, func(o *source.Options) { o.Allow = []source.Allow{{Host: u.Host, Paths: paths}} })
}

func read(t *testing.T, r *source.Reader, kind, target, etag string) (*process.ReadResult, error) {
	t.Helper()
	return r.ReadLocation(t.Context(), process.ReadRequest{Location: catalog.LocationRef{Type: kind, Target: target}, ETag: etag})
}

func names(r *process.ReadResult) (out []string) {
	for _, f := range r.Files {
		for _, d := range f.Documents {
			if d.Err != nil {
				out = append(out, "error")
				continue
			}
			out = append(out, d.Entity.Name())
		}
	}
	return out
}

func TestURL(t *testing.T) {
	base, r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/two.yaml":
			fmt.Fprintf(w, component+"---\n"+component, "one", "two")
		case "/gone.yaml":
			http.NotFound(w, req)
		case "/broken.yaml":
			http.Error(w, "no", http.StatusInternalServerError)
		case "/large.yaml":
			w.Header().Set("Content-Length", fmt.Sprint(100<<20))
		case "/endless.yaml":
			for line := []byte("# " + strings.Repeat("x", 4000) + "\n"); ; {
				if _, err := w.Write(line); err != nil {
					return
				}
			}
		case "/cut.yaml":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "a: b")
		}
	})
	result, err := read(t, r, "url", base+"/two.yaml", "")
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two"}, names(result))
	require.Equal(t, catalog.LocationRef{Type: "url", Target: base + "/two.yaml"}, result.Files[0].Location)
	cases := []struct{ name, target, want string }{
		{"a file that is not there", base + "/gone.yaml", "NotFoundError: Unable to read url, no matching files found for " + base + "/gone.yaml"},
		{"a server that fails", base + "/broken.yaml", "Error: Unable to read url, could not read " + base + "/broken.yaml, 500 Internal Server Error"},
		{"a file that says it is 100 MB", base + "/large.yaml", "Error: Unable to read url, could not read " + base + "/large.yaml, it is larger than 10485760 bytes"},
		{"a file that never ends", base + "/endless.yaml", "Error: Unable to read url, could not read " + base + "/endless.yaml, it is larger than 10485760 bytes"},
		{"a file that is cut off", base + "/cut.yaml", "Error: Unable to read url, could not read " + base + "/cut.yaml, unexpected EOF"},
		{"a pattern", base + "/**/x.yaml", "Error: Unable to read url, Unsupported search pattern URL"},
		{"a host that is not allowed", "https://elsewhere.example.com/x.yaml", "Error: Unable to read url, Reading from 'https://elsewhere.example.com/x.yaml' is not allowed. " +
			"You may need to configure an integration for the target host, or add it to the configured list of allowed hosts at 'backend.reading.allow'"},
		{"no URL at all", "::", "Error: Unable to read url, Invalid URL: ::"},
		{"a scheme that is not the web's", "file:///etc/passwd", "Error: Unable to read url, Reading from 'file:///etc/passwd' is not allowed. " +
			"You may need to configure an integration for the target host, or add it to the configured list of allowed hosts at 'backend.reading.allow'"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(t, r, "url", c.target, "")
			require.EqualError(t, errors.New(catalog.Describe(err)), c.want)
		})
	}
	_, err = read(t, r, "gopher", "x", "")
	require.ErrorIs(t, err, catalog.ErrInput)
	_, err = r.ReadURL(t.Context(), "https://user:hush@elsewhere.example.com/x")
	require.ErrorIs(t, err, catalog.ErrNotAllowed)
	require.NotContains(t, err.Error(), "hush")
}

// A redirect leads only to where reading is allowed, and not for ever.
func TestRedirects(t *testing.T) {
	secret := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret: yes") }))
	defer secret.Close()
	base, r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/open/a":
			http.Redirect(w, req, "b?x=1", http.StatusFound)
		case "/open/b":
			fmt.Fprint(w, req.URL.RawQuery)
		case "/open/out":
			http.Redirect(w, req, secret.URL, http.StatusMovedPermanently)
		case "/open/closed":
			http.Redirect(w, req, "/closed", http.StatusTemporaryRedirect)
		case "/open/loop":
			http.Redirect(w, req, "/open/loop", http.StatusFound)
		default:
			fmt.Fprint(w, "closed")
		}
	}, "/open")
	data, err := r.ReadURL(t.Context(), base+"/open/a")
	require.NoError(t, err)
	require.Equal(t, "x=1", string(data))
	_, err = r.ReadURL(t.Context(), base+"/open/out")
	require.ErrorIs(t, err, catalog.ErrNotAllowed)
	_, err = r.ReadURL(t.Context(), base+"/open/closed")
	require.ErrorIs(t, err, catalog.ErrNotAllowed, "another path of the same host")
	_, err = r.ReadURL(t.Context(), base+"/open/../closed")
	require.ErrorIs(t, err, catalog.ErrNotAllowed, "dots do not lead out of the path")
	_, err = r.ReadURL(t.Context(), base+"/open/loop")
	require.ErrorContains(t, err, "more than 5 redirects")
}

func TestConditionalRequests(t *testing.T) {
	changed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	base, r := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/tag" {
			w.Header().Set("ETag", `"v1"`)
		}
		http.ServeContent(w, req, "x.yaml", changed, strings.NewReader(fmt.Sprintf(component, "one")))
	})
	for _, path := range []string{"/tag", "/date"} {
		first, err := read(t, r, "url", base+path, "")
		require.NoError(t, err)
		require.NotEmpty(t, first.ETag)
		second, err := read(t, r, "url", base+path, first.ETag)
		require.NoError(t, err)
		require.True(t, second.NotModified)
		require.Empty(t, second.Files)
		require.Equal(t, first.ETag, second.ETag)
		third, err := read(t, r, "url", base+path, "date:Thu, 01 Jan 1970 00:00:00 GMT")
		require.NoError(t, err)
		require.False(t, third.NotModified)
	}
}

func TestAllow(t *testing.T) {
	cases := []struct {
		host    string
		paths   []string
		url     string
		allowed bool
	}{
		{"example.com", nil, "https://example.com/x", true},
		{"example.com", nil, "https://EXAMPLE.com/x", true},
		{"example.com", nil, "https://example.com:443/x", false},
		{"example.com", nil, "https://sub.example.com/x", false},
		{"*.example.com", nil, "https://a.b.example.com/x", true},
		{"*.example.com", nil, "https://example.com/x", false},
		{"*.example.com", nil, "https://notexample.com/x", false},
		{"example.com:8080", nil, "http://example.com:8080/x", true},
		{"example.com:8080", nil, "http://example.com/x", false},
		{"example.com:8000-8080", nil, "http://example.com:8079/x", true},
		{"example.com:8000-8080", nil, "http://example.com:8081/x", false},
		{"[::1]:80", nil, "http://[::1]:80/x", true},
		{"example.com", []string{"/a"}, "https://example.com/a/b", true},
		{"example.com", []string{"/a/"}, "https://example.com/a/b", true},
		{"example.com", []string{"/a"}, "https://example.com/ab", false},
		{"example.com", []string{"/a"}, "https://example.com/a/../b", false},
		{"example.com", []string{"/a"}, "https://example.com/a/%2e%2e/b", false},
		{"example.com", nil, "ftp://example.com/x", false},
		{"example.com", nil, "https://u@example.com/x", false},
	}
	for _, c := range cases {
		t.Run(c.host+" "+c.url, func(t *testing.T) {
			asked := false
			r := reader(t, func(o *source.Options) {
				o.Allow = []source.Allow{{Host: c.host, Paths: c.paths}}
				o.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
					asked = true
					return nil, errors.New("not here")
				})
			})
			_, err := r.ReadURL(t.Context(), c.url)
			require.Error(t, err)
			require.Equal(t, c.allowed, asked)
			require.Equal(t, !c.allowed, errors.Is(err, catalog.ErrNotAllowed))
		})
	}
	hosts, _, err := integration.Parse(nil)
	require.NoError(t, err)
	for _, bad := range []source.Allow{{Host: ""}, {Host: "a b"}, {Host: "x:0"}, {Host: "x:9-3"}, {Host: "x:y"}, {Host: "a.*.b"}, {Host: "x", Paths: []string{"a"}}, {Host: "x", Paths: []string{}}} {
		_, err := source.New(source.Options{Integrations: hosts, Allow: []source.Allow{bad}})
		require.ErrorContains(t, err, "backend.reading.allow[0]")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A request ends when the one who waits for it has gone.
func TestReadingEndsWithItsContext(t *testing.T) {
	started := make(chan struct{})
	base, r := serve(t, func(_ http.ResponseWriter, req *http.Request) {
		close(started)
		<-req.Context().Done()
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-started; cancel(errors.New("nobody waits")) }()
	_, err := r.ReadURL(ctx, base+"/x")
	require.ErrorContains(t, err, "nobody waits")
}

type fakeHost struct{ source.Host }

func (fakeHost) Matches(u string) bool { return strings.HasPrefix(u, "https://git/") }
func (fakeHost) Read(_ context.Context, u, etag string) ([]byte, string, bool, error) {
	if etag == "sha" {
		return nil, "sha", true, nil
	}
	return fmt.Appendf(nil, component, filepath.Base(u)), "sha", false, nil
}

func (fakeHost) Search(_ context.Context, u, _ string) ([]source.HostFile, string, bool, error) {
	if strings.Contains(u, "none") {
		return nil, "sha", false, nil
	}
	return []source.HostFile{{URL: "https://git/a", Data: fmt.Appendf(nil, component, "a")}, {URL: "https://git/b", Data: []byte("a: [")}}, "sha", false, nil
}

func TestGitHost(t *testing.T) {
	r := reader(t, func(o *source.Options) { o.Hosts = []source.Host{fakeHost{}} })
	result, err := read(t, r, "url", "https://git/x/one", "")
	require.NoError(t, err)
	require.Equal(t, []string{"one"}, names(result))
	require.Equal(t, "sha", result.ETag)
	result, err = read(t, r, "url", "https://git/x/one", "sha")
	require.NoError(t, err)
	require.True(t, result.NotModified)
	result, err = read(t, r, "url", "https://git/**/x.yaml", "")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "error"}, names(result))
	require.Equal(t, "https://git/b", result.Files[1].Location.Target)
	_, err = read(t, r, "url", "https://git/none/*", "")
	require.ErrorIs(t, err, catalog.ErrNotFound)
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	one := write(t, dir, "a/one.yaml", fmt.Sprintf(component, "one"))
	write(t, dir, "a/b/.hidden.yaml", fmt.Sprintf(component, "two"))
	odd := write(t, dir, "a/odd[1].yaml", fmt.Sprintf(component, "odd"))
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "a", "loop")))
	r := reader(t)
	result, err := read(t, r, "file", one, "")
	require.NoError(t, err)
	require.Equal(t, []string{"one"}, names(result))
	result, err = read(t, r, "file", odd, "")
	require.NoError(t, err)
	require.Equal(t, []string{"odd"}, names(result), "a path that exists is no pattern")
	result, err = read(t, r, "file", dir+"/**/{one,.hidden}.yaml", "")
	require.NoError(t, err)
	require.Equal(t, []string{"two", "one"}, names(result), "in order of their paths, and through no link")
	require.Equal(t, one, result.Files[1].Location.Target)

	_, err = read(t, r, "file", dir+"/gone.yaml", "")
	require.EqualError(t, err, "file "+dir+"/gone.yaml does not exist")
	require.ErrorIs(t, err, catalog.ErrNotFound)
	_, err = read(t, r, "file", dir+"/*.none", "")
	require.ErrorIs(t, err, catalog.ErrNotFound)
	_, err = read(t, r, "file", dir, "")
	require.ErrorContains(t, err, "it is a folder: use the type directory")
	_, err = read(t, r, "file", dir+"/[", "")
	require.ErrorContains(t, err, "not a glob pattern")
	_, err = read(t, r, "file", os.DevNull, "")
	require.ErrorContains(t, err, "not a regular file")
	large := write(t, dir, "large.yaml", strings.Repeat("#", source.MaxFileBytes+1))
	_, err = read(t, r, "file", large, "")
	require.ErrorContains(t, err, "larger than")
}

func TestFolder(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	want := []string{
		write(t, dir, "b/two.yml", fmt.Sprintf(component, "two")),
		write(t, dir, "catalog-info.yaml", "# words\n"+fmt.Sprintf(component, "one")+"---\napiVersion: v1\nkind: Pod\nmetadata: {name: pod}\n"),
		write(t, dir, "deep/.hidden/three.yaml", "apiVersion: backstage.io/v1alpha1\nkind: [\n"),
	}
	write(t, dir, "skeleton/catalog-info.yaml", fmt.Sprintf(component, "'${{ values.name }}'"))
	write(t, dir, "pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: pod}\n")
	write(t, dir, "other.yaml", "a: [")
	write(t, dir, "readme.md", fmt.Sprintf(component, "no"))
	write(t, dir, ".git/x.yaml", fmt.Sprintf(component, "no"))
	write(t, dir, "node_modules/x/y.yaml", fmt.Sprintf(component, "no"))
	secret := write(t, out, "secret.yaml", fmt.Sprintf(component, "secret"))
	require.NoError(t, os.Symlink(secret, filepath.Join(dir, "link.yaml")))
	inside := filepath.Join(dir, "inside.yaml")
	require.NoError(t, os.Symlink(want[0], inside))
	want = append(want, inside)

	r := reader(t)
	result, err := read(t, r, "directory", dir, "")
	require.NoError(t, err)
	var got []string
	for _, d := range result.Files[0].Documents {
		require.Equal(t, "Location", d.Entity.Kind())
		require.Equal(t, "directory", d.Entity.Spec().String("type"))
		got = append(got, d.Entity.Spec().String("target"))
	}
	require.ElementsMatch(t, want, got)

	result, err = read(t, r, "directory", want[1], "")
	require.NoError(t, err)
	require.Equal(t, []string{"one"}, names(result), "documents that are no entities are passed over")
	require.Equal(t, catalog.LocationRef{Type: "file", Target: want[1]}, result.Files[0].Location)
	result, err = read(t, r, "directory", want[2], "")
	require.NoError(t, err)
	require.Equal(t, []string{"error"}, names(result), "one that is broken says so")
	_, err = read(t, r, "directory", dir+"/gone", "")
	require.ErrorIs(t, err, catalog.ErrNotFound)
}

// A kind of a folder of schemas makes other YAML a descriptor.
func TestFolderWithFurtherKinds(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "robot.yaml", "apiVersion: x/v1\nkind: Robot\nmetadata: {name: r2}\n")
	result, err := read(t, reader(t), "directory", dir, "")
	require.NoError(t, err)
	require.Empty(t, result.Files[0].Documents)
	known := reader(t, func(o *source.Options) {
		o.Known = func(apiVersion, kind string) bool { return apiVersion == "x/v1" && kind == "Robot" }
	})
	result, err = read(t, known, "directory", dir, "")
	require.NoError(t, err)
	require.Len(t, result.Files[0].Documents, 1)
}
