package offline

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// unreadPlaces returns, as JSON pointers, where in an entity something belongs
// that only a network knows.
func unreadPlaces(e catalog.Entity) []string {
	var out []string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case []any:
			for i := range v {
				walk(at+"/"+strconv.Itoa(i), v[i])
			}
		case *jsonvalue.Object:
			if isUnread(v) {
				out = append(out, at)
				return
			}
			for key, x := range v.All() {
				walk(at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), x)
			}
		}
	}
	walk("", e.Object)
	return out
}

// isUnread tells whether an object is a placeholder for what an absolute URL
// holds.
func isUnread(o *jsonvalue.Object) bool {
	if o.Len() != 1 {
		return false
	}
	m := o.Members()[0]
	where, isText := m.Value.(string)
	return isText && scheme.MatchString(where) && slices.Contains([]string{"$text", "$json", "$yaml"}, m.Key)
}

// judged leaves out errors about what was not read: whatever stands there
// instead proves nothing.
func judged(errs []error, unread []string) []error {
	return slices.DeleteFunc(slices.Clone(errs), func(err error) bool {
		var e *catalog.Error
		for err != nil && errors.As(err, &e) {
			pointer, _, _ := strings.Cut(e.Message, " ")
			for _, place := range unread {
				if pointer == place || strings.HasPrefix(pointer, place+"/") {
					return true
				}
			}
			err = e.Cause
		}
		return false
	})
}
