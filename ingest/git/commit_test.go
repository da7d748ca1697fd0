package git_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/archive"
)

// A folder can be read as it was in the commit that was asked for, or, where a
// server does not give that away any more, as it is now.
func TestTreeAt(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.add("acme/shop", map[string]string{"docs/index.md": "first"})
		url := b.base + "/acme/shop.git/tree/main/docs"
		commit, err := b.reader.Commit(context.Background(), url)
		require.NoError(t, err)
		require.Len(t, commit, 40)
		b.push("acme/shop", map[string]string{"docs/index.md": "second"})
		content := ""
		err = b.reader.TreeAt(context.Background(), url, commit, func(e archive.Entry) error {
			data, err := io.ReadAll(e.Content)
			content += e.Path + " " + string(data)
			return err
		})
		require.NoError(t, err)
		require.Contains(t, []string{"index.md first", "index.md second"}, content)
		_, err = b.reader.Commit(context.Background(), b.base+"/acme/shop.git/tree/nothing/")
		require.ErrorIs(t, err, catalog.ErrNotFound)
	})
}
