package signals

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// An Authenticator turns a token into who it stands for.
type Authenticator interface {
	Authenticate(token, plugin string) (auth.Principal, error)
}

// Options are what a Hub needs; the zero value of a field means what is said
// beside it.
type Options struct {
	// Authenticator checks the tokens of peers. Required.
	Authenticator Authenticator
	// Ownership returns the entity refs that a user acts for; nil, or an
	// error: the user alone.
	Ownership func(ctx context.Context, userEntityRef string) ([]string, error)
	// Anonymous are the entity refs of a peer without a token, or with one of
	// a service; nil: such a peer gets what goes to everybody, and no more.
	Anonymous []string
	// Origins are those that pages may connect from beside the host that was
	// asked, as scheme://host, with stars; nil: none.
	Origins []string
	// MaxConnections bounds the open connections; 0: 20,000.
	MaxConnections int
	// PingInterval is how often a peer is asked whether it is there, and how
	// long it may take to say so; 0: 30 seconds.
	PingInterval time.Duration
	// Registerer gets the metrics; nil: there are none.
	Registerer prometheus.Registerer
	// Logger takes what goes wrong; nil: it is lost.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

const (
	// maxFrame bounds what a peer may send at once, in bytes.
	maxFrame = 8 << 10
	// maxChannels bounds the subscriptions of one connection, and maxChannel
	// the bytes of a channel's name.
	maxChannels = 100
	maxChannel  = 255
	// maxQueued is how many messages wait for a peer before it is cut off.
	maxQueued = 64
	// writeTimeout bounds the sending of one message.
	writeTimeout = 10 * time.Second
)

// A Hub holds the open connections and brings messages to them.
type Hub struct {
	o       Options
	running sync.WaitGroup
	metrics hubMetrics

	mu      sync.RWMutex
	closed  bool
	all     map[*connection]struct{}
	byOwned map[string]map[*connection]struct{} // by each ref that it acts for
}

type hubMetrics struct {
	connections prometheus.Gauge
	sent        prometheus.Counter
	dropped     prometheus.Counter
}

// New returns a Hub. The caller closes it.
func New(o Options) (*Hub, error) {
	if o.Authenticator == nil {
		return nil, errors.New("signals need an authenticator")
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 20_000
	}
	if o.PingInterval == 0 {
		o.PingInterval = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &Hub{o: o, all: map[*connection]struct{}{}, byOwned: map[string]map[*connection]struct{}{}}
	h.metrics = hubMetrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "signals_connections", Help: "Browsers that are connected for signals."}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signals_messages_sent_total", Help: "Messages that were queued for a connection."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signals_connections_dropped_total", Help: "Connections that were cut off because they did not keep up or answer."}),
	}
	if o.Registerer != nil {
		for _, c := range []prometheus.Collector{h.metrics.connections, h.metrics.sent, h.metrics.dropped} {
			if err := o.Registerer.Register(c); err != nil {
				return nil, err
			}
		}
	}
	return h, nil
}

// Broadcast sends a message to everybody who subscribed to the channel.
func (h *Hub) Broadcast(channel string, message any) {
	text, ok := h.encode(channel, message)
	if !ok {
		return
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for c := range h.all {
		h.offer(c, channel, text)
	}
}

// Publish sends a message to those who subscribed to the channel and act for
// one of the entity refs. Nobody is meant by an empty list.
func (h *Hub) Publish(channel string, entityRefs []string, message any) {
	if len(entityRefs) == 0 {
		return
	}
	text, ok := h.encode(channel, message)
	if !ok {
		return
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	var done map[*connection]struct{}
	if len(entityRefs) > 1 {
		done = map[*connection]struct{}{} // a peer may act for several of them
	}
	for _, ref := range entityRefs {
		for c := range h.byOwned[ref] {
			if _, twice := done[c]; twice {
				continue
			}
			if done != nil {
				done[c] = struct{}{}
			}
			h.offer(c, channel, text)
		}
	}
}

// encode writes the frame of a message. A message that cannot be written is a
// mistake of the publisher, whose own work is done all the same.
func (h *Hub) encode(channel string, message any) ([]byte, bool) {
	text, err := wire.AppendJSON(nil, wire.Obj("channel", channel))
	if err == nil {
		text = append(text[:len(text)-1], `,"message":`...)
		text, err = wire.AppendJSON(text, message)
	}
	if err != nil {
		h.o.Logger.Error("signal cannot be encoded", slog.String("channel", channel), slog.Any("error", err))
		return nil, false
	}
	return append(text, '}'), true
}

// offer queues a message for a connection, or cuts it off if its queue is full.
func (h *Hub) offer(c *connection, channel string, text []byte) {
	if !c.subscribed(channel) {
		return
	}
	select {
	case c.queue <- text:
		h.metrics.sent.Inc()
	default:
		c.end(websocket.StatusTryAgainLater, "too slow")
	}
}

// errFull and errClosed are why a connection is not taken.
var (
	errFull   = errors.New("too many connections")
	errClosed = errors.New("the server is stopping")
)

// add takes a connection in. Close waits for it until its goroutine says Done.
func (h *Hub) add(c *connection) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return errClosed
	case len(h.all) >= h.o.MaxConnections:
		return errFull
	}
	h.all[c] = struct{}{}
	for _, ref := range c.owned {
		if h.byOwned[ref] == nil {
			h.byOwned[ref] = map[*connection]struct{}{}
		}
		h.byOwned[ref][c] = struct{}{}
	}
	h.running.Add(1)
	h.metrics.connections.Set(float64(len(h.all)))
	return nil
}

func (h *Hub) remove(c *connection) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, c)
	for _, ref := range c.owned {
		if delete(h.byOwned[ref], c); len(h.byOwned[ref]) == 0 {
			delete(h.byOwned, ref)
		}
	}
	h.metrics.connections.Set(float64(len(h.all)))
}

// Stop takes no more connections and ends those that are open, without waiting
// for them. Browsers are told that the service restarts, so that they come
// back.
func (h *Hub) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c := range h.all {
		c.end(websocket.StatusServiceRestart, "restart")
	}
}

// Close stops the Hub and waits until the last connection has ended.
func (h *Hub) Close() {
	h.Stop()
	h.running.Wait()
}
