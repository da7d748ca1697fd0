package webhook_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/webhook"
)

// fakeCatalog has registered locations, and notes what it is asked for.
type fakeCatalog struct {
	locations map[string]string // id to target
	keys      []string
	exact     []string
	below     []string
	fail      error
}

func (c *fakeCatalog) RefreshKeys(_ context.Context, keys []string) error {
	c.keys = append(c.keys, keys...)
	return c.fail
}

func (c *fakeCatalog) RefreshFrom(_ context.Context, urls []string, below bool) error {
	if below {
		c.below = append(c.below, urls...)
	} else {
		c.exact = append(c.exact, urls...)
	}
	return nil
}

func (c *fakeCatalog) Locations(context.Context) (out []catalog.Location, err error) {
	for id, target := range c.locations {
		out = append(out, catalog.Location{ID: id, Type: "url", Target: target})
	}
	out = append(out, catalog.Location{ID: "file", Type: "file", Target: "https://github.com/acme/shop/blob/main/a.yaml"})
	return out, nil
}

func (c *fakeCatalog) UpdateLocation(_ context.Context, id string, to catalog.LocationRef) (catalog.Location, error) {
	for _, target := range c.locations {
		if target == to.Target {
			return catalog.Location{}, catalog.ErrConflict
		}
	}
	c.locations[id] = to.Target
	return catalog.Location{}, nil
}

func (c *fakeCatalog) DeleteLocation(_ context.Context, id string) error {
	if _, ok := c.locations[id]; !ok {
		return catalog.ErrNotFound
	}
	delete(c.locations, id)
	return nil
}

const shop = "https://github.com/acme/shop"

func forms(path string) []string {
	return []string{shop + "/blob/main/" + path, shop + "/tree/main/" + path}
}

func TestSCMEffects(t *testing.T) {
	all := webhook.Effects{Refresh: true, Unregister: true, Move: true}
	cases := []struct {
		name    string
		effects webhook.Effects
		event   webhook.Event
		want    map[string]string
		exact   []string
		below   []string
	}{
		{"a file changed", all, webhook.Event{Kind: webhook.FileChanged, URLs: forms("a.yaml")},
			nil, forms("a.yaml"), nil},
		{"a file changed, refresh off", webhook.Effects{Unregister: true, Move: true}, webhook.Event{Kind: webhook.FileChanged, URLs: forms("a.yaml")},
			nil, nil, nil},
		{"a repository changed", all, webhook.Event{Kind: webhook.RepositoryChanged, URLs: []string{shop}},
			nil, nil, []string{shop}},
		{"a file is gone", all, webhook.Event{Kind: webhook.FileDeleted, URLs: forms("a.yaml")},
			map[string]string{"2": shop + "/tree/main/b/c.yaml", "3": shop + "ping/blob/main/a.yaml"}, forms("a.yaml"), nil},
		{"a file is gone, unregister off", webhook.Effects{Refresh: true}, webhook.Event{Kind: webhook.FileDeleted, URLs: forms("a.yaml")},
			nil, forms("a.yaml"), nil},
		{"a repository is gone", all, webhook.Event{Kind: webhook.RepositoryDeleted, URLs: []string{shop}},
			map[string]string{"3": shop + "ping/blob/main/a.yaml"}, nil, []string{shop}},
		{"a file has moved", all, webhook.Event{Kind: webhook.FileMoved, URLs: forms("a.yaml"), Moved: forms("z.yaml")},
			map[string]string{"1": shop + "/blob/main/z.yaml", "2": shop + "/tree/main/b/c.yaml", "3": shop + "ping/blob/main/a.yaml"}, forms("a.yaml"), nil},
		{"a file has moved to where another is", all, webhook.Event{Kind: webhook.FileMoved, URLs: forms("a.yaml"), Moved: []string{shop + "/tree/main/b/c.yaml", "x"}},
			map[string]string{"2": shop + "/tree/main/b/c.yaml", "3": shop + "ping/blob/main/a.yaml"}, forms("a.yaml"), nil},
		{"a file has moved, move off", webhook.Effects{Refresh: true, Unregister: true}, webhook.Event{Kind: webhook.FileMoved, URLs: forms("a.yaml"), Moved: forms("z.yaml")},
			nil, forms("a.yaml"), nil},
		{"a repository has moved", all, webhook.Event{Kind: webhook.RepositoryMoved, URLs: []string{shop}, Moved: []string{"https://github.com/other/store"}},
			map[string]string{"1": "https://github.com/other/store/blob/main/a.yaml", "2": "https://github.com/other/store/tree/main/b/c.yaml", "3": shop + "ping/blob/main/a.yaml"}, nil, nil},
		{"a new file", all, webhook.Event{Kind: webhook.FileAdded, URLs: forms("a.yaml")}, nil, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before := func() map[string]string {
				return map[string]string{"1": shop + "/blob/main/a.yaml", "2": shop + "/tree/main/b/c.yaml", "3": shop + "ping/blob/main/a.yaml"}
			}
			f := &fakeCatalog{locations: before()}
			if c.want == nil {
				c.want = before()
			}
			s := webhook.NewSCM(f, c.effects, nil)
			for range 2 { // the same event may come twice
				require.NoError(t, s.Apply(t.Context(), []webhook.Event{c.event}))
			}
			require.Equal(t, c.want, f.locations)
			require.Equal(t, append(c.exact, c.exact...), f.exact)
			require.Equal(t, append(c.below, c.below...), f.below)
		})
	}
}

func TestSCMErrorsAreReported(t *testing.T) {
	f := &fakeCatalog{fail: errors.New("disk full")}
	s := webhook.NewSCM(f, webhook.Effects{Refresh: true}, nil)
	events := []webhook.Event{{Kind: webhook.FileChanged, URLs: forms("a.yaml")}, {Kind: webhook.FileChanged, URLs: forms("b.yaml")}}
	require.ErrorContains(t, s.Apply(t.Context(), events), "disk full")
	require.Len(t, f.keys, 4, "the second event is not skipped")
	require.False(t, s.Off())
	require.True(t, webhook.NewSCM(f, webhook.Effects{}, nil).Off())
}

func TestNet(t *testing.T) {
	cases := []struct {
		name    string
		commits []webhook.Commit
		want    []webhook.FileChange
	}{
		{"nothing", nil, nil},
		{"one of each", []webhook.Commit{{Added: []string{"a"}, Modified: []string{"b"}, Removed: []string{"c"}}},
			[]webhook.FileChange{{Path: "a", Kind: webhook.FileAdded}, {Path: "b", Kind: webhook.FileChanged}, {Path: "c", Kind: webhook.FileDeleted}}},
		{"added, then changed", []webhook.Commit{{Added: []string{"a"}}, {Modified: []string{"a"}}},
			[]webhook.FileChange{{Path: "a", Kind: webhook.FileAdded}}},
		{"added, then removed", []webhook.Commit{{Added: []string{"a"}}, {Removed: []string{"a"}}}, nil},
		{"removed, then added again", []webhook.Commit{{Removed: []string{"a"}}, {Added: []string{"a"}}},
			[]webhook.FileChange{{Path: "a", Kind: webhook.FileChanged}}},
		{"changed, then removed", []webhook.Commit{{Modified: []string{"a"}}, {Removed: []string{"a"}}},
			[]webhook.FileChange{{Path: "a", Kind: webhook.FileDeleted}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, webhook.Net(c.commits)) })
	}
}
