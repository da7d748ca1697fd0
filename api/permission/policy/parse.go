package policy

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api/permission"
)

// Bounds of a policy. Each change from allow to deny and back among the rules
// that look at the resource makes the conditions one level deeper.
const (
	maxRules  = 500
	maxValues = 500
	maxTurns  = 24
)

var errNoTemplate = errors.New("it is of another kind than Template")

// Parse reads a policy from the values of its YAML, as encoding/json would
// have them. The error joins all faults, one line each.
func Parse(v any, o Options) (*Policy, error) {
	if o.Source == "" {
		o.Source = "permission.policy"
	}
	p := &parser{known: o.Known, kinds: conditionKinds()}
	out := &Policy{ownership: o.Ownership}
	root := p.object(o.Source, v, "default", "rules")
	switch root["default"] {
	case "allow":
		out.otherwise = permission.Allow
	case "deny":
		out.otherwise = permission.Deny
	default:
		p.fault(o.Source+".default", "must be allow or deny: it is what no rule decides")
	}
	rules, ok := root["rules"].([]any)
	if !ok && root["rules"] != nil {
		p.fault(o.Source+".rules", "must be a list")
	}
	if len(rules) > maxRules {
		p.fault(o.Source+".rules", "are more than %d", maxRules)
		rules = rules[:maxRules]
	}
	for i, r := range rules {
		out.rules = append(out.rules, p.rule(fmt.Sprintf("%s.rules[%d]", o.Source, i), i+1, r))
	}
	p.checkOrder(o.Source, out.rules)
	if len(p.faults) > 0 {
		return nil, errors.Join(p.faults...)
	}
	return out, nil
}

// A parser reads values and keeps the faults.
type parser struct {
	known  []permission.Permission
	kinds  []*conditionKind
	faults []error
}

func (p *parser) fault(at, format string, args ...any) {
	p.faults = append(p.faults, fmt.Errorf("%s %s", at, fmt.Sprintf(format, args...)))
}

