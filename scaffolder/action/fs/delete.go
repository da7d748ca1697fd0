package fs

import (
	"context"
	iofs "io/fs"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/glob"
)

type deleteInput struct {
	Files []string `json:"files" doc:"The files to delete: paths or glob patterns; a folder stands for all files in it"`
}

func deleteFiles() action.Action {
	return action.New(action.Spec{
		ID:          "fs:delete",
		Description: "Deletes files from the workspace. What is named may be files, folders or glob patterns; folders stay, without their files.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Delete two files",
			Example: "steps:\n  - id: clean\n    name: Remove what is not needed\n    action: fs:delete\n    input:\n" +
				"      files:\n        - docker-compose.yaml\n        - docs/draft.md\n",
		}, {
			Description: "Delete by pattern",
			Example: "steps:\n  - id: clean\n    name: Remove what is not needed\n    action: fs:delete\n    input:\n" +
				"      files:\n        - '**/*.orig'\n        - tmp\n",
		}, {
			Description: "Delete everything",
			Example:     "steps:\n  - id: clean\n    name: Start anew\n    action: fs:delete\n    input:\n      files:\n        - '**'\n",
		}},
	}, runDelete)
}

func runDelete(ctx context.Context, c *action.Context, in deleteInput) error {
	for _, pattern := range in.Files {
		names, err := matching(ctx, c, pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := c.Workspace.Remove(name); err != nil {
				c.Log.Error("Failed to delete file " + c.Workspace.Abs(name) + ": " + err.Error())
				return err
			}
			c.Infof("File %s deleted successfully", c.Workspace.Abs(name))
		}
	}
	return nil
}

// matching returns the files and links that a pattern means, folders not.
func matching(ctx context.Context, c *action.Context, pattern string) ([]string, error) {
	clean, err := c.Workspace.Resolve(pattern)
	if err != nil {
		return nil, err
	}
	if info, err := c.Workspace.Lstat(clean); err == nil && !info.IsDir() && !strings.ContainsAny(clean, `*?[]{}()!+@\\`) {
		return []string{clean}, nil // no need to look at everything
	}
	set, err := glob.CompileOne(clean)
	if err != nil {
		return nil, catalog.NewError(catalog.NameInput, "files: "+err.Error())
	}
	var names []string
	err = c.Workspace.Walk(".", func(name string, info iofs.FileInfo) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !info.IsDir() && set.Match(name, false) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}
