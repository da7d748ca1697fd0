package cookiecutter

import (
	"fmt"
	"regexp"
	"strings"
)

// patterns are those of Python's fnmatch: * and ? also match slashes.
type patterns []*regexp.Regexp

const (
	maxPatterns = 1000
	maxLength   = 1000
)

func compile(list []string) (patterns, error) {
	if len(list) > maxPatterns {
		return nil, fmt.Errorf("there are more than %d patterns", maxPatterns)
	}
	var out patterns
	for _, p := range list {
		if len(p) > maxLength {
			return nil, fmt.Errorf("a pattern is longer than %d bytes", maxLength)
		}
		re, err := regexp.Compile(expression(p))
		if err != nil {
			return nil, fmt.Errorf("the pattern %q is not valid", p)
		}
		out = append(out, re)
	}
	return out, nil
}

func (ps patterns) match(name string) bool {
	for _, p := range ps {
		if p.MatchString(name) {
			return true
		}
	}
	return false
}

// expression translates a pattern to a regular expression. A bracket that is
// not closed is a character like others.
func expression(pattern string) string {
	runes := []rune(pattern)
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; r {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '[':
			end := closing(runes, i)
			if end < 0 {
				b.WriteString(`\[`)
				continue
			}
			b.WriteString(class(string(runes[i+1 : end])))
			i = end
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return b.String() + `\z`
}

// closing returns the place of the bracket that closes the one at i, which is
// not the first character between them; -1 if there is none.
func closing(runes []rune, i int) int {
	first := i + 1
	if first < len(runes) && runes[first] == '!' {
		first++
	}
	for j := first + 1; j < len(runes); j++ {
		if runes[j] == ']' {
			return j
		}
	}
	return -1
}

// class translates what is between brackets.
func class(inner string) string {
	inner, not := strings.CutPrefix(inner, "!")
	inner = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(inner)
	if not {
		return "[^" + inner + "]"
	}
	return "[" + inner + "]"
}
