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
