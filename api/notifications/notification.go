package notifications

import (
	"slices"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// MaxPerUser bounds the notifications that are kept of one user, and those to
// everybody.
const MaxPerUser = 5000

// A Notification is one piece of news as one user sees it.
type Notification struct {
	ID string // a UUID
	// User is the entity ref of who it was sent to; "" for one to everybody.
	User   string
	Origin string // who sent it
	// Created has milliseconds. The others are zero as long as it has not
	// happened.
	Created, Updated, Read, Saved time.Time
	Payload                       Payload
}

// A Payload is what a notification says; "" for what it does not say.
type Payload struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Link is a URL, or a path below that of the portal.
	Link     string `json:"link,omitempty"`
	Topic    string `json:"topic,omitempty"`
	Severity string `json:"severity"`
	// Scope makes a later notification of the same origin and scope replace
	// this one.
	Scope string `json:"scope,omitempty"`
	Icon  string `json:"icon,omitempty"`
}

// severities from high to low.
var severities = [...]string{"critical", "high", "normal", "low"}

const defaultSeverity = "normal"

// normalSeverity returns a severity that exists.
func normalSeverity(s string) string {
	if s = strings.ToLower(s); slices.Contains(severities[:], s) {
		return s
	}
	return defaultSeverity
}

// object is the notification as it is served.
func (n *Notification) object() *jsonvalue.Object {
	p := &n.Payload
	return wire.Obj(
		"id", n.ID, "user", orNull(n.User), "created", isoTime(n.Created),
		"saved", milliseconds(n.Saved), "read", milliseconds(n.Read), "updated", milliseconds(n.Updated),
		"origin", n.Origin,
		"payload", wire.Obj(
			"title", p.Title, "description", orNull(p.Description), "link", orNull(p.Link), "topic", orNull(p.Topic),
			"severity", p.Severity, "scope", orNull(p.Scope), "icon", orNull(p.Icon),
		),
	)
}

func objects(list []Notification) []any {
	out := make([]any, len(list))
	for i := range list {
		out[i] = list[i].object()
	}
	return out
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func isoTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func milliseconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return float64(t.UnixMilli())
}
