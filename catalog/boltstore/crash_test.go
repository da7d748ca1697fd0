package boltstore_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/catalog/boltstore"
	"github.com/greenroom-idp/greenroom/catalog/store"
	"github.com/greenroom-idp/greenroom/catalog/store/storetest"
)

// crashFile is where a child process finds the file that it is to write until
// it is killed.
const crashFile = "BOLTSTORE_TEST_CRASH"

const crashComponents = 60

// crashStep is what the transaction of a revision does. It follows from the
// revision alone, so that anyone can tell what a file must hold.
func crashStep(tx store.WriteTx, revision uint64) error {
	if revision == 1 {
		if err := putParent(tx); err != nil {
			return err
		}
	}
	n := int(revision*7) % crashComponents
	s, err := tx.State(componentRef(n))
	if err != nil {
		return err
	}
	if s != nil && revision%3 == 0 {
		err = deleteComponent(tx, n, revision)
	} else {
		err = putComponent(tx, n, revision)
	}
	if err != nil {
		return err
	}
	if revision%50 == 0 {
		if _, err := tx.TrimChanges(revision-40, 1000); err != nil {
			return err
		}
	}
	return tx.PutSetting("count", strconv.AppendUint(nil, revision, 10))
}

// TestCrashChild is no test: it is what TestCrash runs in another process. It
// says of each revision that it is committed.
func TestCrashChild(t *testing.T) {
	path := os.Getenv(crashFile)
	if path == "" {
		t.Skip("run by TestCrash")
	}
	s := storeIn(t, openDB(t, path))
	for {
		var revision uint64
		require.NoError(t, s.Update(func(tx store.WriteTx) error {
			revision = tx.Revision() + 1
			return crashStep(tx, revision)
		}))
		fmt.Println(revision)
	}
}

// writeUntilKilled runs a child that writes, kills it after some revisions,
// wherever it is then, and returns the last one that it has acknowledged.
func writeUntilKilled(t *testing.T, path string, revisions int) (acknowledged uint64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), crashFile+"="+path)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	for read := 0; lines.Scan(); read++ {
		n, err := strconv.ParseUint(lines.Text(), 10, 64)
		require.NoError(t, err, "the child says %q", lines.Text())
		acknowledged = n
		if read == revisions {
			require.NoError(t, child.Process.Signal(syscall.SIGKILL))
		} // and read on: what it has said, it has said
	}
	require.ErrorContains(t, child.Wait(), "killed")
	return acknowledged
}

func TestCrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	path, want, applied := filePath(t), storetest.NewMemory(), uint64(0)
	for range 20 {
		acknowledged := writeUntilKilled(t, path, random.IntN(60))
		db, err := boltstore.OpenFile(path, false)
		require.NoError(t, err)
		s := storeIn(t, db)
		got := contents(t, s)
		require.GreaterOrEqual(t, got.Revision, acknowledged, "a committed transaction is lost")
		require.LessOrEqual(t, got.Revision, acknowledged+1, "a transaction was begun before the one before was acknowledged")
		for ; applied < got.Revision; applied++ {
			require.NoError(t, want.Update(func(tx store.WriteTx) error { return crashStep(tx, applied+1) }))
		}
		require.Equal(t, contents(t, want), got, "all transactions up to revision %d, and nothing of any other", got.Revision)
		require.Empty(t, violations(t, s))
		require.NoError(t, db.Close())
	}
	t.Logf("%d transactions, 20 kills", applied)
}
