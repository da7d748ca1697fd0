package templatefile

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/lint"
)

// MaxFileBytes bounds a file that is read as YAML.
const MaxFileBytes = 10 << 20

// maxFiles bounds how many templates are read at once.
const maxFiles = 100_000

// Stdin is the path that stands for the standard input.
const Stdin = "-"

// A NoTemplatesError says that a folder has no templates.
type NoTemplatesError struct{ Path string }

func (e *NoTemplatesError) Error() string {
	return fmt.Sprintf("there is no template in %s: a template is a .yaml file with apiVersion: scaffolder.backstage.io/v1beta3 and kind: Template", e.Path)
}

// Read reads the templates that the paths stand for: files, folders with all
// below them, and the standard input for "-". What is no template but should be
// one is among the findings. The error is a path that cannot be looked into, or
// a *NoTemplatesError. What lies in the skeleton of a template is none itself.
func Read(paths []string, stdin io.Reader) (templates []*Template, findings []lint.Finding, err error) {
	for _, p := range paths {
		var found []*Template
		var wrong []lint.Finding
		switch {
		case p == Stdin:
			found, wrong, err = readStdin(stdin)
		default:
			found, wrong, err = readPath(p)
		}
		if err != nil {
			return nil, nil, err
		}
		templates, findings = append(templates, found...), append(findings, wrong...)
	}
	return templates, findings, nil
}

func readStdin(stdin io.Reader) ([]*Template, []lint.Finding, error) {
	const name = "<stdin>"
	data, err := io.ReadAll(io.LimitReader(stdin, MaxFileBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("standard input: %w", err)
	}
	if len(data) > MaxFileBytes {
		return nil, []lint.Finding{tooLarge(name)}, nil
	}
	templates, findings := parse(&source{shown: name, data: data}, nil, true)
	return templates, findings, nil
}

func readPath(p string) ([]*Template, []lint.Finding, error) {
	info, err := os.Stat(p)
	if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() {
		return readFile(p, true)
	}
	files, err := candidates(p)
	if err != nil {
		return nil, nil, err
	}
	var templates []*Template
	var findings []lint.Finding
	for _, f := range files {
		found, wrong, err := readFile(f, isTemplateName(f))
		if err != nil {
			return nil, nil, err
		}
		templates, findings = append(templates, found...), append(findings, wrong...)
	}
	templates, findings = withoutSkeletons(templates, findings)
	if len(templates) == 0 && len(findings) == 0 {
		return nil, nil, &NoTemplatesError{p}
	}
	return templates, findings, nil
}

// candidates returns the YAML files below a folder that may hold templates.
func candidates(folder string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if path != folder && (d.Name() == ".git" || d.Name() == "node_modules" || isCase(path)) {
				return fs.SkipDir
			}
		case !d.Type().IsRegular() || !isYAML(path):
		case isTemplateName(path) || mentionsTemplates(path):
			if len(out) == maxFiles {
				return fmt.Errorf("%s has more than %d templates: name the folders in it one by one", folder, maxFiles)
			}
			out = append(out, path)
		}
		return nil
	})
	return out, err
}

// isCase tells whether a folder is a test case of a template: what it expects
// may look like one.
func isCase(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "case.yaml"))
	return err == nil
}

func isYAML(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".yaml" || ext == ".yml"
}

// isTemplateName tells whether a file is named as templates are.
func isTemplateName(path string) bool {
	base := strings.ToLower(filepath.Base(path))
	return base == "template.yaml" || base == "template.yml"
}

// mentionsTemplates tells whether a file may hold a template by the words in it.
func mentionsTemplates(path string) bool {
	data, err := readBounded(path)
	return err == nil && bytes.Contains(data, []byte("scaffolder.backstage.io/")) && bytes.Contains(data, []byte("Template"))
}

// readBounded reads a regular file of bounded size.
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path) // to open a pipe would wait for its other end
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file; for what a program writes, name - and pipe it in", path)
	case info.Size() > MaxFileBytes:
		return nil, errTooLarge
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err == nil && len(data) > MaxFileBytes {
		err = errTooLarge
	}
	return data, err
}

var errTooLarge = fmt.Errorf("the file is larger than the %d bytes that a template may have", MaxFileBytes)

func tooLarge(path string) lint.Finding {
	return lint.Finding{Code: lint.CodeYAML, Level: lint.Error, Place: lint.Place{File: path, Line: 1, Column: 1},
		Message: errTooLarge.Error(), Hint: "files that a step fetches belong into a folder beside the template"}
}

// withoutSkeletons leaves out templates that lie in the skeleton of another.
func withoutSkeletons(templates []*Template, findings []lint.Finding) ([]*Template, []lint.Finding) {
	skeletons := map[string]bool{}
	for _, t := range templates {
		for _, name := range t.Skeletons() {
			folder := filepath.Join(t.root, filepath.FromSlash(name))
			if !within(t.path, folder) {
				skeletons[folder] = true
			}
		}
	}
	lies := func(path string) bool {
		abs, err := filepath.Abs(path)
		for ; err == nil && abs != filepath.Dir(abs); abs = filepath.Dir(abs) {
			if skeletons[abs] {
				return true
			}
		}
		return false
	}
	return slices.DeleteFunc(templates, func(t *Template) bool { return lies(t.path) }),
		slices.DeleteFunc(findings, func(f lint.Finding) bool { return lies(f.File) })
}

func within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(rel)
}
