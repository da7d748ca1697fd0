package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// A Handler answers one request with a value or an error. The value is Raw,
// Status, Text, HTML, Linked, Stream, or something that AppendJSON writes, which means 200 with a
// JSON body and an ETag.
type Handler func(*gin.Context) (any, error)

// Raw is a JSON body that is sent as it stands, without an ETag: what came
// straight out of the store.
type Raw struct {
	Body []byte
	// Link is sent as the Link header when it is not empty.
	Link string
	// Release is called once the body has been sent; nil if nobody needs to know.
	Release func()
}

// Status is an answer other than 200. A nil Body means that none is sent, not
// even its type.
type Status struct {
	Code int
	Body any
}

// Text is an answer in plain text.
type Text struct {
	Code int
	Body string
}

// OK is 200 without a body.
func OK() Status { return Status{Code: http.StatusOK} }

// NoContent is 204.
func NoContent() Status { return Status{Code: http.StatusNoContent} }

// Created is 201 with a JSON body.
func Created(body any) Status { return Status{Code: http.StatusCreated, Body: body} }

// Linked is a 200 with a JSON body, an ETag, and a Link header.
type Linked struct {
	Body any
	Link string
	// Release is called once the body has been sent; nil if nobody needs to know.
	Release func()
}

// Obj returns a JSON object with these keys and values in turn. It is for
// literals: an odd number of arguments, or a key that is no string, panics.
func Obj(keysAndValues ...any) *jsonvalue.Object {
	o := jsonvalue.NewObject()
	for i := 0; i < len(keysAndValues); i += 2 {
		o.Set(keysAndValues[i].(string), keysAndValues[i+1])
	}
	return o
}

// Strings returns a list of strings as a JSON array.
func Strings(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// AppendJSON writes a value as compact JSON: bytes and json.RawMessage as they
// stand, values of jsonvalue in their order, everything else as encoding/json
// writes it, with <, > and & as they are.
func AppendJSON(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return append(dst, v...), nil
	case json.RawMessage:
		return append(dst, v...), nil
	case nil, bool, float64, string, []any, *jsonvalue.Object:
		return jsonvalue.Append(dst, v), nil
	}
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Stream is an answer that is sent piece by piece, as long as Run runs. Its
// context ends when the client has gone. Each call of send puts its bytes on the
// way before it returns; it fails when the client does not take them.
type Stream struct {
	// Code is the status; 0: 200.
	Code int
	// ContentType of what is sent; "": nothing is, and only that it ends matters.
	ContentType string
	// Header is sent beside; nil: nothing is.
	Header map[string]string
	// Bulk says that the pieces are there as fast as the client takes them:
	// they may be compressed and gathered on the way.
	Bulk bool
	Run  func(ctx context.Context, send func([]byte) error) error
}

// HTML is a page of ASCII alone.
type HTML struct {
	Code int
	Body string
}
