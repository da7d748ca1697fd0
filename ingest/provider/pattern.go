package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/dlclark/regexp2/v2"
)

// A Pattern is a regular expression as operators write them for the reference,
// in the syntax of JavaScript. The zero value matches everything.
type Pattern struct {
	text string
	// fast is set where Go's own engine knows the syntax, which takes linear
	// time; slow otherwise, for look-aheads and the like.
	fast *regexp.Regexp
	slow *regexp2.Regexp
}

// maxPattern bounds the length of an expression, maxMatch the time of a match.
const (
	maxPattern = 1000
	maxMatch   = 100 * time.Millisecond
)

// ParsePattern reads an expression. An anchored one must match the whole of a
// text, others any part of it.
func ParsePattern(text string, anchored bool) (Pattern, error) {
	if len(text) > maxPattern {
		return Pattern{}, fmt.Errorf("a regular expression of %d characters is too long", len(text))
	}
	full := text
	if anchored {
		full = "^(?:" + text + ")$"
	}
	p := Pattern{text: full}
	var err error
	if p.fast, err = regexp.Compile(full); err == nil {
		return p, nil
	}
	if p.slow, err = regexp2.Compile(full, regexp2.ECMAScript); err != nil {
		return Pattern{}, fmt.Errorf("'%s' is not a regular expression", text)
	}
	p.slow.MatchTimeout = maxMatch
	return p, nil
}

// IsZero tells whether the pattern matches everything for want of one.
func (p Pattern) IsZero() bool { return p.text == "" }

// Match tells whether the pattern matches. The error is that it took too long,
// after which nobody knows.
func (p Pattern) Match(s string) (bool, error) {
	switch {
	case p.fast != nil:
		return p.fast.MatchString(s), nil
	case p.slow != nil:
		ok, err := p.slow.MatchString(s)
		if err != nil {
			return false, fmt.Errorf("match %q against '%s': %w", s, p.text, err)
		}
		return ok, nil
	}
	return true, nil
}

// MarshalText returns the expression, for fingerprints.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// Fingerprint stands for options, which encoding/json must be able to encode.
func Fingerprint(options any) string {
	data, err := json.Marshal(options)
	if err != nil {
		data = fmt.Append(nil, options)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
