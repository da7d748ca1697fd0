package descriptor_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/descriptor"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
	"github.com/stretchr/testify/require"
)

// FuzzDescriptor reads any file. Each document has an entity or an error that
// has a name; an entity is a JSON value, so that its JSON is a descriptor of the
// same; and documents leave one another alone: one that is put behind a sound
// file is still read.
func FuzzDescriptor(f *testing.F) {
	files, err := filepath.Glob("../../testdata/catalog/*/*.yaml")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, s := range []string{"a: 1\n---\nb: 2", "- 1\n---\n---\nkind: &a [*a]", "a: |+\n  x\n\n---\n%YAML 1.2\n---\n{}", "\ufeffkind: X\r\n...\r\n", "? [a]\n: {<<: 1, 0x10: .inf}", "\x00", "a: \"\\ud800\""} {
		f.Add([]byte(s))
	}
	location := catalog.LocationRef{Type: "url", Target: "https://x/y.yaml"}
	limits := yaml.Limits{Bytes: 1 << 16, Nodes: 10_000, Documents: 100, Depth: 50}
	f.Fuzz(func(t *testing.T, data []byte) {
		documents := descriptor.Parse(data, location, limits)
		// A carriage return by itself is text to the reference; here it may end up
		// as a blank, so what follows it proves nothing.
		sound := len(documents) < 100 && len(data) < 1<<15 && !bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r"))
		for _, d := range documents {
			if d.Err != nil {
				sound = false
				require.Nil(t, d.Entity.Object)
				var named *catalog.Error
				require.ErrorAs(t, d.Err, &named)
				continue
			}
			require.NotNil(t, d.Entity.Object)
			again := descriptor.Parse(jsonvalue.Append(nil, d.Entity.Object), location, yaml.Limits{Nodes: 20_000, Depth: 60})
			require.Len(t, again, 1)
			require.NoError(t, again[0].Err)
			require.Equal(t, catalog.Hash(d.Entity.Object), catalog.Hash(again[0].Entity.Object))
		}
		if !sound {
			return
		}
		more := descriptor.Parse(append(append([]byte{}, data...), "\n---\nkind: Last\n"...), location, yaml.Limits{Nodes: 20_000, Depth: 60})
		require.Len(t, more, len(documents)+1)
		require.NoError(t, more[len(documents)].Err)
		require.Equal(t, "Last", more[len(documents)].Entity.Kind())
	})
}
