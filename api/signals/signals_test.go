package signals_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/signals"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

const patience = 10 * time.Second

// tokens authenticates by a table.
type tokens map[string]auth.Principal

func (t tokens) Authenticate(token, plugin string) (auth.Principal, error) {
	p, ok := t[token]
	if !ok || plugin != "signals" {
		return auth.Principal{}, errors.New("illegal")
	}
	return p, nil
}

type fixture struct {
	t      *testing.T
	hub    *signals.Hub
	server *httptest.Server
}

func newFixture(t *testing.T, change func(*signals.Options)) *fixture {
	o := signals.Options{
		Authenticator: tokens{
			"jane":    {Kind: auth.User, Subject: "user:default/jane"},
			"joe":     {Kind: auth.User, Subject: "user:default/joe"},
			"service": {Kind: auth.Service, Subject: "ci"},
			"short":   {Kind: auth.User, Subject: "user:default/jane", Expires: time.Now().Add(50 * time.Millisecond)},
		},
		Ownership: func(_ context.Context, ref string) ([]string, error) {
			if ref == "user:default/joe" {
				return nil, errors.New("not known")
			}
			return []string{ref, "group:default/team"}, nil
		},
	}
	if change != nil {
		change(&o)
	}
	hub, err := signals.New(o)
	require.NoError(t, err)
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.GET("/api/signals", hub.Connect)
	e.GET("/api/signals/", hub.Connect)
	f := &fixture{t: t, hub: hub, server: httptest.NewServer(e)}
	t.Cleanup(func() { hub.Close(); f.server.Close() })
	return f
}

// peer is a browser.
type peer struct {
	t    *testing.T
	ws   *websocket.Conn
	got  chan string
	gone chan error // why the reading ended
}

func (f *fixture) dial(token string) *peer {
	f.t.Helper()
	o := &websocket.DialOptions{}
	if token != "" {
		o.Subprotocols = []string{token}
	}
	ws, _, err := websocket.Dial(f.t.Context(), f.server.URL+"/api/signals", o)
	require.NoError(f.t, err)
	require.Equal(f.t, token, ws.Subprotocol(), "browsers drop a connection whose protocol is not echoed")
	p := &peer{f.t, ws, make(chan string, 1000), make(chan error, 1)}
	go func() {
		for {
			_, data, err := ws.Read(context.Background())
			if err != nil {
				p.gone <- err
				close(p.got)
				return
			}
			p.got <- string(data)
		}
	}()
	f.t.Cleanup(func() { ws.CloseNow() })
	return p
}

func (p *peer) say(kind websocket.MessageType, text string) {
	p.t.Helper()
	require.NoError(p.t, p.ws.Write(p.t.Context(), kind, []byte(text)))
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	require.NoError(p.t, p.ws.Ping(ctx), "frames are obeyed in order: what answers has heard all before")
}

func (p *peer) subscribe(channel string) *peer {
	p.t.Helper()
	p.say(websocket.MessageText, `{"action":"subscribe","channel":"`+channel+`"}`)
	return p
}

func (p *peer) hears(want string) {
	p.t.Helper()
	select {
	case got := <-p.got:
		require.JSONEq(p.t, want, got)
	case <-time.After(patience):
		p.t.Fatalf("%s did not come", want)
	}
}

// hearsNothing says that nothing came before a message that all get.
func (p *peer) hearsNothing(f *fixture) {
	p.t.Helper()
	p.subscribe("fence")
	f.hub.Broadcast("fence", "here")
	p.hears(`{"channel":"fence","message":"here"}`)
}

func (p *peer) ended() websocket.StatusCode {
	p.t.Helper()
	select {
	case err := <-p.gone:
		return websocket.CloseStatus(err)
	case <-time.After(patience):
		p.t.Fatal("the connection did not end")
		return 0
	}
}

func TestWhoGetsWhat(t *testing.T) {
	anonymous := func(o *signals.Options) { o.Anonymous = []string{"user:default/guest"} }
	for _, tc := range []struct {
		name    string
		token   string
		change  func(*signals.Options)
		to      []string // nil: everybody
		arrives bool
	}{
		{"a broadcast reaches a user", "jane", nil, nil, true},
		{"a broadcast reaches a peer without a token", "", nil, nil, true},
		{"a message to the user", "jane", nil, []string{"user:default/jane"}, true},
		{"one to a group of the user", "jane", nil, []string{"group:default/team"}, true},
		{"one to both comes once", "jane", nil, []string{"user:default/jane", "group:default/team"}, true},
		{"one to somebody else", "jane", nil, []string{"user:default/joe"}, false},
		{"one to nobody", "jane", nil, []string{}, false},
		{"a user whose groups cannot be found out is still the user", "joe", nil, []string{"user:default/joe"}, true},
		{"and no group", "joe", nil, []string{"group:default/team"}, false},
		{"a peer without a token is no guest where there are none", "", nil, []string{"user:default/guest"}, false},
		{"and is one where there are", "", anonymous, []string{"user:default/guest"}, true},
		{"a service is like a peer without a token", "service", anonymous, []string{"user:default/guest"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, tc.change)
			p := f.dial(tc.token).subscribe("notifications")
			message := map[string]any{"action": "new_notification", "text": "<b>&"}
			if tc.to == nil {
				f.hub.Broadcast("notifications", message)
			} else {
				f.hub.Publish("notifications", tc.to, message)
			}
			if tc.arrives {
				p.hears(`{"channel":"notifications","message":{"action":"new_notification","text":"<b>&"}}`)
			}
			p.hearsNothing(f)
		})
	}
}

