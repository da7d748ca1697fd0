package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
)

// documented is a component with documentation.
func documented(name, where string) string {
	return strings.Replace(component(name, "Has documentation"), "description:", "annotations: {backstage.io/techdocs-ref: '"+where+"'}, description:", 1)
}

// raw sends a request and returns the answer as it is.
func (i *instance) raw(path string) (status int, body string) {
	i.t.Helper()
	req, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, i.base+path, nil)
	require.NoError(i.t, err)
	req.Header.Set("Authorization", "Bearer "+testToken)
	res, err := http.DefaultClient.Do(req)
	require.NoError(i.t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	require.NoError(i.t, err)
	return res.StatusCode, string(data)
}

const docsOfCart = "/api/techdocs/static/docs/default/component/cart/"

// Documentation beside a descriptor on the disk is built when it is looked at,
// found by the search, and kept over a restart.
func TestDocumentationOfAFolder(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	descriptor := writeFile(t, dir, "catalog-info.yaml", documented("cart", "dir:."))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "docs"), 0o700))
	writeFile(t, dir, "docs/index.md", "# Cart\n\nWhat a trolley holds.\n\n## Wheels\n\nThere are four castors.\n")
	configuration := baseConfig + "  locations: [{type: directory, target: '" + dir + "'}]\n"
	i := boot(t, configuration, "--data", data)
	i.until("component/default/cart", served)
	status, _ := i.raw(docsOfCart + "index.html")
	require.Equal(t, http.StatusNotFound, status)
	_, log := i.raw("/api/techdocs/sync/default/component/cart")
	require.Contains(t, log, "event: finish\ndata: {\"updated\":true}\n\n")
	_, page := i.raw(docsOfCart + "index.html")
	require.Contains(t, page, "What a trolley holds.")
	require.Equal(t, []string{"Wheels"}, i.find("term=castors&types[0]=techdocs&filters[name]=cart", 1))
	_, answer := i.raw("/api/search/query?term=castors")
	require.Contains(t, answer, `"location":"/docs/default/component/cart/#wheels"`)

	writeFile(t, dir, "docs/index.md", "# Cart\n\nNow with a brake.\n")
	_, log = i.raw("/api/techdocs/sync/default/component/cart")
	require.Contains(t, log, `{"updated":true}`)
	require.Equal(t, []string{"Cart"}, i.find("term=brake", 1))
	i.find("term=castors", 0)
	i.end()

	require.NoError(t, os.RemoveAll(filepath.Join(dir, "docs")))
	i = boot(t, configuration, "--data", data)
	_, page = i.raw(docsOfCart + "index.html")
	require.Contains(t, page, "Now with a brake.")
	require.Equal(t, []string{"Cart"}, i.find("term=brake", 1))
	_, log = i.raw("/api/techdocs/sync/default/component/cart")
	require.Contains(t, log, "event: error\ndata: \"Failed to build the documentation of component:default/cart: there is no documentation")
	_, page = i.raw(docsOfCart + "index.html")
	require.Contains(t, page, "Now with a brake.", "the last good site stays")

	require.NoError(t, os.Remove(descriptor))
	i.find("term=brake", 0)
	require.Eventually(t, func() bool { status, _ := i.raw(docsOfCart + "index.html"); return status == http.StatusNotFound }, patience, 5*time.Millisecond)
	i.end()
}

// Documentation in a repository is rebuilt by the webhook of a push.
func TestDocumentationOfARepository(t *testing.T) {
	g := forgetest.NewGitHub(t)
	_, err := g.Add(forgetest.Repository{FullName: "acme/cart"}, map[string]string{
		"catalog-info.yaml": documented("cart", "dir:."), "docs/index.md": "# Cart\n\nHas wheels. See [the code](../main.go).\n", "main.go": "package main",
	})
	require.NoError(t, err)
	i := boot(t, crawlConfig(g, "github: {organization: acme, host: '"+g.Host()+"'}"), "--data", t.TempDir())
	i.until("component/default/cart", served)
	_, log := i.raw("/api/techdocs/sync/default/component/cart")
	require.Contains(t, log, `{"updated":true}`)
	_, page := i.raw(docsOfCart + "index.html")
	require.Contains(t, page, `href="`+g.URL()+`/acme/cart/edit/main/docs/index.md" title="Edit this page"`)
	require.Contains(t, page, `href="`+g.URL()+`/acme/cart/tree/main/main.go"`)
	_, log = i.raw("/api/techdocs/sync/default/component/cart")
	require.Equal(t, "event: finish\ndata: {\"updated\":false}\n\n", log)

	c, err := g.Commit("acme/cart", "main", "Add a brake", map[string]string{"docs/index.md": "# Cart\n\nHas wheels and a brake.\n"})
	require.NoError(t, err)
	_, err = g.Deliver(t.Context(), i.hook(), "push", "", g.PushEvent(c))
	require.NoError(t, err)
	require.Equal(t, []string{"Cart"}, i.find("term=brake&types[0]=techdocs", 1))
	_, page = i.raw(docsOfCart + "index.html")
	require.Contains(t, page, "Has wheels and a brake.")

	remove := g.Inject(forgetest.Fault{Status: http.StatusServiceUnavailable, Body: "hush-answer"})
	c, err = g.Commit("acme/cart", "main", "Nobody gets this", map[string]string{"docs/index.md": "# Lost\n"})
	require.NoError(t, err)
	_, err = g.Deliver(t.Context(), i.hook(), "push", "", g.PushEvent(c))
	require.NoError(t, err)
	i.await("documentation cannot be built")
	_, page = i.raw(docsOfCart + "index.html")
	require.Contains(t, page, "Has wheels and a brake.")
	remove()
	require.NotContains(t, i.log.String(), "hush-token")
}

