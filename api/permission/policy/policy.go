package policy

import (
	"context"
	"fmt"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/permission"
)

// Options are what a policy needs beside its rules.
type Options struct {
	// Known are the permissions of the plugins of this process. A rule that
	// names another one of these plugins has a fault; those of other plugins
	// are taken as they are.
	Known []permission.Permission
	// Ownership returns the entity refs that a user acts for; nil: users own
	// themselves alone.
	Ownership func(ctx context.Context, userEntityRef string) ([]string, error)
	// Source is where the policy stands, for faults; "": permission.policy.
	Source string
}

// A Policy decides by rules. Parse makes one.
type Policy struct {
	rules     []*rule
	otherwise permission.Result
	ownership func(context.Context, string) ([]string, error)
}

var _ permission.Policy = (*Policy)(nil)

// A Caller is who asks. The zero value is nobody.
type Caller struct {
	// User is the canonical ref of the user, "" for nobody.
	User string
	// Owns are the canonical refs that the user acts for.
	Owns []string
	// subject is the user as its token spells it, which is how tasks know who
	// created them.
	subject string
}

// Handle decides for a user, or for nobody.
func (p *Policy) Handle(ctx context.Context, who auth.Principal, asked permission.Permission) (permission.Decision, error) {
	caller, err := p.caller(ctx, who)
	if err != nil {
		return permission.Decision{}, err
	}
	return p.Decide(caller, asked), nil
}

func (p *Policy) caller(ctx context.Context, who auth.Principal) (Caller, error) {
	if who.Kind != auth.User {
		return Caller{}, nil
	}
	owns := []string{who.Subject}
	if p.ownership != nil {
		var err error
		if owns, err = p.ownership(ctx, who.Subject); err != nil {
			return Caller{}, fmt.Errorf("what %s owns: %w", who.Subject, err)
		}
	}
	return NewCaller(who.Subject, owns), nil
}

// A verdict is what one rule says: its result, where the criteria hold; nil
// criteria hold everywhere.
type verdict struct {
	result   permission.Result
	criteria *permission.Criteria
}

// Decide decides whether a caller may do something. For resources that are
// told apart by rules the decision is conditional.
func (p *Policy) Decide(caller Caller, asked permission.Permission) permission.Decision {
	verdicts := []verdict{}
	for _, r := range p.rules {
		criteria, missed := r.match(caller, asked)
		if missed != "" {
			continue
		}
		verdicts = append(verdicts, verdict{r.result, criteria})
		if criteria == nil {
			break
		}
	}
	return fold(verdicts, p.otherwise)
}

// fold makes one decision of verdicts in order, of which the last may hold
// everywhere, and of what is decided where none holds.
func fold(verdicts []verdict, otherwise permission.Result) permission.Decision {
	d := permission.Decision{Result: otherwise}
	for i := len(verdicts) - 1; i >= 0; i-- {
		v := verdicts[i]
		switch {
		case v.criteria == nil:
			d = permission.Decision{Result: v.result}
		case v.result == d.Result:
			// It says what is said otherwise.
		case d.Result != permission.Conditional && v.result == permission.Allow:
			d = permission.Decision{Result: permission.Conditional, Criteria: v.criteria}
		case d.Result != permission.Conditional:
			d = permission.Decision{Result: permission.Conditional, Criteria: &permission.Criteria{Not: v.criteria}}
		case v.result == permission.Allow:
			d.Criteria = &permission.Criteria{AnyOf: prepend(v.criteria, d.Criteria, d.Criteria.AnyOf)}
		default:
			not := &permission.Criteria{Not: v.criteria}
			d.Criteria = &permission.Criteria{AllOf: prepend(not, d.Criteria, d.Criteria.AllOf)}
		}
	}
	return d
}

// prepend puts a criteria before the ones of a list, or where there is no such
// list before the whole, so that runs of like rules make no deep trees.
func prepend(first, whole *permission.Criteria, list []*permission.Criteria) []*permission.Criteria {
	if list == nil {
		list = []*permission.Criteria{whole}
	}
	return append([]*permission.Criteria{first}, list...)
}
