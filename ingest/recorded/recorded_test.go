package recorded_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/recorded"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

func parse(t testing.TB, text string) ([]recorded.Exchange, error) {
	t.Helper()
	docs := yaml.Parse([]byte(text), yaml.Limits{})
	if len(docs) == 0 {
		return recorded.Parse(nil)
	}
	require.NoError(t, docs[0].Err)
	return recorded.Parse(docs[0].Value)
}

func player(t *testing.T, text string) *recorded.Player {
	t.Helper()
	list, err := parse(t, text)
	require.NoError(t, err)
	return recorded.NewPlayer(list)
}

// ask sends a request, and returns the status and the body of the answer.
func ask(t *testing.T, p http.RoundTripper, method, url, body string) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	res, err := p.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode, string(data), nil
}

const some = `
- request: {url: 'https://h/a?x=1&y=2'}
  response: {body: {n: 1}}
- request: {url: 'https://h/a?x=1&y=2'}
  response: {body: two}
- request: {method: post, url: https://h/b, body: {name: x, deep: {a: 1}}}
  response: {status: 201, headers: {Location: https://h/b/1}, base64: AAE=}
- request: {url: https://h/always}
  response: {status: 404}
  repeat: true
- request: {method: PUT, url: https://h/text, body: plain}
  response: {}
`

func TestPlayer(t *testing.T) {
	p := player(t, some)
	for _, c := range []struct {
		method, url, body string
		status            int
		want              string
	}{
		{"GET", "https://H/a?y=2&x=1", "", 200, `{"n":1}`},
		{"GET", "https://h/a?x=1&y=2", "", 200, "two"},
		{"POST", "https://h/b", `{"more":true,"name":"x","deep":{"a":1,"b":2}}`, 201, "\x00\x01"},
		{"GET", "https://h/always", "", 404, ""},
		{"GET", "https://h/always", "", 404, ""},
	} {
		status, body, err := ask(t, p, c.method, c.url, c.body)
		require.NoError(t, err)
		require.Equal(t, c.status, status)
		require.Equal(t, c.want, body)
	}
	require.Empty(t, p.Unmatched())
	require.Len(t, p.Unused(), 1)
	require.Equal(t, "PUT https://h/text", p.Unused()[0].String())

	for _, c := range []struct{ method, url, body, want string }{
		{"GET", "https://h/a?x=1&y=2", "", "GET https://h/a?x=1&y=2"},
		{"DELETE", "https://h/always", "", "recorded is GET"},
		{"PUT", "https://h/text", "other", "the body differs from the recorded one: other"},
		{"GET", "https://h/a", "", "GET https://h/a"},
	} {
		for range 2 {
			_, _, err := ask(t, p, c.method, c.url, c.body)
			require.ErrorContains(t, err, c.want)
		}
	}
	require.Len(t, p.Unmatched(), 4, "each is said once")
}

