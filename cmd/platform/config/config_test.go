package config_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// files writes files into a new folder and returns it.
func files(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// load reads the text as the one configuration file.
func load(t *testing.T, text string, vars map[string]string) *config.Config {
	t.Helper()
	c, err := config.Load(config.Sources{Dir: files(t, map[string]string{"app-config.yaml": text}), Env: env(vars)})
	require.NoError(t, err)
	return c
}

func TestWhichFilesAreRead(t *testing.T) {
	all := map[string]string{
		"app-config.yaml":            "a: base\nb: base\nc: base\nd: base\ne: base",
		"app-config.prod.yaml":       "b: prod\nc: prod\nd: prod\ne: prod",
		"app-config.local.yaml":      "c: local\nd: local\ne: local",
		"app-config.prod.local.yaml": "d: prodlocal\ne: prodlocal",
		"other.yaml":                 "e: other",
	}
	cases := []struct {
		name  string
		env   map[string]string
		files []string
		want  string // the values of a to e
	}{
		{"base and local without a word", nil, nil, "base base local local local"},
		{"an environment comes before local, its local file after", map[string]string{"BACKSTAGE_ENV": "prod"}, nil,
			"base prod local prodlocal prodlocal"},
		{"a list of environments, one of which has no files", map[string]string{"BACKSTAGE_ENV": "none, prod"}, nil,
			"base prod local prodlocal prodlocal"},
		{"a named file switches all others off", map[string]string{"BACKSTAGE_ENV": "prod"}, []string{"other.yaml"}, "- - - - other"},
		{"named files in their order", nil, []string{"other.yaml", "app-config.yaml"}, "base base base base base"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := config.Load(config.Sources{Dir: files(t, all), Files: c.files, Env: env(c.env)})
			require.NoError(t, err)
			var values []string
			for _, key := range []string{"a", "b", "c", "d", "e"} {
				text, err := got.At(key).Text()
				if err != nil {
					text = "-"
				}
				values = append(values, text)
			}
			require.Equal(t, c.want, strings.Join(values, " "))
		})
	}
}

func TestWhatCannotBeLoaded(t *testing.T) {
	deep := strings.Repeat("{a: ", 70) + "1" + strings.Repeat("}", 70)
	cases := []struct{ name, file, text, want string }{
		{"no file at all", "x.yaml", "", "there is no "},
		{"broken YAML", "app-config.yaml", "a: [1\nb: 2", "app-config.yaml"},
		{"two documents", "app-config.yaml", "a: 1\n---\nb: 2", "2 YAML documents"},
		{"a list at the root", "app-config.yaml", "- a", "expected an object at root, got array"},
		{"an include beside other keys", "app-config.yaml", "a: {$file: x, b: 1}", "must be the only key"},
		{"an include that is no string", "app-config.yaml", "a: {$file: [x]}", "needs a string"},
		{"an include of an unknown kind", "app-config.yaml", "a: {$web: x}", "not one of $env, $file, $include"},
		{"an included file that is not there", "app-config.yaml", "a: {$file: gone.txt}", "gone.txt"},
		{"an included file of no known format", "app-config.yaml", "a: {$include: x.toml}", ".json, .yaml or .yml"},
		{"a fragment that leads nowhere", "app-config.yaml", "a: {$include: 'app-config.yaml#b.c'}", "no value at b.c"},
		{"a file that includes itself", "app-config.yaml", "a: {$include: app-config.yaml}", "or includes itself"},
		{"an undefined variable in the name of a file", "app-config.yaml", "a: {$file: '${NOPE}/x'}", "not defined"},
		{"objects too deep in each other", "app-config.yaml", deep, "levels deep"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(config.Sources{Dir: files(t, map[string]string{c.file: c.text})})
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n", "an error is one line")
		})
	}
	t.Run("an address for a file", func(t *testing.T) {
		_, err := config.Load(config.Sources{Files: []string{"https://example.com/app-config.yaml"}})
		require.ErrorContains(t, err, "not from URLs")
	})
	t.Run("a file without end", func(t *testing.T) {
		_, err := config.Load(config.Sources{Files: []string{"/dev/zero"}})
		require.ErrorContains(t, err, "larger than")
	})
}

