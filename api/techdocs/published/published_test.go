package published_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/published"
	"github.com/greenroom-idp/greenroom/api/techdocs/site"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

var booking = catalog.EntityRef{Kind: "Component", Namespace: "Default", Name: "Booking"}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func open(t *testing.T, dir string, caseSensitive bool) *published.Library {
	t.Helper()
	folder, err := published.OpenFolder(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, folder.Close()) })
	return published.New(folder, caseSensitive)
}

func read(t *testing.T, l *published.Library, ref catalog.EntityRef, name string) (string, error) {
	t.Helper()
	f, err := l.Open(t.Context(), ref, name)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(f)
	require.NoError(t, errors.Join(err, f.Close()))
	require.NotEmpty(t, f.ETag)
	require.WithinDuration(t, time.Now(), f.Modified, time.Hour)
	return string(data), nil
}

func TestFolder(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	put(t, dir, "default/component/booking/index.html", "start")
	put(t, dir, "default/component/booking/a/index.html", "a")
	put(t, dir, "Default/Component/Booking/index.html", "upper")
	put(t, dir, "secret.txt", "secret")
	put(t, outside, "secret.txt", "secret")
	l := open(t, dir, false)
	got, err := read(t, l, booking, "index.html")
	require.NoError(t, err)
	require.Equal(t, "start", got)
	is, err := l.IsFolder(t.Context(), booking, "a")
	require.NoError(t, err)
	require.True(t, is)
	is, err = l.IsFolder(t.Context(), booking, "b")
	require.NoError(t, err)
	require.False(t, is)
	updated, err := l.Sync(t.Context(), catalog.Entity{}, nil)
	require.NoError(t, err)
	require.False(t, updated)
	got, err = read(t, open(t, dir, true), booking, "index.html")
	require.NoError(t, err)
	require.Equal(t, "upper", got)

	require.NoError(t, os.Symlink(filepath.Join(outside, "secret.txt"), filepath.Join(dir, "default/component/booking/link.txt")))
	require.NoError(t, os.Symlink("../../../secret.txt", filepath.Join(dir, "default/component/booking/up.txt")))
	for _, name := range []string{"nothing", "a", "link.txt", "../../../secret.txt", "../booking/index.html", "/etc/passwd", ""} {
		_, err := l.Open(t.Context(), booking, name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
	for _, ref := range []catalog.EntityRef{{Kind: "..", Namespace: "x", Name: "y"}, {Kind: "a/b", Namespace: "x", Name: "y"}, {Namespace: "", Kind: "x", Name: "y"}} {
		_, err := l.Open(t.Context(), ref, "index.html")
		require.ErrorIs(t, err, fs.ErrNotExist, ref)
	}
	_, err = published.OpenFolder(filepath.Join(dir, "nothing"))
	require.Error(t, err)
}

type finder map[string][]string

func (f finder) Put(e catalog.Entity, sections iter.Seq[site.Section]) {
	ref := e.Ref().String()
	f[ref] = append(f[ref], "put")
	for s := range sections {
		f[ref] = append(f[ref], fmt.Sprintf("%s|%s|%s", s.Path, s.Title, s.Text))
	}
}

func (f finder) Remove(ref string) { delete(f, ref) }

func TestIndexer(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "default/component/booking/search/search_index.json",
		`{"config":{},"docs":[{"location":"","title":"Start","text":"A &amp; B &lt;c&gt;"},{"location":"a/#b","title":"B &quot;x&quot;","text":"t"}]}`)
	put(t, dir, "default/component/broken/search/search_index.json", `{"docs":`)
	named := func(name, title string) catalog.Entity {
		return catalog.Entity{Object: jsonvalue.NewObject(jsonvalue.Member{Key: "kind", Value: "Component"}, jsonvalue.Member{Key: "metadata",
			Value: jsonvalue.NewObject(jsonvalue.Member{Key: "name", Value: name}, jsonvalue.Member{Key: "title", Value: title})})}
	}
	list := []catalog.Entity{named("booking", "a"), named("broken", "b"), named("none", "c")}
	f := finder{}
	x := &published.Indexer{Library: open(t, dir, false), Finder: f, Entities: func(context.Context) ([]catalog.Entity, error) { return list, nil }}
	const ref = "component:default/booking"
	want := []string{"put", "|Start|A & B <c>", `a/#b|B "x"|t`}
	require.NoError(t, x.Run(t.Context()))
	require.Equal(t, finder{ref: want}, f)
	require.NoError(t, x.Run(t.Context()))
	require.Equal(t, finder{ref: want}, f, "what has not changed is not put in again")
	list[0] = named("booking", "another")
	require.NoError(t, x.Run(t.Context()))
	require.Equal(t, finder{ref: append(want, want...)}, f, "an entity that has changed is")

	require.NoError(t, os.Remove(filepath.Join(dir, "default/component/booking/search/search_index.json")))
	require.NoError(t, x.Run(t.Context()))
	require.Empty(t, f)
	x.Entities = func(context.Context) ([]catalog.Entity, error) { return nil, errors.New("no catalog") }
	require.ErrorContains(t, x.Run(t.Context()), "no catalog")
}
