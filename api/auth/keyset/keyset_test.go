package keyset_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/greenroom-idp/greenroom/api/auth/keyset"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func ec(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return k
}

func jwk(t testing.TB, k jose.JSONWebKey) string {
	data, err := k.MarshalJSON()
	require.NoError(t, err)
	return string(data)
}

func set(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// A publisher answers requests without a network, and counts them.
type publisher struct {
	asked  atomic.Int32
	answer func(*http.Request) (*http.Response, error)
}

func (p *publisher) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked.Add(1)
	return p.answer(r)
}

func body(status int, text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}}, nil
	}
}

type world struct {
	*keyset.Set
	publisher
	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(answer func(*http.Request) (*http.Response, error)) *world {
	w := &world{now: time.Unix(1_700_000_000, 0)}
	w.answer = answer
	w.Set = keyset.New(keyset.Options{URL: keyset.At("http://peer/keys"), Transport: &w.publisher, Now: w.clock})
	return w
}

func TestKeysAreMatched(t *testing.T) {
	p256, p384, p521 := ec(t, elliptic.P256()), ec(t, elliptic.P384()), ec(t, elliptic.P521())
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	small := `{"kty":"RSA","kid":"small","alg":"RS256","e":"AQAB","n":"` + strings.Repeat("u", 170) + `"}` // 1020 bits
	pair := ec(t, elliptic.P256())
	w := newWorld(body(200, set(
		jwk(t, jose.JSONWebKey{Key: p256.Public(), KeyID: "p256", Algorithm: "ES256", Use: "sig"}),
		jwk(t, jose.JSONWebKey{Key: p384.Public(), KeyID: "p384"}),
		jwk(t, jose.JSONWebKey{Key: p521.Public(), KeyID: "p521"}),
		jwk(t, jose.JSONWebKey{Key: r.Public(), KeyID: "rsa"}),
		jwk(t, jose.JSONWebKey{Key: r.Public(), KeyID: "rs512", Algorithm: "RS512"}),
		jwk(t, jose.JSONWebKey{Key: ed, KeyID: "ed"}),
		jwk(t, jose.JSONWebKey{Key: p256.Public(), KeyID: "enc", Use: "enc"}),
		jwk(t, jose.JSONWebKey{Key: pair, KeyID: "private"}),
		`{"kty":"oct","kid":"oct","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQ"}`, small,
		`{"kty":"EC","crv":"P-256","kid":"off the curve","x":"AQ","y":"AQ"}`, `{"kty":"new"}`, `5`, `"x"`, `{}`,
	)))
	for _, tc := range []struct {
		id, algorithm string
		want          crypto.PublicKey
	}{
		{"p256", "ES256", p256.Public()}, {"p384", "ES384", p384.Public()}, {"p521", "ES512", p521.Public()}, {"ed", "EdDSA", ed},
		{"rsa", "RS256", r.Public()}, {"rsa", "PS384", r.Public()}, {"rs512", "RS512", r.Public()},
		{"", "ES384", p384.Public()}, // the only one for it
		{"", "RS512", nil},           // two would do
		{"rs512", "RS256", nil},      // it says what it is for
		{"p256", "ES384", nil}, {"p384", "ES256", nil}, {"rsa", "ES256", nil}, {"ed", "ES256", nil},
		{"p256", "HS256", nil}, {"rsa", "HS256", nil}, {"oct", "HS256", nil}, {"p256", "none", nil}, {"p256", "", nil},
		{"enc", "ES256", nil}, {"private", "ES256", nil}, {"small", "RS256", nil}, {"off the curve", "ES256", nil}, {"nobody", "ES256", nil},
	} {
		got, err := w.Find(t.Context(), tc.id, tc.algorithm)
		if tc.want == nil {
			assert.ErrorIs(t, err, keyset.ErrNoKey, "%s for %s", tc.id, tc.algorithm)
			assert.Nil(t, got)
			continue
		}
		require.NoError(t, err, "%s for %s", tc.id, tc.algorithm)
		assert.True(t, got.(interface{ Equal(crypto.PublicKey) bool }).Equal(tc.want), "%s for %s", tc.id, tc.algorithm)
	}
}

func TestWhenASetIsFetched(t *testing.T) {
	first, second := ec(t, elliptic.P256()), ec(t, elliptic.P256())
	one := jwk(t, jose.JSONWebKey{Key: first.Public(), KeyID: "1"})
	w := newWorld(body(200, set(one)))
	find := func(id string) error {
		_, err := w.Find(t.Context(), id, "ES256")
		return err
	}
	require.NoError(t, find("1"))
	require.NoError(t, find("1"))
	assert.EqualValues(t, 1, w.asked.Load(), "once for many tokens")

	for range 100 {
		assert.ErrorIs(t, find("2"), keyset.ErrNoKey)
	}
	assert.EqualValues(t, 11, w.asked.Load(), "ten times a minute for keys that are not there")
	w.pass(29 * time.Second)
	assert.Error(t, find("2"))
	assert.EqualValues(t, 11, w.asked.Load())
	w.pass(time.Second)
	assert.Error(t, find("2"))
	assert.Error(t, find("2"))
	assert.EqualValues(t, 12, w.asked.Load(), "and once in thirty seconds beyond that")
	w.answer = body(200, set(one, jwk(t, jose.JSONWebKey{Key: second.Public(), KeyID: "2"})))
	w.pass(30 * time.Second)
	require.NoError(t, find("2"))
	require.NoError(t, find("1"))
	assert.EqualValues(t, 13, w.asked.Load())

	w.pass(keyset.MaxAge)
	require.NoError(t, find("1"))
	assert.EqualValues(t, 14, w.asked.Load(), "after ten minutes again")
	w.answer = body(200, set())
	w.pass(keyset.MaxAge)
	assert.ErrorIs(t, find("1"), keyset.ErrNoKey, "a key that was withdrawn is not known any more")
}

func TestASetThatCannotBeFetched(t *testing.T) {
	key := ec(t, elliptic.P256())
	good := body(200, set(jwk(t, jose.JSONWebKey{Key: key.Public(), KeyID: "1"})))
	w := newWorld(good)
	_, err := w.Find(t.Context(), "1", "ES256")
	require.NoError(t, err)
	w.answer = func(*http.Request) (*http.Response, error) { return nil, errors.New("down") }
	w.pass(50 * time.Minute)
	_, err = w.Find(t.Context(), "1", "ES256")
	require.NoError(t, err, "for an hour old keys will do")
	w.pass(10 * time.Minute)
	_, err = w.Find(t.Context(), "1", "ES256")
	require.ErrorContains(t, err, "down", "then they do not")
	w.answer = good
	w.pass(30 * time.Second)
	_, err = w.Find(t.Context(), "1", "ES256")
	require.NoError(t, err)
}

func TestAnswersThatAreNoKeySet(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = "{}"
	}
	for name, tc := range map[string]struct {
		answer func(*http.Request) (*http.Response, error)
		says   string
	}{
		"not there":     {body(404, `{"keys":[]}`), "Not Found"},
		"a page":        {body(200, `<html>`), "not a key set"},
		"no keys":       {body(200, `{}`), "not a key set"},
		"a list":        {body(200, `[]`), "not a key set"},
		"too large":     {body(200, `{"keys":["`+strings.Repeat("x", 256<<10)+`"]}`), "more than 262144 bytes"},
		"too many":      {body(200, set(many...)), "more than 100 keys"},
		"an empty body": {body(200, ``), "not a key set"},
		"unreachable":   {func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }, "no route"},
	} {
		w := newWorld(tc.answer)
		_, err := w.Find(t.Context(), "1", "ES256")
		assert.ErrorContains(t, err, tc.says, name)
		assert.ErrorContains(t, err, "http://peer/keys", name)
	}
	s := keyset.New(keyset.Options{URL: func(context.Context) (string, error) { return "", errors.New("no such peer") }})
	_, err := s.Find(t.Context(), "1", "ES256")
	assert.ErrorContains(t, err, "no such peer")
}

