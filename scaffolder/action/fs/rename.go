package fs

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
)

type renameInput struct {
	Files []move `json:"files" doc:"What to move, in this order"`
}

type move struct {
	From      string `json:"from" doc:"The file or folder to move"`
	To        string `json:"to" doc:"Its new path; folders above it are made"`
	Overwrite bool   `json:"overwrite,omitempty" doc:"Replace what is at the new path; otherwise that is an error"`
}

func rename() action.Action {
	return action.New(action.Spec{
		ID:          "fs:rename",
		Description: "Renames or moves files and folders within the workspace.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Rename a file",
			Example: "steps:\n  - id: rename\n    name: Name the chart\n    action: fs:rename\n    input:\n" +
				"      files:\n        - from: chart\n          to: charts/${{ parameters.name }}\n",
		}, {
			Description: "Replace a file",
			Example: "steps:\n  - id: rename\n    name: Take the other README\n    action: fs:rename\n    input:\n" +
				"      files:\n        - from: README.internal.md\n          to: README.md\n          overwrite: true\n",
		}},
	}, runRename)
}

func runRename(ctx context.Context, c *action.Context, in renameInput) error {
	for i, m := range in.Files {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := moveOne(c, fmt.Sprintf("files[%d]", i), m); err != nil {
			return err
		}
	}
	return nil
}

func moveOne(c *action.Context, input string, m move) error {
	if m.From == "" || m.To == "" {
		return catalog.NewError(catalog.NameInput, input+": each file must have a from and to property")
	}
	from, err := c.Workspace.Resolve(m.From)
	if err != nil {
		return err
	}
	to, err := c.Workspace.Resolve(m.To)
	if err != nil {
		return err
	}
	if err := tryMove(c, input, from, to, m.Overwrite); err != nil {
		c.Log.Error(fmt.Sprintf("Failed to rename file %s to %s: %s", c.Workspace.Abs(from), c.Workspace.Abs(to), err))
		return err
	}
	c.Infof("File %s renamed to %s successfully", c.Workspace.Abs(from), c.Workspace.Abs(to))
	return nil
}

// tryMove refuses what would destroy the source before it moves anything.
func tryMove(c *action.Context, input, from, to string, overwrite bool) error {
	if _, err := c.Workspace.Lstat(from); err != nil {
		return explain(input+".from", from, err)
	}
	if within(to, from) {
		return &inputError{input + ".to", to, "lies in the folder that would be moved there", nil}
	}
	if within(from, to) {
		return &inputError{input + ".to", to, "holds what would be moved there", nil}
	}
	err := c.Workspace.Rename(from, to, overwrite)
	if errors.Is(err, iofs.ErrExist) {
		return &inputError{input + ".to", to, "is there: dest already exists. Set overwrite: true to replace it", err}
	}
	return err
}

// within tells whether name lies in folder.
func within(name, folder string) bool { return strings.HasPrefix(name, folder+"/") || folder == "." }
