package github_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/greenroom-idp/greenroom/catalog"
	files "github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
)

// A flotilla is a number of repositories with what is known of each.
type flotilla struct {
	*bench
	targets []string
	etags   []string
}

// newFlotilla makes repositories with a descriptor each, of which every tenth has
// none.
func newFlotilla(t testing.TB, n int, config map[string]any, path string) *flotilla {
	f := &flotilla{bench: newBench(t, config, github.ReaderOptions{}), etags: make([]string, n)}
	for i := range n {
		name := fmt.Sprintf("acme/repository-%04d", i)
		content := map[string]string{"README.md": "x", "a/catalog-info.yaml": fmt.Sprint(i), "b/c/catalog-info.yaml": fmt.Sprint(i)}
		if i%10 != 9 {
			content["catalog-info.yaml"] = fmt.Sprint(i)
		}
		f.add(name, content)
		f.targets = append(f.targets, fmt.Sprintf("%s/%s/blob/main/%s", f.URL(), name, path))
	}
	return f
}

// A cycleResult says how often what came of reading a repository.
type cycleResult struct{ read, unchanged, missing, failed atomic.Int64 }

// run reads every repository once, as the workers of the catalog do.
func (f *flotilla) run(search bool) *cycleResult {
	result := &cycleResult{}
	var group errgroup.Group
	group.SetLimit(20)
	for i, target := range f.targets {
		group.Go(func() error {
			etag, notModified, err := f.one(target, f.etags[i], search)
			switch {
			case err == nil && notModified:
				result.unchanged.Add(1)
			case err == nil:
				result.read.Add(1)
			case isMissing(err):
				result.missing.Add(1)
			default:
				result.failed.Add(1)
			}
			if err == nil {
				f.etags[i] = etag
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		f.t.Fatal(err)
	}
	return result
}

func (f *flotilla) one(target, etag string, search bool) (string, bool, error) {
	if search {
		_, etag, notModified, err := f.reader.Search(context.Background(), target, etag)
		return etag, notModified, err
	}
	_, etag, notModified, err := f.reader.Read(context.Background(), target, etag)
	return etag, notModified, err
}

func isMissing(err error) bool { return errors.Is(err, catalog.ErrNotFound) }

// TestCycle counts the requests for a hundred repositories; BenchmarkCycle does
// so for a thousand.
func TestCycle(t *testing.T) {
	f := newFlotilla(t, 100, signedIn(), "catalog-info.yaml")
	first := f.run(false)
	require.EqualValues(t, 90, first.read.Load())
	require.EqualValues(t, 10, first.missing.Load())
	require.Equal(t, 120, f.TotalRequests().Billable, "one for each, and two more where there is none, to know as of when")
	f.cycle()
	second := f.run(false)
	require.EqualValues(t, 90, second.unchanged.Load())
	require.EqualValues(t, 10, second.missing.Load())
	require.Equal(t, forgetest.Count{Total: 100, NotModified: 100}, f.TotalRequests(), "one for each, and none is billed")

	remove := f.Inject(forgetest.Fault{Every: 20, Status: 500})
	f.cycle()
	bad := f.run(false)
	require.EqualValues(t, 10, bad.missing.Load(), "what fails is not missing")
	require.EqualValues(t, 90, bad.unchanged.Load()+bad.failed.Load())
	remove()
	f.cycle()
	again := f.run(false)
	require.EqualValues(t, 90, again.unchanged.Load(), "the next run completes")
}

func BenchmarkCycle(b *testing.B) {
	for _, c := range []struct {
		name, path string
		n          int
		search     bool
	}{
		{"files", "catalog-info.yaml", 1000, false},
		{"patterns", "**/catalog-info.yaml", 500, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			f := newFlotilla(b, c.n, signedIn(), c.path)
			f.run(c.search)
			first := f.TotalRequests()
			for b.Loop() {
				f.cycle()
				f.run(c.search)
			}
			last := f.TotalRequests()
			b.ReportMetric(float64(first.Billable), "billed-first")
			b.ReportMetric(float64(last.Total), "requests-unchanged")
			b.ReportMetric(float64(last.Billable), "billed-unchanged")
		})
	}
}

// BenchmarkTree lets a repository of 200 MB pass and reports by how much the
// heap grew meanwhile. The garbage that the double makes is in it as well.
func BenchmarkTree(b *testing.B) {
	bench := newBench(b, signedIn(), github.ReaderOptions{})
	bench.addLarge(200)
	before, most := heap(), uint64(0)
	for b.Loop() {
		n := 0
		err := bench.reader.Tree(context.Background(), bench.URL()+"/acme/shop", "", func(e files.Entry) error {
			if n++; n%20 == 0 {
				most = max(most, heap())
			}
			return discard(e)
		})
		require.NoError(b, err)
	}
	b.SetBytes(200_000_000)
	b.ReportMetric(float64(max(most, before)-before)/1e6, "MB-heap")
}
