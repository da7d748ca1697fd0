package techdocs_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/apitest"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/catalogapi"
	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/api/techdocs"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

// library has files by namespace/kind/name/path.
type library struct {
	files map[string]string
	sync  func(ctx context.Context, log func(string) error) (bool, error)
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

func (l *library) Open(_ context.Context, ref catalog.EntityRef, path string) (site.Content, error) {
	if path == "broken" {
		return site.Content{}, errors.New("the disk is sick")
	}
	content, ok := l.files[ref.Namespace+"/"+ref.Kind+"/"+ref.Name+"/"+path]
	if !ok {
		return site.Content{}, fs.ErrNotExist
	}
	return site.Content{ReadSeekCloser: file{bytes.NewReader([]byte(content))}, ETag: "tag", Modified: time.Unix(1_700_000_000, 0)}, nil
}

func (l *library) IsFolder(ctx context.Context, ref catalog.EntityRef, path string) (bool, error) {
	_, err := l.Open(ctx, ref, path+"/index.html")
	return err == nil, nil
}

func (l *library) Sync(ctx context.Context, _ catalog.Entity, log func(string) error) (bool, error) {
	return l.sync(ctx, log)
}

// entities are those of a catalog, of which one may be hidden.
type entities map[string]string

func (e entities) Lookup(_ context.Context, who auth.Principal, ref string) (catalog.Entity, bool, error) {
	text, ok := e[ref]
	if !ok || strings.Contains(ref, "secret") && who.Kind != auth.Service {
		return catalog.Entity{}, false, nil
	}
	o, err := jsonvalue.ParseObject([]byte(text))
	return catalog.Entity{Object: o}, true, err
}

// decider hides what is secret from users.
type decider struct{}

func (decider) Decide(_ context.Context, who auth.Principal, p permission.Permission, ref string) (permission.Decision, error) {
	if p.Plugin != "techdocs" || p.Name != "catalog.entity.read" || strings.Contains(ref, "secret") && who.Kind != auth.Service {
		return permission.Decision{}, nil
	}
	return permission.Decision{Result: permission.Allow}, nil
}

type world struct {
	*apitest.Server
	library *library
	api     *techdocs.API
}

func newWorld(t *testing.T, change func(*techdocs.Options)) *world {
	hosts, _, err := integration.Parse(nil)
	require.NoError(t, err)
	w := &world{library: &library{files: map[string]string{
		"default/component/booking/index.html":             "<html>start</html>",
		"default/component/booking/guide/index.html":       "<html>guide</html>",
		"default/component/booking/pic.svg":                "<svg onload=alert(1)>",
		"default/component/booking/a b/ü.png":              "png",
		"default/component/booking/main.css":               "body{}",
		"default/component/booking/x.exe":                  "MZ",
		"default/component/booking/techdocs_metadata.json": `{"site_name":"Booking"}`,
		"default/component/secret/index.html":              "secret",
	}}}
	o := techdocs.Options{Library: w.library, Decider: decider{}, Resolve: hosts.Resolve, Visibility: catalogapi.EntityRead(), Catalog: entities{
		"component:default/booking": `{"kind":"Component","metadata":{"name":"booking","uid":"u","annotations":{"backstage.io/techdocs-ref":"dir:.",` +
			`"backstage.io/managed-by-location":"url:https://github.com/o/r/blob/main/catalog-info.yaml"}}}`,
		"component:default/plain":  `{"kind":"Component","metadata":{"name":"plain","uid":"u"}}`,
		"component:default/nouid":  `{"kind":"Component","metadata":{"name":"nouid"}}`,
		"component:default/secret": `{"kind":"Component","metadata":{"name":"secret","uid":"u"}}`,
	}}
	if change != nil {
		change(&o)
	}
	w.api, err = techdocs.New(o)
	require.NoError(t, err)
	w.Server = apitest.New(t, func(o *api.Options, _ *auth.Options) { o.Portal.TechDocs = w.api })
	return w
}

const static = "/api/techdocs/static/docs/"

func TestStatic(t *testing.T) {
	w := newWorld(t, nil)
	const text = "text/plain; charset=utf-8"
	for _, tc := range []struct {
		path, kind, body string
		status           int
		location         string
	}{
		{"default/component/booking/index.html", text, "<html>start</html>", 200, ""},
		{"default/component/booking/", text, "<html>start</html>", 200, ""},
		{"default/component/booking/guide/", text, "<html>guide</html>", 200, ""},
		{"default/component/booking/pic.svg", text, "<svg onload=alert(1)>", 200, ""},
		{"default/component/booking/a%20b/%C3%BC.png", "image/png", "png", 200, ""},
		{"default/component/booking/main.css", "text/css; charset=utf-8", "body{}", 200, ""},
		{"default/component/booking/x.exe", "application/octet-stream", "MZ", 200, ""},
		{"default/component/booking", "", "", 301, "default/component/booking/"},
		{"default/component/booking/guide", "", "", 301, "default/component/booking/guide/"},
		{"default/component/booking/guide?a=b", "", "", 301, "default/component/booking/guide/?a=b"},
		{"Default/Component/Booking/Pic.svg?x", "", "", 301, "default/component/booking/Pic.svg?x"},
		{"default/component/booking/nothing", "", "", 404, ""},
		{"default/component/booking/nothing/", "", "", 404, ""},
		{"default/component/other/index.html", "", "", 404, ""},
		{"default/component/booking/main.css/", "", "", 404, ""},
	} {
		t.Run(tc.path, func(t *testing.T) {
			res := w.Do("GET", static+tc.path, "")
			require.Equal(t, tc.status, res.Status, res.Text())
			require.Equal(t, tc.body, res.Text())
			if tc.location != "" {
				require.Equal(t, static+tc.location, res.Header.Get("Location"))
			}
			if tc.status == 200 {
				require.Equal(t, tc.kind, res.Header.Get("Content-Type"))
				require.Equal(t, "public, max-age=0", res.Header.Get("Cache-Control"))
				require.Equal(t, `W/"tag"`, res.Header.Get("ETag"))
				require.Equal(t, "Tue, 14 Nov 2023 22:13:20 GMT", res.Header.Get("Last-Modified"))
				require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
			}
		})
	}
	res := w.Do("GET", static+"default/component/booking/index.html", "", apitest.With("If-None-Match", `W/"tag"`))
	require.Equal(t, 304, res.Status)
	res = w.Do("HEAD", static+"default/component/booking/index.html", "")
	require.Equal(t, 200, res.Status)
	require.Empty(t, res.Text())
	res = w.Do("GET", static+"default/component/booking/x.exe", "", apitest.With("Range", "bytes=1-1"))
	require.Equal(t, 206, res.Status)
	require.Equal(t, "Z", res.Text())
	res = w.Do("GET", static+"default/component/booking/broken", "")
	require.Equal(t, 500, res.Status)
	require.NotContains(t, res.Text(), "sick")
}

func TestPathsThatLeadOut(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"../x", "..%2fx", "%2e%2e/x", "%2E%2E%2Fx", "..%5cx", `..\x`, "a/../../x", "a/%2e%2e/index.html", "./index.html", "a//b", "%00", "%c3%28", "a%2f..%2f..%2fx", "/etc/passwd", "..;/x"} {
		res := w.Do("GET", static+"default/component/booking/"+path, "")
		require.Equal(t, 404, res.Status, "%s: %s", path, res.Text())
		require.Empty(t, res.Text(), path)
		require.Empty(t, res.Header.Get("Location"), path)
	}
	for _, triplet := range []string{"..%2f..%2fx/component/booking", "default/..%2f/booking", "default/component/%2e%2e"} {
		res := w.Do("GET", static+triplet+"/index.html", "")
		require.Equal(t, 404, res.Status, triplet)
	}
	res := w.Do("GET", static+"default/component/%c3%28/index.html", "")
	require.Equal(t, 400, res.Status)
}

