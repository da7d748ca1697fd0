package signin

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// frame returns the page that hands an outcome to the window that opened it. It
// first tells any window which origin the outcome is for, so that one of
// another origin can say what is wrong, and then gives the outcome to that
// origin alone. Both stand in the script percent-encoded, which leaves nothing
// that could end a string or the script.
func frame(h http.Header, origin string, outcome []byte) wire.HTML {
	script := "\n" +
		"const origin = decodeURIComponent('" + encodeComponent(origin) + "');\n" +
		"const outcome = JSON.parse(decodeURIComponent('" + encodeComponent(string(outcome)) + "'));\n" +
		"const asker = window.opener || window.parent;\n" +
		"asker.postMessage({ type: 'config_info', targetOrigin: origin }, '*');\n" +
		"asker.postMessage(outcome, origin);\n" +
		"setTimeout(() => window.close(), 100);\n"
	hash := sha256.Sum256([]byte(script))
	h["Content-Security-Policy"] = []string{"script-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"}
	h["X-Frame-Options"] = []string{"sameorigin"}
	return wire.HTML{Code: http.StatusOK, Body: "<!DOCTYPE html><html><body><script>" + script + "</script></body></html>"}
}

// succeeded and failed are the two outcomes. A failure has the key error, and
// only a failure.
func succeeded(session any) ([]byte, error) {
	body, err := wire.AppendJSON(nil, session)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"type":"authorization_response","response":`), body...)
	return append(out, '}'), nil
}

func failed(name, message string) []byte {
	return jsonvalue.Append(nil, wire.Obj("type", "authorization_response", "error", wire.Obj("name", name, "message", message)))
}

const upperHex = "0123456789ABCDEF"

// encodeComponent percent-encodes all but letters, digits and -_.!~*().
func encodeComponent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~*()", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upperHex[c>>4])
		b.WriteByte(upperHex[c&15])
	}
	return b.String()
}
