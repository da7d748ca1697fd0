package main

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// try runs a command line to its end.
func try(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	err = run(t.Context(), args, &out, &errs)
	return out.String(), errs.String(), err
}

func TestCommandLines(t *testing.T) {
	cases := []struct {
		name   string
		args   []string
		stdout string // some of it
		status int
		reason string // some of it
	}{
		{"nothing", nil, "", 2, "which verb"},
		{"help", []string{"help"}, "platform help VERB", 0, ""},
		{"help as a flag", []string{"--help"}, "validate", 0, ""},
		{"help for a verb", []string{"help", "serve"}, "--data folder", 0, ""},
		{"help for a verb, as a flag", []string{"check", "-h"}, "Usage: platform check", 0, ""},
		{"help for what is not there", []string{"help", "dance"}, "", 2, `no verb "dance"`},
		{"a verb that is not there", []string{"dance"}, "", 2, `no verb "dance"`},
		{"a flag that is not there", []string{"serve", "--port", "1"}, "", 2, "platform help serve"},
		{"a flag without its value", []string{"serve", "--data"}, "", 2, "platform help serve"},
		{"an empty flag", []string{"serve", "--config", ""}, "", 2, "value is missing"},
		{"an argument too many", []string{"serve", "now"}, "", 2, `unexpected argument "now"`},
		{"nothing to validate", []string{"validate"}, "", 2, "name at least one file or folder"},
		{"an output that is not there", []string{"validate", "--output", "xml", "."}, "", 2, "json, text"},
		{"version", []string{"version"}, "greenroom dev", 0, ""},
		{"version as a flag", []string{"--version"}, "greenroom dev", 0, ""},
		{"a configuration that is not there", []string{"serve", "--config", "gone.yaml"}, "", 1, "gone.yaml"},
		{"a store that is not there", []string{"check", "--data", "gone"}, "", 1, "name the folder that holds one with --data"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			stdout, _, err := try(t, c.args...)
			require.Contains(t, stdout, c.stdout)
			require.Equal(t, c.status, exitStatus(err))
			if c.reason != "" {
				require.ErrorContains(t, err, c.reason)
			}
		})
	}
}

func TestExitStatusOfWhatWasReported(t *testing.T) {
	require.Equal(t, 1, exitStatus(errReported))
	require.Equal(t, 1, exitStatus(errors.Join(errReported, context.Canceled)))
}
