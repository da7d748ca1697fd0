package recorded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Player answers requests with exchanges.
type Player struct {
	mu        sync.Mutex
	exchanges []Exchange
	used      []bool
	unmatched []string
}

var _ http.RoundTripper = (*Player)(nil)

// NewPlayer returns a player of exchanges, which are used in their order.
func NewPlayer(exchanges []Exchange) *Player {
	return &Player{exchanges: exchanges, used: make([]bool, len(exchanges))}
}

// Unmatched says what was asked and not answered, each once.
func (p *Player) Unmatched() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.unmatched)
}

// Unused returns the exchanges that nobody asked for, but those that repeat.
func (p *Player) Unused() (out []Exchange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, e := range p.exchanges {
		if !p.used[i] && !e.Repeat {
			out = append(out, e)
		}
	}
	return out
}

// errUnmatched is returned for a request that no exchange answers.
var errUnmatched = errors.New("no recorded exchange answers")

// RoundTrip implements http.RoundTripper.
func (p *Player) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(io.LimitReader(req.Body, maxBody+1))
		if err = errors.Join(err, req.Body.Close()); err != nil {
			return nil, err
		}
		if len(body) > maxBody {
			return nil, fmt.Errorf("the body of %s is larger than %d bytes", shown(req), maxBody)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	reason := ""
	for _, repeat := range []bool{false, true} {
		for i, e := range p.exchanges {
			if e.Repeat != repeat || p.used[i] && !repeat {
				continue
			}
			answer, done, why := e.answer(req, body)
			if why != "" {
				reason = why
			}
			if answer != nil {
				p.used[i] = p.used[i] || done
				answer.Request = req
				return answer, nil
			}
		}
	}
	return nil, p.refuse(req, reason)
}

// refuse notes a request that is not answered.
func (p *Player) refuse(req *http.Request, reason string) error {
	text := shown(req)
	if reason != "" {
		text += ": " + reason
	}
	if !slices.Contains(p.unmatched, text) {
		p.unmatched = append(p.unmatched, text)
	}
	return fmt.Errorf("%w %s", errUnmatched, text)
}

func shown(req *http.Request) string {
	u := *req.URL
	u.User = nil
	return req.Method + " " + u.String()
}

// answer returns the answer to a request, nil if it is another one: then why may
// say what differs. Done: the exchange answers no more requests.
func (e Exchange) answer(req *http.Request, body []byte) (answer *http.Response, done bool, why string) {
	if e.Push {
		return e.push(req, body)
	}
	if !sameURL(e.URL, req.URL) {
		return nil, false, ""
	}
	if e.Method != req.Method {
		return nil, false, "recorded is " + e.Method
	}
	if !fits(e.RequestBody, body) {
		return nil, false, "the body differs from the recorded one: " + string(body[:min(len(body), 500)])
	}
	return respond(e.Status, e.Headers, e.Body), true, ""
}

func respond(status int, headers http.Header, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: headers.Clone(), Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body))}
}

// sameURL compares without regard to the order of the query.
func sameURL(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Host, b.Host) && strings.TrimSuffix(a.EscapedPath(), "/") == strings.TrimSuffix(b.EscapedPath(), "/") &&
		a.Query().Encode() == b.Query().Encode()
}

// fits tells whether the body of a request holds what was recorded.
func fits(want any, body []byte) bool {
	if want == nil {
		return true
	}
	if text, ok := want.(string); ok && string(body) == text {
		return true
	}
	got, err := jsonvalue.Parse(body)
	return err == nil && holds(got, want)
}

func holds(got, want any) bool {
	o, ok := want.(*jsonvalue.Object)
	if !ok {
		return jsonvalue.Equal(got, want)
	}
	g, ok := got.(*jsonvalue.Object)
	if !ok {
		return false
	}
	for key, v := range o.All() {
		if w, there := g.Get(key); !there || !holds(w, v) {
			return false
		}
	}
	return true
}
