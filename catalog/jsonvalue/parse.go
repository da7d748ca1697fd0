package jsonvalue

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested in what Parse reads.
const MaxDepth = 500

// ErrTooDeep is returned for input nested deeper than MaxDepth.
var ErrTooDeep = fmt.Errorf("nested deeper than %d levels", MaxDepth)

// ErrUnexpectedEnd is returned for input that stops inside a value.
//
//lint:ignore ST1005 clients of the reference see these words
var ErrUnexpectedEnd = errors.New("Unexpected end of JSON input")

// A SyntaxError says where input stops being JSON.
type SyntaxError struct {
	Offset int    // in bytes, from 0
	Token  string // the character found there
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("Unexpected token %s in JSON at position %d", e.Token, e.Offset)
}

// Parse reads one JSON value and refuses anything after it. Of a repeated key
// the last value counts; numbers become doubles. Errors are *SyntaxError,
// ErrUnexpectedEnd and ErrTooDeep.
func Parse(data []byte) (any, error) {
	p := parser{data: data}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(p.data) {
		return nil, p.unexpected()
	}
	return v, nil
}

// ParseObject is Parse for input that must be an object.
func ParseObject(data []byte) (*Object, error) {
	v, err := Parse(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*Object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return o, nil
}

// UnmarshalJSON makes an object usable with encoding/json.
func (o *Object) UnmarshalJSON(data []byte) error {
	x, err := ParseObject(data)
	if err != nil {
		return err
	}
	o.members, o.positions, o.indexes, o.scattered = x.members, x.positions, x.indexes, x.scattered
	o.ordered.Store(nil)
	return nil
}

type parser struct {
	data []byte
	at   int
}

func (p *parser) space() {
	for p.at < len(p.data) {
		switch p.data[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) unexpected() error {
	if p.at >= len(p.data) {
		return ErrUnexpectedEnd
	}
	r, _ := utf8.DecodeRune(p.data[p.at:])
	return &SyntaxError{Offset: p.at, Token: string(r)}
}

func (p *parser) value(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, ErrTooDeep
	}
	p.space()
	if p.at >= len(p.data) {
		return nil, ErrUnexpectedEnd
	}
	switch c := p.data[p.at]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return p.str()
	case c == '-' || (c >= '0' && c <= '9'):
		return p.number()
	case c == 't':
		return true, p.literal("true")
	case c == 'f':
		return false, p.literal("false")
	case c == 'n':
		return nil, p.literal("null")
	}
	return nil, p.unexpected()
}

func (p *parser) literal(word string) error {
	for i := range len(word) {
		if p.at >= len(p.data) || p.data[p.at] != word[i] {
			return p.unexpected()
		}
		p.at++
	}
	return nil
}

func (p *parser) object(depth int) (any, error) {
	o := &Object{}
	p.at++
	p.space()
	if p.at < len(p.data) && p.data[p.at] == '}' {
		p.at++
		return o, nil
	}
	o.members = make([]Member, 0, 8)
	for {
		p.space()
		if p.at >= len(p.data) || p.data[p.at] != '"' {
			return nil, p.unexpected()
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		p.space()
		if p.at >= len(p.data) || p.data[p.at] != ':' {
			return nil, p.unexpected()
		}
		p.at++
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o.Set(key, v)
		more, err := p.next('}')
		if err != nil || !more {
			return o, err
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	list := []any{}
	p.at++
	p.space()
	if p.at < len(p.data) && p.data[p.at] == ']' {
		p.at++
		return list, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		more, err := p.next(']')
		if err != nil || !more {
			return list, err
		}
	}
}

// next steps over a comma, and then more is true, or over the closing bracket.
func (p *parser) next(closing byte) (more bool, err error) {
	p.space()
	if p.at >= len(p.data) {
		return false, ErrUnexpectedEnd
	}
	switch p.data[p.at] {
	case ',':
		p.at++
		return true, nil
	case closing:
		p.at++
		return false, nil
	}
	return false, p.unexpected()
}

func (p *parser) number() (any, error) {
	start := p.at
	if p.data[p.at] == '-' {
		p.at++
	}
	switch {
	case p.at < len(p.data) && p.data[p.at] == '0':
		p.at++
	case !p.digits():
		return nil, p.unexpected()
	}
	if p.at < len(p.data) && p.data[p.at] == '.' {
		p.at++
		if !p.digits() {
			return nil, p.unexpected()
		}
	}
	if p.at < len(p.data) && (p.data[p.at] == 'e' || p.data[p.at] == 'E') {
		p.at++
		if p.at < len(p.data) && (p.data[p.at] == '+' || p.data[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return nil, p.unexpected()
		}
	}
	f, err := strconv.ParseFloat(string(p.data[start:p.at]), 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, &SyntaxError{Offset: start, Token: string(p.data[start:p.at])}
	}
	return f, nil
}

func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.data) && p.data[p.at] >= '0' && p.data[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}

// str reads a string; the common one without escapes is taken as it stands.
func (p *parser) str() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.data) {
		switch c := p.data[p.at]; {
		case c == '"':
			s := string(p.data[start:p.at])
			p.at++
			if !utf8.ValidString(s) {
				s = strings.ToValidUTF8(s, "\uFFFD")
			}
			return s, nil
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.unexpected()
		}
		p.at++
	}
	return "", ErrUnexpectedEnd
}

func (p *parser) escaped(start int) (string, error) {
	out := append([]byte(nil), p.data[start:p.at]...)
	for p.at < len(p.data) {
		c := p.data[p.at]
		switch {
		case c == '"':
			p.at++
			return strings.ToValidUTF8(string(out), "\uFFFD"), nil
		case c < 0x20:
			return "", p.unexpected()
		case c != '\\':
			out = append(out, c)
			p.at++
			continue
		}
		p.at++
		if p.at >= len(p.data) {
			return "", ErrUnexpectedEnd
		}
		var err error
		if out, err = p.escape(out); err != nil {
			return "", err
		}
	}
	return "", ErrUnexpectedEnd
}

// escape appends what the escape sequence at the current place stands for.
func (p *parser) escape(out []byte) ([]byte, error) {
	const letters, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if i := strings.IndexByte(letters, p.data[p.at]); i >= 0 {
		p.at++
		return append(out, meant[i]), nil
	}
	if p.data[p.at] != 'u' {
		return nil, p.unexpected()
	}
	p.at++
	r, err := p.hex4()
	if err != nil {
		return nil, err
	}
	if utf16.IsSurrogate(r) {
		r = p.lowSurrogate(r)
	}
	return utf8.AppendRune(out, r), nil
}

// lowSurrogate joins the high surrogate with the escape that follows it; alone
// it cannot be written as UTF-8 and becomes U+FFFD.
func (p *parser) lowSurrogate(high rune) rune {
	if p.at+6 > len(p.data) || p.data[p.at] != '\\' || p.data[p.at+1] != 'u' {
		return utf8.RuneError
	}
	mark := p.at
	p.at += 2
	low, err := p.hex4()
	if r := utf16.DecodeRune(high, low); err == nil && r != utf8.RuneError {
		return r
	}
	p.at = mark
	return utf8.RuneError
}

func (p *parser) hex4() (rune, error) {
	if p.at+4 > len(p.data) {
		p.at = len(p.data)
		return 0, ErrUnexpectedEnd
	}
	n, err := strconv.ParseUint(string(p.data[p.at:p.at+4]), 16, 32)
	if err != nil {
		return 0, p.unexpected()
	}
	p.at += 4
	return rune(n), nil
}
