package process

import (
	"context"
	"time"
)

// A Demand is how a run came about, for readers: the zero value is that it was
// simply time for it.
type Demand struct {
	// Since is when somebody wanted the run: what a reader learnt of a source
	// before that may be out of date. Zero is no such wish.
	Since time.Time
	// Urgent is set where a user or a webhook waits: such work goes first.
	Urgent bool
}

type demandKey struct{}

// WithDemand says how the runs under ctx came about.
func WithDemand(ctx context.Context, d Demand) context.Context {
	return context.WithValue(ctx, demandKey{}, d)
}

// DemandOf returns how the run under ctx came about.
func DemandOf(ctx context.Context) Demand {
	d, _ := ctx.Value(demandKey{}).(Demand)
	return d
}
