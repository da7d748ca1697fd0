package search

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A judgement is a query with the document that answers it.
type judgement struct{ kind, term, want string }

// judgements asks for documents picked at random in the ways people ask.
func judgements(documents []Document) (out []judgement) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 60 {
		d := documents[r.IntN(len(documents))]
		name := d.Names[0]
		ask := func(kind, term string) { out = append(out, judgement{kind, term, string(bodyOf(d))}) }
		ask("name", name)
		ask("name in words", strings.ReplaceAll(name, "-", " "))
		ask("begin of a name", name[:len(name)-1-r.IntN(2)])
		typo := []byte(name)
		at := 1 + r.IntN(max(1, strings.IndexByte(name, '-')-2))
		typo[at], typo[at+1] = typo[at+1], typo[at]
		ask("name with a typo", string(typo))
		var words []string
		for _, w := range strings.Fields(d.Body.String("text")) {
			if w = strings.Trim(w, ",."); len(w) > 4 {
				words = append(words, w)
			}
		}
		r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		words = words[:min(5, len(words))]
		ask("words of a text", strings.Join(words, " "))
		ask("words of a text in the plural", strings.Join(words, "s "))
	}
	return out
}

func bodyOf(d Document) []byte {
	return buildSegment([]Document{d}).docs[0].body
}

// What people look for is found first, or nearly so. The bounds are a little
// below what was measured, as the mean of one through the place in the list.
func TestRelevance(t *testing.T) {
	documents := documentsOf(5000)
	scope := scopeOf(documents...)
	sum, count := map[string]float64{}, map[string]float64{}
	for _, j := range judgements(documents) {
		r, err := Find(context.Background(), []Scope{scope}, Query{Term: j.term, Limit: 10})
		require.NoError(t, err)
		count[j.kind]++
		if at := slices.IndexFunc(r.Hits, func(h Hit) bool { return string(h.Body) == j.want }); at >= 0 {
			sum[j.kind] += 1 / float64(at+1)
		}
	}
	for kind, least := range map[string]float64{
		"name": 0.99, "name in words": 0.99, "begin of a name": 0.95, "name with a typo": 0.95,
		"words of a text": 0.8, "words of a text in the plural": 0.75,
	} {
		require.Equal(t, 60.0, count[kind])
		t.Logf("%s: %.3f", kind, sum[kind]/count[kind])
		require.GreaterOrEqual(t, sum[kind]/count[kind], least, kind)
	}
}
