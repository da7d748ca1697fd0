package s3sites_test

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/published"
	"github.com/greenroom-idp/greenroom/api/techdocs/s3sites"
	"github.com/greenroom-idp/greenroom/catalog"
)

// bucket starts a store in this process that has some objects in the bucket
// docs.
func bucket(t *testing.T, objects map[string]string) string {
	t.Helper()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("docs"))
	for name, content := range objects {
		_, err := backend.PutObject("docs", name, map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, strings.NewReader(content), int64(len(content)), nil)
		require.NoError(t, err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	return server.URL
}

func options(endpoint string) s3sites.Options {
	return s3sites.Options{Bucket: "docs", Region: "eu-west-1", Endpoint: endpoint, PathStyle: true, AccessKey: "key", SecretKey: "secret"}
}

var _ published.Store = (*s3sites.Store)(nil)

func TestObjects(t *testing.T) {
	o := options(bucket(t, map[string]string{"sites/default/component/booking/a b/index.html": "<html>page</html>", "secret": "secret"}))
	o.Root = "/sites/"
	s, err := s3sites.New(o)
	require.NoError(t, err)
	l := published.New(s, false)
	ref := catalog.EntityRef{Kind: "Component", Namespace: "default", Name: "Booking"}
	f, err := l.Open(t.Context(), ref, "a b/index.html")
	require.NoError(t, err)
	require.NotEmpty(t, f.ETag)
	require.NotContains(t, f.ETag, `"`)
	require.WithinDuration(t, time.Now(), f.Modified, time.Hour)
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "<html>page</html>", string(data))
	_, err = f.Seek(6, io.SeekStart)
	require.NoError(t, err)
	data, err = io.ReadAll(f)
	require.NoError(t, errors.Join(err, f.Close()))
	require.Equal(t, "page</html>", string(data), "parts can be asked for")

	is, err := l.IsFolder(t.Context(), ref, "a b")
	require.NoError(t, err)
	require.True(t, is)
	for _, name := range []string{"nothing", "../../../../secret", "a b"} {
		_, err := l.Open(t.Context(), ref, name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
}

// A store that refuses or is not there is another thing than a file that is
// missing, and its error does not show the key.
func TestStoreThatFails(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
	}))
	defer refusing.Close()
	s, err := s3sites.New(options(refusing.URL))
	require.NoError(t, err)
	_, err = s.Open(t.Context(), "x")
	require.Error(t, err)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), "secret")
	for _, endpoint := range []string{"s3.example.com", "ftp://s3.example.com", "https://s3.example.com/path", "://"} {
		_, err := s3sites.New(options(endpoint))
		require.Error(t, err, endpoint)
	}
}
