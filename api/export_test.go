package api

import "github.com/gin-gonic/gin"

// Routes returns all routes.
func (s *Server) Routes() gin.RoutesInfo { return s.engine.Routes() }

// LoggedURL returns what of a URL is written to the log.
func LoggedURL(uri string) string { return loggedURL(uri) }
