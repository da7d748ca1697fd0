package search

import (
	"context"
	"fmt"
	"runtime"
	"testing"
)

var benchSizes = []int{1_000, 10_000, 100_000}

func filled(n int) *Index {
	x := New()
	x.Replace(documentsOf(n))
	return x
}

// BenchmarkBuild indexes all documents anew, and says what they take.
func BenchmarkBuild(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			documents := documentsOf(n)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			x := New()
			for b.Loop() {
				x.Replace(documents)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/document")
			runtime.KeepAlive(x)
			runtime.KeepAlive(documents)
		})
	}
}

// BenchmarkApply changes one document of many.
func BenchmarkApply(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, documents, i := filled(n), documentsOf(n), 0
			for b.Loop() {
				x.Apply(documents[i%n:i%n+1], nil)
				i += 7919
			}
		})
	}
}

// BenchmarkFind asks for one page.
func BenchmarkFind(b *testing.B) {
	queries := []struct{ name, term string }{
		{"nothing typed", ""}, {"one letter", "p"}, {"begin", "pay"}, {"word", "payment"}, {"typo", "paymnet"},
		{"three words", "payment gateway worker"}, {"nothing there", "xylophone"},
	}
	for _, n := range benchSizes {
		x := filled(n)
		for _, q := range queries {
			b.Run(fmt.Sprintf("%d/%s", n, q.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := Find(context.Background(), []Scope{{Type: TypeCatalog, Snapshot: x.Snapshot()}},
						Query{Term: q.term, Limit: 25, Pre: "<1>", Post: "</1>"})
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
