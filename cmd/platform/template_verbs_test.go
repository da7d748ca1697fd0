package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
	"github.com/greenroom-idp/greenroom/scaffolder/templatetest"
)

// samples is where the sample templates are, from this folder.
const samples = "../../testdata/templates"

// copySamples copies the sample templates to a folder that a test may change.
func copySamples(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "templates")
	require.NoError(t, os.CopyFS(dir, os.DirFS(samples)))
	return dir
}

// Every command that README.md and docs/templates.md print for the four verbs
// works as it is printed, from the root of the checkout.
func TestPrintedTemplateCommands(t *testing.T) {
	t.Chdir("../..")
	command := regexp.MustCompile(`(?m)^    bin/platform (template .*)$`)
	seen := map[string]int{}
	for _, file := range []string{"README.md", "docs/templates.md"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range command.FindAllStringSubmatch(string(text), -1) {
			args := strings.Fields(m[1])
			stdout, stderr, err := try(t, args...)
			if m[1] == "template lint testdata/templates" { // the broken one is among them
				require.ErrorIs(t, err, errReported)
				require.Contains(t, string(text), strings.Split(stdout, "\n")[4]+"\n        "+strings.TrimSpace(strings.Split(stdout, "\n")[5]),
					"the finding that is shown is one that is found")
			} else {
				require.NoError(t, err, "%s: %s\n%s%s", file, m[1], stdout, stderr)
			}
			seen[args[1]]++
		}
	}
	for _, k := range lint.Kinds() {
		require.Contains(t, mustRead(t, "docs/templates.md"), "`"+string(k.Code)+"`")
	}
	for _, v := range templateVerbs() {
		require.Equal(t, 2, seen[v.name], "README.md and docs/templates.md show %s", v.name)
	}
}

