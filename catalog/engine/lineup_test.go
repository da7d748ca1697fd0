package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLineUp(t *testing.T) {
	turns := func(l *lineUp, n int) (out []uint64) {
		for range n {
			out = append(out, l.wait(nil).turn)
		}
		return out
	}
	synctest.Test(t, func(t *testing.T) {
		c := make(chan *outcome, 16)
		l := lineUp{from: c, patience: overtakeSoon}
		for _, turn := range []uint64{2, 0, 1, 3} {
			c <- &outcome{turn: turn}
		}
		require.Equal(t, []uint64{0, 1, 2, 3}, turns(&l, 4), "in the order of their turns")
		require.True(t, l.empty())

		c <- &outcome{turn: 6}
		c <- &outcome{turn: 5}
		begin := time.Now()
		require.Nil(t, l.next(), "turn 4 may still come")
		require.Equal(t, []uint64{5, 6}, turns(&l, 2), "nobody waits for long")
		require.Equal(t, overtakeSoon, time.Since(begin))
		c <- &outcome{turn: 7}
		c <- &outcome{turn: 4}
		require.Equal(t, []uint64{7, 4}, turns(&l, 2), "who is late holds nobody up")
		require.Equal(t, overtakeSoon, time.Since(begin))

		require.Nil(t, l.wait(time.After(time.Second)), "nothing has come in time")
		c <- &outcome{turn: 9}
		close(c)
		require.Equal(t, []uint64{9}, turns(&l, 1))
		require.Nil(t, l.wait(nil), "and nothing more will")
	})
}

func TestGathering(t *testing.T) {
	for _, c := range []struct {
		due, size int
		wait      time.Duration
	}{{0, smallBatch, shortWait}, {busy, smallBatch, shortWait}, {busy + 1, smallBatch, longWait}, {10_000, 1250, floodWait}, {1_000_000, largeBatch, floodWait}} {
		size, wait := gathering(c.due)
		require.Equal(t, c.size, size, c.due)
		require.Equal(t, c.wait, wait, c.due)
	}
}
