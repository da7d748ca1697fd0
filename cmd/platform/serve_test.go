package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// The configuration of a user of ours, as it came.
func TestConfigurationOfAUserBoots(t *testing.T) {
	path, err := filepath.Abs("../../testdata/configs/user-portal.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	temp := t.TempDir()
	writeFile(t, dir, "catalog/team/catalog-info.yaml", component("cart", "Holds what is bought"))
	t.Chdir(dir)
	t.Setenv("TMPDIR", temp)
	t.Setenv("APP_CONFIG_backend_listen", "127.0.0.1:0")
	t.Setenv("APP_CONFIG_backend_auth_externalAccess", `[{"type":"static","options":{"token":"`+testToken+`","subject":"tests"}}]`)
	t.Setenv("JENKINS_TOKEN", "hush-jenkins")

	i := bootArgs(t, "--config", path, "--data", filepath.Join(dir, "data"))
	status, _ := i.send(http.MethodGet, "/.backstage/health/v1/readiness", nil)
	require.Equal(t, http.StatusOK, status)
	cart := i.until("component/default/cart", served)
	annotations := cart["metadata"].(map[string]any)["annotations"].(map[string]any)
	require.Equal(t, "directory:"+filepath.Join(dir, "catalog"), annotations["backstage.io/managed-by-origin-location"],
		"paths are absolute, from the working directory")

	about := func(text string) func(map[string]any) bool {
		return func(line map[string]any) bool { return strings.Contains(fmt.Sprint(line), text) }
	}
	jenkins, _ := i.log.find(about("integrations.jenkins"))
	require.Len(t, jenkins, 1, "a kind of integration that we do not know is named once")
	require.Equal(t, "warn", jenkins[0]["level"])
	memory, _ := i.log.find(about("gone at exit"))
	require.Len(t, memory, 1, "that the store is gone at exit is said once")
	require.NotContains(t, i.log.String(), "hush-jenkins")

	i.end()
	require.NoDirExists(t, filepath.Join(dir, "data"), "a store in memory leaves the data folder alone")
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, left, "and nothing else behind")
}

func TestRegisterReadBackAndRestart(t *testing.T) {
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, component("cart", "Holds what is bought"))
	}))
	defer files.Close()
	data := t.TempDir()
	i := boot(t, baseConfig, "--data", data)
	status, answer := i.send(http.MethodPost, "/api/catalog/locations", map[string]string{"type": "url", "target": files.URL + "/cart.yaml"})
	require.Equal(t, http.StatusCreated, status, answer)
	id := answer["location"].(map[string]any)["id"].(string)
	cart := i.until("component/default/cart", served)
	require.Equal(t, []any{map[string]any{"type": "ownedBy", "targetRef": "group:default/team-a"}}, cart["relations"])
	i.end()

	i = boot(t, baseConfig, "--data", data)
	status, again := i.send(http.MethodGet, "/api/catalog/entities/by-name/component/default/cart", nil)
	require.Equal(t, http.StatusOK, status, "what is stored is served from the first request on")
	require.Equal(t, cart, again)
	status, _ = i.send(http.MethodGet, "/api/catalog/locations/"+id, nil)
	require.Equal(t, http.StatusOK, status)
	i.end()
	_, _, err := try(t, "check", "--data", data)
	require.NoError(t, err)
}

func TestChangedFileOfADirectoryIsServed(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, dir, "cart.yaml", component("cart", "first"))
	i := boot(t, baseConfig+"  locations: [{type: directory, target: '"+dir+"'}]\n", "--data", t.TempDir())
	i.until("component/default/cart", served)

	require.NoError(t, os.WriteFile(file, []byte(component("cart", "second")), 0o600))
	i.until("component/default/cart", func(_ int, entity map[string]any) bool {
		metadata, _ := entity["metadata"].(map[string]any)
		return metadata["description"] == "second"
	})
	writeFile(t, dir, "new/folder/shop.yaml", component("shop", "new"))
	i.until("component/default/shop", served)
	require.NoError(t, os.Remove(file))
	i.until("component/default/cart", func(status int, _ map[string]any) bool { return status == http.StatusNotFound })
	status, _ := i.send(http.MethodGet, "/api/catalog/entities/by-name/component/default/shop", nil)
	require.Equal(t, http.StatusOK, status, "what else the folder holds is left alone")
}

