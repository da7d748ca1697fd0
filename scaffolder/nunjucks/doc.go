// Package nunjucks renders nunjucks templates, with JavaScript's values and
// without JavaScript.
//
// It owns the template language of Backstage's scaffolder: lexing, parsing,
// compiling, evaluating and linting of templates that mean what they mean to
// nunjucks 3.2.4 and to the engine of scaffolder release 4.2.0, down to white
// space, operator precedence, UTF-16 lengths, number formatting and key order.
// It knows nothing of scaffolding, files or networks; what templates may reach
// beyond their variables is what Options give them.
//
//	env := nunjucks.New(nunjucks.Options{Tags: nunjucks.ScaffolderTags()})
//	t, err := env.Compile("readme.md", "# ${{ values.name | title }}")
//	text, err := t.Render(ctx, map[string]any{"values": map[string]any{"name": "my service"}})
//
// # Values
//
// A Value is undefined, null, a boolean, number, string, safe string, array,
// object, function or regular expression. ValueOf makes one of plain Go values
// and of types that keep their members in order; ParseJSON reads one. Values
// that a Go program holds do not change, and go back by Plain, Export and
// MarshalJSON. A template never sees a Go value, only Values.
//
// Render makes text. RenderNative makes a JSON value: a template that is one
// interpolation keeps the type of its result. RenderValue does so for every
// string in a JSON value, as the scaffolder does with the input of a step.
//
// # Legacy and current
//
// Releases of the scaffolder up to 4.0.2 render with nunjucks 3.2.4, later ones
// with an engine of their own. Templates of both work: methods that the current
// engine dropped are there (replaceAll, match, padStart and so on), and so is
// what it added, as slices, {a: {b: 1}} in block tags and true or none after a
// dot. Options.LegacyCoercion finds the types of native results as old releases
// do: {% if t %}5{% endif %} is a number, and no output is no value. Lint names
// tags and methods that current releases no longer know.
//
// # Safety
//
// Templates are not trusted. Limits bound the size, nesting, output, steps,
// loops, memory, recursion and time of each, and regular expressions are
// matched by an engine that can be stopped. What goes beyond a limit is an
// error that errors.Is ErrLimit. There are no prototypes and no constructors,
// and their names are refused; there is no way to code, files or the network.
// Go values become Values before a template runs, so their methods are out of
// its reach. No template makes the package panic.
//
// # Where it differs
//
// A safe string, such as a macro's result, is a string in JSON, as in release
// 4.2.0. Templates that only fail because nunjucks generates code that is no
// JavaScript work here. An error in an included template is never lost. The
// source text of functions cannot be printed. Of locales there is American
// English, in which localeCompare orders as ICU does.
//
// # Concurrency
//
// An Env and a Template do not change after they are made and may be used by
// several goroutines at once. A rendering that changes arrays or objects does
// so on a copy of its own.
//
// # Inside
//
// lexer.go cuts the source into tokens as the parser asks for them; parser*.go
// make the tree of ast.go; compile.go completes it, giving names slots and
// looking filters and methods up; eval_*.go, macro.go and loader.go run it;
// value.go, object.go, iterator.go, text.go, number.go, power.go, convert.go
// and json.go are JavaScript's values; member.go, methods_*.go, compat.go,
// regexp.go, filters*.go, tests.go and globals.go what templates can do with
// them; native.go makes values of templates instead of text; lint.go reads the
// same tree. Package jsregexp matches regular expressions.
//
// The conformance cases, answers recorded from nunjucks, and nunjucks itself in
// a JavaScript engine that only the tests import say whether all that is right.
package nunjucks
