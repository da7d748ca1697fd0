package nunjucks

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
)

// Options say how an environment differs from nunjucks' defaults. The zero
// value is plain nunjucks without autoescaping.
type Options struct {
	// Tags are the delimiters; see ScaffolderTags.
	Tags Tags
	// TrimBlocks drops the line end after a block tag, LstripBlocks the blanks
	// between the start of a line and one.
	TrimBlocks, LstripBlocks bool
	// Autoescape escapes printed values for HTML unless they are safe.
	Autoescape bool
	// Compat adds what templates written for Python expect: True, False, None
	// and the methods of lists and dicts.
	Compat bool
	// LegacyCoercion is how releases of the scaffolder before 4.0.3 find the
	// type of a native result: also a sole block tag's output is read as JSON
	// where it is some, and no output is no value.
	LegacyCoercion bool
	// Filters and Tests are added to the built-in ones and go before them. A
	// test holds if its result is true.
	Filters, Tests map[string]Func
	// StringMethods are added to the methods of strings and go before the
	// built-in ones. The first argument is the string.
	StringMethods map[string]Func
	// Globals are added to the built-in ones; variables go before them.
	Globals map[string]Value
	// Loader finds templates that others refer to. Without one there are none.
	Loader Loader
	// Limits bound compiling and rendering; see their defaults.
	Limits Limits
	// CacheTemplates is how many compiled templates to keep; 512, none if
	// negative. CacheBytes bounds the sum of their sources; 8 MiB.
	CacheTemplates, CacheBytes int
	// Random returns a number below n for the filter random; math/rand's if
	// nil. It may be called by several goroutines at once.
	Random func(n int) int
}

// A Func is a filter, test or global function written in Go. It may be called
// by several goroutines at once. What it is given it may keep: it gets copies,
// in which functions of the template are null and regular expressions their
// text. It may be called twice for one rendering, as that starts over on a copy
// of the variables where it turns out to change them. Its error ends the rendering and can be found
// in the one that is returned by errors.Is and errors.As.
type Func func(ctx context.Context, args Args) (Value, error)

// Args are what a Func is called with. A filter's first argument is the value
// left of the pipe, a test's the value left of "is".
type Args struct {
	positional []Value
	keywords   *object
}

// NewArgs returns positional arguments, for calling a Func oneself.
func NewArgs(positional ...Value) Args { return Args{positional: positional} }

// Len returns the number of positional arguments.
func (a Args) Len() int { return len(a.positional) }

// At returns positional argument i, undefined if there are fewer.
func (a Args) At(i int) Value { return arg(a.positional, i) }

// Keyword returns the argument given as name=value, undefined if there is none.
func (a Args) Keyword(name string) Value {
	v, _ := a.keywords.lookup(name)
	return v
}

// hostCall makes a Func a native function; the first arguments, as many as
// subjects says, cannot be keyword arguments. What it is given is its own to
// keep, and what it returns is shared.
func hostCall(f Func, subjects int) native {
	return func(rt *runtime, args []Value) (Value, error) {
		positional, kw := keywords(args[subjects:])
		positional = args[:subjects+len(positional)]
		host := Args{positional: make([]Value, len(positional))}
		for i, v := range positional {
			host.positional[i] = freeze(v)
		}
		if kw != nil {
			host.keywords = freeze(obj(kw)).obj()
		}
		v, err := f(rt.ctx, host)
		if err != nil {
			return undefined, &Error{Message: err.Error(), cause: err, pos: -1}
		}
		if rt.mutable {
			v = thaw(v)
		}
		return v, nil
	}
}

// hostMethod makes a Func a method.
func hostMethod(name string, f Func) *method {
	call := hostCall(f, 1)
	return &method{name: name, call: func(rt *runtime, this Value, args []Value) (Value, error) {
		return call(rt, append([]Value{this}, args...))
	}}
}

// An Env compiles templates of one dialect, with the same filters, limits and
// loader. It does not change and may be used by several goroutines at once.
type Env struct {
	syntax     syntax
	autoescape bool
	compat     bool
	coercion   bool
	filters    map[string]*function
	tests      map[string]*function
	strings    map[string]*method // those that the host adds
	globals    map[string]Value
	loader     Loader
	limits     Limits
	cache      *cache
	random     func(n int) int
}

// New returns an environment.
func New(o Options) *Env {
	e := &Env{
		syntax:     newSyntax(o.Tags, o.TrimBlocks, o.LstripBlocks),
		autoescape: o.Autoescape,
		compat:     o.Compat,
		coercion:   o.LegacyCoercion,
		filters:    builtinFilters(),
		tests:      builtinTests(),
		globals:    builtinGlobals(),
		loader:     o.Loader,
		limits:     o.Limits.withDefaults(),
		cache:      newCache(o.CacheTemplates, o.CacheBytes),
		random:     o.Random,
	}
	if e.random == nil {
		e.random = rand.IntN
	}
	for name, f := range o.Filters {
		e.filters[name] = &function{name: name, call: hostCall(f, 1), host: true}
	}
	for name, f := range o.StringMethods {
		if e.strings == nil {
			e.strings = make(map[string]*method, len(o.StringMethods))
		}
		e.strings[name] = hostMethod(name, f)
	}
	for name, f := range o.Tests {
		e.tests[name] = &function{name: name, call: hostCall(f, 1)}
	}
	maps.Copy(e.globals, o.Globals)
	return e
}

// Compile compiles a template. The name appears in errors and is what other
// templates' relative references are relative to; it may be empty. Equal
// sources of one name are compiled once, as long as the cache holds them.
// Errors are of type *Error.
func (e *Env) Compile(name, source string) (*Template, error) {
	if t := e.cache.get(name, source); t != nil {
		return t, nil
	}
	t, err := e.compile(name, source)
	if err != nil {
		return nil, err
	}
	e.cache.put(t)
	return t, nil
}

func (e *Env) compile(name, source string) (*Template, error) {
	if len(source) > e.limits.Source {
		message := fmt.Sprintf("template is larger than %d bytes", e.limits.Source)
		return nil, &Error{Template: name, Message: message, Hint: "limit source", cause: ErrLimit, placed: true}
	}
	source = toWellFormed(source)
	on := stackPool.Get().(*stacks)
	defer on.release()
	body, blocks, err := parse(source, &e.syntax, &e.limits, on)
	if err != nil {
		return nil, place(err, name, source, node{})
	}
	t, err := compileTree(e, body, blocks, on)
	if err != nil {
		return nil, place(err, name, source, node{})
	}
	t.name, t.src = name, source
	t.sole = soleInterpolation(body)
	return t, nil
}
