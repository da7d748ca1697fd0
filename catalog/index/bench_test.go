package index_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/index"
	"github.com/greenroom-idp/greenroom/catalog/query"
)

var sizes = []int{1_000, 10_000, 100_000}

var (
	benchNouns     = strings.Fields("ledger cart search profile invoice catalog gateway router billing payout notifier mailer session audit quota stream media player lyric podcast album ranking signal metric tracer builder deployer vault secret policy risk fraud claim quote order stock shipment courier route map geo weather sensor device fleet")
	benchTypes     = []string{"service", "website", "library", "worker", "data-pipeline", "mobile-app"}
	benchLanguages = []string{"go", "java", "python", "typescript", "rust", "kotlin", "csharp", "scala"}
	benchLife      = []string{"production", "production", "experimental", "deprecated"}
)

func benchName(i int) string {
	return fmt.Sprintf("%s-%s-%d", benchNouns[i%len(benchNouns)], benchTypes[i%len(benchTypes)], i)
}

// benchDocument is an entity of a catalog of n, two thirds of which are
// components with some fifty rows.
func benchDocument(r *rand.Rand, i, n int) []byte {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	uid, name, teams := uidOf(uint64(i)<<16), benchName(i), max(1, n/50)
	head := func(kind, name string) string {
		return fmt.Sprintf(`{"apiVersion":"backstage.io/v1alpha1","kind":"%s","metadata":{"annotations":{"backstage.io/managed-by-location":"url:https://example.com/part-%05d.yaml","backstage.io/managed-by-origin-location":"url:https://example.com/all.yaml","backstage.io/view-url":"https://example.com/part-%05d.yaml"`,
			kind, i/100, i/100)
	}
	owner, system := r.IntN(teams), r.IntN(max(1, n/25))
	switch i % 20 {
	case 0:
		return fmt.Appendf(nil, `%s},"name":"team-%d","namespace":"default","description":"Team number %d","uid":"%s","etag":"%040d"},"spec":{"type":"team","children":[]},"relations":[{"type":"childOf","targetRef":"group:default/team-%d"}]}`, head("Group", ""), i, i, uid, i, i/8)
	case 1, 2:
		return fmt.Appendf(nil, `%s},"name":"user-%d","namespace":"default","uid":"%s","etag":"%040d"},"spec":{"profile":{"displayName":"User Number %d","email":"user%d@example.com"},"memberOf":["team-%d"]},"relations":[{"type":"memberOf","targetRef":"group:default/team-%d"}]}`, head("User", ""), i, uid, i, i, i, owner, owner)
	case 3, 4:
		return fmt.Appendf(nil, `%s},"name":"%s-api","namespace":"default","description":"The %s interface","tags":["%s"],"uid":"%s","etag":"%040d"},"spec":{"type":"openapi","lifecycle":"%s","owner":"team-%d","system":"system-%d","definition":"openapi: 3.0.0\n%s"},"relations":[{"type":"ownedBy","targetRef":"group:default/team-%d"},{"type":"partOf","targetRef":"system:default/system-%d"}]}`,
			head("API", ""), name, pick(benchNouns), pick(benchLanguages), uid, i, pick(benchLife), owner, system, strings.Repeat("paths: {}\\n", 40), owner, system)
	case 5, 6:
		return fmt.Appendf(nil, `%s},"name":"%s-db","namespace":"default","uid":"%s","etag":"%040d"},"spec":{"type":"database","owner":"team-%d","system":"system-%d"},"relations":[{"type":"ownedBy","targetRef":"group:default/team-%d"},{"type":"partOf","targetRef":"system:default/system-%d"}]}`, head("Resource", ""), name, uid, i, owner, system, owner, system)
	}
	dep, api := benchName(r.IntN(n)), benchName(r.IntN(n))
	return fmt.Appendf(nil, `%s,"github.com/project-slug":"acme/%s","backstage.io/techdocs-ref":"dir:.","pagerduty.com/integration-key":"key-%d","grafana/dashboard-selector":"service-%d"},"name":"%s","namespace":"default","title":"%s %d","description":"Handles the %s of every %s, and tells %s about it","labels":{"tier":"gold","example.com/cost-center":"cc-%d"},"tags":["%s","%s"],"links":[{"url":"https://dash.example.com/%s","title":"Dashboard","icon":"dashboard"},{"url":"https://runbooks.example.com/%s","title":"Runbook"}],"uid":"%s","etag":"%040d"},"spec":{"type":"%s","lifecycle":"%s","owner":"team-%d","system":"system-%d","providesApis":["%s-api"],"consumesApis":["%s-api"],"dependsOn":["resource:%s-db","component:%s"]},"relations":[{"type":"consumesApi","targetRef":"api:default/%s-api"},{"type":"dependsOn","targetRef":"component:default/%s"},{"type":"dependsOn","targetRef":"resource:default/%s-db"},{"type":"ownedBy","targetRef":"group:default/team-%d"},{"type":"partOf","targetRef":"system:default/system-%d"},{"type":"providesApi","targetRef":"api:default/%s-api"}]}`,
		head("Component", ""), name, i, i, name, strings.ToUpper(name[:1])+name[1:], i, pick(benchNouns), pick(benchNouns), pick(benchNouns), i%300, pick(benchLanguages), pick([]string{"pci", "public", "batch"}), name, name, uid, i,
		benchTypes[i%len(benchTypes)], pick(benchLife), owner, system, name, api, dep, dep, api, dep, dep, owner, system, name)
}

