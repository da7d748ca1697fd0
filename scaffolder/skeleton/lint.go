package skeleton

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
)

// LintOptions say how a tree is to be rendered.
type LintOptions struct {
	Dialect Dialect
	// Values says which values the templates are given; nil: any.
	Values nunjucks.Shape
	// Raw, Untouched and Extension are those of Options.
	Raw, Untouched func(e Entry) bool
	Extension      string
}

// A Fault is something in a skeleton that fails, or is probably not meant.
type Fault struct {
	// Entry is the name in the tree. InName: the fault is in the name itself,
	// otherwise in the content.
	Entry  string
	InName bool
	// Issue is what nunjucks says. Its Rule is "" for what fails whenever the
	// entry is rendered; a fault that is not in the template has no line.
	nunjucks.Issue
}

// Lint returns what is wrong with the templates of a tree, in its order. The
// error is that of reading, or the cause of ctx.
func (t *Tree) Lint(ctx context.Context, e *Engine, o LintOptions) ([]Fault, error) {
	none := func(Entry) bool { return false }
	w := writer{tree: t, Options: Options{Raw: o.Raw, Untouched: o.Untouched, Extension: o.Extension}}
	if w.Raw == nil {
		w.Raw = none
	}
	if w.Untouched == nil {
		w.Untouched = none
	}
	r, err := e.Renderer(o.Dialect, nil)
	if err != nil {
		return nil, err
	}
	root := "values"
	if o.Dialect.Compatible {
		root = "cookiecutter"
	}
	l := linting{writer: w, renderer: r, shape: nunjucks.Shape{root: o.Values}}
	for _, entry := range t.entries {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := l.entry(entry); err != nil {
			return nil, err
		}
	}
	return l.faults, nil
}

type linting struct {
	writer
	renderer *Renderer
	shape    nunjucks.Shape
	faults   []Fault
}

func (l *linting) entry(e Entry) error {
	if l.Untouched(e) {
		return nil
	}
	name := e.Name[strings.LastIndexByte(e.Name, '/')+1:] // those above have their own entries
	l.text(e, true, name)
	renders := !l.Raw(e)
	if l.Extension != "" {
		renders = l.hasExtension(e)
	}
	if !renders || !e.Mode.IsRegular() {
		return nil
	}
	content, err := l.content(e)
	if err != nil || content == nil {
		return err
	}
	if int64(len(content)) > l.tree.limits.Text {
		l.faults = append(l.faults, Fault{Entry: e.Name, Issue: nunjucks.Issue{
			Message: fmt.Sprintf("the file is larger than the %d bytes that a template may have", l.tree.limits.Text),
			Hint:    "list it in copyWithoutTemplating"}})
		return nil
	}
	l.text(e, false, Decode(content))
	return nil
}

// content returns that of a file, nil for a binary one, and a byte more than
// there may be of one that is too large.
func (l *linting) content(e Entry) ([]byte, error) {
	f, err := l.tree.source.Open(e.Name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if isBinary(head[:n]) {
		return nil, nil
	}
	rest, err := io.ReadAll(io.LimitReader(f, l.tree.limits.Text+1))
	return append(head[:n], rest...), err
}

func (l *linting) text(e Entry, inName bool, source string) {
	if l.renderer.isText(source) {
		return
	}
	t, err := l.renderer.env.Compile("", source)
	if err != nil {
		l.faults = append(l.faults, Fault{Entry: e.Name, InName: inName, Issue: issueOf(err)})
		return
	}
	for _, issue := range t.Lint(l.shape) {
		l.faults = append(l.faults, Fault{Entry: e.Name, InName: inName, Issue: issue})
	}
}

// issueOf is an error that a template has before it is rendered.
func issueOf(err error) nunjucks.Issue {
	var e *nunjucks.Error
	if !errors.As(err, &e) {
		return nunjucks.Issue{Message: err.Error()}
	}
	return nunjucks.Issue{Line: e.Line, Column: e.Column, Text: e.Text, Message: e.Message, Hint: e.Hint}
}
