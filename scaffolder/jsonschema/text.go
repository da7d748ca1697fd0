package jsonschema

import (
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/greenroom-idp/greenroom/scaffolder/nunjucks/jsregexp"
)

func isAbsent(v any) bool {
	_, ok := v.(absent)
	return ok
}

// truthy is JavaScript's conversion to a boolean.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil, absent:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && v == v
	case string:
		return v != ""
	}
	return true
}

// text is JavaScript's conversion to a string.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		if v {
			return "true"
		}
		return "false"
	case float64:
		return jsonvalue.FormatNumber(v)
	case string:
		return v
	case []any:
		texts := make([]string, len(v))
		for i, x := range v {
			if x != nil {
				texts[i] = text(x)
			}
		}
		return strings.Join(texts, ",")
	}
	return "[object Object]"
}

func quote(s string) string { return string(jsonvalue.AppendString(nil, s)) }

func quoteValue(v any) string { return string(jsonvalue.Append(nil, v)) }

// suffix is how a key appears in the name of a property: .key or [0], and
// ["a key"] where it would be ambiguous.
func suffix(key any) string {
	s := text(key)
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	switch {
	case s != "" && digits == len(s):
		return "[" + s + "]"
	case digits > 0 || strings.ContainsFunc(s, func(r rune) bool { return r == '.' || r == '[' || r == ']' || unicode.IsSpace(r) }):
		return "[" + quote(s) + "]"
	}
	return "." + s
}

// matchTime is how long a pattern may take in one validation.
const matchTime = time.Second

var errSlowPattern = errors.New("a pattern takes too long")

// patterns keeps compiled patterns of one schema.
type patterns struct {
	mu       sync.Mutex
	compiled map[string]*jsregexp.Regexp
}

func newPatterns() *patterns { return &patterns{compiled: map[string]*jsregexp.Regexp{}} }

func (p *patterns) get(source string) (*jsregexp.Regexp, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if re := p.compiled[source]; re != nil {
		return re, nil
	}
	re, err := jsregexp.Compile(source, "")
	if err != nil {
		return nil, &SchemaError{err.Error()}
	}
	p.compiled[source] = re
	return re, nil
}

// matches tells whether a pattern is found in a text.
func (w *walker) matches(pattern, s string) bool {
	re, err := w.schema.patterns.get(pattern)
	if err != nil {
		w.err = err
		return false
	}
	deadline := time.Now().Add(matchTime)
	found, err := re.Find(utf16.Encode([]rune(s)), 0, false, func() error {
		if time.Now().After(deadline) {
			return errSlowPattern
		}
		return nil
	})
	if err != nil {
		w.err = ErrTooComplex
	}
	return found != nil
}
