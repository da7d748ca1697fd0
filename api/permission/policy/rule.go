package policy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/permission"
)

// A rule is one entry of the policy.
type rule struct {
	number int // from 1
	name   string
	result permission.Result
	// permissions are patterns of names, one of which must match; the lists
	// behind them hold for all where they are nil.
	permissions            []string
	actions, resourceTypes []string
	users, groups          []string
	conditions             []condition
}

// String returns how people find the rule.
func (r *rule) String() string {
	if r.name == "" {
		return fmt.Sprintf("rule %d", r.number)
	}
	return fmt.Sprintf("rule %d (%s)", r.number, r.name)
}

// match tells whether a rule is about a caller and a permission, and returns
// the criteria that a resource must meet besides, nil for none. Missed is why
// the rule is passed over, "" if it is not.
func (r *rule) match(caller Caller, asked permission.Permission) (criteria *permission.Criteria, missed string) {
	switch {
	case !matchesName(r.permissions, asked.Name):
		return nil, "is about " + strings.Join(r.permissions, ", ")
	case r.actions != nil && !slices.Contains(r.actions, asked.Action):
		return nil, "is about the action " + or(r.actions)
	case r.resourceTypes != nil && !slices.Contains(r.resourceTypes, asked.ResourceType):
		return nil, "is about resources of type " + or(r.resourceTypes)
	case r.users != nil && !slices.Contains(r.users, caller.User):
		return nil, "is for " + or(r.users)
	case r.groups != nil && !slices.ContainsFunc(r.groups, func(g string) bool { return slices.Contains(caller.Owns, g) }):
		return nil, "is for members of " + or(r.groups)
	}
	var all []*permission.Criteria
	for _, c := range r.conditions {
		one, missed := c.criteria(caller, asked)
		if missed != "" {
			return nil, missed
		}
		all = append(all, one)
	}
	return allOf(all), ""
}

// or joins alternatives.
func or(list []string) string { return strings.Join(list, " or ") }

// matchesName tells whether one of some patterns matches a name.
func matchesName(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, _ := path.Match(p, name) // patterns were checked
		return ok
	})
}

// decidesAll tells whether no later rule can ever be reached.
func (r *rule) decidesAll() bool {
	return slices.Contains(r.permissions, "*") && r.actions == nil && r.resourceTypes == nil &&
		r.users == nil && r.groups == nil && r.conditions == nil
}

// canMatch tells whether a rule can say something of a permission, whoever
// asks.
func (r *rule) canMatch(asked permission.Permission) bool {
	_, missed := r.match(Caller{User: first(r.users), Owns: append(slices.Clone(r.groups), "user:default/any")}, asked)
	return missed == ""
}

func first(list []string) string {
	if len(list) == 0 {
		return "user:default/any"
	}
	return list[0]
}
