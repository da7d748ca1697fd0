package app_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/app"
	"github.com/greenroom-idp/greenroom/api/app/bundle"
	"github.com/stretchr/testify/require"
)

// BenchmarkServe is what a page load costs per file: the page, and a script of
// 300 KB in its gzip form, out of a folder and out of a bundle.
func BenchmarkServe(b *testing.B) {
	gin.SetMode(gin.ReleaseMode)
	dir := b.TempDir()
	require.NoError(b, os.Mkdir(filepath.Join(dir, "static"), 0o700))
	require.NoError(b, os.WriteFile(filepath.Join(dir, "index.html.tmpl"), []byte(template), 0o600))
	script := strings.Repeat("export const value = document.querySelector('#app');\n", 6000)
	require.NoError(b, os.WriteFile(filepath.Join(dir, "static", "main.js"), []byte(script), 0o600))
	folder, err := app.OpenFolder(dir)
	require.NoError(b, err)
	defer folder.Close()
	var packed bytes.Buffer
	_, err = bundle.Pack(&packed, os.DirFS(dir))
	require.NoError(b, err)
	opened, err := bundle.Open(packed.Bytes())
	require.NoError(b, err)
	for name, build := range map[string]app.Build{"folder": folder, "bundle": app.Bundled(opened)} {
		site, err := app.New(app.Options{Build: build, Config: []byte(config)})
		require.NoError(b, err)
		e := gin.New()
		e.NoRoute(func(c *gin.Context) { site.Serve(c, c.Request.URL.EscapedPath()) })
		for _, path := range []string{"/catalog", "/static/main.js"} {
			b.Run(name+path, func(b *testing.B) {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Header.Set("Accept-Encoding", "gzip")
				b.ReportAllocs()
				for b.Loop() {
					w := &discard{header: http.Header{}}
					e.ServeHTTP(w, r)
					if w.status != http.StatusOK {
						b.Fatal(w.status)
					}
				}
			})
		}
	}
}

// discard is a response that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