func TestTransforms(t *testing.T) {
	vars := map[string]string{"NAME": " cart ", "EMPTY": "", "FILE": "secret.txt"}
	dir := files(t, map[string]string{
		"app-config.yaml": `
plain: "${NAME}-api"
blanks: "${ NAME }"
two: "${NAME}/${NAME}"
fallback: "${NOPE:-x}"
emptyFallback: "${EMPTY:-x}"
noFallback: "${NOPE:-}"
escaped: "$${NAME}"
gone: "a ${NOPE} b"
list: ["${NOPE}", "${NAME}"]
env: {$env: NAME}
noEnv: {$env: NOPE}
file: {$file: "sub/${FILE}"}
include: {$include: "sub/part.yaml#deep.list"}
json: {$include: sub/part.json}
number: 3
`,
		"sub/secret.txt": "hush ${NAME}\n\n",
		"sub/part.yaml":  "deep: {list: ['${NAME}', {$file: secret.txt}]}",
		"sub/part.json":  `{"n": 1, "gone": "${NOPE}"}`,
	})
	c, err := config.Load(config.Sources{Dir: dir, Env: env(vars)})
	require.NoError(t, err)
	cases := []struct {
		key  string
		want any
		why  string
	}{
		{"plain", "cart-api", "values are trimmed"},
		{"blanks", "cart", "blanks around the name do not count"},
		{"two", "cart/cart", "several in one string"},
		{"fallback", "x", "for what is not set"},
		{"emptyFallback", "x", "for what is set and empty"},
		{"noFallback", nil, "an empty fallback is none"},
		{"escaped", "${NAME}", "two dollars stand for one"},
		{"gone", nil, "an undefined variable takes the key with it"},
		{"list", []any{"cart"}, "and the element of an array"},
		{"env", "cart", ""},
		{"noEnv", nil, ""},
		{"file", "hush ${NAME}", "the text of a file is left alone but for blanks at its end"},
		{"include", []any{"cart", "hush ${NAME}"}, "what is included is transformed, relative to its own folder"},
		{"json", map[string]any{"n": 1.0}, ""},
		{"number", 3.0, ""},
	}
	for _, tc := range cases {
		require.Equal(t, tc.want, c.At(tc.key).Plain(), "%s: %s", tc.key, tc.why)
	}
}

func TestMerging(t *testing.T) {
	dir := files(t, map[string]string{
		"a.yaml": "o: {x: 1, y: {z: 2}, list: [1, 2]}\nproxy: {'/labrador': {target: t}}\nkept: 1\nscalar: {a: 1}",
		"b.yaml": "o: {y: {w: 3}, list: [3]}\nproxy:\nscalar: 5",
		"c.yaml": "o: {x: null}\nscalar: {b: 2}",
	})
	c, err := config.Load(config.Sources{Dir: dir, Files: []string{"a.yaml", "b.yaml", "c.yaml"}})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"y": map[string]any{"z": 2.0, "w": 3.0}, "list": []any{3.0}}, c.At("o").Plain(),
		"objects merge, arrays are replaced, null deletes")
	require.False(t, c.At("proxy").Exists(), "an empty section deletes what stood before")
	require.True(t, c.At("kept").Exists())
	require.Equal(t, map[string]any{"b": 2.0}, c.At("scalar").Plain(), "a scalar hides the object before it for good")
}

