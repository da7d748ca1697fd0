package forge_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/process"
	"github.com/greenroom-idp/greenroom/ingest/archive"
	"github.com/greenroom-idp/greenroom/ingest/budget"
	"github.com/greenroom-idp/greenroom/ingest/forge"
)

const (
	commitA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func TestTags(t *testing.T) {
	for _, c := range []struct {
		why  string
		tag  forge.Tag
		text string
	}{
		{"both", forge.Tag{Commit: commitA, Validator: `W/"x y"`}, commitA + ` W/"x y"`},
		{"a commit", forge.Tag{Commit: commitA}, commitA},
		{"a validator", forge.Tag{Validator: `"x y"`}, `"x y"`},
		{"nothing", forge.Tag{}, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			require.Equal(t, c.text, c.tag.String())
			require.Equal(t, c.tag, forge.ParseTag(c.text))
		})
	}
	long := forge.Tag{Commit: commitA, Validator: strings.Repeat("x", 1000)}
	require.Equal(t, commitA, long.String(), "what is stored with entities is bounded")
}

func FuzzTags(f *testing.F) {
	f.Add(commitA + ` W/"x"`)
	f.Add("main branch")
	f.Fuzz(func(t *testing.T, text string) {
		tag := forge.ParseTag(text)
		if again := forge.ParseTag(tag.String()); again.Commit != tag.Commit {
			t.Fatalf("%q is %+v and then %+v", text, tag, again)
		}
	})
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"**/catalog-info.yaml", "catalog-info.yaml", true},
		{"**/catalog-info.yaml", "a/b/catalog-info.yaml", true},
		{"**/catalog-info.yaml", "a/.b/catalog-info.yaml", false},
		{"*/catalog-info.yaml", "a/b/catalog-info.yaml", false},
		{"/a/*.y?ml", "a/x.yaml", true},
		{"{a,b}/[xy].yaml", "b/y.yaml", true},
		{".github/**/*.yaml", ".github/a/x.yaml", true},
		{".github/**/*.yaml", ".github/.a/x.yaml", false},
		{"**/.catalog/*.yaml", "a/.catalog/x.yaml", true},
		{"**/*.yaml", ".yaml", false},
	} {
		p, err := forge.ParsePattern(c.pattern)
		require.NoError(t, err)
		require.Equal(t, c.want, p.Match(c.path), "%s and %s", c.pattern, c.path)
	}
	for pattern, folder := range map[string]string{"a/b/*.yaml": "a/b", "**/x": "", "a*/b": "", "a/b": "a"} {
		p, err := forge.ParsePattern(pattern)
		require.NoError(t, err)
		require.Equal(t, folder, p.Folder(), pattern)
	}
	for _, bad := range []string{"[a", "{a", strings.Repeat("a*", 1000)} {
		_, err := forge.ParsePattern(bad)
		require.ErrorIs(t, err, catalog.ErrInput, bad)
	}
}

// A file that a pattern finds has a URL that Match would say the same of.
func FuzzPatterns(f *testing.F) {
	f.Add("**/catalog-info.yaml", "a/b/catalog-info.yaml")
	f.Add("{a,b}*/[!x]?", "a/.b")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		p, err := forge.ParsePattern(pattern)
		if err != nil {
			return
		}
		if p.Match(path) && !strings.HasPrefix(path, strings.TrimSuffix(p.Folder(), "/")) {
			t.Fatalf("%q matches %q, which is not in %q", pattern, path, p.Folder())
		}
	})
}

func TestFileURL(t *testing.T) {
	for _, c := range []struct{ why, url, pattern, file, want string }{
		{"GitHub", "https://h/o/r/tree/main/a/**/x.yaml?q#f", "a/**/x.yaml", "a/b c/x.yaml", "https://h/o/r/tree/main/a/b%20c/x.yaml"},
		{"an encoded branch", "https://h/o/r/blob/f%2Fx/*.yaml", "*.yaml", "ü.yaml", "https://h/o/r/blob/f%2Fx/%C3%BC.yaml"},
		{"slashes on end", "https://h/a/b/-/blob/main//*/", "*", "x?y", "https://h/a/b/-/blob/main/x%3Fy"},
	} {
		t.Run(c.why, func(t *testing.T) {
			got, err := forge.FileURL(c.url, c.pattern, c.file)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			u, err := url.Parse(got)
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(u.Path, "/"+c.file), "%s is the file again", u.Path)
		})
	}
}

// answers is a host that counts the questions.
type answers struct {
	asked atomic.Int32
	known forge.Head // of the last question
	head  forge.Head
	err   error
	wait  chan struct{}
}

