package fs

import (
	"errors"
	iofs "io/fs"
	"path"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// Actions returns the actions of this package.
func Actions() []action.Action {
	return []action.Action{deleteFiles(), rename(), readdir()}
}

// explain says of a file operation that failed what a template's author can
// do about it: system errors name paths of the server and no input.
func explain(input, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, iofs.ErrNotExist):
		return &inputError{input, name, "does not exist in the workspace", err}
	case errors.Is(err, iofs.ErrExist):
		return &inputError{input, name, "exists already", err}
	}
	return err
}

// An inputError says which input named what is wrong, and why.
type inputError struct {
	input, name, reason string
	cause               error
}

func (e *inputError) Error() string { return e.input + ": " + e.name + " " + e.reason }

func (e *inputError) Unwrap() error { return e.cause }

// entry is a file or folder as fs:readdir describes it.
type entry struct {
	Name     string `json:"name" doc:"The name alone"`
	Path     string `json:"path" doc:"The path from the root of the workspace"`
	FullPath string `json:"fullPath" doc:"The absolute path"`
}

func newEntry(ws *workspace.Workspace, name string) entry {
	return entry{Name: path.Base(name), Path: name, FullPath: ws.Abs(name)}
}
