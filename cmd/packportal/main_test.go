package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/app/bundle"
)

func TestRun(t *testing.T) {
	dist := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dist, "main.js.map"), []byte("{}"), 0o600))
	file := filepath.Join(t.TempDir(), "portal.zip")
	var said bytes.Buffer
	require.ErrorContains(t, run([]string{dist, file}, &said), "make portal")
	require.ErrorContains(t, run([]string{dist}, &said), "usage")
	require.NoError(t, os.WriteFile(filepath.Join(dist, "index.html.tmpl"), []byte(strings.Repeat("<html>", 100)), 0o600))
	require.NoError(t, run([]string{dist, file}, &said))
	require.Contains(t, said.String(), "1 files of 600 bytes")
	require.Contains(t, said.String(), "1 left out")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	b, err := bundle.Open(data)
	require.NoError(t, err)
	_, ok := b.File("index.html.tmpl")
	require.True(t, ok)
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing else is left")
	require.Error(t, run([]string{dist, filepath.Join(file, "x")}, &said))
}
