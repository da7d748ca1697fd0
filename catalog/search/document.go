package search

import (
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Document is something that can be found.
type Document struct {
	// Key names the document within its type. Of two with one key the later
	// one counts.
	Key string
	// Names are what else people call it, and look for as for its title. They
	// are not shown.
	Names []string
	// Resource is what a permission to see the document is about, usually an
	// entity ref; "" for none.
	Resource string
	// Body is what is shown: title, text, location and whatever else the type
	// has. All strings in it, and lists of strings, can be found, save for the
	// location and the path. It is not changed after it was handed over.
	Body *jsonvalue.Object
}

// Names of fields that mean more than others.
const (
	fieldTitle    = "title"
	fieldText     = "text"
	fieldLocation = "location"
	fieldPath     = "path"
)

// maxFieldWords is how many words of one field can be found. What is beyond is
// shown all the same.
const maxFieldWords = 20_000

// Places of fields in a mask. Further fields follow in order of appearance, up
// to maxFields; those beyond cannot be found.
const (
	placeNames = iota
	placeTitle
	placeText
	firstOther
	maxFields = 16
)

// texts yields the values of a field of a body.
func texts(v any, yield func(string)) {
	switch v := v.(type) {
	case string:
		yield(v)
	case bool, float64:
		yield(string(jsonvalue.Append(nil, v)))
	case []any:
		for _, item := range v {
			if s, ok := item.(string); ok {
				yield(s)
			}
		}
	}
}

// safeLocation tells whether a browser may be sent to a location: it is
// relative, http or https. What browsers leave out when they read a scheme is
// left out here too.
func safeLocation(location string) bool {
	scheme, _, ok := strings.Cut(strings.Map(visible, location), ":")
	if !ok || strings.ContainsAny(scheme, `/\?#`) {
		return true
	}
	return strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
}

func visible(r rune) rune {
	if r <= ' ' || r == 0x7f {
		return -1
	}
	return r
}
