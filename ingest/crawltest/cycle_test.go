package crawltest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

func component(name string) string {
	return "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: " + name + "}\nspec: {type: service, lifecycle: production, owner: team-a}\n"
}

// seed makes repositories with a descriptor each.
func (s *stack) seed(n int) {
	s.t.Helper()
	for i := range n {
		name := fmt.Sprintf("service-%04d", i)
		_, err := s.forge.Seed(forgetest.Repository{FullName: "acme/" + name}, map[string]string{"catalog-info.yaml": component(name)})
		require.NoError(s.t, err)
	}
}

// repositories is how many the cycle is measured with.
const repositories = 1000

// A cycle over a thousand repositories: what it costs, first and unchanged, and
// that a host with bad days takes nothing away.
func TestCycleOfAThousandRepositories(t *testing.T) {
	s := newStack(t, nil)
	s.seed(repositories)
	pages := repositories / github.DefaultPageSize

	run := s.poll()
	require.Equal(t, provider.ResultPublished, run.Result)
	require.Equal(t, repositories, s.served("component"))
	first := s.forge.Requests()
	t.Logf("first run: %v", first)
	require.Equal(t, pages, first["graphql"].Billable)
	require.LessOrEqual(t, s.forge.TotalRequests().Billable, pages+2*repositories, "one question for the commit, one for the file")

	s.forge.ResetRequests()
	run = s.poll()
	require.Zero(t, run.Added+run.Removed)
	s.refresh()
	unchanged := s.forge.Requests()
	t.Logf("unchanged run: %v", unchanged)
	require.Equal(t, pages, unchanged["graphql"].Billable)
	require.Equal(t, pages, s.forge.TotalRequests().Billable, "an unchanged repository costs nothing")
	require.Equal(t, pages+repositories, s.forge.TotalRequests().Total, "one conditional request for each")

	t.Run("with failures", func(t *testing.T) { badDay(t, s) })
}

// twentieth matches the paths of every twentieth repository.
var twentieth = regexp.MustCompile(`service-\d\d[02468]0(/|$)`)

// badDay lets every twentieth answer fail, and then every answer about every
// twentieth repository: nothing goes, and all is well the day after.
func badDay(t *testing.T, s *stack) {
	answers := forgetest.Fault{Status: http.StatusInternalServerError, Every: 20}
	sources := forgetest.Fault{Status: http.StatusNotImplemented, When: func(r *http.Request) bool { return twentieth.MatchString(r.URL.Path) }}
	listing := forgetest.Fault{Route: "graphql", Status: http.StatusNotImplemented, Every: 20}
	for _, faults := range [][]forgetest.Fault{{answers}, {sources, listing}} {
		var remove []func()
		for _, f := range faults {
			remove = append(remove, s.forge.Inject(f))
		}
		s.poll()
		s.refresh()
		require.Equal(t, repositories, s.served("component"))
		require.Positive(t, s.forge.TotalRequests().Failed)
		for _, r := range remove {
			r()
		}
	}
	require.Equal(t, provider.ResultFailed, s.loop.Statuses()[0].LastRun.Result, "a listing with a hole is no listing")
	require.Equal(t, provider.ResultPublished, s.poll().Result)
	s.refresh()
	require.Equal(t, repositories, s.served("component"))
}

// A crawl that is ended in the middle is made up for by the next one.
func TestCrawlEndedInTheMiddle(t *testing.T) {
	s := newStack(t, nil)
	s.seed(100)
	reached := make(chan struct{})
	n := 0
	remove := s.forge.Inject(forgetest.Fault{Route: "graphql", Hold: make(chan struct{}), When: func(*http.Request) bool {
		if n++; n == 3 {
			close(reached)
		}
		return n >= 3
	}})
	require.NoError(t, s.loop.Trigger(discoveryName))
	<-reached
	s.stopLoop()
	require.Zero(t, s.served("component"), "half a listing publishes nothing")
	records, err := s.records.Records()
	require.NoError(t, err)
	require.Empty(t, records, "and counts for nothing")
	remove()

	s.startLoop(nil)
	require.Equal(t, provider.ResultPublished, s.poll().Result)
	require.Equal(t, 100, s.served("component"))
}

// The same for the process that ends while what was listed is being read.
func TestProcessingEndedInTheMiddle(t *testing.T) {
	s := newStack(t, nil)
	s.seed(100)
	reached, n := make(chan struct{}), 0
	remove := s.forge.Inject(forgetest.Fault{Route: "contents", Hold: make(chan struct{}), When: func(*http.Request) bool {
		if n++; n == 50 {
			close(reached)
		}
		return n >= 50
	}})
	require.NoError(t, s.loop.Trigger(discoveryName))
	<-reached
	s.close()
	require.Less(t, s.served("component"), 100)
	remove()
	s.openEngine()
	s.startLoop(nil)
	require.Eventually(t, func() bool { return s.served("component") == 100 }, time.Minute, time.Millisecond, "what was listed is stored, and read after the start without another listing")
}

func TestPatternsFindWhatIsDeep(t *testing.T) {
	s := newStack(t, func(o *github.DiscoveryOptions) { o.CatalogPath = "/**/catalog-info.yaml" })
	for i := range 20 {
		name := fmt.Sprintf("service-%d", i)
		_, err := s.forge.Seed(forgetest.Repository{FullName: "acme/" + name}, map[string]string{
			"catalog-info.yaml": component(name), "a/b/catalog-info.yaml": component(name + "-deep"), "a/other.yaml": "x"})
		require.NoError(t, err)
	}
	s.poll()
	require.Equal(t, 40, s.served("component"))
	s.forge.ResetRequests()
	s.refresh()
	require.Zero(t, s.forge.TotalRequests().Billable, "an unchanged repository costs nothing")
	require.Equal(t, 20, s.forge.TotalRequests().Total)
}
