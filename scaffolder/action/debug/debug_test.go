package debug_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/debug"
)

func lookup(t *testing.T, id string) action.Action {
	r, err := action.NewRegistry(debug.Actions()...)
	require.NoError(t, err)
	a, err := r.Lookup(id)
	require.NoError(t, err)
	return a
}

func files(contents ...string) func(t *testing.T, c *action.Context) {
	return func(t *testing.T, c *action.Context) {
		for i := 0; i < len(contents); i += 2 {
			require.NoError(t, c.Workspace.WriteFile(contents[i], []byte(contents[i+1]), 0o644))
		}
	}
}

func TestConformance(t *testing.T) {
	t.Run("debug:log", func(t *testing.T) {
		actiontest.Run(t, lookup(t, "debug:log"), actiontest.Options{Cases: []actiontest.Case{
			{Name: "message", Input: `{"message":"x","listWorkspace":true}`, Setup: files("a", "a")},
			{Name: "contents", Input: `{"listWorkspace":"with-contents"}`, Setup: files("a", "a")},
		}})
	})
	t.Run("debug:wait", func(t *testing.T) {
		actiontest.Run(t, lookup(t, "debug:wait"), actiontest.Options{
			Cases: []actiontest.Case{{Name: "all", Input: `{"minutes":0.00001,"seconds":0.0001,"milliseconds":1}`}},
			Slow:  &actiontest.Case{Name: "five minutes", Input: `{"minutes":5}`},
		})
	})
}

func TestLog(t *testing.T) {
	for _, c := range []struct {
		name, input string
		setup       func(t *testing.T, c *action.Context)
		want        []string
	}{
		{"nothing", `{}`, nil, []string{"info: {}"}},
		{"a message", `{"message":"hi"}`, nil, []string{"info: {\n  \"message\": \"hi\"\n}", "info: hi"}},
		{"an empty message", `{"message":""}`, nil, []string{"info: {\n  \"message\": \"\"\n}"}},
		{"the order of the author", `{"listWorkspace":false,"message":"hi"}`, nil,
			[]string{"info: {\n  \"listWorkspace\": false,\n  \"message\": \"hi\"\n}", "info: hi"}},
		{"an empty workspace", `{"listWorkspace":true}`, nil, []string{"info: {\n  \"listWorkspace\": true\n}", "info: Workspace:\n"}},
		{"file names", `{"listWorkspace":"with-filenames"}`, files("b/c.txt", "x", "a.txt", "y"),
			[]string{"info: {\n  \"listWorkspace\": \"with-filenames\"\n}", "info: Workspace:\n  - a.txt\n  - b/c.txt"}},
		{"contents", `{"listWorkspace":"with-contents"}`, files("b.txt", "x\ny\n", "a.txt", "caf\xe9"),
			[]string{"info: {\n  \"listWorkspace\": \"with-contents\"\n}", "info: Workspace:\n - a.txt:\n\n  caf\ufffd\n - b.txt:\n\n  x\ny\n"}},
		{"links", `{"listWorkspace":"with-contents"}`, func(t *testing.T, c *action.Context) {
			require.NoError(t, c.Workspace.Symlink("none", "broken"))
			require.NoError(t, c.Workspace.Symlink("/etc/passwd", "out"))
		}, []string{"info: {\n  \"listWorkspace\": \"with-contents\"\n}", "info: Workspace:\n - broken: [skipped]\n - out: [skipped]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			if c.setup != nil {
				c.setup(t, ctx)
			}
			require.NoError(t, r.Run(t.Context(), lookup(t, "debug:log"), ctx, c.input))
			require.Equal(t, c.want, r.Lines())
		})
	}
}

func TestListingsAreBounded(t *testing.T) {
	ctx, r := actiontest.NewContext(t)
	for i := range 30 {
		require.NoError(t, ctx.Workspace.WriteFile(fmt.Sprintf("%02d", i), []byte(strings.Repeat("x", 100<<10)), 0o644))
	}
	require.NoError(t, r.Run(t.Context(), lookup(t, "debug:log"), ctx, `{"listWorkspace":"with-contents"}`))
	listing := r.Lines()[1]
	require.Less(t, len(listing), 2<<20)
	require.Contains(t, listing, "… 36864 more bytes")
	require.True(t, strings.HasSuffix(listing, "  and 14 more files") || strings.HasSuffix(listing, "  and 13 more files"), listing[len(listing)-40:])
}

func TestSchemas(t *testing.T) {
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"properties":{
		"minutes":{"type":"number"},"seconds":{"type":"number"},"milliseconds":{"type":"number"}}}`, actiontest.Undescribed(lookup(t, "debug:wait").InputSchema()))
	require.JSONEq(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","additionalProperties":false,"properties":{
		"message":{"type":"string"},"listWorkspace":{"anyOf":[{"type":"boolean"},{"type":"string","enum":["with-filenames","with-contents"]}]}}}`,
		actiontest.Undescribed(lookup(t, "debug:log").InputSchema()))
	require.False(t, lookup(t, "debug:wait").DryRun())
}

func TestWait(t *testing.T) {
	for _, c := range []struct {
		input string
		want  time.Duration
	}{
		{`{}`, 0}, {`{"seconds":5}`, 5 * time.Second}, {`{"minutes":1,"seconds":0.5,"milliseconds":20}`, 60520 * time.Millisecond},
		{`{"minutes":10}`, 10 * time.Minute}, {`{"seconds":-5}`, 0}, {`{"minutes":-1,"seconds":61}`, time.Second},
	} {
		t.Run(c.input, func(t *testing.T) {
			ctx, r := actiontest.NewContext(t)
			a := lookup(t, "debug:wait")
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				require.NoError(t, r.Run(t.Context(), a, ctx, c.input))
				require.Equal(t, c.want, time.Since(start).Round(time.Millisecond))
			})
			require.Empty(t, r.Lines())
		})
	}
}

func TestWaitTooLong(t *testing.T) {
	ctx, r := actiontest.NewContext(t)
	for _, input := range []string{`{"minutes":10,"milliseconds":1}`, `{"seconds":1e300}`} {
		require.EqualError(t, r.Run(t.Context(), lookup(t, "debug:wait"), ctx, input),
			"Waiting duration is longer than the maximum threshold of 0 hours, 10 minutes, 0 seconds")
	}
}

func TestWaitReturnsTheCause(t *testing.T) {
	cause := errors.New("cancelled by its user")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	c, r := actiontest.NewContext(t)
	require.ErrorIs(t, r.Run(ctx, lookup(t, "debug:wait"), c, `{"minutes":5}`), cause)
}
