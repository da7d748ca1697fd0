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
	// inPairs: the body of a loop over pairs is being written. The reference
	// compiles it twice and mixes the macros in there up, so there are none.
	inPairs bool
	compat  bool
}

// generated is a template with everything that it needs.
type generated struct {
	Source    string            `json:"source"`
	Templates map[string]string `json:"templates,omitempty"`
	Trim      bool              `json:"trim,omitempty"`
	Lstrip    bool              `json:"lstrip,omitempty"`
	Compat    bool              `json:"compat,omitempty"`
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
	out := generated{Trim: g.n(4) == 0, Lstrip: g.n(4) == 0, Compat: g.n(6) == 0}
	g.compat = out.Compat
	if g.n(3) == 0 {
		out.Templates = map[string]string{
			"part":   g.fragment(),
			"macros": "{% macro hi(p, q=2) %}<${{ p }}${{ q }}${{ x }}>{% endmacro %}{% set exported = i %}" + g.fragment(),
			"base":   "B[{% block one %}" + g.fragment() + "{% endblock %}|{% block two %}${{ x }}{% endblock %}]",
			"mid":    `{% extends "base" %}{% block one %}mid${{ super() }}{% endblock %}`,
			"setter": "{% set x = 'set' %}{% for x in [1] %}{% set y = x %}{% endfor %}${{ x }}${{ y }}",
		}
	}
	var b strings.Builder
	if out.Templates != nil && g.n(4) == 0 {
		fmt.Fprintf(&b, `{%% extends %q %%}`, g.pick("base", "mid"))
	}
	for range 1 + g.n(4) {
		b.WriteString(g.statement(out.Templates != nil))
	}
	out.Source = b.String()
	return out
}

// fragment is a short piece of an included template.
func (g *grammar) fragment() string {
	return g.text() + "${{ " + g.expr() + " }}" + g.text()
}

func (g *grammar) text() string {
	return g.pick("", "a", " ", "\n", "  \n", "\n  ", "x\ny", "}", "{", "a$b", "$ {", "\t", "#", "%}", "é😀", "\r\n", "-")
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
		if g.inPairs {
			return g.text()
		}
		return g.macro(loader)
	case 14:
		return g.tag("call"+g.pick("", "(v)", "(v, k=1)")+" "+g.calledMacro()) + g.body(loader) + g.tag("endcall")
	case 15:
		return g.tag("filter "+g.pick("upper", "replace('l', 'L')", "indent(2)", "trim", "length", "title", "truncate(9)", "wordcount")) + g.body(loader) + g.tag("endfilter")
	case 16:
		return g.switchTag(loader)
	case 17:
		return g.pick("{# c #}", "{#- c -#}", "{#- c #}", "{# c -#}") + g.text()
	case 18:
		return g.pick("{% raw %}${{ x }}{% endraw %}", "{%- raw -%} x {% endraw %}", "{% verbatim %}{% if %}{% endverbatim %}", "{%- raw %}{% verbatim %}{#{% endraw %}", "{% raw %} {% raw %}a{% endraw %}b{% endraw %}")
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
	if g.compat && names == "loop" {
		names = "v" // the index of a list is a function there, whose source text shows
	}
	if strings.Contains(names, ",") && !g.inPairs {
		g.inPairs = true
		defer func() { g.inPairs = false }()
	}
	list := g.pick("a", "sa", "o", "objs", "pairs", "s", "nul", "mixed", "range(3)", "ea", "loop", g.of(list), g.of(object), g.expr())
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
		g.pick("${{ p }}", "${{ q }}", "<${{ caller() if caller }}>", "${{ caller(1, k=2) if caller }}", "${{ x }}${{ i }}${{ loop.index }}", g.body(loader)) + g.tag("endmacro")
}

// calledMacro is a call for a call tag, which takes nothing else.
func (g *grammar) calledMacro() string {
	if len(g.macros) == 0 {
		return g.pick("range(2)", "s.concat('x')", "range(1)", "a.slice(1)", "s.slice(1)", "m()")
	}
	return g.macroCall()
}

// macroCall calls a macro that there is, or now and then one that is not.
func (g *grammar) macroCall() string {
	name := "m"
	switch {
	case len(g.macros) > 0:
		name = g.macros[g.n(len(g.macros))]
	case g.n(8) > 0:
		return g.atom(anything)
	}
	return name + "(" + g.pick("", "1", "s, 2", "q=3", "1, q=s", "p=1", "1, 2, 3", g.atom(anything)) + ")"
}

func (g *grammar) loading() string {
	choice := g.n(7)
	if g.inSet && (choice == 3 || choice == 4) {
		choice = 0
	}
	switch choice {
	case 0:
		return g.tag("include " + g.pick(`"part"`, `"setter"`, `"none" ignore missing`, `"part"`, "'pa' ~ 'rt'"))
	case 1:
		return g.tag(`import "macros" as mm`+g.pick("", " with context", " without context")) + "${{ mm.hi(" + g.atom(anything) + ") }}${{ mm.exported }}"
	case 2:
		return g.tag(`from "macros" import `+g.pick("hi", "hi, exported", "hi with context", "exported as other, hi")) + "${{ hi(1) }}${{ exported }}${{ other }}"
	case 3:
		g.blocks++
		return g.tag(fmt.Sprintf("block b%d", g.blocks)) + g.body(false) + g.tag("endblock")
	case 4:
		g.blocks++
		return g.tag("block "+[]string{"one", "two", "three", "four"}[min(g.blocks-1, 3)]) + g.pick("", "${{ super() }}") + g.body(false) + g.tag("endblock")
	}
	return "{% include 'part' %}"
}
