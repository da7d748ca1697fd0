package fetch

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/glob"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

type templateInput struct {
	URL                   string            `json:"url" doc:"The skeleton: the URL of a folder, or a path relative to the template"`
	TargetPath            string            `json:"targetPath,omitempty" doc:"The folder of the workspace to put the result into; the workspace itself if it is not given"`
	Values                *jsonvalue.Object `json:"values,omitempty" doc:"What the skeleton finds under the name values"`
	CopyWithoutRender     []string          `json:"copyWithoutRender,omitempty" doc:"Glob patterns of files whose names and contents are not rendered; copyWithoutTemplating takes its place"`
	CopyWithoutTemplating []string          `json:"copyWithoutTemplating,omitempty" doc:"Glob patterns of files whose contents are not rendered"`
	CookiecutterCompat    bool              `json:"cookiecutterCompat,omitempty" doc:"Read the skeleton as one of cookiecutter: {{ cookiecutter.name }}"`
	TemplateFileExtension any               `json:"templateFileExtension,omitempty" schema:"{\"type\":[\"string\",\"boolean\"]}" doc:"Render only files whose names end in this; true stands for .njk"`
	Replace               bool              `json:"replace,omitempty" doc:"Replace files that are there; otherwise they stay"`
	TrimBlocks            bool              `json:"trimBlocks,omitempty" doc:"Drop the line end after a block tag"`
	LstripBlocks          bool              `json:"lstripBlocks,omitempty" doc:"Drop the blanks before a block tag that begins a line"`
	Token                 string            `json:"token,omitempty" doc:"A token to read with, instead of the credentials of the integration"`
}

func (f *fetcher) template() action.Action {
	return action.New(action.Spec{
		ID:          "fetch:template",
		Description: "Fetches a skeleton, renders the names and contents of its files with the given values, and puts the result into the workspace.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Render the skeleton beside the template",
			Example: "steps:\n  - id: fetch\n    name: Make the sources\n    action: fetch:template\n    input:\n" +
				"      url: ./skeleton\n      values:\n        name: ${{ parameters.name }}\n        owner: ${{ parameters.owner }}\n",
		}, {
			Description: "Leave the contents of workflows and pictures alone",
			Example: "steps:\n  - id: fetch\n    name: Make the sources\n    action: fetch:template\n    input:\n" +
				"      url: ./skeleton\n      targetPath: ./service\n      copyWithoutTemplating:\n        - .github/workflows/*\n        - '**/*.svg'\n" +
				"      values:\n        name: ${{ parameters.name }}\n",
		}, {
			Description: "Render only files that end in .njk",
			Example: "steps:\n  - id: fetch\n    name: Make the sources\n    action: fetch:template\n    input:\n" +
				"      url: ./skeleton\n      templateFileExtension: true\n      values:\n        name: ${{ parameters.name }}\n",
		}},
	}, f.runTemplate)
}

// options checks the input and turns it into those of package skeleton.
func (in templateInput) options() (skeleton.Options, error) {
	o := skeleton.Options{Replace: in.Replace}
	switch ext := in.TemplateFileExtension.(type) {
	case bool:
		if ext {
			o.Extension = ".njk"
		}
	case string:
		if o.Extension = ext; ext != "" && !strings.HasPrefix(ext, ".") {
			o.Extension = "." + ext
		}
	}
	if o.Extension != "" && (in.CopyWithoutTemplating != nil || in.CookiecutterCompat) {
		return o, input("Fetch action input extension incompatible with copyWithoutTemplating and cookiecutterCompat")
	}
	raw, err := glob.Compile(in.CopyWithoutTemplating)
	if err != nil {
		return o, input("copyWithoutTemplating: %s", err)
	}
	untouched, err := glob.Compile(in.CopyWithoutRender)
	if err != nil {
		return o, input("copyWithoutRender: %s", err)
	}
	o.Raw = func(e skeleton.Entry) bool { return raw.Match(e.Name, e.IsFolder()) }
	o.Untouched = func(e skeleton.Entry) bool {
		return untouched.Match(e.Name, e.IsFolder()) || e.IsFolder() && untouched.Holds(e.Name)
	}
	return o, nil
}

