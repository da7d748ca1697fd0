package nunjucks_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A chooser makes the decisions of a generator: at random, or from the bytes
// of a fuzzer, in which case it answers 0 when they are used up.
type chooser struct {
	rng   *rand.Rand
	bytes []byte
}

func (c *chooser) n(n int) int {
	if c.rng != nil {
		return c.rng.IntN(n)
	}
	if len(c.bytes) == 0 {
		return 0
	}
	b := c.bytes[0]
	c.bytes = c.bytes[1:]
	return int(b) % n
}

func (c *chooser) pick(options ...string) string { return options[c.n(len(options))] }

// A grammar writes templates that are mostly right, and now and then not.
type grammar struct {
	chooser
	depth  int
	macros []string
	blocks int
	// inSet: the body of a set tag is being written. The reference overlooks
	// blocks in there, so none are.
	inSet bool
}

// generated is a template with everything that it needs.
type generated struct {
	source       string
	templates    map[string]string
	trim, lstrip bool
	compat       bool
}

// grammarContext is what generated templates are rendered with.
const grammarContext = `{"s":"Hello World-foo","e":"","u":"ÉCOLE straße😀x","n":42.5,"neg":-3.5,"z":0,"i":7,
"big":1e21,"t":true,"f":false,"nul":null,"a":[3,1,2],"sa":["b","A","c","B"],"ea":[],
"o":{"b":2,"a":1,"C":3,"10":"x","2":"y"},"eo":{},"mixed":[1,"a",null,true,[1,[2]],{"k":1}],
"objs":[{"n":"b","v":2,"l":[1]},{"n":"A","v":10,"l":[]},{"n":"c","v":3,"l":["x","y"]}],
"ns":"12px","nested":{"x":{"y":[{"z":"deep"}]}},"h":"<b>T&C's</b> \\ y","ml":" one\n two\r\n\n three ",
"pairs":[["k","v"],["a b","c&d"]],"dt":"2024-01-02","values":{"name":"svc","tags":["x","y"],"port":8080}}`

func generate(c chooser) generated {
	g := &grammar{chooser: c}
	out := generated{trim: g.n(4) == 0, lstrip: g.n(4) == 0, compat: g.n(6) == 0}
	if g.n(3) == 0 {
		out.templates = map[string]string{
			"part":   g.fragment(),
			"macros": "{% macro hi(p, q=2) %}<${{ p }}${{ q }}${{ x }}>{% endmacro %}{% set exported = i %}" + g.fragment(),
			"base":   "B[{% block one %}" + g.fragment() + "{% endblock %}|{% block two %}${{ x }}{% endblock %}]",
			"mid":    `{% extends "base" %}{% block one %}mid${{ super() }}{% endblock %}`,
			"setter": "{% set x = 'set' %}{% for x in [1] %}{% set y = x %}{% endfor %}${{ x }}${{ y }}",
		}
	}
	var b strings.Builder
	if out.templates != nil && g.n(4) == 0 {
		fmt.Fprintf(&b, `{%% extends %q %%}`, g.pick("base", "mid"))
	}
	for range 1 + g.n(4) {
		b.WriteString(g.statement(out.templates != nil))
	}
	out.source = b.String()
	return out
}

// fragment is a short piece of an included template.
func (g *grammar) fragment() string {
	return g.text() + "${{ " + g.expr() + " }}" + g.text()
}

func (g *grammar) text() string {
	return g.pick("", "a", " ", "\n", "  \n", "\n  ", "x\ny", "}", "{", "$", "$${", "\t", "#", "%}", "é😀", "\r\n", "-")
}

func (g *grammar) dash() string {
	if g.n(5) == 0 {
		return "-"
	}
	return ""
}

func (g *grammar) tag(body string) string {
	return "{%" + g.dash() + " " + body + " " + g.dash() + "%}"
}

func (g *grammar) body(loader bool) string {
	if g.depth++; g.depth > 3 {
		g.depth--
		return g.text()
	}
	defer func() { g.depth-- }()
	var b strings.Builder
	for range g.n(3) + 1 {
		b.WriteString(g.statement(loader))
	}
	return b.String()
}

func (g *grammar) variable() string { return g.pick("x", "y", "i", "v", "k", "s", "loop", "acc") }

