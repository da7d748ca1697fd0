package engine

import "sync"

// Watch returns a channel that holds a value whenever the served catalog has
// changed since the last one was taken out, for those who then read Changes.
// It never holds more than one, so a slow watcher costs the engine nothing.
// After stop nothing comes any more; the channel is not closed.
func (e *Engine) Watch() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	e.watchers.add(c)
	return c, func() { e.watchers.remove(c) }
}

// watchers are told of every commit that changed what is served.
type watchers struct {
	mu   sync.Mutex
	list map[chan struct{}]struct{}
}

func (w *watchers) add(c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.list == nil {
		w.list = map[chan struct{}]struct{}{}
	}
	w.list[c] = struct{}{}
}

func (w *watchers) remove(c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.list, c)
}

func (w *watchers) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.list {
		select {
		case c <- struct{}{}:
		default: // it has not looked at the last one yet
		}
	}
}
