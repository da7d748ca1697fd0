package nunjucks

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// A Template is compiled source. It does not change and may be rendered by
// several goroutines at once.
type Template struct {
	env    *Env
	name   string
	src    string
	body   []stmt
	blocks []*block
	locals int
	// mutates: some method that changes arrays or objects is mentioned.
	mutates bool
	// sole is the expression that the template consists of, if it does.
	sole expr
}

// Name returns the name under which the template was compiled.
func (t *Template) Name() string { return t.name }

// Source returns the template's source.
func (t *Template) Source() string { return t.src }

// Render returns the text that the template produces with these variables: a
// Value of KindObject, or anything that ValueOf makes one. What the template
// does to them is not seen outside. Errors are of type *Error, unless vars
// are no variables.
func (t *Template) Render(ctx context.Context, vars any) (string, error) {
	given, err := variablesOf(vars)
	if err != nil {
		return "", err
	}
	var out string
	err = t.session(ctx, given, func(s *session) error {
		if err := s.unit.run(); err != nil {
			return err
		}
		out = string(wellFormedOutput(s.rt.out))
		return nil
	})
	return out, err
}

// variablesOf converts what Render was given.
func variablesOf(vars any) (Value, error) {
	v, ok := vars.(Value)
	if !ok {
		var err error
		if v, err = ValueOf(vars); err != nil {
			return undefined, err
		}
	}
	switch v.kind {
	case KindObject:
		return v, nil
	case KindUndefined, KindNull:
		return undefined, nil
	}
	return undefined, &Error{Message: "variables must be an object, not " + withArticle(v.kind), placed: true}
}

// A session is one rendering of one template.
type session struct {
	rt    runtime
	unit  unit
	frame frame
	vars  variables
	tbl   blockTable
}

var sessions = sync.Pool{New: func() any {
	return &session{rt: runtime{out: make([]byte, 0, 512), args: make([]Value, 0, 16)}}
}}

// session runs what renders the template. If that wants to change what it
// shares with others it is run again on a copy.
func (t *Template) session(ctx context.Context, given Value, run func(*session) error) error {
	s := t.newSession(ctx, given, t.mutates)
	err := run(s)
	if err != nil && s.rt.touched {
		again := t.newSession(ctx, given, true)
		again.rt.deadline, again.rt.steps, again.rt.memory = s.rt.deadline, s.rt.steps, s.rt.memory
		s = again
		err = run(s)
	}
	s.release()
	return err
}

func (t *Template) newSession(ctx context.Context, given Value, mutable bool) *session {
	s := sessions.Get().(*session)
	l := &t.env.limits
	s.rt = runtime{env: t.env, ctx: ctx, limits: l, out: s.rt.out, args: s.rt.args, mutable: mutable,
		steps: l.Steps, loops: l.Loops, memory: l.Memory}
	if l.Time > 0 {
		s.rt.deadline = time.Now().Add(l.Time)
	}
	if mutable {
		given = thaw(given)
	}
	s.vars.given = given
	s.frame.top = true
	s.unit = unit{rt: &s.rt, tmpl: t, vars: &s.vars, frame: &s.frame, blocks: &s.tbl}
	s.tbl.add(t)
	return s
}

// release lets another rendering have the session. Nothing refers to it any
// more: neither results nor what hosts are given have functions of a template.
func (s *session) release() {
	const large = 1 << 16
	if cap(s.rt.out) > large || cap(s.rt.args) > large {
		return
	}
	out, args := s.rt.out[:0], s.rt.args[:0]
	clear(args[:cap(args)])
	*s = session{rt: runtime{out: out, args: args}}
	sessions.Put(s)
}

// wellFormedOutput replaces lone halves of surrogate pairs.
func wellFormedOutput(out []byte) []byte {
	if bytes.IndexByte(out, 0xED) < 0 {
		return out
	}
	return wellFormedBytes(out)
}