func (g *grammar) statement(loader bool) string {
	kinds := 19
	if loader {
		kinds = 25
	}
	switch g.n(kinds) {
	case 0, 1, 2:
		return g.text()
	case 3, 4, 5, 6:
		return "${{" + g.dash() + " " + g.expr() + " " + g.dash() + "}}"
	case 7:
		return g.ifTag(loader)
	case 8, 9:
		return g.forTag(loader)
	case 10, 11:
		return g.tag("set " + g.variable() + g.pick("", "", ", "+g.variable()) + " = " + g.expr())
	case 12:
		outer := g.inSet
		g.inSet = true
		defer func() { g.inSet = outer }()
		return g.tag("set "+g.variable()) + g.body(loader) + g.tag("endset")
	case 13:
		return g.macro(loader)
	case 14:
		return g.tag("call"+g.pick("", "(v)", "(v, k=1)")+" "+g.macroCall()) + g.body(loader) + g.tag("endcall")
	case 15:
		return g.tag("filter "+g.pick("upper", "replace('l', 'L')", "indent(2)", "trim", "length")) + g.body(loader) + g.tag("endfilter")
	case 16:
		return g.switchTag(loader)
	case 17:
		return g.pick("{# c #}", "{#- c -#}", "{#- c #}", "{# c -#}") + g.text()
	case 18:
		return g.pick("{% raw %}${{ x }}{% endraw %}", "{% raw -%} x {%- endraw %}", "{% verbatim %}{% if %}{% endverbatim %}", "{% raw %} {% raw %}a{% endraw %}b{% endraw %}")
	}
	return g.loading()
}

func (g *grammar) ifTag(loader bool) string {
	out := g.tag("if "+g.expr()) + g.body(loader)
	if g.n(3) == 0 {
		out += g.tag(g.pick("elif ", "elseif ")+g.expr()) + g.body(loader)
	}
	if g.n(2) == 0 {
		out += g.tag("else") + g.body(loader)
	}
	return out + g.tag("endif")
}

func (g *grammar) forTag(loader bool) string {
	names := g.pick("v", "x", "v", "k, v", "a, b", "k, v, x", "i", "loop")
	list := g.pick("a", "sa", "o", "objs", "pairs", "s", "nul", "mixed", "range(3)", "ea", "loop", g.expr())
	out := g.tag("for "+names+" in "+list) + g.body(loader) + g.pick("", "${{ loop.index }}", "${{ loop.last }}${{ v }}", "{% set acc = acc ~ v %}${{ acc }}")
	if g.n(3) == 0 {
		out += g.tag("else") + g.body(loader)
	}
	return out + g.tag("endfor")
}

func (g *grammar) switchTag(loader bool) string {
	out := g.tag("switch " + g.pick("i", "s", "x", "v"))
	for range 1 + g.n(2) {
		out += g.tag("case "+g.pick("7", "'a'", "x", "none", "1")) + g.pick("", "c"+g.text(), "${{ v }}")
	}
	if g.n(2) == 0 {
		out += g.tag("default") + g.pick("d", "${{ i }}", "")
	}
	return out + g.tag("endswitch")
}

func (g *grammar) macro(loader bool) string {
	name := g.pick("m", "m2", "_m")
	g.macros = append(g.macros, name)
	params := g.pick("", "p", "p, q=1", "q='d'", "p, q=p", "v, i", "x=i")
	return g.tag("macro "+name+"("+params+")") +
		g.pick("${{ p }}", "${{ q }}", "${{ caller() }}", "${{ caller(1, k=2) if caller }}", "${{ x }}${{ i }}${{ loop.index }}", g.body(loader)) + g.tag("endmacro")
}

func (g *grammar) macroCall() string {
	name := "m"
	if len(g.macros) > 0 {
		name = g.macros[g.n(len(g.macros))]
	}
	return name + "(" + g.pick("", "1", "s, 2", "q=3", "1, q=s", "p=1", "1, 2, 3", g.atom()) + ")"
}

