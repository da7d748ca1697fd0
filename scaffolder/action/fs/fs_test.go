package fs_test

import (
	"encoding/json"
	iofs "io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fs"
)

func lookup(t *testing.T, id string) action.Action {
	r, err := action.NewRegistry(fs.Actions()...)
	require.NoError(t, err)
	a, err := r.Lookup(id)
	require.NoError(t, err)
	return a
}

// with puts files into the workspace; a name that ends in a slash is a folder,
// "a->b" a link.
func with(names ...string) func(t *testing.T, c *action.Context) {
	return func(t *testing.T, c *action.Context) {
		for _, name := range names {
			from, to, isLink := strings.Cut(name, "->")
			switch {
			case isLink:
				require.NoError(t, c.Workspace.Symlink(to, from))
			case strings.HasSuffix(name, "/"):
				require.NoError(t, c.Workspace.MkdirAll(name, 0o755))
			default:
				require.NoError(t, c.Workspace.WriteFile(name, []byte(name), 0o644))
			}
		}
	}
}

// left lists the workspace, folders with a slash.
func left(t *testing.T, c *action.Context) []string {
	names := []string{}
	require.NoError(t, c.Workspace.Walk(".", func(name string, info iofs.FileInfo) error {
		if info.IsDir() {
			name += "/"
		}
		names = append(names, name)
		return nil
	}))
	slices.Sort(names)
	return names
}

func quoted(path string) string { return string(jsonvalue.AppendString(nil, path)) }

func TestConformance(t *testing.T) {
	t.Run("fs:delete", func(t *testing.T) {
		actiontest.Run(t, lookup(t, "fs:delete"), actiontest.Options{
			Cases: []actiontest.Case{{Name: "files", Input: `{"files":["a","b/*"]}`, Setup: with("a", "b/c")}},
			Paths: []actiontest.Path{{Name: "files", Input: func(p string) string { return `{"files":[` + quoted(p) + `]}` }}},
		})
	})
	t.Run("fs:rename", func(t *testing.T) {
		actiontest.Run(t, lookup(t, "fs:rename"), actiontest.Options{
			Cases: []actiontest.Case{{Name: "files", Input: `{"files":[{"from":"a","to":"x/y"},{"from":"b","to":"x/y","overwrite":true}]}`, Setup: with("a", "b")}},
			Paths: []actiontest.Path{
				{Name: "from", Setup: with("a"), Input: func(p string) string { return `{"files":[{"from":` + quoted(p) + `,"to":"x"}]}` }},
				{Name: "to", Setup: with("a"), Input: func(p string) string {
					return `{"files":[{"from":"a","to":` + quoted(p) + `,"overwrite":true}]}`
				}},
			},
		})
	})
	t.Run("fs:readdir", func(t *testing.T) {
		actiontest.Run(t, lookup(t, "fs:readdir"), actiontest.Options{
			Cases: []actiontest.Case{{Name: "all", Input: `{"paths":["."],"recursive":true}`, Setup: with("a", "b/c")}},
			Paths: []actiontest.Path{{Name: "paths", Input: func(p string) string { return `{"paths":[` + quoted(p) + `]}` }}},
		})
	})
}

