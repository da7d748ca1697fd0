package forgetest

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// What the double knows of GitHub's schema is as GitHub has it, so that a query
// that it takes is one that GitHub takes.
func TestGitHubSchemaIsAPartOfGitHubsOwn(t *testing.T) {
	text, err := os.ReadFile("testdata/github-schema.graphql")
	require.NoError(t, err)
	published := gqlparser.MustLoadSchema(&ast.Source{Name: "published", Input: string(text)})
	ours := gqlparser.MustLoadSchema(&ast.Source{Name: "ours", Input: githubSchema})
	compared := 0
	for name, d := range ours.Types {
		if d.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		p := published.Types[name]
		require.NotNil(t, p, name)
		require.Equal(t, p.Kind, d.Kind, name)
		require.Equal(t, p.Interfaces, d.Interfaces, name)
		for _, v := range d.EnumValues {
			require.NotNil(t, p.EnumValues.ForName(v.Name), "%s.%s", name, v.Name)
		}
		for _, f := range d.Fields {
			// Only GitHub Enterprise Server knows of suspended users.
			if strings.HasPrefix(f.Name, "__") || name == "User" && f.Name == "suspendedAt" {
				continue
			}
			compareField(t, name, f, p.Fields.ForName(f.Name))
			compared++
		}
	}
	require.Greater(t, compared, 50)
}

func compareField(t *testing.T, in string, ours, published *ast.FieldDefinition) {
	t.Helper()
	require.NotNil(t, published, "%s.%s", in, ours.Name)
	require.Equal(t, published.Type.String(), ours.Type.String(), "%s.%s", in, ours.Name)
	for _, a := range ours.Arguments {
		p := published.Arguments.ForName(a.Name)
		require.NotNil(t, p, "%s.%s(%s)", in, ours.Name, a.Name)
		require.Equal(t, p.Type.String(), a.Type.String(), "%s.%s(%s)", in, ours.Name, a.Name)
		require.Equal(t, p.DefaultValue.String(), a.DefaultValue.String(), "%s.%s(%s)", in, ours.Name, a.Name)
	}
}
