package spelling_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
)

func TestNearest(t *testing.T) {
	known := []string{"fetch:template", "fetch:plain", "debug:log"}
	for name, want := range map[string]string{
		"fetch:templat":          "fetch:template",
		"Fetch:Plain":            "fetch:plain",
		"dbug:log":               "debug:log",
		"http:request":           "",
		"":                       "",
		strings.Repeat("x", 100): "",
	} {
		require.Equal(t, want, spelling.Nearest(name, known), name)
	}
	require.Equal(t, 1, spelling.Distance("abcd", "acbd"), "neighbours swapped")
	require.Equal(t, 0, spelling.Distance("", ""))
	require.Equal(t, 3, spelling.Distance("", "abc"))
}
