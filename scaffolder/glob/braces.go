package glob

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// groups rewrites ?(a|b) and @(a|b) as braces, and !(a|b) as a star with what
// must not match then.
func groups(pattern string) (include, exclude string, err error) {
	var with, without strings.Builder // include, and the same with braces for !(…)
	negated := false
	for i := 0; i < len(pattern); {
		n := groupLength(pattern[i:])
		if n == 0 {
			n = 1
			if pattern[i] == '\\' {
				n = min(2, len(pattern)-i)
			}
			with.WriteString(pattern[i : i+n])
			without.WriteString(pattern[i : i+n])
			i += n
			continue
		}
		braces, err := asBraces(pattern[i : i+n])
		if err != nil {
			return "", "", err
		}
		without.WriteString(braces)
		switch isNot := pattern[i] == '!'; {
		case !isNot:
			with.WriteString(braces)
		case !strings.HasSuffix(with.String(), "*") && !strings.HasPrefix(pattern[i+n:], "*"):
			with.WriteByte('*') // two stars would mean folders
		}
		negated = negated || pattern[i] == '!'
		i += n
	}
	if negated {
		exclude = without.String()
	}
	return with.String(), exclude, nil
}

// groupLength returns how long the group is that a pattern begins with; 0 if
// it begins with none.
func groupLength(pattern string) int {
	if len(pattern) < 2 || pattern[1] != '(' || strings.IndexByte("?@!+*", pattern[0]) < 0 {
		return 0
	}
	return strings.IndexByte(pattern, ')') + 1
}

// asBraces writes the alternatives of a group in braces.
func asBraces(group string) (string, error) {
	inner := group[2 : len(group)-1]
	if group[0] == '+' || group[0] == '*' || strings.ContainsAny(inner, "({") {
		return "", fmt.Errorf("the group %s is not supported; write its alternatives as {a,b} or as patterns of their own", group)
	}
	alternatives := strings.ReplaceAll(inner, "|", ",")
	if group[0] == '?' {
		alternatives = "," + alternatives
	}
	return "{" + alternatives + "}", nil
}

var span = regexp.MustCompile(`\{(-?\d{1,6})\.\.(-?\d{1,6})\}|\{([a-zA-Z])\.\.([a-zA-Z])\}`)

// plainer rewrites {1..3} as {1,2,3}, {a} without a comma as a name, and named
// classes as ranges.
func plainer(pattern string) (string, error) {
	var err error
	pattern = span.ReplaceAllStringFunc(pattern, func(s string) string {
		m := span.FindStringSubmatch(s)
		from, to := 0, 0
		letters := m[3] != ""
		if letters {
			from, to = int(m[3][0]), int(m[4][0])
		} else {
			from, _ = strconv.Atoi(m[1]) // six digits at most
			to, _ = strconv.Atoi(m[2])
		}
		if max(from, to)-min(from, to) >= maxAlternatives {
			err = fmt.Errorf("%s has more than %d alternatives", s, maxAlternatives)
			return s
		}
		return listed(from, to, letters)
	})
	return bareBraces.ReplaceAllString(classes.Replace(pattern), `\{$1\}`), err
}

// classes are those of POSIX, which stand in brackets.
var classes = strings.NewReplacer("[:alpha:]", "a-zA-Z", "[:digit:]", "0-9", "[:alnum:]", "a-zA-Z0-9", "[:upper:]", "A-Z",
	"[:lower:]", "a-z", "[:xdigit:]", "0-9a-fA-F", "[:word:]", "a-zA-Z0-9_", "[:space:]", " \t")

// bareBraces are those without alternatives.
var bareBraces = regexp.MustCompile(`\{([^{},]*)\}`)

func listed(from, to int, letters bool) string {
	step := 1
	if from > to {
		step = -1
	}
	var items []string
	for n := from; ; n += step {
		if letters {
			items = append(items, string(rune(n)))
		} else {
			items = append(items, strconv.Itoa(n))
		}
		if n == to {
			return "{" + strings.Join(items, ",") + "}"
		}
	}
}

// expand returns the patterns without braces that a pattern stands for.
func expand(pattern string) ([]string, error) {
	from, to := firstGroup(pattern)
	if from < 0 {
		return []string{path.Clean(pattern)}, nil
	}
	var out []string
	for _, choice := range choices(pattern[from+1 : to]) {
		more, err := expand(pattern[:from] + choice + pattern[to+1:])
		if out = append(out, more...); err != nil || len(out) > maxAlternatives {
			return nil, fmt.Errorf("more than %d alternatives", maxAlternatives)
		}
	}
	return out, nil
}

// firstGroup returns the places of the first brace that is closed and of its
// counterpart, or -1. Braces that are not closed are left to be part of a name.
func firstGroup(pattern string) (from, to int) {
	for from := 0; from < len(pattern); from++ {
		switch pattern[from] {
		case '\\':
			from++
		case '{':
			if to := closing(pattern, from); to > 0 {
				return from, to
			}
		}
	}
	return -1, -1
}

func closing(pattern string, from int) int {
	depth := 0
	for i := from; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// choices splits what is between braces at its commas.
func choices(inner string) []string {
	var out []string
	depth, start := 0, 0
	for i := 0; i < len(inner); i++ {
		switch inner[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, inner[start:i])
				start = i + 1
			}
		}
	}
	return append(out, inner[start:])
}
