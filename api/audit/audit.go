package audit

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
)

// A Severity says how much an event matters. The zero value is Low.
type Severity uint8

// The severities.
const (
	Low Severity = iota
	Medium
	High
	Critical
)

var severities = [...]string{"low", "medium", "high", "critical"}

// String returns the word that events and the configuration have for it.
func (s Severity) String() string { return severities[s] }

// ParseSeverity is the reverse of String, in any case.
func ParseSeverity(word string) (Severity, error) {
	for i, s := range severities {
		if strings.EqualFold(s, word) {
			return Severity(i), nil
		}
	}
	return 0, fmt.Errorf("%q is not one of %s", word, strings.Join(severities[:], ", "))
}

// An Actor is who did something. Empty fields are left out.
type Actor struct {
	// ID is the entity ref of a user, the name of a service, or plugin:<id> for
	// what a plugin does by itself.
	ID string
	// IP, Hostname (the one that was asked for) and UserAgent are of a request.
	IP, Hostname, UserAgent string
}

// A Request is what asked for something.
type Request struct{ Method, URL string }

// A Kind is what all events of one sort have in common.
type Kind struct {
	// Plugin and ID name it, such as "catalog" and "entity-fetch". Required.
	Plugin, ID string
	Severity   Severity
}

// An Auditor writes events.
type Auditor struct {
	log, own *slog.Logger
	levels   [len(severities)]slog.Level
	from     Severity
}

// Options are what an Auditor needs; the zero value of a field means what is
// said beside it.
type Options struct {
	// Log gets the events at the level of their severity; nil: it gets none.
	Log *slog.Logger
	// Levels by severity; where there is none it is debug for low, and info for
	// all others.
	Levels map[Severity]slog.Level
	// Own gets the events at level info, whatever their severity; nil: there is
	// no logger of their own.
	Own *slog.Logger
	// OwnFrom is the lowest severity that Own gets.
	OwnFrom Severity
}

// New returns an Auditor.
func New(o Options) *Auditor {
	a := &Auditor{log: o.Log, own: o.Own, from: o.OwnFrom}
	for s := range a.levels {
		level, said := o.Levels[Severity(s)]
		switch {
		case said:
			a.levels[s] = level
		case Severity(s) == Low:
			a.levels[s] = slog.LevelDebug
		}
	}
	return a
}

// Enabled tells whether events of a severity are written anywhere.
func (a *Auditor) Enabled(s Severity) bool {
	return a != nil && (a.toLog(s) || a.toOwn(s))
}

func (a *Auditor) toLog(s Severity) bool {
	return a.log != nil && a.log.Enabled(context.Background(), a.levels[s])
}

func (a *Auditor) toOwn(s Severity) bool { return a.own != nil && s >= a.from }

// The statuses of an event.
const (
	initiated = "initiated"
	succeeded = "succeeded"
	failed    = "failed"
)

// An Event is one that has begun. A nil *Event takes everything and writes
// nothing.
type Event struct {
	auditor *Auditor
	kind    Kind
	actor   Actor
	request *Request
	meta    []any // of slog.Attr
	begun   bool
}

// Event returns an event that has not been written yet. A nil request is for
// what nobody asked for.
func (a *Auditor) Event(k Kind, who Actor, r *Request, meta ...slog.Attr) *Event {
	if !a.Enabled(k.Severity) {
		return nil
	}
	e := &Event{auditor: a, kind: k, actor: who, request: r}
	e.About(meta...)
	return e
}

// About adds what the event is about.
func (e *Event) About(meta ...slog.Attr) {
	if e == nil {
		return
	}
	for _, m := range meta {
		e.meta = append(e.meta, m)
	}
}

// Begin writes that the event has begun, once.
func (e *Event) Begin(ctx context.Context) {
	if e == nil || e.begun {
		return
	}
	e.begun = true
	e.write(ctx, initiated, nil)
}

// End writes how the event ended; a nil error means well. That it has begun is
// written first if it was not.
func (e *Event) End(ctx context.Context, err error) {
	if e == nil {
		return
	}
	e.Begin(ctx)
	e.Conclude(ctx, err)
}

// Conclude writes how an event ended that began elsewhere.
func (e *Event) Conclude(ctx context.Context, err error) {
	if e == nil {
		return
	}
	status := succeeded
	if err != nil {
		status = failed
	}
	e.write(ctx, status, err)
}

func (e *Event) write(ctx context.Context, status string, err error) {
	a, message := e.auditor, e.kind.Plugin+"."+e.kind.ID
	attrs := e.attrs(status, err)
	if a.toLog(e.kind.Severity) {
		a.log.LogAttrs(ctx, a.levels[e.kind.Severity], message, attrs...)
	}
	if a.toOwn(e.kind.Severity) {
		a.own.LogAttrs(ctx, slog.LevelInfo, message, attrs...)
	}
}

func (e *Event) attrs(status string, err error) []slog.Attr {
	attrs := []slog.Attr{
		slog.Bool("isAuditEvent", true), slog.String("plugin", e.kind.Plugin), slog.String("eventId", e.kind.ID),
		slog.String("severityLevel", e.kind.Severity.String()), slog.String("status", status),
		slog.Group("actor", filled("actorId", e.actor.ID, "ip", e.actor.IP, "hostname", e.actor.Hostname, "userAgent", e.actor.UserAgent)...),
	}
	if e.request != nil {
		attrs = append(attrs, slog.Group("request", slog.String("url", e.request.URL), slog.String("method", e.request.Method)))
	}
	if len(e.meta) > 0 {
		attrs = append(attrs, slog.Group("meta", e.meta...))
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", catalog.Describe(err)))
	}
	return attrs
}

// filled returns the attributes of keys and values in turn that are not empty.
func filled(keysAndValues ...string) (out []any) {
	for i := 0; i < len(keysAndValues); i += 2 {
		if keysAndValues[i+1] != "" {
			out = append(out, slog.String(keysAndValues[i], keysAndValues[i+1]))
		}
	}
	return out
}

type key struct{}

// Key is the key under which a context holds an *Event, for contexts that keep
// it beside other values of the request.
var Key any = key{}

// About says what the event of a request is about, and then writes that it has
// begun, if it was not written before. Without an event it does nothing.
func About(ctx context.Context, meta ...slog.Attr) {
	if e, ok := ctx.Value(Key).(*Event); ok && e != nil {
		e.About(meta...)
		e.Begin(ctx)
	}
}
