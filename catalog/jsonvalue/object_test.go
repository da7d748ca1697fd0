package jsonvalue_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func parse(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonvalue.Parse([]byte(text))
	require.NoError(t, err, "%s", text)
	return v
}

func object(t testing.TB, text string) *jsonvalue.Object {
	t.Helper()
	return parse(t, text).(*jsonvalue.Object)
}

func print(v any) string { return string(jsonvalue.Append(nil, v)) }

// A model is an object done the plain way: all keys in the order in which they
// came, looked through each time.
type model []jsonvalue.Member

func (m *model) set(key string, value any) {
	if i := m.find(key); i >= 0 {
		(*m)[i].Value = value
		return
	}
	*m = append(*m, jsonvalue.Member{Key: key, Value: value})
}

func (m *model) find(key string) int {
	return slices.IndexFunc(*m, func(x jsonvalue.Member) bool { return x.Key == key })
}

func (m *model) delete(key string) bool {
	i := m.find(key)
	if i >= 0 {
		*m = slices.Delete(*m, i, i+1)
	}
	return i >= 0
}

// ordered puts the array indexes first.
func (m *model) ordered() []jsonvalue.Member {
	var indexes, others []jsonvalue.Member
	for _, x := range *m {
		if n, err := strconv.ParseUint(x.Key, 10, 32); err == nil && n < 1<<32-1 && strconv.FormatUint(n, 10) == x.Key {
			indexes = append(indexes, x)
		} else {
			others = append(others, x)
		}
	}
	slices.SortFunc(indexes, func(a, b jsonvalue.Member) int {
		m, _ := strconv.Atoi(a.Key)
		n, _ := strconv.Atoi(b.Key)
		return m - n
	})
	return append(indexes, others...)
}

func TestObjectsBehaveLikeAPlainModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		o, m := jsonvalue.NewObject(), &model{}
		keys := 1 + random.IntN(60) // beyond the size from which there is a map
		weird := random.IntN(4)     // how often keys are array indexes
		for range 200 {
			key := fmt.Sprintf("k%d", random.IntN(keys))
			if random.IntN(4) < weird {
				key = strconv.Itoa(random.IntN(keys))
			}
			switch random.IntN(8) {
			case 0:
				require.Equal(t, m.delete(key), o.Delete(key))
			case 1:
				o = o.Clone()
			case 2:
				check(t, m, o)
			default:
				value := float64(random.IntN(1000))
				m.set(key, value)
				o.Set(key, value)
			}
		}
		check(t, m, o)
		check(t, m, jsonvalue.NewObject(*m...))
	}
}

func check(t *testing.T, m *model, o *jsonvalue.Object) {
	t.Helper()
	require.Equal(t, len(*m), o.Len())
	want := m.ordered()
	if len(want) == 0 {
		require.Empty(t, o.Members())
		return
	}
	require.Equal(t, want, o.Members())
	for _, x := range want {
		v, ok := o.Get(x.Key)
		require.True(t, ok)
		require.Equal(t, x.Value, v)
	}
	require.False(t, o.Has("missing"))
	again := object(t, print(o))
	require.Equal(t, want, again.Members(), "it prints in its order")
	require.True(t, jsonvalue.Equal(o, again))
}

// Keys in the worst order cost no more than others.
func TestManyArrayIndexesInReverse(t *testing.T) {
	const n = 50_000
	var text strings.Builder
	text.WriteString(`{"first":0`)
	for i := n; i > 0; i-- {
		fmt.Fprintf(&text, `,"%d":%d,"n%d":0`, i, i, i)
	}
	text.WriteByte('}')
	o := object(t, text.String())
	require.Equal(t, 2*n+1, o.Len())
	assert.Equal(t, jsonvalue.Member{Key: "1", Value: 1.0}, o.Members()[0])
	assert.Equal(t, jsonvalue.Member{Key: "first", Value: 0.0}, o.Members()[n])
	assert.Equal(t, float64(n), o.Value(strconv.Itoa(n)))
}

func TestObjectsAreReadByMany(t *testing.T) {
	o := object(t, `{"b":1,"2":2,"a":3,"1":4}`) // its order is worked out by the first reader
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			assert.Equal(t, `{"1":4,"2":2,"b":1,"a":3}`, print(o))
			assert.Equal(t, 4.0, o.Clone().Value("1"))
		})
	}
	all.Wait()
}

func TestNilObjectReadsLikeAnEmptyOne(t *testing.T) {
	var o *jsonvalue.Object
	assert.Zero(t, o.Len())
	assert.Empty(t, o.Members())
	assert.False(t, o.Has("a"))
	assert.Nil(t, o.Value("a"))
	assert.Empty(t, o.String("a"))
	assert.Nil(t, o.Object("a").Object("b"))
	assert.Nil(t, o.Clone())
	for range o.All() {
		t.Error("it has no members")
	}
	assert.Equal(t, "null", print(o))
}

