package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRefreshAllReachesTheLocations(t *testing.T) {
	f := start(t)
	f.world.set("http://x/a.yaml", entity("component:default/one"), entity("component:default/two"))
	f.world.set("http://x/b.yaml", entity("component:default/three"))
	a, b := f.register("http://x/a.yaml"), f.register("http://x/b.yaml")
	f.settle()
	runs, others := f.world.runsOf(a.EntityRef), f.world.runsOf(b.EntityRef)
	f.world.set("http://x/a.yaml", entity("component:default/one"), entity("component:default/four"))
	require.NoError(t, f.RefreshAll(t.Context(), []string{"component:default/two", "component:default/unknown", "component:default/one"}))
	f.settle()
	require.Equal(t, runs+1, f.world.runsOf(a.EntityRef), "once, whoever asked")
	require.Equal(t, others, f.world.runsOf(b.EntityRef))
	require.NotNil(t, f.get("component:default/four"))
	require.NoError(t, f.RefreshAll(t.Context(), nil))
}
