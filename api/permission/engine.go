package permission

import (
	"context"
	"fmt"
	"slices"

	"github.com/greenroom-idp/greenroom/api/auth"
)

// Options configure an Engine.
type Options struct {
	// Policy decides about users; nil: AllowAll.
	Policy Policy
	// Enabled says that the policy is asked inside plugins; false: users may
	// do everything there, and only the authorize route asks the policy.
	Enabled bool
}

// An Engine is the Decider that is installed.
type Engine struct {
	policy   Policy
	enabled  bool
	appliers map[string]Applier
}

var _ Decider = (*Engine)(nil)

// NewEngine returns an Engine.
func NewEngine(o Options) *Engine {
	if o.Policy == nil {
		o.Policy = AllowAll{}
	}
	return &Engine{policy: o.Policy, enabled: o.Enabled, appliers: map[string]Applier{}}
}

// SetApplier says who resolves conditions on resources of a type; a condition
// on a type that has nobody is an error. It is called before the first request.
func (e *Engine) SetApplier(resourceType string, a Applier) { e.appliers[resourceType] = a }

// Decide keeps services to their restrictions and asks the policy about
// everybody else. With a resource ref the answer is never conditional.
func (e *Engine) Decide(ctx context.Context, who auth.Principal, p Permission, resourceRef string) (Decision, error) {
	if who.Kind == auth.Service {
		return Decision{Result: restricted(who, p)}, nil
	}
	if !e.enabled {
		return Decision{Result: Allow}, nil
	}
	d, err := e.ask(ctx, who, p)
	if err != nil || resourceRef == "" || d.Result != Conditional {
		return d, err
	}
	met, err := e.resolve(ctx, p, []string{resourceRef}, d)
	if err != nil {
		return Decision{}, err
	}
	return Decision{Result: met[0]}, nil
}

// restricted applies what the configuration allows the token of a service.
func restricted(who auth.Principal, p Permission) Result {
	r, open := who.RestrictionFor(p.Plugin)
	if !open ||
		len(r.Permissions) > 0 && !slices.Contains(r.Permissions, p.Name) ||
		len(r.Actions) > 0 && !slices.Contains(r.Actions, p.Action) {
		return Deny
	}
	return Allow
}

// ask asks the policy and checks that a condition is one on this permission's
// resources.
func (e *Engine) ask(ctx context.Context, who auth.Principal, p Permission) (Decision, error) {
	d, err := e.policy.Handle(ctx, who, p)
	if err != nil {
		return Decision{}, fmt.Errorf("policy on %s: %w", p.Name, err)
	}
	if d.Result == Conditional && (p.ResourceType == "" || !d.Criteria.about(p.ResourceType)) {
		return Decision{}, fmt.Errorf("policy on %s: condition is not on resource type %q", p.Name, p.ResourceType)
	}
	return d, nil
}

// Apply tells which resources of a type meet the criteria of a conditional
// decision: one answer per ref. It asks the plugin that owns them.
func (e *Engine) Apply(ctx context.Context, resourceType string, refs []string, c *Criteria) ([]bool, error) {
	a, ok := e.appliers[resourceType]
	if !ok {
		return nil, fmt.Errorf("nobody applies conditions on resource type %q", resourceType)
	}
	return a.Apply(ctx, refs, c)
}

func (e *Engine) resolve(ctx context.Context, p Permission, refs []string, d Decision) ([]Result, error) {
	met, err := e.Apply(ctx, p.ResourceType, refs, d.Criteria)
	if err != nil {
		return nil, fmt.Errorf("apply condition of %s: %w", p.Name, err)
	}
	out := make([]Result, len(refs))
	for i := range out {
		if met[i] {
			out[i] = Allow
		}
	}
	return out, nil
}

// about tells whether every rule is one on that resource type. A criteria
// without anything in it is about nothing.
func (c *Criteria) about(resourceType string) bool {
	if c == nil {
		return false
	}
	all := func(list []*Criteria) bool {
		return !slices.ContainsFunc(list, func(c *Criteria) bool { return !c.about(resourceType) })
	}
	switch {
	case c.Rule != nil:
		return c.Rule.ResourceType == resourceType
	case c.Not != nil:
		return c.Not.about(resourceType)
	case len(c.AllOf) > 0:
		return all(c.AllOf)
	}
	return len(c.AnyOf) > 0 && all(c.AnyOf)
}
