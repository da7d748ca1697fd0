package policy

import (
	"github.com/greenroom-idp/greenroom/api/permission"
)

// A Step is what one rule had to say.
type Step struct {
	// Rule is how people find the rule; "default" is what no rule decides.
	Rule string
	// Result is what it says where it holds.
	Result permission.Result
	// Decides tells that it is the one that counted.
	Decides bool
	// Reason is why it holds, does not hold, or depends.
	Reason string
	// Criteria are what it asks of the resource, nil for nothing.
	Criteria *permission.Criteria
}

// An Explanation is a decision with how it came about, rule by rule up to the
// one that decided.
type Explanation struct {
	Decision permission.Decision
	Steps    []Step
}

// Explain decides like Decide. Meets tells whether the resource in question
// meets criteria; with it the decision is not conditional. Nil: there is no
// resource in question.
func (p *Policy) Explain(caller Caller, asked permission.Permission, meets func(*permission.Criteria) (bool, error)) (Explanation, error) {
	e := Explanation{Decision: p.Decide(caller, asked)}
	for _, r := range p.rules {
		step := Step{Rule: r.String(), Result: r.result}
		step.Criteria, step.Reason = r.match(caller, asked)
		switch {
		case step.Reason != "":
		case step.Criteria == nil:
			step.Decides, step.Reason = true, "holds"
		case meets == nil:
			step.Reason = "holds for some resources"
		default:
			var err error
			if step.Decides, err = meets(step.Criteria); err != nil {
				return Explanation{}, err
			}
			step.Reason = "does not hold for this resource"
			if step.Decides {
				step.Reason = "holds for this resource"
			}
		}
		e.Steps = append(e.Steps, step)
		if step.Decides {
			e.decided(meets != nil, step.Result)
			return e, nil
		}
	}
	e.Steps = append(e.Steps, Step{Rule: "default", Result: p.otherwise, Decides: true, Reason: "is what no rule has decided"})
	e.decided(meets != nil, p.otherwise)
	return e, nil
}

// decided puts the result of one resource for the condition.
func (e *Explanation) decided(resource bool, result permission.Result) {
	if resource {
		e.Decision = permission.Decision{Result: result}
	}
}
