package budget

import (
	"sync"
	"time"
)

// pace bounds the requests of each minute.
type pace struct {
	perMinute int

	mu   sync.Mutex
	sent []time.Time // of the last minute, oldest first
}

// take counts a request at now, or returns when there may be one.
func (p *pace) take(now time.Time) time.Time {
	if p.perMinute <= 0 {
		return now
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.sent) > 0 && now.Sub(p.sent[0]) >= time.Minute {
		p.sent = p.sent[1:]
	}
	if len(p.sent) >= p.perMinute {
		return p.sent[0].Add(time.Minute)
	}
	p.sent = append(p.sent, now)
	return now
}
