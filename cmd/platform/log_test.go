package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

func TestLog(t *testing.T) {
	cases := []struct {
		name, format string
		env          map[string]string
		level        string
		json, debug  bool
		err          string
	}{
		{"text on a laptop", "", nil, "", false, false, ""},
		{"JSON in production", "", map[string]string{"NODE_ENV": "production"}, "", true, false, ""},
		{"text in production, for who asks", "text", map[string]string{"NODE_ENV": "production"}, "", false, false, ""},
		{"JSON for who asks", "json", nil, "", true, false, ""},
		{"a level of the configuration", "", nil, "debug", false, true, ""},
		{"the variable comes before the configuration", "", map[string]string{"LOG_LEVEL": "WARN"}, "debug", false, false, ""},
		{"a level that is none", "", map[string]string{"LOG_LEVEL": "loud"}, "", false, false, `"loud"`},
		{"a format that is none", "xml", nil, "", false, false, `"xml"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := newLogger(&out, c.format, config.Log{Level: c.level, Meta: map[string]string{"site": "berlin"}},
				[]string{"hush-hush"}, func(name string) string { return c.env[name] })
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			log.Debug("details")
			require.Equal(t, c.debug, out.Len() > 0)
			out.Reset()
			log.Warn("look", "token", "hush-hush")
			require.Contains(t, out.String(), "***")
			require.NotContains(t, out.String(), "hush-hush")
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); c.json {
				require.NoError(t, err)
				require.Equal(t, "look", line["message"])
				require.Equal(t, "warn", line["level"])
				require.Equal(t, "berlin", line["site"])
			} else {
				require.Error(t, err)
			}
		})
	}
}