func TestAccessorsGoByType(t *testing.T) {
	o := object(t, `{"text":"x","number":5,"object":{"a":1},"list":[],"null":null}`)
	assert.Equal(t, "x", o.String("text"))
	assert.Empty(t, o.String("number"))
	assert.Equal(t, 1.0, o.Object("object").Value("a"))
	assert.Nil(t, o.Object("list"))
	assert.True(t, o.Has("null"))
	v, ok := o.Get("null")
	assert.True(t, ok)
	assert.Nil(t, v)
}

func TestEqual(t *testing.T) {
	values := []string{`null`, `true`, `false`, `0`, `1`, `""`, `"1"`, `[]`, `[1]`, `[1,2]`, `[2,1]`, `[[1]]`, `{}`, `{"a":1}`, `{"a":2}`, `{"b":1}`, `{"a":1,"b":2}`, `{"a":null}`, `{"0":1}`, `[{"a":1}]`}
	for i, a := range values {
		for j, b := range values {
			assert.Equal(t, i == j, jsonvalue.Equal(parse(t, a), parse(t, b)), "%s and %s", a, b)
		}
	}
	assert.True(t, jsonvalue.Equal(parse(t, `{"a":1,"b":[{"c":2,"d":3}]}`), parse(t, `{"b":[{"d":3,"c":2}],"a":1}`)), "the order of keys does not count")
	assert.True(t, jsonvalue.Equal(parse(t, `0`), parse(t, `-0`)), "as in JavaScript")
}

func TestCloneIsDeep(t *testing.T) {
	v := parse(t, `[{"a":[1,{"b":2}]}]`)
	c := jsonvalue.Clone(v)
	require.True(t, jsonvalue.Equal(v, c))
	c.([]any)[0].(*jsonvalue.Object).Value("a").([]any)[1].(*jsonvalue.Object).Set("b", "changed")
	c.([]any)[0].(*jsonvalue.Object).Set("more", 1.0)
	assert.Equal(t, `[{"a":[1,{"b":2}]}]`, print(v))
}

func TestCanonicalFormGoesByContent(t *testing.T) {
	canonical := func(text string) string { return string(jsonvalue.AppendCanonical(nil, parse(t, text))) }
	assert.Equal(t, `{"1":{"a":1,"b":2},"10":0,"9":1,"a":2,"é":3}`, canonical(`{"é":3,"a":2,"10":0,"9":1,"1":{"b":2,"a":1}}`))
	assert.Equal(t, canonical(`{"b":[{"y":1,"x":2}],"a":1}`), canonical(`{"a":1.0,"b":[{"x":2,"y":1}]}`))
	assert.NotEqual(t, canonical(`[1,2]`), canonical(`[2,1]`), "lists keep their order")
	o := object(t, `{"b":1,"a":2}`)
	jsonvalue.AppendCanonical(nil, o)
	assert.Equal(t, `{"b":1,"a":2}`, print(o), "the object keeps its own order")
}

func TestPlainValuesAndBack(t *testing.T) {
	v := parse(t, `{"b":[null,true,1.5,"x",{"a":{}}],"a":[]}`)
	plain := jsonvalue.Plain(v)
	assert.Equal(t, map[string]any{"b": []any{nil, true, 1.5, "x", map[string]any{"a": map[string]any{}}}, "a": []any{}}, plain)
	assert.True(t, jsonvalue.Equal(v, jsonvalue.FromPlain(plain)))
	assert.Equal(t, `{"a":[],"b":[null,true,1.5,"x",{"a":{}}]}`, print(jsonvalue.FromPlain(plain)), "a map has no order, so keys ascend")
	assert.Equal(t, `[1,2,3,0.1]`, print(jsonvalue.FromPlain([]any{1, int64(2), json.Number("3"), json.Number("0.1")})))
	assert.Equal(t, `{"a":[1]}`, print(map[string]any{"a": []any{1}}), "what is plain is printed too")
	assert.Panics(t, func() { jsonvalue.FromPlain(struct{}{}) }, "anything else is a slip of ours")
}

func TestObjectsInOtherHands(t *testing.T) {
	var into struct{ A, B *jsonvalue.Object }
	require.NoError(t, json.Unmarshal([]byte(`{"A":{"z":1,"a":[{"y":2,"b":3}]}}`), &into))
	out, err := json.Marshal(into)
	require.NoError(t, err)
	assert.Equal(t, `{"A":{"z":1,"a":[{"y":2,"b":3}]},"B":null}`, string(out))
	require.NoError(t, json.Unmarshal([]byte(`{"A":{"2":0,"b":1,"1":2}}`), &into), "over an old value")
	assert.Equal(t, `{"1":2,"2":0,"b":1}`, print(into.A))
	for _, text := range []string{`{"A":[]}`, `{"A":"x"}`, `{"A":5}`} {
		assert.Error(t, json.Unmarshal([]byte(text), &into), text)
	}
}
