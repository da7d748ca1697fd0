package templatefile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/scaffolder/lint"
)

const head = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata: {name: t}\nspec:\n  type: x\n"

func write(t *testing.T, dir string, files ...string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, filepath.FromSlash(files[i]))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(files[i+1]), 0o644))
	}
}

func read(t *testing.T, paths ...string) (files []string, findings []lint.Finding) {
	t.Helper()
	templates, findings, err := templatefile.Read(paths, strings.NewReader(head+"  steps: [{$yaml: ./x}]\n"))
	require.NoError(t, err)
	for _, tmpl := range templates {
		files = append(files, tmpl.File)
		require.Equal(t, "t", tmpl.Entity().Name())
	}
	return files, findings
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/template.yaml", head+"  steps: [{action: 'fetch:template', input: {url: ./skeleton}}]\n",
		"a/skeleton/template.yaml", head+"  steps: []\n", "a/skeleton/b.yaml", "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\n${{ x }}\n",
		"b/own-name.yml", "kind: Location\n---\n"+head+"  steps: []\n", "b/component.yaml", "kind: Component\n", "b/broken.yaml", "a: b: c\n",
		"c/tests/one/case.yaml", "{}", "c/tests/one/expected/template.yaml", head, ".git/template.yaml", head, "node_modules/template.yaml", head,
		"c/template.yaml", head+"  steps: [{action: 'fetch:plain', input: {url: ./}}]\n", "c/other.yaml", head+"  steps: []\n")
	files, findings := read(t, dir)
	require.Empty(t, findings)
	require.Equal(t, []string{filepath.Join(dir, "a/template.yaml"), filepath.Join(dir, "b/own-name.yml"), filepath.Join(dir, "c/other.yaml"), filepath.Join(dir, "c/template.yaml")}, files,
		"what lies in a skeleton is no template, unless the skeleton is the folder itself")
	files, _ = read(t, filepath.Join(dir, "a/skeleton"))
	require.Len(t, files, 1, "unless it is asked for")

	_, _, err := templatefile.Read([]string{filepath.Join(dir, "node_modules/.bin")}, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	write(t, dir, "d/component.yaml", "kind: Component")
	_, _, err = templatefile.Read([]string{filepath.Join(dir, "d")}, nil)
	var none *templatefile.NoTemplatesError
	require.ErrorAs(t, err, &none)
	require.ErrorContains(t, err, "kind: Template")
}

func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "empty.yaml", "", "other.yaml", "kind: Component\n", "broken/template.yaml", "a: b: c\n", "latin1.yaml", "a: \xff\n")
	f, err := os.Create(filepath.Join(dir, "large.yaml"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(100<<20))
	require.NoError(t, f.Close())
	for file, want := range map[string]string{"empty.yaml": "the file is empty", "other.yaml": "holds no template", "broken/template.yaml": "no YAML",
		"latin1.yaml": "Invalid UTF-8", "large.yaml": "larger than"} {
		files, findings := read(t, filepath.Join(dir, file))
		require.Empty(t, files)
		require.Len(t, findings, 1, file)
		require.Contains(t, findings[0].Message, want)
		require.Equal(t, lint.Error, findings[0].Level)
		require.Equal(t, 1, findings[0].Line)
	}
	_, findings := read(t, dir)
	require.Len(t, findings, 1, "in a folder only what is called template.yaml must be one")
}

// A pipe is not waited for.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "template.yaml"), 0o600))
	_, _, err := templatefile.Read([]string{filepath.Join(dir, "template.yaml")}, nil)
	require.ErrorContains(t, err, "name - and pipe it in")
	_, _, err = templatefile.Read([]string{dir}, nil)
	require.ErrorContains(t, err, "there is no template")
	write(t, dir, "t/template.yaml", head+"  steps: [{$yaml: ../template.yaml}]\n", ".git/x", "")
	_, findings := read(t, filepath.Join(dir, "t"))
	require.Contains(t, findings[0].Message, "is no file")
}

func TestStdin(t *testing.T) {
	files, findings := read(t, templatefile.Stdin)
	require.Equal(t, []string{"<stdin>"}, files)
	require.Empty(t, findings, "what a placeholder there stands for nobody knows")
	_, findings, err := templatefile.Read([]string{"-"}, strings.NewReader(strings.Repeat("#", templatefile.MaxFileBytes+1)))
	require.NoError(t, err)
	require.Contains(t, findings[0].Message, "larger than")
}

func TestPlaceholders(t *testing.T) {
	for _, c := range []struct{ name, step, want string }{
		{"from the root of the repository", "{$yaml: /parts/s.yaml}", ""},
		{"with parts of their own", "{$yaml: ../parts/outer.yaml}", ""},
		{"JSON", "{$json: ../parts/s.json}", ""},
		{"one that names itself", "{$yaml: ../parts/self.yaml}", "files that name each other"},
		{"outside of the repository", "{$yaml: ../../../etc/passwd}", "outside of the repository"},
		{"two documents", "{$yaml: ../parts/two.yaml}", "holds"},
		{"no YAML", "{$yaml: ../parts/broken.yaml}", "no YAML"},
		{"a folder", "{$yaml: ../parts}", "is no file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(dir, ".git"), 0o755))
			write(t, dir, "t/template.yaml", head+"  steps:\n    - "+c.step+"\n", "parts/s.yaml", "action: debug:log\n", "parts/s.json", `{"action":"debug:log"}`,
				"parts/outer.yaml", "$yaml: ./s.yaml\n", "parts/self.yaml", "$yaml: ./self.yaml\n", "parts/two.yaml", "a: 1\n---\nb: 2\n", "parts/broken.yaml", "a: b: c\n")
			templates, findings, err := templatefile.Read([]string{filepath.Join(dir, "t/template.yaml")}, nil)
			require.NoError(t, err)
			if c.want == "" {
				require.Empty(t, findings)
				steps, _ := templates[0].Value.Object("spec").Value("steps").([]any)
				require.False(t, lint.IsPlaceholder(steps[0]))
				return
			}
			require.Len(t, findings, 1)
			require.Contains(t, strings.ReplaceAll(findings[0].Message, "must hold", "holds"), c.want)
		})
	}
}

// Links do not lead out of the repository of a template.
func TestLinksOutOfTheRepository(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write(t, outside, "secret/plan.txt", "for nobody")
	write(t, dir, "template.yaml", head+"  steps: []\n", "inside/a.txt", "a")
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "skeleton")))
	require.NoError(t, os.Symlink("inside", filepath.Join(dir, "linked")))
	templates, _, err := templatefile.Read([]string{filepath.Join(dir, "template.yaml")}, nil)
	require.NoError(t, err)
	require.Len(t, templates, 1)
	for name, want := range map[string]bool{"inside/a.txt": true, "linked/a.txt": true, "skeleton/plan.txt": false, "../x": false} {
		_, err := fs.ReadFile(templates[0].Files, name)
		require.Equal(t, want, err == nil, "%s: %v", name, err)
	}
	entries, err := fs.ReadDir(templates[0].Files, "inside")
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
