package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/app"
	"github.com/greenroom-idp/greenroom/api/app/bundle"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/stretchr/testify/require"
)

const template = `<!DOCTYPE html><html><head>
<meta name="backstage-app-mode" content="public">
<link rel="icon" href="<%= publicPath %>/favicon.ico">
<title><%= config.getOptionalString('app.title') ?? 'Backstage' %></title>
<script defer src="<%= publicPath %>/static/main.abc.js"></script>
</head><body></body></html>`

var script = strings.Repeat("console.log('greenroom');\n", 200)

// files are those of a build; "outside" is beside it.
var files = map[string]string{
	"index.html.tmpl":     template,
	"index.html":          "<html>as built</html>",
	"favicon.ico":         "icon",
	"manifest.json":       "{}",
	"about.html":          "<p>about</p>",
	"robots.txt":          "User-agent: *\n" + strings.Repeat("Disallow: /x\n", 200),
	"static/main.abc.js":  script,
	"static/font.woff2":   strings.Repeat("font", 1000),
	"static/deep/a.css":   "a{}",
	".config-schema.json": `{"secret":true}`,
	".git/config":         "secret",
}

const config = `[{"context":"app","deprecatedKeys":[],"data":{"app":{"title":"</script><script>alert(1)</script><!--"}}}]`

func folder(t *testing.T, change map[string]string) (string, app.Build) {
	dir := filepath.Join(t.TempDir(), "dist")
	for _, list := range []map[string]string{files, change} {
		for name, text := range list {
			path := filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(dir), "outside.txt"), []byte("secret"), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(filepath.Dir(dir), "outside.txt"), filepath.Join(dir, "link.txt")))
	f, err := app.OpenFolder(dir)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return dir, f
}

func bundled(t *testing.T, dir string) app.Build {
	var b bytes.Buffer
	_, err := bundle.Pack(&b, os.DirFS(dir))
	require.NoError(t, err)
	opened, err := bundle.Open(b.Bytes())
	require.NoError(t, err)
	return app.Bundled(opened)
}

func serve(t *testing.T, b app.Build, change func(*app.Options)) *apitest.Server {
	o := app.Options{Build: b, Config: []byte(config), Title: "Bikes & <more>", PublicPath: "/portal"}
	if change != nil {
		change(&o)
	}
	site, err := app.New(o)
	require.NoError(t, err)
	return apitest.New(t, func(o *api.Options, _ *auth.Options) { o.Portal.App = site })
}

// each runs a test with a build in a folder, and with the same in a bundle.
func each(t *testing.T, test func(*testing.T, *apitest.Server)) {
	dir, b := folder(t, nil)
	t.Run("folder", func(t *testing.T) { test(t, serve(t, b, nil)) })
	t.Run("bundle", func(t *testing.T) { test(t, serve(t, bundled(t, dir), nil)) })
}

