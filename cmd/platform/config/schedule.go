package config

import (
	"math"
	"time"

	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// schedule reads {frequency, timeout, initialDelay, scope}. Without one,
// absent holds; where that is zero a schedule must be given.
func (r *reader) schedule(v Value, absent provider.Schedule) provider.Schedule {
	if !v.Exists() {
		if absent == (provider.Schedule{}) {
			r.fault(v.missing())
		}
		return absent
	}
	if !v.IsObject() {
		r.fault(v.wrongType("object"))
		return absent
	}
	before := len(r.faults)
	s := r.frequency(v.At("frequency"))
	s.InitialDelay = r.duration(v.At("initialDelay"), 0)
	if timeout := v.At("timeout"); timeout.Exists() {
		s.Timeout = r.duration(timeout, 0)
	} else {
		r.fault(timeout.missing())
	}
	r.choice(v.At("scope"), "global", "global", "local")
	if len(r.faults) == before {
		if err := s.Validate(); err != nil {
			r.fault(v.Fault("%v", err))
		}
	}
	return s
}

// frequency reads a duration, {cron: …} or {trigger: manual}.
func (r *reader) frequency(v Value) (s provider.Schedule) {
	switch {
	case !v.Exists():
		r.fault(v.missing())
	case v.At("cron").Exists():
		s.Cron = r.required(v.At("cron"))
	case v.At("trigger").Exists():
		s.Manual = r.choice(v.At("trigger"), "", "manual") == "manual"
	default:
		s.Every = r.duration(v, 0)
	}
	return s
}

// everyThreeHours is the schedule of a discovery that says nothing about it.
func everyThreeHours() provider.Schedule {
	return provider.Schedule{Every: 3 * time.Hour, Timeout: time.Hour}
}

// size reads how many things are asked for at once.
func (r *reader) size(v Value, absent, most int) int {
	n := r.integer(v, absent)
	if n < 1 || n > most {
		r.fault(v.Fault("%d is not between 1 and %d", n, most))
		return absent
	}
	return n
}

// share reads a number from 0 to 1, or a percentage such as "30%".
func (r *reader) share(v Value, absent float64) float64 {
	if !v.Exists() {
		return absent
	}
	n, err := v.Number()
	if text, ok := v.Plain().(string); ok && len(text) > 1 && text[len(text)-1] == '%' {
		n, err = percent(text)
	}
	if err != nil || math.IsNaN(n) || n < 0 || n > 1 {
		r.fault(v.Fault("%v is not a share, such as 0.3 or '30%%'", v.Plain()))
		return absent
	}
	return n
}

// pattern reads a regular expression.
func (r *reader) pattern(v Value, anchored bool) provider.Pattern {
	if !v.Exists() {
		return provider.Pattern{}
	}
	p, err := provider.ParsePattern(r.required(v), anchored)
	if err != nil {
		r.fault(v.Fault("%v", err))
	}
	return p
}

// patterns reads a regular expression, or a list of them.
func (r *reader) patterns(v Value) (out []provider.Pattern) {
	switch {
	case !v.Exists():
	case v.IsArray():
		for item := range r.items(v) {
			out = append(out, r.pattern(item, false))
		}
	default:
		out = append(out, r.pattern(v, false))
	}
	return out
}