func TestDelete(t *testing.T) {
	all := []string{"a.txt", "b.txt", ".env", "sub/c.txt", "sub/deep/d.md", "app/[id].tsx", "!bang", "empty/", "link->a.txt", "broken->none", "out->/etc"}
	for _, c := range []struct {
		files string
		gone  []string
		why   string
	}{
		{`["a.txt"]`, []string{"a.txt"}, ""},
		{`["./a.txt","b.txt"]`, []string{"a.txt", "b.txt"}, ""},
		{`["*.txt"]`, []string{"a.txt", "b.txt"}, "a star does not cross folders"},
		{`["**/*.txt"]`, []string{"a.txt", "b.txt", "sub/c.txt"}, ""},
		{`["sub"]`, []string{"sub/c.txt", "sub/deep/d.md"}, "folders stay, without their files"},
		{`["sub/"]`, []string{"sub/c.txt", "sub/deep/d.md"}, ""},
		{`["**"]`, []string{"a.txt", "b.txt", ".env", "sub/c.txt", "sub/deep/d.md", "app/[id].tsx", "!bang", "link", "broken", "out"}, "names with a dot, and links, not what they lead to"},
		{`["."]`, []string{"a.txt", "b.txt", ".env", "sub/c.txt", "sub/deep/d.md", "app/[id].tsx", "!bang", "link", "broken", "out"}, ""},
		{`["nothing","*.nothing"]`, nil, "nothing to delete is no error"},
		{`["app/[id].tsx"]`, []string{"app/[id].tsx"}, "a name is itself"},
		{`["!bang"]`, []string{"!bang"}, "nothing is taken away here"},
		{`["sub/../a.txt"]`, []string{"a.txt"}, ""},
		{`[]`, nil, ""},
	} {
		t.Run(c.files, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			with(all...)(t, ctx)
			before := left(t, ctx)
			require.NoError(t, r.Run(t.Context(), lookup(t, "fs:delete"), ctx, `{"files":`+c.files+`}`), c.why)
			after := left(t, ctx)
			var gone []string
			for _, name := range before {
				if !slices.Contains(after, name) {
					gone = append(gone, name)
				}
			}
			require.ElementsMatch(t, c.gone, gone, c.why)
			require.Len(t, r.Lines(), len(c.gone), "one line for each")
			for _, line := range r.Lines() {
				require.Regexp(t, `^info: File /.* deleted successfully$`, line)
			}
		})
	}
}

func TestDeleteErrors(t *testing.T) {
	ctx, r := actiontest.NewContext(t)
	require.EqualError(t, r.Run(t.Context(), lookup(t, "fs:delete"), ctx, `{"files":"a"}`),
		"Invalid input passed to action fs:delete, instance.files is not of a type(s) array")
	err := r.Run(t.Context(), lookup(t, "fs:delete"), ctx, `{"files":["+(a)"]}`)
	require.ErrorIs(t, err, catalog.ErrInput)
	require.ErrorContains(t, err, "files: pattern")
}

func TestRename(t *testing.T) {
	for _, c := range []struct {
		name, files string
		before      []string
		after       []string
		err         string
	}{
		{"a file", `[{"from":"a","to":"b"}]`, []string{"a"}, []string{"b"}, ""},
		{"into folders that are made", `[{"from":"a","to":"x/y/z"}]`, []string{"a"}, []string{"x/", "x/y/", "x/y/z"}, ""},
		{"a folder", `[{"from":"d","to":"e"}]`, []string{"d/a", "d/b/c"}, []string{"e/", "e/a", "e/b/", "e/b/c"}, ""},
		{"one after the other", `[{"from":"a","to":"b"},{"from":"b","to":"c"}]`, []string{"a"}, []string{"c"}, ""},
		{"a link, not what it leads to", `[{"from":"l","to":"m"}]`, []string{"a", "l->a"}, []string{"a", "m"}, ""},
		{"over a file", `[{"from":"a","to":"b","overwrite":true}]`, []string{"a", "b"}, []string{"b"}, ""},
		{"over a folder", `[{"from":"a","to":"d","overwrite":true}]`, []string{"a", "d/x"}, []string{"d"}, ""},
		{"onto itself", `[{"from":"a","to":"./a"}]`, []string{"a"}, []string{"a"}, ""},
		{"what is there stays", `[{"from":"a","to":"b"}]`, []string{"a", "b"}, []string{"a", "b"}, "files[0].to: b is there: dest already exists. Set overwrite: true to replace it"},
		{"what is not there", `[{"from":"a","to":"b"},{"from":"c","to":"d"}]`, []string{"a"}, []string{"b"}, "files[1].from: c does not exist in the workspace"},
		{"an empty name", `[{"from":"a","to":""}]`, []string{"a"}, []string{"a"}, "files[0]: each file must have a from and to property"},
		{"a folder into itself", `[{"from":"d","to":"d/e","overwrite":true}]`, []string{"d/e"}, []string{"d/", "d/e"}, "files[0].to: d/e lies in the folder that would be moved there"},
		{"a file over its folder", `[{"from":"d/e","to":"d","overwrite":true}]`, []string{"d/e"}, []string{"d/", "d/e"}, "files[0].to: d holds what would be moved there"},
		{"the workspace", `[{"from":".","to":"d"}]`, []string{"a"}, []string{"a"}, "lies in the folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			with(c.before...)(t, ctx)
			err := r.Run(t.Context(), lookup(t, "fs:rename"), ctx, `{"files":`+c.files+`}`)
			require.Equal(t, c.after, left(t, ctx))
			if c.err == "" {
				require.NoError(t, err)
				require.Regexp(t, `^info: File /.* renamed to /.* successfully$`, r.Lines()[0])
				return
			}
			require.ErrorContains(t, err, c.err)
		})
	}
}