// The broken sample has what its findings say, and nothing else is found.
func TestTemplateLintVerb(t *testing.T) {
	stdout, _, err := try(t, "template", "lint", "--output", "json", samples)
	require.ErrorIs(t, err, errReported)
	var report struct {
		Findings []struct {
			Code, Level, File string
			Line              int
		}
		Summary map[string]int
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Equal(t, map[string]int{"templates": 3, "errors": 7, "warnings": 1, "notes": 0}, report.Summary)
	for _, f := range report.Findings {
		require.Contains(t, f.File, "broken/")
	}
	stdout, _, err = try(t, "template", "lint", samples, "--output=sarif") // flags may stand behind
	require.ErrorIs(t, err, errReported)
	require.Contains(t, stdout, `"version": "2.1.0"`)

	foreign := writeFile(t, t.TempDir(), "template.yaml", "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: t}\nspec: {type: x, steps: [{action: 'acme:x', input: {a: '${{ 1 | slug }}'}}]}\n")
	stdout, _, err = try(t, "template", "lint", foreign)
	require.NoError(t, err, "warnings are no errors")
	require.Contains(t, stdout, "2 warnings")
	stdout, _, err = try(t, "template", "lint", "--action", "acme:*", "--filter", "slug", foreign)
	require.NoError(t, err)
	require.Equal(t, "1 template: 0 errors, 0 warnings, 0 notes\n", stdout)
}

// What cannot be done says what to do, in one line, with the status for it.
func TestTemplateCommandLines(t *testing.T) {
	dir := t.TempDir()
	good := writeFile(t, dir, "good/template.yaml", "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: t}\nspec: {type: x, steps: [], parameters: {required: [a], properties: {a: {type: number, default: 1}}}}\n")
	writeFile(t, dir, "two/a.yaml", strings.Replace(mustRead(t, good), "name: t", "name: a", 1))
	writeFile(t, dir, "two/template.yaml", mustRead(t, good))
	writeFile(t, dir, "none/a.yaml", "kind: Component")
	list, broken, empty, number := writeFile(t, dir, "list.yaml", "- a"), writeFile(t, dir, "broken.yaml", "a: b: c"), writeFile(t, dir, "empty.yaml", ""), writeFile(t, dir, "number.yaml", "a: 1")
	writeFile(t, dir, "bad-case/template.yaml", mustRead(t, good))
	writeFile(t, dir, "bad-case/tests/x/case.yaml", "vales: {a: 1}")
	writeFile(t, dir, "bad-exchanges/template.yaml", mustRead(t, good))
	writeFile(t, dir, "bad-exchanges/tests/x/case.yaml", "values: {a: 1}")
	writeFile(t, dir, "bad-exchanges/tests/x/exchanges.yaml", "- {request: {uri: x}, response: {}}")
	writeFile(t, dir, "bad-expected/template.yaml", mustRead(t, good))
	writeFile(t, dir, "bad-expected/tests/x/case.yaml", "values: {a: 1}")
	writeFile(t, dir, "bad-expected/tests/x/expected.yaml", "steps: {a: done}")
	writeFile(t, dir, "ssh/template.yaml", mustRead(t, good))
	writeFile(t, dir, "ssh/tests/x/case.yaml", "{values: {a: 1}, integrations: {git: [{host: git.example.com, ssh: {privateKey: key, knownHosts: 'git.example.com ssh-ed25519 AAAA'}}]}}")
	writeFile(t, dir, "bad-hosts/template.yaml", mustRead(t, good))
	writeFile(t, dir, "bad-hosts/tests/x/case.yaml", "{values: {a: 1}, integrations: {github: x}}")
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, 2, "help template"},
		{[]string{"lnt"}, 2, `there is no "lnt"`},
		{[]string{"lint"}, 2, "name a template"},
		{[]string{"lint", "--output", "xml", good}, 2, "text, json, sarif"},
		{[]string{"lint", "--action", "[", good}, 2, "no glob"},
		{[]string{"lint", at("none")}, 2, "kind: Template"},
		{[]string{"lint", at("nope")}, 2, "no such file"},
		{[]string{"lint", "--config", at("nope"), good}, 1, "nope"},
		{[]string{"run"}, 2, "name one template"},
		{[]string{"run", at("two")}, 2, "holds 2 templates"},
		{[]string{"run", good, "--values", at("nope")}, 2, "--values"},
		{[]string{"run", good, "--values", list}, 1, "must hold one object"},
		{[]string{"run", good, "--values", broken}, 1, "broken.yaml:1:4"},
		{[]string{"run", good, "--values", empty}, 1, "is empty"},
		{[]string{"run", good, "--values", number, "--secrets", number}, 1, "put it into quotes"},
		{[]string{"run", good, "--values", number, "--entities", number}, 1, "has no kind"},
		{[]string{"run", good, "--values", number, "--entities", list}, 1, "document 1 is no object"},
		{[]string{"run", good, "--values", number, "--user", "user:"}, 2, "--user"},
		{[]string{"run", good, "--values", number, "--output-dir", dir}, 2, "is not empty"},
		{[]string{"run", good, "--values", number, "--output-dir", good}, 2, "--output-dir"},
		{[]string{"dry-run", good, "--values", number, "--diff-against", at("nope")}, 2, "--diff-against"},
		{[]string{"test"}, 2, "name a template"},
		{[]string{"test", good}, 2, "case.yaml"},
		{[]string{"test", samples, "--run", "nope"}, 2, "there are no cases"},
		{[]string{"test", samples, "--run", "["}, 2, "no glob"},
		{[]string{"test", samples, "--output", "xml"}, 2, "text, json, junit"},
		{[]string{"test", samples, "--record"}, 2, "--record needs --config"},
		{[]string{"test", at("bad-case")}, 1, "did you mean values?"},
		{[]string{"test", at("bad-exchanges")}, 1, "exchange 1: uri is not known"},
		{[]string{"test", at("bad-expected")}, 1, "completed, skipped or failed"},
		{[]string{"test", at("ssh")}, 1, "use https"},
		{[]string{"test", at("bad-hosts")}, 1, "integrations"},
	} {
		_, _, err := try(t, append([]string{"template"}, c.args...)...)
		require.Error(t, err, c.args)
		require.ErrorContains(t, err, c.want, c.args)
		require.Equal(t, c.status, exitStatus(err), "%v: %s", c.args, err)
	}
	for _, args := range [][]string{{"help", "template"}, {"template", "lint", "--help"}, {"template", "test", "-h"}} {
		stdout, _, err := try(t, args...)
		require.NoError(t, err)
		require.Contains(t, stdout, "Usage: platform template")
	}
	stdout, _, err := try(t, "template", "run", good)
	require.ErrorIs(t, err, errReported)
	require.Contains(t, stdout, `requires property "a"`)
	require.Contains(t, stdout, "use --defaults")
	_, _, err = try(t, "template", "run", good, "--defaults")
	require.NoError(t, err)
	text := writeFile(t, dir, "text.yaml", "b: 1\na: text\n")
	stdout, _, err = try(t, "template", "run", good, "--values", text)
	require.ErrorIs(t, err, errReported)
	require.Contains(t, stdout, text+":2:4: a is not of a type(s) number\n")
	stdout, _, err = try(t, "template", "run", empty)
	require.ErrorIs(t, err, errReported)
	require.Contains(t, stdout, "the file is empty")
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func TestTemplateDryRunVerb(t *testing.T) {
	dir, into := filepath.Join(samples, "service"), filepath.Join(t.TempDir(), "out")
	values := filepath.Join(dir, "values.yaml")
	stdout, stderr, err := try(t, "template", "dry-run", dir, "--values", values, "--user", "jane")
	require.NoError(t, err, stdout)
	require.Contains(t, stdout, "[publish] Skipping because publish:github does not support dry-run\n")
	require.Contains(t, stdout, "  run.sh (", "files are listed")
	require.Contains(t, stdout, ", executable)")
	require.NotContains(t, stdout, "\x1b", "there is no terminal")
	require.Contains(t, stderr, "note: user:default/jane is not among the entities")

	stdout, _, err = try(t, "template", "dry-run", dir, "--values", values, "--output-dir", into)
	require.NoError(t, err)
	require.Contains(t, stdout, "5 files are in "+into)
	require.Equal(t, mustRead(t, filepath.Join(dir, "tests/publishes/expected/README.md")), mustRead(t, filepath.Join(into, "README.md")))
	info, err := os.Stat(filepath.Join(into, "run.sh"))
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100)

	stdout, stderr, err = try(t, "template", "dry-run", dir, "--values", values, "--diff-against", into)
	require.NoError(t, err)
	require.Empty(t, stdout, "nothing differs")
	require.Contains(t, stderr, "Finished step Render the skeleton")
	writeFile(t, into, "README.md", "# parcel-tracking\n")
	stdout, _, err = try(t, "template", "dry-run", dir, "--values", values, "--diff-against", into)
	require.NoError(t, err)
	require.Equal(t, "--- a/README.md\n+++ b/README.md\n@@ -1 +1,3 @@\n # parcel-tracking\n+\n+A service of rentals, in the repository parcel-tracking.\n", stdout)
}

