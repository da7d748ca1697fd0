package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/greenroom-idp/greenroom/scaffolder/redact"
	"github.com/stretchr/testify/require"
)

func TestText(t *testing.T) {
	const secret = "t0p/secret+word"
	for _, c := range []struct{ name, text, want string }{
		{"as it is", "token " + secret + "!", "token ***!"},
		{"twice", secret + " " + secret, "*** ***"},
		{"not at all", "nothing here", "nothing here"},
		{"URL-encoded", "https://x/?t=" + url.QueryEscape(secret), "https://x/?t=***"},
		{"URL-encoded in lower case", strings.ToLower(url.QueryEscape(secret)), "***"},
		{"as a path", url.PathEscape(secret), "***"},
		{"base64", "Authorization: " + base64.StdEncoding.EncodeToString([]byte(secret)), "Authorization: ***"},
		{"hex", hex.EncodeToString([]byte(secret)), "***"},
		{"broken over two lines", "t0p/sec\nret+word", "***"},
		{"broken and indented", "a t0p/sec  \r\n    ret+word b", "a *** b"},
		{"broken as JSON", `{"x":"t0p/sec\nret+word"}`, `{"x":"***"}`},
		{"overlapping other one", "t0p/secret+word-more", "***"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &redact.Masker{}
			m.Add(secret, "word-more")
			require.Equal(t, c.want, m.Text(c.text))
		})
	}
}

// A credential is often encoded together with a name: the bytes around it move
// its base64 by up to two bits per character.
func TestBase64OfATextThatHoldsIt(t *testing.T) {
	const secret = "correct horse battery"
	m := &redact.Masker{}
	m.Add(secret)
	for _, before := range []string{"", "u", "us", "user:", "x-access-token:"} {
		for _, after := range []string{"", "!", "!!", "\n"} {
			for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
				text := enc.EncodeToString([]byte(before + secret + after))
				masked := m.Text(text)
				require.Contains(t, masked, redact.Mask, "%q + secret + %q", before, after)
				rest, _, _ := strings.Cut(masked, redact.Mask)
				require.LessOrEqual(t, len(masked)-len(redact.Mask), len(text)-len(secret)*4/3+2, "most of it is masked: %s", masked)
				require.True(t, strings.HasPrefix(text, rest))
			}
		}
	}
}

func TestSecretsOfManyLines(t *testing.T) {
	key := "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
	m := &redact.Masker{}
	m.Add(key)
	asJSON, err := json.Marshal(map[string]string{"key": key})
	require.NoError(t, err)
	require.NotContains(t, m.Text(string(asJSON)), "MIIEvQ", "escaped in JSON")
	require.NotContains(t, m.Text("one line: MIIEvQIBADANBgkq"), "MIIEvQ", "a line of it")
	require.NotContains(t, m.Text(base64.StdEncoding.EncodeToString([]byte(key))), "LS0tLS1CRUdJTiBLRVktLS0tLQ", "encoded")
}

func TestWhatIsTooShortMasksNothing(t *testing.T) {
	m := &redact.Masker{}
	m.Add("", "a", " b ", "\n")
	require.True(t, m.Empty())
	require.Equal(t, "a b c", m.Text("a b c"))
	m.Add("  ab  ")
	require.Equal(t, "***c", m.Text("abc"), "blanks around a secret do not belong to it")
}

func TestStream(t *testing.T) {
	for _, c := range []struct {
		name        string
		lines, want []string
	}{
		{"one line", []string{"a secret-token b"}, []string{"a *** b"}},
		{"cut in two", []string{"a secret-", "token b"}, []string{"a ***", "*** b"}},
		{"cut in three", []string{"secr", "et-tok", "en"}, []string{"***", "***", "***"}},
		{"only looks like one", []string{"a secret-", "or not"}, []string{"a secret-", "or not"}},
		{"ends in the middle", []string{"a secret-"}, []string{"a secret-"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &redact.Masker{}
			m.Add("secret-token")
			var got []string
			s := redact.NewStream(m, func(line string) { got = append(got, line) })
			for _, line := range c.lines {
				s.Line(line)
			}
			s.Flush()
			require.Equal(t, c.want, got)
		})
	}
}

// Whatever is masked, the secret is not in it any more.
func FuzzText(f *testing.F) {
	f.Add("secret", "a secret b")
	f.Add("a\nb", "a\nb")
	f.Add("aa", "aaaa")
	f.Add("\\n\\n", "\\n\n\\n")
	f.Fuzz(func(t *testing.T, secret, text string) {
		m := &redact.Masker{}
		m.Add(secret)
		masked := m.Text(text)
		trimmed := strings.TrimSpace(secret)
		if len([]rune(trimmed)) < 2 || strings.ContainsAny(trimmed, "*\n\r\\ \t") {
			return
		}
		require.NotContains(t, strings.ReplaceAll(masked, redact.Mask, "\x00"), trimmed)
	})
}
