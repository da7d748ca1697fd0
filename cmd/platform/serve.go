package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/greenroom-idp/greenroom/cmd/platform/config"
)

func serveVerb() verb {
	return verb{
		name: "serve", arguments: "[flags]", summary: "serve the catalog",
		details: `
Without --config the files app-config.yaml, app-config.<name>.yaml for each name
in BACKSTAGE_ENV, app-config.local.yaml and app-config.<name>.local.yaml of the
working directory are read, later ones over earlier ones. Variables such as
APP_CONFIG_backend_listen_port=8080 come over all files.

SIGTERM and SIGINT end it in order; a second signal ends it at once.`,
		prepare: func(flags *flag.FlagSet) action {
			var o serveOptions
			flags.Var((*listFlag)(&o.configs), "config", "configuration `file`; may be given several times")
			flags.StringVar(&o.data, "data", "data", dataFlagUsage)
			flags.StringVar(&o.logFormat, "log-format", "", "`format` of the log, json or text; text if not said, json where NODE_ENV is production")
			return func(ctx context.Context, args []string, stdout, _ io.Writer) error {
				if err := noArguments(args); err != nil {
					return err
				}
				return serve(ctx, o, stdout)
			}
		},
	}
}

type serveOptions struct {
	configs         []string
	data, logFormat string
}

// collectAt is how much the heap may grow, in percent of what is in use, before
// it is collected, where GOGC does not say. Serving makes little garbage, so
// that a smaller heap costs next to nothing.
const collectAt = 50

// serve runs the server until ctx ends or something breaks.
func serve(ctx context.Context, o serveOptions, stdout io.Writer) (err error) {
	started := time.Now()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	conf, settings, err := loadConfig(o.configs)
	if err != nil {
		return err
	}
	observed, err := observe(ctx, conf, settings, o.logFormat, stdout)
	if err != nil {
		return err
	}
	defer closing(&err, observed)
	log := observed.log
	log.Info("starting", slog.String("version", versionText()), slog.String("config", strings.Join(conf.Files(), ", ")))
	for _, warning := range settings.Warnings {
		log.Warn("configuration", slog.String("warning", warning))
	}
	listener, err := listen(ctx, settings.Backend.Listen)
	if err != nil {
		return err
	}
	defer closing(&err, onceClosed{listener})
	scrapes, err := listenScrapes(ctx, settings.Backend.Metrics)
	if err != nil {
		return err
	}
	defer closing(&err, scrapes)
	observed.follow(ctx)
	p, err := open(ctx, settings, o.data, observed)
	if err != nil {
		return err
	}
	defer closing(&err, p)
	scrapes.serve(p.registry, log)
	announce(log, settings, listener.Addr(), p, time.Since(started))
	go debug.FreeOSMemory() // what loading took, and serving does not need
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-p.Failed():
			cancel(errCatalogFailed)
		case <-ctx.Done():
		}
	}()
	return serveHTTP(ctx, listener, p.api, log, shutdown{leaving: p.api.Leaving, delay: settings.Backend.ShutdownDelay, draining: p.api.Stopping})
}

// errCatalogFailed ends the server; closing the platform says what happened.
var errCatalogFailed = errors.New("the catalog cannot go on")

// closing closes c and joins its error to *err.
func closing(err *error, c io.Closer) { *err = errors.Join(*err, c.Close()) }

// onceClosed is a listener that the HTTP server may have closed already.
type onceClosed struct{ net.Listener }

func (l onceClosed) Close() error {
	if err := l.Listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// loadConfig reads the configuration; the error has all its faults in one
// line.
func loadConfig(files []string) (*config.Config, *config.Settings, error) {
	conf, err := config.Load(config.Environment(files))
	if err != nil {
		return nil, nil, err
	}
	settings, err := config.Read(conf)
	_, policyErr := newPolicy(settings, nil)
	err = errors.Join(err, policyErr)
	switch faults := config.Lines(err); {
	case len(faults) == 1:
		return nil, nil, fmt.Errorf("configuration: %s", faults[0])
	case len(faults) > 1:
		return nil, nil, fmt.Errorf("configuration has %d faults: %s", len(faults), strings.Join(faults, "; "))
	}
	return conf, settings, nil
}

// announce says where the server listens and what it has loaded.
func announce(log *slog.Logger, s *config.Settings, address net.Addr, p *platform, took time.Duration) {
	if u := s.Backend.BaseURL; strings.Contains(u, "//localhost") && os.Getenv("NODE_ENV") == "production" {
		log.Warn("backend.baseUrl is on localhost, where nobody else can reach it", slog.String("base_url", u))
	}
	log.Info("listening", slog.String("address", address.String()), slog.String("base_url", s.Backend.BaseURL),
		slog.Int("entities", p.entities()), slog.Int("locations", len(s.Catalog.Locations)),
		slog.String("store", p.storePath), slog.Duration("took", took.Round(time.Millisecond)))
}