// What a server keeps silent about is said here.
func TestUnrenderedStringsAreNamed(t *testing.T) {
	stdout, stderr, err := try(t, "template", "dry-run", filepath.Join(samples, "docs-page"), "--values", writeFile(t, t.TempDir(), "v.yaml", "title: x"))
	require.NoError(t, err, stdout)
	require.Contains(t, stderr, "note: step say: input.message could not be rendered and stayed as it is: line 1, column 43: filter join: needs an array")
}

func TestTemplateRunThatFails(t *testing.T) {
	file := writeFile(t, t.TempDir(), "t.yaml", `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: t}
spec:
  type: x
  steps:
    - {id: log, action: debug:log, input: {message: 'the secret is ${{ secrets.word }}'}}
    - {id: fail, action: fetch:plain, input: {url: ./nothing}}
    - {id: after, if: '${{ failure() }}', action: debug:log, input: {message: cleaning up}}
`)
	secrets := writeFile(t, t.TempDir(), "s.yaml", "word: hush-hush")
	stdout, stderr, err := try(t, "template", "run", file, "--secrets", secrets)
	require.ErrorContains(t, err, "the template failed: url: there is no nothing in the folder of the template")
	require.Equal(t, 1, exitStatus(err))
	require.Contains(t, stdout, "[after] info: cleaning up")
	require.NotContains(t, stdout+stderr, "hush-hush")
}

// A signal ends the step that runs.
func TestTemplateRunEnds(t *testing.T) {
	file := writeFile(t, t.TempDir(), "t.yaml", "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: t}\nspec: {type: x, steps: [{id: w, action: 'debug:wait', input: {minutes: 9}}]}\n")
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	out := &cancelling{cancel: cancel}
	err := run(ctx, []string{"template", "run", file}, out, out)
	require.ErrorContains(t, err, "has been cancelled")
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	require.Empty(t, left, "nothing remains")
}

// cancelling is an output that cancels when the first step begins.
type cancelling struct{ cancel func() }

func (c *cancelling) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "Beginning step") {
		c.cancel()
	}
	return len(p), nil
}

// forgeConfig is a configuration for a double of GitHub.
func forgeConfig(t *testing.T, github *forgetest.GitHub) string {
	t.Helper()
	return writeFile(t, t.TempDir(), "app-config.yaml", "backend: {baseUrl: 'http://localhost:1'}\nintegrations:\n  github:\n    - {host: '"+github.Host()+"', apiBaseUrl: '"+github.API()+"', token: of-github}\n")
}

