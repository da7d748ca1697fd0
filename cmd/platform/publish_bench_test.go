package main

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/integration"
	taskaction "github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/actiontest"
)

// A forgeBench is a program with doubles of all hosts that are published to.
type forgeBench struct {
	github    *forgetest.GitHub
	gitlab    *forgetest.GitLab
	gitea     *forgetest.Gitea
	bitbucket *forgetest.Bitbucket
	actions   *taskaction.Registry
}

func newForgeBench(b *testing.B) *forgeBench {
	f := &forgeBench{github: forgetest.NewGitHub(b), gitlab: forgetest.NewGitLab(b), gitea: forgetest.NewGitea(b), bitbucket: forgetest.NewBitbucket(b)}
	set, _, err := integration.Parse(map[string]any{
		"github":         []any{map[string]any{"host": f.github.Host(), "apiBaseUrl": f.github.API(), "token": "x"}},
		"gitlab":         []any{map[string]any{"host": f.gitlab.Host(), "apiBaseUrl": f.gitlab.API(), "baseUrl": f.gitlab.URL(), "token": "x"}},
		"gitea":          []any{map[string]any{"host": f.gitea.Host(), "baseUrl": f.gitea.URL(), "username": "x", "password": "x"}},
		"bitbucketCloud": []any{map[string]any{"host": f.bitbucket.Host(), "apiBaseUrl": f.bitbucket.API(), "token": "x"}},
	})
	require.NoError(b, err)
	all, err := newForges(set, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, all.Close()) })
	p := scaffolderParts{hosts: set, forges: all, settings: &config.Settings{}, reader: taskReader{set, nil, all.gitHosts()}}
	f.actions, err = taskaction.NewRegistry(builtinActions(p, nil)...)
	require.NoError(b, err)
	return f
}

func (f *forgeBench) run(b *testing.B, c *taskaction.Context, r *actiontest.Recorder, id, input string) {
	a, err := f.actions.Lookup(id)
	require.NoError(b, err)
	require.NoError(b, r.Run(b.Context(), a, c, input))
}

// watchHeap reports the most that the heap has had while a benchmark ran, the
// doubles included.
func watchHeap(b *testing.B) {
	const name = "/memory/classes/heap/objects:bytes"
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		most, sample := uint64(0), []metrics.Sample{{Name: name}}
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				metrics.Read(sample)
				most = max(most, sample[0].Value.Uint64())
			case <-stop:
				done <- most
				return
			}
		}
	}()
	b.Cleanup(func() {
		close(stop)
		b.ReportMetric(float64(<-done)/(1<<20), "MB-heap-at-most")
	})
}

// A thousand files of about 2 kB, and one of 20 MB that does not compress, are
// published.
func BenchmarkPublish1000Files(b *testing.B) {
	f := newForgeBench(b)
	large := incompressible(20 << 20)
	for id, url := range map[string]string{
		"publish:github":         f.github.Host() + "?owner=acme&repo=r%d",
		"publish:gitlab":         f.gitlab.Host() + "?owner=acme&repo=r%d",
		"publish:gitea":          f.gitea.Host() + "?owner=acme&repo=r%d",
		"publish:bitbucketCloud": f.bitbucket.Host() + "?workspace=acme&project=SHOP&repo=r%d",
	} {
		for _, more := range []int{0, 1} {
			b.Run(fmt.Sprintf("%s/large=%d", strings.ReplaceAll(id, ":", "-"), more), func(b *testing.B) {
				c, r := actiontest.NewContext(b)
				for i := range 1000 {
					name := fmt.Sprintf("dir%d/file%d.txt", i%40, i)
					require.NoError(b, c.Workspace.WriteFile(name, []byte(strings.Repeat(fmt.Sprint("line ", i, "\n"), 200)), 0o644))
				}
				if more > 0 {
					require.NoError(b, c.Workspace.WriteFile("large.bin", []byte(large), 0o644))
				}
				watchHeap(b)
				for b.Loop() {
					b.StopTimer()
					require.NoError(b, c.Workspace.RemoveAll(".git"))
					next++
					b.StartTimer()
					f.run(b, c, r, id, fmt.Sprintf(`{"repoUrl":%q%s}`, fmt.Sprintf(url, next), described[id]))
				}
			})
		}
	}
}

// described is what actions require beside the repository.
var described = map[string]string{"publish:gitea": `,"description":"D"`}

var next int // numbers repositories and branches

func incompressible(size int) string {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(data) // it never fails
	return string(data)
}

// A repository of 60 MB is fetched, changed in one file, and the change proposed.
func BenchmarkCloneAndPropose60MB(b *testing.B) {
	f := newForgeBench(b)
	files := map[string]string{"README.md": "old"}
	all := incompressible(60 << 20)
	for i := range 600 {
		files[fmt.Sprintf("dir%d/file%d.bin", i%30, i)] = all[i*100<<10 : (i+1)*100<<10]
	}
	for id, h := range map[string]struct {
		forge     *forgetest.Forge
		tree, url string
		more      string
	}{
		"publish:github:pull-request":         {f.github.Forge, "/acme/mono/tree/main", "?owner=acme&repo=mono", `"branchName":"b%d"`},
		"publish:gitlab:merge-request":        {f.gitlab.Forge, "/acme/mono/-/tree/main", "?owner=acme&repo=mono", `"branchName":"b%d"`},
		"publish:bitbucketCloud:pull-request": {f.bitbucket.Forge, "/acme/mono/src/main", "?workspace=acme&project=SHOP&repo=mono", `"sourceBranch":"b%d"`},
	} {
		_, err := h.forge.Add(forgetest.Repository{FullName: "acme/mono"}, files)
		require.NoError(b, err)
		b.Run(strings.ReplaceAll(id, ":", "-"), func(b *testing.B) {
			watchHeap(b)
			for b.Loop() {
				next++
				c, r := actiontest.NewContext(b)
				f.run(b, c, r, "fetch:plain", `{"url":"`+h.forge.URL()+h.tree+`"}`)
				require.NoError(b, c.Workspace.WriteFile("README.md", []byte(fmt.Sprint("new ", next)), 0o644))
				f.run(b, c, r, id, `{"repoUrl":"`+h.forge.Host()+h.url+`","title":"T","description":"D",`+fmt.Sprintf(h.more, next)+`}`)
			}
		})
	}
}
