package config

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// durationKeys are the units of a duration that is an object. A month has 30
// days and a year 365.
var durationKeys = []struct {
	name string
	unit time.Duration
}{
	{"years", 365 * day}, {"months", 30 * day}, {"weeks", 7 * day}, {"days", day},
	{"hours", time.Hour}, {"minutes", time.Minute}, {"seconds", time.Second}, {"milliseconds", time.Millisecond},
}

func (v Value) durationObject(o *object) (time.Duration, error) {
	if len(o.keys) == 0 {
		return 0, v.Fault("a duration needs one of years, months, weeks, days, hours, minutes, seconds, milliseconds")
	}
	total := 0.0
	for _, key := range o.keys {
		at := slices.IndexFunc(durationKeys, func(k struct {
			name string
			unit time.Duration
		}) bool {
			return k.name == key
		})
		if at < 0 {
			return 0, v.Fault("'%s' is not a unit of a duration; there are years, months, weeks, days, hours, minutes, seconds, milliseconds", key)
		}
		n, err := v.Child(key).Number()
		if err != nil {
			return 0, err
		}
		total += n * float64(durationKeys[at].unit)
	}
	return clampDuration(total), nil
}

func clampDuration(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	if ns <= math.MinInt64 {
		return math.MinInt64
	}
	return time.Duration(ns)
}

var (
	short = regexp.MustCompile(`(?i)^(-?\d*\.?\d+) *(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|years?|yrs?|y)$`)
	iso   = regexp.MustCompile(`^P(?:(\d+(?:[.,]\d+)?)Y)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)W)?(?:(\d+(?:[.,]\d+)?)D)?(?:T(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$`)
)

// parseDuration reads "5m" and "2 seconds", and ISO 8601.
func parseDuration(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if m := short.FindStringSubmatch(s); m != nil {
		n, err := strconv.ParseFloat(m[1], 64)
		return clampDuration(n * float64(shortUnit(strings.ToLower(m[2])))), err == nil
	}
	m := iso.FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "T") || s == "P" {
		return 0, false
	}
	total := 0.0
	for i, text := range m[1:] {
		if text == "" {
			continue
		}
		n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
		if err != nil {
			return 0, false
		}
		total += n * float64(durationKeys[i].unit)
	}
	return clampDuration(total), true
}

func shortUnit(name string) time.Duration {
	switch {
	case name == "ms", strings.HasPrefix(name, "milli"), strings.HasPrefix(name, "msec"):
		return time.Millisecond
	case strings.HasPrefix(name, "s"):
		return time.Second
	case strings.HasPrefix(name, "m"):
		return time.Minute
	case strings.HasPrefix(name, "h"):
		return time.Hour
	case strings.HasPrefix(name, "d"):
		return day
	case strings.HasPrefix(name, "w"):
		return 7 * day
	}
	return 365 * day
}

// ParseDuration reads a duration as configurations spell it in one string:
// "5m", "2 seconds", "90d", or ISO 8601.
func ParseDuration(s string) (time.Duration, bool) { return parseDuration(s) }