func TestAFailedRenameIsLogged(t *testing.T) {
	ctx, r := actiontest.NewContext(t)
	err := r.Run(t.Context(), lookup(t, "fs:rename"), ctx, `{"files":[{"from":"nowhere.txt","to":"somewhere.txt"}]}`)
	require.ErrorIs(t, err, iofs.ErrNotExist)
	require.Len(t, r.Lines(), 1)
	require.Regexp(t, `^error: Failed to rename file /.*/nowhere.txt to /.*/somewhere.txt: files\[0\].from: nowhere.txt does not exist in the workspace$`, r.Lines()[0])
}

func TestReaddir(t *testing.T) {
	type entry struct{ Name, Path, FullPath string }
	for _, c := range []struct {
		name, input    string
		files, folders []string
	}{
		{"one folder", `{"paths":["."]}`, []string{"a.txt", "link", "z.txt"}, []string{"sub"}},
		{"all below", `{"paths":["."],"recursive":true}`, []string{"a.txt", "link", "z.txt", "sub/b.txt", "sub/deep/c.txt"}, []string{"sub", "sub/deep"}},
		{"not all below", `{"paths":["./sub/"],"recursive":false}`, []string{"sub/b.txt"}, []string{"sub/deep"}},
		{"two folders", `{"paths":["sub","sub/deep"]}`, []string{"sub/b.txt", "sub/deep/c.txt"}, []string{"sub/deep"}},
		{"no folder", `{"paths":[]}`, []string{}, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			with("a.txt", "z.txt", "sub/b.txt", "sub/deep/c.txt", "link->sub")(t, ctx)
			require.NoError(t, r.Run(t.Context(), lookup(t, "fs:readdir"), ctx, c.input))
			var out struct{ Files, Folders []entry }
			require.NoError(t, json.Unmarshal([]byte(r.Outputs()), &out))
			paths := func(list []entry) []string {
				names := []string{}
				for _, e := range list {
					require.Equal(t, ctx.Workspace.Abs(e.Path), e.FullPath)
					require.Equal(t, e.Path[strings.LastIndexByte(e.Path, '/')+1:], e.Name)
					names = append(names, e.Path)
				}
				return names
			}
			require.Equal(t, c.files, paths(out.Files))
			require.Equal(t, c.folders, paths(out.Folders))
			require.Empty(t, r.Lines())
		})
	}
}

func TestReaddirErrors(t *testing.T) {
	ctx, r := actiontest.NewContext(t)
	require.EqualError(t, r.Run(t.Context(), lookup(t, "fs:readdir"), ctx, `{"paths":[".","none"]}`), "paths[1]: none does not exist in the workspace")
	require.EqualError(t, r.Run(t.Context(), lookup(t, "fs:readdir"), ctx, `{"paths":[""]}`),
		"Invalid input passed to action fs:readdir, instance.paths[0] does not meet minimum length of 1")
}

func TestSchemas(t *testing.T) {
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"required":["files"],
		"properties":{"files":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["from","to"],
		"properties":{"from":{"type":"string"},"to":{"type":"string"},"overwrite":{"type":"boolean"}}}}}}`,
		actiontest.Undescribed(lookup(t, "fs:rename").InputSchema()))
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"required":["paths"],
		"properties":{"paths":{"type":"array","items":{"type":"string","minLength":1}},"recursive":{"type":"boolean","default":false}}}`,
		actiontest.Undescribed(lookup(t, "fs:readdir").InputSchema()))
	entries := `{"type":"array","items":{"type":"object","additionalProperties":false,"required":["name","path","fullPath"],
		"properties":{"name":{"type":"string"},"path":{"type":"string"},"fullPath":{"type":"string"}}}}`
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"required":["files","folders"],
		"properties":{"files":`+entries+`,"folders":`+entries+`}}`, actiontest.Undescribed(lookup(t, "fs:readdir").OutputSchema()))
}
