package templatecase_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/templatecase"
	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/ingest/recorded"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/templatetest"
)

const template = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: t}\nspec: {type: x, steps: []}\n"

func write(t *testing.T, dir string, files ...string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[i]))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(files[i+1]), 0o644))
	}
}

func find(t *testing.T, dir, pick string) ([]templatecase.Folder, error) {
	t.Helper()
	templates, findings, err := templatefile.Read([]string{dir}, nil)
	require.NoError(t, err)
	require.Empty(t, findings)
	return templatecase.Find(templates, pick)
}

func TestFind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[a]*") // no glob
	write(t, dir, "one/template.yaml", template, "one/tests/b/case.yaml", "user: jane", "one/tests/a/case.yaml", "{}", "one/tests/none/readme.md", "",
		"two/x.yaml", template, "two/tests/a/case.yaml", "{}", "many/x.yaml", template, "many/y.yaml", template, "many/tests/a/case.yaml", "template: y.yaml", "many/tests/b/case.yaml", "{}")
	var names []string
	found, err := find(t, dir, "*")
	require.NoError(t, err)
	for _, f := range found {
		names = append(names, filepath.Base(filepath.Dir(f.Template.File))+"/"+filepath.Base(f.Template.File)+" "+f.Name)
	}
	require.Equal(t, []string{"many/y.yaml a", "one/template.yaml a", "one/template.yaml b", "two/x.yaml a"}, names)
	found, err = find(t, dir, "b")
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "jane", found[0].Case.User)
	write(t, dir, "two/tests/a/case.yaml", "vales: {}")
	_, err = find(t, dir, "*")
	require.ErrorContains(t, err, "tests/a/case.yaml: vales is not known; did you mean values?")
	for text, want := range map[string]string{"a: b: c": ":1:4: the file is no YAML", "": "is empty", "- a": "must hold one object"} {
		write(t, dir, "two/tests/a/case.yaml", text)
		_, err = find(t, dir, "*")
		require.ErrorContains(t, err, want)
	}
}

// What is written is read back.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "template.yaml", template, "tests/a/case.yaml", "{}", "tests/a/expected/old", "x")
	found, err := find(t, dir, "*")
	require.NoError(t, err)
	f := found[0]
	require.True(t, f.Expects())
	want := templatetest.Expectation{Steps: map[string]string{"b": "completed", "a": "failed"}, Failure: "it broke: badly", Registered: []string{},
		Files: []once.File{{Path: "deep/run.sh", Content: []byte("x\n"), Executable: true}, {Path: "a", Content: []byte{0, 1}}}}
	require.NoError(t, f.Write(want, []string{"b", "a"}))
	got, err := f.Expectation()
	require.NoError(t, err)
	require.Equal(t, want.Steps, got.Steps)
	require.Equal(t, want.Failure, got.Failure)
	require.ElementsMatch(t, want.Files, got.Files, "files that were there are gone")
	want.Files = nil
	require.NoError(t, f.Write(want, []string{"b", "a"}))
	require.NoDirExists(t, filepath.Join(f.Path, "expected"))

	list, err := f.Exchanges()
	require.NoError(t, err)
	require.Nil(t, list)
	text := []any{}
	exchanges, err := recorded.Parse(text)
	require.NoError(t, err)
	require.NoError(t, f.WriteExchanges(exchanges))
	list, err = f.Exchanges()
	require.NoError(t, err)
	require.Empty(t, list)
	write(t, f.Path, "exchanges.yaml", "- {}")
	_, err = f.Exchanges()
	require.ErrorContains(t, err, "exchanges.yaml: exchange 1: request and response are needed")
	require.Error(t, templatecase.WriteTree(t.TempDir(), []once.File{{Path: "../out"}}), "no path leads out")
}
