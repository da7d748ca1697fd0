package schemas_test

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/schemas"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A recorded is one line of violations.jsonl: an entity, as edits to a valid
// one, and what ajv says about it first, "" where it is still valid.
type recorded struct {
	Base  string
	Edits []edit
	Want  string
}

type edit struct {
	At       string
	To       *jsonvalue.Object // as {"v": to}, nil if the edit deletes or reverses
	Reversed bool
}

// UnmarshalJSON keeps apart an edit that sets null and one that deletes.
func (e *edit) UnmarshalJSON(data []byte) error {
	o, err := jsonvalue.ParseObject(data)
	if err != nil {
		return err
	}
	e.At, e.Reversed = o.String("at"), o.Value("reversed") == true
	if to, ok := o.Get("to"); ok {
		e.To = jsonvalue.NewObject(jsonvalue.Member{Key: "v", Value: to})
	}
	return nil
}

// apply is the counterpart of that in record.mjs.
func (e edit) apply(root any) any {
	path := strings.Split(e.At, "/")[1:]
	if e.At == "" {
		path = nil
	}
	for i := range path {
		path[i] = strings.ReplaceAll(strings.ReplaceAll(path[i], "~1", "/"), "~0", "~")
	}
	return e.applyBelow(root, path)
}

func (e edit) applyBelow(v any, path []string) any {
	if len(path) == 0 {
		if e.Reversed {
			return reversed(v)
		}
		return jsonvalue.Clone(e.To.Value("v"))
	}
	switch v := v.(type) {
	case *jsonvalue.Object:
		part, there := v.Get(path[0])
		switch {
		case len(path) == 1 && e.To == nil && !e.Reversed:
			v.Delete(path[0])
		case there || len(path) == 1 && e.To != nil:
			v.Set(path[0], e.applyBelow(part, path[1:]))
		}
		return v
	case []any:
		i, err := strconv.Atoi(path[0])
		switch {
		case err != nil || i > len(v):
			return v // JavaScript would set a property that JSON does not show
		case len(path) == 1 && e.To == nil && !e.Reversed:
			return slices.Delete(v, min(i, len(v)), min(i+1, len(v)))
		case i == len(v) && len(path) == 1 && e.To != nil:
			return append(v, e.applyBelow(nil, nil))
		case i < len(v):
			v[i] = e.applyBelow(v[i], path[1:])
		}
		return v
	}
	return v
}

func reversed(v any) any {
	switch v := v.(type) {
	case []any:
		slices.Reverse(v)
	case *jsonvalue.Object:
		members := slices.Clone(v.Members())
		slices.Reverse(members)
		return jsonvalue.NewObject(members...)
	}
	return v
}

// keyOrder answers with the order in which the keys of an entity are written.
func keyOrder(root any) schemas.KeyOrder {
	return func(path []string) []string {
		v := root
		for _, key := range path {
			switch x := v.(type) {
			case *jsonvalue.Object:
				v = x.Value(key)
			case []any:
				i, _ := strconv.Atoi(key)
				v = x[i]
			}
		}
		var keys []string
		for key := range v.(*jsonvalue.Object).All() {
			keys = append(keys, key)
		}
		return keys
	}
}

// checkers finds what checks the entities of a base.
func checkers(t *testing.T) func(base string, entity *jsonvalue.Object) func(any, schemas.KeyOrder) *schemas.Violation {
	t.Helper()
	sets := map[bool]*schemas.Set{}
	for _, ai := range []bool{false, true} {
		set, err := schemas.New(schemas.Options{AIModel: ai, Custom: os.DirFS("testdata/kinds")})
		require.NoError(t, err)
		sets[ai] = set
	}
	return func(base string, entity *jsonvalue.Object) func(any, schemas.KeyOrder) *schemas.Violation {
		switch base {
		case "Entity":
			return sets[false].Entity
		case "EntityEnvelope":
			return sets[false].Envelope
		}
		ai := strings.HasPrefix(base, "ModelAPI") || strings.HasPrefix(base, "AiResource")
		kind := sets[ai].Kind(entity.String("apiVersion"), entity.String("kind"))
		require.NotNil(t, kind, base)
		return kind.Check
	}
}

// TestViolationsAreThoseOfAjv holds the package against what ajv said about
// thousands of broken entities; testdata/reference/violations.mjs made the file.
func TestViolationsAreThoseOfAjv(t *testing.T) {
	raw, err := os.ReadFile("testdata/reference/bases.json")
	require.NoError(t, err)
	bases, err := jsonvalue.ParseObject(raw)
	require.NoError(t, err)
	checker := checkers(t)
	f, err := os.Open("testdata/reference/violations.jsonl")
	require.NoError(t, err)
	defer f.Close()

	lines, wrong := 0, 0
	for scan := bufio.NewScanner(f); scan.Scan(); lines++ {
		var r recorded
		require.NoError(t, json.Unmarshal(scan.Bytes(), &r))
		base := bases.Object(r.Base)
		require.NotNil(t, base, r.Base)
		value := any(base.Clone())
		for _, e := range r.Edits {
			value = e.apply(value)
		}
		got := ""
		if v := checker(r.Base, base)(jsonvalue.Plain(value), keyOrder(value)); v != nil {
			got = v.Error()
		}
		if got != r.Want {
			wrong++
			assert.Equal(t, r.Want, got, "line %d: %s", lines+1, scan.Text())
		}
		if wrong > 20 {
			t.Fatal("and so on")
		}
	}
	assert.Greater(t, lines, 4000, "the file is whole")
}
