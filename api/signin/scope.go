package signin

import (
	"slices"
	"strings"
)

// splitScope returns scopes that stand between blanks, commas or bars.
func splitScope(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool {
		return c == ' ' || c == ',' || c == '|' || c == '\t' || c == '\n' || c == '\r'
	})
}

// joinScopes returns each of the scopes once, in the order of first mention.
func joinScopes(lists ...[]string) string {
	var out []string
	for _, scope := range slices.Concat(lists...) {
		if !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return strings.Join(out, " ")
}

// covers tells whether all wanted scopes are among the granted.
func covers(granted []string, wanted string) bool {
	return !slices.ContainsFunc(splitScope(wanted), func(s string) bool { return !slices.Contains(granted, s) })
}
