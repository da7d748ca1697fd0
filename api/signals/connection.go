package signals

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A connection is one open WebSocket.
type connection struct {
	ws      *websocket.Conn
	owned   []string  // the entity refs that its user acts for
	expires time.Time // of the token; zero: it does not
	queue   chan []byte
	ending  chan closing // the first word about the end; has room for it

	mu       sync.Mutex
	channels map[string]struct{}
}

// A closing is what a peer is told at the end.
type closing struct {
	code   websocket.StatusCode
	reason string
}

// Health answers GET /health.
func (h *Hub) Health(*gin.Context) (any, error) { return wire.Obj("status", "ok"), nil }

// Connect answers GET /api/signals: a handshake opens a connection, and
// anything else is not found. It returns when the connection is open; the Hub
// looks after it from then on.
func (h *Hub) Connect(c *gin.Context) {
	path, _, _ := strings.Cut(c.Request.RequestURI, "?")
	if !isHandshake(c.Request) || strings.HasSuffix(path, "/") {
		refuse(c, http.StatusNotFound)
		return
	}
	token := strings.Join(c.Request.Header.Values("Sec-WebSocket-Protocol"), ",")
	peer, status := h.identify(c.Request.Context(), token)
	if status != 0 {
		refuse(c, status)
		return
	}
	options := &websocket.AcceptOptions{OriginPatterns: h.o.Origins}
	if token != "" {
		options.Subprotocols = []string{token}
	}
	if err := h.add(peer); err != nil {
		refuse(c, http.StatusServiceUnavailable)
		return
	}
	ws, err := websocket.Accept(c.Writer, c.Request, options)
	if err != nil { // it has answered, with what is wrong about the handshake
		h.remove(peer)
		h.running.Done()
		return
	}
	ws.SetReadLimit(maxFrame)
	peer.ws = ws
	go h.serve(peer)
}

func isHandshake(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// refuse answers without a body and ends the connection.
func refuse(c *gin.Context, status int) {
	h := c.Writer.Header()
	h.Set("Content-Length", "0")
	if status != http.StatusNotFound {
		h.Set("Connection", "close")
	}
	c.Status(status)
	c.Writer.WriteHeaderNow()
}

// identify returns a connection of whoever sent the token, or the status that
// refuses it.
func (h *Hub) identify(ctx context.Context, token string) (peer *connection, status int) {
	peer = &connection{
		owned: h.o.Anonymous, queue: make(chan []byte, maxQueued), ending: make(chan closing, 1),
		channels: map[string]struct{}{},
	}
	if token == "" {
		return peer, 0
	}
	p, err := h.o.Authenticator.Authenticate(token, "signals")
	if err != nil {
		return nil, http.StatusUnauthorized
	}
	peer.expires = p.Expires
	if p.Kind != auth.User {
		return peer, 0
	}
	peer.owned = []string{p.Subject}
	if h.o.Ownership == nil {
		return peer, 0
	}
	owned, err := h.o.Ownership(ctx, p.Subject)
	if err != nil {
		h.o.Logger.WarnContext(ctx, "ownership of a user is not known, signals go to the user alone", "error", err)
	}
	for _, ref := range owned {
		if !slices.Contains(peer.owned, ref) {
			peer.owned = append(peer.owned, ref)
		}
	}
	return peer, 0
}

// serve runs a connection to its end.
func (h *Hub) serve(c *connection) {
	defer h.running.Done()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel() // the peer has gone
		c.read(ctx)
	})
	last, said := h.write(ctx, c)
	h.remove(c)
	if said {
		_ = c.ws.Close(last.code, last.reason) // a peer that is gone need not hear it
	}
	cancel()
	_ = c.ws.CloseNow()
	reading.Wait()
}

// write sends what is queued until the peer goes or is sent away, and asks it
// now and then whether it is there.
func (h *Hub) write(ctx context.Context, c *connection) (last closing, said bool) {
	ping := time.NewTicker(h.o.PingInterval)
	defer ping.Stop()
	var expired <-chan time.Time
	if !c.expires.IsZero() {
		timer := time.NewTimer(c.expires.Sub(h.o.Now()))
		defer timer.Stop()
		expired = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return last, false
		case last = <-c.ending:
			if last.code == websocket.StatusTryAgainLater { // it does not read, so it is not told either
				h.metrics.dropped.Inc()
				return last, false
			}
			return last, true
		case <-expired:
			return closing{websocket.StatusPolicyViolation, "token expired"}, true
		case <-ping.C:
			if !within(ctx, h.o.PingInterval, c.ws.Ping) {
				h.metrics.dropped.Inc()
				return last, false
			}
		case text := <-c.queue:
			send := func(ctx context.Context) error { return c.ws.Write(ctx, websocket.MessageText, text) }
			if !within(ctx, writeTimeout, send) {
				return last, false
			}
		}
	}
}

func within(ctx context.Context, limit time.Duration, do func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx) == nil
}

// read takes what the peer says until it goes. Frames that make no sense are
// passed over, and one that is too long ends the connection.
func (c *connection) read(ctx context.Context) {
	for {
		kind, data, err := c.ws.Read(ctx)
		if err != nil {
			return
		}
		if kind == websocket.MessageText {
			c.obey(data)
		}
	}
}

func (c *connection) obey(frame []byte) {
	o, err := jsonvalue.ParseObject(frame)
	if err != nil {
		return
	}
	channel := o.String("channel")
	if channel == "" || len(channel) > maxChannel {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch o.String("action") {
	case "subscribe":
		if len(c.channels) < maxChannels {
			c.channels[channel] = struct{}{}
		}
	case "unsubscribe":
		delete(c.channels, channel)
	}
}

func (c *connection) subscribed(channel string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.channels[channel]
	return ok
}

// end asks for the end of the connection; the first to ask is heard.
func (c *connection) end(code websocket.StatusCode, reason string) {
	select {
	case c.ending <- closing{code, reason}:
	default:
	}
}
