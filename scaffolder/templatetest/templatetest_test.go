package templatetest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/runner"
	"github.com/greenroom-idp/greenroom/scaffolder/templatetest"
)

func object(t *testing.T, text string) *jsonvalue.Object {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return o
}

func TestParseCase(t *testing.T) {
	c, err := templatetest.ParseCase(object(t, `{"description":"d","template":"x.yaml","values":{"a":1},"secrets":{"s":"t"},"user":"jane","dryRun":true,
		"entities":[{"kind":"User"}],"integrations":{"github":[]}}`))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"s": "t"}, c.Secrets)
	require.True(t, c.DryRun)
	require.Len(t, c.Entities, 1)
	require.NotNil(t, c.Integrations)
	c, err = templatetest.ParseCase(object(t, `{}`))
	require.NoError(t, err)
	require.Zero(t, c.Values.Len())
	for text, want := range map[string]string{
		`{"vales":{}}`:                 "did you mean values?",
		`{"something":{}}`:             "there are description, template",
		`{"values":[]}`:                "values is no object",
		`{"user":1}`:                   "user is no text",
		`{"secrets":{"a":1}}`:          "the value of a is no text",
		`{"secrets":"x"}`:              "names and texts",
		`{"entities":{}}`:              "no list of entities",
		`{"entities":["component:x"]}`: "entities[0] is no entity",
	} {
		_, err := templatetest.ParseCase(object(t, text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestParseExpectation(t *testing.T) {
	const all = `{"failure":"f","steps":{"a":"completed","b":"failed"},"output":{"x":1},"log":["l"],"registered":[]}`
	e, err := templatetest.ParseExpectation(object(t, all))
	require.NoError(t, err)
	require.JSONEq(t, all, string(jsonvalue.Append(nil, e.Object([]string{"a", "b"}))))
	for text, want := range map[string]string{
		`{"logs":[]}`:            "did you mean log?",
		`{"failure":""}`:         "leave it out",
		`{"steps":{"a":"done"}}`: "completed, skipped or failed",
		`{"steps":{"a":1}}`:      "steps: the value of a",
		`{"log":"x"}`:            "log is no list of texts",
		`{"registered":[1]}`:     "registered is no list of texts",
	} {
		_, err := templatetest.ParseExpectation(object(t, text))
		require.ErrorContains(t, err, want, text)
	}
}

// outcome is that of a run in /w of steps a and b.
func outcome(t *testing.T, err error) templatetest.Outcome {
	t.Helper()
	spec := scaffolder.Spec{Object: object(t, `{"steps":[{"id":"a"},{"id":"b"}]}`)}
	return templatetest.NewOutcome(spec, &once.Result{
		Result: runner.Result{Output: object(t, `{"at":"/w/x","list":["/w",1,null]}`), Err: err},
		Log: [][]byte{scaffolder.LogBody("Starting", "", ""), scaffolder.LogBody("Beginning step a", "a", scaffolder.Processing),
			scaffolder.LogBody("\x1b[32minfo\x1b[39m: wrote /w/x", "a", ""), scaffolder.LogBody("Finished step a", "a", scaffolder.Completed)},
		Files: []once.File{{Path: "x", Content: []byte("one\n")}},
	}, "/w")
}

func TestOutcome(t *testing.T) {
	o := outcome(t, errors.New("cannot read /w/y"))
	require.Equal(t, "cannot read <workspace>/y", o.Failure)
	require.Equal(t, map[string]string{"a": "completed"}, o.Steps)
	require.Equal(t, "info: wrote <workspace>/x", o.Log[2])
	require.Equal(t, `{"at":"<workspace>/x","list":["<workspace>",1,null]}`, string(jsonvalue.Append(nil, o.Output)))
}

func TestCompare(t *testing.T) {
	good := func(t *testing.T) templatetest.Expectation {
		return templatetest.Update(templatetest.Expectation{Log: []string{"Beginning", "wrote"}}, outcome(t, nil))
	}
	for _, c := range []struct {
		name   string
		change func(e *templatetest.Expectation, o *templatetest.Outcome)
		want   []string // the beginning of each difference
	}{
		{"as expected", func(*templatetest.Expectation, *templatetest.Outcome) {}, nil},
		{"nothing is expected", func(e *templatetest.Expectation, _ *templatetest.Outcome) { *e = templatetest.Expectation{} }, nil},
		{"it fails", func(_ *templatetest.Expectation, o *templatetest.Outcome) { o.Failure = "broken" }, []string{"the run fails: broken"}},
		{"it does not fail", func(e *templatetest.Expectation, _ *templatetest.Outcome) { e.Failure = "taken" }, []string{"the run succeeds, and was to fail with: taken"}},
		{"it fails in another way", func(e *templatetest.Expectation, o *templatetest.Outcome) { e.Failure, o.Failure = "taken", "broken" }, []string{"the run fails in another way"}},
		{"it fails as expected", func(e *templatetest.Expectation, o *templatetest.Outcome) {
			e.Failure, o.Failure = "taken", "the name is taken"
		}, nil},
		{"a step ends in another way", func(e *templatetest.Expectation, _ *templatetest.Outcome) {
			e.Steps = map[string]string{"a": "skipped"}
		}, []string{"step a is completed, expected is skipped"}},
		{"a step is not there", func(e *templatetest.Expectation, _ *templatetest.Outcome) {
			e.Steps = map[string]string{"a": "completed", "c": "failed"}
		},
			[]string{"step c is expected, and the template has none"}},
		{"a step is not reached", func(e *templatetest.Expectation, _ *templatetest.Outcome) {
			e.Steps = map[string]string{"a": "completed", "b": "completed"}
		},
			[]string{"step b is not reached, expected is completed"}},
		{"a step too many", func(e *templatetest.Expectation, _ *templatetest.Outcome) { e.Steps = map[string]string{} }, []string{"step a is not expected, and is completed"}},
		{"another output", func(e *templatetest.Expectation, _ *templatetest.Outcome) { e.Output = 1.0 }, []string{"the output differs:\n--- expected output\n+++ got output"}},
		{"the order of the log", func(e *templatetest.Expectation, _ *templatetest.Outcome) { e.Log = []string{"wrote", "Beginning"} }, []string{"no line of the log has Beginning\n  behind the line info: wrote <workspace>/x"}},
		{"another registration", func(e *templatetest.Expectation, o *templatetest.Outcome) {
			e.Registered = []string{}
			o.Registered = []string{"u"}
		}, []string{"what is registered"}},
		{"another file", func(e *templatetest.Expectation, _ *templatetest.Outcome) {
			e.Files = []once.File{{Path: "x", Content: []byte("two\n")}}
		}, []string{"--- expected/x\n+++ got/x\n@@ -1 +1 @@\n-two\n+one"}},
		{"calls", func(_ *templatetest.Expectation, o *templatetest.Outcome) {
			o.Unmatched, o.Unused = []string{"GET u"}, []string{"GET v"}
		},
			[]string{"a call to a host is not recorded: GET u", "an exchange is recorded and was not asked for: GET v"}},
		{"a string that stays raw", func(_ *templatetest.Expectation, o *templatetest.Outcome) {
			o.Unrendered = []string{"step a: input.x could not"}
		}, []string{"step a: input.x could not"}},
		{"what follows from a failure is not said", func(_ *templatetest.Expectation, o *templatetest.Outcome) {
			o.Failure, o.Files, o.Unused = "broken", nil, []string{"GET v"}
		}, []string{"the run fails: broken"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, o := good(t), outcome(t, nil)
			c.change(&e, &o)
			got := templatetest.Compare(e, o)
			require.Len(t, got, len(c.want), "%q", got)
			for i, want := range c.want {
				require.True(t, strings.HasPrefix(got[i], want), "%q", got[i])
			}
		})
	}
}

// What is updated is met by what happened.
func TestUpdate(t *testing.T) {
	for _, err := range []error{nil, errors.New("broken")} {
		o := outcome(t, err)
		o.Registered = []string{"u"}
		e := templatetest.Update(templatetest.Expectation{Log: []string{"Beginning", "gone", "Finished"}}, o)
		require.Empty(t, templatetest.Compare(e, o))
		require.Equal(t, []string{"Beginning", "Finished"}, e.Log)
		require.Equal(t, err == nil, e.OutputSet)
		require.Equal(t, []string{"u"}, e.Registered)
	}
}

func verdicts() templatetest.Report {
	return templatetest.Report{Cases: []templatetest.Verdict{
		{Template: "a.yaml", Case: "one", Took: 1500 * time.Millisecond},
		{Template: "a.yaml", Case: "two", Differences: []string{"first <&>\nline", "second"}},
		{Template: "b.yaml", Case: "one", Updated: true},
	}}
}

func TestWriteText(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, verdicts().WriteText(&out))
	require.Equal(t, "ok   a.yaml: one (1.5s)\nFAIL a.yaml: two (0s)\n    first <&>\n    line\n    second\nnew  b.yaml: one (0s)\n3 cases, 1 failed\n", out.String())
	long := templatetest.Report{Cases: []templatetest.Verdict{{Differences: []string{strings.Repeat("x\n", 100)}}}}
	out.Reset()
	require.NoError(t, long.WriteText(&out))
	require.Contains(t, out.String(), "and 41 lines more")
}

func TestWriteJSON(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, verdicts().WriteJSON(&out))
	var got struct {
		Failed int
		Cases  []struct {
			Case         string
			Passed       bool
			Milliseconds int
			Differences  []string
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Equal(t, 1, got.Failed)
	require.Equal(t, 1500, got.Cases[0].Milliseconds)
	require.True(t, got.Cases[0].Passed)
	require.NotNil(t, got.Cases[0].Differences)
	require.Equal(t, []string{"first <&>\nline", "second"}, got.Cases[1].Differences)
}

func TestWriteJUnit(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, verdicts().WriteJUnit(&out))
	var got struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Cases    []struct {
				Name    string  `xml:"name,attr"`
				Time    float64 `xml:"time,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(out.Bytes(), &got))
	require.Len(t, got.Suites, 2)
	require.Equal(t, 2, got.Suites[0].Tests)
	require.Equal(t, 1, got.Suites[0].Failures)
	require.Equal(t, "first <&>", got.Suites[0].Cases[1].Failure.Message)
	require.Contains(t, got.Suites[0].Cases[1].Failure.Text, "second")
	require.Equal(t, 1.5, got.Suites[0].Cases[0].Time)
}
