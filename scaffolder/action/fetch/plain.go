package fetch

import (
	"context"
	"io"
	"io/fs"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

type plainInput struct {
	URL        string `json:"url" doc:"The folder to fetch: a URL, or a path relative to the template"`
	TargetPath string `json:"targetPath,omitempty" doc:"The folder of the workspace to put it into; the workspace itself if it is not given"`
	Token      string `json:"token,omitempty" doc:"A token to read with, instead of the credentials of the integration"`
}

func (f *fetcher) plain() action.Action {
	return action.New(action.Spec{
		ID:          "fetch:plain",
		Description: "Fetches a folder as it is and puts it into the workspace, over what is there.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Fetch a folder beside the template",
			Example:     "steps:\n  - id: fetch\n    name: Fetch the licence texts\n    action: fetch:plain\n    input:\n      url: ./licences\n",
		}, {
			Description: "Fetch a folder of another repository into a folder of the workspace",
			Example: "steps:\n  - id: fetch\n    name: Fetch the shared workflows\n    action: fetch:plain\n    input:\n" +
				"      url: https://github.com/acme/workflows/tree/main/go\n      targetPath: .github/workflows\n",
		}},
	}, f.runPlain)
}

func (f *fetcher) runPlain(ctx context.Context, c *action.Context, in plainInput) error {
	c.Log.Info("Fetching plain content from remote URL")
	target, err := c.Workspace.Resolve(orRoot(in.TargetPath))
	if err != nil {
		return err
	}
	p, err := f.locate(c, in.URL, in.Token)
	if err != nil {
		return err
	}
	if err := c.Workspace.MkdirAll(target, 0o755); err != nil {
		return err
	}
	return f.fetchTree(ctx, p, c.Workspace, target)
}

type plainFileInput struct {
	URL        string `json:"url" doc:"The file to fetch: a URL, or a path relative to the template"`
	TargetPath string `json:"targetPath" doc:"The file of the workspace to write"`
	Token      string `json:"token,omitempty" doc:"A token to read with, instead of the credentials of the integration"`
}

func (f *fetcher) plainFile() action.Action {
	return action.New(action.Spec{
		ID:          "fetch:plain:file",
		Description: "Fetches a file as it is and puts it into the workspace, over what is there.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Fetch a file of another repository",
			Example: "steps:\n  - id: fetch\n    name: Fetch the code of conduct\n    action: fetch:plain:file\n    input:\n" +
				"      url: https://github.com/acme/.github/blob/main/CODE_OF_CONDUCT.md\n      targetPath: CODE_OF_CONDUCT.md\n",
		}},
	}, f.runPlainFile)
}

func (f *fetcher) runPlainFile(ctx context.Context, c *action.Context, in plainFileInput) error {
	c.Log.Info("Fetching plain content from remote URL")
	target, err := c.Workspace.Resolve(in.TargetPath)
	if err != nil {
		return err
	}
	p, err := f.locate(c, in.URL, in.Token)
	if err != nil {
		return err
	}
	return f.withFile(ctx, p, func(content io.Reader, mode fs.FileMode) error {
		return writeFile(c.Workspace, content, target, mode)
	})
}