var benchCatalogs struct {
	sync.Mutex
	documents map[int][]index.Document
	indexes   map[int]*index.Index
}

func benchDocuments(n int) []index.Document {
	benchCatalogs.Lock()
	defer benchCatalogs.Unlock()
	if benchCatalogs.documents == nil {
		benchCatalogs.documents, benchCatalogs.indexes = map[int][]index.Document{}, map[int]*index.Index{}
	}
	if benchCatalogs.documents[n] == nil {
		r := rand.New(rand.NewPCG(1, uint64(n)))
		for i := range n {
			benchCatalogs.documents[n] = append(benchCatalogs.documents[n], index.Document{UID: uidOf(uint64(i) << 16), JSON: benchDocument(r, i, n)})
		}
	}
	return benchCatalogs.documents[n]
}

func each(documents []index.Document) func(func(index.Document) bool) {
	return func(yield func(index.Document) bool) {
		for _, d := range documents {
			if !yield(d) {
				return
			}
		}
	}
}

func benchIndex(b testing.TB, n int) *index.Index {
	documents := benchDocuments(n)
	benchCatalogs.Lock()
	defer benchCatalogs.Unlock()
	if benchCatalogs.indexes[n] == nil {
		x := index.New()
		require.NoError(b, x.Load(1, each(documents)))
		benchCatalogs.indexes[n] = x
	}
	return benchCatalogs.indexes[n]
}

func forSizes(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) { run(b, n) })
	}
}