func TestWhoMaySee(t *testing.T) {
	w := newWorld(t, nil)
	issued := w.Do("GET", "/api/techdocs/.backstage/auth/v1/cookie", "")
	require.Equal(t, 200, issued.Status)
	require.Contains(t, issued.Text(), "expiresAt")
	cookie, _, _ := strings.Cut(issued.Header.Get("Set-Cookie"), ";")
	withCookie := func(r *http.Request) { r.Header.Del("Authorization"); r.Header.Set("Cookie", cookie) }
	require.Equal(t, 200, w.Do("GET", static+"default/component/booking/main.css", "", withCookie).Status)
	require.Equal(t, 404, w.Do("GET", static+"default/component/secret/index.html", "", withCookie).Status)
	require.Equal(t, 401, w.Do("GET", "/api/techdocs/metadata/techdocs/default/component/booking", "", withCookie).Status, "the cookie is for files alone")
	require.Equal(t, 401, w.Do("GET", static+"default/component/booking/main.css", "", apitest.Anonymous).Status)
	require.Equal(t, 404, w.Do("GET", "/api/techdocs/cookie", "").Status)
	for _, path := range []string{static + "default/component/secret/index.html", "/api/techdocs/metadata/entity/default/component/secret",
		"/api/techdocs/metadata/techdocs/default/component/secret", "/api/techdocs/sync/default/component/secret"} {
		res := w.Do("GET", path, "")
		require.Equal(t, 404, res.Status, path)
		require.Contains(t, res.Text(), `"name":"NotFoundError"`, path)
	}
	require.Equal(t, "secret", w.Do("GET", static+"default/component/secret/index.html", "", apitest.As(apitest.ServiceToken)).Text())
}