func (a *answers) ask(ctx context.Context, known forge.Head) (forge.Head, error) {
	a.asked.Add(1)
	a.known = known
	if a.wait != nil {
		select {
		case <-a.wait:
		case <-ctx.Done():
			return forge.Head{}, ctx.Err()
		}
	}
	return a.head, a.err
}

func TestHeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, a, ctx := forge.NewHeads(time.Minute, nil), &answers{head: forge.Head{Commit: commitA, Validator: "v"}}, context.Background()
		at := func(ctx context.Context) string {
			head, err := h.At(ctx, "repo@main", commitB, a.ask)
			require.NoError(t, err)
			return head.Commit
		}
		require.Equal(t, commitA, at(ctx))
		require.Equal(t, forge.Head{Commit: commitB}, a.known, "what the caller knows makes the request conditional")
		require.Equal(t, commitA, at(ctx))
		require.EqualValues(t, 1, a.asked.Load())
		time.Sleep(61 * time.Second)
		at(ctx)
		require.EqualValues(t, 2, a.asked.Load(), "it is too old")
		require.Equal(t, a.head, a.known)

		time.Sleep(time.Second)
		urgent := budget.Urgent(ctx, time.Now())
		at(urgent)
		at(urgent)
		require.EqualValues(t, 3, a.asked.Load(), "asked once since it became urgent")
		at(budget.Urgent(ctx, time.Now().Add(-time.Second)))
		require.EqualValues(t, 3, a.asked.Load())
		time.Sleep(time.Second)
		at(process.WithDemand(ctx, process.Demand{Since: time.Now()}))
		require.EqualValues(t, 4, a.asked.Load(), "somebody wanted it, without hurry")
		at(budget.Urgent(ctx, time.Time{}))
		require.EqualValues(t, 4, a.asked.Load(), "at this very moment")

		time.Sleep(time.Second)
		h.Observe("repo@main", commitB, time.Now())
		require.Equal(t, commitB, at(budget.Urgent(ctx, time.Now())))
		h.Observe("repo@main", commitA, time.Now().Add(-time.Hour))
		require.Equal(t, commitB, at(ctx), "an old event does not turn time back")
		h.Observe("repo@main", "not a commit", time.Now())
		require.Equal(t, commitB, at(ctx))
		require.EqualValues(t, 4, a.asked.Load())
		require.True(t, h.Knows("repo@main"))
		require.False(t, h.Knows("repo@dev"))
	})
}

func TestHeadsRememberWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, a, ctx := forge.NewHeads(time.Minute, nil), &answers{err: fmt.Errorf("branch: %w", catalog.ErrNotFound)}, context.Background()
		for range 3 {
			_, err := h.At(ctx, "k", "", a.ask)
			require.ErrorIs(t, err, catalog.ErrNotFound)
		}
		require.EqualValues(t, 1, a.asked.Load())
		time.Sleep(2 * time.Minute)
		a.err = errors.New("busy")
		for range 3 {
			_, err := h.At(ctx, "k", "", a.ask)
			require.ErrorIs(t, err, a.err)
		}
		require.EqualValues(t, 4, a.asked.Load(), "other errors are not believed")
	})
}

func TestHeadsAskOnceForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, a := forge.NewHeads(time.Minute, nil), &answers{head: forge.Head{Commit: commitA}, wait: make(chan struct{})}
		ctx, cancel := context.WithCancel(context.Background())
		var leader, others sync.WaitGroup
		leader.Go(func() {
			_, err := h.At(ctx, "k", "", a.ask)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the leader got %v", err)
			}
		})
		synctest.Wait()
		for range 20 {
			others.Go(func() {
				head, err := h.At(context.Background(), "k", "", a.ask)
				if err != nil || head.Commit != commitA {
					t.Errorf("got %v, %v", head, err)
				}
			})
		}
		synctest.Wait()
		require.EqualValues(t, 1, a.asked.Load())
		cancel() // who asked gives up: one of the others asks
		leader.Wait()
		synctest.Wait()
		require.EqualValues(t, 2, a.asked.Load())
		urgent := make(chan error)
		go func() {
			_, err := h.At(budget.Urgent(context.Background(), time.Now().Add(-time.Hour)), "k", "", a.ask)
			urgent <- err
		}()
		synctest.Wait()
		require.EqualValues(t, 3, a.asked.Load(), "urgent work does not wait behind crawling")
		close(a.wait)
		others.Wait()
		require.NoError(t, <-urgent)
	})
}

