package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// aliasBomb is a few hundred bytes that stand for a billion scalars.
func aliasBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func named(name string) string { return component("'"+name+"'", "x") }

func annotated(key string) string {
	return strings.Replace(component("keyed", "x"), "{name: keyed,", "{name: keyed, annotations: {'"+key+"': x},", 1)
}

// What hostile sources hold is refused with words, in bounded memory, and
// nothing else is touched by it.
func TestHostileDescriptors(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, component("stolen", "x")) }))
	defer elsewhere.Close()
	label := strings.Repeat("a", 63)
	subdomain := strings.TrimSuffix(strings.Repeat(label+".", 4), ".")[:253]
	cases := []struct {
		name, text string
		want       string // a part of the error; "" where it is fine
	}{
		{"broken YAML", "a: [1\nb: c\n", "YAML error at url:"},
		{"an alias bomb", aliasBomb(), "more than the allowed 500000 nodes"},
		{"nested a hundred thousand deep", strings.Repeat("[", 100_000), "nested deeper than the allowed 256 levels"},
		{"a flow that never ends", "a: " + strings.Repeat("{", 200), "YAML error"},
		{"invalid UTF-8", "a: \xff\xfe", "Invalid UTF-8"},
		{"a NUL", "a: \x00", "must have required property 'apiVersion'"},
		{"sixty thousand documents", strings.Repeat("---\na: b\n", 60_000), "There are 49901 further errors"},
		{"a name of 63 characters", named(strings.Repeat("n", 63)), ""},
		{"a name of 64 characters", named(strings.Repeat("n", 64)), `"metadata.name" is not valid`},
		{"a name of a million characters", named(strings.Repeat("n", 1_000_000)), "Policy check failed for component:default/nnn"},
		{"a key of an annotation at its limit", annotated(subdomain + "/" + label), ""},
		{"a prefix of an annotation over its limit", annotated(subdomain + "a/" + label), "is not valid"},
		{"a name of an annotation over its limit", annotated(label + "a"), "is not valid"},
		{"a name with a line break", named(`a\nb`), "is not valid"},
	}
	mux := http.NewServeMux()
	for i, c := range cases {
		mux.HandleFunc(fmt.Sprintf("/%d.yaml", i), func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.text) })
	}
	mux.HandleFunc("/good.yaml", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, component("good", "x")) })
	mux.HandleFunc("/large.yaml", func(w http.ResponseWriter, _ *http.Request) {
		line := []byte(strings.Repeat("# nothing\n", 1000))
		for range 100 << 20 / len(line) {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/out.yaml", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) })
	files := httptest.NewServer(mux)
	defer files.Close()
	host, err := url.Parse(files.URL)
	require.NoError(t, err)
	i := boot(t, strings.Replace(baseConfig, "127.0.0.1:1-65535", host.Host, 1), "--data", t.TempDir())
	register := func(path, query string) (int, string) {
		status, answer := i.send(http.MethodPost, "/api/catalog/locations"+query, map[string]string{"type": "url", "target": files.URL + path})
		message, _ := answer["error"].(map[string]any)
		text, _ := message["message"].(string)
		return status, text
	}
	status, _ := register("/good.yaml", "")
	require.Equal(t, http.StatusCreated, status)
	good := i.until("component/default/good", served)

	check := func(t *testing.T, path, want string) {
		status, message := register(path, "?dryRun=true")
		if want == "" {
			require.Equal(t, http.StatusCreated, status, message)
			return
		}
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, message, want)
		require.Less(t, len(message), 100_000)
		status, _ = register(path, "")
		require.Equal(t, http.StatusCreated, status, "what is at a location is not looked at when it is registered")
	}
	for n, c := range cases {
		t.Run(c.name, func(t *testing.T) { check(t, fmt.Sprintf("/%d.yaml", n), c.want) })
	}
	t.Run("100 MB", func(t *testing.T) { check(t, "/large.yaml", "larger than 10485760 bytes") })
	t.Run("a redirect to a host that is not allowed", func(t *testing.T) { check(t, "/out.yaml", "is not allowed") })

	_, again := i.send(http.MethodGet, "/api/catalog/entities/by-name/component/default/good", nil)
	require.Equal(t, good, again)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	require.Less(t, memory.HeapSys, uint64(1<<30), "memory is bounded")
	i.end()
}

// Requests that make no sense are answered with what is wrong with them.
func TestHostileRequests(t *testing.T) {
	i := boot(t, baseConfig, "--data", t.TempDir())
	terms := strings.TrimSuffix(strings.Repeat("spec.type=a,", 10_000), ",")
	refs := make([]string, 20_000)
	for n := range refs {
		refs[n] = "component:default/a"
	}
	cases := []struct {
		name, method, path string
		body               any
		status             int
		want               string
	}{
		{"a filter with 10,000 terms", "GET", "/api/catalog/entities/by-query?filter=" + url.QueryEscape(terms), nil, 200, ""},
		{"a header that is larger than a server takes", "GET", "/api/catalog/entities/by-query?filter=" + strings.Repeat("a", 2<<20), nil, 431, ""},
		{"a body that is too large", "POST", "/api/catalog/entities/by-refs", map[string]any{"entityRefs": refs}, 400, "request entity too large"},
		{"a cursor that is no base64", "GET", "/api/catalog/entities/by-query?cursor=%21", nil, 400, "Malformed cursor"},
		{"a cursor that is no JSON", "GET", "/api/catalog/entities/by-query?cursor=aGVsbG8=", nil, 400, "Malformed cursor"},
		{"a cursor of a list", "GET", "/api/catalog/entities/by-query?cursor=W10=", nil, 400, "Malformed cursor"},
		{"a limit without end", "GET", "/api/catalog/entities/by-query?limit=1e99", nil, 200, ""},
		{"a limit that is none", "GET", "/api/catalog/entities/by-query?limit=many", nil, 400, "must be integer"},
		{"a predicate that is nested too deep", "POST", "/api/catalog/entities/by-query", nestedNot(5000), 400, ""},
		{"an uid that is none", "GET", "/api/catalog/entities/by-uid/%00", nil, 404, ""},
		{"a path that is no text", "GET", "/api/catalog/entities/by-name/a/b/%ff", nil, 400, "malformed uri"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, answer := i.send(c.method, c.path, c.body)
			require.Equal(t, c.status, status, answer)
			require.Contains(t, fmt.Sprint(answer), c.want)
		})
	}
	status, _ := i.send(http.MethodGet, "/.backstage/health/v1/readiness", nil)
	require.Equal(t, http.StatusOK, status)
	i.end()
}

func nestedNot(depth int) any {
	var p any = map[string]any{"kind": "a"}
	for range depth {
		p = map[string]any{"$not": p}
	}
	return map[string]any{"query": p}
}
