package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/offline"
)

// validated runs the verb with JSON output.
func validated(t *testing.T, args ...string) (*offline.Report, error) {
	t.Helper()
	stdout, _, err := try(t, append([]string{"validate", "--output", "json"}, args...)...)
	var report offline.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &report), stdout)
	return &report, err
}

func TestValidate(t *testing.T) {
	noKind := "apiVersion: x/v1\nkind: Robot\nmetadata: {name: r2}\n"
	cases := []struct {
		name   string
		files  map[string]string
		args   []string // before the folder
		errors []string // path:line name, and a part of the message behind a blank
		notes  int
	}{
		{name: "a good one", files: map[string]string{"a.yaml": component("a", "x")}},
		{name: "a JSON file is none of them", files: map[string]string{"a.json": "{"}},
		{name: "an empty folder"},
		{name: "an empty file", files: map[string]string{"a.yaml": "# nothing\n"}},
		{name: "broken YAML, and a good document beside it",
			files:  map[string]string{"a.yaml": component("a", "x") + "---\na: [1\nb: c\n"},
			errors: []string{"a.yaml:7 Error YAML error at"}},
		{name: "not an object", files: map[string]string{"a.yml": "- 1\n"}, errors: []string{"a.yml:1 Error Expected object at root, got object"}},
		{name: "each document has its line",
			files:  map[string]string{"a.yaml": component("a", "x") + "---\n" + strings.Replace(component("b", "x"), "owner: team-a", "", 1)},
			errors: []string{"a.yaml:6 InputError must have required property 'owner'"}},
		{name: "no name", files: map[string]string{"a.yaml": "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {}\n"},
			errors: []string{"a.yaml:1 TypeError must have required property 'name'"}},
		{name: "metadata of another type", files: map[string]string{"a.yaml": "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: x\n"},
			errors: []string{"a.yaml:1 TypeError must have required property 'name'"}},
		{name: "a kind that is not there", files: map[string]string{"a.yaml": noKind}, errors: []string{"a.yaml:1 InputError No processor recognized"}},
		{name: "the same entity twice", files: map[string]string{"a.yaml": component("a", "x") + "---\n" + component("A", "y")},
			errors: []string{"a.yaml:6 InputError Duplicate nested entity"}},
		{name: "a Location that leads to files, and to one that is not there",
			files: map[string]string{
				"all.yaml":      "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: {targets: [./sub/x.yaml, ./gone.yaml]}\n",
				"sub/x.yaml":    component("x", "x"),
				"sub/other.txt": "",
			},
			errors: []string{"all.yaml:1 NotFoundError no matching files found"}},
		{name: "a Location that leads to the network", notes: 1,
			files: map[string]string{"all.yaml": "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: {target: 'https://example.com/x.yaml'}\n"}},
		{name: "placeholders: a file, none, and the network", notes: 1,
			files: map[string]string{
				"a.yaml": strings.Replace(component("a", "{$text: ./text.md}"), "spec:", "spec:\n  # ", 1) + "  type: service\n  lifecycle: x\n  owner: y\n  docs: {$json: 'https://example.com/x.json'}\n",
				"b.yaml": component("b", "{$text: ./gone.md}"), "text.md": "words",
			},
			errors: []string{"b.yaml:1 InputError Placeholder $text could not read location ./gone.md"}},
		{name: "a schema that an unread placeholder may or may not satisfy, and a field beside it", notes: 2,
			files: map[string]string{
				"a.yaml": "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: a}\nspec: {type: x, steps: [{$yaml: 'https://example.com/x.yaml'}]}\n",
				"b.yaml": "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: b}\nspec: {type: 1, steps: [{$yaml: 'https://example.com/x.yaml'}]}\n",
			},
			errors: []string{"b.yaml:1 InputError /spec/type must be string"}},
		{name: "what is skipped", args: []string{"--skip", "**/skeleton/**"},
			files: map[string]string{"t/skeleton/a.yaml": "a: [", ".git/a.yaml": "a: [", "node_modules/x/a.yaml": "a: ["}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.files {
				writeFile(t, dir, name, text)
			}
			report, err := validated(t, append(c.args, dir)...)
			var got []string
			notes := 0
			for _, f := range report.Files {
				require.Equal(t, len(f.Errors) == 0, f.Valid)
				for _, e := range f.Errors {
					rel, _ := filepath.Rel(dir, f.Path)
					got = append(got, strings.Join([]string{rel, ":", jsonText(e.Line), " ", e.Name, " ", e.Message}, ""))
				}
				notes += len(f.Notes)
			}
			require.Len(t, got, len(c.errors), "%v", got)
			for i, want := range c.errors {
				place, rest, _ := strings.Cut(want, " ")
				name, message, _ := strings.Cut(rest, " ")
				require.True(t, strings.HasPrefix(got[i], place+" "+name+" "), "%s\nis not %s", got[i], want)
				require.Contains(t, got[i], message)
				require.NotContains(t, got[i], "file://", "nobody knows files by that name")
			}
			require.Equal(t, c.notes, notes)
			if len(c.errors) > 0 {
				require.ErrorIs(t, err, errReported)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestValidateText(t *testing.T) {
	dir := t.TempDir()
	good, bad := writeFile(t, dir, "good.yaml", component("a", "x")), writeFile(t, dir, "bad.yaml", "kind: Component\n")
	stdout, _, err := try(t, "validate", good, bad)
	require.ErrorIs(t, err, errReported)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, 2)
	require.True(t, strings.HasPrefix(lines[0], bad+":1: "), lines[0])
	require.Equal(t, "2 files with 1 valid entities: 1 files are valid, 1 are not, 1 errors", lines[1])

	_, _, err = try(t, "validate", filepath.Join(dir, "gone.yaml"))
	oneLine(t, err, "gone.yaml")
	_, _, err = try(t, "validate", "--skip", "[", dir)
	oneLine(t, err, "not a glob pattern")
}

// With a configuration, its rules and kinds hold.
func TestValidateWithConfiguration(t *testing.T) {
	dir := t.TempDir()
	file := writeFile(t, dir, "descriptors/a.yaml", component("a", "x"))
	robot := writeFile(t, dir, "descriptors/r.yaml", "apiVersion: x/v1\nkind: Robot\nmetadata: {name: r2}\nspec: {legs: 2}\n")
	writeFile(t, dir, "kinds/Robot.json", `{"type": "object", "required": ["spec"], "properties": {
		"apiVersion": {"const": "x/v1"}, "kind": {"const": "Robot"},
		"spec": {"type": "object", "required": ["legs"], "properties": {"legs": {"type": "number"}}}}}`)
	config := writeFile(t, dir, "app-config.yaml", "backend: {baseUrl: 'http://x'}\ncatalog: {rules: [{allow: [Robot]}], kinds: {schemas: "+filepath.Join(dir, "kinds")+"}}\n")
	report, err := validated(t, "--config", config, file, robot)
	require.ErrorIs(t, err, errReported)
	require.Equal(t, "NotAllowedError", report.Files[0].Errors[0].Name)
	require.True(t, report.Files[1].Valid, report.Files[1].Errors)
}

// Descriptors from public repositories are judged like the reference judged
// them, when it was asked for a dry run of registering each.
func TestVerdictsOfTheReference(t *testing.T) {
	shared := filepath.Join("..", "..", "..", "shared", "conformance")
	recorded, err := os.ReadFile(filepath.Join(shared, "cases", "real-catalogs.json"))
	if err != nil {
		t.Skip("the recorded scenarios are not beside this checkout")
	}
	// What only a network knows. The reference could not read these either: it
	// was not allowed to, or nobody answered.
	unknown := map[string]string{
		"016-backstage-backstage-15.yaml":                     "a placeholder names a file on github.com",
		"020-backstage-demo.yaml":                             "a placeholder names a URL on a host that is not allowed",
		"093-thefrontside-playhouse.yaml":                     "a placeholder names a URL on a host that is not allowed",
		"094-giantswarm-backstage-catalogs.yaml":              "a placeholder names a file on github.com",
		"138-iain-b-backstage-test-entities-5.yaml":           "a placeholder names an object in S3",
		"173-backstage-skupper-demo-backstage-catalog-2.yaml": "a Location names a host that is not allowed",
	}
	var scenarios []struct {
		ID    string
		Steps []struct{ Expect struct{ Status int } }
	}
	require.NoError(t, json.Unmarshal(recorded, &scenarios))
	want := map[string]bool{}
	for _, s := range scenarios {
		want[strings.TrimPrefix(s.ID, "real-catalogs/")] = s.Steps[0].Expect.Status == 201
	}
	report, err := validated(t, "--config", filepath.Join(shared, "app-config.yaml"), filepath.Join(shared, "fixtures", "real"))
	require.ErrorIs(t, err, errReported)
	require.Equal(t, 183, report.Summary.Files)
	for _, f := range report.Files {
		name := filepath.Base(f.Path)
		valid, judged := want[name]
		if !judged {
			continue
		}
		if why, differs := unknown[name]; differs {
			require.True(t, f.Valid && !valid, "%s is judged alike (%s): take it off the list", name, why)
			continue
		}
		require.Equal(t, valid, f.Valid, "%s: %v", name, f.Errors)
	}
}
