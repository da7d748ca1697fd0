package nunjucks

import (
	"context"
	"time"
)

// A runtime is the state of one rendering: its limits, its output and what
// its values may do. It belongs to one goroutine.
type runtime struct {
	env    *Env
	ctx    context.Context
	limits *Limits

	out []byte // what has been printed, innermost capture last

	steps    int // left
	loops    int // left
	memory   int // bytes left for text and arrays that the template makes
	deadline time.Time
	unpolled int // steps since the clock and the context were asked
	depth    int // of calls and includes

	args    []Value  // the arguments of the calls being made
	joining []*array // the arrays being converted to text

	asJSON bool // interpolations print JSON, outside of captures

	// mutable: this rendering works on its own copy of the variables.
	mutable bool
	globals map[string]Value // copies of globals, when mutable
	// touched: the rendering wants to change what it shares, so it has to
	// start over on a copy.
	touched bool
}

// A unit is one run of a template or block: what a macro defined in it sees.
type unit struct {
	rt    *runtime
	tmpl  *Template
	vars  *variables
	frame *frame
	// foreign: frames of other templates are around, so any name may be there.
	foreign bool
	blocks  *blockTable
	// parent is the template that an extends tag named.
	parent   *Template
	extended int // how many templates have extended each other so far
	act      activation
}

// An activation is one run of a template, block, macro or call body: the
// values of its slots.
type activation struct {
	rt     *runtime
	unit   *unit
	locals []Value
	outer  *activation // of a call body, where it was written
}

// lookup finds a name that no slot holds.
func (a *activation) lookup(name string, kind bindingKind) Value {
	u := a.unit
	if kind == byName || u.foreign {
		if v := u.frame.lookup(name); v.kind != KindUndefined {
			return v
		}
	}
	v, ok := u.vars.get(name)
	if !ok {
		v, _ = u.rt.global(name)
	}
	if v.kind == KindUndefined && u.rt.env.compat {
		return pythonLiteral(name)
	}
	return v
}

// global returns a global, in a mutable rendering one of its own.
func (rt *runtime) global(name string) (Value, bool) {
	v, ok := rt.env.globals[name]
	if !ok || !rt.mutable {
		return v, ok
	}
	if own, ok := rt.globals[name]; ok {
		return own, true
	}
	if rt.globals == nil {
		rt.globals = map[string]Value{}
	}
	v = thaw(v)
	rt.globals[name] = v
	return v, true
}

// slot returns where a bound name's value lives.
func (a *activation) slot(b binding) *Value {
	for ; b.hops > 0; b.hops-- {
		a = a.outer
	}
	return &a.locals[b.slot]
}

// spend pays for work: steps, and bytes of text or arrays. It is also where a
// rendering notices that its time is over.
func (rt *runtime) spend(steps, bytes int) error {
	if rt.limits == nil {
		return nil
	}
	rt.memory -= bytes
	if rt.memory < 0 {
		return limitError("memory", "template builds too much text or too many values")
	}
	steps += bytes >> 8
	rt.steps -= steps
	if rt.steps < 0 {
		return limitError("steps", "template takes too many steps")
	}
	if rt.unpolled += steps; rt.unpolled < pollEvery {
		return nil
	}
	return rt.poll()
}

// pollEvery is the number of steps between looks at the clock.
const pollEvery = 256

func (rt *runtime) poll() error {
	rt.unpolled = 0
	if err := rt.ctx.Err(); err != nil {
		return &Error{Message: "rendering was cancelled", cause: context.Cause(rt.ctx), pos: -1}
	}
	if !rt.deadline.IsZero() && time.Now().After(rt.deadline) {
		return limitError("time", "template takes too long")
	}
	return nil
}

// print appends text to the output.
func (rt *runtime) print(s string) error {
	if len(rt.out)+len(s) > rt.limits.Output {
		return limitError("output", "template produces too much output")
	}
	if len(s) > 0 && s[0] == 0xED {
		rt.out = appendText(rt.out, s)
	} else {
		rt.out = append(rt.out, s...)
	}
	return nil
}

// capture returns what body prints instead of printing it.
func (rt *runtime) capture(body func() error) (string, error) {
	mark, asJSON := len(rt.out), rt.asJSON
	rt.asJSON = false
	err := body()
	s := string(rt.out[mark:])
	rt.out, rt.asJSON = rt.out[:mark], asJSON
	if err == nil {
		err = rt.spend(0, len(s))
	}
	return s, err
}

// descend counts a level of calls, includes or loops; ascend undoes it.
func (rt *runtime) descend() error {
	if rt.depth++; rt.depth > rt.limits.Depth {
		return limitError("depth", "macros or templates call each other too deeply")
	}
	return nil
}

func (rt *runtime) ascend() { rt.depth-- }

// call calls a function value.
func (rt *runtime) call(f Value, args []Value) (Value, error) {
	if err := rt.spend(1, 0); err != nil {
		return undefined, err
	}
	if err := rt.descend(); err != nil {
		return undefined, err
	}
	v, err := f.fn().call(rt, args)
	rt.ascend()
	return v, err
}
