package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/engine"
	"github.com/greenroom-idp/greenroom/catalog/index"
)

var sizes = []int{1_000, 10_000, 100_000}

// teamSize is how many components belong to one group.
const teamSize = 50

func deferred(ref string, spec ...string) engine.Deferred {
	e := entity(ref, spec...)
	e.SetAnnotation(catalog.AnnotationManagedBy, "url:http://x/all.yaml")
	e.SetAnnotation(catalog.AnnotationManagedByOrigin, "url:http://x/all.yaml")
	return engine.Deferred{Entity: e, LocationKey: "bench"}
}

// catalogOf makes n components in teams of that size, as one mutation.
func catalogOf(n, teamSize int) engine.Mutation {
	m := engine.Mutation{Added: make([]engine.Deferred, 0, n+n/teamSize+1)}
	for i := range n {
		team := fmt.Sprintf("group:default/team-%d", i/teamSize)
		if i%teamSize == 0 {
			m.Added = append(m.Added, deferred(team))
		}
		m.Added = append(m.Added, deferred(fmt.Sprintf("component:c-%d", i), "owner", team, "type", "service"))
	}
	return m
}

func openBench(b *testing.B) *engine.Engine {
	b.Helper()
	db, err := boltstore.OpenFile(filepath.Join(b.TempDir(), "store.db"), false)
	require.NoError(b, err)
	db.NoSync = true // the engine is measured, not the disk
	s, err := boltstore.New(db)
	require.NoError(b, err)
	e, err := engine.Open(context.Background(), engine.Options{
		Store: s, Index: index.New(), Processor: newWorld(), Logger: slog.New(slog.DiscardHandler), MinInterval: time.Hour,
	})
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, e.Close())
		require.NoError(b, db.Close())
	})
	return e
}

// settled waits until all that was handed in is served.
func settled(b *testing.B, e *engine.Engine, m engine.Mutation) {
	require.NoError(b, e.ApplyMutation(context.Background(), "bench", m))
	require.NoError(b, e.Settle(context.Background()))
}

// BenchmarkLoad measures entities from a provider's hand until they are served
// with their relations.
func BenchmarkLoad(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			m := catalogOf(n, teamSize)
			for b.Loop() {
				b.StopTimer()
				e := openBench(b)
				b.StartTimer()
				settled(b, e, m)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "entities/s")
		})
	}
}

// BenchmarkChange measures a change of one entity until it is served.
func BenchmarkChange(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			e := openBench(b)
			settled(b, e, catalogOf(n, teamSize))
			i := 0
			for b.Loop() {
				i++
				settled(b, e, engine.Mutation{Added: []engine.Deferred{
					deferred("component:c-0", "owner", "group:default/team-0", "type", fmt.Sprint(i)),
				}})
			}
		})
	}
}

// BenchmarkStitch measures one new member of a group until both are served:
// the group is stitched anew with all that it has.
func BenchmarkStitch(b *testing.B) {
	run := func(name string, n, teamSize int) {
		b.Run(name, func(b *testing.B) {
			e := openBench(b)
			settled(b, e, catalogOf(n, teamSize))
			i := 0
			for b.Loop() {
				i++
				settled(b, e, engine.Mutation{Added: []engine.Deferred{
					deferred(fmt.Sprintf("component:new-%d", i%100), "owner", "group:default/team-0", "type", fmt.Sprint(i)),
				}})
				if i%100 == 0 { // so that the group stays as large as it was
					b.StopTimer()
					gone := engine.Mutation{}
					for k := range 100 {
						gone.Removed = append(gone.Removed, fmt.Sprintf("component:default/new-%d", k))
					}
					settled(b, e, gone)
					b.StartTimer()
				}
			}
		})
	}
	for _, n := range sizes {
		run(fmt.Sprintf("%dk", n/1000), n, teamSize)
	}
	run("10k of one group", 10_000, 10_000)
}
