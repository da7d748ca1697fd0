package jsonschema_test

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/jsonschema"
	"github.com/stretchr/testify/require"
)

// What the npm package said of schemas and values, see testdata/record.js.
func TestRecorded(t *testing.T) {
	f, err := os.Open("testdata/recorded.jsonl")
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	n := 0
	for lines.Scan() {
		n++
		c, err := jsonvalue.ParseObject(lines.Bytes())
		require.NoError(t, err)
		schema, err := jsonschema.Compile(c.Value("schema"))
		require.NoError(t, err)
		faults, err := schema.Check(c.Value("value"))
		want := c.Value("errors")
		if want == nil {
			require.Error(t, err, "line %d: the schema is wrong: %s", n, lines.Text())
			continue
		}
		require.NoError(t, err, "line %d: %s", n, lines.Text())
		got := make([]any, len(faults))
		for i, f := range faults {
			got[i] = f.Object()
		}
		withoutDeep(want, 0)
		withoutDeep(got, 0)
		require.Equal(t, string(jsonvalue.Append(nil, want)), string(jsonvalue.Append(nil, got)), "line %d: %s", n, lines.Text())
	}
	require.NoError(t, lines.Err())
	require.Greater(t, n, 1300)
}

// withoutDeep drops what faults of allOf repeat below the levels that we write.
func withoutDeep(v any, level int) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			withoutDeep(x, level)
		}
	case *jsonvalue.Object:
		if v.String("name") != "allOf" {
			return
		}
		argument := v.Object("argument")
		argument.Delete("valid")
	}
}

func check(t *testing.T, schema, value string) ([]jsonschema.Fault, error) {
	t.Helper()
	s, err := jsonvalue.Parse([]byte(schema))
	require.NoError(t, err)
	v, err := jsonvalue.Parse([]byte(value))
	require.NoError(t, err)
	compiled, err := jsonschema.Compile(s)
	require.NoError(t, err)
	return compiled.Check(v)
}

// The argument of a fault of allOf holds the faults inside, but not without
// end: each level would double the answer.
func TestNestedAllOf(t *testing.T) {
	faults, err := check(t, `{"allOf":[{"type":"string"}]}`, `1`)
	require.NoError(t, err)
	valid := faults[0].Argument.(*jsonvalue.Object).Object("valid")
	require.Equal(t, `{"instance":1,"schema":{"type":"string"},"options":{},"path":[],"propertyPath":"instance","errors":[{"path":[],"property":"instance",`+
		`"message":"is not of a type(s) string","schema":{"type":"string"},"instance":1,"name":"type","argument":["string"],`+
		`"stack":"instance is not of a type(s) string"}],"disableFormat":false}`, string(jsonvalue.Append(nil, valid)))

	deep := `{"type":"string"}`
	for range 200 {
		deep = `{"allOf":[` + deep + `]}`
	}
	faults, err = check(t, deep, `1`)
	require.NoError(t, err)
	size := 0
	for _, f := range faults {
		size += len(jsonvalue.Append(nil, f.Object()))
	}
	require.Less(t, size, 10<<20)
}

// Whatever schemas and values come, checking them comes to an end.
func TestBounds(t *testing.T) {
	for _, c := range []struct{ name, schema, value string }{
		{"refers to itself", `{"$ref":"#"}`, `1`},
		{"refers to itself by a detour", `{"allOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"anyOf":[{"$ref":"#"}]}}}`, `1`},
		{"more ways than steps", waysWithoutEnd(24), `1`},
		{"a pattern without end", `{"pattern":"^(a+)+$"}`, `"` + strings.Repeat("a", 64) + `!"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			begin := time.Now()
			_, err := check(t, c.schema, c.value)
			require.ErrorIs(t, err, jsonschema.ErrTooComplex)
			require.Less(t, time.Since(begin), time.Minute)
		})
	}
	faults, err := check(t, `{"items":{"type":"string"}}`, `[`+strings.Repeat("1,", 5000)+`1]`)
	require.NoError(t, err)
	require.Len(t, faults, 1000, "no more faults than anybody reads")
	_, err = check(t, `{"uniqueItems":true}`, `[`+strings.Repeat("1,", 100_000)+`2]`)
	require.NoError(t, err)
}

// waysWithoutEnd doubles the ways through a schema with each level.
func waysWithoutEnd(levels int) string {
	s := `{"type":"string"}`
	var b strings.Builder
	b.WriteString(`{"definitions":{"d0":` + s)
	for i := 1; i <= levels; i++ {
		ref := `{"$ref":"#/definitions/d` + itoa(i-1) + `"}`
		b.WriteString(`,"d` + itoa(i) + `":{"anyOf":[` + ref + `,` + ref + `]}`)
	}
	b.WriteString(`},"$ref":"#/definitions/d` + itoa(levels) + `"}`)
	return b.String()
}

func itoa(n int) string { return jsonvalue.FormatNumber(float64(n)) }

func FuzzCheck(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{"enum":[1]}}}`, `{"a":2}`)
	f.Add(`{"items":[{"type":"string"}],"additionalItems":false,"contains":{"not":{}}}`, `[1,"a"]`)
	f.Add(`{"dependencies":{"a":["b"],"c":{"allOf":[{"if":true,"then":false}]}}}`, `{"a":1,"c":2}`)
	f.Add(`{"patternProperties":{"(":{}},"multipleOf":0.1,"type":[{"type":"x"},null]}`, `{"(":1}`)
	f.Fuzz(func(t *testing.T, schema, value string) {
		s, err := jsonvalue.Parse([]byte(schema))
		if err != nil {
			return
		}
		v, err := jsonvalue.Parse([]byte(value))
		if err != nil {
			return
		}
		compiled, err := jsonschema.Compile(s)
		if err != nil {
			return
		}
		once, err := compiled.Check(v)
		if err != nil {
			return
		}
		again, err := compiled.Check(v)
		require.NoError(t, err)
		require.Equal(t, len(once), len(again))
		for i := range once {
			require.Equal(t, once[i].Stack(), again[i].Stack())
			jsonvalue.Append(nil, once[i].Object())
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	schema, err := jsonvalue.Parse([]byte(`{"title":"Basics","required":["name","owner"],"properties":{"name":{"type":"string","pattern":"^[a-z0-9-]+$","maxLength":60},
		"owner":{"type":"string","ui:field":"OwnerPicker"},"ports":{"type":"array","items":{"type":"integer","minimum":1}},"kind":{"enum":["service","library"]}}}`))
	require.NoError(b, err)
	value, err := jsonvalue.Parse([]byte(`{"name":"payments","owner":"group:default/team-a","ports":[80,443],"kind":"service"}`))
	require.NoError(b, err)
	s, err := jsonschema.Compile(schema)
	require.NoError(b, err)
	for b.Loop() {
		if len(s.Validate(value)) != 0 {
			b.Fatal("it is valid")
		}
	}
}
