package templatetest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue/yamltext"
	"github.com/greenroom-idp/greenroom/scaffolder"
	"github.com/greenroom-idp/greenroom/scaffolder/once"
	"github.com/greenroom-idp/greenroom/scaffolder/treediff"
)

// An Outcome is what happened.
type Outcome struct {
	// Failure is the error with which the run ended, "" if it succeeded.
	Failure string
	// Order are the ids of the steps, Steps how those ended that were reached.
	Order []string
	Steps map[string]string
	// Output is what the template put out.
	Output any
	// Log are the lines, without colours.
	Log []string
	// Registered are the URLs that were registered in the catalog.
	Registered []string
	Files      []once.File
	// Unrendered are strings that could not be rendered and stayed as they were.
	Unrendered []string
	// Unmatched are requests that no recorded exchange answered, Unused those
	// exchanges that were not asked for.
	Unmatched, Unused []string
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// PlainLine is a line of a log without colours.
func PlainLine(s string) string { return colours.ReplaceAllString(s, "") }

// NewOutcome makes an outcome of a run in the folder workspace.
func NewOutcome(spec scaffolder.Spec, r *once.Result, workspace string) Outcome {
	plain := strings.NewReplacer(workspace, "<workspace>").Replace
	o := Outcome{Steps: map[string]string{}, Files: r.Files, Output: replaceTexts(r.Output, plain)}
	if r.Err != nil {
		o.Failure = plain(r.Err.Error())
	}
	for _, s := range spec.Steps() {
		o.Order = append(o.Order, s.ID())
	}
	for _, body := range r.Log {
		line, err := jsonvalue.ParseObject(body)
		if err != nil {
			continue // the runner writes objects alone
		}
		o.Log = append(o.Log, plain(PlainLine(line.String("message"))))
		if status := line.String("status"); status != "" && status != string(scaffolder.Processing) {
			o.Steps[line.String("stepId")] = status
		}
	}
	return o
}

func replaceTexts(v any, plain func(string) string) any {
	switch v := v.(type) {
	case string:
		return plain(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = replaceTexts(x, plain)
		}
		return out
	case *jsonvalue.Object:
		out := jsonvalue.NewObject()
		for key, x := range v.All() {
			out.Set(key, replaceTexts(x, plain))
		}
		return out
	}
	return v
}

// Compare says how an outcome differs from what is expected, each difference as
// some lines; none means that all is as expected.
func Compare(want Expectation, got Outcome) (out []string) {
	for _, request := range got.Unmatched {
		out = append(out, "a call to a host is not recorded: "+request+
			"\n  add it to exchanges.yaml, or record it with --record")
	}
	out = append(out, got.Unrendered...)
	failed := failure(want, got)
	if failed != "" {
		out = append(out, failed)
	}
	if failed == "" || want.Failure != "" {
		for _, e := range got.Unused {
			out = append(out, "an exchange is recorded and was not asked for: "+e)
		}
	}
	out = append(out, steps(want, got)...)
	if want.OutputSet && got.Failure == "" && !jsonvalue.Equal(want.Output, got.Output) {
		out = append(out, "the output differs:\n"+valueDiff("output", want.Output, got.Output))
	}
	out = append(out, log(want.Log, got.Log)...)
	if want.Registered != nil && !slices.Equal(want.Registered, got.Registered) {
		out = append(out, "what is registered in the catalog differs:\n"+valueDiff("registered", values(want.Registered), values(got.Registered)))
	}
	if want.Files != nil && (got.Failure == "" || want.Failure != "") {
		for _, c := range treediff.Diff(want.Files, got.Files, "expected", "got") {
			out = append(out, strings.TrimSuffix(c.Diff, "\n"))
		}
	}
	return out
}

func failure(want Expectation, got Outcome) string {
	switch {
	case want.Failure == "" && got.Failure != "":
		return "the run fails: " + got.Failure
	case want.Failure != "" && got.Failure == "":
		return "the run succeeds, and was to fail with: " + want.Failure
	case !strings.Contains(got.Failure, want.Failure):
		return "the run fails in another way:\n  expected: " + want.Failure + "\n  got:      " + got.Failure
	}
	return ""
}

func steps(want Expectation, got Outcome) (out []string) {
	for id := range want.Steps {
		if !slices.Contains(got.Order, id) {
			out = append(out, fmt.Sprintf("step %s is expected, and the template has none", id))
		}
	}
	slices.Sort(out)
	for _, id := range got.Order {
		status, expected := want.Steps[id]
		switch {
		case want.Steps == nil || status == got.Steps[id]:
		case !expected:
			out = append(out, fmt.Sprintf("step %s is not expected, and is %s", id, orNone(got.Steps[id])))
		default:
			out = append(out, fmt.Sprintf("step %s is %s, expected is %s", id, orNone(got.Steps[id]), status))
		}
	}
	return out
}

func orNone(status string) string {
	if status == "" {
		return "not reached"
	}
	return status
}

// log looks for parts of lines in their order.
func log(want, got []string) []string {
	i := 0
	for _, part := range want {
		found := slices.IndexFunc(got[i:], func(line string) bool { return strings.Contains(line, part) })
		if found < 0 {
			text := "no line of the log has " + part
			if i > 0 {
				text += "\n  behind the line " + got[i-1]
			}
			return []string{text}
		}
		i += found + 1
	}
	return nil
}

// valueDiff shows how values differ, as YAML.
func valueDiff(name string, want, got any) string {
	text := udiff.Unified("expected "+name, "got "+name, string(yamltext.Append(nil, want)), string(yamltext.Append(nil, got)))
	return strings.TrimSuffix(text, "\n")
}

// Update returns the expectation that an outcome meets. Of the log those lines
// are kept that are still there.
func Update(before Expectation, got Outcome) Expectation {
	e := Expectation{Failure: got.Failure, Steps: got.Steps, Files: got.Files}
	if got.Failure == "" {
		e.Output, e.OutputSet = got.Output, true
	}
	if o, ok := got.Output.(*jsonvalue.Object); ok && o.Len() == 0 && !before.OutputSet {
		e.Output, e.OutputSet = nil, false
	}
	for _, part := range before.Log {
		if log(append(slices.Clone(e.Log), part), got.Log) == nil {
			e.Log = append(e.Log, part)
		}
	}
	if len(got.Registered) > 0 || before.Registered != nil {
		e.Registered = append([]string{}, got.Registered...)
	}
	return e
}