// object returns an object that has these keys and no others.
func (p *parser) object(at string, v any, keys ...string) map[string]any {
	o, ok := v.(map[string]any)
	if !ok {
		p.fault(at, "must be an object with the keys %s", strings.Join(keys, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(keys, key) {
			p.fault(at+"."+key, "is not a key that there is: there are %s", strings.Join(keys, ", "))
		}
	}
	return o
}

// ruleKeys are the keys of a rule that say nothing of the resource.
var ruleKeys = []string{"name", "allow", "deny", "action", "resourceType", "user", "group"}

func (p *parser) rule(at string, number int, v any) *rule {
	keys := slices.Clone(ruleKeys)
	for _, k := range p.kinds {
		keys = append(keys, k.key)
	}
	before := len(p.faults)
	o := p.object(at, v, keys...)
	r := &rule{number: number}
	if name, there := o["name"]; there {
		if r.name, there = name.(string); !there {
			p.fault(at+".name", "must be a text")
		}
	}
	p.effect(at, r, o)
	r.actions = p.values(at, o, "action", known("create", "read", "update", "delete"))
	r.resourceTypes = p.values(at, o, "resourceType", nil)
	r.users = p.values(at, o, "user", canonicalRef("user"))
	r.groups = p.values(at, o, "group", canonicalRef("group"))
	for _, k := range p.kinds {
		if _, there := o[k.key]; there {
			r.conditions = append(r.conditions, p.condition(at, o, k))
		}
	}
	if len(p.faults) == before {
		p.checkRule(at, r)
	}
	return r
}

// effect reads allow or deny, with the patterns of permissions.
func (p *parser) effect(at string, r *rule, o map[string]any) {
	_, allow := o["allow"]
	_, deny := o["deny"]
	switch {
	case allow == deny:
		p.fault(at, "must have either allow or deny, with the names of permissions")
	case allow:
		r.result = permission.Allow
		r.permissions = p.values(at, o, "allow", p.pattern)
	default:
		r.permissions = p.values(at, o, "deny", p.pattern)
	}
}

var patternForm = regexp.MustCompile(`^[A-Za-z0-9.*_-]+$`)

// pattern checks the name of a permission, in which * stands for anything. A
// name of one of our plugins must be one that there is, since a rule with a
// mistyped name would never decide.
func (p *parser) pattern(v string) (string, error) {
	if !patternForm.MatchString(v) {
		return "", errors.New("it is not the name of a permission, such as catalog.entity.read or catalog.*")
	}
	plugin, _, _ := strings.Cut(v, ".")
	ours := strings.Contains(plugin, "*") || slices.ContainsFunc(p.known, func(k permission.Permission) bool { return k.Plugin == plugin })
	if v == "*" || !ours || slices.ContainsFunc(p.known, func(k permission.Permission) bool { return matchesName([]string{v}, k.Name) }) {
		return v, nil
	}
	var names []string
	for _, k := range p.known {
		if k.Plugin == plugin {
			names = append(names, k.Name)
		}
	}
	if names == nil {
		return v, nil
	}
	return "", fmt.Errorf("there is no such permission: there are %s", strings.Join(names, ", "))
}

// known returns a function that takes these words alone.
func known(words ...string) func(string) (string, error) {
	return func(v string) (string, error) {
		if !slices.Contains(words, v) {
			return "", fmt.Errorf("there are %s", strings.Join(words, ", "))
		}
		return v, nil
	}
}

// values reads a text or a list of texts under a key, nil if it is not there.
func (p *parser) values(at string, o map[string]any, key string, canonical func(string) (string, error)) []string {
	v, there := o[key]
	if !there {
		return nil
	}
	return p.texts(at+"."+key, v, canonical)
}

func (p *parser) texts(at string, v any, canonical func(string) (string, error)) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 || len(list) > maxValues {
		p.fault(at, "must have from 1 to %d values", maxValues)
		return []string{}
	}
	out := []string{}
	for _, item := range list {
		text, ok := item.(string)
		if !ok || text == "" {
			p.fault(at, "must be a text or a list of texts")
			continue
		}
		if canonical != nil {
			var err error
			if text, err = canonical(text); err != nil {
				p.fault(at, "has the value %q: %v", item, err)
			}
		}
		out = append(out, text)
	}
	return out
}

func (p *parser) condition(at string, o map[string]any, k *conditionKind) condition {
	c := condition{conditionKind: k}
	if !k.pairs {
		c.values = p.values(at, o, k.key, k.canonical)
		return c
	}
	at += "." + k.key
	pairs, ok := o[k.key].(map[string]any)
	if !ok || len(pairs) == 0 {
		p.fault(at, "must be an object with the %ss and their values, or true for any", k.key)
	}
	for _, key := range slices.Sorted(maps.Keys(pairs)) {
		if pairs[key] == true {
			c.pairs = append(c.pairs, pair{key: key})
			continue
		}
		c.pairs = append(c.pairs, pair{key, p.texts(at+"."+key, pairs[key], nil)})
	}
	return c
}

// checkRule finds rules that can never decide: those that ask of a resource
// what none can have, or of permissions what they are not about.
func (p *parser) checkRule(at string, r *rule) {
	for _, c := range r.conditions[:max(0, len(r.conditions)-1)] {
		for _, d := range r.conditions[1:] {
			if !shareType(c, d) {
				p.fault(at, "never decides: no resource has both %s and %s", c.key, d.key)
				return
			}
		}
	}
	concerned := false
	for _, k := range p.known {
		if matchesName(r.permissions, k.Name) {
			if r.canMatch(k) {
				return
			}
			concerned = true
		}
	}
	foreign := slices.ContainsFunc(r.permissions, func(name string) bool {
		return strings.Contains(name, "*") || !slices.ContainsFunc(p.known, func(k permission.Permission) bool { return k.Name == name })
	})
	if concerned && !foreign {
		p.fault(at, "never decides: %s", p.mismatch(r))
	}
}

// mismatch says what of a rule no permission of it has.
func (p *parser) mismatch(r *rule) string {
	for _, k := range p.known {
		if matchesName(r.permissions, k.Name) {
			_, missed := r.match(Caller{User: first(r.users), Owns: append(slices.Clone(r.groups), "user:default/any")}, k)
			return "for " + k.Name + " it " + missed
		}
	}
	return ""
}

func shareType(c, d condition) bool {
	for resourceType := range c.of {
		if d.of[resourceType] != nil {
			return true
		}
	}
	return false
}

// checkOrder finds rules that are never reached, and policies that turn too
// often.
func (p *parser) checkOrder(source string, rules []*rule) {
	turns, last := 0, permission.Conditional
	for i, r := range rules {
		if r.decidesAll() && i+1 < len(rules) {
			p.fault(fmt.Sprintf("%s.rules[%d]", source, i+1), "is never reached: %s decides everything before it", r)
			return
		}
		if len(r.conditions) > 0 && r.result != last {
			turns++
			last = r.result
		}
	}
	if turns > maxTurns {
		p.fault(source+".rules", "change between allow and deny more than %d times: put rules of a kind together", maxTurns)
	}
}
