package budget

import (
	"context"
	"time"

	"github.com/greenroom-idp/greenroom/catalog/process"
)

// Urgent marks work that goes before crawling: what a user or a webhook waits
// for. Since is when it became necessary: what was learnt of a host before
// that moment may be out of date for it.
func Urgent(ctx context.Context, since time.Time) context.Context {
	return process.WithDemand(ctx, process.Demand{Since: since, Urgent: true})
}

// IsUrgent tells whether ctx is of urgent work.
func IsUrgent(ctx context.Context) bool { return process.DemandOf(ctx).Urgent }

type credentialKey struct{}

// A Credential is what a host counts requests by.
type Credential struct {
	// Key tells credentials apart. It must be no secret: use a name or a hash.
	Key string
	// Name is shown in figures and logs, such as "token" or "app 7 acme". There
	// should be few of them; "" is shown as "other".
	Name string
}

// WithCredential says with which credential a request is made.
func WithCredential(ctx context.Context, c Credential) context.Context {
	return context.WithValue(ctx, credentialKey{}, c)
}

// credentialOf returns the credential of a request, the anonymous one if none
// was named.
func credentialOf(ctx context.Context) Credential {
	if c, ok := ctx.Value(credentialKey{}).(Credential); ok {
		return c
	}
	return Credential{Key: "anonymous", Name: "anonymous"}
}
