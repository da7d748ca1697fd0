package nunjucks_test

import "slices"

// A kind is what an expression of the grammar is meant to yield, so that most
// of them mean something. Now and then one is used as if it were another.
type kind int

const (
	text kind = iota
	number
	list
	object
	anything
)

// atoms are expressions that need no parentheses.
var atoms = map[kind][]string{
	text: {"s", "e", "u", "ns", "h", "ml", "dt", "'a'", `"b c"`, "''", "values.name", "nested.x.y[0].z", "sa[1]", "objs[1].n",
		"s[1]", "pairs[0][1]", "('x' ~ i)"},
	number: {"n", "neg", "z", "i", "1", "0", "2.5", "values['port']", "objs[0].v", "a[i - 6]", "sa.length", "(7)"},
	list:   {"a", "sa", "ea", "mixed", "objs", "pairs", "[1, 2]", "[]", "range(3)", "values.tags", "objs[2].l", "[s, n]"},
	object: {"o", "eo", "objs[0]", "{a: 1, 'b': [2]}", "nested", "values"},
	anything: {"t", "f", "nul", "missing", "x", "y", "v", "k", "acc", "none", "true", "false", "loop.index", "loop.first", "loop",
		"missing.x", "o.b", "mixed[4]"},
}

// A form is how a value of one kind becomes one of another: what comes after
// it.
type form struct {
	from, to kind
	after    []string
}

var filterForms = []form{
	{text, text, []string{"capitalize", "center(9)", "lower", "upper", "title", "trim", "indent", "indent(2, true)", "truncate(5)",
		"truncate(7, true, '~')", "replace('l', 'L')", "replace('o', '0', 1)", "replace(r/[aeiou]/g, '<$&>')", "replace('', '.')", "nl2br",
		"striptags", "striptags(true)", "urlencode", "urlize", "e", "escape", "forceescape", "safe", "string", "reverse", "first", "last",
		"upper | lower", "default('d')", "trim | title"}},
	{text, number, []string{"length", "int", "int(5)", "float", "wordcount"}},
	{text, list, []string{"list", "batch(2)", "slice(2)"}},
	{number, number, []string{"abs", "round", "round(1, 'floor')", "round(1, 'ceil')", "int", "float", "default(1)"}},
	{number, text, []string{"string", "dump"}},
	{list, text, []string{"join", "join(',')", "join('-', 'n')", "dump", "dump(2)", "first | string", "string"}},
	{list, list, []string{"reverse", "sort", "sort(true)", "sort(attribute='n')", "batch(2)", "batch(2, 0)", "slice(2)", "slice(3, 'f')",
		"list", "select('odd')", "reject('string')", "select", "selectattr('v')", "rejectattr('l')", "default([])"}},
	{list, number, []string{"length", "sum", "sum('v')", "sum(start=2)"}},
	{list, object, []string{"groupby('n')", "groupby('length')"}},
	{object, list, []string{"dictsort", "dictsort(false, 'value')", "dictsort(true)", "list"}},
	{object, text, []string{"dump", "urlencode", "string", "list | dump"}},
	{object, number, []string{"length"}},
	{anything, anything, []string{"default('d')", "default('d', true)", "dump", "length", "d(1)", "e"}},
	{anything, text, []string{"upper", "nosuch", "join", "title", "string"}},
}

var methodForms = []form{
	{text, text, []string{"slice(1)", "slice(-2)", "replace('o', '0')", "replace(r/o/g, '[$&]')", "toUpperCase()", "toLowerCase()", "trim()",
		"substring(2, 1)", "substr(-3, 2)", "charAt(1)", "at(-1)", "concat('x')", "padStart(20, 'ab')", "padEnd(9)", "repeat(2)", "toString()",
		"split('-')[0]", "normalize('NFD')"}},
	{text, number, []string{"indexOf('o')", "lastIndexOf('o')", "length", "charCodeAt(0)", "search(r/o/)", "localeCompare('b')"}},
	{text, list, []string{"split('-')", "split()", "split('')", "split(r/o/)", "match(r/./g)"}},
	{text, anything, []string{"includes('o')", "startsWith('H')", "endsWith('o')", "match(r/(l)(o)?/)", "matchAll(r/o/g)", "codePointAt(1)"}},
	{number, text, []string{"toFixed(1)", "toString()", "toString(2)", "toPrecision(3)"}},
	{list, list, []string{"slice(1)", "slice(-2)", "concat('x')", "concat([1], 2)", "reverse()", "sort()", "splice(1, 1)", "flat()", "fill(0, 1)"}},
	{list, number, []string{"length", "push(4)", "indexOf(1)", "unshift(9)"}},
	{list, text, []string{"join('+')", "join()", "toString()"}},
	{list, anything, []string{"pop()", "shift()", "at(-1)", "includes(1)", "keys()", "values()", "entries() | dump", "keys().next().value"}},
	{object, anything, []string{"b", "a", "x.y", "hasOwnProperty('a')", "toString()", "C"}},
	{anything, anything, []string{"nosuch()", "x.y", "n", "length", "toString()"}},
}

