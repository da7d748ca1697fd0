package cookiecutter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks"
	"github.com/greenroom-idp/greenroom/scaffolder/skeleton"
)

// NewEngine returns an engine that offers templates what Jinja and the tool do
// beyond nunjucks.
func NewEngine(limits nunjucks.Limits) *skeleton.Engine {
	return skeleton.NewEngine(skeleton.EngineOptions{Filters: filters(), StringMethods: stringMethods(), Limits: limits})
}

func filters() map[string]nunjucks.Func {
	return map[string]nunjucks.Func{
		"jsonify": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) { return toJSON(args.At(0), "    ") },
		"tojson":  func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) { return toJSON(args.At(0), "") },
		"slugify": func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
			return nunjucks.StringValue(slug(args.At(0).String())), nil
		},
	}
}

func toJSON(v nunjucks.Value, indent string) (nunjucks.Value, error) {
	out, err := json.Marshal(v.Plain()) // with keys in order
	if err != nil {
		return nunjucks.UndefinedValue(), err
	}
	if indent != "" {
		var b bytes.Buffer
		if err := json.Indent(&b, out, "", indent); err != nil {
			return nunjucks.UndefinedValue(), err
		}
		out = b.Bytes()
	}
	return nunjucks.StringValue(string(out)), nil
}

// slug keeps ASCII letters and digits, with a dash for what is between them.
func slug(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}), "-")
}

// A stringMethod is a method of Python's strings; its arguments are those that
// were given.
type stringMethod func(s string, args arguments) (nunjucks.Value, error)

// arguments are the positional ones of a method.
type arguments []nunjucks.Value

func (a arguments) text(i int, otherwise string) string {
	if i >= len(a) || a[i].IsNullish() {
		return otherwise
	}
	return a[i].String()
}

func (a arguments) number(i, otherwise int) int {
	if i >= len(a) {
		return otherwise
	}
	if f, ok := a[i].Number(); ok && f == float64(int(f)) {
		return int(f)
	}
	return otherwise
}

func stringMethods() map[string]nunjucks.Func {
	out := map[string]nunjucks.Func{}
	for name, m := range pythonMethods() {
		out[name] = func(_ context.Context, args nunjucks.Args) (nunjucks.Value, error) {
			given := make(arguments, 0, args.Len())
			for i := 1; i < args.Len(); i++ {
				given = append(given, args.At(i))
			}
			return m(args.At(0).String(), given)
		}
	}
	return out
}

func pythonMethods() map[string]stringMethod {
	return map[string]stringMethod{
		"lower":        change(strings.ToLower),
		"upper":        change(strings.ToUpper),
		"title":        change(title),
		"capitalize":   change(capitalize),
		"swapcase":     change(swapCase),
		"strip":        trim(strings.TrimSpace, strings.Trim),
		"lstrip":       trim(func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) }, strings.TrimLeft),
		"rstrip":       trim(func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }, strings.TrimRight),
		"removeprefix": withText(strings.TrimPrefix),
		"removesuffix": withText(strings.TrimSuffix),
		"startswith":   test(strings.HasPrefix),
		"endswith":     test(strings.HasSuffix),
		"isdigit":      all(unicode.IsDigit),
		"isalpha":      all(unicode.IsLetter),
		"isalnum":      all(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }),
		"isspace":      all(unicode.IsSpace),
		"replace":      replace,
		"split":        split,
		"splitlines":   splitLines,
		"join":         join,
		"count":        count,
		"find":         find,
		"zfill":        zeroFill,
	}
}

func change(f func(string) string) stringMethod {
	return func(s string, _ arguments) (nunjucks.Value, error) { return nunjucks.StringValue(f(s)), nil }
}

func trim(blanks func(string) string, chars func(s, cutset string) string) stringMethod {
	return func(s string, args arguments) (nunjucks.Value, error) {
		if cutset := args.text(0, ""); cutset != "" {
			return nunjucks.StringValue(chars(s, cutset)), nil
		}
		return nunjucks.StringValue(blanks(s)), nil
	}
}