func (f *fetcher) runTemplate(ctx context.Context, c *action.Context, in templateInput) error {
	c.Log.Info("Fetching template content from remote URL")
	o, err := in.options()
	if err != nil {
		return err
	}
	if o.Target, err = c.Workspace.Resolve(orRoot(in.TargetPath)); err != nil {
		return err
	}
	o.Renderer, err = f.renderer(in.CookiecutterCompat, in.TrimBlocks, in.LstripBlocks, in.Values)
	if err != nil {
		return err
	}
	o.Log = func(line string) { c.Log.Info(line) }
	p, err := f.locate(c, in.URL, in.Token)
	if err != nil {
		return err
	}
	err = f.withTemplate(ctx, c, p, func(tree *skeleton.Tree) error {
		c.Log.Info("Listing files and directories in template")
		c.Log.Info(fmt.Sprintf("Processing %d template files/directories with input values%s", len(tree.Entries()), valuesSuffix(in.Values)))
		return tree.Write(ctx, c.Workspace, o)
	})
	if err != nil {
		return err
	}
	c.Infof("Template result written to %s", c.Workspace.Abs(o.Target))
	return nil
}

// renderer returns what renders the names and contents of files.
func (f *fetcher) renderer(compatible, trim, lstrip bool, values *jsonvalue.Object) (*skeleton.Renderer, error) {
	var given any
	if values != nil {
		given = values
	}
	r, err := f.Engine.Renderer(skeleton.Dialect{Compatible: compatible, TrimBlocks: trim, LstripBlocks: lstrip}, given)
	if err != nil {
		return nil, input("values: %s", err)
	}
	return r, nil
}

type templateFileInput struct {
	URL                string            `json:"url" doc:"The template: the URL of a file, or a path relative to the template entity"`
	TargetPath         string            `json:"targetPath" doc:"The file of the workspace to write"`
	Values             *jsonvalue.Object `json:"values,omitempty" doc:"What the template finds under the name values"`
	CookiecutterCompat bool              `json:"cookiecutterCompat,omitempty" doc:"Read the template as one of cookiecutter: {{ cookiecutter.name }}"`
	Replace            bool              `json:"replace,omitempty" doc:"Replace the file if it is there; otherwise it stays"`
	TrimBlocks         bool              `json:"trimBlocks,omitempty" doc:"Drop the line end after a block tag"`
	LstripBlocks       bool              `json:"lstripBlocks,omitempty" doc:"Drop the blanks before a block tag that begins a line"`
	Token              string            `json:"token,omitempty" doc:"A token to read with, instead of the credentials of the integration"`
}

func (f *fetcher) templateFile() action.Action {
	return action.New(action.Spec{
		ID:          "fetch:template:file",
		Description: "Fetches a file, renders its content with the given values, and puts the result into the workspace.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Render one file beside the template",
			Example: "steps:\n  - id: fetch\n    name: Make the descriptor\n    action: fetch:template:file\n    input:\n" +
				"      url: ./catalog-info.yaml.njk\n      targetPath: catalog-info.yaml\n      values:\n        name: ${{ parameters.name }}\n",
		}},
	}, f.runTemplateFile)
}

func (f *fetcher) runTemplateFile(ctx context.Context, c *action.Context, in templateFileInput) error {
	target, err := c.Workspace.Resolve(in.TargetPath)
	if err != nil {
		return err
	}
	if !in.Replace && c.Workspace.Exists(target) {
		c.Infof("File %s already exists in workspace, not replacing.", in.TargetPath)
		return nil
	}
	c.Log.Info("Fetching template file content from remote URL")
	renderer, err := f.renderer(in.CookiecutterCompat, in.TrimBlocks, in.LstripBlocks, in.Values)
	if err != nil {
		return err
	}
	p, err := f.locate(c, in.URL, in.Token)
	if err != nil {
		return err
	}
	err = f.withFile(ctx, p, func(content io.Reader, mode fs.FileMode) error {
		c.Log.Info("Processing template file with input values" + valuesSuffix(in.Values))
		return f.renderFile(ctx, c.Workspace, renderer, content, in.URL, target, mode)
	})
	if err != nil {
		return err
	}
	c.Infof("Template file has been written to %s", c.Workspace.Abs(target))
	return nil
}

func (f *fetcher) renderFile(ctx context.Context, ws *workspace.Workspace, r *skeleton.Renderer, content io.Reader, name, target string, mode fs.FileMode) error {
	data, err := io.ReadAll(io.LimitReader(content, f.Limits.Text+1))
	if err != nil {
		return err
	}
	if int64(len(data)) > f.Limits.Text {
		return input("url: the file is larger than the %d bytes that a template may have", f.Limits.Text)
	}
	text, err := r.Text(ctx, name, skeleton.Decode(data))
	if err != nil {
		return err
	}
	return ws.WriteFile(target, []byte(text), mode.Perm())
}
