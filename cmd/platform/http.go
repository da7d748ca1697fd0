package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	// headerTimeout bounds how long a client may take to send its headers, and
	// readTimeout its whole request.
	headerTimeout = 10 * time.Second
	readTimeout   = 2 * time.Minute
	// idleTimeout is how long a connection is kept for a next request.
	idleTimeout = 2 * time.Minute
	// drainTimeout is how long requests may take to end after a signal.
	drainTimeout = 20 * time.Second
)

// listen binds the address of backend.listen, so that a taken port is an error
// before anything else has been touched.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	var dns *net.DNSError
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken: stop what listens there, or set another backend.listen.port", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s: set a backend.listen.port of 1024 or more", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &dns):
		return nil, fmt.Errorf("%s is not an address of this machine: set another backend.listen.host", address)
	}
	return nil, fmt.Errorf("listen on %s: %w: see backend.listen", address, err)
}

// A shutdown is how serving comes to its end.
type shutdown struct {
	leaving  func()        // called first: readiness fails from here on
	delay    time.Duration // for which requests are still answered
	draining func()        // called next: what waits for events ends, and new requests are refused
}

// serveHTTP answers requests until ctx ends, and for the delay of the shutdown
// after that, in which load balancers learn that it is leaving. Then it takes
// no more connections, and waits for the requests that are under way. Where the
// catalog has failed there is no delay: what it would answer may be wrong.
func serveHTTP(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger, end shutdown) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	end.leaving()
	if errors.Is(context.Cause(ctx), errCatalogFailed) {
		end.delay = 0
	}
	log.Info("stopping", slog.String("cause", context.Cause(ctx).Error()), slog.Duration("delay", end.delay))
	select {
	case err := <-ended:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-time.After(end.delay):
	}
	end.draining()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		log.Warn("requests were cut off", slog.String("reason", "they took too long to end"), slog.Duration("waited", drainTimeout))
		err = server.Close()
		<-ended
		return err
	}
	<-ended
	return nil
}
