package forgetest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"
)

// A ledger is what was written at a host.
type ledger struct {
	mu  sync.Mutex
	all []Write
}

// Writes returns what was written, in order, of one operation or, with "", of
// all.
func (l *ledger) Writes(operation string) []Write {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.all), func(w Write) bool { return operation != "" && w.Operation != operation })
}

func (l *ledger) note(w Write) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, w)
}

// jsonBody reads a body, {} if there is none.
func jsonBody(r *http.Request) (map[string]any, error) {
	body := map[string]any{}
	data, err := io.ReadAll(r.Body)
	if err == nil && len(data) > 0 {
		err = json.Unmarshal(data, &body)
	}
	return body, err
}
