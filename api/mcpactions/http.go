package mcpactions

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/greenroom-idp/greenroom/api/actions"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// maxBody is the largest request, in bytes, and maxBatch the most messages in
// one, which early versions of the protocol allow.
const (
	maxBody  = 1 << 20
	maxBatch = 20
)

// Codes of JSON-RPC for what is wrong before there is a message.
const (
	codeParse  = -32700
	codeServer = -32000
)

// Admit is asked before a request is served. The error is that of a request
// without credentials, or from a page of an origin that may not call.
func (s *Service) Admit(c *gin.Context) error {
	if auth.PrincipalFrom(c.Request.Context()).Kind == auth.None {
		return wire.Unauthenticated("Missing credentials")
	}
	if origin := c.GetHeader("Origin"); !s.fromAllowed(origin) {
		return wire.NotAllowed("Pages of this origin may not call: if they are to, add it to backend.cors.origin")
	}
	return nil
}

// Serve answers POST of a server. The request has been admitted.
func (s *Service) Serve(key string) gin.HandlerFunc {
	return func(c *gin.Context) {
		body, message, status, fault := readBody(c.Request)
		if fault != "" {
			refuse(c, status, codeParse, fault)
			return
		}
		r := c.Request
		v := &visit{Service: s, server: s.servers[key], request: r, needs: needed(message),
			caller: actions.Caller{Principal: auth.PrincipalFrom(r.Context()), Token: actions.TokenOf(r)}}
		server, err := v.build()
		if err != nil {
			v.failed("tools cannot be listed", err)
			refuse(c, http.StatusInternalServerError, codeServer, "Internal server error")
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), serverKey{}, server))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		s.handler.ServeHTTP(c.Writer, r)
	}
}

// Refuse answers GET and DELETE, which servers without sessions have no use
// for.
func (s *Service) Refuse(c *gin.Context) {
	c.Header("Allow", http.MethodPost)
	refuse(c, http.StatusMethodNotAllowed, codeServer, "Method not allowed.")
}

// refuse answers with an error of JSON-RPC to no message in particular.
func refuse(c *gin.Context, status, code int, message string) {
	body, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "error": map[string]any{"code": code, "message": message}, "id": nil}) // cannot fail
	c.Data(status, "application/json", body)
}

// readBody reads the message, as far as it has a size and a depth that may go
// on to the SDK.
func readBody(r *http.Request) (body []byte, message any, status int, fault string) {
	if !wire.IsJSON(r) {
		return nil, nil, http.StatusUnsupportedMediaType, "Unsupported Media Type: Content-Type must be application/json"
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, nil, http.StatusRequestEntityTooLarge, "the request has more than 1 MiB"
	case err != nil:
		return nil, nil, http.StatusBadRequest, "the request cannot be read"
	}
	if message, err = jsonvalue.Parse(body); err != nil {
		return nil, nil, http.StatusBadRequest, "Parse error: " + err.Error()
	}
	if list, _ := message.([]any); len(list) > maxBatch {
		return nil, nil, http.StatusBadRequest, "there are more than 20 messages at once"
	}
	return body, message, 0, ""
}

// needed tells of which tools a message is about: all for a list, and for what
// is no single message.
func needed(message any) func(name string) bool {
	o, ok := message.(*jsonvalue.Object)
	if !ok || o.String("method") == "tools/list" {
		return func(string) bool { return true }
	}
	asked := ""
	if o.String("method") == "tools/call" {
		asked = o.Object("params").String("name")
	}
	return func(name string) bool { return name == asked || simpleName(name) == asked }
}

type serverKey struct{}

// serverOf returns the server that was built for a request.
func serverOf(r *http.Request) *mcp.Server {
	s, _ := r.Context().Value(serverKey{}).(*mcp.Server)
	return s
}