func TestVariablesOverFiles(t *testing.T) {
	dir := files(t, map[string]string{"app-config.yaml": "backend: {listen: {port: 1, host: h}, baseUrl: u}"})
	read := func(environ ...string) (*config.Config, error) {
		return config.Load(config.Sources{Dir: dir, Environ: environ})
	}
	c, err := read("APP_CONFIG_backend_listen_port=8080", "APP_CONFIG_backend_baseUrl=http://x",
		`APP_CONFIG_catalog={"rules":[{"allow":["A"]}]}`, "PATH=/bin", "APP_CONFIG_word=${NOT}")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"listen": map[string]any{"port": 8080.0, "host": "h"}, "baseUrl": "http://x"}, c.At("backend").Plain())
	require.True(t, c.At("catalog.rules").IsArray())
	require.Equal(t, "${NOT}", c.At("word").Plain(), "variables are not transformed")

	_, err = read("APP_CONFIG_a=null")
	require.ErrorContains(t, err, "APP_CONFIG_a: null is not allowed")
	_, err = read("APP_CONFIG_a__b=1")
	require.ErrorContains(t, err, "APP_CONFIG_a__b")
}

func TestReadingValues(t *testing.T) {
	c := load(t, "n: '12'\nbad: x\nempty: ''\no: {k: [a, b]}\nyes: Yes\none: 1\nzero: '0'\ntwo: 2\nl: [1]", nil)
	n, err := c.At("n").Number()
	require.NoError(t, err)
	require.InDelta(t, 12, n, 0)
	for key, want := range map[string]bool{"yes": true, "one": true, "zero": false} {
		got, err := c.At(key).Bool()
		require.NoError(t, err, key)
		require.Equal(t, want, got, key)
	}
	list, err := c.At("o.k").Texts()
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, list)

	faults := []struct {
		name string
		read func() error
		want string
	}{
		{"an object for a string", func() error { _, err := c.At("o").Text(); return err },
			"Invalid type in config for key 'o' in 'app-config.yaml', got object, wanted string"},
		{"an empty string", func() error { _, err := c.At("empty").Text(); return err },
			"Invalid type in config for key 'empty' in 'app-config.yaml', got empty-string, wanted string"},
		{"nothing", func() error { _, err := c.At("o.none").Text(); return err },
			"Missing required config value at 'o.none' in 'app-config.yaml'"},
		{"a word for a number", func() error { _, err := c.At("bad").Number(); return err }, "'x' is not a number"},
		{"a word for a boolean", func() error { _, err := c.At("bad").Bool(); return err }, "'x' is not a boolean"},
		{"two for a boolean", func() error { _, err := c.At("two").Bool(); return err }, "got number, wanted boolean"},
		{"an object for an array", func() error { _, err := c.At("o").Items(); return err }, "got object, wanted array"},
		{"a number in a list of strings", func() error { _, err := c.At("l").Texts(); return err },
			"Invalid type in config for key 'l[0]' in 'app-config.yaml', got number, wanted string"},
		{"a word for a duration", func() error { _, err := c.At("bad").Duration(); return err }, "'x' is not a duration"},
		{"a unit that is none", func() error { _, err := c.At("o").Duration(); return err }, "'k' is not a unit"},
	}
	for _, f := range faults {
		require.ErrorContains(t, f.read(), f.want, f.name)
	}
}

func TestDurations(t *testing.T) {
	cases := []struct {
		text string
		want time.Duration
	}{
		{"{minutes: 5}", 5 * time.Minute},
		{"{hours: 1, seconds: '30'}", time.Hour + 30*time.Second},
		{"{milliseconds: 1.5}", 1500 * time.Microsecond},
		{"PT5M", 5 * time.Minute},
		{"P1DT2H", 26 * time.Hour},
		{"PT0.5S", 500 * time.Millisecond},
		{"P2W", 14 * 24 * time.Hour},
		{"5m", 5 * time.Minute},
		{"2 seconds", 2 * time.Second},
		{"1.5h", 90 * time.Minute},
		{"100ms", 100 * time.Millisecond},
		{"3 weeks", 21 * 24 * time.Hour},
		{"1y", 365 * 24 * time.Hour},
	}
	for _, c := range cases {
		got, err := load(t, "d: "+c.text, nil).At("d").Duration()
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
	}
	for _, text := range []string{"P", "PT", "5", "5 lightyears", "{}", "{minutes: x}", "7", "''", "PT5"} {
		_, err := load(t, "d: "+text, nil).At("d").Duration()
		require.Error(t, err, text)
	}
	ms, err := load(t, "d: 250", nil).At("d").Milliseconds()
	require.NoError(t, err)
	require.Equal(t, 250*time.Millisecond, ms)
	huge, err := load(t, "d: {years: 1e300}", nil).At("d").Duration()
	require.NoError(t, err)
	require.Positive(t, huge, "too large a number is the largest duration, not a negative one")
}

