package view_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/view"
)

// What a whole answer costs, documents of some 1.5 KB in memory.
func BenchmarkAnswers(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		entities := make([]string, n)
		for i := range entities {
			entities[i] = fmt.Sprintf(`Component:default/c%d-service {"type":"t%d","owner":"team-%d"} | "tags":["go","t%d"],"description":"%s"`,
				i, i%7, i%(n/50), i%13, strings.Repeat("text ", 250))
		}
		f := newFixture(b, entities...)
		refs := make([]string, 50)
		for i := range refs {
			refs[i] = fmt.Sprintf("component:default/c%d-service", i*7919%n)
		}
		owned := view.Selection{Filters: []string{"kind=component,spec.owner=team-3"}}
		for _, q := range []struct {
			name string
			ask  func() (view.Page, error)
		}{
			{"page", func() (view.Page, error) {
				return f.Query(b.Context(), view.Search{Selection: owned, OrderField: "metadata.name", Order: "asc", Limit: pointer(20), HasTerm: true})
			}},
			{"page-projected", func() (view.Page, error) {
				return f.Query(b.Context(), view.Search{Selection: owned, OrderField: "metadata.name", Limit: pointer(20), Fields: []string{"kind,metadata.name,spec.type"}})
			}},
			{"count", func() (view.Page, error) {
				return f.Query(b.Context(), view.Search{Selection: owned, Limit: pointer(0)})
			}},
			{"facets", func() (view.Page, error) {
				return f.Facets(b.Context(), view.FacetCount{Selection: owned, Facets: []string{"spec.type", "metadata.tags"}})
			}},
			{"by-refs", func() (view.Page, error) { return f.ByRefs(b.Context(), view.Lookup{Refs: refs}) }},
			{"by-ref", func() (view.Page, error) { return f.ByRef(b.Context(), refs[1], nil) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", q.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					page, err := q.ask()
					require.NoError(b, err)
					b.SetBytes(int64(len(page.Body)))
					page.Release()
				}
			})
		}
	}
}
