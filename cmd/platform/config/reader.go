package config

import (
	"iter"
	"math"
	"time"
)

// A reader reads values and keeps the faults, so that all of them are found
// before any is reported.
type reader struct {
	faults   []error
	warnings []string
}

func (r *reader) fault(err error) {
	if err != nil {
		r.faults = append(r.faults, err)
	}
}

func keep[T any](r *reader, value T, err error) T {
	r.fault(err)
	return value
}

func (r *reader) required(v Value) string {
	s, err := v.Text()
	return keep(r, s, err)
}

func (r *reader) text(v Value, absent string) string {
	if !v.Exists() {
		return absent
	}
	return r.required(v)
}

func (r *reader) boolean(v Value, absent bool) bool {
	if !v.Exists() {
		return absent
	}
	b, err := v.Bool()
	return keep(r, b, err)
}

func (r *reader) integer(v Value, absent int) int {
	if !v.Exists() {
		return absent
	}
	n, err := v.Number()
	if err == nil && (n != math.Trunc(n) || math.Abs(n) > math.MaxInt32) {
		err = v.Fault("%v is not a whole number of a usual size", n)
	}
	r.fault(err)
	return int(n)
}

func (r *reader) duration(v Value, absent time.Duration) time.Duration {
	if !v.Exists() {
		return absent
	}
	d, err := v.Duration()
	return keep(r, d, err)
}

func (r *reader) milliseconds(v Value, absent time.Duration) time.Duration {
	if !v.Exists() {
		return absent
	}
	d, err := v.Milliseconds()
	if err == nil && d < 0 {
		err = v.Fault("a duration must not be negative")
	}
	return keep(r, d, err)
}

func (r *reader) list(v Value) []string {
	if !v.Exists() {
		return nil
	}
	list, err := v.Texts()
	return keep(r, list, err)
}

func (r *reader) items(v Value) iter.Seq[Value] {
	items, err := v.Items()
	return keep(r, items, err)
}

// texts reads an object of strings, and of numbers and booleans as such.
func (r *reader) texts(v Value) map[string]string {
	if !v.Exists() {
		return nil
	}
	if !v.IsObject() {
		r.fault(v.wrongType("object"))
		return nil
	}
	out := map[string]string{}
	for _, key := range v.Keys() {
		out[key] = r.required(v.Child(key))
	}
	return out
}

// choice reads one of some words.
func (r *reader) choice(v Value, absent string, words ...string) string {
	s := r.text(v, absent)
	for _, w := range words {
		if s == w {
			return s
		}
	}
	if s != "" {
		r.fault(v.Fault("'%s' is not one of %s", s, enumerate(words)))
	}
	return absent
}

func enumerate(words []string) string {
	out := ""
	for i, w := range words {
		if i > 0 {
			out += ", "
		}
		out += w
	}
	return out
}