func withText(f func(s, text string) string) stringMethod {
	return func(s string, args arguments) (nunjucks.Value, error) {
		return nunjucks.StringValue(f(s, args.text(0, ""))), nil
	}
}

func test(f func(s, text string) bool) stringMethod {
	return func(s string, args arguments) (nunjucks.Value, error) {
		return nunjucks.BoolValue(f(s, args.text(0, ""))), nil
	}
}

func all(f func(r rune) bool) stringMethod {
	return func(s string, _ arguments) (nunjucks.Value, error) {
		return nunjucks.BoolValue(s != "" && strings.IndexFunc(s, func(r rune) bool { return !f(r) }) < 0), nil
	}
}

// title begins every run of letters with a capital.
func title(s string) string {
	inWord := false
	return strings.Map(func(r rune) rune {
		was := inWord
		if inWord = unicode.IsLetter(r); was {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func capitalize(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:size]) + strings.ToLower(s[size:])
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// longest bounds what a method makes of a text.
const longest = 1 << 20

func replace(s string, args arguments) (nunjucks.Value, error) {
	if len(args) < 2 {
		return nunjucks.UndefinedValue(), fmt.Errorf("replace needs what to replace, and by what")
	}
	from, to := args.text(0, ""), args.text(1, "")
	if n := strings.Count(s, from); len(s)+n*len(to) > longest {
		return nunjucks.UndefinedValue(), fmt.Errorf("the result of replace is larger than %d bytes", longest)
	}
	return nunjucks.StringValue(strings.Replace(s, from, to, args.number(2, -1))), nil
}

func split(s string, args arguments) (nunjucks.Value, error) {
	sep, most := args.text(0, ""), args.number(1, -1)
	if most >= 0 {
		most++
	}
	if sep == "" {
		return list(strings.Fields(s)), nil
	}
	return list(strings.SplitN(s, sep, most)), nil
}

func splitLines(s string, _ arguments) (nunjucks.Value, error) {
	if s == "" {
		return list(nil), nil
	}
	return list(strings.Split(strings.TrimSuffix(strings.ReplaceAll(s, "\r\n", "\n"), "\n"), "\n")), nil
}

func join(s string, args arguments) (nunjucks.Value, error) {
	if len(args) == 0 {
		return nunjucks.UndefinedValue(), fmt.Errorf("join needs a list")
	}
	var parts []string
	size := 0
	for i := range args[0].Len() {
		parts = append(parts, args[0].Index(i).String())
		if size += len(parts[i]) + len(s); size > longest {
			return nunjucks.UndefinedValue(), fmt.Errorf("the result of join is larger than %d bytes", longest)
		}
	}
	return nunjucks.StringValue(strings.Join(parts, s)), nil
}

func count(s string, args arguments) (nunjucks.Value, error) {
	return nunjucks.NumberValue(float64(strings.Count(s, args.text(0, "")))), nil
}

func find(s string, args arguments) (nunjucks.Value, error) {
	i := strings.Index(s, args.text(0, ""))
	if i > 0 {
		i = len([]rune(s[:i]))
	}
	return nunjucks.NumberValue(float64(i)), nil
}

func zeroFill(s string, args arguments) (nunjucks.Value, error) {
	missing := min(args.number(0, 0), longest) - len([]rune(s))
	if missing <= 0 {
		return nunjucks.StringValue(s), nil
	}
	sign := ""
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		sign, s = s[:1], s[1:]
	}
	return nunjucks.StringValue(sign + strings.Repeat("0", missing) + s), nil
}

func list(parts []string) nunjucks.Value {
	elems := make([]nunjucks.Value, len(parts))
	for i, p := range parts {
		elems[i] = nunjucks.StringValue(p)
	}
	return nunjucks.ArrayValue(elems...)
}
