package debug

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

const (
	// mostContent is how much of a file is shown, mostListing how long the
	// whole listing may become.
	mostContent = 64 << 10
	mostListing = 1 << 20
)

// What listWorkspace may say beside true and false.
const (
	withFilenames = "with-filenames"
	withContents  = "with-contents"
)

// input is that of debug:log. It keeps the object as the author wrote it, since
// that is what is shown.
type input struct {
	object *jsonvalue.Object
}

// JSONSchema implements action.Described.
func (input) JSONSchema() *jsonvalue.Object {
	o, err := jsonvalue.ParseObject([]byte(`{
		"type": "object",
		"properties": {
			"message": {"type": "string", "description": "A text to log"},
			"listWorkspace": {
				"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["with-filenames", "with-contents"]}],
				"description": "List the files of the workspace; with-contents also shows what is in them"
			}
		},
		"additionalProperties": false,
		"$schema": "http://json-schema.org/draft-07/schema#"
	}`))
	if err != nil {
		panic(err) // the text above
	}
	return o
}

// UnmarshalValue implements action.Described.
func (i *input) UnmarshalValue(v any) error {
	var ok bool
	if i.object, ok = v.(*jsonvalue.Object); !ok {
		return fmt.Errorf("the input is not an object")
	}
	return nil
}

var _ action.Described = (*input)(nil)

func logInput() action.Action {
	return action.New(action.Spec{
		ID:          "debug:log",
		Description: "Writes its input into the log, and lists the files of the workspace.",
		DryRun:      true,
		Repeatable:  true,
		Examples: []action.Example{{
			Description: "Log a text",
			Example: "steps:\n  - id: log\n    name: Say what is made\n    action: debug:log\n    input:\n" +
				"      message: Making ${{ parameters.name }}\n",
		}, {
			Description: "List the workspace",
			Example: "steps:\n  - id: log\n    name: Show the files\n    action: debug:log\n    input:\n" +
				"      listWorkspace: true\n",
		}, {
			Description: "Show the files with what is in them",
			Example: "steps:\n  - id: log\n    name: Show the files\n    action: debug:log\n    input:\n" +
				"      message: This is what will be published\n      listWorkspace: with-contents\n",
		}},
	}, runLog)
}

func runLog(ctx context.Context, c *action.Context, in input) error {
	var shown bytes.Buffer
	if err := json.Indent(&shown, jsonvalue.Append(nil, in.object), "", "  "); err != nil {
		return err
	}
	c.Log.Info(shown.String())
	if message := in.object.String("message"); message != "" {
		c.Log.Info(message)
	}
	var line func(*workspace.Workspace, string, fs.FileInfo) string
	switch in.object.Value("listWorkspace") {
	case true, withFilenames:
		line = filename
	case withContents:
		line = content
	default:
		return nil
	}
	listing, err := list(ctx, c.Workspace, line)
	if err != nil {
		return err
	}
	c.Log.Info(listing)
	return nil
}

// list shows every file of the workspace by line.
func list(ctx context.Context, ws *workspace.Workspace, line func(*workspace.Workspace, string, fs.FileInfo) string) (string, error) {
	var lines []string
	size, left := 0, 0
	err := ws.Walk(".", func(name string, info fs.FileInfo) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch {
		case info.IsDir():
		case size > mostListing:
			left++
		default:
			l := line(ws, name, info)
			size += len(l)
			lines = append(lines, l)
		}
		return nil
	})
	if left > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more files", left))
	}
	return "Workspace:\n" + strings.Join(lines, "\n"), err
}

func filename(_ *workspace.Workspace, name string, _ fs.FileInfo) string { return "  - " + name }

// content shows a file with its text. Links are not followed.
func content(ws *workspace.Workspace, name string, info fs.FileInfo) string {
	skipped := " - " + name + ": [skipped]"
	if !info.Mode().IsRegular() {
		return skipped
	}
	f, err := ws.Open(name)
	if err != nil {
		return skipped
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostContent))
	if err != nil {
		return skipped
	}
	text := strings.ToValidUTF8(string(data), "\uFFFD")
	if more := info.Size() - int64(len(data)); more > 0 {
		text += fmt.Sprintf("\n… %d more bytes", more)
	}
	return " - " + name + ":\n\n  " + text
}
