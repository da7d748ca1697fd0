package provider_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/provider"
)

func TestGuard(t *testing.T) {
	cases := []struct {
		name          string
		before, after int
		held          bool
		why           string
	}{
		{"few of many", 1000, 900, false, "a tenth is a usual change"},
		{"many of few", 19, 0, false, "a small catalog is not guarded"},
		{"the least number, all of them", 20, 0, true, "twenty is guarded"},
		{"exactly the share", 100, 70, false, "more than the share, not as much as it"},
		{"one more than the share", 100, 69, true, "more than the share"},
		{"nothing left", 1000, 0, true, "an empty answer is the usual accident"},
		{"more than before", 10, 100, false, "growth removes nothing"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &script{}
				p.says(listed(0, c.before), nil)
				b := start(t, newCatalog(), newStore(), p, hourly, "a")
				defer b.stop()
				after(time.Minute)
				p.says(listed(0, c.after), nil)
				require.NoError(t, b.loop.Trigger(name))
				synctest.Wait()
				s := b.status()
				if !c.held {
					require.Nil(t, s.Held, c.why)
					require.Equal(t, c.after, b.catalog.count(name), c.why)
					return
				}
				require.NotNil(t, s.Held, c.why)
				require.Len(t, s.Held.Removals, c.before-c.after)
				require.Equal(t, c.before, s.Held.Before)
				require.Equal(t, provider.ResultHeld, s.LastRun.Result)
				require.Equal(t, c.before, b.catalog.count(name), "nothing is removed")
			})
		})
	}
}

// hold brings a loop to where 90 of 100 entities would go.
func hold(t *testing.T) *bench {
	p := &script{}
	p.says(listed(0, 100), nil)
	b := start(t, newCatalog(), newStore(), p, hourly, "a")
	after(time.Minute)
	p.says(append(listed(0, 10), listed(200, 205)...), nil)
	require.NoError(t, b.loop.Trigger(name))
	synctest.Wait()
	require.NotNil(t, b.status().Held)
	return b
}

func TestReleaseRemovesWhatWasShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hold(t)
		defer b.stop()
		require.NoError(t, b.loop.Apply(t.Context(), name, provider.Change{Added: listed(300, 301)}))
		polls := b.script.count()
		released, err := b.loop.Release(t.Context(), name)
		require.NoError(t, err)
		require.Len(t, released.Removals, 90)
		fed, _ := b.catalog.Fed(t.Context(), name)
		require.Contains(t, fed, refOf(300), "what came after the listing was held is not touched by the release")
		synctest.Wait()
		require.Equal(t, polls+1, b.script.count(), "a new listing brings the rest")
		require.Equal(t, 15, b.catalog.count(name))
		require.Nil(t, b.status().Held)
		require.Equal(t, provider.ResultPublished, b.status().LastRun.Result)
		_, err = b.loop.Release(t.Context(), name)
		require.ErrorIs(t, err, provider.ErrNothingHeld)
	})
}

func TestDiscardKeepsTheCatalog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hold(t)
		defer b.stop()
		_, err := b.loop.Discard(name)
		require.NoError(t, err)
		require.Nil(t, b.status().Held)
		require.Equal(t, 100, b.catalog.count(name))
		_, err = b.loop.Discard(name)
		require.ErrorIs(t, err, provider.ErrNothingHeld)
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		require.NotNil(t, b.status().Held, "the same listing is held again")
		_, err = b.loop.Release(t.Context(), "nobody")
		require.ErrorIs(t, err, provider.ErrUnknown)
		_, err = b.loop.Discard("nobody")
		require.ErrorIs(t, err, provider.ErrUnknown)
	})
}

func TestHeldListingIsDroppedByAGoodOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hold(t)
		defer b.stop()
		since := b.status().Held.Since
		after(30 * time.Minute)
		b.script.says(listed(0, 20), nil)
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		require.Equal(t, since, b.status().Held.Since, "it is still held since then")
		require.Len(t, b.status().Held.Removals, 80, "and shows what the newest listing says")
		b.script.says(listed(0, 99), nil)
		require.NoError(t, b.loop.Trigger(name))
		synctest.Wait()
		require.Nil(t, b.status().Held, "the host has recovered")
		require.Equal(t, 99, b.catalog.count(name))
	})
}

func TestHeldListingSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hold(t)
		held := b.status().Held
		b.stop()
		b = start(t, b.catalog, b.store, b.script, hourly, "a")
		defer b.stop()
		require.Equal(t, held, b.status().Held)
		_, err := b.loop.Release(t.Context(), name)
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 15, b.catalog.count(name))
	})
}

func TestAGuardOfOneHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{}
		p.says(listed(0, 100), nil)
		entities := newCatalog()
		loop, err := provider.New(provider.Options{Catalog: entities, Store: newStore(), Guard: provider.Guard{Share: 1, AtLeast: 20}},
			provider.Provider{Name: name, Schedule: hourly, Poll: p.poll})
		require.NoError(t, err)
		done := make(chan error, 1)
		ctx, cancel := testContext(t)
		go func() { done <- loop.Run(ctx) }()
		after(time.Minute)
		p.says(nil, nil)
		require.NoError(t, loop.Trigger(name))
		synctest.Wait()
		require.Zero(t, entities.count(name))
		cancel()
		require.NoError(t, <-done)
	})
}
