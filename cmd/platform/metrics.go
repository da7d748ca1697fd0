package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/greenroom-idp/greenroom/api/metricnames"
)

// A scrapeServer serves metrics on an address of their own, which need not be
// open to those who use the portal. The zero value serves nothing.
type scrapeServer struct {
	listener net.Listener
	server   *http.Server
	ended    chan error
}

// listenScrapes binds an address; "" binds none. The caller closes what it
// returns.
func listenScrapes(ctx context.Context, address string) (*scrapeServer, error) {
	if address == "" {
		return &scrapeServer{}, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("backend.metrics.listen: %w", err)
	}
	return &scrapeServer{listener: l}, nil
}

// serve begins to answer.
func (s *scrapeServer) serve(from prometheus.Gatherer, log *slog.Logger) {
	if s.listener == nil {
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metricnames.Gatherer{From: from}, promhttp.HandlerOpts{}))
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: readTimeout,
		IdleTimeout: idleTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.server.Serve(s.listener) }()
	log.Info("metrics", slog.String("address", s.listener.Addr().String()))
}

// Close ends it at once: whoever scrapes comes again.
func (s *scrapeServer) Close() error {
	switch {
	case s.server != nil:
		err := s.server.Close()
		if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	case s.listener != nil:
		return s.listener.Close()
	}
	return nil
}
