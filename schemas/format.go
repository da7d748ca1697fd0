package schemas

import (
	"errors"
	"strings"
)

// A Format is what a field that every entity can have must look like.
type Format int

// The formats. Names and values are at most 63 characters long, prefixes at
// most 253.
const (
	// FormatAPIVersion is a word of letters and digits, and before it
	// optionally a DNS subdomain and a slash.
	FormatAPIVersion Format = iota
	// FormatKind is a letter, then letters and digits.
	FormatKind
	// FormatName is letters and digits, and between them also -, _ and dots.
	FormatName
	// FormatNamespace is a DNS label in lower case.
	FormatNamespace
	// FormatKey is that of the keys of labels and annotations: a name, and
	// before it optionally a DNS subdomain and a slash.
	FormatKey
	// FormatLabelValue is a name, or empty.
	FormatLabelValue
	// FormatString is any string.
	FormatString
	// FormatTag is words of a-z, 0-9, colon, + and #, joined by dashes.
	FormatTag
	// FormatURL is an absolute URL.
	FormatURL
	// FormatText is a string with something other than blanks in it.
	FormatText
)

const (
	maxWord   = 63
	maxPrefix = 253
)

const wordExpectation = "a string that is sequences of [a-zA-Z0-9] separated by any of [-_.], at most 63 characters in total"

// formats says for each format who checks it and what errors say it expects.
var formats = [...]struct {
	valid       func(string) bool
	expectation string
}{
	FormatAPIVersion: {isAPIVersion, "a valid prefix and/or suffix"},
	FormatKind:       {isKind, "a string that is a sequence of [a-zA-Z][a-z0-9A-Z], at most 63 characters in total"},
	FormatName:       {isName, wordExpectation},
	FormatNamespace:  {isLabel, "a string that is sequences of [a-z0-9] separated by [-], at most 63 characters in total"},
	FormatKey:        {isKey, "a valid prefix and/or suffix"},
	FormatLabelValue: {func(s string) bool { return s == "" || isName(s) }, wordExpectation},
	FormatString:     {func(string) bool { return true }, "a string"},
	FormatTag:        {isTag, "a string that is sequences of [a-z0-9+#] separated by [-], at most 63 characters in total"},
	FormatURL:        {isURL, "a string that is a valid url"},
	FormatText:       {func(s string) bool { return strings.TrimFunc(s, isSpace) != "" }, "a non empty string"},
}

// formatHelp is where errors send people.
const formatHelp = "To learn more about catalog file format, visit: https://github.com/backstage/backstage/blob/master/docs/architecture-decisions/adr002-default-catalog-file-format.md"

// Valid tells whether s has the format.
func (f Format) Valid(s string) bool { return formats[f].valid(s) }

// CheckField checks the value of a field, by whose name the error calls it. A
// nil value is an error, and so is one that is not a string.
func CheckField(field string, f Format, value any) error {
	s, ok := value.(string)
	if ok && formats[f].valid(s) {
		return nil
	}
	if value == nil {
		return errors.New(field + " must have a value")
	}
	return errors.New(`"` + field + `" is not valid; expected ` + formats[f].expectation +
		` but found "` + text(value) + `". ` + formatHelp)
}

func isAPIVersion(s string) bool {
	return prefixed(s, func(s string) bool { return word(s, alphanumeric, "") })
}

func isKey(s string) bool { return prefixed(s, isName) }

// prefixed tells whether s is a suffix, or a DNS subdomain, a slash and one.
func prefixed(s string, suffix func(string) bool) bool {
	prefix, rest, found := strings.Cut(s, "/")
	if !found {
		return suffix(s)
	}
	return isSubdomain(prefix) && suffix(rest)
}

func isSubdomain(s string) bool {
	if s == "" || len(s) > maxPrefix {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

func isKind(s string) bool {
	return word(s, alphanumeric, "") && (s[0] < '0' || s[0] > '9')
}

func isName(s string) bool { return word(s, alphanumeric, "-_.") }

func isLabel(s string) bool { return word(s, lowerOrDigit, "-") }

func isTag(s string) bool {
	return word(s, func(c byte) bool { return lowerOrDigit(c) || c == ':' || c == '+' || c == '#' }, "-") &&
		!strings.Contains(s, "--")
}

// word tells whether s has 1 to 63 bytes, all inner ones or, except for the
// first and the last, separators.
func word(s string, inner func(byte) bool, separators string) bool {
	if s == "" || len(s) > maxWord || !inner(s[0]) || !inner(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if !inner(s[i]) && strings.IndexByte(separators, s[i]) < 0 {
			return false
		}
	}
	return true
}

func lowerOrDigit(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }

func alphanumeric(c byte) bool { return lowerOrDigit(c) || c >= 'A' && c <= 'Z' }

// isSpace tells whether JavaScript trims r.
func isSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
		return true
	}
	return r >= 0x2000 && r <= 0x200a
}
