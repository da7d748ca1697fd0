package forgetest_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// clone runs the real git, which knows nothing of us.
func clone(t *testing.T, url string) (string, error) {
	dir := filepath.Join(t.TempDir(), "clone")
	cmd := exec.Command("git", "clone", "--quiet", url, dir)
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.CombinedOutput()
	t.Log(string(out))
	return dir, err
}

func TestGitOverHTTP(t *testing.T) {
	f := forgetest.NewPlain(t)
	first, err := f.Add(forgetest.Repository{FullName: "acme/shop"}, map[string]string{"catalog-info.yaml": "kind: A\n", "docs/a b.md": "x"})
	require.NoError(t, err)
	require.Equal(t, []string{"catalog-info.yaml", "docs/a b.md"}, first.Added)
	second, err := f.Push("Acme/Shop", "main", "Change", map[string]forgetest.Change{
		"catalog-info.yaml": {Content: "kind: B\n"}, "docs/a b.md": {Remove: true},
		"run.sh": {Content: "#!/bin/sh\n", Mode: forgetest.ModeExecutable}, "link": {Content: "run.sh", Mode: forgetest.ModeSymlink},
	})
	require.NoError(t, err)
	require.Equal(t, first.SHA, second.Before)
	require.Equal(t, []string{"catalog-info.yaml"}, second.Modified)
	require.Equal(t, []string{"docs/a b.md"}, second.Removed)

	dir, err := clone(t, f.URL()+"/acme/shop.git")
	require.NoError(t, err)
	data, err := os.ReadFile(filepath.Join(dir, "catalog-info.yaml"))
	require.NoError(t, err)
	require.Equal(t, "kind: B\n", string(data))
	target, err := os.Readlink(filepath.Join(dir, "link"))
	require.NoError(t, err)
	require.Equal(t, "run.sh", target)

	require.NoError(t, f.Rename("acme/shop", "acme/store"))
	_, err = clone(t, f.URL()+"/acme/shop")
	require.NoError(t, err, "the old name redirects")
	require.NoError(t, f.Delete("acme/store"))
	_, err = clone(t, f.URL()+"/acme/store")
	require.Error(t, err)
	require.Positive(t, f.Requests()["git fetch"].Total)
}

func TestGitCredentials(t *testing.T) {
	f := forgetest.NewPlain(t)
	f.AddToken("good")
	_, err := f.Add(forgetest.Repository{FullName: "acme/secret", Visibility: forgetest.Private}, map[string]string{"a": "b"})
	require.NoError(t, err)
	for credentials, works := range map[string]bool{"": false, "ada:bad@": false, "ada:good@": true} {
		_, err = clone(t, "http://"+credentials+f.Host()+"/acme/secret.git")
		require.Equal(t, works, err == nil, "%q", credentials)
	}
}

func TestFaults(t *testing.T) {
	f := forgetest.NewPlain(t)
	f.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "0123456789") })
	get := func() (int, string, error) {
		resp, err := http.Get(f.URL() + "/page")
		if err != nil {
			return 0, "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body), err
	}
	f.Inject(forgetest.Fault{Route: "GET /page", Times: 1, Status: 503, Body: "busy"})
	f.Inject(forgetest.Fault{Route: "GET /page", Times: 1, CutAfter: 4})
	f.Inject(forgetest.Fault{Route: "elsewhere", Status: 500})

	status, body, err := get()
	require.NoError(t, err)
	require.Equal(t, 503, status)
	require.Equal(t, "busy", body)
	_, body, err = get()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, "0123", body)
	status, _, err = get()
	require.NoError(t, err)
	require.Equal(t, 200, status)

	hold, done := make(chan struct{}), make(chan error)
	f.Inject(forgetest.Fault{Hold: hold})
	go func() {
		_, _, err := get()
		done <- err
	}()
	select {
	case <-done:
		t.Fatal("the answer was to be held")
	default:
	}
	close(hold)
	require.NoError(t, <-done)
}