func TestMetadata(t *testing.T) {
	w := newWorld(t, nil)
	res := w.Do("GET", "/api/techdocs/metadata/entity/default/Component/booking", "")
	require.Equal(t, 200, res.Status)
	require.Contains(t, res.Text(), `"locationMetadata":{"type":"url","target":"https://github.com/o/r/tree/main/"}`)
	require.Contains(t, res.Text(), `{"kind":"Component","metadata":{"name":"booking"`)
	res = w.Do("GET", "/api/techdocs/metadata/techdocs/default/component/booking", "")
	require.Equal(t, 200, res.Status)
	require.JSONEq(t, `{"site_name":"Booking"}`, res.Text())
	for path, says := range map[string]string{
		"entity/default/component/nobody":  "no such entity",
		"entity/default/component/plain":   "No location annotation provided",
		"techdocs/default/component/plain": "has not been built",
	} {
		res := w.Do("GET", "/api/techdocs/metadata/"+path, "")
		require.Equal(t, 404, res.Status, path)
		require.Contains(t, res.Text(), says)
	}
}

// The reader asks for the metadata of a site while it is built for the first
// time.
func TestMetadataWaitsForTheFirstBuild(t *testing.T) {
	w := newWorld(t, nil)
	const name = "default/component/booking/techdocs_metadata.json"
	delete(w.library.files, name)
	w.library.sync = func(context.Context, func(string) error) (bool, error) { return false, errors.New("no") }
	require.Equal(t, 404, w.Do("GET", "/api/techdocs/metadata/techdocs/default/component/booking", "").Status)
	w.library.sync = func(_ context.Context, log func(string) error) (bool, error) {
		w.library.files[name] = "{}"
		return true, log("built")
	}
	require.Equal(t, "{}", w.Do("GET", "/api/techdocs/metadata/techdocs/default/component/booking", "").Text())
}

func TestSync(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, func(o *techdocs.Options) {
		o.KeepAlive, o.Logger = time.Millisecond, slog.New(slog.NewTextHandler(&log, nil))
	})
	get := func(name string) apitest.Response {
		return w.Do("GET", "/api/techdocs/sync/default/component/"+name, "")
	}
	w.library.sync = func(_ context.Context, log func(string) error) (bool, error) {
		return true, errors.Join(log("first \"line\""), log("second\nline"))
	}
	res := get("booking")
	require.Equal(t, 200, res.Status)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.Equal(t, "event: log\ndata: \"first \\\"line\\\"\"\n\nevent: log\ndata: \"second\\nline\"\n\nevent: finish\ndata: {\"updated\":true}\n\n",
		strings.ReplaceAll(res.Text(), ":\n\n", ""))

	w.library.sync = func(context.Context, func(string) error) (bool, error) { return false, nil }
	require.Contains(t, get("booking").Text(), "event: finish\ndata: {\"updated\":false}\n\n")
	w.library.sync = func(context.Context, func(string) error) (bool, error) { return false, site.ErrNoPages }
	require.Contains(t, get("booking").Text(), "event: error\ndata: \"Failed to build the documentation of component:default/booking: there is no documentation\"\n\n")
	w.library.sync = func(context.Context, func(string) error) (bool, error) {
		return false, &fs.PathError{Op: "open", Path: "/var/lib/greenroom/x", Err: fs.ErrPermission}
	}
	res = get("booking")
	require.Contains(t, res.Text(), "the log of the server says why")
	require.NotContains(t, res.Text(), "/var/lib")
	require.Contains(t, log.String(), "/var/lib")

	require.Equal(t, 404, get("nobody").Status)
	res = get("nouid")
	require.Equal(t, 404, res.Status)
	require.Contains(t, res.Text(), "Entity metadata UID missing")

	w.library.sync = func(ctx context.Context, _ func(string) error) (bool, error) {
		w.api.Stop()
		<-ctx.Done()
		return false, ctx.Err()
	}
	require.NotContains(t, get("booking").Text(), "event:", "a server that stops ends the streams")
}

func TestCaseSensitivePaths(t *testing.T) {
	w := newWorld(t, func(o *techdocs.Options) { o.CaseSensitive = true })
	w.library.files["Default/Component/Booking/index.html"] = "upper"
	require.Equal(t, "upper", w.Do("GET", static+"Default/Component/Booking/index.html", "").Text())
}

func TestOptions(t *testing.T) {
	_, err := techdocs.New(techdocs.Options{})
	require.Error(t, err)
}