func TestMemories(t *testing.T) {
	a := forge.NewAbsences()
	a.Add("k", commitA)
	require.True(t, a.Has("k", commitA))
	require.False(t, a.Has("k", commitB))
	require.False(t, a.Has("k", ""))

	l := forge.NewLoners()
	require.True(t, l.Alone("b", "x"))
	require.True(t, l.Alone("b", "x"))
	require.False(t, l.Alone("b", "y"))
	require.False(t, l.Alone("b", "x"), "not any more")

	b := forge.NewBlobs(1000)
	for i := range 20 {
		b.Add(fmt.Sprint(i), make([]byte, 100))
	}
	kept := 0
	for i := range 20 {
		if _, ok := b.Get(fmt.Sprint(i)); ok {
			kept++
		}
	}
	require.Equal(t, 10, kept)
	b.Add("large", make([]byte, 500))
	_, ok := b.Get("large")
	require.False(t, ok, "one content does not push out all others")
}

func TestErrorsHideSecrets(t *testing.T) {
	u, err := url.Parse("https://ada:hush@h/p?token=hush&ref=main&private_token=hush#hush")
	require.NoError(t, err)
	require.NotContains(t, forge.Shown(u), "hush")
	require.Contains(t, forge.Shown(u), "ref=main")
	res := &http.Response{StatusCode: 404, Body: http.NoBody, Request: &http.Request{URL: u}}
	require.ErrorIs(t, forge.Status("https://h/x", res), catalog.ErrNotFound)
	require.NotContains(t, forge.Status("https://h/x", res).Error(), "hush")
	wrapped := &url.Error{Op: "Get", URL: "https://h?token=hush", Err: errors.New("no route")}
	require.EqualError(t, forge.Failed(context.Background(), "https://h/x", wrapped), "https://h/x could not be read, no route")
	limit := &budget.LimitError{Host: "h", Resource: "core", Credential: "token"}
	require.ErrorContains(t, forge.Failed(context.Background(), "https://h/x", &url.Error{Err: limit}), "(rate limit exceeded)")
	var later interface{ RetryAt() time.Time }
	require.ErrorAs(t, forge.Failed(context.Background(), "https://h/x", &url.Error{Err: limit}), &later)
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		why     string
		status  int
		header  http.Header
		body    string
		limited bool
	}{
		{"missing", 404, nil, "", false},
		{"forbidden", 403, nil, "", false},
		{"too many", 429, nil, "", true},
		{"used up", 403, http.Header{"X-Ratelimit-Limit": {"5000"}, "X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {"9999999999"}}, "", true},
		{"a secondary limit", 403, nil, "You have exceeded a secondary rate limit", true},
	} {
		t.Run(c.why, func(t *testing.T) {
			res := &http.Response{StatusCode: c.status, Header: c.header, Body: io.NopCloser(strings.NewReader(c.body)), Request: &http.Request{URL: &url.URL{Host: "h"}}}
			err := forge.Status("https://h/x", res)
			require.Equal(t, c.limited, strings.HasSuffix(err.Error(), " (rate limit exceeded)"), err.Error())
			require.Equal(t, c.limited, !err.RetryAt().IsZero())
		})
	}
}

func TestRedirects(t *testing.T) {
	request := func(url string) *http.Request {
		req, err := http.NewRequest("GET", url, nil)
		require.NoError(t, err)
		return req
	}
	via := []*http.Request{request("https://a/")}
	require.NoError(t, forge.CheckRedirect(request("https://b/"), via))
	require.ErrorContains(t, forge.CheckRedirect(request("http://a/"), via), "from https to http")
	for range 5 {
		via = append(via, request("https://a/"))
	}
	require.ErrorContains(t, forge.CheckRedirect(request("https://a/"), via), "more than 5 redirects")
}

func TestSearchOfArchive(t *testing.T) {
	pattern, err := forge.ParsePattern("*.yaml")
	require.NoError(t, err)
	s := &forge.Search{Target: "https://h/o/r/blob/main/*.yaml", PatternPath: "*.yaml", Pattern: pattern, Limits: forge.Limits{}.Complete()}
	for _, name := range []string{"b.yaml", "a.yaml", "x/a.yaml", "c.md"} {
		require.NoError(t, s.Add(archive.Entry{Path: name, Mode: 0o644, Size: 1, Content: strings.NewReader("x")}))
	}
	found := s.Sorted()
	require.Len(t, found, 2)
	require.Equal(t, "https://h/o/r/blob/main/a.yaml", found[0].URL)
}
