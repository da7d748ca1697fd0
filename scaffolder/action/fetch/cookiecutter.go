package fetch

import (
	"context"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/cookiecutter"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

type cookiecutterInput struct {
	URL               string            `json:"url" doc:"The template: the URL of a folder with a cookiecutter.json, or a path relative to the template entity"`
	TargetPath        string            `json:"targetPath,omitempty" doc:"The folder of the workspace to put the result into; the workspace itself if it is not given"`
	Values            *jsonvalue.Object `json:"values" doc:"The variables of the template, over those of its cookiecutter.json"`
	CopyWithoutRender []string          `json:"copyWithoutRender,omitempty" doc:"Patterns of files whose contents are not rendered; * also matches slashes"`
	Extensions        []string          `json:"extensions,omitempty" doc:"Jinja extensions; beyond those that are built in they are not available here"`
	ImageName         string            `json:"imageName,omitempty" doc:"Has no effect: templates are rendered without a container"`
}

func (f *fetcher) cookiecutter() action.Action {
	return action.New(action.Spec{
		ID: "fetch:cookiecutter",
		Description: "Fetches a template of cookiecutter, renders it with the given values, and puts the result into the workspace, over what is there. " +
			"Hooks and Python extensions of the template are not run.",
		Repeatable: true,
		Examples: []action.Example{{
			Description: "Render a template of cookiecutter",
			Example: "steps:\n  - id: fetch\n    name: Make the package\n    action: fetch:cookiecutter\n    input:\n" +
				"      url: https://github.com/acme/cookiecutter-package/tree/main/\n      values:\n        project_name: ${{ parameters.name }}\n",
		}, {
			Description: "Leave some files alone, and put the result into a folder",
			Example: "steps:\n  - id: fetch\n    name: Make the package\n    action: fetch:cookiecutter\n    input:\n" +
				"      url: ./cookiecutter\n      targetPath: package\n      copyWithoutRender:\n        - '*.html'\n      values:\n        project_name: ${{ parameters.name }}\n",
		}},
	}, f.runCookiecutter)
}

// variables are the values with what other inputs say as the tool's own.
func (in cookiecutterInput) variables() *jsonvalue.Object {
	out := in.Values.Clone()
	for key, texts := range map[string][]string{"_copy_without_render": in.CopyWithoutRender, "_extensions": in.Extensions} {
		if texts == nil {
			continue
		}
		list := make([]any, len(texts))
		for i := range texts {
			list[i] = texts[i]
		}
		out.Set(key, list)
	}
	return out
}

func (f *fetcher) runCookiecutter(ctx context.Context, c *action.Context, in cookiecutterInput) error {
	c.Log.Info("Fetching the template of cookiecutter")
	target, err := c.Workspace.Resolve(orRoot(in.TargetPath))
	if err != nil {
		return err
	}
	p, err := f.locate(c, in.URL, "")
	if err != nil {
		return err
	}
	err = f.withTemplate(ctx, c, p, func(tree *skeleton.Tree) error {
		t, err := cookiecutter.Read(tree)
		if err != nil {
			return err
		}
		in.warn(c, t)
		return f.bake(ctx, c, t, in.variables(), target)
	})
	if err != nil {
		return err
	}
	c.Infof("The result has been written to %s", c.Workspace.Abs(target))
	return nil
}

// warn names what the tool would do and this action does not.
func (in cookiecutterInput) warn(c *action.Context, t *cookiecutter.Template) {
	if t.Hooks {
		c.Log.Warn("The template has hooks, which are not run")
	}
	if names := t.Extensions(in.variables()); len(names) > 0 {
		c.Warnf("The template asks for extensions that are not available: %s", strings.Join(names, ", "))
	}
	if in.ImageName != "" {
		c.Log.Warn("The input imageName has no effect")
	}
}

// bake renders the template's folder into the target.
func (f *fetcher) bake(ctx context.Context, c *action.Context, t *cookiecutter.Template, values *jsonvalue.Object, target string) error {
	variables, err := t.Context(ctx, f.bakery, values)
	if err != nil {
		return err
	}
	raw, err := cookiecutter.Raw(variables)
	if err != nil {
		return err
	}
	renderer, err := f.bakery.Renderer(t.Dialect(), variables)
	if err != nil {
		return input("values: %s", err)
	}
	return t.Folder().Write(ctx, c.Workspace, skeleton.Options{Renderer: renderer, Target: target, Replace: true, Raw: raw})
}
