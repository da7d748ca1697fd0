package engine

import "sync"

// A hub knows who watches which task.
type hub struct {
	mu       sync.Mutex
	watchers map[string]map[*Watch]bool
}

func newHub() *hub { return &hub{watchers: map[string]map[*Watch]bool{}} }

// A Watch is told when something was stored about a task. However much that
// was, it is told once until it has looked; so a watcher that is slow costs
// nothing and misses nothing.
type Watch struct {
	hub  *hub
	task string
	c    chan struct{}
}

// C receives when there may be something new.
func (w *Watch) C() <-chan struct{} { return w.c }

// Close ends the watch. C receives nothing more.
func (w *Watch) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	delete(w.hub.watchers[w.task], w)
	if len(w.hub.watchers[w.task]) == 0 {
		delete(w.hub.watchers, w.task)
	}
}

func (h *hub) watch(task string) *Watch {
	w := &Watch{hub: h, task: task, c: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers[task] == nil {
		h.watchers[task] = map[*Watch]bool{}
	}
	h.watchers[task][w] = true
	return w
}

func (h *hub) wake(task string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers[task] {
		select {
		case w.c <- struct{}{}:
		default: // it has not looked since the last time
		}
	}
}