// A redirect could lead to an address that only we can reach.
func TestRedirectsAreNotFollowed(t *testing.T) {
	reached := false
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached = true }))
	defer inside.Close()
	outside := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer outside.Close()
	s := keyset.New(keyset.Options{URL: keyset.At(outside.URL)})
	_, err := s.Find(t.Context(), "1", "ES256")
	require.ErrorContains(t, err, "302")
	assert.False(t, reached)
}

func TestOneRequestForAllWhoWait(t *testing.T) {
	key := ec(t, elliptic.P256())
	text := set(jwk(t, jose.JSONWebKey{Key: key.Public(), KeyID: "1"}))
	arrived, release := make(chan struct{}), make(chan struct{})
	w := newWorld(func(r *http.Request) (*http.Response, error) {
		close(arrived)
		<-release
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return body(200, text)(r)
	})
	first, cancelFirst := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		_, err := w.Find(first, "1", "ES256")
		assert.NoError(t, err)
	})
	<-arrived
	impatient, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	_, err := w.Find(impatient, "1", "ES256")
	assert.EqualError(t, err, "gone", "who does not wait need not")
	for range 20 {
		all.Go(func() {
			_, err := w.Find(t.Context(), "1", "ES256")
			assert.NoError(t, err)
		})
	}
	cancelFirst() // others may need what the first has asked for
	close(release)
	all.Wait()
	assert.EqualValues(t, 1, w.asked.Load())
}

// FuzzParse: whatever is published, a key is only found for algorithms with a
// public key, and only in a set that is JSON.
func FuzzParse(f *testing.F) {
	f.Add(set(jwk(f, jose.JSONWebKey{Key: ec(f, elliptic.P256()).Public(), KeyID: "1"})))
	f.Add(set(`{"kty":"oct","kid":"1","k":"AAAA"}`, `{"kty":"RSA","kid":"1","n":"AQAB","e":"AQAB"}`))
	f.Add(`{"keys":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		w := newWorld(body(200, text))
		for _, algorithm := range []string{"ES256", "RS256", "EdDSA", "HS256", "none"} {
			key, err := w.Find(t.Context(), "1", algorithm)
			if err == nil {
				require.True(t, keyset.Allows(key, algorithm))
				require.NotEqual(t, "HS256", algorithm)
				require.True(t, json.Valid([]byte(text)))
			}
		}
	})
}
