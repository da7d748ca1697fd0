package yaml_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/ingest/yaml"
)

var update = flag.String("reference", "", "file of recorded cases, of which those that agree become testdata/reference.jsonl")

// A recorded case is a stream and what the npm package "yaml" 2.9 makes of it:
// for each document that is not null its JSON, or its first error.
type recorded struct {
	In  string `json:"in"`
	Out []struct {
		Value string `json:"v,omitempty"`
		Error string `json:"err,omitempty"`
	} `json:"out"`
}

func (r recorded) want() []string {
	want := []string{}
	for _, o := range r.Out {
		if o.Error != "" {
			want = append(want, "error: "+o.Error)
		} else {
			want = append(want, o.Value)
		}
	}
	return want
}

func outcomes(in string) []string {
	got := []string{}
	for _, d := range yaml.Parse([]byte(in), yaml.Limits{}) {
		if d.Err != nil {
			got = append(got, "error: "+d.Err.Error())
		} else {
			got = append(got, string(jsonvalue.Append(nil, d.Value)))
		}
	}
	return got
}

// TestReference holds values, verdicts, and the words and places of errors to
// what was recorded from the reference's parser, for hand-written streams and
// for mutations of public descriptors.
func TestReference(t *testing.T) {
	if *update != "" {
		keepAgreeing(t, *update)
	}
	cases := readRecorded(t, "testdata/reference.jsonl")
	require.Greater(t, len(cases), 1000)
	for _, c := range cases {
		require.Equal(t, c.want(), outcomes(c.In), "%q", c.In)
	}
}

func readRecorded(t *testing.T, name string) []recorded {
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	var cases []recorded
	for lines.Scan() {
		var c recorded
		require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
		cases = append(cases, c)
	}
	require.NoError(t, lines.Err())
	return cases
}

func keepAgreeing(t *testing.T, name string) {
	var out strings.Builder
	for _, c := range readRecorded(t, name) {
		got, want := strings.Join(outcomes(c.In), "\x00"), strings.Join(c.want(), "\x00")
		if got != want {
			t.Logf("left out: %q\n got %q\nwant %q", c.In, got, want)
			continue
		}
		line, err := json.Marshal(c)
		require.NoError(t, err)
		out.Write(append(line, '\n'))
	}
	require.NoError(t, os.WriteFile("testdata/reference.jsonl", []byte(out.String()), 0o644))
}

// TestDifferences keeps the known differences from the reference known: what
// is accepted there and refused here, or the reverse, and why that is so.
func TestDifferences(t *testing.T) {
	for _, c := range []struct{ name, in, want, reference string }{
		{"a sequence at the column of an explicit key without value is an error, not lost", "? a\n- b: c", "error", `{"a":null}`},
		{"an indented : does not belong to a less indented ?", "? a\n : b", "error", `{"a":"b"}`},
		{"a key and its : are on one line", "a\n  : b", "error", `{"a":"b"}`},
		{"a flow collection followed by : is a key wherever it stands", "a: [b] : c", "error", `{"a":["b"],"":"c"}`},
		{"a blank line inside quotes may hold tabs", "a: \"b\n\t\n  c\"", `{"a":"b\nc"}`, "error"},
		{"a half of a surrogate pair has no UTF-8", `a: "\ud800"`, "{\"a\":\"\ufffd\"}", `{"a":"\ud800"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := outcomes(c.in)
			require.Len(t, got, 1)
			if c.want == "error" {
				require.Contains(t, got[0], "error: ")
			} else {
				require.Equal(t, c.want, got[0])
			}
			require.NotEqual(t, c.reference, got[0], "no longer a difference")
		})
	}
}

func TestErrorKinds(t *testing.T) {
	var syntax *yaml.SyntaxError
	var limit *yaml.LimitError
	var reference *yaml.ReferenceError
	require.True(t, errors.As(yaml.Parse([]byte("a: ["), yaml.Limits{})[0].Err, &syntax))
	require.Equal(t, 1, syntax.Line)
	require.Equal(t, 5, syntax.Column)
	require.True(t, errors.As(yaml.Parse([]byte("a: 1"), yaml.Limits{Bytes: 3})[0].Err, &limit))
	require.True(t, errors.As(yaml.Parse([]byte("a: *b"), yaml.Limits{})[0].Err, &reference))
}
