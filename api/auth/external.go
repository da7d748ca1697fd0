package auth

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/greenroom-idp/greenroom/api/auth/keyset"
)

// An ExternalAccess is one way in which a program from outside proves itself.
type ExternalAccess struct {
	// Type is "static", a fixed token, "legacy", an HS256 JWT made with a
	// shared secret, or "jwks", a JWT that somebody signs who publishes keys.
	Type string
	// Token is the fixed token, of 8 or more characters without blanks.
	Token string
	// Secret is the shared secret in base64.
	Secret string
	// Subject names the service, in logs and to policies; not for jwks, where
	// the token does.
	Subject string
	// URL is where the keys of jwks are published.
	URL string
	// Algorithms, Issuers and Audiences are those of which a token of jwks must
	// have one each; nil: any.
	Algorithms, Issuers, Audiences []string
	// Subjects are patterns of which the subject of a token of jwks must fit
	// one, with * for any text; nil: any subject.
	Subjects []string
	// SubjectPrefix stands before the subject of a token of jwks, after
	// "external:"; "": nothing does.
	SubjectPrefix string
	// Restrictions narrow what it may do; nil means not at all.
	Restrictions []Restriction
}

// legacySubject is what every legacy token calls itself.
const legacySubject = "backstage-server"

// external is an ExternalAccess that has been checked. Match returns what a
// token proved, and whether it is one of this access.
type external struct {
	match func(ctx context.Context, token string, hash tokenHash, p peeked) (*verified, bool)
}

var (
	printable = regexp.MustCompile(`^\S{8,}$`)
	oneWord   = regexp.MustCompile(`^\S+$`)
)

func (s *Authority) newExternal(a ExternalAccess, transport http.RoundTripper) (external, error) {
	if err := CheckRestrictions(a.Restrictions); err != nil {
		return external{}, err
	}
	if a.Type == "jwks" {
		return s.newKeySetAccess(a, transport)
	}
	if a.Type != "static" && a.Type != "legacy" {
		return external{}, fmt.Errorf("type %q is not one of static, legacy, jwks", a.Type)
	}
	if !oneWord.MatchString(a.Subject) {
		return external{}, errors.New("subject is missing, or has blanks")
	}
	service := Principal{Kind: Service, Subject: a.Subject, Restrictions: a.Restrictions}
	if a.Type == "static" {
		if !printable.MatchString(a.Token) {
			return external{}, errors.New("token must have 8 or more characters and no blanks")
		}
		return newStaticAccess(a.Token, service), nil
	}
	secret, err := decodeSecret(a.Secret)
	if err != nil {
		return external{}, err
	}
	return s.newLegacyAccess(secret, service), nil
}

// newStaticAccess compares fixed tokens by hash, so that neither their content
// nor their length shows in the time.
func newStaticAccess(token string, service Principal) external {
	want := sha256.Sum256([]byte(token))
	return external{func(_ context.Context, _ string, hash tokenHash, _ peeked) (*verified, bool) {
		return &verified{principal: service}, subtle.ConstantTimeCompare(hash[:], want[:]) == 1
	}}
}

// decodeSecret reads base64 in either alphabet, padded or not.
func decodeSecret(text string) ([]byte, error) {
	text = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(text), "=")
	secret, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(secret) == 0 {
		return nil, errors.New("secret must be base64 and not empty")
	}
	return secret, nil
}

func (s *Authority) newLegacyAccess(secret []byte, service Principal) external {
	return external{func(_ context.Context, token string, _ tokenHash, p peeked) (*verified, bool) {
		if p.header.Algorithm != "HS256" || p.claims.Subject != legacySubject || len(p.claims.Audience) > 0 {
			return nil, false
		}
		var c jwt.RegisteredClaims
		_, err := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithTimeFunc(s.now), jwt.WithStrictDecoding()).
			ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return secret, nil })
		if err != nil {
			return nil, false
		}
		v := &verified{principal: service}
		if c.ExpiresAt != nil {
			v.principal.Expires = c.ExpiresAt.Time
		}
		return v, true
	}}
}

func (s *Authority) newKeySetAccess(a ExternalAccess, transport http.RoundTripper) (external, error) {
	u, err := url.Parse(a.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return external{}, errors.New("url must be an http or https URL, without a user")
	}
	for _, name := range a.Algorithms {
		if !slices.Contains(keyset.Algorithms(), name) {
			return external{}, fmt.Errorf("algorithm %q is not one of %s", name, strings.Join(keyset.Algorithms(), ", "))
		}
	}
	if a.SubjectPrefix != "" && !oneWord.MatchString(a.SubjectPrefix) {
		return external{}, errors.New("subjectPrefix has blanks")
	}
	prefix := "external:"
	if a.SubjectPrefix != "" {
		prefix += a.SubjectPrefix + ":"
	}
	set := keyset.New(keyset.Options{URL: keyset.At(a.URL), Transport: transport, Now: s.now})
	return external{func(ctx context.Context, token string, _ tokenHash, p peeked) (*verified, bool) {
		return s.matchKeySet(ctx, token, p, &a, prefix, set)
	}}, nil
}

// matchKeySet looks at what a token says before it asks for keys, so that
// tokens of others cause no requests.
func (s *Authority) matchKeySet(ctx context.Context, token string, p peeked, a *ExternalAccess, prefix string, set *keyset.Set) (*verified, bool) {
	if !a.concerns(p.header.Algorithm, p.claims) {
		return nil, false
	}
	var c jwt.RegisteredClaims
	_, err := s.parse(token, &c, func(id, algorithm string) (crypto.PublicKey, error) {
		return set.Find(ctx, id, algorithm)
	})
	if err == nil && !a.concerns(p.header.Algorithm, c) {
		err = errors.New("it has said two things")
	}
	if err != nil {
		s.log.WarnContext(ctx, "a token of external access was refused", "jwks", a.URL, "reason", err.Error())
		return nil, false
	}
	v := &verified{
		principal: Principal{Kind: Service, Subject: prefix + c.Subject, Restrictions: a.Restrictions},
		until:     s.now().Add(keyset.MaxAge),
	}
	if c.ExpiresAt != nil {
		v.principal.Expires = c.ExpiresAt.Time
	}
	return v, true
}

// concerns tells whether a token that says this could be one of a jwks access.
func (a *ExternalAccess) concerns(algorithm string, c jwt.RegisteredClaims) bool {
	one := func(allowed []string, of ...string) bool {
		return allowed == nil || slices.ContainsFunc(of, func(s string) bool { return slices.Contains(allowed, s) })
	}
	fits := func(pattern string) bool { return wildcard(pattern, c.Subject) }
	return c.Subject != "" && slices.Contains(keyset.Algorithms(), algorithm) &&
		(a.Subjects == nil || slices.ContainsFunc(a.Subjects, fits)) &&
		one(a.Algorithms, algorithm) && one(a.Issuers, c.Issuer) && one(a.Audiences, c.Audience...)
}

// wildcard tells whether a text fits a pattern in which * stands for any text.
func wildcard(pattern, text string) bool {
	head, rest, some := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, head)
	if !ok || !some {
		return ok && text == ""
	}
	parts := strings.Split(rest, "*")
	for _, part := range parts[:len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
