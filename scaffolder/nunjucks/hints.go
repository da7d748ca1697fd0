package nunjucks

import (
	"maps"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/scaffolder/spelling"
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
	best := spelling.Nearest(name, known)
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
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