func TestSubscriptions(t *testing.T) {
	f := newFixture(t, nil)
	p := f.dial("jane")
	f.hub.Broadcast("a", 1)
	p.hearsNothing(f)

	for _, frame := range []string{
		`{`, `null`, `"subscribe"`, `[]`, `{}`, `{"action":"subscribe"}`, `{"action":"subscribe","channel":5}`,
		`{"action":"shout","channel":"a"}`, `{"action":"subscribe","channel":"` + strings.Repeat("x", 300) + `"}`,
	} {
		p.say(websocket.MessageText, frame)
	}
	p.say(websocket.MessageBinary, `{"action":"subscribe","channel":"a"}`)
	f.hub.Broadcast("a", 2)
	p.hearsNothing(f)

	p.subscribe("a").subscribe("a")
	f.hub.Broadcast("a", 3)
	p.hears(`{"channel":"a","message":3}`)
	p.say(websocket.MessageText, `{"action":"unsubscribe","channel":"a"}`)
	f.hub.Broadcast("a", 4)
	p.hearsNothing(f)
}

func TestBoundsOfAPeer(t *testing.T) {
	f := newFixture(t, nil)
	p := f.dial("jane").subscribe("fence")
	for i := range 150 {
		p.subscribe(fmt.Sprint(i))
	}
	for i := range 150 {
		f.hub.Broadcast(fmt.Sprint(i), i)
		if i < 99 {
			p.hears(fmt.Sprintf(`{"channel":"%d","message":%d}`, i, i))
		}
	}
	p.hearsNothing(f)
	require.NoError(t, p.ws.Write(t.Context(), websocket.MessageText, []byte(`{"a":"`+strings.Repeat("x", 9<<10)+`"}`)))
	require.Equal(t, websocket.StatusMessageTooBig, p.ended())
}

func TestHandshake(t *testing.T) {
	f := newFixture(t, func(o *signals.Options) { o.Origins = []string{"https://portal.example.com", "http://*.dev:3000"} })
	host := strings.TrimPrefix(f.server.URL, "http://")
	for _, tc := range []struct {
		name, method, path, token, origin string
		plain                             bool // no upgrade
		status                            int
	}{
		{name: "with a token", path: "/api/signals", token: "jane", status: 101},
		{name: "without one", path: "/api/signals", status: 101},
		{name: "with a query", path: "/api/signals?x=1", token: "jane", status: 101},
		{name: "a bad token", path: "/api/signals", token: "forged", status: 401},
		{name: "several protocols are no token", path: "/api/signals", token: "jane, joe", status: 401},
		{name: "no upgrade", path: "/api/signals", plain: true, status: 404},
		{name: "the path ends in a slash", path: "/api/signals/", token: "jane", status: 404},
		{name: "page of the same host", path: "/api/signals", token: "jane", origin: "http://" + host, status: 101},
		{name: "page of an allowed origin", path: "/api/signals", token: "jane", origin: "https://portal.example.com", status: 101},
		{name: "page of an allowed pattern", path: "/api/signals", token: "jane", origin: "http://a.dev:3000", status: 101},
		{name: "the same host by another scheme", path: "/api/signals", token: "jane", origin: "http://portal.example.com", status: 403},
		{name: "page of a stranger, with a token that holds", path: "/api/signals", token: "jane", origin: "https://evil.example.com", status: 403},
		{name: "page of a stranger, without one", path: "/api/signals", origin: "https://portal.example.com.evil.com", status: 403},
		{name: "a page in a sandbox", path: "/api/signals", origin: "null", status: 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.server.URL+tc.path, nil)
			require.NoError(t, err)
			if !tc.plain {
				req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
					"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
			}
			if tc.token != "" {
				req.Header.Set("Sec-WebSocket-Protocol", tc.token)
			}
			if tc.origin != "" {
				req.Header.Set("Origin", tc.origin)
			}
			res, err := http.DefaultTransport.RoundTrip(req)
			require.NoError(t, err)
			defer res.Body.Close()
			require.Equal(t, tc.status, res.StatusCode)
			if tc.status == 101 {
				require.Equal(t, tc.token, res.Header.Get("Sec-WebSocket-Protocol"))
			}
			if tc.status == 401 {
				require.Zero(t, res.ContentLength, "the answer says nothing")
			}
		})
	}
}