func TestWhatAnswersWhat(t *testing.T) {
	each(t, func(t *testing.T, s *apitest.Server) {
		for _, tc := range []struct {
			name, method, path string
			status             int
			cache, typ, holds  string // holds "" is an empty body
		}{
			{"the root", "GET", "/", 200, "no-store, max-age=0", "text/html; charset=utf-8", "backstage.io/config"},
			{"the page by its name", "GET", "/index.html", 200, "no-store, max-age=0", "text/html; charset=utf-8", "backstage.io/config"},
			{"the template is not shown", "GET", "/index.html.tmpl", 200, "no-store, max-age=0", "text/html; charset=utf-8", "backstage.io/config"},
			{"a page of the portal", "GET", "/catalog/default/Component/x", 200, "no-store, max-age=0", "text/html; charset=utf-8", "backstage.io/config"},
			{"one with a dot in it", "GET", "/docs/default/component/x.y/index.html", 200, "no-store, max-age=0", "text/html; charset=utf-8", "backstage.io/config"},
			{"a page whose name begins like the API", "GET", "/api-docs", 200, "no-store, max-age=0", "text/html; charset=utf-8", "backstage.io/config"},
			{"a static file", "GET", "/static/main.abc.js", 200, "public, max-age=1209600", "text/javascript; charset=utf-8", script},
			{"below the public path", "GET", "/portal/static/main.abc.js", 200, "public, max-age=1209600", "text/javascript; charset=utf-8", script},
			{"a page below the public path", "GET", "/portal/catalog", 200, "no-store, max-age=0", "text/html; charset=utf-8", "backstage.io/config"},
			{"deep", "GET", "/static/deep/a.css", 200, "public, max-age=1209600", "text/css; charset=utf-8", "a{}"},
			{"below the mount of the plugin", "GET", "/api/app/static/deep/a.css", 200, "public, max-age=1209600", "text/css; charset=utf-8", "a{}"},
			{"the mount of the plugin", "GET", "/api/app/", 200, "no-store, max-age=0", "text/html; charset=utf-8", "backstage.io/config"},
			{"another file", "GET", "/favicon.ico", 200, "public, max-age=0", "image/x-icon", "icon"},
			{"a page of its own", "GET", "/about.html", 200, "no-store, max-age=0", "text/html; charset=utf-8", "<p>about</p>"},
			{"HEAD", "HEAD", "/", 200, "no-store, max-age=0", "text/html; charset=utf-8", ""},
			{"HEAD of a file", "HEAD", "/favicon.ico", 200, "public, max-age=0", "image/x-icon", ""},
			{"a missing static file is never the page", "GET", "/static/gone.js", 404, "", "", ""},
			{"nor is the folder", "GET", "/static", 404, "", "", ""},
			{"nor a folder below", "GET", "/static/deep/", 404, "", "", ""},
			{"nor a missing one below the mount", "GET", "/api/app/static/gone.js", 404, "", "", ""},
			{"another method", "POST", "/", 404, "", "", ""},
			{"another method for a file", "DELETE", "/favicon.ico", 404, "", "", ""},
			{"the API never falls back", "GET", "/api/nope", 404, "", "", ""},
			{"in any case", "GET", "/API/nope", 404, "", "", ""},
			{"the API itself", "GET", "/api", 404, "", "", ""},
			{"its root", "GET", "/api/", 404, "", "", ""},
			{"with an empty plugin", "GET", "/api//catalog", 404, "", "", ""},
		} {
			t.Run(tc.name, func(t *testing.T) {
				res := s.Do(tc.method, tc.path, "", apitest.Anonymous)
				require.Equal(t, tc.status, res.Status)
				require.Equal(t, tc.cache, res.Header.Get("Cache-Control"))
				require.Equal(t, tc.typ, res.Header.Get("Content-Type"))
				if tc.holds == "" {
					require.Empty(t, res.Text())
				}
				require.Contains(t, res.Text(), tc.holds)
				if !strings.HasPrefix(strings.ToLower(tc.path), "/api") || strings.HasPrefix(tc.path, "/api/app") || tc.path == "/api-docs" {
					require.Equal(t, "DENY", res.Header.Get("X-Frame-Options"), "the portal is in nobody's frame")
				}
			})
		}
	})
}

// Whatever a path looks like, nothing outside the build and no dot-file is
// read.
func TestPathTricks(t *testing.T) {
	each(t, func(t *testing.T, s *apitest.Server) {
		for _, path := range []string{
			"/../outside.txt", "/static/../../outside.txt", "/%2e%2e/outside.txt", "/static/%2e%2e/%2e%2e/outside.txt",
			"/..%2foutside.txt", "/static/..%2f..%2foutside.txt", "/..%5coutside.txt", "/static/..%5c..%5coutside.txt",
			"/%252e%252e/outside.txt", "/link.txt", "/.config-schema.json", "/.git/config", "/%2egit/config",
			"/static/.hidden", "/x%00.txt", "/static/x%00", "//etc/passwd", "/portal/../outside.txt",
			"/portal//etc/passwd", "/api/app/../../outside.txt", "/api/app/..%2foutside.txt", "/static//main.abc.js", "/C:%5coutside.txt",
		} {
			res := s.Do("GET", path, "", apitest.Anonymous)
			require.NotContains(t, res.Text(), "secret", path)
			if strings.HasPrefix(path, "/static") {
				require.Equal(t, 404, res.Status, path)
				require.Empty(t, res.Text(), path)
			}
		}
	})
}

func TestPage(t *testing.T) {
	each(t, func(t *testing.T, s *apitest.Server) {
		page := s.Do("GET", "/settings", "", apitest.Anonymous).Text()
		require.NotContains(t, page, "<%", "all holes are filled")
		require.Contains(t, page, `<title>Bikes &amp; &lt;more&gt;</title>`)
		require.Contains(t, page, `src="/portal/static/main.abc.js"`)
		require.Contains(t, page, `<meta name="backstage-app-mode" content="public">`)
		before, rest, ok := strings.Cut(page, "<script type=\"backstage.io/config\">\n")
		require.True(t, ok)
		require.Contains(t, before, "<head>")
		text, after, ok := strings.Cut(rest, "\n</script>\n")
		require.True(t, ok)
		require.True(t, strings.HasPrefix(after, "</head>"))
		require.NotContains(t, text, "<", "nothing can end the element")
		require.JSONEq(t, config, text, "and a browser reads what was given")
	})
}

