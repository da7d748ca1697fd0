package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// LogOverride is an entry of backend.logger.overrides: lines that have all of
// these fields are written from that level on.
type LogOverride struct {
	Matchers map[string]Matcher
	Level    string
}

// A Matcher is what a field of a line is compared with.
type Matcher struct {
	words    []string
	patterns []*regexp.Regexp
}

// Matches tells whether a value is one of the words, or matches one of the
// patterns.
func (m Matcher) Matches(value string) bool {
	return slices.Contains(m.words, value) || slices.ContainsFunc(m.patterns, func(p *regexp.Regexp) bool { return p.MatchString(value) })
}

func (r *reader) overrides(v Value) (out []LogOverride) {
	for item := range r.items(v) {
		o := LogOverride{Matchers: map[string]Matcher{}, Level: strings.ToLower(r.required(item.At("level")))}
		if o.Level != "" && !knownLevel(o.Level) {
			r.fault(item.At("level").Fault("%q is not one of error, warn, info, debug", o.Level))
		}
		matchers := item.At("matchers")
		if !matchers.IsObject() || len(matchers.Keys()) == 0 {
			r.fault(matchers.Fault("it must name a field at least, such as {plugin: catalog}"))
		}
		for _, name := range matchers.Keys() {
			o.Matchers[name] = r.matcher(matchers.Child(name))
		}
		out = append(out, o)
	}
	return out
}

// matcher reads a value, a list of values, and patterns between slashes.
func (r *reader) matcher(v Value) (m Matcher) {
	values := []any{v.Plain()}
	if list, ok := v.Plain().([]any); ok {
		values = list
	}
	for _, value := range values {
		text := fmt.Sprint(value)
		source, flags, ok := pattern(text)
		if !ok {
			m.words = append(m.words, text)
			continue
		}
		if strings.Contains(flags, "i") {
			source = "(?i)" + source
		}
		p, err := regexp.Compile(source)
		if err != nil {
			r.fault(v.Fault("'%s' is not a pattern: %s", text, err))
			continue
		}
		m.patterns = append(m.patterns, p)
	}
	return m
}

// pattern splits /source/flags.
func pattern(text string) (source, flags string, ok bool) {
	end := strings.LastIndexByte(text, '/')
	if len(text) < 2 || text[0] != '/' || end == 0 || strings.Trim(text[end+1:], "gimsuy") != "" {
		return "", "", false
	}
	return text[1:end], text[end+1:], true
}