// Sites that others have built are served from a folder.
func TestPublishedDocumentation(t *testing.T) {
	dir, sites := t.TempDir(), t.TempDir()
	writeFile(t, dir, "catalog-info.yaml", documented("cart", "url:https://github.com/acme/cart/tree/main"))
	folder := filepath.Join(sites, "default", "component", "cart", "search")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	writeFile(t, folder, "search_index.json", `{"docs":[{"location":"","title":"Published","text":"by a pipeline"}]}`)
	writeFile(t, filepath.Dir(folder), "index.html", "<html>published</html>")
	writeFile(t, filepath.Dir(folder), "techdocs_metadata.json", `{"site_name":"Published"}`)
	configuration := baseConfig + "  locations: [{type: directory, target: '" + dir + "'}]\n" +
		fmt.Sprintf("techdocs: {builder: external, publisher: {type: local, local: {publishDirectory: '%s'}}}\n", sites) +
		"search: {collators: {techdocs: {schedule: {frequency: 100ms}}}}\n"
	i := boot(t, configuration, "--data", t.TempDir())
	i.until("component/default/cart", served)
	_, page := i.raw(docsOfCart)
	require.Equal(t, "<html>published</html>", page)
	_, metadata := i.raw("/api/techdocs/metadata/techdocs/default/component/cart")
	require.JSONEq(t, `{"site_name":"Published"}`, metadata)
	_, log := i.raw("/api/techdocs/sync/default/component/cart")
	require.Equal(t, "event: finish\ndata: {\"updated\":false}\n\n", log)
	require.Equal(t, []string{"Published"}, i.find("term=pipeline&types[0]=techdocs", 1))
	i.end()
	_, err := os.Stat(filepath.Join(sites, "default"))
	require.NoError(t, err, "what others have published is not touched")
}

// Nobody sees, finds or builds the documentation of what they may not read.
func TestDocumentationOfWhatIsHidden(t *testing.T) {
	dir := t.TempDir()
	annotated := strings.ReplaceAll(shopDescriptors, "description: thing}\nspec: {type: service",
		"description: thing, annotations: {backstage.io/techdocs-ref: 'dir:.'}}\nspec: {type: service")
	file := writeFile(t, dir, "shop.yaml", annotated)
	writeFile(t, dir, "docs/index.md", "# Manual\n\nturn the handle\n")
	config := writeFile(t, dir, "app-config.yaml", baseConfig+"  locations: [{type: file, target: '"+file+"'}]\n"+guarded)
	i := bootArgs(t, "--config", config, "--data", t.TempDir())
	for _, name := range []string{"cart", "booking"} {
		i.until("component/default/"+name, served)
		_, log := i.raw("/api/techdocs/sync/default/component/" + name)
		require.Contains(t, log, `{"updated":true}`)
	}
	require.Len(t, i.find("term=handle&types[0]=techdocs", 2), 2, "a service finds both")

	i.signIn()
	require.Len(t, i.find("term=handle&types[0]=techdocs", 1), 1)
	for _, path := range []string{"static/docs/default/component/%s/index.html", "metadata/techdocs/default/component/%s",
		"metadata/entity/default/component/%s", "sync/default/component/%s"} {
		status, _ := i.send(http.MethodGet, "/api/techdocs/"+fmt.Sprintf(path, "cart"), nil)
		require.Equal(t, http.StatusOK, status, path)
		status, answer := i.send(http.MethodGet, "/api/techdocs/"+fmt.Sprintf(path, "booking"), nil)
		require.Equal(t, http.StatusNotFound, status, path)
		require.Contains(t, fmt.Sprint(answer), "NotFoundError", path)
	}
}
