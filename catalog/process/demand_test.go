package process_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/process"
)

func TestDemand(t *testing.T) {
	ctx := context.Background()
	require.Zero(t, process.DemandOf(ctx))
	d := process.Demand{Since: time.Now(), Urgent: true}
	require.Equal(t, d, process.DemandOf(process.WithDemand(ctx, d)))
}
