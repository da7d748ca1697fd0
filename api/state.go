package api

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

var (
	errNotStarted = catalog.NewError(catalog.NameUnavailable, "Service has not started up yet")
	errStopping   = catalog.NewError(catalog.NameUnavailable, "Service is shutting down")
)

// gate lets a request to a plugin through while the program runs. During the
// start it waits a while for the end of it.
func (s *Server) gate(ctx context.Context) error {
	if closed(s.stopping) {
		return errStopping
	}
	if closed(s.ready) {
		return nil
	}
	timer := time.NewTimer(s.startupWait)
	defer timer.Stop()
	select {
	case <-s.ready:
		return nil
	case <-s.stopping:
		return errStopping
	case <-timer.C:
		return errNotStarted
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Server) liveness(c *gin.Context) (any, error) {
	s.addHealthHeaders(c)
	return wire.Obj("status", "ok"), nil
}

func (s *Server) readiness(c *gin.Context) (any, error) {
	s.addHealthHeaders(c)
	switch {
	case closed(s.leaving):
		return unready("Backend is shutting down"), nil
	case !closed(s.ready):
		return unready("Backend has not started yet"), nil
	}
	return wire.Obj("status", "ok"), nil
}

func (s *Server) addHealthHeaders(c *gin.Context) {
	for k, v := range s.health {
		c.Writer.Header().Set(k, v)
	}
}

func unready(message string) wire.Status {
	return wire.Status{Code: 503, Body: wire.Obj("message", message, "status", "error")}
}
