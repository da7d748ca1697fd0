package query

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// scriptSyntaxError says in the words of a JavaScript engine why text is not
// JSON: the character, and up to ten before and behind it.
func scriptSyntaxError(text string, err error) string {
	var at *jsonvalue.SyntaxError
	if !errors.As(err, &at) || at.Offset > len(text) {
		return err.Error()
	}
	const around = 10
	position := utf8.RuneCountInString(text[:at.Offset])
	runes := []rune(text)
	before, after := "", ""
	if len(runes) > 2*around {
		from, to := max(position-around, 0), min(position+around, len(runes))
		if from > 0 {
			before = "..."
		}
		if to < len(runes) {
			after = "..."
		}
		runes = runes[from:to]
	}
	return fmt.Sprintf("Unexpected token '%s', %s\"%s\"%s is not valid JSON", at.Token, before, string(runes), after)
}
