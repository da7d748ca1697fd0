package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// publicTemplates holds public templates, one folder each, see its README.
const publicTemplates = "../../../shared/conformance/templates"

// What is found in public templates, by the number of the template: each kind
// with how often, judged one by one. A template that is not here has nothing.
var publicFindings = map[string]string{
	"01": "note retired-input 1, warning unknown-value 1",
	"04": "note retired-input 1, warning unknown-action 1",
	"05": "note retired-input 1",
	"07": "warning unknown-action 2",
	"08": "warning unknown-action 1",
	"09": "warning unknown-action 1",
	"10": "error unknown-filter 1, note retired-input 1, warning parameter-default 2, warning unknown-action 1, warning unknown-filter 4, warning unknown-value 1",
	"11": "warning unknown-action 2",
	"12": "warning unknown-action 2",
	"13": "warning unknown-action 1",
	"14": "warning unknown-action 2, warning unknown-value 1",
	"15": "note retired-input 1",
	"16": "note retired-input 1",
	"17": "warning unknown-value 3",
	"18": "error later-step 1, error unknown-input 1, note retired-input 1, warning parameter-default 1",
	"19": "error dash 3, warning unknown-action 2, warning unknown-parameter 1",
	"20": "note retired-input 1, warning unknown-action 1",
	"21": "warning unknown-value 1, warning unknown-variable 1",
	"22": "note retired-input 1, warning unknown-value 1",
	"23": "error missing-file 3, error unknown-step 1, note retired-input 2, warning duplicate-step 1, warning unknown-action 1, warning unknown-value 3",
	"24": "note retired-input 1, warning unknown-action 1",
	"25": "warning unknown-secret 4",
	"26": "error missing-file 4, error unknown-input 4, error unknown-step 3, warning unknown-action 1, warning unreachable-step 1",
	"27": "note retired-input 1, warning unknown-value 1",
	"28": "error unknown-input 1, note retired-input 1, warning unknown-action 1",
	"29": "error missing-file 4, error unknown-input 2, note retired-input 2, warning unknown-action 1",
	"30": "error unknown-input 1, note retired-input 1, warning unknown-action 1, warning unknown-parameter 1",
	"31": "warning not-rendered 1, warning unknown-action 1",
	"32": "warning duplicate-step 3, warning unknown-action 1",
	"33": "note retired-input 1, warning unknown-value 1",
	"34": "error unknown-input 2, warning unknown-action 1",
}

// unpack lays a public template out as it lies in its repository: template.yaml
// in a folder of its own, and beside that the parts that it is made of.
func unpack(t *testing.T, from, to string) {
	t.Helper()
	put := func(name string, data []byte) {
		path := filepath.Join(to, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, data, 0o600))
	}
	put("t/template.yaml", []byte(mustRead(t, filepath.Join(from, "template.yaml"))))
	if data, err := os.ReadFile(filepath.Join(from, "files.json")); err == nil {
		var files map[string]any
		require.NoError(t, json.Unmarshal(data, &files))
		for name, v := range files {
			text, ok := v.(string)
			if !ok {
				raw, err := base64.StdEncoding.DecodeString(v.(map[string]any)["base64"].(string))
				require.NoError(t, err)
				text = string(raw)
			}
			put("t/"+name, []byte(text))
		}
	}
	parts := filepath.Join(from, "parts")
	if _, err := os.Stat(parts); err != nil {
		return
	}
	require.NoError(t, filepath.WalkDir(parts, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(parts, path)
		if rest, ok := strings.CutPrefix(filepath.ToSlash(name), "template/"); ok {
			name = "t/" + rest
		}
		put(name, []byte(mustRead(t, path)))
		return err
	}))
}

func TestLintPublicTemplates(t *testing.T) {
	folders, err := filepath.Glob(publicTemplates + "/[0-9]*")
	require.NoError(t, err)
	if len(folders) == 0 {
		t.Skip("SKIPPED: the public templates are not beside this checkout")
	}
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, ".git"), 0o755))
	for _, from := range folders {
		unpack(t, from, filepath.Join(dir, filepath.Base(from)))
	}
	stdout, _, err := try(t, "template", "lint", "--output", "json", dir)
	require.ErrorIs(t, err, errReported)
	var report struct {
		Findings []struct{ Code, Level, File, Message string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	counts := map[string]map[string]int{}
	for _, f := range report.Findings {
		rel, err := filepath.Rel(dir, f.File)
		require.NoError(t, err)
		number, _, _ := strings.Cut(rel, "-")
		if counts[number] == nil {
			counts[number] = map[string]int{}
		}
		counts[number][f.Level+" "+f.Code]++
	}
	got := map[string]string{}
	for number, kinds := range counts {
		var list []string
		for kind, n := range kinds {
			list = append(list, kind+" "+strconv.Itoa(n))
		}
		sort.Strings(list)
		got[number] = strings.Join(list, ", ")
	}
	require.Equal(t, publicFindings, got)
}
