package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// find polls the search until it finds so many, and returns the titles.
func (i *instance) find(query string, count int) (titles []string) {
	i.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		status, answer := i.send(http.MethodGet, "/api/search/query?"+query, nil)
		require.Equal(i.t, http.StatusOK, status, answer)
		if answer["numberOfResults"] == float64(count) {
			for _, r := range answer["results"].([]any) {
				titles = append(titles, r.(map[string]any)["document"].(map[string]any)["title"].(string))
			}
			return titles
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("%s does not find %d: %v\n%s", query, count, answer, i.log)
		}
		time.Sleep(2 * time.Millisecond) // between two questions, not instead of one
	}
}

// What changes in the catalog is found at once, and after a restart too.
func TestSearchFollowsTheCatalog(t *testing.T) {
	dir, data := t.TempDir(), t.TempDir()
	file := writeFile(t, dir, "cart.yaml", component("cart", "Holds what is bought"))
	writeFile(t, dir, "booking.yaml", component("booking", "Reserves"))
	configuration := baseConfig + "  locations: [{type: directory, target: '" + dir + "'}]\n" +
		"search: {collators: {catalog: {locationTemplate: '/c/:name', filter: {kind: component}}}}\n"
	i := boot(t, configuration, "--data", data)
	require.Equal(t, []string{"cart"}, i.find("term=bought", 1))
	require.Equal(t, []string{"booking", "cart"}, i.find("", 2), "a filter keeps the locations out")

	require.NoError(t, os.WriteFile(file, []byte(component("cart", "Holds what is rented")), 0o600))
	require.Equal(t, []string{"cart"}, i.find("term=rented", 1))
	i.find("term=bought", 0)
	writeFile(t, dir, "trolley.yaml", component("trolley", "rented as well"))
	require.Equal(t, []string{"trolley", "cart"}, i.find("term=rented", 2), "the shorter text says more of it")
	require.NoError(t, os.Remove(filepath.Join(dir, "cart.yaml")))
	require.Equal(t, []string{"trolley"}, i.find("term=rented", 1))
	_, answer := i.send(http.MethodGet, "/api/search/query?term=trolley", nil)
	require.Contains(t, fmt.Sprint(answer), "/c/trolley")
	_, answer = i.send(http.MethodGet, "/api/search/query?types[0]=techdocs", nil)
	require.Equal(t, map[string]any{"results": []any{}, "numberOfResults": 0.0}, answer, "the search page asks for both types")
	i.end()

	i = boot(t, configuration, "--data", data)
	status, answer := i.send(http.MethodGet, "/api/search/query?term=trolley", nil)
	require.Equal(t, http.StatusOK, status)
	require.EqualValues(t, 1, answer["numberOfResults"], "the first question waits until the index is filled")
	i.end()
}

func TestKeepFor(t *testing.T) {
	o, err := jsonvalue.ParseObject([]byte(keptEntity))
	require.NoError(t, err)
	entity := catalog.Entity{Object: o}
	require.Nil(t, keepFor(nil))
	for _, tc := range []struct {
		name   string
		filter []map[string][]string
		want   bool
	}{
		{"a kind, whatever its case", []map[string][]string{{"kind": {"component"}}}, true},
		{"one of some", []map[string][]string{{"kind": {"API", "COMPONENT"}}}, true},
		{"another", []map[string][]string{{"kind": {"API"}}}, false},
		{"all keys", []map[string][]string{{"kind": {"Component"}, "spec.type": {"website"}}}, false},
		{"any of some sets", []map[string][]string{{"kind": {"API"}}, {"spec.type": {"service"}}}, true},
		{"a key that is there", []map[string][]string{{"metadata.annotations.X": nil}}, true},
		{"a key that is not", []map[string][]string{{"metadata.labels.x": nil}}, false},
	} {
		require.Equal(t, tc.want, keepFor(tc.filter)(entity), tc.name)
	}
}

const keptEntity = `{"kind":"Component","metadata":{"name":"a","annotations":{"x":"y"}},"spec":{"type":"service"}}`
