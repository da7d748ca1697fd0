package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/greenroom-idp/greenroom/api"
	"github.com/greenroom-idp/greenroom/api/audit"
	"github.com/greenroom-idp/greenroom/cmd/platform/config"
	"github.com/greenroom-idp/greenroom/cmd/platform/tracing"
	tasks "github.com/greenroom-idp/greenroom/scaffolder/engine"
)

// An observation is how the program tells what it does.
type observation struct {
	log     *slog.Logger
	auditor *audit.Auditor
	file    *rotated // of the audit log, nil if it has none
	// tracing sends spans, nil if none are wanted.
	tracing *tracing.Tracing

	unfollow  context.CancelFunc // nil where no signals are followed
	following sync.WaitGroup
}

// observe opens the log and what else there is, as the configuration says. The
// caller closes it, last of all.
func observe(ctx context.Context, conf *config.Config, s *config.Settings, format string, stdout io.Writer) (_ *observation, err error) {
	secrets := conf.Secrets()
	for _, value := range s.Tracing.Headers {
		secrets = append(secrets, value) // whatever the header is called
	}
	log, err := newLogger(stdout, format, s.Log, secrets, os.Getenv)
	if err != nil {
		return nil, err
	}
	o := &observation{log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Close())
		}
	}()
	t := s.Tracing
	o.tracing, err = tracing.Open(ctx, tracing.Options{Endpoint: t.Endpoint, Headers: t.Headers, Ratio: t.Ratio, Version: versionText(),
		Mask: config.Mask(secrets), Log: log, Getenv: os.Getenv})
	if err != nil {
		return nil, err
	}
	options, err := auditOptions(s.Log.Audit)
	if err != nil {
		return nil, err
	}
	options.Log = log
	if path := s.Log.Audit.File; path != "" {
		file, err := openRotated(path, log)
		if err != nil {
			return nil, err
		}
		o.file = file
		handler := slog.NewJSONHandler(config.Redact(o.file, secrets), &slog.HandlerOptions{ReplaceAttr: wireNames})
		options.Own = slog.New(api.LogHandler(handler))
	}
	o.auditor = audit.New(options)
	return o, nil
}

func auditOptions(a config.Audit) (audit.Options, error) {
	o := audit.Options{Levels: map[audit.Severity]slog.Level{}}
	var errs []error
	severity := func(word string) audit.Severity {
		s, err := audit.ParseSeverity(word)
		errs = append(errs, err)
		return s
	}
	for word, name := range a.Levels {
		level, err := parseLevel(name)
		errs = append(errs, err)
		o.Levels[severity(word)] = level
	}
	if a.FileFrom != "" {
		o.OwnFrom = severity(a.FileFrom)
	}
	return o, errors.Join(errs...)
}

// follow opens the file of the audit log again at every SIGHUP, until ctx ends
// or Close is called. Without such a file the signal means what it always does.
func (o *observation) follow(ctx context.Context) {
	if o.file == nil {
		return
	}
	ctx, o.unfollow = context.WithCancel(ctx)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	o.following.Go(func() {
		defer signal.Stop(hup)
		for {
			select {
			case <-hup:
				o.file.Reopen()
			case <-ctx.Done():
				return
			}
		}
	})
}

// register adds what the observation counts about itself.
func (o *observation) register(r prometheus.Registerer) {
	if o.file != nil {
		r.MustRegister(o.file.lost)
	}
}

// Close ends what is to be told.
func (o *observation) Close() error {
	if o.unfollow != nil {
		o.unfollow()
		o.following.Wait()
	}
	err := o.tracing.Close()
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
	}
	return err
}

// execution tells the audit log of a run of a task.
func (o *observation) execution(x tasks.Execution) {
	e := o.auditor.Event(audit.Kind{Plugin: "scaffolder", ID: "task", Severity: audit.Medium}, audit.Actor{ID: "plugin:scaffolder"}, nil,
		slog.String("actionType", "execution"), slog.String("taskId", x.TaskID), slog.String("templateRef", x.TemplateRef),
		slog.String("createdBy", x.CreatedBy), slog.String("taskParameters", x.Parameters))
	if !x.Ended {
		e.Begin(context.Background())
		return
	}
	e.Conclude(context.Background(), x.Err)
}
