package site_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/api/techdocs/site"
)

var errEnough = errors.New("enough")

func cancelled() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errEnough)
	return ctx, func() {}
}

// thousand is a site of a thousand pages of the length that pages usually have:
// text, a list, a table, links, an admonition, tabs and code.
func thousand() site.Memory {
	tree := site.Memory{"mkdocs.yml": "site_name: Thousand\n", "docs/index.md": "# Start\n"}
	for i := range 1000 {
		var b strings.Builder
		fmt.Fprintf(&b, "# Page %d\n\n", i)
		for j := range 6 {
			fmt.Fprintf(&b, "## Part %d\n\nBikes are booked by *customers* who [look](../s%d/p%d.md#part-1) for one nearby, see `fleet.Find(%d)`.\n", j, (i+1)%1000/50, (i+1)%1000, j)
			b.WriteString(strings.Repeat("What is booked is paid at the end of the ride, unless the season says otherwise. ", 6))
			b.WriteString("\n\n- one **thing**\n- another\n    - and more\n\n| Field | Meaning |\n|---|---|\n| `id` | who |\n| `at` | when |\n\n")
			b.WriteString("!!! note \"Careful\"\n    A bike may be gone.\n\n=== \"Go\"\n\n    ```go\n    func main() {\n        fmt.Println(\"hello\", 42) // say so\n    }\n    ```\n\n=== \"YAML\"\n\n    ```yaml\n    kind: Component\n    metadata:\n      name: booking\n    ```\n\n")
		}
		tree[fmt.Sprintf("docs/s%d/p%d.md", i/50, i)] = b.String()
	}
	return tree
}

func BenchmarkBuildThousandPages(b *testing.B) {
	tree := thousand()
	o := options()
	o.Parallel = runtime.GOMAXPROCS(0)
	size := 0
	for _, content := range tree {
		size += len(content)
	}
	b.ReportMetric(float64(size)/1001, "bytes/page")
	for b.Loop() {
		s, err := site.Build(b.Context(), tree, nil, o)
		require.NoError(b, err)
		require.Empty(b, s.Problems)
	}
}

func BenchmarkOneChangedPageOfThousand(b *testing.B) {
	tree := thousand()
	s, err := site.Build(b.Context(), tree, nil, options())
	require.NoError(b, err)
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		changed := maps.Clone(tree)
		changed["docs/s3/p170.md"] += fmt.Sprintf("\nChanged %d times.\n", n)
		fixed := digested{changed, changed.Files()}
		b.StartTimer()
		next, err := site.Build(b.Context(), fixed, s, options())
		require.NoError(b, err)
		require.Equal(b, 1000, next.Reused)
		s = next
	}
}

// digested is a tree whose digests are known, as those of stored trees are.
type digested struct {
	site.Memory
	files []site.File
}

func (d digested) Files() []site.File { return d.files }

func BenchmarkPageOfThousand(b *testing.B) {
	s, err := site.Build(b.Context(), thousand(), nil, options())
	require.NoError(b, err)
	for b.Loop() {
		f, err := s.Open("s3/p170/index.html")
		require.NoError(b, err)
		f.Close()
	}
}
