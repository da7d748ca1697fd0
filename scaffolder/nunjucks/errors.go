package nunjucks

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// What errors.Is tells apart in the errors of this package.
var (
	// ErrSyntax: the source is no template.
	ErrSyntax = errors.New("template syntax error")
	// ErrLimit: compiling or rendering would have gone beyond a limit.
	ErrLimit = errors.New("template limit exceeded")
	// ErrTemplateNotFound: a tag names a template that no loader has. Loaders
	// return it for names they do not know.
	ErrTemplateNotFound = errors.New("template not found")
)

// An Error is a fault in a template or one that its rendering ran into.
type Error struct {
	// Template is the name under which the source was compiled, maybe empty.
	Template string
	// Line and Column count from 1; columns count code points. Both are 0
	// where the fault has no place.
	Line, Column int
	// Text is the offending part of the source, at most a line of it.
	Text string
	// Message says what is wrong, Hint what may help, which may be empty.
	Message, Hint string

	cause    error
	pos, end int
	placed   bool
}

// Error returns "name:line:column: message; hint".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Template != "" {
		b.WriteString(e.Template + ":")
	}
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", e.Line, e.Column)
	}
	if b.Len() > 0 {
		b.WriteString(" ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

// Unwrap returns one of the package's sentinel errors or the error of a host
// function, loader or context.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) withHint(hint string) *Error {
	e.Hint = hint
	return e
}

// syntaxError is a fault between two offsets in the source.
func syntaxError(pos, end int, format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...), cause: ErrSyntax, pos: pos, end: end}
}

// throw is a fault of the running template whose place the caller knows.
func throw(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...), pos: -1}
}

func limitError(limit, message string) error {
	return &Error{Message: message, Hint: "limit " + limit, cause: ErrLimit, pos: -1}
}

// place completes an error with where in this source it happened. An error
// that has a place keeps it.
func place(err error, name, src string, at node) *Error {
	e, ok := err.(*Error)
	if !ok {
		e = &Error{Message: err.Error(), cause: err, pos: -1}
	}
	if e.placed {
		return e
	}
	if e.pos < 0 {
		e.pos, e.end = int(at.pos), int(at.end)
	}
	e.placed = true
	e.Template = name
	e.pos = min(e.pos, len(src))
	e.end = min(max(e.pos, e.end), len(src))
	e.Line, e.Column = position(src, e.pos)
	e.Text = excerpt(src[e.pos:e.end])
	return e
}

// position converts a byte offset to a line and column.
func position(src string, pos int) (line, column int) {
	before := src[:pos]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// excerpt is what of the source an error shows.
func excerpt(s string) string {
	const most = 80
	s = strings.TrimSpace(s)
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[:i]
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
