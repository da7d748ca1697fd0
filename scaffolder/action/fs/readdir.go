package fs

import (
	"context"
	"fmt"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

// mostEntries is how many files and folders fs:readdir returns: they become an
// output, which is kept with the task.
const mostEntries = 20_000

type readdirInput struct {
	Paths     []string `json:"paths" schema:"{\"items\":{\"type\":\"string\",\"minLength\":1}}" doc:"The folders to list"`
	Recursive bool     `json:"recursive,omitempty" default:"false" doc:"List also what is in the folders of these folders"`
}

type readdirOutput struct {
	Files   []entry `json:"files" doc:"The files and links found"`
	Folders []entry `json:"folders" doc:"The folders found"`
}

func readdir() action.Action {
	return action.NewWithOutput(action.Spec{
		ID:          "fs:readdir",
		Description: "Lists files and folders of the workspace.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "List the root of the workspace",
			Example:     "steps:\n  - id: list\n    name: List the files\n    action: fs:readdir\n    input:\n      paths:\n        - .\n",
		}, {
			Description: "List two folders with all below them",
			Example: "steps:\n  - id: list\n    name: List sources and tests\n    action: fs:readdir\n    input:\n" +
				"      paths:\n        - src\n        - test\n      recursive: true\n",
		}},
	}, runReaddir)
}

func runReaddir(ctx context.Context, c *action.Context, in readdirInput) (readdirOutput, error) {
	out := readdirOutput{Files: []entry{}, Folders: []entry{}}
	for i, p := range in.Paths {
		folder, err := c.Workspace.Resolve(p)
		if err != nil {
			return out, err
		}
		if err := list(ctx, c, folder, in.Recursive, &out); err != nil {
			return out, explain(fmt.Sprintf("paths[%d]", i), p, err)
		}
	}
	return out, nil
}

// list adds what is in a folder, level by level.
func list(ctx context.Context, c *action.Context, folder string, recursive bool, out *readdirOutput) error {
	for folders := []string{folder}; len(folders) > 0; folders = folders[1:] {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		entries, err := c.Workspace.ReadDir(folders[0])
		if err != nil {
			return err
		}
		for _, d := range entries {
			e := newEntry(c.Workspace, join(folders[0], d.Name()))
			if !d.IsDir() {
				out.Files = append(out.Files, e)
				continue
			}
			out.Folders = append(out.Folders, e)
			if recursive {
				folders = append(folders, e.Path)
			}
		}
		if len(out.Files)+len(out.Folders) > mostEntries {
			return catalog.NewError(catalog.NameInput, fmt.Sprintf("there are more than %d files and folders; list fewer folders", mostEntries))
		}
	}
	return nil
}

func join(folder, name string) string {
	if folder == "." {
		return name
	}
	return folder + "/" + name
}