func (g *grammar) loading() string {
	choice := g.n(7)
	if g.inSet && (choice == 3 || choice == 4) {
		choice = 0
	}
	switch choice {
	case 0:
		return g.tag("include " + g.pick(`"part"`, `"setter"`, `"none" ignore missing`, `"none"`, "'pa' ~ 'rt'"))
	case 1:
		return g.tag(`import "macros" as mm`+g.pick("", " with context", " without context")) + "${{ mm.hi(" + g.atom() + ") }}${{ mm.exported }}"
	case 2:
		return g.tag(`from "macros" import `+g.pick("hi", "hi as hello, exported", "hi with context", "nothing")) + "${{ " + g.pick("hi", "hello") + "(1) }}${{ exported }}"
	case 3:
		g.blocks++
		return g.tag(fmt.Sprintf("block b%d", g.blocks)) + g.body(false) + g.tag("endblock")
	case 4:
		g.blocks++
		return g.tag("block "+[]string{"one", "two", "three", "four"}[min(g.blocks-1, 3)]) + g.pick("", "${{ super() }}") + g.body(false) + g.tag("endblock")
	}
	return "{% include 'part' %}"
}

// atom is an expression that needs no parentheses.
func (g *grammar) atom() string {
	return g.pick("s", "e", "u", "n", "neg", "z", "i", "t", "f", "nul", "missing", "a", "sa", "ea", "o", "eo", "mixed",
		"objs", "ns", "h", "ml", "pairs", "nested.x.y[0].z", "values.name", "values.tags", "x", "y", "v", "k", "acc",
		"1", "0", "2.5", "'a'", `"b c"`, "''", "none", "true", "false", "[1, 2]", "[]", "{a: 1, 'b': [2]}", "(1)",
		"loop.index", "loop.first", "loop", "range(3)", "values['port']", "objs[1].n", "sa[i - 6]", "s[1]", "dt")
}

func (g *grammar) expr() string {
	if g.depth++; g.depth > 5 {
		g.depth--
		return g.atom()
	}
	defer func() { g.depth-- }()
	switch g.n(17) {
	case 0, 1, 2, 3:
		return g.atom()
	case 4, 5:
		return g.expr() + " " + g.pick("+", "-", "*", "/", "//", "%", "~", "~", "+") + " " + g.expr()
	case 6:
		// Not <= and >=: with NaN the oracle's engine takes them for true.
		return g.expr() + " " + g.pick("==", "===", "!=", "!==", "<", ">") + " " + g.expr()
	case 7:
		return g.expr() + " " + g.pick("and", "or") + " " + g.expr()
	case 8:
		return g.pick("not ", "-", "+", "not ") + g.expr()
	case 9:
		return "(" + g.expr() + ")"
	case 10:
		return g.expr() + " if " + g.expr() + g.pick("", " else "+g.atom())
	case 11, 12:
		return g.expr() + " | " + g.filter()
	case 13:
		return g.atom() + "." + g.method()
	case 14:
		return g.expr() + g.pick(" is ", " is not ") + g.pick("defined", "undefined", "string", "number", "odd", "even", "none",
			"mapping", "iterable", "truthy", "falsy", "eq(1)", "divisibleby(2)", "gt(2)", "lower", "upper", "callable", "nosuch")
	case 15:
		return g.atom() + g.pick(" in ", " not in ") + g.atom()
	}
	return g.macroCall()
}

func (g *grammar) filter() string {
	return g.pick("abs", "batch(2)", "capitalize", "center(9)", "default('d')", "default('d', true)", "dictsort", "e",
		"escape", "first", "float", "groupby('n')", "indent", "indent(2, true)", "int", "int(5)", "join", "join(',')", "join('-', 'n')",
		"last", "length", "list", "lower", "nl2br", "replace('l', 'L')", "replace(r/[aeiou]/g, '<$&>')", "replace('', '.')", "reverse", "round",
		"round(1, 'floor')", "safe", "select('odd')", "reject", "selectattr('v')", "slice(2)", "sort(attribute='n')", "string", "striptags",
		"sum", "sum('v')", "title", "trim", "truncate(5)", "upper", "urlencode", "wordcount", "nosuch", "upper | lower")
}

func (g *grammar) method() string {
	return g.pick("split('-')", "split()", "split('')", "slice(1)", "slice(-2)", "replace('o', '0')", "replace(r/o/g, '[$&]')", "toUpperCase()",
		"indexOf('o')", "length", "includes('o')", "trim()", "substring(2, 1)", "charAt(1)", "concat('x')", "push(4)", "pop()", "reverse()",
		"join('+')", "sort()", "shift()", "splice(1, 1)", "toFixed(1)", "toString()", "startsWith('H')", "padStart(20, 'ab')", "repeat(2)",
		"match(r/o/g)", "at(-1)", "items()", "get('a', 1)", "append(9)", "keys()", "nosuch()", "x.y", "n")
}
