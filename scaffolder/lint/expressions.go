package lint

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
)

// A whereabout is what part of a template an expression stands in.
type whereabout string

const (
	inIf     whereabout = "if"
	inEach   whereabout = "each"
	inInput  whereabout = "input"
	inOutput whereabout = "output"
)

// A scope says what an expression may refer to.
type scope struct {
	where whereabout
	// step is how many steps come before.
	step int
	// each: the step has iterations.
	each bool
}

// secrets tells whether the name is known in the scope.
func (s scope) secrets() bool {
	return s.where == inInput || s.where == inEach || s.where == inIf && s.each
}

func (r *review) stepExpressions(i int, s step) {
	_, each := s.Get("each")
	r.expressions(scope{where: inIf, step: i, each: each}, s.Value("if"), join(s.path, "if"))
	r.expressions(scope{where: inEach, step: i}, s.Value("each"), join(s.path, "each"))
	r.expressions(scope{where: inInput, step: i, each: each}, s.Value("input"), join(s.path, "input"))
}

// expressions checks all texts in a value.
func (r *review) expressions(s scope, v any, path []string) {
	var shape nunjucks.Shape
	visit(v, path, func(path []string, v any) bool {
		text, ok := v.(string)
		if !ok || r.full() {
			return !r.full()
		}
		r.foreignDelimiters(text, path)
		if !strings.Contains(text, "${{") && !strings.Contains(text, "{%") && !strings.Contains(text, "#}") && !strings.Contains(text, "{#") {
			return true
		}
		if shape == nil {
			shape = r.shape(s)
		}
		r.expression(s, shape, text, path)
		return true
	})
}

// oldDelimiters match what earlier versions of templates had.
var oldDelimiters = regexp.MustCompile(`(^|[^$])\{\{-?\s*(parameters|steps|secrets|user|each)\b`)

func (r *review) foreignDelimiters(text string, path []string) {
	m := oldDelimiters.FindStringIndex(text)
	if m == nil {
		return
	}
	start := m[0] + strings.IndexByte(text[m[0]:], '{')
	line := strings.Count(text[:start], "\n") + 1
	column := utf8.RuneCountInString(text[strings.LastIndexByte(text[:start], '\n')+1:start]) + 1
	found := text[start:m[1]]
	r.report(Warning, CodeNotRendered, path, Spot{Line: line, Column: column, Text: found}, "write ${{ … }}",
		"%s is text here: expressions begin with ${{", found)
}

// expression checks one text.
func (r *review) expression(s scope, shape nunjucks.Shape, text string, path []string) {
	tmpl, err := r.env.Compile("", text)
	if err != nil {
		r.broken(s, err, path)
		return
	}
	seen := map[string]bool{}
	for _, issue := range tmpl.Lint(shape) {
		spot := Spot{Line: issue.Line, Column: issue.Column, Text: issue.Text}
		if issue.Rule == nunjucks.UndefinedVariable || issue.Rule == nunjucks.UnknownFunction && isStatusFunction(issue.Text) {
			name := strings.Join(issue.Path, ".")
			if !seen[name] || name == "" {
				r.reference(s, issue, text, path, spot)
			}
			seen[name] = true
			continue
		}
		code, level := codeOf(issue.Rule)
		hint := issue.Hint
		if issue.Rule == nunjucks.UnknownFilter {
			r.unknownFilter(issue, Finding{Place: r.doc.Places.Place(path, spot), Path: pointer(path)}, stays(s))
			continue
		}
		if level == Error {
			hint = orElse(hint, stays(s))
		}
		r.report(level, code, path, spot, hint, "%s", issue.Message)
	}
}

// An unknownFilter is one that is not there, with the first place that has it.
type unknownFilter struct {
	Finding
	count int
}