func BenchmarkLoad(b *testing.B) {
	forSizes(b, func(b *testing.B, n int) {
		documents := benchDocuments(n)
		bytes := 0
		for _, d := range documents {
			bytes += len(d.JSON)
		}
		b.SetBytes(int64(bytes))
		b.ReportAllocs()
		for b.Loop() {
			x := index.New()
			if err := x.Load(1, each(documents)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The heap that an index of n entities keeps.
func BenchmarkHeap(b *testing.B) {
	forSizes(b, func(b *testing.B, n int) {
		documents := benchDocuments(n)
		for b.Loop() {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			x := index.New()
			if err := x.Load(1, each(documents)); err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/entity")
			runtime.KeepAlive(x)
		}
	})
}

func BenchmarkFlattenJSON(b *testing.B) {
	d := benchDocuments(1_000)[19]
	b.SetBytes(int64(len(d.JSON)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := index.FlattenJSON(d.JSON); err != nil {
			b.Fatal(err)
		}
	}
}

// One component gets another description, and then its old one again.
func BenchmarkPublishOneChange(b *testing.B) {
	forSizes(b, func(b *testing.B, n int) {
		x := index.New()
		require.NoError(b, x.Load(1, each(benchDocuments(n))))
		d := benchDocuments(n)[n/2+7]
		var changes [2][]index.Change
		for i := range changes {
			rows, err := index.FlattenJSON(d.JSON)
			require.NoError(b, err)
			for j := range rows {
				if rows[j].Key == "metadata.description" {
					rows[j].Value = fmt.Sprint("description ", i)
					rows[j].Original = rows[j].Value
				}
			}
			id, _ := x.Snapshot().ByUID(d.UID)
			changes[i] = []index.Change{{UID: d.UID, Ref: x.Snapshot().Ref(id), Rows: rows}}
		}
		b.ReportAllocs()
		revision := uint64(1)
		for b.Loop() {
			revision++
			x.Publish(revision, changes[revision%2])
		}
	})
}

// One component comes, and goes again.
func BenchmarkPublishOneEntity(b *testing.B) {
	forSizes(b, func(b *testing.B, n int) {
		x := index.New()
		require.NoError(b, x.Load(1, each(benchDocuments(n))))
		rows, err := index.FlattenJSON(benchDocuments(n)[n/2+7].JSON)
		require.NoError(b, err)
		b.ReportAllocs()
		revision := uint64(1)
		for b.Loop() {
			revision++
			uid := uidOf(uint64(n+int(revision/2)) << 16)
			change := index.Change{UID: uid, Ref: "component:default/new", Rows: rows}
			if revision%2 == 1 {
				change.Rows = nil
			}
			x.Publish(revision, []index.Change{change})
		}
	})
}

func text(term string, fields ...string) query.Filter {
	return (&query.Text{Term: term, Fields: fields}).Filter(nil)
}

func in(key string, values ...string) query.Filter { return query.In{Key: key, Values: values} }

var benchPermission = query.Or{in("kind", "component", "api"), in("relations.ownedby", "group:default/team-0")}

func benchSearch(b *testing.B, make func(i, n int) index.Search) {
	forSizes(b, func(b *testing.B, n int) {
		s := benchIndex(b, n).Snapshot()
		if s.Search(make(0, n)).Total == 0 {
			b.Fatal("nothing found")
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			s.Search(make(i, n))
		}
	})
}

var byName = &query.Order{Field: "metadata.name"}

func BenchmarkPage(b *testing.B) {
	benchSearch(b, func(_, n int) index.Search {
		return index.Search{Filter: query.Both(benchPermission, in("kind", "component")), Order: byName, Limit: 20}
	})
}

func BenchmarkPageOfOwner(b *testing.B) {
	benchSearch(b, func(i, n int) index.Search {
		owner := fmt.Sprintf("group:default/team-%d", i%max(1, n/50))
		return index.Search{Filter: query.And{in("kind", "component"), in("relations.ownedby", owner)}, Order: byName, Limit: 20}
	})
}

func BenchmarkPageOfFourConditions(b *testing.B) {
	benchSearch(b, func(i, n int) index.Search {
		return index.Search{Filter: query.And{
			in("kind", "component"), in("spec.type", benchTypes[i%len(benchTypes)]),
			in("metadata.tags", benchLanguages[i%len(benchLanguages)]), in("spec.lifecycle", "production"),
		}, Order: &query.Order{Field: "metadata.title", Descending: true}, Limit: 20}
	})
}

func BenchmarkDeepPage(b *testing.B) {
	benchSearch(b, func(i, n int) index.Search {
		return index.Search{Filter: in("kind", "component"), Order: byName, Limit: 20, Offset: i * 7919 % (n / 2)}
	})
}

func BenchmarkFullText(b *testing.B) {
	benchSearch(b, func(i, n int) index.Search {
		return index.Search{Filter: query.And{
			in("kind", "component"),
			text(benchNouns[i%len(benchNouns)], "metadata.name", "metadata.title", "spec.profile.displayname"),
		}, Order: byName, Limit: 20}
	})
}

func BenchmarkFullTextRare(b *testing.B) {
	benchSearch(b, func(i, n int) index.Search {
		return index.Search{Filter: text(benchName(i%n/20*20+7), "metadata.name", "metadata.title", "spec.profile.displayname"), Order: byName, Limit: 20}
	})
}

func BenchmarkFacets(b *testing.B) {
	forSizes(b, func(b *testing.B, n int) {
		s := benchIndex(b, n).Snapshot()
		b.ReportAllocs()
		for b.Loop() {
			s.Facets(in("kind", "component"), []string{"spec.type", "metadata.tags", "spec.lifecycle", "relations.ownedBy"})
		}
	})
}

func BenchmarkFacetKinds(b *testing.B) {
	forSizes(b, func(b *testing.B, n int) {
		s := benchIndex(b, n).Snapshot()
		b.ReportAllocs()
		for b.Loop() {
			s.Facets(nil, []string{"kind"})
		}
	})
}

func BenchmarkEquality(b *testing.B) {
	forSizes(b, func(b *testing.B, n int) {
		s := benchIndex(b, n).Snapshot()
		filter := in("metadata.name", benchName(n/2+7))
		b.ReportAllocs()
		for b.Loop() {
			if s.Select(filter).Len() != 1 {
				b.Fatal("not found")
			}
		}
	})
}

func BenchmarkByRef(b *testing.B) {
	forSizes(b, func(b *testing.B, n int) {
		s := benchIndex(b, n).Snapshot()
		refs := make([]string, 50)
		for i := range refs {
			refs[i] = catalog.EntityRef{Kind: "component", Namespace: "default", Name: benchName((i*7919%n)/20*20 + 7)}.String()
		}
		b.ReportAllocs()
		for b.Loop() {
			for _, ref := range refs {
				if _, ok := s.ByRef(ref); !ok {
					b.Fatal("not found")
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/50, "ns/ref")
	})
}

// What a search costs right after a component has come or gone, when nothing
// that was kept holds any more. The publishing is not counted.
func BenchmarkAfterChange(b *testing.B) {
	for _, q := range []struct {
		name string
		run  func(s *index.Snapshot, i, n int)
	}{
		{"page", func(s *index.Snapshot, _, _ int) {
			s.Search(index.Search{Filter: query.Both(benchPermission, in("kind", "component")), Order: byName, Limit: 20})
		}},
		{"deep-page", func(s *index.Snapshot, _, n int) {
			s.Search(index.Search{Filter: in("kind", "component"), Order: byName, Limit: 20, Offset: n / 2})
		}},
		{"full-text", func(s *index.Snapshot, i, _ int) {
			s.Search(index.Search{Filter: query.And{
				in("kind", "component"),
				text(benchNouns[i%len(benchNouns)], "metadata.name", "metadata.title", "spec.profile.displayname"),
			}, Order: byName, Limit: 20})
		}},
		{"full-text-rare", func(s *index.Snapshot, i, n int) {
			s.Search(index.Search{Filter: text(benchName(i%n/20*20+7), "metadata.name", "metadata.title", "spec.profile.displayname"), Order: byName, Limit: 20})
		}},
		{"facets", func(s *index.Snapshot, _, _ int) {
			s.Facets(in("kind", "component"), []string{"spec.type", "metadata.tags", "spec.lifecycle", "relations.ownedBy"})
		}},
	} {
		b.Run(q.name, func(b *testing.B) {
			forSizes(b, func(b *testing.B, n int) {
				x := index.New()
				require.NoError(b, x.Load(1, each(benchDocuments(n))))
				rows, err := index.FlattenJSON(benchDocuments(n)[n/2+7].JSON)
				require.NoError(b, err)
				var spent time.Duration
				for i := 0; b.Loop(); i++ {
					change := index.Change{UID: uidOf(uint64(n+i/2) << 16), Ref: "component:default/new", Rows: rows}
					if i%2 == 1 {
						change.Rows = nil
					}
					x.Publish(uint64(i), []index.Change{change})
					s := x.Snapshot()
					start := time.Now()
					q.run(s, i, n)
					spent += time.Since(start)
				}
				b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/query")
			})
		})
	}
}