// A push as git sends it: what is there, then what is to be taken.
func TestPush(t *testing.T) {
	line := strings.Repeat("0", 40) + " " + strings.Repeat("1", 40) + " refs/heads/main\x00 report-status agent=x"
	update := fmt.Sprintf("%04x%s0000PACK", len(line)+4, line)
	p := player(t, "- {push: 'https://h/a/b.git', branch: main}")
	_, body, err := ask(t, p, "GET", "https://h/a/b.git/info/refs?service=git-receive-pack", "")
	require.NoError(t, err)
	require.Contains(t, body, "capabilities^{}")
	require.Len(t, p.Unused(), 1, "to look is not to push")
	_, body, err = ask(t, p, "POST", "https://h/a/b.git/git-receive-pack", update)
	require.NoError(t, err)
	require.Equal(t, "000eunpack ok\n0017ok refs/heads/main\n0000", body)
	require.Empty(t, p.Unused())
	_, _, err = ask(t, p, "GET", "https://h/a/b.git/info/refs?service=git-receive-pack", "")
	require.ErrorContains(t, err, "no recorded exchange")

	p = player(t, "- {push: 'https://h/a/b.git', branch: trunk}")
	_, _, err = ask(t, p, "POST", "https://h/a/b.git/git-receive-pack", update)
	require.ErrorContains(t, err, "the push is to refs/heads/main, recorded is refs/heads/trunk")
	for _, broken := range []string{"", "00", "zzzz", "0003", "ffff0000", "0008aaaa0000"} {
		_, _, err = ask(t, p, "POST", "https://h/a/b.git/git-receive-pack", broken)
		require.ErrorContains(t, err, "cannot be read")
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"a: b":                                "are a list",
		"- x":                                 "exchange 1 is no object",
		"- request: {}":                       "request and response are needed",
		"- {request: {url: x}, response: {}}": "no http or https URL",
		"- {request: {url: 'https://u:p@h/'}, response: {}}":            "no credentials",
		"- {request: {url: 'https://h', header: 1}, response: {}}":      "header is not known",
		"- {request: {url: 'https://h'}, response: {status: 99}}":       "200 to 599",
		"- {request: {url: 'https://h'}, response: {status: ok}}":       "200 to 599",
		"- {request: {url: 'https://h'}, response: {headers: {A: 1}}}":  "response.headers.A",
		"- {request: {url: 'https://h'}, response: {base64: '%'}}":      "no base64",
		"- {push: 'ssh://h/a', branch: x}":                              "no http or https URL",
		"- {push: 'https://h/a', to: x}":                                "to is not known",
		"- {request: {url: 'https://h'}, response: {}}\n- {request: 1}": "exchange 2",
	} {
		_, err := parse(t, text)
		require.ErrorContains(t, err, want, text)
	}
	list, err := parse(t, "")
	require.NoError(t, err)
	require.Empty(t, list)
}

// What was recorded plays as it was, without what is secret.
func TestRecorder(t *testing.T) {
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=hush-hush")
		switch r.URL.Path {
		case "/json":
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			io.WriteString(w, `{"token":"hush-hush","n":1.50}`) //nolint:errcheck // a test
		case "/a.git/info/refs":
			io.WriteString(w, "0000 capabilities^{}\x00x") //nolint:errcheck // a test
		case "/binary":
			w.Write([]byte{0, 1}) //nolint:errcheck // a test
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer host.Close()
	r := recorded.NewRecorder(http.DefaultTransport, []string{"hush-hush", ""})
	for _, path := range []string{"/json?key=hush-hush", "/a.git/info/refs?service=git-receive-pack", "/a.git/git-receive-pack", "/binary", "/none"} {
		_, _, err := ask(t, r, map[bool]string{true: "POST", false: "GET"}[strings.HasSuffix(path, "pack") && !strings.Contains(path, "?")], host.URL+path, "")
		require.NoError(t, err)
	}
	var list []any
	for _, e := range r.Exchanges() {
		list = append(list, e.Object())
	}
	text := string(jsonvalue.Append(nil, list))
	require.NotContains(t, text, "hush-hush")
	require.NotContains(t, text, "session")
	require.Contains(t, text, `{"push":"`+host.URL+`/a.git"}`)
	again, err := recorded.Parse(list)
	require.NoError(t, err)
	require.Len(t, again, 4)
	p := recorded.NewPlayer(again)
	status, body, err := ask(t, p, "GET", host.URL+"/json?key=***", "")
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.Equal(t, `{"token":"***","n":1.5}`, body)
	_, body, err = ask(t, p, "GET", host.URL+"/binary", "")
	require.NoError(t, err)
	require.Equal(t, "\x00\x01", body)
	status, _, err = ask(t, p, "GET", host.URL+"/none", "")
	require.NoError(t, err)
	require.Equal(t, http.StatusTeapot, status)
	host.Close()
	_, _, err = ask(t, r, "GET", host.URL, "")
	require.Error(t, err)
}

// What is read is what is written.
func FuzzParse(f *testing.F) {
	f.Add(some)
	f.Fuzz(func(t *testing.T, text string) {
		docs := yaml.Parse([]byte(text), yaml.Limits{})
		if len(docs) == 0 || docs[0].Err != nil {
			return
		}
		list, err := recorded.Parse(docs[0].Value)
		if err != nil {
			return
		}
		for _, e := range list {
			again, err := recorded.Parse([]any{e.Object()})
			require.NoError(t, err)
			require.Equal(t, e.String(), again[0].String())
			require.Equal(t, string(e.Body), string(again[0].Body))
		}
	})
}
