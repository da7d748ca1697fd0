package catalog_test

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUIDTextAndBack(t *testing.T) {
	const text = "6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a"
	u, err := catalog.ParseUID(text)
	require.NoError(t, err)
	assert.Equal(t, text, u.String())
	assert.Equal(t, [16]byte{0x6f, 0x0c, 0x5a, 0x0e, 0x3c, 0x3b, 0x4a, 0x6e, 0x9a, 0x8e, 0x0d, 0x4f, 0x5d, 0x6c, 0x7b, 0x8a}, [16]byte(u))
	upper, err := catalog.ParseUID(strings.ToUpper(text))
	require.NoError(t, err, "either case reads")
	assert.Equal(t, u, upper)
}

func TestTextsThatAreNoUID(t *testing.T) {
	for _, s := range []string{"", "x", "6f0c5a0e3c3b4a6e9a8e0d4f5d6c7b8a", "{6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a}", "6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8",
		"6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8ab", "6f0c5a0g-3c3b-4a6e-9a8e-0d4f5d6c7b8a", "6f0c5a0e_3c3b_4a6e_9a8e_0d4f5d6c7b8a", "6f0c5a0e-3c3b-4a6e-9a8e 0d4f5d6c7b8a",
		"-f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a", "éf0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8", strings.Repeat("a", 1<<20)} {
		_, err := catalog.ParseUID(s)
		assert.Error(t, err, "%q", s[:min(len(s), 50)])
	}
}

// clock is set by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestUIDsAscend(t *testing.T) {
	c := &clock{time.UnixMilli(1_700_000_000_000)}
	source := catalog.NewUIDSource(c.Now, catalog.UID{})
	var last catalog.UID
	next := func(why string) catalog.UID {
		t.Helper()
		u := source.Next()
		require.Positive(t, slices.Compare(u[:], last[:]), "%s: %s after %s", why, u, last)
		require.Greater(t, u.String(), last.String(), "the text has the same order")
		require.Regexp(t, uuid4, u.String())
		last = u
		return u
	}
	for range 10_000 {
		next("more in a millisecond than the sequence holds") // 4,096
	}
	c.now = c.now.Add(time.Hour)
	next("time goes on")
	c.now = c.now.Add(-24 * time.Hour)
	next("the clock goes back")

	source = catalog.NewUIDSource(c.Now, last)
	next("a new source goes on after the last in use, though its clock is behind")
	c.now = time.UnixMilli(1<<47 + 5)
	next("in the far future")
	c.now = time.Unix(-1, 0)
	next("before 1970")
}

func TestUIDsOfOneMillisecondDifferByChanceToo(t *testing.T) {
	c := &clock{time.UnixMilli(1_700_000_000_000)}
	a, b := catalog.NewUIDSource(c.Now, catalog.UID{}).Next(), catalog.NewUIDSource(c.Now, catalog.UID{}).Next()
	assert.Equal(t, a[:8], b[:8], "the same time and place in the sequence")
	assert.NotEqual(t, a, b, "two sources still do not give out the same")
}

func TestUIDSourceIsShared(t *testing.T) {
	source := catalog.NewUIDSource(time.Now, catalog.UID{})
	const workers, each = 8, 2000
	got := make([][]catalog.UID, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for range each {
				got[w] = append(got[w], source.Next())
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, list := range got {
		for i, u := range list {
			seen[string(u[:8])] = true
			if i > 0 {
				assert.Positive(t, slices.Compare(u[:], list[i-1][:]), "each sees its own ascend")
			}
		}
	}
	assert.Len(t, seen, workers*each, "none has the place of another")
}

func FuzzUID(f *testing.F) {
	f.Add("6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a")
	f.Add("6F0C5A0E-3C3B-4A6E-9A8E-0D4F5D6C7B8A")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := catalog.ParseUID(s)
		if err != nil {
			require.Equal(t, catalog.UID{}, u, "nothing is read from %q", s)
			return
		}
		require.Equal(t, strings.ToLower(s), u.String())
	})
}
