package scaffolderapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/greenroom-idp/greenroom/api/permission"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// actionHolds tells whether rules hold for a call of an action.
func actionHolds(id string, input *jsonvalue.Object) func(*permission.Rule) (bool, error) {
	return func(r *permission.Rule) (bool, error) {
		if _, err := permission.FindRule(rules(), r, ActionType); err != nil {
			return false, err
		}
		if r.Name == "HAS_ACTION_ID" {
			return r.Params.String("actionId") == id, nil
		}
		found, ok := property(input, r.Params.String("key"))
		if !ok || !isOf(r.Name, found) {
			return false, nil
		}
		want, given := r.Params.Get("value")
		if !given {
			return true, nil
		}
		a, aText := found.(string)
		b, bText := want.(string)
		if aText && bText && foldsCase(id, r.Params.String("key")) {
			return strings.EqualFold(a, b), nil
		}
		return found == want, nil
	}
}

func isOf(rule string, v any) bool {
	var ok bool
	switch rule {
	case "HAS_BOOLEAN_PROPERTY":
		_, ok = v.(bool)
	case "HAS_NUMBER_PROPERTY":
		_, ok = v.(float64)
	case "HAS_STRING_PROPERTY":
		_, ok = v.(string)
	}
	return ok
}

// foldsCase tells whether a forge takes a value for the same in another case.
func foldsCase(actionID, key string) bool {
	segments := strings.Split(actionID, ":")
	forge := slices.ContainsFunc(segments, func(s string) bool {
		return slices.Contains([]string{"gitlab", "github", "bitbucket", "bitbucketCloud", "bitbucketServer"}, s)
	})
	return forge && (slices.Contains([]string{"owner", "repoName", "projectId", "repoUrl"}, key) ||
		key == "path" && slices.Contains(segments, "group"))
}

// meant returns the inputs that a call of an action may stand for. A group that
// is given by its number could be any of those that the criteria name by their
// paths, and what is forbidden by its path must not be reached by its number.
func meant(id string, input *jsonvalue.Object, c *permission.Criteria) []*jsonvalue.Object {
	const key = "path"
	if !foldsCase(id, key) || !isNumeric(input.Value(key)) {
		return []*jsonvalue.Object{input}
	}
	var out []*jsonvalue.Object
	for _, path := range valuesOf(c, key) {
		o := jsonvalue.NewObject(input.Members()...)
		o.Set(key, path)
		out = append(out, o)
	}
	if out == nil {
		return []*jsonvalue.Object{input}
	}
	return out
}

func isNumeric(v any) bool {
	text, ok := v.(string)
	if !ok {
		_, ok = v.(float64)
		return ok
	}
	_, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	return err == nil
}

// valuesOf returns the values that criteria compare a property with.
func valuesOf(c *permission.Criteria, key string) []any {
	if c == nil {
		return nil
	}
	var out []any
	if c.Rule != nil && c.Rule.Params.String("key") == key {
		if v, given := c.Rule.Params.Get("value"); given {
			out = append(out, v)
		}
	}
	for _, inner := range slices.Concat(c.AllOf, c.AnyOf, []*permission.Criteria{c.Not}) {
		out = append(out, valuesOf(inner, key)...)
	}
	return out
}

// property follows a path such as a.b[0].
func property(o *jsonvalue.Object, path string) (any, bool) {
	var v any = o
	for part := range strings.SplitSeq(strings.ReplaceAll(path, "[", ".["), ".") {
		if part == "" {
			continue
		}
		if inner, ok := strings.CutPrefix(part, "["); ok {
			list, _ := v.([]any)
			i, err := strconv.Atoi(strings.TrimSuffix(inner, "]"))
			if err != nil || i < 0 || i >= len(list) {
				return nil, false
			}
			v = list[i]
			continue
		}
		object, _ := v.(*jsonvalue.Object)
		var ok bool
		if v, ok = object.Get(part); !ok {
			return nil, false
		}
	}
	return v, true
}
