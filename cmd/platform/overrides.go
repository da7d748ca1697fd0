package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// An overriding is a handler that gives lines which match a rule another lowest
// level than all others. The next handler takes every line.
type overriding struct {
	next  slog.Handler
	level slog.Level // of lines that no rule matches
	rules []override
	// lowest is that of all levels: below, nobody wants to know.
	lowest slog.Level
	// fixed are the attributes that all lines have.
	fixed []slog.Attr
}

type override struct {
	level    slog.Level
	matchers map[string]config.Matcher
}

// withOverrides returns the next handler with a lowest level, and rules of
// backend.logger.overrides over it; the first that matches counts.
func withOverrides(next slog.Handler, level slog.Level, rules []config.LogOverride) (slog.Handler, error) {
	h := &overriding{next: next, level: level, lowest: level}
	for _, r := range rules {
		l, err := parseLevel(r.Level)
		if err != nil {
			return nil, err
		}
		h.rules = append(h.rules, override{l, r.Matchers})
		h.lowest = min(h.lowest, l)
	}
	return h, nil
}

// Enabled implements slog.Handler.
func (h *overriding) Enabled(_ context.Context, l slog.Level) bool { return l >= h.lowest }

// Handle implements slog.Handler.
func (h *overriding) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < h.levelOf(r) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func (h *overriding) levelOf(r slog.Record) slog.Level {
	for _, o := range h.rules {
		if o.matches(h.fixed, r) {
			return o.level
		}
	}
	return h.level
}

// matches tells whether a line has all fields that are asked for.
func (o override) matches(fixed []slog.Attr, r slog.Record) bool {
	for name, m := range o.matchers {
		if name == "message" {
			if !m.Matches(r.Message) {
				return false
			}
			continue
		}
		found := false
		look := func(a slog.Attr) bool {
			found = (a.Key == name || wireNames(nil, a).Key == name) && m.Matches(fmt.Sprint(a.Value.Resolve().Any()))
			return !found
		}
		r.Attrs(look)
		for i := 0; i < len(fixed) && !found; i++ {
			look(fixed[i])
		}
		if !found {
			return false
		}
	}
	return true
}

// WithAttrs implements slog.Handler.
func (h *overriding) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := *h
	out.next, out.fixed = h.next.WithAttrs(attrs), append(slices.Clip(h.fixed), attrs...)
	return &out
}

// WithGroup implements slog.Handler. What is in groups is not looked at.
func (h *overriding) WithGroup(name string) slog.Handler {
	out := *h
	out.next = h.next.WithGroup(name)
	return &out
}