// What is in the configuration no more is gone after the next start.
func TestConfiguredLocationsAreAFullMutation(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	a, b := writeFile(t, dir, "a.yaml", component("a", "x")), writeFile(t, dir, "b.yaml", component("b", "x"))
	i := boot(t, baseConfig+"  locations: [{type: file, target: '"+a+"'}, {type: file, target: '"+b+"'}]\n", "--data", data)
	i.until("component/default/a", served)
	i.until("component/default/b", served)
	_, locations := i.send(http.MethodGet, "/api/catalog/locations", nil)
	require.Empty(t, locations["items"], "locations of the configuration are not registered ones")
	i.end()
	i = boot(t, baseConfig+"  locations: [{type: file, target: '"+b+"'}]\n", "--data", data)
	i.until("component/default/a", func(status int, _ map[string]any) bool { return status == http.StatusNotFound })
	i.until("component/default/b", served)
}

func TestStartsThatCannotBe(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	withPort := strings.Replace(baseConfig, "port: 0", fmt.Sprintf("port: %d", taken.Addr().(*net.TCPAddr).Port), 1)

	locked := t.TempDir()
	running := boot(t, baseConfig, "--data", locked)
	defer running.end()
	text := t.TempDir()
	writeFile(t, text, storeFile, strings.Repeat("this is a letter\n", 2000))
	short := t.TempDir()
	writeFile(t, short, storeFile, "x")
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, storeFile), 0o700))
	foreign := t.TempDir()
	db, err := bbolt.Open(filepath.Join(foreign, storeFile), 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("mail")); return err }))
	require.NoError(t, db.Close())
	file := writeFile(t, t.TempDir(), "file", "")

	cases := []struct {
		name, config, data string
		want               []string
	}{
		{"a taken port", withPort, t.TempDir(), []string{"is taken", "backend.listen.port"}},
		{"an address of another machine", strings.Replace(baseConfig, "127.0.0.1, port", "192.0.2.1, port", 1), t.TempDir(),
			[]string{"not an address of this machine"}},
		{"a store that another process uses", baseConfig, locked, []string{"in use by another process", "--data"}},
		{"a store that is a text", baseConfig, text, []string{"not a store of this program", "--data"}},
		{"a store that is too short", baseConfig, short, []string{"not a store of this program", "--data"}},
		{"a store that is a folder", baseConfig, folder, []string{"not a store of this program", "--data"}},
		{"a store of another program", baseConfig, foreign, []string{"not a store of this program", "--data"}},
		{"a data folder that is a file", baseConfig, file, []string{"--data"}},
		{"PostgreSQL", baseConfig + "database: {client: pg}\n", t.TempDir(), []string{"database.client", "--data"}},
		{"a broken configuration", "a: [", t.TempDir(), []string{"app-config.yaml"}},
		{"two faults of the configuration", "backend: {listen: x}", t.TempDir(), []string{"2 faults", "backend.baseUrl", "backend.listen"}},
		{"a folder of kinds that is not there", baseConfig + "  kinds: {schemas: ./gone}\n", t.TempDir(), []string{"catalog.kinds.schemas"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := writeFile(t, t.TempDir(), "app-config.yaml", c.config)
			_, _, err := try(t, "serve", "--config", path, "--data", c.data)
			oneLine(t, err, c.want...)
			require.Equal(t, 1, exitStatus(err))
		})
	}
}

// The first signal ends the program in order, also with a request under way;
// the second at once.
func TestSignals(t *testing.T) {
	config := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig)

	i, _ := bootChild(t, nil, "--config", config, "--data", t.TempDir())
	i.stop()
	require.NoError(t, i.wait(), "one signal, and status 0")

	i, cmd := bootChild(t, nil, "--config", config, "--data", t.TempDir())
	hang(t, i)
	i.stop()
	i.await("stopping")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	var exit *exec.ExitError
	require.True(t, errors.As(i.wait(), &exit))
	require.Equal(t, syscall.SIGTERM, exit.Sys().(syscall.WaitStatus).Signal())
}

// hang sends half a request, and returns when the server has begun to read it.
func hang(t *testing.T, i *instance) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(i.base, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /api/catalog/locations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n", testToken)
	require.NoError(t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue", "the handler waits for the rest of the body")
}
