package main

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

// newLogger returns the logger of the whole program. The format is json, text,
// or "" for what suits the environment: JSON where NODE_ENV is production.
// LOG_LEVEL comes before the level of the configuration. Secrets are masked.
func newLogger(w io.Writer, format string, settings config.Log, secrets []string, getenv func(string) string) (*slog.Logger, error) {
	name := settings.Level
	if env := getenv("LOG_LEVEL"); env != "" {
		name = env
	}
	level, err := parseLevel(name)
	if err != nil {
		return nil, err
	}
	if format == "" {
		format = "text"
		if getenv("NODE_ENV") == "production" {
			format = "json"
		}
	}
	handler, err := newHandler(config.Redact(w, secrets), format, level, settings.Overrides)
	if err != nil {
		return nil, err
	}
	logger := slog.New(api.LogHandler(handler))
	for _, key := range slices.Sorted(maps.Keys(settings.Meta)) {
		logger = logger.With(key, settings.Meta[key])
	}
	return logger, nil
}

// newHandler returns what writes lines in a format, from a level on that some
// lines may have for themselves.
func newHandler(w io.Writer, format string, level slog.Level, overrides []config.LogOverride) (slog.Handler, error) {
	options := &slog.HandlerOptions{Level: level}
	if len(overrides) > 0 {
		options.Level = slog.LevelDebug // the overrides decide
	}
	var handler slog.Handler
	switch format {
	case "json":
		options.ReplaceAttr = wireNames
		handler = slog.NewJSONHandler(w, options)
	case "text":
		handler = slog.NewTextHandler(w, options)
	default:
		return nil, &usageError{fmt.Sprintf("log format %q is not one of json, text", format)}
	}
	if len(overrides) == 0 {
		return handler, nil
	}
	return withOverrides(handler, level, overrides)
}

func parseLevel(name string) (slog.Level, error) {
	switch strings.ToLower(name) {
	case "", "info", "http":
		return slog.LevelInfo, nil
	case "error":
		return slog.LevelError, nil
	case "warn", "warning":
		return slog.LevelWarn, nil
	case "debug", "verbose", "silly":
		return slog.LevelDebug, nil
	}
	return 0, fmt.Errorf("log level %q is not one of error, warn, info, debug", name)
}

// wireNames gives JSON lines the names that those who collect logs of
// Backstage look for: message, a level in lower case, and the fields of the
// access log.
func wireNames(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.MessageKey:
		a.Key = "message"
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			a.Value = slog.StringValue(strings.ToLower(level.String()))
		}
	case "http_version":
		a.Key = "httpVersion"
		a.Value = slog.StringValue(strings.TrimPrefix(a.Value.String(), "HTTP/"))
	case "user_agent":
		a.Key = "userAgent"
	case "content_length":
		a.Key = "contentLength"
	}
	return a
}