func TestPageWithoutTemplate(t *testing.T) {
	const page = `<html><head><title>x</title><script type="backstage.io/config">
[{"context":"build","data":{"backend":{"baseUrl":"http://build:7007"}}}]
</script></head><body></body></html>`
	dir, b := folder(t, map[string]string{"index.html": page})
	require.NoError(t, os.Remove(filepath.Join(dir, "index.html.tmpl")))
	text := serve(t, b, nil).Do("GET", "/", "").Text()
	require.NotContains(t, text, "http://build:7007", "what was true when it was built is not true here")
	require.Equal(t, 1, strings.Count(text, "backstage.io/config"))
}

func TestOldTemplate(t *testing.T) {
	_, b := folder(t, map[string]string{"index.html.tmpl": `<html><head>
<% if (config.has('app.googleAnalyticsTrackingId')) { %><script src="https://tracker.example.com"></script><% } %>
<title><%= config.getString('app.title') %></title></head></html>`})
	text := serve(t, b, nil).Do("GET", "/", "").Text()
	require.NotContains(t, text, "<%")
	require.NotContains(t, text, "tracker")
}

func TestBuildsThatAreNone(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		says  string
	}{
		{"no page", map[string]string{"index.html.tmpl": "", "index.html": ""}, "neither index.html.tmpl nor index.html"},
		{"a page without a head", map[string]string{"index.html.tmpl": "<html></html>"}, "no </head>"},
		{"a page too large", map[string]string{"index.html.tmpl": "<head></head>" + strings.Repeat("x", 5<<20)}, "larger than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, b := folder(t, tc.files)
			for name, text := range tc.files {
				if text == "" {
					require.NoError(t, os.Remove(filepath.Join(dir, name)))
				}
			}
			_, err := app.New(app.Options{Build: b, Config: []byte("[]")})
			require.ErrorContains(t, err, tc.says)
		})
	}
}

func TestCompressedForm(t *testing.T) {
	each(t, func(t *testing.T, s *apitest.Server) {
		for _, tc := range []struct {
			name, path, accept, want string
			compressed               bool
		}{
			{"a script", "/static/main.abc.js", "gzip, deflate, br", script, true},
			{"again", "/static/main.abc.js", "gzip", script, true},
			{"a text outside of static", "/robots.txt", "br, gzip;q=0.5", files["robots.txt"], true},
			{"not accepted", "/static/main.abc.js", "", script, false},
			{"refused", "/static/main.abc.js", "gzip;q=0", script, false},
			{"refused at length", "/static/main.abc.js", "gzip; q=0.000", script, false},
		} {
			t.Run(tc.name, func(t *testing.T) {
				res := s.Do("GET", tc.path, "", apitest.With("Accept-Encoding", tc.accept))
				require.Equal(t, 200, res.Status)
				require.Contains(t, strings.Join(res.Header.Values("Vary"), ","), "Accept-Encoding")
				body := res.Body
				if tc.compressed {
					require.Equal(t, "gzip", res.Header.Get("Content-Encoding"))
					z, err := gzip.NewReader(bytes.NewReader(body))
					require.NoError(t, err)
					body, err = io.ReadAll(z)
					require.NoError(t, err)
				}
				require.Equal(t, tc.want, string(body))
			})
		}
		page := s.Do("GET", "/", "", apitest.With("Accept-Encoding", "gzip"))
		require.Equal(t, "gzip", page.Header.Get("Content-Encoding"))
	})
}

func TestConditionalRequests(t *testing.T) {
	each(t, func(t *testing.T, s *apitest.Server) {
		first := s.Do("GET", "/static/main.abc.js", "")
		tag := first.Header.Get("ETag")
		require.Regexp(t, `^W/"[0-9a-f]+-[0-9a-f]+"$`, tag)
		for match, status := range map[string]int{
			tag: 304, strings.TrimPrefix(tag, "W/"): 304, `"a", ` + tag: 304, "*": 304, `W/"other"`: 200,
		} {
			res := s.Do("GET", "/static/main.abc.js", "", apitest.With("If-None-Match", match))
			require.Equal(t, status, res.Status, match)
			require.Equal(t, tag, res.Header.Get("ETag"))
			require.Equal(t, status == 304, len(res.Body) == 0)
		}
		if modified := first.Header.Get("Last-Modified"); modified != "" {
			require.Equal(t, 304, s.Do("GET", "/static/main.abc.js", "", apitest.With("If-Modified-Since", modified)).Status)
			old := time.Unix(0, 0).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
			require.Equal(t, 200, s.Do("GET", "/static/main.abc.js", "", apitest.With("If-Modified-Since", old)).Status)
		}
		require.Empty(t, s.Do("GET", "/", "").Header.Get("ETag"), "the page is not kept")
	})
}

