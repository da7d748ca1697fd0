package skeleton

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/catalog"
)

// Limits bound what Read lists and Write renders. A zero field means its
// default.
type Limits struct {
	Entries int   // files, folders and links of a tree; 50,000
	Depth   int   // of folders in each other; 100
	Text    int64 // bytes of a file that is rendered; 16 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Entries <= 0 {
		l.Entries = 50_000
	}
	if l.Depth <= 0 {
		l.Depth = 100
	}
	if l.Text <= 0 {
		l.Text = 16 << 20
	}
	return l
}

// An Entry is a file, folder or link of a tree.
type Entry struct {
	Name string // from the root of the tree, with slashes
	Mode fs.FileMode
}

// IsFolder tells whether the entry is a folder.
func (e Entry) IsFolder() bool { return e.Mode.IsDir() }

// A Tree is a listed source. It holds no files open.
type Tree struct {
	source  fs.FS
	limits  Limits
	entries []Entry
}

// Read lists a source: folders before what is in them, level by level, names
// in order. Devices, sockets and the like are left out.
func Read(ctx context.Context, source fs.FS, limits Limits) (*Tree, error) {
	t := &Tree{source: source, limits: limits.withDefaults()}
	for folders := []string{"."}; len(folders) > 0; folders = folders[1:] {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		found, err := t.list(folders[0])
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if e.IsFolder() {
				folders = append(folders, e.Name)
			}
		}
	}
	return t, nil
}

// list adds what is in one folder to the entries and returns it.
func (t *Tree) list(folder string) ([]Entry, error) {
	if strings.Count(folder, "/") >= t.limits.Depth {
		return nil, unfit("folders of the template are nested deeper than %d levels", t.limits.Depth)
	}
	entries, err := fs.ReadDir(t.source, folder)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	first := len(t.entries)
	for _, d := range entries {
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !utf8.ValidString(d.Name()) {
			return nil, unfit("the template has a file whose name is not UTF-8: %q", path.Join(folder, d.Name()))
		}
		if m := info.Mode(); m.IsRegular() || m.IsDir() || m&fs.ModeSymlink != 0 {
			t.entries = append(t.entries, Entry{Name: path.Join(folder, d.Name()), Mode: m})
		}
	}
	if len(t.entries) > t.limits.Entries {
		return nil, unfit("the template has more than %d files and folders", t.limits.Entries)
	}
	return t.entries[first:], nil
}

// Entries returns what the tree has, in order. The caller must not change it.
func (t *Tree) Entries() []Entry { return t.entries }

// ReadFile returns the content of a file, which may be as large as a template.
// One that is not there is fs.ErrNotExist.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	f, err := t.source.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, t.limits.Text+1))
	if err == nil && int64(len(data)) > t.limits.Text {
		err = unfit("%s is larger than %d bytes", name, t.limits.Text)
	}
	return data, err
}

// Sub returns the tree that a folder of this one is.
func (t *Tree) Sub(folder string) (*Tree, error) {
	source, err := fs.Sub(t.source, folder)
	if err != nil {
		return nil, err
	}
	sub := &Tree{source: source, limits: t.limits}
	for _, e := range t.entries {
		if name, ok := strings.CutPrefix(e.Name, folder+"/"); ok {
			sub.entries = append(sub.entries, Entry{Name: name, Mode: e.Mode})
		}
	}
	return sub, nil
}

// unfit says why a tree is none that can be rendered.
func unfit(format string, args ...any) error {
	return catalog.NewError(catalog.NameInput, fmt.Sprintf(format, args...))
}
