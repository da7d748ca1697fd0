package templatecase

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue/yamltext"
	"github.com/greenroom-idp/greenroom/cmd/platform/templatefile"
	"github.com/greenroom-idp/greenroom/ingest/recorded"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/templatetest"
	"github.com/greenroom-idp/greenroom/scaffolder/treediff"
)

// The files of a case.
const (
	caseFile      = "case.yaml"
	exchangesFile = "exchanges.yaml"
	expectedFile  = "expected.yaml"
	expectedTree  = "expected"
)

// A Folder is one case of a template.
type Folder struct {
	Template *templatefile.Template
	// Name is that of the case, Path the folder.
	Name, Path string
	// Case is what goes in.
	Case templatetest.Case
}

// Find returns the cases of templates whose names match a glob. An error names
// the file that cannot be read.
func Find(templates []*templatefile.Template, pick string) (out []Folder, err error) {
	beside := map[string][]*templatefile.Template{}
	var folders []string
	for _, t := range templates {
		dir := filepath.Dir(t.File)
		if beside[dir] == nil {
			folders = append(folders, dir)
		}
		beside[dir] = append(beside[dir], t)
	}
	for _, dir := range folders {
		found, err := filepath.Glob(filepath.Join(escapeGlob(dir), "tests", "*", caseFile))
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			f := Folder{Path: filepath.Dir(file), Name: filepath.Base(filepath.Dir(file))}
			if ok, _ := path.Match(pick, f.Name); !ok {
				continue
			}
			if f.Case, err = readCase(file); err != nil {
				return nil, err
			}
			if f.Template = templateOf(f.Case.Template, beside[dir]); f.Template != nil {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

func escapeGlob(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}

func readCase(file string) (c templatetest.Case, err error) {
	o, err := readObject(file)
	if err != nil {
		return c, err
	}
	if c, err = templatetest.ParseCase(o); err != nil {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return c, err
}

func readObject(file string) (*jsonvalue.Object, error) {
	d, err := templatefile.ReadData(file, nil)
	if err != nil {
		return nil, err
	}
	return d.Object()
}

// templateOf returns the template of that name, nil if it is none of these. ""
// is the one that is called template.yaml, or else the only one.
func templateOf(name string, all []*templatefile.Template) *templatefile.Template {
	if name == "" {
		for _, usual := range []string{"template.yaml", "template.yml"} {
			if _, err := os.Stat(filepath.Join(filepath.Dir(all[0].File), usual)); err == nil {
				name = usual
				break
			}
		}
	}
	for _, t := range all {
		if name == filepath.Base(t.File) || name == "" && len(all) == 1 {
			return t
		}
	}
	return nil
}

func (f Folder) file(name string) string { return filepath.Join(f.Path, name) }

func (f Folder) has(name string) bool {
	_, err := os.Stat(f.file(name))
	return err == nil
}

// Expects tells whether anything is expected.
func (f Folder) Expects() bool { return f.has(expectedFile) || f.has(expectedTree) }

// Expectation reads what is expected, which may be nothing.
func (f Folder) Expectation() (e templatetest.Expectation, err error) {
	if f.has(expectedFile) {
		o, err := readObject(f.file(expectedFile))
		if err != nil {
			return e, err
		}
		if e, err = templatetest.ParseExpectation(o); err != nil {
			return e, fmt.Errorf("%s: %w", f.file(expectedFile), err)
		}
	}
	files, err := treediff.Read(os.DirFS(f.file(expectedTree)))
	if errors.Is(err, fs.ErrNotExist) {
		return e, nil
	}
	e.Files = files
	return e, err
}

// Exchanges reads the calls to hosts, nil for none.
func (f Folder) Exchanges() ([]recorded.Exchange, error) {
	if !f.has(exchangesFile) {
		return nil, nil
	}
	d, err := templatefile.ReadData(f.file(exchangesFile), nil)
	if err != nil {
		return nil, err
	}
	list, err := recorded.Parse(d.Values[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.file(exchangesFile), err)
	}
	return list, nil
}

// WriteExchanges writes the calls to hosts anew.
func (f Folder) WriteExchanges(list []recorded.Exchange) error {
	values := []any{}
	for _, e := range list {
		values = append(values, e.Object())
	}
	return os.WriteFile(f.file(exchangesFile), yamltext.Append(nil, values), 0o644)
}

// Write writes what is expected anew, with the steps in this order.
func (f Folder) Write(e templatetest.Expectation, order []string) error {
	if err := os.WriteFile(f.file(expectedFile), yamltext.Append(nil, e.Object(order)), 0o644); err != nil {
		return err
	}
	if err := os.RemoveAll(f.file(expectedTree)); err != nil || len(e.Files) == 0 {
		return err
	}
	return WriteTree(f.file(expectedTree), e.Files)
}

// WriteTree writes files below a folder, which is made. No path leads out of it.
func WriteTree(dir string, files []once.File) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	for _, f := range files {
		name := filepath.FromSlash(f.Path)
		if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if f.Executable {
			mode = 0o755
		}
		if err := root.WriteFile(name, f.Content, mode); err != nil {
			return err
		}
	}
	return nil
}