// unknownFilter notes that an expression calls a filter that is not there.
// Without a guess of what is meant a plugin may bring it.
func (r *review) unknownFilter(issue nunjucks.Issue, f Finding, then string) {
	if slices.Contains(r.ForeignFilters, issue.Text) {
		return
	}
	if known, ok := r.filters[issue.Message]; ok {
		known.count++
		return
	}
	f.Code, f.Level, f.Message, f.Hint = CodeUnknownFilter, Error, issue.Message, orElse(issue.Hint, then)
	guess, _ := strings.CutPrefix(issue.Hint, "did you mean ")
	guess = strings.TrimSuffix(guess, "?")
	sure := misspelt(issue.Text, guess) || strings.Contains(issue.Text, guess) || spelling.Nearest(issue.Text, []string{guess}) == ""
	if issue.Hint == "" || !sure {
		f.Level = Warning
		f.Hint = then + ", unless a plugin brings the filter; if one does, say so with --filter " + issue.Text
	}
	r.filters[issue.Message] = &unknownFilter{f, 1}
}

func (r *review) unknownFilters() {
	for _, f := range r.filters {
		f.Message += times(f.count)
		r.add(f.Finding)
	}
}

// stays says what becomes of a text that cannot be rendered.
func stays(s scope) string {
	if s.where == inIf {
		return "the condition always holds"
	}
	return "the text stays unrendered"
}

// orElse joins what to do with what happens if it is not done.
func orElse(hint, then string) string {
	switch {
	case hint == "":
		return then
	case strings.HasSuffix(hint, "?"):
		return hint + " Otherwise " + then
	}
	return hint + "; " + then
}

func (r *review) broken(s scope, err error, path []string) {
	var e *nunjucks.Error
	if !errors.As(err, &e) {
		e = &nunjucks.Error{Message: err.Error()}
	}
	hint := orElse(e.Hint, stays(s))
	r.report(Error, CodeExpression, path, Spot{Line: e.Line, Column: e.Column, Text: e.Text}, hint, "%s", e.Message)
}

// codeOf returns what the linter of expressions calls a kind of finding here.
func codeOf(rule nunjucks.Rule) (Code, Level) {
	switch rule {
	case nunjucks.UnknownFilter:
		return CodeUnknownFilter, Error
	case nunjucks.UnknownTest:
		return CodeUnknownTest, Error
	case nunjucks.UnknownFunction:
		return CodeUnknownFunction, Error
	case nunjucks.Unreachable:
		return CodeUnreachable, Warning
	case nunjucks.Precedence:
		return CodePrecedence, Warning
	case nunjucks.IgnoredArgument:
		return CodeIgnoredArgument, Warning
	case nunjucks.Deprecated:
		return CodeDeprecated, Note
	case nunjucks.UndefinedVariable:
		return CodeUnknownVariable, Warning
	}
	return CodeExpression, Error
}

func isStatusFunction(name string) bool { return name == "always" || name == "failure" }

// shape returns what expressions of a scope find.
func (r *review) shape(s scope) nunjucks.Shape {
	out := nunjucks.Shape{
		"parameters":  r.parameters,
		"steps":       r.stepShape(),
		"user":        {"entity": nil, "ref": nil},
		"context":     {"task": {"id": nil}},
		"environment": {"parameters": nil, "secrets": nunjucks.Shape{}},
	}
	if s.secrets() {
		out["secrets"] = r.secrets
		out["environment"]["secrets"] = nil
	}
	if s.each && s.where != inEach {
		out["each"] = nunjucks.Shape{"key": nil, "value": nil}
	}
	if s.where == inIf {
		out["always"], out["failure"] = nil, nil
	}
	return out
}

// stepShape returns the outputs of the steps so far, nil for any.
func (r *review) stepShape() nunjucks.Shape {
	if r.open {
		return nil
	}
	return r.outputsSoFar
}

// outputShape returns the outputs that an action declares; nil where it declares
// none or is not known.
func (r *review) outputShape(s step) nunjucks.Shape {
	a, err := r.Actions.Lookup(s.String("action"))
	if err != nil || a.OutputSchema() == nil {
		return nil
	}
	properties := a.OutputSchema().Object("properties")
	if properties.Len() == 0 {
		return nil
	}
	out := nunjucks.Shape{}
	for name := range properties.All() {
		out[name] = nil
	}
	return out
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// access writes how an expression gets at a member.
func access(object, name string) string {
	if identifier.MatchString(name) {
		return object + "." + name
	}
	return fmt.Sprintf("%s['%s']", object, name)
}
