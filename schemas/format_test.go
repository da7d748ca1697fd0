package schemas_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/schemas"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// formatsByName has a second name for the key of annotations, which Backstage
// has a second check for.
var formatsByName = map[string]schemas.Format{
	"apiVersion": schemas.FormatAPIVersion, "kind": schemas.FormatKind, "name": schemas.FormatName,
	"namespace": schemas.FormatNamespace, "key": schemas.FormatKey, "annotationKey": schemas.FormatKey,
	"labelValue": schemas.FormatLabelValue, "string": schemas.FormatString, "tag": schemas.FormatTag,
	"url": schemas.FormatURL, "text": schemas.FormatText,
}

// recordedFormats is what testdata/reference/formats.mjs wrote.
type recordedFormats struct {
	Values   map[string]struct{ Valid, Invalid []string }
	Messages []struct {
		Field, Format, Message string
		Value                  any
	}
}

func readFormats(t *testing.T) recordedFormats {
	t.Helper()
	raw, err := os.ReadFile("testdata/reference/formats.json")
	require.NoError(t, err)
	var r recordedFormats
	require.NoError(t, json.Unmarshal(raw, &r))
	return r
}

func TestFormatsAreThoseOfTheReference(t *testing.T) {
	recorded := readFormats(t)
	for name, format := range formatsByName {
		t.Run(name, func(t *testing.T) {
			values := recorded.Values[name]
			require.NotEmpty(t, values.Valid, "the file has this format")
			for _, s := range values.Valid {
				assert.True(t, format.Valid(s), "%q is valid", s)
			}
			for _, s := range values.Invalid {
				assert.False(t, format.Valid(s), "%q is not valid", s)
			}
		})
	}
}

func TestFieldErrorsHaveTheWordsOfTheReference(t *testing.T) {
	recorded := readFormats(t)
	require.Greater(t, len(recorded.Messages), 100, "the file has messages")
	for _, m := range recorded.Messages {
		err := schemas.CheckField(m.Field, formatsByName[m.Format], m.Value)
		if m.Message == "" {
			assert.NoError(t, err, "%s = %v", m.Field, m.Value)
			continue
		}
		assert.EqualError(t, err, m.Message, "%s = %v", m.Field, m.Value)
	}
}

func TestFormatsOfBytesThatAreNoText(t *testing.T) {
	for name, format := range formatsByName {
		for _, s := range []string{"\xff", "a\xff", "\xc3", "https://\xff", "https://%ff/", strings.Repeat("\xff", 1<<16)} {
			switch name {
			case "string", "text": // any text will do, and the reader has made it text
				assert.True(t, format.Valid(s), "%s %q", name, s)
			case "url":
				format.Valid(s) // browsers take bad bytes after the host
			default:
				assert.False(t, format.Valid(s), "%s %q", name, s)
			}
		}
	}
}
