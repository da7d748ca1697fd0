package lint

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
)

// reference reports a name that nothing stands for, in the words of what it was
// meant to be.
func (r *review) reference(s scope, issue nunjucks.Issue, text string, path []string, spot Spot) {
	say := func(level Level, code Code, hint, format string, args ...any) {
		r.report(level, code, path, spot, hint, format, args...)
	}
	names := issue.Path
	if len(names) == 0 { // a function
		say(Error, CodeUnknownFunction, "always() and failure() are for the if of a step; "+stays(s), "%s() is not known in %s", issue.Text, s.where)
		return
	}
	if whole := r.dashed(names, text); whole != "" {
		say(Error, CodeDash, "write "+whole, "the dash is a subtraction")
		return
	}
	if len(names) == 1 {
		if !r.partOfDashed(names[0], text) {
			r.root(s, names[0], say)
		}
		return
	}
	switch names[0] {
	case "steps":
		r.stepReference(s, names[1:], say)
	case "parameters":
		hint := "the form has no such field, so it is empty"
		if near := spelling.Nearest(names[1], slices.Sorted(maps.Keys(r.parameters))); near != "" {
			hint = "did you mean " + access("parameters", near) + "?"
		}
		say(Warning, CodeUnknownParameter, hint, "there is no parameter %s", names[1])
	case "secrets":
		hint := "it is empty: a field with ui:field: Secret, requestUserCredentials.secretsKey or spec.secrets.schema makes a secret known"
		if near := spelling.Nearest(names[1], slices.Sorted(maps.Keys(r.secrets))); near != "" {
			hint = "did you mean " + access("secrets", near) + "?"
		}
		say(Warning, CodeUnknownSecret, hint, "nothing in the template sets the secret %s", names[1])
	case "environment":
		if names[1] == "secrets" {
			say(Error, CodeSecret, "environment.secrets have a value in input and each only", "%s is empty in %s", strings.Join(names, "."), s.where)
			return
		}
		fallthrough
	default:
		say(Warning, CodeUnknownVariable, issue.Hint, "nothing provides %s", strings.Join(names, "."))
	}
}

type sayer = func(level Level, code Code, hint, format string, args ...any)

// root reports a first name that is not known.
func (r *review) root(s scope, name string, say sayer) {
	switch name {
	case "secrets":
		say(Error, CodeSecret, "secrets have a value in input and each, and in the if of a step with each", "secrets are empty in %s", s.where)
	case "each":
		say(Error, CodeEach, "add each: to the step, or write what the step gets from elsewhere", "there is no iteration here, so each is empty")
	case "values":
		say(Error, CodeUnknownVariable, "write parameters; values is the name in skeletons", "values is empty here")
	case "always", "failure":
		say(Warning, CodeUnknownVariable, "call it, as ${{ "+name+"() }}, in the if of a step", "%s is a function", name)
	default:
		hint := "the names are parameters, steps, user, context, environment, secrets and each"
		known := []string{"parameters", "steps", "user", "context", "environment", "secrets", "each"}
		if near := spelling.Nearest(name, known); near != "" {
			hint = "did you mean " + near + "?"
		}
		say(Warning, CodeUnknownVariable, hint, "nothing provides %s, so it is empty", name)
	}
}

// stepReference reports what is wrong with steps.id.output.name.
func (r *review) stepReference(s scope, names []string, say sayer) {
	id := names[0]
	before := r.before(s.step)
	switch {
	case len(names) == 1 && r.isLater(s.step, id):
		if s.step < len(r.steps) && r.steps[s.step].id == id {
			say(Error, CodeLaterStep, "", "step %s has no output before it has run", id)
			return
		}
		say(Error, CodeLaterStep, "move the step behind it", "step %s runs later, so its output is empty here", id)
	case len(names) == 1:
		hint := "it is empty; the steps before are " + strings.Join(before, ", ")
		if near := spelling.Nearest(id, before); near != "" {
			hint = "did you mean " + access("steps", near) + "?"
		} else if len(before) == 0 {
			hint = "it is empty; there is no step before this one"
		}
		say(Error, CodeUnknownStep, hint, "there is no step %s", id)
	case len(names) == 2:
		say(Error, CodeStepOutput, fmt.Sprintf("write %s", access(access("steps", id)+".output", names[1])), "a step has nothing but output")
	default:
		known := slices.Sorted(maps.Keys(r.outputsSoFar[id]["output"]))
		hint := "it has " + strings.Join(known, ", ")
		if near := spelling.Nearest(names[2], known); near != "" {
			hint = "did you mean " + access("output", near) + "?"
		}
		say(Warning, CodeUnknownOutput, hint, "step %s declares no output %s", id, names[2])
	}
}

// dashed returns how to write a name with dashes that stands behind a dot, ""
// if that is not what is wrong.
func (r *review) dashed(path []string, text string) string {
	if len(path) != 2 {
		return ""
	}
	for _, known := range r.dashedNames(path[0]) {
		if strings.HasPrefix(known, path[1]+"-") && strings.Contains(text, path[0]+"."+known) {
			return fmt.Sprintf("%s['%s']", path[0], known)
		}
	}
	return ""
}

// partOfDashed tells whether a name is what is behind the dash of another.
func (r *review) partOfDashed(name, text string) bool {
	for _, root := range []string{"steps", "parameters", "secrets"} {
		for _, known := range r.dashedNames(root) {
			if slices.Contains(strings.Split(known, "-")[1:], name) && strings.Contains(text, root+"."+known) {
				return true
			}
		}
	}
	return false
}

// dashedNames are the names below a root that have dashes.
func (r *review) dashedNames(root string) (out []string) {
	var names []string
	switch root {
	case "steps":
		for _, s := range r.steps {
			names = append(names, s.id)
		}
	case "parameters":
		names = slices.Sorted(maps.Keys(r.parameters))
	case "secrets":
		names = slices.Sorted(maps.Keys(r.secrets))
	}
	for _, n := range names {
		if strings.Contains(n, "-") {
			out = append(out, n)
		}
	}
	return out
}