func TestSecretsAreNotWritten(t *testing.T) {
	c := load(t, `
integrations: {github: [{token: "ghp_se\"cret"}]}
backend: {auth: {externalAccess: [{type: static, options: {token: token-of-ci, subject: ci}}]}, cors: {credentials: true}}
proxy: {endpoints: {/x: {headers: {Authorization: "Bearer abcdef"}}}}
app: {title: Not a secret, short: {password: abc}}
`, nil)
	var out bytes.Buffer
	w := config.Redact(&out, c.Secrets())
	line := `{"a":"ghp_se\"cret","b":"token-of-ci","c":"Bearer abcdef","d":"Not a secret ci abc true"}`
	n, err := w.Write([]byte(line))
	require.NoError(t, err)
	require.Len(t, line, n, "the writer takes all of what it was given")
	require.Equal(t, `{"a":"***","b":"***","c":"***","d":"Not a secret ci abc true"}`, out.String())
}

// What is a secret by its look is not written either, wherever it came from.
func TestWhatLooksLikeASecretIsNotWritten(t *testing.T) {
	const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1c2VyOmRlZmF1bHQvYWRhIn0.c2lnbmF0dXJl-_x"
	for _, c := range []struct{ name, line, want string }{
		{"a token of a user", "token " + jwt + " is expired", "token *** is expired"},
		{"one in JSON", `{"token":"` + jwt + `"}`, `{"token":"***"}`},
		{"a limited one in a cookie", "backstage-auth=" + jwt + "; Path=/", "backstage-auth=***; Path=/"},
		{"an unsigned one", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "***"},
		{"a header", "Authorization: Bearer abcdefghijklmnopqrstuvwxyz=", "Authorization: Bearer ***"},
		{"a header in another case", "authorization: BASIC dXNlcjpwYXNzd29yZA==", "authorization: BASIC ***"},
		{"a word about headers", "Bearer authentication is needed", "Bearer authentication is needed"},
		{"GitHub", "ghp_abcdefghijklmnopqrstuvwxyz0123456789 and github_pat_11ABCDEFG0123456789_abc", "*** and ***"},
		{"GitLab", "token=glpat-abcdefghij0123456789", "token=***"},
		{"a password in a URL", "GET https://jane:hunter2@host/x and postgres://u:p@db", "GET https://***@host/x and postgres://***@db"},
		{"a user in a URL", "ssh://git@host:22/a/b", "ssh://git@host:22/a/b"},
		{"a port and an address", `"http://host:80/a","jane@example.com"`, `"http://host:80/a","jane@example.com"`},
		{"what is no token", "eyJ.a.b component:default/eyJ ghp_short", "eyJ.a.b component:default/eyJ ghp_short"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			n, err := config.Redact(&out, nil).Write([]byte(c.line))
			require.NoError(t, err)
			require.Len(t, c.line, n)
			require.Equal(t, c.want, out.String())
		})
	}
}

func BenchmarkRedact(b *testing.B) {
	w := config.Redact(io.Discard, []string{"the-first-secret", "the-second-secret", "the-third-secret"})
	line := []byte(`time=2026-11-26T14:00:00.000Z level=INFO msg=request type=incomingRequest method=GET url="/api/catalog/entities/by-query?filter=kind%3Dcomponent&limit=20" status=200 http_version=HTTP/1.1 user_agent="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36" referrer=http://localhost:3000/catalog content_length=12345 took=1.2ms`)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = w.Write(line)
	}
}
