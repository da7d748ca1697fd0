package permission

import (
	"context"

	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Permission names something that can be allowed.
type Permission struct {
	// Plugin is the plugin that asks.
	Plugin string
	Name   string
	// Action is create, read, update, delete or "".
	Action string
	// ResourceType is "" for permissions that are not about a resource.
	ResourceType string
}

// A Result is one of the three outcomes.
type Result uint8

// The outcomes. The zero value denies.
const (
	Deny Result = iota
	Allow
	Conditional
)

// String returns the outcome as on the wire.
func (r Result) String() string {
	return [...]string{"DENY", "ALLOW", "CONDITIONAL"}[r]
}

// A Decision is an outcome, with the condition if it is Conditional.
type Decision struct {
	Result Result
	// Criteria hold for the resources that are allowed; nil unless Conditional.
	Criteria *Criteria
}

// A Criteria is a tree of rules. Exactly one of the fields AllOf, AnyOf, Not
// and Rule is set.
type Criteria struct {
	AllOf, AnyOf []*Criteria
	Not          *Criteria
	Rule         *Rule
}

// A Rule is a named test on a resource of a type, with parameters.
type Rule struct {
	Name         string
	ResourceType string
	Params       *jsonvalue.Object
}

// A Decider decides whether a principal may do something, to the resource of
// that ref if one is given: then the outcome is Allow or Deny. Without a ref,
// a condition says to which resources. The
// error means that no decision could be made: nothing is allowed then.
// Implementations are safe for concurrent use.
type Decider interface {
	Decide(ctx context.Context, who auth.Principal, p Permission, resourceRef string) (Decision, error)
}

// A Policy decides about users, and about nobody where nobody may call. It is
// not asked about services.
type Policy interface {
	Handle(ctx context.Context, who auth.Principal, p Permission) (Decision, error)
}

// An Applier tells which resources of its type meet criteria: one answer per
// ref. A resource that does not exist meets none.
type Applier interface {
	Apply(ctx context.Context, refs []string, c *Criteria) ([]bool, error)
}

// AllowAll is the policy that allows everything.
type AllowAll struct{}

// Handle allows.
func (AllowAll) Handle(context.Context, auth.Principal, Permission) (Decision, error) {
	return Decision{Result: Allow}, nil
}

var _ Policy = AllowAll{}
