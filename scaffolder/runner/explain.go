package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// explain writes what the log says of a step that failed: the error, and where
// the reference has the lines of a stack, what step and input it is about, what
// could not be rendered, and what to try.
func (e *execution) explain(err error) string {
	var b strings.Builder
	b.WriteString(errorName(err) + ": " + err.Error())
	at := func(format string, args ...any) { fmt.Fprintf(&b, "\n    at "+format, args...) }
	at("step %q, which calls %s", e.step.ID(), e.step.Action())
	place := fmt.Sprintf("spec.steps[%d]", e.index)
	if ref := e.task.Spec.TemplateRef(); ref != "" {
		place += " of " + ref
	}
	at("%s", place)
	for i, f := range e.faults {
		if i == maxFaults {
			at("%d more strings that could not be rendered", len(e.faults)-i)
			break
		}
		at("%s, which could not be rendered and stayed as it is: %s", f.Path, oneLine(faultText(f.Err)))
	}
	if len(e.faults) > 0 {
		at("advice: correct the expression; what is in error is handed on as it stands")
	}
	if advice := e.advice(err); advice != "" {
		at("advice: %s", advice)
	}
	return b.String()
}

// maxFaults is how many strings in error the log names.
const maxFaults = 5

// faultText says where in its string an expression is wrong.
func faultText(err error) string {
	var t *nunjucks.Error
	if !errors.As(err, &t) || t.Line == 0 {
		return err.Error()
	}
	s := fmt.Sprintf("line %d, column %d: %s", t.Line, t.Column, t.Message)
	if t.Hint != "" {
		s += "; " + t.Hint
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// advice says what to try.
func (e *execution) advice(err error) string {
	var own interface{ Advice() string }
	switch {
	case errors.As(err, &own):
		return own.Advice()
	case e.action.ID() == "" && errors.Is(err, catalog.ErrNotFound):
		return e.similarActions()
	case errors.Is(err, catalog.ErrInput) && e.action.ID() != "":
		return "the inputs of " + e.action.ID() + " are " + strings.Join(e.inputs(), ", ")
	case errors.Is(err, fs.ErrNotExist):
		return "look at the workspace before this step: a step debug:log with listWorkspace: true shows it"
	case errors.Is(err, catalog.ErrUnavailable):
		return "try again later"
	}
	return ""
}

func (e *execution) inputs() []string {
	var names []string
	for name := range e.action.InputSchema().Object("properties").All() {
		names = append(names, name)
	}
	if names == nil {
		return []string{"described at /create/actions"}
	}
	return names
}

// similarActions names actions of the same family.
func (e *execution) similarActions() string {
	family, _, _ := strings.Cut(e.step.Action(), ":")
	var names []string
	for _, a := range e.Actions.Actions() {
		if strings.HasPrefix(a.ID(), family+":") {
			names = append(names, a.ID())
		}
	}
	if names == nil {
		return "the page /create/actions lists the actions that there are"
	}
	return "there are " + strings.Join(names, ", ")
}
