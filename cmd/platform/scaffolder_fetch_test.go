package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fetch"
)

// A fakeTree is a Git host with files by their paths below every URL.
type fakeTree struct {
	files map[string]string
	token string
}

func (f *fakeTree) Matches(url string) bool { return strings.HasPrefix(url, "https://git/") }

func (f *fakeTree) ReadAs(_ context.Context, _, token string) ([]byte, error) {
	f.token = token
	if f.files == nil {
		return nil, catalog.NewError(catalog.NameNotFound, "it is not there")
	}
	return []byte("echo"), nil
}

func (f *fakeTree) Tree(_ context.Context, _, token string, yield func(archive.Entry) error) error {
	f.token = token
	for path, text := range f.files {
		if err := yield(archive.Entry{Path: path, Mode: 0o755, Size: int64(len(text)), Content: strings.NewReader(text)}); err != nil {
			return err
		}
	}
	return nil
}

type fakeFiles struct{}

func (fakeFiles) ReadURL(_ context.Context, url string) ([]byte, error) {
	return []byte("integration " + url), nil
}

func TestTasksReadFromGitHosts(t *testing.T) {
	host := &fakeTree{files: map[string]string{"run.sh": "echo"}}
	r := taskReader{files: fakeFiles{}, git: []gitHost{host}}
	var got []fetch.Entry
	visit := func(e fetch.Entry) error { got = append(got, e); return nil }
	require.NoError(t, r.ReadTree(t.Context(), fetch.Request{URL: "https://git/a/b", Token: "mine"}, visit))
	require.Len(t, got, 1)
	require.Equal(t, "run.sh", got[0].Path)
	require.Equal(t, fs.FileMode(0o755), got[0].Mode)
	require.Equal(t, "mine", host.token)
	enough := errors.New("enough")
	require.ErrorIs(t, r.ReadTree(t.Context(), fetch.Request{URL: "https://git/a/b"}, func(fetch.Entry) error { return enough }), enough)
	require.ErrorIs(t, r.ReadTree(t.Context(), fetch.Request{URL: "https://plain/a/b"}, visit), catalog.ErrInput, "plain hosts cannot list")

	read := func(request fetch.Request) (string, error) {
		f, err := r.ReadFile(t.Context(), request)
		if err != nil {
			return "", err
		}
		data, err := io.ReadAll(f)
		require.NoError(t, err)
		return string(data), f.Close()
	}
	text, err := read(fetch.Request{URL: "https://git/a/b/run.sh"})
	require.NoError(t, err)
	require.Equal(t, "integration https://git/a/b/run.sh", text)
	text, err = read(fetch.Request{URL: "https://git/a/b/run.sh", Token: "mine"})
	require.NoError(t, err)
	require.Equal(t, "echo", text, "a token stands in for the credentials of the integration")
	host.files = nil
	_, err = read(fetch.Request{URL: "https://git/a/b", Token: "mine"})
	require.ErrorIs(t, err, catalog.ErrNotFound)
}
