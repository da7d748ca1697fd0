package nunjucks

import (
	"maps"
	"slices"
	"strings"
)

// instead says what nunjucks has where authors look for what other template
// languages call so.
var instead = map[string]string{
	"lowercase":     "did you mean lower?",
	"uppercase":     "did you mean upper?",
	"split":         `there is no such filter; write value.split(",")`,
	"tojson":        "did you mean dump?",
	"to_json":       "did you mean dump?",
	"json":          "did you mean dump?",
	"count":         "did you mean length?",
	"size":          "did you mean length?",
	"items":         "write {% for key, value in object %}",
	"keys":          "write {% for key, value in object %}",
	"map":           `there is no such filter; for attributes write | join(",", "attribute") or a for loop`,
	"regex_replace": "write | replace(r/…/g, …)",
	"wordwrap":      "there is no such filter",
	"truncatechars": "did you mean truncate?",
}

// suggest returns a hint with the known name that is most like this one.
func suggest(name string, known []string) string {
	if h, ok := instead[strings.ToLower(name)]; ok {
		return h
	}
	best, least := "", len(name)/3+2
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b. Long names are not compared.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var rows [3][longest + 1]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row, above, twoAbove := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], twoAbove[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}

func (e *Env) filterHint(name string) string { return suggest(name, e.filterNames()) }
func (e *Env) filterNames() []string         { return slices.Sorted(maps.Keys(e.filters)) }
func (e *Env) testNames() []string           { return slices.Sorted(maps.Keys(e.tests)) }

// functionHint helps where a name that is called is no function.
func (a *activation) functionHint(name string) string {
	env := a.unit.tmpl.env
	if env.filters[name] != nil {
		return name + " is a filter; write value | " + name
	}
	return suggest(name, slices.Sorted(maps.Keys(env.globals)))
}

// methodHint helps where a value has no such method.
func methodHint(this Value, name string) string {
	if this.kind == KindUndefined {
		return "the value before the dot is undefined"
	}
	var names []string
	for k, ms := range memberTable {
		if ms.of(this) != nil {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	return suggest(name, names)
}
