package schemas_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/schemas"
	"github.com/stretchr/testify/require"
)

// lookUp returns what a pointer leads to in a plain value.
func lookUp(value any, pointer string) (any, bool) {
	for _, token := range strings.Split(pointer, "/")[1:] {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch v := value.(type) {
		case map[string]any:
			part, ok := v[token]
			if !ok {
				return nil, false
			}
			value = part
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// FuzzCheck checks any JSON value as any kind. A violation is of something that
// is there; whether there is one does not depend on the order of keys.
func FuzzCheck(f *testing.F) {
	raw, err := os.ReadFile("testdata/reference/bases.json")
	require.NoError(f, err)
	bases, err := jsonvalue.ParseObject(raw)
	require.NoError(f, err)
	for _, base := range bases.All() {
		f.Add(jsonvalue.Append(nil, base))
	}
	f.Add([]byte(`{"apiVersion":1e400,"kind":null,"metadata":{"labels":{"":[]},"links":[{}]},"spec":{"parameters":[1]}}`))
	var checks []func(any, schemas.KeyOrder) *schemas.Violation
	for _, ai := range []bool{false, true} {
		set, err := schemas.New(schemas.Options{AIModel: ai, Custom: os.DirFS("testdata/kinds")})
		require.NoError(f, err)
		checks = append(checks, set.Envelope, set.Entity)
		for _, name := range []string{"API", "AiResource", "Component", "Group", "Location", "Template", "Numbers", "Texts", "Lists", "Objects", "Choices"} {
			for _, version := range []string{"backstage.io/v1alpha1", "scaffolder.backstage.io/v1beta3", "example.com/v1"} {
				if kind := set.Kind(version, name); kind != nil {
					checks = append(checks, kind.Check)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := jsonvalue.Parse(data)
		if err != nil {
			return
		}
		plain := jsonvalue.Plain(value)
		for _, check := range checks {
			ascending, written := check(plain, nil), check(plain, keyOrder(value))
			require.Equal(t, ascending == nil, written == nil, "%s", data)
			for _, v := range slices.DeleteFunc([]*schemas.Violation{ascending, written}, func(v *schemas.Violation) bool { return v == nil }) {
				_, there := lookUp(plain, v.Path)
				require.True(t, there, "%q in %s", v, data)
				require.NotEmpty(t, v.Message)
			}
		}
	})
}