// The sample publishes for real, and what it pushed can be cloned.
func TestTemplateRunPublishes(t *testing.T) {
	github := forgetest.NewGitHub(t)
	github.AddToken("of-github")
	_, err := github.CreateRepository(forgetest.Repository{FullName: "acme/there", Visibility: forgetest.Private})
	require.NoError(t, err)
	values := writeFile(t, t.TempDir(), "v.yaml", "{name: parcel-tracking, owner: 'group:default/rentals', repoUrl: '"+github.Host()+"?owner=acme&repo=parcel-tracking'}")
	stdout, stderr, err := try(t, "template", "run", filepath.Join(samples, "service"), "--values", values, "--config", forgeConfig(t, github))
	require.NoError(t, err, stdout)
	require.Contains(t, stdout, "entityRef: component:default/parcel-tracking")
	require.Contains(t, stderr, "note: there is no server to register")
	require.NotContains(t, stdout+stderr, "of-github")
	show := exec.Command("git", "show", "main:src/parcel-tracking/main.py")
	show.Dir = github.GitDir("acme/parcel-tracking")
	text, err := show.Output()
	require.NoError(t, err)
	require.Contains(t, string(text), "parcel-tracking is there")
}

// Cases are recorded from a real exchange, and play without it.
func TestTemplateTestRecords(t *testing.T) {
	github := forgetest.NewGitHub(t)
	github.AddToken("of-github")
	_, err := github.CreateRepository(forgetest.Repository{FullName: "acme/there", Visibility: forgetest.Private})
	require.NoError(t, err)
	dir := copySamples(t)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "service/tests")))
	test := filepath.Join(dir, "service/tests/recorded")
	writeFile(t, test, "case.yaml", "values: {name: parcel-tracking, owner: 'group:default/rentals', repoUrl: '"+github.Host()+"?owner=acme&repo=parcel-tracking'}\n"+
		"integrations: {github: [{host: '"+github.Host()+"', apiBaseUrl: '"+github.API()+"', token: another}]}\n")
	stdout, _, err := try(t, "template", "test", dir, "--record", "--config", forgeConfig(t, github), "--run", "recorded")
	require.NoError(t, err, stdout)
	exchanges := mustRead(t, filepath.Join(test, "exchanges.yaml"))
	require.Contains(t, exchanges, "push: "+github.URL()+"/acme/parcel-tracking.git")
	require.NotContains(t, exchanges, "of-github")
	before := github.Requests()
	for range 2 {
		stdout, _, err = try(t, "template", "test", dir, "--run", "recorded")
		require.NoError(t, err, stdout)
	}
	require.Equal(t, before, github.Requests(), "nothing was asked")

	// What differs is shown.
	writeFile(t, dir, "service/skeleton/README.md", "# ${{ values.name }}\n")
	expected := filepath.Join(test, "expected.yaml")
	require.NoError(t, os.WriteFile(expected, []byte(strings.Replace(mustRead(t, expected), "publish: completed", "publish: skipped", 1)+"log: [Created the repository, no such line]\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(test, "exchanges.yaml"), []byte(strings.Replace(exchanges, "/users/acme", "/users/emca", 1)+"- request: {url: 'https://example.com/x'}\n  response: {}\n"), 0o600))
	stdout, _, err = try(t, "template", "test", dir, "--run", "recorded")
	require.ErrorIs(t, err, errReported)
	require.Contains(t, stdout, "a call to a host is not recorded: GET "+github.API()+"/users/acme")
	require.Contains(t, stdout, "the run fails: look up the owner acme")
	require.NoError(t, os.WriteFile(filepath.Join(test, "exchanges.yaml"), []byte(exchanges+"- request: {url: 'https://example.com/x'}\n  response: {}\n"), 0o600))
	stdout, _, err = try(t, "template", "test", dir, "--run", "recorded", "--output", "json")
	require.ErrorIs(t, err, errReported)
	for _, part := range []string{"an exchange is recorded and was not asked for: GET https://example.com/x", "step publish is completed, expected is skipped",
		"no line of the log has no such line", "--- expected/README.md", "-A service of rentals"} {
		require.Contains(t, stdout, part)
	}
}

// Pushes to every kind of host are answered from exchanges, and the hashes of
// commits are the same every time.
func TestTemplateTestOfOtherHosts(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "template.yaml", `apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: t}
spec:
  type: x
  steps:
    - {id: write, action: 'catalog:write', input: {entity: {apiVersion: backstage.io/v1alpha1, kind: Component, metadata: {name: a}}}}
    - {id: gitlab, action: 'publish:gitlab', input: {repoUrl: 'gitlab.com?owner=acme&repo=shop'}}
    - {id: git, action: 'publish:git', input: {remoteUrl: 'https://github.com/acme/other.git'}}
    - {id: tell, action: 'notification:send', input: {recipients: broadcast, title: done}}
  output: {lab: '${{ steps.gitlab.output.remoteUrl }}', hash: '${{ steps.git.output.commitHash }}', task: '${{ context.task.id }}'}
`)
	test := filepath.Join(dir, "tests/x")
	writeFile(t, test, "case.yaml", "description: hosts beside GitHub")
	writeFile(t, test, "exchanges.yaml", `
- push: https://gitlab.com/acme/shop.git
- {push: 'https://github.com/acme/other.git', branch: main}
- request: {url: https://gitlab.com/api/v4/namespaces/acme}
  response: {body: {id: 7, kind: group, path: acme}}
- request: {method: POST, url: https://gitlab.com/api/v4/projects, body: {name: shop}}
  response: {status: 201, body: {id: 1, http_url_to_repo: 'https://gitlab.com/acme/shop.git', web_url: 'https://gitlab.com/acme/shop', path_with_namespace: acme/shop}}
- request: {method: PUT, url: https://gitlab.com/api/v4/projects/1}
  response: {body: {id: 1}}
`)
	stdout, _, err := try(t, "template", "test", dir)
	require.ErrorIs(t, err, errReported)
	require.Contains(t, stdout, "nothing is expected: --update")
	stdout, _, err = try(t, "template", "test", dir, "--update")
	require.NoError(t, err, stdout)
	require.Regexp(t, `hash: "?[0-9a-f]{40}`, mustRead(t, filepath.Join(test, "expected.yaml")))
	require.FileExists(t, filepath.Join(test, "expected/catalog-info.yaml"))
	for _, format := range []string{"text", "junit"} {
		stdout, _, err = try(t, "template", "test", dir, "--output", format)
		require.NoError(t, err, stdout)
	}
	require.Contains(t, stdout, `<testcase name="x"`)
}

// A folder with several templates: a case says which one it is about.
func TestTemplateTestPicksTheTemplate(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"template", "other"} {
		writeFile(t, dir, name+".yaml", "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: "+name+"}\nspec: {type: x, steps: [], output: {name: "+name+"}}\n")
		writeFile(t, dir, "tests/"+name+"/expected.yaml", "output: {name: "+name+"}")
	}
	writeFile(t, dir, "tests/template/case.yaml", "{}")
	writeFile(t, dir, "tests/other/case.yaml", "template: other.yaml")
	stdout, _, err := try(t, "template", "test", dir)
	require.NoError(t, err, stdout)
	require.Contains(t, stdout, "other.yaml: other")
	require.Contains(t, stdout, "template.yaml: template")
	stdout, _, err = try(t, "template", "test", filepath.Join(dir, "other.yaml"))
	require.NoError(t, err, stdout)
	require.NotContains(t, stdout, "template.yaml", "its case is not one of this file's")
}

// On a terminal each step has a mark and a time.
func TestProgressOnATerminal(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	p := &progress{out: &out, terminal: true, now: func() time.Time { now = now.Add(time.Second); return now }, begun: map[string]time.Time{}}
	for _, body := range [][]byte{
		scaffolder.LogBody("Starting up task with 3 steps", "", ""),
		scaffolder.LogBody("Beginning step Fetch", "a", scaffolder.Processing),
		scaffolder.LogBody("one\ntwo", "a", ""),
		scaffolder.LogBody("Finished step Fetch", "a", scaffolder.Completed),
		scaffolder.LogBody("Skipping step b because", "b", scaffolder.Skipped),
		scaffolder.LogBody("Error: x\n    at y", "c", scaffolder.Failed),
		[]byte("no JSON"),
	} {
		p.event(body)
	}
	require.Equal(t, "Starting up task with 3 steps\n▸ Fetch\n    one\n    two\n✓ Fetch (1s)\n– Skipping step b because\n✗ Error: x\n        at y\n", templatetest.PlainLine(out.String()))
	require.Contains(t, out.String(), "\x1b[32m✓")
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer file.Close()
	require.False(t, isTerminal(file))
	require.False(t, isTerminal(&out))
}