// pythonForms are for the compatible mode.
var pythonForms = []form{
	{list, list, []string{"[1:]", "[:2]", "[::-1]", "[-2:]", "[0:5:2]"}},
	{text, list, []string{"[1:3]", "[::-1]", "[:-1]"}},
	{list, anything, []string{".append(9)", ".count(1)", ".find('A')", ".pop(0)", ".insert(1, 'x')"}},
	{object, list, []string{".items()", ".keys()", ".values()"}},
	{object, anything, []string{".get('a')", ".get('zz', 1)", ".has_key('b')", ".setdefault('q', 2)", ".update({w: 1})", ".pop('a', 0)"}},
}

func (g *grammar) kind() kind { return kind(g.n(int(anything) + 1)) }

func (g *grammar) atom(k kind) string {
	if k == anything {
		k = g.kind()
	}
	return g.pick(atoms[k]...)
}

func (g *grammar) expr() string { return g.of(anything) }

// of writes an expression of a kind.
func (g *grammar) of(k kind) string {
	if g.depth++; g.depth > 5 || g.n(4) == 0 {
		g.depth--
		return g.atom(k)
	}
	defer func() { g.depth-- }()
	if g.n(40) == 0 {
		k = g.kind()
	}
	switch g.n(9) {
	case 0:
		return g.of(k) + " " + g.pick("and", "or") + " " + g.of(k)
	case 1:
		return "(" + g.of(k) + ")"
	case 2:
		return g.conditional(k)
	case 3, 4, 5:
		return g.made(filterForms, k, " | ")
	case 6:
		return "(" + g.made(g.postfixes(k)) + ")"
	}
	return g.operation(k)
}

// conditional is in parentheses, as where it ends is not obvious, or now and
// then wrongly not.
func (g *grammar) conditional(k kind) string {
	e := g.of(k) + " if " + g.expr() + g.pick("", " else "+g.atom(k))
	if g.n(20) == 0 {
		return e
	}
	return "(" + e + ")"
}

func (g *grammar) postfixes(k kind) (forms []form, to kind, between string) {
	if g.compat && g.n(2) == 0 {
		return pythonForms, k, ""
	}
	return methodForms, k, "."
}

// made writes a value of kind k that is made from one of another kind.
func (g *grammar) made(forms []form, k kind, between string) string {
	var fit []form
	for _, f := range forms {
		if f.to == k || k == anything {
			fit = append(fit, f)
		}
	}
	if len(fit) == 0 {
		return g.atom(k)
	}
	f := fit[g.n(len(fit))]
	subject := g.atom(f.from)
	if between == " | " {
		subject = g.of(f.from)
	}
	return subject + between + g.pick(f.after...)
}

// operation applies an operator that yields a kind.
func (g *grammar) operation(k kind) string {
	switch k {
	case text:
		return g.expr() + " ~ " + g.expr()
	case number:
		return g.of(number) + " " + g.pick("+", "-", "*", "/", "//", "%", "+") + " " + g.of(number)
	case list, object:
		return g.macroCall()
	}
	switch g.n(6) {
	case 0:
		// Not <= and >=: with NaN the oracle's engine takes them for true.
		return g.expr() + " " + g.pick("==", "===", "!=", "!==", "<", ">") + " " + g.expr()
	case 1:
		return g.pick("not ", "-", "+", "not ") + g.expr()
	case 2:
		return "(" + g.expr() + g.pick(" is ", " is not ") + g.pick("defined", "undefined", "string", "number", "odd", "even", "none", "mapping",
			"truthy", "falsy", "eq(1)", "divisibleby(2)", "gt(2)", "callable", "sameas(s)", "escaped", "nosuch") + ")"
	case 3:
		return g.atom(anything) + g.pick(" in ", " not in ") + g.atom(slices.Max([]kind{list, object, kind(g.n(4))}))
	case 4:
		return g.expr() + " " + g.pick("+", "-", "~", "*") + " " + g.expr()
	}
	return g.macroCall()
}
