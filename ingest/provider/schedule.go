package provider

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/adhocore/gronx"
)

// A Schedule says when a provider is polled. Exactly one of Every, Cron and
// Manual is set.
type Schedule struct {
	// Every is the time from the start of one run to the start of the next.
	Every time.Duration
	// Cron is an expression of five fields, or six with seconds first, in the
	// time zone of the server.
	Cron string
	// Manual leaves it to an operator.
	Manual bool
	// Timeout ends a run that takes longer.
	Timeout time.Duration
	// InitialDelay is waited after the start of the program.
	InitialDelay time.Duration
}

// shortest keeps a mistyped unit from flooding a host.
const shortest = time.Second

// Validate says what is wrong with a schedule.
func (s Schedule) Validate() error {
	ways := 0
	for _, set := range []bool{s.Every != 0, s.Cron != "", s.Manual} {
		if set {
			ways++
		}
	}
	switch {
	case ways == 0:
		return errors.New("a schedule needs a frequency, such as {minutes: 30}, {cron: '0 */3 * * *'} or {trigger: manual}")
	case ways > 1:
		return errors.New("a schedule has one frequency: a duration, a cron expression or a manual trigger")
	case s.Cron != "" && !validCron(s.Cron):
		return fmt.Errorf("'%s' is not a cron expression, such as '0 */3 * * *' for every three hours", s.Cron)
	case s.Every != 0 && s.Every < shortest:
		return fmt.Errorf("a frequency of %s is too short, the shortest is %s", s.Every, shortest)
	case s.Timeout <= 0:
		return errors.New("a schedule needs a timeout, such as {minutes: 3}")
	case s.InitialDelay < 0:
		return errors.New("an initialDelay must not be negative")
	}
	return nil
}

// maxCron bounds the length of an expression.
const maxCron = 200

// validCron asks for a next time as well: an expression for the 30th of
// February is well-formed and never due.
func validCron(expression string) bool {
	if len(expression) > maxCron || !gronx.IsValid(expression) {
		return false
	}
	_, err := gronx.NextTickAfter(expression, time.Unix(0, 0), false)
	return err == nil
}

// String says the schedule in words.
func (s Schedule) String() string {
	switch {
	case s.Manual:
		return "by hand"
	case s.Cron != "":
		return "cron " + s.Cron
	}
	return "every " + s.Every.String()
}

// maxJitter bounds by how much a run is later than planned, so that providers
// with the same frequency do not stay in step.
const maxJitter = time.Minute

// after returns when the next run begins after one that began at start, and
// zero for never. It is not before now.
func (s Schedule) after(start, now time.Time) time.Time {
	switch {
	case s.Manual:
		return time.Time{}
	case s.Cron != "":
		next, err := gronx.NextTickAfter(s.Cron, now, false)
		if err != nil {
			return time.Time{}
		}
		return next
	}
	next := start.Add(s.Every + rand.N(min(s.Every/10, maxJitter)+1))
	if next.Before(now) {
		return now
	}
	return next
}

const (
	firstBackoff = 30 * time.Second
	maxBackoff   = time.Hour
	// longestWait is how long a host is believed that asks to be left alone.
	longestWait = 24 * time.Hour
)

// retry returns when to try again after that many failures in a row: sooner
// than the schedule says, though not before the host allows it. A provider
// that is run by hand is not tried again.
func (s Schedule) retry(failures int, start, now, notBefore time.Time) time.Time {
	next := s.after(start, now)
	if next.IsZero() {
		return next
	}
	wait := maxBackoff
	if n := failures - 1; n < 8 {
		wait = min(firstBackoff<<max(n, 0), maxBackoff)
	}
	wait = wait*3/4 + rand.N(wait/2)
	if soon := now.Add(wait); soon.Before(next) {
		next = soon
	}
	if notBefore = earlier(notBefore, now.Add(longestWait)); next.Before(notBefore) {
		return notBefore
	}
	return next
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
