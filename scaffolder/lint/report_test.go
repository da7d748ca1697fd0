package lint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
)

func report() lint.Report {
	return lint.NewReport(2, []lint.Finding{
		{Code: lint.CodeSecret, Level: lint.Error, Place: lint.Place{File: "b c.yaml", Line: 2, Column: 3}, Path: "/spec", Message: "one\n  <two>", Hint: "do"},
		{Code: lint.CodeDeprecated, Level: lint.Note, Place: lint.Place{File: "a.yaml"}, Message: "old"},
		{Code: lint.CodeDeprecated, Level: lint.Note, Place: lint.Place{File: "a.yaml"}, Message: "old"},
	})
}

func TestWriteText(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report().WriteText(&out))
	require.Equal(t, "a.yaml: note: old [deprecated]\nb c.yaml:2:3: error: one <two> [secret]\n    do\n2 templates: 1 error, 0 warnings, 1 note\n", out.String())
}

func TestWriteJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report().WriteJSON(&out))
	require.JSONEq(t, `{"findings":[{"code":"deprecated","level":"note","file":"a.yaml","message":"old"},
		{"code":"secret","level":"error","file":"b c.yaml","line":2,"column":3,"path":"/spec","message":"one\n  <two>","hint":"do"}],
		"summary":{"templates":2,"errors":1,"warnings":0,"notes":1}}`, out.String())
	out.Reset()
	require.NoError(t, lint.NewReport(0, nil).WriteJSON(&out))
	require.Contains(t, out.String(), `"findings": []`)
}

// What is written of SARIF meets the parts of its schema that say what must be
// there; readers refuse a file that lacks them.
const sarifSchema = `{"type":"object","required":["version","runs"],"properties":{"version":{"const":"2.1.0"},"runs":{"type":"array","items":{
	"type":"object","required":["tool","results"],"properties":{
	"columnKind":{"enum":["utf16CodeUnits","unicodeCodePoints"]},
	"tool":{"required":["driver"],"properties":{"driver":{"required":["name"],"properties":{"rules":{"minItems":1,"uniqueItems":true,"items":{"required":["id"],
		"properties":{"id":{"type":"string"},"shortDescription":{"required":["text"]}}}}}}}},
	"results":{"items":{"required":["message"],"properties":{"level":{"enum":["none","note","warning","error"]},"ruleIndex":{"minimum":0},
		"message":{"required":["text"]},"locations":{"items":{"properties":{"physicalLocation":{"properties":{
		"artifactLocation":{"properties":{"uri":{"type":"string","format":"uri-reference"}}},
		"region":{"properties":{"startLine":{"minimum":1},"startColumn":{"minimum":1}}}}}}}}}}}}}}}}`

func TestWriteSARIF(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, report().WriteSARIF(&out, "v1"))
	c := jsonschema.NewCompiler()
	c.AssertFormat = true
	require.NoError(t, c.AddResource("sarif.json", strings.NewReader(sarifSchema)))
	compiled, err := c.Compile("sarif.json")
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal(out.Bytes(), &v))
	require.NoError(t, compiled.Validate(v))
	run := v.(map[string]any)["runs"].([]any)[0].(map[string]any)
	result := run["results"].([]any)[1].(map[string]any)
	require.Equal(t, "secret", result["ruleId"])
	rules := run["tool"].(map[string]any)["driver"].(map[string]any)["rules"].([]any)
	require.Equal(t, "secret", rules[int(result["ruleIndex"].(float64))].(map[string]any)["id"])
	require.Equal(t, "one\n  <two>. do", result["message"].(map[string]any)["text"])
	require.Contains(t, fmt.Sprint(result["locations"]), "b%20c.yaml")
}

// A thousand templates, each with ten steps, forty expressions and a skeleton of
// five files, read from the disk.
func BenchmarkLintThousandTemplates(b *testing.B) {
	dir := b.TempDir()
	var lines []string
	for i := range 9 {
		lines = append(lines, fmt.Sprintf("- id: s%d", i), "  name: Step", "  action: fs:rename", "  if: ${{ parameters.name == 'x' and not parameters.repo }}", "  input:", "    files:",
			"      - from: ${{ parameters.name | lower }}.txt", "        to: ${{ (parameters.repo | parseRepoUrl).repo | replace('a', 'b') }}/${{ user.entity.metadata.name }}")
	}
	lines = append(lines, fetchStep)
	skeleton := strings.Repeat("# ${{ values.name }}\n{% if values.name %}some text\n{% endif %}and more of it\n", 20)
	files := with(withSteps(lines...), "s/a.md", skeleton, "s/b.md", skeleton, "s/c/d.go", skeleton, "s/c/e", "text", "s/f", skeleton)
	for i := range 1000 {
		write(b, filepath.Join(dir, fmt.Sprintf("t%04d", i)), files)
	}
	l := linter(b, nil, nil)
	for b.Loop() {
		templates, findings, err := templatefile.Read([]string{dir}, nil)
		require.NoError(b, err)
		require.Len(b, templates, 1000)
		for _, t := range templates {
			found, err := l.Template(b.Context(), t.Document)
			require.NoError(b, err)
			findings = append(findings, found...)
		}
		require.Empty(b, findings)
	}
}
