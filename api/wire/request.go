package wire

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// BodyLimit is the largest JSON body, in bytes, that is read by default.
const BodyLimit = 100 << 10

// ErrBodyTooLarge is returned by ReadJSON for a body beyond the limit.
var ErrBodyTooLarge = catalog.NewError(NamePayloadTooLarge, "request entity too large")

// HasBody tells whether the request announces a body, be it an empty one.
func HasBody(r *http.Request) bool {
	return r.ContentLength != 0 || r.Header.Get("Content-Length") != ""
}

// IsJSON tells whether the content type of the request is application/json,
// with whatever parameters.
func IsJSON(r *http.Request) bool {
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(mediaType), "application/json")
}

// ReadJSON reads the body of the request if it is JSON: an object or an array.
// An empty body is an empty object. A request without a body, or with one of
// another type, gives ok false. Errors are ErrBodyTooLarge, a *catalog.Error
// named SyntaxError, and what reading the connection returns.
func ReadJSON(r *http.Request, limit int) (v any, ok bool, err error) {
	if r.Body == nil || !IsJSON(r) || !HasBody(r) {
		return nil, false, nil
	}
	if r.ContentLength > int64(limit) {
		return nil, false, ErrBodyTooLarge
	}
	data, err := readAll(r.Body, r.ContentLength, limit)
	if err != nil {
		return nil, false, err
	}
	if len(data) == 0 {
		return jsonvalue.NewObject(), true, nil
	}
	v, err = parseStrict(data)
	return v, err == nil, err
}

func readAll(r io.Reader, announced int64, limit int) ([]byte, error) {
	size := 512
	if announced > 0 {
		size = int(announced)
	}
	buf := make([]byte, 0, size)
	for {
		if len(buf) > limit {
			return nil, ErrBodyTooLarge
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			if len(buf) > limit {
				return nil, ErrBodyTooLarge
			}
			return buf, nil
		}
		if err != nil {
			return nil, InputError("request body could not be read")
		}
	}
}

// parseStrict refuses scalars, as the body parser of the reference does, with
// the words it has for them.
func parseStrict(data []byte) (any, error) {
	text := bytes.TrimLeft(data, " \t\r\n")
	if len(text) > 0 && text[0] != '{' && text[0] != '[' {
		first, _ := utf8.DecodeRune(text)
		return nil, catalog.NewError(NameSyntax, "Unexpected token '"+string(first)+"', "+excerpt(text)+" is not valid JSON")
	}
	v, err := jsonvalue.Parse(data)
	if err != nil {
		return nil, catalog.NewError(NameSyntax, err.Error())
	}
	return v, nil
}

// excerpt quotes a text, of one with more than 20 characters the first 10, as
// JavaScript does.
func excerpt(text []byte) string {
	const most, shown = 20, 10
	if runes := []rune(string(text[:min(len(text), 4*most+4)])); len(runes) > most {
		return `"` + string(runes[:shown]) + `"...`
	}
	return `"` + string(text) + `"`
}

// Param returns a path parameter, percent-decoded once; ok is false when it
// cannot be decoded to UTF-8.
func Param(c *gin.Context, name string) (value string, ok bool) {
	raw := c.Param(name)
	if strings.IndexByte(raw, '%') < 0 {
		return raw, true
	}
	value, err := url.PathUnescape(raw)
	return value, err == nil && utf8.ValidString(value)
}

// IsTrue reads a boolean as leniently as the reference.
func IsTrue(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "y", "yes", "true", "1", "on":
		return true
	}
	return false
}