func TestFolderThatChanges(t *testing.T) {
	dir, b := folder(t, nil)
	s := serve(t, b, nil)
	gz := apitest.With("Accept-Encoding", "gzip")
	require.Equal(t, "gzip", s.Do("GET", "/static/main.abc.js", "", gz).Header.Get("Content-Encoding"))
	later := time.Now().Add(time.Minute)
	for name, text := range map[string]string{
		"static/main.abc.js": strings.Repeat("changed();\n", 500), "static/new.js": "new()",
		"index.html.tmpl": "<head><title>second</title></head>",
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		require.NoError(t, os.Chtimes(path, later, later))
	}
	res := s.Do("GET", "/static/main.abc.js", "", gz)
	z, err := gzip.NewReader(bytes.NewReader(res.Body))
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Contains(t, string(text), "changed();")
	require.Equal(t, "new()", s.Do("GET", "/static/new.js", "").Text())
	require.Contains(t, s.Do("GET", "/", "").Text(), "second")
	require.NoError(t, os.Remove(filepath.Join(dir, "index.html.tmpl")))
	require.NoError(t, os.Remove(filepath.Join(dir, "index.html")))
	require.Equal(t, 500, s.Do("GET", "/", "").Status)
}

// shelf has one file.
type shelf struct{ asked []string }

func (s *shelf) Asset(_ context.Context, name string) ([]byte, time.Time, error) {
	s.asked = append(s.asked, name)
	if name != "old/chunk.js" {
		return nil, time.Time{}, fs.ErrNotExist
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte("old()"))
	err := z.Close()
	return b.Bytes(), time.Unix(1_700_000_000, 0), err
}

func TestStaticFilesOfEarlierBuilds(t *testing.T) {
	_, b := folder(t, nil)
	old := &shelf{}
	s := serve(t, b, func(o *app.Options) { o.Shelf = old })
	res := s.Do("GET", "/static/old/chunk.js", "", apitest.With("Accept-Encoding", "gzip"))
	require.Equal(t, 200, res.Status)
	require.Equal(t, "public, max-age=1209600", res.Header.Get("Cache-Control"))
	require.Equal(t, "text/javascript; charset=utf-8", res.Header.Get("Content-Type"))
	z, err := gzip.NewReader(bytes.NewReader(res.Body))
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, "old()", string(text))
	require.Equal(t, 404, s.Do("GET", "/static/gone.js", "", apitest.With("Accept-Encoding", "gzip")).Status)
	require.Equal(t, 200, s.Do("GET", "/static/main.abc.js", "").Status)
	require.Equal(t, []string{"old/chunk.js", "gone.js"}, old.asked, "what is in the build is not looked for elsewhere")
}

func TestWelcome(t *testing.T) {
	s := apitest.New(t, func(o *api.Options, _ *auth.Options) {
		o.Portal.Welcome = app.Welcome{Title: "<script>alert(1)</script>", Version: "v1"}
	})
	res := s.Do("GET", "/", "", apitest.Anonymous)
	require.Equal(t, 200, res.Status)
	require.NotContains(t, res.Text(), "<script")
	for _, says := range []string{"Greenroom v1", "It is up", "make portal", "app.dist", "/.backstage/health/v1/readiness"} {
		require.Contains(t, res.Text(), says)
	}
	require.Equal(t, 404, s.Do("GET", "/catalog", "", apitest.Anonymous).Status)
	s.Stopping()
	require.NotContains(t, s.Do("GET", "/", "", apitest.Anonymous).Text(), "It is up")
}

func FuzzPaths(f *testing.F) {
	for _, s := range []string{"/", "/static/main.abc.js", "/../x", "/%2e%2e%2f", "/.git", "/static/%00", "//", "/portal/static/a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if name, ok := app.Name("/portal", path); ok {
			require.True(t, fs.ValidPath(name))
			for part := range strings.SplitSeq(name, "/") {
				require.False(t, strings.HasPrefix(part, "."), name)
			}
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add(`</script>`)
	f.Add(`<!--<script>`)
	f.Add("\u2028\x00")
	f.Fuzz(func(t *testing.T, value string) {
		data, err := json.Marshal([]any{map[string]any{"data": value}})
		require.NoError(t, err)
		text, err := app.Inject("<head></head>", data)
		require.NoError(t, err)
		inner, ok := strings.CutPrefix(text, "<head><script type=\"backstage.io/config\">\n")
		require.True(t, ok)
		inner, ok = strings.CutSuffix(inner, "\n</script>\n</head>")
		require.True(t, ok)
		require.NotContains(t, inner, "<")
		require.JSONEq(t, string(data), inner)
	})
}
