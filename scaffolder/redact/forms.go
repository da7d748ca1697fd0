package redact

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

// minEncoded is how many characters of base64 or hex must agree with a secret:
// fewer appear by chance.
const minEncoded = 8

// forms returns the texts by which a secret is recognised, without line breaks.
func forms(secret string) []string {
	secret = strings.TrimSpace(secret)
	if len([]rune(secret)) < 2 {
		return nil
	}
	list := []string{
		strip(secret), strip(jsonBody(secret)), strip(jsonBody(jsonBody(secret))),
		url.QueryEscape(secret), url.PathEscape(secret), percentEncode(secret),
		strings.ToLower(url.QueryEscape(secret)), strings.ToLower(url.PathEscape(secret)), strings.ToLower(percentEncode(secret)),
	}
	for _, line := range strings.FieldsFunc(secret, isBreak) {
		if line = strings.TrimSpace(line); len(line) >= minEncoded && line != secret {
			list = append(list, line) // a key of many lines, logged line by line
		}
	}
	for _, raw := range []string{secret, strip(secret)} {
		list = append(list, encodedForms(raw)...)
	}
	return list
}

func encodedForms(secret string) []string {
	list := base64Cores(secret)
	if h := hex.EncodeToString([]byte(secret)); len(h) >= minEncoded {
		list = append(list, h, strings.ToUpper(h))
	}
	return list
}

// base64Cores returns what base64 makes of a secret wherever it begins in the
// text that is encoded: the characters that depend on nothing but the secret.
func base64Cores(secret string) []string {
	var list []string
	for shift := range 3 {
		padded := strings.Repeat("\x00", shift) + secret
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString([]byte(padded))
			from := (shift*8 + 5) / 6 // the first character without bits of what is before
			to := len(padded) * 8 / 6 // behind the last without bits of what comes after
			if to-from >= minEncoded {
				list = append(list, text[from:to])
			}
			if shift == 0 && len(secret)*8%6 != 0 && to < len(text) && len(text) >= minEncoded {
				list = append(list, text) // the secret alone, to its end
			}
		}
	}
	return list
}

// jsonBody is a text as it stands between the quotes of a JSON string.
func jsonBody(s string) string {
	quoted := jsonvalue.AppendString(nil, s)
	return string(quoted[1 : len(quoted)-1])
}

// percentEncode is encodeURIComponent of JavaScript.
func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~*'()", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
	return b.String()
}

func isBreak(r rune) bool { return r == '\n' || r == '\r' }

// strip removes line breaks, with blanks at the end of a line and at the
// beginning of the next, and their JSON escapes.
func strip(s string) string {
	text, _ := stripped(s, false)
	return text
}