func TestTokenIsNotWrittenAnywhere(t *testing.T) {
	const token = "forged-token-of-somebody"
	var asked string
	f := newFixture(t, func(o *signals.Options) {
		o.Authenticator = authenticator(func(token string) error { asked = token; return errors.New(token) })
	})
	_, res, err := websocket.Dial(t.Context(), f.server.URL+"/api/signals", &websocket.DialOptions{Subprotocols: []string{token}})
	require.Error(t, err)
	require.Equal(t, token, asked)
	require.NotContains(t, fmt.Sprint(res.Header), token)
}

type authenticator func(token string) error

func (a authenticator) Authenticate(token, _ string) (auth.Principal, error) {
	return auth.Principal{}, a(token)
}

func TestConnectionEndsWithItsToken(t *testing.T) {
	f := newFixture(t, nil)
	require.Equal(t, websocket.StatusPolicyViolation, f.dial("short").ended(),
		"not 1000 or 1001, after which the frontend does not come back")
}

func TestSilentPeerIsDropped(t *testing.T) {
	registry := prometheus.NewRegistry()
	f := newFixture(t, func(o *signals.Options) { o.PingInterval = 10 * time.Millisecond; o.Registerer = registry })
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.server.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "GET /api/signals HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	for r := bufio.NewReader(conn); ; {
		if _, err := r.ReadByte(); err != nil {
			var timeout net.Error
			require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "a peer that answers no ping is cut off")
			break
		}
	}
	f.hub.Close()
	require.Equal(t, 1.0, metric(t, registry, "signals_connections_dropped_total"))
	require.Equal(t, 0.0, metric(t, registry, "signals_connections"))
}

func metric(t *testing.T, g prometheus.Gatherer, name string) float64 {
	t.Helper()
	count, err := testutil.GatherAndCount(g, name)
	require.NoError(t, err)
	require.Equal(t, 1, count)
	families, err := g.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return -1
}

// A peer that does not read fills its queue, and publishing goes on.
func TestSlowPeerIsCutOff(t *testing.T) {
	f := newFixture(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.server.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "GET /api/signals HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	frame := []byte(`{"action":"subscribe","channel":"a"}`)
	_, err = conn.Write(append([]byte{0x81, 0x80 | byte(len(frame)), 0, 0, 0, 0}, frame...))
	require.NoError(t, err)
	// A ping, whose pong says that the subscription was heard.
	_, err = conn.Write([]byte{0x89, 0x80, 0, 0, 0, 0})
	require.NoError(t, err)
	r := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		line, err = r.ReadString('\n')
		require.NoError(t, err)
	}
	pong := make([]byte, 2)
	_, err = r.Read(pong)
	require.NoError(t, err)
	require.Equal(t, byte(0x8a), pong[0])

	quick := f.dial("jane").subscribe("a")
	large := strings.Repeat("x", 256<<10)
	for i := range 200 {
		f.hub.Broadcast("a", map[string]any{"n": i, "fill": large})
		<-quick.got
	}
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 1<<20)
	for err == nil {
		_, err = r.Read(buf)
	}
	var timeout net.Error
	require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "it is cut off")
}

func TestTooManyConnections(t *testing.T) {
	f := newFixture(t, func(o *signals.Options) { o.MaxConnections = 2 })
	f.dial("jane")
	second := f.dial("joe")
	_, res, err := websocket.Dial(t.Context(), f.server.URL+"/api/signals", nil)
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.NoError(t, second.ws.Close(websocket.StatusNormalClosure, ""))
	require.Eventually(t, func() bool {
		ws, _, err := websocket.Dial(t.Context(), f.server.URL+"/api/signals", nil)
		if err == nil {
			ws.CloseNow()
		}
		return err == nil
	}, patience, time.Millisecond, "one that goes makes room")
}

func TestClose(t *testing.T) {
	f := newFixture(t, nil)
	a, b := f.dial("jane"), f.dial("")
	f.hub.Close()
	require.Equal(t, websocket.StatusServiceRestart, a.ended(), "browsers come back after this one")
	require.Equal(t, websocket.StatusServiceRestart, b.ended())
	_, res, err := websocket.Dial(t.Context(), f.server.URL+"/api/signals", nil)
	require.Error(t, err)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	f.hub.Publish("a", []string{"user:default/jane"}, "to nobody")
}

func TestMessageThatCannotBeEncoded(t *testing.T) {
	f := newFixture(t, nil)
	p := f.dial("jane").subscribe("a")
	f.hub.Broadcast("a", func() {})
	p.hearsNothing(f)
}

func FuzzFrames(f *testing.F) {
	for _, s := range []string{`{"action":"subscribe","channel":"a"}`, `{"action":"unsubscribe","channel":"a"}`, `{`, `[[[`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		hub, err := signals.New(signals.Options{Authenticator: tokens{}})
		require.NoError(t, err)
		channels := signals.Obey(hub, frame)
		var said map[string]any
		if json.Unmarshal(frame, &said) != nil || said["action"] != "subscribe" {
			require.Empty(t, channels, "only a subscription subscribes")
		}
		require.LessOrEqual(t, len(channels), 1)
	})
}
