package gitlab_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forge"
)

// A folder can be read as it was in the commit that was asked for, and what a
// webhook says counts at once.
func TestTreeAt(t *testing.T) {
	b := newBench(t, forge.Limits{})
	b.add("acme/shop", map[string]string{"docs/index.md": "first"})
	url := b.URL() + "/acme/shop/-/tree/main/docs"
	first, err := b.reader.Commit(context.Background(), url)
	require.NoError(t, err)
	require.Len(t, first, 40)
	second := b.push("acme/shop", map[string]string{"docs/index.md": "second"})
	b.reader.Observe(b.URL()+"/acme/shop", "main", second.SHA, b.now())
	now, err := b.reader.Commit(context.Background(), url)
	require.NoError(t, err)
	require.Equal(t, second.SHA, now)
	for commit, want := range map[string]string{first: "index.md first", now: "index.md second"} {
		content := ""
		err = b.reader.TreeAt(context.Background(), url, commit, func(e archive.Entry) error {
			data, err := io.ReadAll(e.Content)
			content += e.Path + " " + string(data)
			return err
		})
		require.NoError(t, err)
		require.Equal(t, want, content)
	}
	_, err = b.reader.Commit(context.Background(), b.URL()+"/acme/nothing/-/tree/main/")
	require.ErrorIs(t, err, catalog.ErrNotFound)
}
