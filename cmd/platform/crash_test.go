package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A process that is killed in mid-ingest, again and again, loses nothing that
// it has answered, and leaves a store that is sound.
func TestNothingIsLostInAKill(t *testing.T) {
	const rounds, clients = 12, 4
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimSuffix(path.Base(r.URL.Path), ".yaml")
		for n := range 5 {
			fmt.Fprintf(w, "---\n%s", component(fmt.Sprintf("%s-%d", name, n), "from "+name))
		}
	}))
	defer files.Close()
	config := writeFile(t, t.TempDir(), "app-config.yaml", baseConfig)
	data := t.TempDir()
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)

	answered := map[string]string{} // target to id
	for round := range rounds {
		i, cmd := bootChild(t, nil, "--config", config, "--data", data)
		fatal := 1 + random.IntN(25) // the answer after which it dies
		var mu sync.Mutex
		var group sync.WaitGroup
		got := 0
		for client := range clients {
			group.Go(func() {
				for n := 0; ; n++ {
					target := fmt.Sprintf("%s/r%dc%dn%d.yaml", files.URL, round, client, n)
					status, answer, err := i.trySend(http.MethodPost, "/api/catalog/locations", map[string]string{"type": "url", "target": target})
					if err != nil || status != http.StatusCreated {
						return // dead
					}
					mu.Lock()
					answered[target] = answer["location"].(map[string]any)["id"].(string)
					if got++; got == fatal {
						_ = cmd.Process.Kill()
					}
					mu.Unlock()
				}
			})
		}
		group.Wait()
		require.Error(t, i.wait(), "it was killed")
		out, _, err := try(t, "check", "--data", data)
		require.NoError(t, err, "after round %d:\n%s", round, out)
	}

	i := boot(t, baseConfig, "--data", data)
	_, list := i.send(http.MethodGet, "/api/catalog/locations", nil)
	stored := map[string]string{}
	for _, item := range list["items"].([]any) {
		l := item.(map[string]any)["data"].(map[string]any)
		stored[l["target"].(string)] = l["id"].(string)
	}
	require.Greater(t, len(answered), rounds)
	for target, id := range answered {
		require.Equal(t, id, stored[target], "%s was answered, and is not there", target)
		name := strings.TrimSuffix(path.Base(target), ".yaml")
		i.until("component/default/"+name+"-4", served)
	}
	i.end()
	out, _, err := try(t, "check", "--data", data)
	require.NoError(t, err, out)
}
