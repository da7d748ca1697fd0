package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/action"
	"github.com/greenroom-idp/greenroom/scaffolder/action/debug"
	"github.com/greenroom-idp/greenroom/scaffolder/action/fetch"
	"github.com/greenroom-idp/greenroom/scaffolder/boltstore"
	"github.com/greenroom-idp/greenroom/scaffolder/engine"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// A bench is an engine with the real actions and a store that is synced to the
// disk, as in production.
func bench(b *testing.B) *engine.Engine {
	b.Helper()
	dir := b.TempDir()
	db, err := bbolt.Open(filepath.Join(dir, "tasks.db"), 0o600, &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	require.NoError(b, err)
	s, err := boltstore.New(db)
	require.NoError(b, err)
	actions, err := action.NewRegistry(append(debug.Actions(), fetch.Actions(fetch.Options{Engine: skeleton.NewEngine(skeleton.EngineOptions{})})...)...)
	require.NoError(b, err)
	e, err := engine.New(engine.Options{Store: s, Runner: runner.Options{Actions: actions}, Workspaces: filepath.Join(dir, "workspaces"),
		Key: bytes.Repeat([]byte{7}, engine.KeySize)})
	require.NoError(b, err)
	require.NoError(b, e.Start(b.Context()))
	b.Cleanup(func() {
		require.NoError(b, e.Shutdown(context.Background()))
		require.NoError(b, db.Close())
	})
	return e
}

func benchSpec(b *testing.B, steps string) scaffolder.Spec {
	b.Helper()
	list, err := jsonvalue.Parse([]byte(steps))
	require.NoError(b, err)
	return scaffolder.Spec{Object: jsonvalue.NewObject(
		jsonvalue.Member{Key: "apiVersion", Value: scaffolder.APIVersion},
		jsonvalue.Member{Key: "steps", Value: scaffolder.NamedSteps(objectsOf(list.([]any)))},
		jsonvalue.Member{Key: "output", Value: jsonvalue.NewObject()},
		jsonvalue.Member{Key: "parameters", Value: mustObject(`{"name":"Ada"}`)},
	)}
}

const twoSteps = `[{"id":"a","action":"debug:log","input":{"message":"hello ${{ parameters.name }}"}},
	{"id":"b","action":"debug:log","input":{"message":"bye ${{ parameters.name }}"}}]`

func await(b *testing.B, e *engine.Engine, id string) {
	w := e.Watch(id)
	defer w.Close()
	for {
		t, _, err := e.Task(id)
		if err != nil {
			b.Fatal(err)
		}
		if t.Status.Ended() {
			if t.Status != scaffolder.Completed {
				b.Fatal(t.Status)
			}
			return
		}
		<-w.C()
	}
}

// BenchmarkThousandTasks takes a thousand tasks of two steps from request to
// completion, asked for by ten clients.
func BenchmarkThousandTasks(b *testing.B) {
	e := bench(b)
	spec := benchSpec(b, twoSteps)
	for b.Loop() {
		ids := make([]string, 1000)
		var clients sync.WaitGroup
		for c := range 10 {
			clients.Add(1)
			go func() {
				defer clients.Done()
				for i := c; i < len(ids); i += 10 {
					id, err := e.Create(b.Context(), engine.Request{Spec: spec, Secrets: map[string]string{"backstageToken": "t0ken"}})
					if err != nil {
						b.Error(err)
						return
					}
					ids[i] = id
				}
			}()
		}
		clients.Wait()
		for _, id := range ids {
			await(b, e, id)
		}
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkTask takes one task after the other: the time that a user waits.
func BenchmarkTask(b *testing.B) {
	e := bench(b)
	spec := benchSpec(b, twoSteps)
	for b.Loop() {
		id, err := e.Create(b.Context(), engine.Request{Spec: spec})
		if err != nil {
			b.Fatal(err)
		}
		await(b, e, id)
	}
}

// BenchmarkDryRun runs a template with a skeleton of ten files.
func BenchmarkDryRun(b *testing.B) {
	e := bench(b)
	o := mustObject(`{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template","metadata":{"name":"t"},"spec":{"type":"service","steps":[
		{"id":"f","action":"fetch:template","input":{"url":"./skeleton","values":{"name":"${{ parameters.name }}"}}},
		{"id":"l","action":"debug:log","input":{"message":"done"}}]}}`)
	template, err := scaffolder.NewTemplate(catalog.Entity{Object: o})
	require.NoError(b, err)
	d := engine.DryRun{Template: template, Submission: scaffolder.Submission{Values: mustObject(`{"name":"Ada"}`)}, Files: skeletonFiles(10)}
	for b.Loop() {
		r, err := e.DryRun(b.Context(), d)
		if err != nil {
			b.Fatal(err)
		}
		if len(r.Files) != 10 {
			b.Fatal(len(r.Files))
		}
	}
}

// BenchmarkSkeleton renders a skeleton of a thousand files, in a dry-run.
func BenchmarkSkeleton(b *testing.B) {
	e := bench(b)
	o := mustObject(`{"apiVersion":"scaffolder.backstage.io/v1beta3","kind":"Template","metadata":{"name":"t"},"spec":{"type":"service","steps":[
		{"id":"f","action":"fetch:template","input":{"url":"./skeleton","values":{"name":"${{ parameters.name }}"}}}]}}`)
	template, err := scaffolder.NewTemplate(catalog.Entity{Object: o})
	require.NoError(b, err)
	d := engine.DryRun{Template: template, Submission: scaffolder.Submission{Values: mustObject(`{"name":"Ada"}`)}, Files: skeletonFiles(1000)}
	for b.Loop() {
		if _, err := e.DryRun(b.Context(), d); err != nil {
			b.Fatal(err)
		}
	}
}

func skeletonFiles(n int) []engine.DryRunFile {
	var files []engine.DryRunFile
	for i := range n {
		files = append(files, engine.DryRunFile{Path: fmt.Sprintf("skeleton/dir%d/file%d.go", i%20, i),
			Content: []byte("package ${{ values.name | lower }}\n{% if values.name %}\n// a file of ${{ values.name }}\n{% endif %}\n" + strings.Repeat("var x = 1\n", 100))})
	}
	return files
}

// BenchmarkEventLatency is the time from when something happens, over its commit
// to the disk, to the watcher that reads it.
func BenchmarkEventLatency(b *testing.B) {
	e := bench(b)
	spec := benchSpec(b, `[{"id":"a","action":"debug:wait","input":{"milliseconds":1}}]`)
	var sum time.Duration
	n := 0
	for b.Loop() {
		id, err := e.Create(b.Context(), engine.Request{Spec: spec})
		if err != nil {
			b.Fatal(err)
		}
		w := e.Watch(id)
		after, done := int64(0), false
		for !done {
			events, err := e.Events(id, after)
			if err != nil {
				b.Fatal(err)
			}
			for _, ev := range events {
				if ev.ID > after {
					sum += time.Since(ev.CreatedAt)
					n++
					after = ev.ID
				}
				done = done || ev.Type == scaffolder.EventCompletion
			}
			if !done {
				<-w.C()
			}
		}
		w.Close()
	}
	b.ReportMetric(float64(sum.Microseconds())/float64(n)/1000, "ms/event-from-happening-to-reader")
}
