package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/gitignore"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// A File is what a commit holds at one path.
type File struct {
	// Path is relative to the folder, with slashes.
	Path string
	// Name is how the workspace calls it.
	Name string
	Mode filemode.FileMode
	Size int64
	ws   *workspace.Workspace
}

// Content returns the content of a file, and what a link says. One of more than
// limit bytes is an error.
func (f File) Content(limit int64) ([]byte, error) {
	if f.Mode != filemode.Symlink {
		return f.ws.ReadFile(f.Name, limit)
	}
	target, err := f.ws.Readlink(f.Name)
	return []byte(target), err
}

const (
	// maxFiles bounds what a commit holds.
	maxFiles = 200_000
	// maxIgnoreFile bounds a .gitignore file, maxPatterns the lines of all.
	maxIgnoreFile = 1 << 20
	maxPatterns   = 20_000
)

// SourceDir returns the folder of the workspace that is published: the whole of
// it for "". Steps up at its beginning are dropped, as in the reference; what
// leads out of the workspace by other ways is not allowed.
func SourceDir(ws *workspace.Workspace, sourcePath string) (string, error) {
	if sourcePath == "" {
		return ".", nil
	}
	dir := path.Clean(strings.ReplaceAll(sourcePath, `\`, "/"))
	for strings.HasPrefix(dir, "../") {
		dir = strings.TrimPrefix(dir, "../")
	}
	if dir == ".." {
		dir = "."
	}
	clean, err := ws.Resolve(dir)
	if err != nil {
		return "", err
	}
	if info, err := ws.Stat(clean); err != nil || !info.IsDir() {
		return "", catalog.NewError(catalog.NameInput,
			fmt.Sprintf("sourcePath: there is no folder %s in the workspace: an earlier step must make it", clean))
	}
	return clean, nil
}

// Visit calls visit for every file and link that a commit of the folder would
// hold, those of a folder in order. An error of visit ends it.
func Visit(ctx context.Context, ws *workspace.Workspace, dir string, visit func(File) error) error {
	v := &visitor{ctx: ctx, ws: ws, visit: visit}
	return v.folder(dir, nil, nil)
}

type visitor struct {
	ctx             context.Context
	ws              *workspace.Workspace
	visit           func(File) error
	files, patterns int
}

// folder visits a folder, whose path from the root of the commit is at, with
// the patterns of the folders above it.
func (v *visitor) folder(dir string, at []string, above []gitignore.Pattern) error {
	if err := v.ctx.Err(); err != nil {
		return context.Cause(v.ctx)
	}
	own, err := v.ignored(dir, at)
	if err != nil {
		return err
	}
	patterns := append(above[:len(above):len(above)], own...)
	matcher := gitignore.NewMatcher(patterns)
	entries, err := v.ws.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		here := append(at[:len(at):len(at)], e.Name())
		if strings.EqualFold(e.Name(), ".git") || matcher.Match(here, e.IsDir()) {
			continue
		}
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			err = v.folder(name, here, patterns)
		} else {
			err = v.file(name, here, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *visitor) file(name string, at []string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return err
	}
	if v.files++; v.files > maxFiles {
		return catalog.NewError(catalog.NameInput, fmt.Sprintf("there are more than %d files to publish: leave some out with .gitignore or sourcePath", maxFiles))
	}
	f := File{Path: strings.Join(at, "/"), Name: name, Mode: filemode.Regular, Size: info.Size(), ws: v.ws}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		f.Mode = filemode.Symlink
	case !info.Mode().IsRegular():
		return nil
	case info.Mode()&0o111 != 0:
		f.Mode = filemode.Executable
	}
	return v.visit(f)
}

// ignored reads the .gitignore of a folder. One that is a link counts for
// nothing, as with Git.
func (v *visitor) ignored(dir string, at []string) ([]gitignore.Pattern, error) {
	name := path.Join(dir, ".gitignore")
	info, err := v.ws.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := v.ws.ReadFile(name, maxIgnoreFile)
	if err != nil {
		return nil, err
	}
	var out []gitignore.Pattern
	for line := range bytes.Lines(data) {
		text := strings.TrimRight(string(line), "\r\n")
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if v.patterns++; v.patterns > maxPatterns {
			return nil, catalog.NewError(catalog.NameInput, fmt.Sprintf("the .gitignore files have more than %d lines", maxPatterns))
		}
		out = append(out, gitignore.ParsePattern(text, at))
	}
	return out, nil
}
