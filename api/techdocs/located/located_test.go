package located_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/located"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/integration"
)

func TestOf(t *testing.T) {
	hosts, _, err := integration.Parse(nil)
	require.NoError(t, err)
	const repository = "https://github.com/o/r"
	for _, tc := range []struct {
		name, docs, source, managed, want string
		err                               error
	}{
		{"a URL", "url:" + repository + "/tree/main/x", "", "url:" + repository + "/blob/main/catalog-info.yaml", "url:" + repository + "/tree/main/x", nil},
		{"a folder beside the descriptor", "dir:.", "", "url:" + repository + "/blob/main/a/catalog-info.yaml", "url:" + repository + "/tree/main/a/", nil},
		{"a folder below the descriptor", "dir:./docs/site", "", "url:" + repository + "/blob/main/a/catalog-info.yaml", "url:" + repository + "/tree/main/a/docs/site", nil},
		{"a folder above the descriptor", "dir:../b", "", "url:" + repository + "/blob/main/a/catalog-info.yaml", "url:" + repository + "/tree/main/b", nil},
		{"beside the source", "dir:.", "url:" + repository + "/tree/dev/", "url:https://elsewhere.example/c.yaml", "url:" + repository + "/tree/dev/", nil},
		{"on the disk", "dir:.", "", "file:/srv/catalog/a/catalog-info.yaml", "dir:/srv/catalog/a", nil},
		{"below on the disk", "dir:docs/x", "", "file:/srv/catalog/a/catalog-info.yaml", "dir:/srv/catalog/a/docs/x", nil},
		{"at the root of the disk", "dir:docs", "", "file:/catalog-info.yaml", "dir:/docs", nil},
		{"out of the folder", "dir:..", "", "file:/srv/catalog/a/catalog-info.yaml", "", catalog.ErrNotAllowed},
		{"out of the folder, further", "dir:x/../../a2", "", "file:/srv/catalog/a/catalog-info.yaml", "", catalog.ErrNotAllowed},
		{"an absolute path", "dir:/etc", "", "file:/srv/catalog/a/catalog-info.yaml", "", catalog.ErrNotAllowed},
		{"a source on the disk that an author has made up", "dir:.", "file:/etc/x", "url:" + repository + "/blob/main/c.yaml", "", catalog.ErrInput},
		{"a source on the disk beside a file", "dir:.", "file:/etc/x", "file:/srv/a/c.yaml", "dir:/srv/a", nil},
		{"nothing", "", "", "url:x", "", catalog.ErrNotFound},
		{"another type", "file:/etc/passwd", "", "url:x", "", catalog.ErrInput},
		{"no type", "docs", "", "url:x", "", catalog.ErrInput},
		{"a URL without its type", "https://github.com/o/r", "", "url:x", "", catalog.ErrInput},
		{"from nowhere", "dir:.", "", "", "", catalog.ErrInput},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := catalog.Entity{Object: jsonvalue.NewObject(jsonvalue.Member{Key: "kind", Value: "Component"})}
			for key, value := range map[string]string{located.Annotation: tc.docs, catalog.AnnotationSourceLocation: tc.source, catalog.AnnotationManagedBy: tc.managed} {
				if value != "" {
					e.SetAnnotation(key, value)
				}
			}
			got, err := located.Of(e, hosts.Resolve)
			if tc.err != nil {
				require.ErrorIs(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got.String())
		})
	}
}
