package crawltest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/query"
	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/ingest/github"
)

// arrive takes a payload as the HTTP edge does.
func (s *stack) arrive(event, id string, payload any) {
	body, err := json.Marshal(payload)
	require.NoError(s.t, err)
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write(body)
	d, err := s.hook.Accept(http.Header{
		"X-Github-Event": {event}, "X-Github-Delivery": {id}, "X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac.Sum(nil))},
	}, body)
	require.NoError(s.t, err)
	_, err = s.queue.Put(d)
	require.NoError(s.t, err)
}

// BenchmarkWebhookToServed measures from the arrival of a push to the moment at
// which the changed entity, its relations included, is what readers get. The
// answers of the host are a part of it: ns/request is what one of them takes.
func BenchmarkWebhookToServed(b *testing.B) {
	s := newStack(b, nil)
	s.db.NoSync = false
	s.seed(100)
	s.poll()
	requests := 0
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		name, owner := fmt.Sprintf("service-%04d", n%100), fmt.Sprintf("team-%d", n)
		text := "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: " + name + "}\nspec: {type: service, lifecycle: production, owner: " + owner + "}\n"
		c, err := s.forge.Commit("acme/"+name, "main", "change", map[string]string{"catalog-info.yaml": text})
		require.NoError(b, err)
		payload := s.forge.PushEvent(c)
		s.forge.ResetRequests()
		b.StartTimer()
		s.arrive("push", c.SHA, payload)
		for s.index.Snapshot().Select(query.In{Key: "relations.ownedby", Values: []string{"group:default/" + owner}}).Len() == 0 {
			runtime.Gosched()
		}
		b.StopTimer()
		requests += s.forge.TotalRequests().Total
		b.StartTimer()
	}
	b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
	b.ReportMetric(float64(s.answerTime(b).Nanoseconds()), "ns/request")
}

// answerTime is how long the host takes for one file.
func (s *stack) answerTime(b *testing.B) time.Duration {
	b.StopTimer()
	const times = 20
	started := time.Now()
	for range times {
		r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.forge.API()+"/repos/acme/service-0000/contents/catalog-info.yaml?ref=main", nil)
		require.NoError(b, err)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(b, err)
		resp.Body.Close()
	}
	return time.Since(started) / times
}

// BenchmarkPatternDiscovery measures a first and an unchanged cycle over 500
// repositories whose descriptors are found by a pattern.
func BenchmarkPatternDiscovery(b *testing.B) {
	const repositories = 500
	for b.Loop() {
		b.StopTimer()
		s := newStack(b, func(o *github.DiscoveryOptions) { o.CatalogPath, o.PageSize = "/**/catalog-info.yaml", 100 })
		for i := range repositories {
			name := fmt.Sprintf("service-%04d", i)
			_, err := s.forge.Seed(forgetest.Repository{FullName: "acme/" + name}, map[string]string{
				"README.md": "x", "src/main.go": "package main", "deploy/catalog-info.yaml": component(name), "docs/catalog-info.yaml": component(name + "-docs")})
			require.NoError(b, err)
		}
		b.StartTimer()
		started := time.Now()
		s.poll()
		first := time.Since(started)
		require.Equal(b, 2*repositories, s.served("component"))
		asked := s.forge.TotalRequests()
		s.forge.ResetRequests()
		started = time.Now()
		s.poll()
		s.refresh()
		unchanged := time.Since(started)
		b.StopTimer()
		b.ReportMetric(first.Seconds(), "s/first")
		b.ReportMetric(float64(asked.Total), "requests/first")
		b.ReportMetric(unchanged.Seconds(), "s/unchanged")
		b.ReportMetric(float64(s.forge.TotalRequests().Total), "requests/unchanged")
		b.ReportMetric(float64(s.forge.TotalRequests().Billable), "billed/unchanged")
		b.StartTimer()
	}
}
