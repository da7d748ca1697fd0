package git_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/greenroom-idp/greenroom/ingest/forgetest"
	"github.com/greenroom-idp/greenroom/scaffolder/action/git"
	"github.com/greenroom-idp/greenroom/scaffolder/workspace"
)

// A file of 60 MB that does not compress: the memory for each push must not
// grow with it.
func BenchmarkPushLarge(b *testing.B) {
	f := forgetest.NewPlain(b)
	ws, err := workspace.Open(b.TempDir(), workspace.Options{})
	require.NoError(b, err)
	large := make([]byte, 60<<20)
	_, err = rand.NewChaCha8([32]byte{7}).Read(large)
	require.NoError(b, err)
	require.NoError(b, ws.WriteFile("large.bin", large, 0o644))
	commit, err := git.Save(b.Context(), ws, git.Commit{Dir: ".", Branch: "main", Time: time.Unix(1, 0)})
	require.NoError(b, err)
	b.SetBytes(60 << 20)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, err := f.CreateRepository(forgetest.Repository{FullName: fmt.Sprint("acme/r", i)})
		require.NoError(b, err)
		require.NoError(b, commit.Push(b.Context(), git.Remote{URL: fmt.Sprintf("%s/acme/r%d.git", f.URL(), i), User: "u", Password: "x"}, "main"))
	}
}
