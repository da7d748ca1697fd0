package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Level says how bad a finding is.
type Level string

// The levels. Only an Error makes a template one that should not be used.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
)

// A Code names a kind of finding. It does not change between releases.
type Code string

// The codes.
const (
	// Files and the entity as a whole.
	CodeYAML        Code = "yaml"        // the file is no YAML, cannot be read or is too large
	CodeEmpty       Code = "empty"       // the file holds no template
	CodePlaceholder Code = "placeholder" // $yaml, $json or $text name what is not there
	CodeAPIVersion  Code = "api-version" // a kind or version that is not run
	CodeSchema      Code = "schema"      // the catalog would refuse the entity
	CodeUnknownKey  Code = "unknown-key" // a key that nothing reads and that looks misspelt
	CodeName        Code = "name"        // metadata.name has characters that it may not have

	// Parameters.
	CodeParameterSchema  Code = "parameter-schema"  // a page is no JSON Schema
	CodeParameterDefault Code = "parameter-default" // a default does not fit its own schema
	CodeRequired         Code = "required"          // required names a field that the form has not

	// Steps.
	CodeUnknownAction   Code = "unknown-action"
	CodeDuplicateStep   Code = "duplicate-step"
	CodeUnreachableStep Code = "unreachable-step"
	CodeCondition       Code = "condition" // an if that always holds, since it is a text
	CodeMissingInput    Code = "missing-input"
	CodeUnknownInput    Code = "unknown-input"
	CodeRetiredInput    Code = "retired-input"
	CodeInputValue      Code = "input-value"
	CodeMissingFile     Code = "missing-file" // a skeleton that is not beside the template
	CodeNotRendered     Code = "not-rendered" // an expression where none is evaluated

	// Expressions.
	CodeExpression       Code = "expression" // no expression; it stays as it is
	CodeUnknownFilter    Code = "unknown-filter"
	CodeUnknownTest      Code = "unknown-test"
	CodeUnknownFunction  Code = "unknown-function"
	CodeUnreachable      Code = "unreachable"
	CodePrecedence       Code = "precedence"
	CodeIgnoredArgument  Code = "ignored-argument"
	CodeDeprecated       Code = "deprecated"
	CodeUnknownVariable  Code = "unknown-variable"
	CodeUnknownParameter Code = "unknown-parameter"
	CodeUnknownStep      Code = "unknown-step"
	CodeLaterStep        Code = "later-step"
	CodeDash             Code = "dash" // a name with dashes behind a dot is a subtraction
	CodeStepOutput       Code = "step-output"
	CodeUnknownOutput    Code = "unknown-output"
	CodeUnknownSecret    Code = "unknown-secret"
	CodeSecret           Code = "secret"        // a secret where secrets have no value
	CodeEach             Code = "each"          // each where there is no iteration
	CodeUnknownValue     Code = "unknown-value" // values.x that the step does not give
)

// A Finding is one thing that is wrong, or probably not meant.
type Finding struct {
	Code  Code  `json:"code"`
	Level Level `json:"level"`
	Place
	// Path leads to the value in the template, as a JSON pointer; "" for the
	// whole of it and for other files.
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	// Hint says what to do, "" where the message does.
	Hint string `json:"hint,omitempty"`
}

// A Place is where something is written. Line and Column count from 1 and are 0
// where there is none; columns count code points.
type Place struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String returns "file:line:column".
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Sort orders findings by place, and drops what is said twice of one place.
func Sort(list []Finding) []Finding {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(list, func(a, b Finding) bool {
		return a.Place == b.Place && a.Code == b.Code && a.Message == b.Message
	})
}

// A Summary counts.
type Summary struct {
	Templates int `json:"templates"`
	Errors    int `json:"errors"`
	Warnings  int `json:"warnings"`
	Notes     int `json:"notes"`
}

// Count counts the findings of a number of templates.
func Count(templates int, list []Finding) Summary {
	s := Summary{Templates: templates}
	for _, f := range list {
		switch f.Level {
		case Error:
			s.Errors++
		case Warning:
			s.Warnings++
		case Note:
			s.Notes++
		}
	}
	return s
}
